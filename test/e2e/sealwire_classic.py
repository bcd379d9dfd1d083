"""A client of Sealwire's classic dialect: a peer that shares no code with the server.

It is written from docs/protocol/framing.md and docs/protocol/classic.md alone, with Python's standard library alone, so
that what the pages say is what the server does. The server's certificate is always verified.

A client sends in one of three ways, because a stream of bytes may be split and merged anywhere:

    whole      each frame is one write
    bytes      each byte is one write, and so a TLS record of its own
    gathered   frames wait until `settle`, then go out in one write; what is expected meanwhile is checked then
"""

import collections
import select
import socket
import ssl
import struct
import time
import zlib

MAGIC = b"MAGC"
REGISTER, LOGIN, MESSAGE, ACK, ERROR, FIND_PEER, CHAT_REQUEST, CHAT_ACCEPT, CHAT_DECLINE, EXIT_CHAT = range(1, 11)
WAYS = ("whole", "bytes", "gathered")
PASSWORD = "correct-horse-battery"
TIMEOUT_S = 20

Frame = collections.namedtuple("Frame", "command body")


class Over(Exception):
    """The server has closed the connection, or it broke."""


class Unexpected(AssertionError):
    """The server answered something else."""


def encode(command, body=b""):
    body = as_bytes(body)
    head = MAGIC + struct.pack(">BH", command, len(body)) + body
    return head + struct.pack(">I", zlib.crc32(head))


def as_bytes(body):
    return body.encode() if isinstance(body, str) else body


def decode(buffer, at=0):
    """The frame of `buffer` that begins at `at`, and where it ends; None while it is not complete."""
    if len(buffer) - at < 7:
        return None, at
    magic, command, length = struct.unpack_from(">4sBH", buffer, at)
    if magic != MAGIC:
        raise Unexpected(f"a frame of the server begins with {buffer[at : at + 4]!r}")
    end = at + 7 + length
    if len(buffer) < end + 4:
        return None, at
    if struct.unpack_from(">I", buffer, end)[0] != zlib.crc32(buffer[at:end]):
        raise Unexpected("the checksum of a frame of the server is wrong")
    return Frame(command, buffer[at + 7 : end]), end + 4


_contexts = {}


def context(authority):
    """Verifies certificates strictly, with `authority` (path of a PEM file) as the only root."""
    if authority not in _contexts:
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        made.load_verify_locations(authority)
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        made.verify_flags |= ssl.VERIFY_X509_STRICT
        _contexts[authority] = made
    return _contexts[authority]


def connect_tcp(host, port, source=None, receive_bytes=None, timeout=TIMEOUT_S):
    """A TCP connection; `receive_bytes` is a small receive buffer for a peer that wants to be slow."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    tcp = socket.socket(family, socket.SOCK_STREAM)
    try:
        tcp.settimeout(timeout)
        if receive_bytes is not None:
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        if source is not None:
            tcp.bind((source, 0))
        tcp.connect((host, port))
        tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return tcp
    except OSError:
        tcp.close()
        raise


class Client:
    """One connection. `name` is only what failures call it until it has registered or logged in."""

    def __init__(self, host, port, authority, way="whole", name="?", **tcp):
        self.name = name
        self.way = way
        self._outgoing = []
        self._expected = []
        self._incoming, self._at = b"", 0
        plain = connect_tcp(host, port, **tcp)
        try:
            self.socket = context(authority).wrap_socket(plain, server_hostname=host, suppress_ragged_eofs=False)
        except OSError:
            plain.close()
            raise

    # What it sends.

    def register(self, name, password=PASSWORD):
        self._log_in(REGISTER, name, password)

    def login(self, name, password=PASSWORD):
        self._log_in(LOGIN, name, password)

    def find(self, name):
        self.send(FIND_PEER, name)

    def request(self, name):
        self.send(CHAT_REQUEST, name)

    def accept(self):
        self.send(CHAT_ACCEPT)

    def decline(self):
        self.send(CHAT_DECLINE)

    def say(self, text):
        self.send(MESSAGE, text)

    def exit(self):
        self.send(EXIT_CHAT)

    def send(self, command, body=b""):
        self.send_bytes(encode(command, body))

    def send_bytes(self, data):
        if self.way == "gathered":
            self._outgoing.append(data)
        elif self.way == "bytes":
            for at in range(len(data)):
                self.socket.sendall(data[at : at + 1])
        else:
            self.socket.sendall(data)

    def _log_in(self, command, name, password):
        self.name = name
        self.send(command, f"{name}:{password}")

    # What it is told.

    def acked(self, word):
        self.expect(ACK, word)

    def refused(self, word):
        self.expect(ERROR, word)

    def rung_by(self, name):
        self.expect(FIND_PEER, name)

    def heard(self, text):
        self.expect(MESSAGE, text)

    def expect(self, command, body):
        """The next frame is this one: checked now, or by `settle` when frames are gathered."""
        self._expected.append(Frame(command, as_bytes(body)))
        if self.way != "gathered":
            self.check()

    def flush(self):
        """Sends what was gathered, in one write."""
        if self._outgoing:
            data = b"".join(self._outgoing)
            self._outgoing = []
            self.socket.sendall(data)

    def check(self):
        """Reads what is expected so far."""
        while self._expected:
            wanted = self._expected.pop(0)
            try:
                got = self.read_frame()
            except (Over, socket.timeout) as reason:
                raise Unexpected(f"{self.name} waits for {show(wanted)}: {reason!r}") from reason
            if got != wanted:
                raise Unexpected(f"{self.name} waits for {show(wanted)} and gets {show(got)}")

    def settle(self):
        self.flush()
        self.check()

    def read_frame(self, timeout=TIMEOUT_S):
        """The next frame; `Over` when the connection is, `socket.timeout` when there is none in time."""
        self.socket.settimeout(timeout)
        while True:
            frame, self._at = decode(self._incoming, self._at)
            if frame is not None:
                return frame
            try:
                data = self.socket.recv(65536)
            except (socket.timeout, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                raise
            except OSError as reason:
                raise Over(f"broken: {reason}") from reason
            if not data:
                raise Over("closed" if self._at == len(self._incoming) else "closed in the middle of a frame")
            self._incoming, self._at = self._incoming[self._at :] + data, 0

    def read_to_end(self, timeout=TIMEOUT_S):
        """All frames until the server ends the connection."""
        frames = []
        try:
            while True:
                frames.append(self.read_frame(timeout))
        except Over:
            return frames

    def exchange(self, data, enough, timeout=TIMEOUT_S):
        """Sends `data` as the server takes it and reads meanwhile; the frames read until `enough(frames)` is true.

        A server that stops reading, because an answer or a slow peer is waited for, does not hold this up.
        """
        frames = []
        left = memoryview(data)
        deadline = time.monotonic() + timeout
        while not enough(frames):
            if time.monotonic() > deadline:
                raise Unexpected(f"{self.name} has {len(frames)} answers after {timeout} s, {len(left)} bytes are not sent")
            left = left[self.offer(left) :]
            some = self.take()
            frames += some
            if not some:
                select.select([self.socket], [self.socket] if left else [], [], 0.1)
        return frames

    def offer(self, data):
        """Sends what fits without waiting; how many bytes that was."""
        if not data:
            return 0
        self.socket.settimeout(0)
        try:
            return self.socket.send(data[:16384])
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return 0
        except OSError as reason:
            raise Over(f"broken: {reason}") from reason

    def take(self):
        """The frames that are here, without waiting."""
        frames = []
        try:
            while True:
                frames.append(self.read_frame(0))
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return frames
        except Over:
            if not frames:
                raise
            return frames

    # How it goes.

    def close(self):
        """Closes TLS and the connection, as a well-behaved program does."""
        try:
            self.socket.settimeout(1)
            self.socket.unwrap()
        except (OSError, ValueError):
            pass  # The server has gone first, or sent something meanwhile.
        self.socket.close()

    def cut(self):
        """Ends the connection without a word of TLS, as a killed program does."""
        self.socket.close()

    def reset(self):
        """Breaks the connection with a TCP reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def end_output(self):
        """Half-close: sends no more and still reads."""
        socket.socket.shutdown(self.socket, socket.SHUT_WR)


def show(frame):
    body = frame.body if len(frame.body) <= 60 else frame.body[:60] + b"..."
    return f"{frame.command:02x} {body!r}"
