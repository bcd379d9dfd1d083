"""TLS records in our own hands (RFC 8446, RFC 5246): what no TLS library would send.

The handshake is OpenSSL's, through Python's ssl; it tells its secrets (its key log), and behind it every record is made and read
here. `hello` gives the ClientHello alone, to be damaged on its way.
"""

import collections
import os
import socket
import ssl
import struct
import tempfile

from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from sealwire_classic import TIMEOUT_S, connect_tcp

CHANGE_CIPHER, ALERT, HANDSHAKE, DATA = 20, 21, 22, 23
VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
SUITE_12 = "ECDHE-ECDSA-AES128-GCM-SHA256"
ALERTS = {
    0: "close_notify", 10: "unexpected_message", 20: "bad_record_mac", 22: "record_overflow", 40: "handshake_failure",
    47: "illegal_parameter", 50: "decode_error", 51: "decrypt_error", 70: "protocol_version", 80: "internal_error",
    86: "inappropriate_fallback", 100: "no_renegotiation", 109: "missing_extension", 112: "unrecognized_name", 120: "no_application_protocol",
}  # fmt: skip
KEY_UPDATE = 24

Record = collections.namedtuple("Record", "type data")


def record(kind, data, version=b"\x03\x03", length=None):
    """A record in the clear; another length than its own is a lie."""
    return bytes([kind]) + version + struct.pack(">H", len(data) if length is None else length) + data


def hello(version="1.3", protocols=("sealwire/1",), server_hostname="localhost"):
    """A good ClientHello: one record."""
    context = _context(version, protocols)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    try:
        context.wrap_bio(incoming, outgoing, server_hostname=server_hostname).do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read()
    raise AssertionError("a handshake without a server")


def _context(version, protocols):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = context.maximum_version = VERSIONS[version]
    context.set_ciphers(SUITE_12)
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context


class Half:
    """One direction: its key, and the number of its next record."""

    def __init__(self, version, key, iv, number, aead):
        self.version, self.iv, self.number = version, iv, number
        self._aead = aead(key)

    def seal(self, kind, data, padding=0):
        number, self.number = self.number, self.number + 1
        if self.version == "1.2":
            explicit = struct.pack(">Q", number)
            sealed = self._aead.encrypt(self.iv + explicit, data, explicit + struct.pack(">B2sH", kind, b"\x03\x03", len(data)))
            return record(kind, explicit + sealed)
        inner = data + (b"" if kind is None else bytes([kind])) + bytes(padding)
        head = struct.pack(">B2sH", DATA, b"\x03\x03", len(inner) + 16)
        return head + self._aead.encrypt(self._nonce(number), inner, head)

    def open(self, head, body):
        number, self.number = self.number, self.number + 1
        if self.version == "1.2":
            associated = struct.pack(">QB2sH", number, head[0], head[1:3], len(body) - 24)
            return Record(head[0], self._aead.decrypt(self.iv + body[:8], body[8:], associated))
        inner = self._aead.decrypt(self._nonce(number), body, head).rstrip(b"\x00")
        return Record(inner[-1], inner[:-1])

    def _nonce(self, number):
        return bytes(a ^ b for a, b in zip(self.iv, bytes(4) + struct.pack(">Q", number)))


class TlsWire:
    """A connection whose handshake is done; from here on every byte is ours."""

    def __init__(self, host, port, version="1.3", protocols=("sealwire/1",)):
        self.version = version
        self.tcp = connect_tcp(host, port)
        with tempfile.TemporaryDirectory() as folder:
            secrets = os.path.join(folder, "secrets")
            context = _context(version, protocols)
            context.keylog_filename = secrets
            self._shake_hands(context)
            with open(secrets) as lines:
                self._secrets = {line.split()[0]: bytes.fromhex(line.split()[2]) for line in lines if not line.startswith("#")}
        self.ours, self.theirs = self._halves()

    def _shake_hands(self, context):
        """Record by record, so that none behind the handshake is read by somebody else."""
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
        sent, received = b"", b""
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                data = outgoing.read()
                sent += data
                self.tcp.sendall(data)
                head = self._exactly(5)
                body = self._exactly(struct.unpack(">H", head[3:])[0])
                received += head + body
                incoming.write(head + body)
        self.tcp.sendall(outgoing.read())
        self.randoms = sent[11:43], received[11:43]
        self.cipher = tls.cipher()[0]

    def _halves(self):
        if self.version == "1.2":
            block = _prf(self._secrets["CLIENT_RANDOM"], b"key expansion" + self.randoms[1] + self.randoms[0], 40)
            return Half("1.2", block[:16], block[32:36], 1, AESGCM), Half("1.2", block[16:32], block[36:40], 1, AESGCM)
        self._hash = hashes.SHA384() if "SHA384" in self.cipher else hashes.SHA256()
        self._secret = self._secrets["CLIENT_TRAFFIC_SECRET_0"]
        self._their_secret = self._secrets["SERVER_TRAFFIC_SECRET_0"]
        return self._half(self._secret), self._half(self._their_secret)

    def _half(self, secret):
        key_bytes = 16 if "AES_128" in self.cipher else 32
        aead = ChaCha20Poly1305 if "CHACHA20" in self.cipher else AESGCM
        return Half("1.3", self._derive(secret, b"key", key_bytes), self._derive(secret, b"iv", 12), 0, aead)

    def _derive(self, secret, label, count):
        info = struct.pack(">HB", count, 6 + len(label)) + b"tls13 " + label + b"\x00"
        return HKDFExpand(self._hash, count, info).derive(secret)

    # What it sends.

    def send(self, data):
        self.tcp.sendall(data)

    def key_update(self, wants_answer=0):
        """A KeyUpdate (RFC 8446 §4.6.3) under the old key; from now on under the new one."""
        sealed = self.ours.seal(HANDSHAKE, bytes([KEY_UPDATE, 0, 0, 1, wants_answer]))
        self._secret = self._derive(self._secret, b"traffic upd", self._hash.digest_size)
        self.ours = self._half(self._secret)
        return sealed

    # What it is sent.

    def next_record(self):
        """`None` at the end. A KeyUpdate of the server is followed, and no more is said of it; nor of its tickets."""
        while True:
            try:
                head = self._exactly(5)
                found = self.theirs.open(head, self._exactly(struct.unpack(">H", head[3:])[0]))
            except EOFError:
                return None
            if found.type != HANDSHAKE:
                return found
            if found.data[0] == KEY_UPDATE:
                self._their_secret = self._derive(self._their_secret, b"traffic upd", self._hash.digest_size)
                self.theirs = self._half(self._their_secret)

    def _exactly(self, count):
        data = b""
        while len(data) < count:
            try:
                more = self.tcp.recv(count - len(data))
            except (ConnectionError, BrokenPipeError):
                more = b""
            if not more:
                raise EOFError
            data += more
        return data

    def close(self):
        self.tcp.close()


def _prf(secret, seed, count):
    """RFC 5246 §5, with SHA-256."""
    made, chained = b"", seed
    while len(made) < count:
        chained = _hmac(secret, chained)
        made += _hmac(secret, chained + seed)
    return made[:count]


def _hmac(key, data):
    made = hmac.HMAC(key, hashes.SHA256())
    made.update(data)
    return made.finalize()


def alert_name(data):
    return ALERTS.get(data[1], str(data[1])) if len(data) == 2 else f"{len(data)} bytes of alert"


def plain_outcome(tcp, before=b""):
    """How a server ends a connection on which there was no handshake: with an alert in the clear, or silently. `before` was read already."""
    tcp.settimeout(TIMEOUT_S)
    data = before
    try:
        while more := tcp.recv(65536):
            data += more
    except socket.timeout:
        return "still open"
    except ConnectionError:
        pass
    found = "closed"
    while len(data) >= 5:
        kind, length = data[0], struct.unpack(">H", data[3:5])[0]
        if kind == ALERT:
            found = f"alert {alert_name(data[5 : 5 + length])}"
        data = data[5 + length :]
    return found
