"""The sealed channel as docs/protocol/channel.md has it, both versions, the client's side.

It is written from that page alone; X25519 and AES-GCM come from python3-cryptography (Debian), CBOR from the check of the
vectors. Handshakes and records are made as bytes and only then sent, so that a test can damage them on their way.
"""

import base64
import hashlib
import hmac
import os
import pathlib
import socket
import struct
import sys

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "vectors"))
import check_contract as cbor  # noqa: E402

TIMEOUT_S = 20
PATTERNS = {"XX": 1, "IK": 2, "NK": 3}
FIRST_BYTES = {"XX": 32, "IK": 96, "NK": 48}
MESSAGES = {
    "XX": (("e",), ("e", "ee", "s", "es"), ("s", "se")),
    "IK": (("e", "es", "s", "ss"), ("e", "ee", "se")),
    "NK": (("e", "es"), ("e", "ee")),
}
DATA, REKEY, CLOSE, PAD, PING = range(5)
HEADER_BYTES, TAG_BYTES = 16, 16


class Broken(Exception):
    """What came is nothing that an end takes."""


class Untrusted(Exception):
    """Another server answers than the expected one."""


# Keys.


class KeyPair:
    def __init__(self, secret=None):
        self._secret = X25519PrivateKey.generate() if secret is None else X25519PrivateKey.from_private_bytes(secret)
        self.public = self._secret.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def agree(self, public):
        try:
            shared = self._secret.exchange(X25519PublicKey.from_public_bytes(public))
        except ValueError as reason:
            raise Broken("a key of low order") from reason
        if shared == bytes(32):
            raise Broken("a key of low order")
        return shared


def pin_of(public):
    return "SHA256:" + base64.b64encode(hashlib.sha256(public).digest()).decode().rstrip("=")


def nonce_of(number):
    return bytes(4) + struct.pack(">Q", number)


# The handshake of version 2.


def derive(key, data):
    secret = hmac.digest(key, data, "sha256")
    first = hmac.digest(secret, b"\x01", "sha256")
    return first, hmac.digest(secret, first + b"\x02", "sha256")


def preamble_of(pattern):
    return b"SWv2" + struct.pack(">BBH", PATTERNS[pattern], 0, FIRST_BYTES[pattern])


class Handshake:
    """The client's side, message by message."""

    def __init__(self, pattern, server_key=None, static=None, preamble=None, binding=bytes(32)):
        self.pattern = pattern
        self.server_key = server_key
        self.static = static
        self.ephemeral = KeyPair()
        self.preamble = preamble_of(pattern) if preamble is None else preamble
        self.h = self.ck = f"Noise_{pattern}_25519_AESGCM_SHA256".encode() + bytes(4)
        self.k, self.n = None, 0
        self._theirs = {}
        self.mix_hash(b"sealwire/channel/2\x00" + self.preamble + binding)
        if pattern != "XX":
            self._theirs["s"] = server_key
            self.mix_hash(server_key)

    def mix_hash(self, data):
        self.h = hashlib.sha256(self.h + data).digest()

    def mix_key(self, data):
        self.ck, self.k = derive(self.ck, data)
        self.n = 0

    def seal(self, plaintext):
        sealed = plaintext
        if self.k is not None:
            sealed = AESGCM(self.k).encrypt(nonce_of(self.n), plaintext, self.h)
            self.n += 1
        self.mix_hash(sealed)
        return sealed

    def open(self, sealed):
        plaintext = sealed
        if self.k is not None:
            try:
                plaintext = AESGCM(self.k).decrypt(nonce_of(self.n), sealed, self.h)
            except InvalidTag as reason:
                raise Broken("a message of the handshake does not open") from reason
            self.n += 1
        self.mix_hash(sealed)
        return plaintext

    def agree(self, token):
        """ee, es, se, ss: the client's key of the first letter, the server's of the second."""
        mine = self.ephemeral if token[0] == "e" else self.static
        self.mix_key(mine.agree(self._theirs[token[1]]))

    def write(self, number, ephemeral=None, static=None):
        """Message `number`. Other public keys than one's own are for tests."""
        out = b""
        for token in MESSAGES[self.pattern][number]:
            if token == "e":
                public = ephemeral or self.ephemeral.public
                self.mix_hash(public)
                out += public
            elif token == "s":
                out += self.seal(static or self.static.public)
            else:
                self.agree(token)
        return out + self.seal(b"")

    def read(self, number, message):
        """The payload of message `number`."""
        for token in MESSAGES[self.pattern][number]:
            if token == "e":
                self._theirs["e"], message = message[:32], message[32:]
                self.mix_hash(self._theirs["e"])
            elif token == "s":
                self._theirs["s"], message = self.open(message[:48]), message[48:]
            else:
                self.agree(token)
        self.server_key = self._theirs.get("s", self.server_key)
        return self.open(message)

    def hello(self):
        return self.preamble + self.write(0)

    def split(self):
        """The two directions: what the client sends, what the server sends."""
        ours, theirs = derive(self.ck, b"")
        return Direction(ours), Direction(theirs)


def greeting_of(payload):
    """The greeting, checked as the page says."""
    greeting = cbor.decode(payload)
    server, versions, time, limits = (greeting[key] for key in ("server", "versions", "time", "limits"))
    sound = (
        isinstance(server, bytes) and 1 <= len(server) <= 64
        and 1 <= len(versions) <= 16 and 2 in versions
        and isinstance(time, int) and time > 1_600_000_000_000
        and 1024 <= limits["recordBytesMax"] <= 65535
        and 0 < limits["ageMsMax"] <= 86_400_000
    )  # fmt: skip
    if not sound or len(payload) > 928:
        raise Broken(f"a greeting that is none: {greeting}")
    return greeting


# Records.


class Direction:
    """What one end sends: a key and a number."""

    def __init__(self, key):
        self.key = key
        self.number = 0

    def seal(self, kind, data=b"", number=None, associated=None):
        """A record; it uses up a number unless it is told one. Other associated data than the header is for tests."""
        if number is None:
            number = self.number
            self.number += 1
        header = struct.pack(">I", 1 + len(data) + TAG_BYTES) + nonce_of(number)
        return header + AESGCM(self.key).encrypt(nonce_of(number), bytes([kind]) + data, header if associated is None else associated)

    def open(self, header, sealed):
        """Type and data."""
        if header[4:] != nonce_of(self.number):
            raise Broken("not the next record")
        try:
            plaintext = AESGCM(self.key).decrypt(header[4:], sealed, header)
        except InvalidTag as reason:
            raise Broken("a record does not open") from reason
        self.number += 1
        return plaintext[0], plaintext[1:]

    def rekey(self):
        self.key = AESGCM(self.key).encrypt(bytes(4) + b"\xff" * 8, bytes(32), b"")[:32]


# A connection.


class Wire:
    """A TCP connection, read in pieces of a known length."""

    def __init__(self, host, port, timeout=TIMEOUT_S):
        self.tcp = socket.create_connection((host, port), timeout)
        self.tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.tcp.close()

    def send(self, data):
        self.tcp.sendall(data)

    def exactly(self, count, may_end=False):
        """`count` bytes; with `may_end` nothing when the stream ends before the first."""
        data = b""
        while len(data) < count:
            more = self.tcp.recv(count - len(data))
            if not more:
                if may_end and not data:
                    return b""
                raise Broken(f"the stream ends after {len(data)} of {count} bytes")
            data += more
        return data

    def rest(self):
        """What still comes, and how the connection ends: `end` or `reset`."""
        data = b""
        try:
            while more := self.tcp.recv(65536):
                data += more
            return data, "end"
        except ConnectionResetError:
            return data, "reset"


class Sealed:
    """A channel of version 2, as a socket for the client of the contract."""

    def __init__(self, host, port, pattern, pin=None, server_key=None, static=None, wire=None):
        self.wire = wire or Wire(host, port)
        self.handshake = Handshake(pattern, server_key, static if pattern == "NK" or static else KeyPair())
        self.kinds = []
        self._data = b""
        self._closed = False
        self.is_closed = False
        self._shake_hands(pin)

    def _shake_hands(self, pin):
        handshake, wire = self.handshake, self.wire
        wire.send(handshake.hello())
        (length,) = struct.unpack(">H", wire.exactly(2))
        if length > 1024:
            raise Broken("a message of the handshake that is too long")
        message = wire.exactly(length)
        try:
            payload = handshake.read(1, message)
        except Broken as reason:
            raise (reason if handshake.pattern == "XX" else Untrusted("the answer does not open")) from reason
        if pin is not None and pin_of(handshake.server_key) != pin:
            raise Untrusted(pin_of(handshake.server_key))
        self.greeting = greeting_of(payload)
        third = b""
        if handshake.pattern == "XX":
            third = handshake.write(2)
            third = struct.pack(">H", len(third)) + third
        self.ours, self.theirs = handshake.split()
        wire.send(third if third else self.ours.seal(PING))

    # What it sends.

    def record(self, kind, data=b""):
        self.wire.send(self.ours.seal(kind, data))

    def rekey(self):
        self.record(REKEY)
        self.ours.rekey()

    def sendall(self, data, record_bytes=65518):
        for at in range(0, len(data), record_bytes):
            self.record(DATA, bytes(data[at : at + record_bytes]))

    def end(self):
        """The authenticated end of this direction."""
        self.record(CLOSE)
        self._closed = True

    # What it is sent.

    def next_record(self):
        """Type and data of the next record, `None` at the end of the stream."""
        header = self.wire.exactly(HEADER_BYTES, may_end=True)
        if not header:
            return None
        if self.is_closed:
            raise Broken("something behind the close")
        (length,) = struct.unpack(">I", header[:4])
        if not 17 <= length <= 65535:
            raise Broken(f"a record of {length} bytes")
        kind, data = self.theirs.open(header, self.wire.exactly(length))
        self.kinds.append(kind)
        if (kind == DATA) != (len(data) > 0) and kind != PAD:
            raise Broken(f"a record of type {kind} with {len(data)} bytes")
        if kind == REKEY:
            self.theirs.rekey()
        self.is_closed = kind == CLOSE
        return kind, data

    def recv(self, count):
        while not self._data:
            record = self.next_record()
            if record is None and not self.is_closed:
                raise Broken("the stream ends without a close")
            if record is None:
                return b""
            if record[0] == DATA:
                self._data = record[1]
        data, self._data = self._data[:count], self._data[count:]
        return data

    # As a socket.

    def settimeout(self, timeout):
        self.wire.tcp.settimeout(timeout)

    def close(self):
        self.wire.tcp.close()


# Version 1.


class V1:
    """A connection of version 1. `token_form`: how the token is written, `fd`, `fc`, `fb` or a single byte."""

    def __init__(self, host, port, token_form=0xFD):
        self.wire = Wire(host, port)
        self.keys = KeyPair()
        request, token = v1_request(self.keys.public, token_form)
        self.wire.send(request)
        answer = self.wire.exactly(69)
        if answer[0] != 2:
            raise Broken("no answer of version 1")
        self.key = self.keys.agree(answer[1:33])
        self.handshake_nonce = answer[33:45]
        if self.open(self.handshake_nonce, answer[45:]) != struct.pack(">Q", token):
            raise Broken("not the token that was sent")

    def frame(self, plaintext, nonce=None):
        nonce = nonce or os.urandom(12)
        sealed = AESGCM(self.key).encrypt(nonce, plaintext, b"")
        return struct.pack(">I", len(sealed)) + nonce + sealed

    def open(self, nonce, sealed):
        try:
            return AESGCM(self.key).decrypt(nonce, sealed, b"")
        except InvalidTag as reason:
            raise Broken("a frame does not open") from reason

    def read(self):
        head = self.wire.exactly(16)
        return self.open(head[4:], self.wire.exactly(struct.unpack(">I", head[:4])[0]))

    def echo(self, plaintext):
        self.wire.send(self.frame(plaintext))
        return self.read()


def v1_request(public, token_form=0xFD):
    """The request, and the number in it."""
    size = {0xFD: 8, 0xFC: 4, 0xFB: 2}.get(token_form)
    token = token_form if size is None else int.from_bytes(os.urandom(size), "little")
    written = bytes([token_form]) + (b"" if size is None else token.to_bytes(size, "little"))
    return b"\x01" + public + written, token
