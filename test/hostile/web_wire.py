"""WebSocket frames in our own hands (RFC 6455), and a client of the contract over them, from docs/protocol/websocket.md alone."""

import base64
import hashlib
import os
import struct

from sealwire_contract import ContractClient

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def request(line=b"GET /sealwire HTTP/1.1", without=(), more=(), **headers):
    """An upgrade, good but for what is said: headers by their name in lower case with `_` for `-`."""
    said = {
        "host": "localhost", "upgrade": "websocket", "connection": "Upgrade", "sec_websocket_version": "13",
        "sec_websocket_key": base64.b64encode(bytes(range(16))).decode(), **headers,
    }  # fmt: skip
    lines = [f"{name.replace('_', '-')}: {value}".encode("latin1") for name, value in said.items() if name not in without]
    return b"\r\n".join([line, *lines, *more]) + b"\r\n\r\n"


def status(tls):
    """The number in the answer to an upgrade, and what came behind its head; `closed` without an answer."""
    data = b""
    try:
        while b"\r\n\r\n" not in data:
            more = tls.recv(65536)
            if not more:
                return "closed", b""
            data += more
    except OSError as reason:
        return ("still open" if isinstance(reason, TimeoutError) else "closed"), b""
    head, _, rest = data.partition(b"\r\n\r\n")
    return f"status {int(head.split()[1])}", rest


def frame(opcode, payload=b"", first=0x80, mask=b"\x5a\xa5\x0f\xf0", length=None, form=None):
    """A frame. `first`: final and reserved bits; `mask` None: not masked; `length` lies; `form` 126 or 127: the long form of a length."""
    count = len(payload) if length is None else length
    short = form or (count if count < 126 else 126 if count < 65_536 else 127)
    head = bytes([first | opcode, short | (0x80 if mask else 0)])
    head += {126: lambda: struct.pack(">H", count), 127: lambda: struct.pack(">Q", count)}.get(short, bytes)()
    if not mask:
        return head + payload
    return head + mask + bytes(byte ^ mask[at & 3] for at, byte in enumerate(payload))


class WebWire:
    """A WebSocket after its upgrade."""

    def __init__(self, tls):
        self.tls = tls
        key = base64.b64encode(os.urandom(16))
        tls.sendall(request(sec_websocket_key=key.decode(), sec_websocket_protocol="sealwire.1"))
        said, self._data = status(tls)
        assert said == "status 101", said
        self.proof = base64.b64encode(hashlib.sha1(key + MAGIC).digest())

    def send(self, data):
        self.tls.sendall(data)

    def next_frame(self):
        """Opcode and payload, `None` at the end."""
        try:
            first, short = self._exactly(2)
            count = short
            if short >= 126:
                count = int.from_bytes(self._exactly(2 if short == 126 else 8), "big")
            return first & 0x0F, self._exactly(count)
        except EOFError:
            return None

    def _exactly(self, count):
        while len(self._data) < count:
            try:
                more = self.tls.recv(65536)
            except (ConnectionError, BrokenPipeError):
                more = b""
            if not more:
                raise EOFError
            self._data += more
        found, self._data = self._data[:count], self._data[count:]
        return found


class _Stream:
    """A WebSocket as the socket of a client of the contract."""

    def __init__(self, wire):
        self.wire = wire
        self._left = b""

    def sendall(self, data):
        self.wire.send(frame(BINARY, bytes(data)))

    def recv(self, count):
        while not self._left:
            found = self.wire.next_frame()
            if found is None or found[0] == CLOSE:
                return b""
            if found[0] == BINARY:
                self._left = found[1]
        data, self._left = self._left[:count], self._left[count:]
        return data

    def settimeout(self, timeout):
        self.wire.tls.settimeout(timeout)

    def close(self):
        self.wire.tls.close()


class WebClient(ContractClient):
    def __init__(self, wire, greeted=True):
        self.name, self.way, self.socket = "mallory", "whole", _Stream(wire)
        self._outgoing, self._expected = [], []
        self._incoming, self._at = b"", 0
        self._id, self.token, self.conversation = 0, None, None
        if greeted:
            self.greet()
