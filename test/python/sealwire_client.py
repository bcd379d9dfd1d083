"""A client of Sealwire's contract, written from docs/protocol/ alone (framing, contract, contract-reference, invite, errors), with
Python's standard library and cbor2 (Debian: python3-cbor2).

    host, port, pin, invitation = parse_link(link)
    connection = Connection(host, port, find_authority(host, port, pin))
    connection.call("account.register", name="alice", invitation=invitation)

What a program keeps, so that nothing is lost or said twice, is in sealwire_installation.py.
"""

import base64
import hashlib
import os
import re
import socket
import ssl
import struct
import time
import zlib

import cbor2

HELLO, WELCOME, REQUEST, RESULT, FAULT, EVENT, GOODBYE = range(0x10, 0x17)
CODES = {  # errors.md; the others are known by their number
    "session_ended": 0x0C, "malformed": 0x11, "login_refused": 0x17, "busy": 0x19, "not_found": 0x1B, "invitation_used": 0x23,
    "unavailable": 0x30, "storage_full": 0x31, "unknown_outcome": 0x32, "not_contact": 0x33, "not_permitted": 0x34, "conflict": 0x35,
    "file_invalid": 0x39, "gone": 0x3A,
}  # fmt: skip
NAMES = {number: name for name, number in CODES.items()}
SILENCE_SECONDS = 30


class Lost(Exception):
    """The connection is over: what was asked for may have been done or not."""


class Untrusted(Exception):
    """Another server than the link says."""


class Refused(Exception):
    def __init__(self, number, sentence):
        super().__init__(sentence)
        self.code = NAMES.get(number, number)


def new_id():
    """A UUID of version 7."""
    made = bytearray((time.time_ns() // 1_000_000).to_bytes(6, "big") + os.urandom(10))
    made[6] = made[6] & 0x0F | 0x70
    made[8] = made[8] & 0x3F | 0x80
    return bytes(made)


# Invite links and trust (invite.md).


def parse_link(link):
    """Host, port, pin and invitation. The error says nothing of the link."""
    form = r"sealwire://(\[[0-9A-Fa-f:.]+\]|[^\s/\[\]:#?@]+):([1-9][0-9]{0,4})/#1\.([\w-]{43})\.([\w-]{22})"
    parts = re.fullmatch(form, link.strip(), re.ASCII)
    if parts is None or int(parts[2]) > 65_535:
        raise ValueError("this is no invite link")
    return parts[1].strip("[]"), int(parts[2]), unpadded(parts[3]), unpadded(parts[4])


def unpadded(text):
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if base64.urlsafe_b64encode(data).decode().rstrip("=") != text:
        raise ValueError("this is no invite link")
    return data


def elements(der, at, end):
    """Of DER from `at` to `end`, each element as (tag, begin, begin of its content, end)."""
    while at < end:
        begin, length, content = at, der[at + 1], at + 2
        if length >= 0x80:
            content += length & 0x7F
            length = int.from_bytes(der[at + 2 : content], "big")
        at = content + length
        yield der[begin], begin, content, at


def fields_of(certificate):
    """The fields of a certificate that was signed (RFC 5280 §4.1): serial, signature, issuer, validity, subject, key, …"""
    [(_, _, content, end)] = elements(certificate, 0, len(certificate))
    _, _, content, end = next(elements(certificate, content, end))
    return [certificate[begin:stop] for tag, begin, _, stop in elements(certificate, content, end) if tag != 0xA0]


def pin_of(certificate):
    return hashlib.sha256(fields_of(certificate)[5]).digest()


def is_self_signed(certificate):
    fields = fields_of(certificate)
    return fields[2] == fields[4]


def find_authority(host, port, pin):
    """Dials, sends nothing, and gives back the certificate (DER) of the authority that the pin names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with open_socket(host, port) as plain, context.wrap_socket(plain, server_hostname=host) as link:
        # Public since Python 3.13; before, the same method is one object further in.
        shown = link.get_unverified_chain() if hasattr(link, "get_unverified_chain") else link._sslobj.get_unverified_chain()
    chain = [each if isinstance(each, bytes) else ssl.PEM_cert_to_DER_cert(each.public_bytes()) for each in shown]
    found = sorted((each for each in chain if pin_of(each) == pin), key=is_self_signed)
    if not found:
        raise Untrusted(f"expected {fingerprint(pin)}, and the server shows {fingerprint(pin_of(chain[-1]))}")
    return found[-1]


def fingerprint(pin):
    return "SHA256:" + base64.b64encode(pin).decode().rstrip("=")


def open_socket(host, port):
    return socket.create_connection((host, port), timeout=SILENCE_SECONDS)


# One connection (framing.md, contract.md).


class Connection:
    """`authority` is the only root that is trusted; `on_event` gets the name and data of each event as soon as it is read."""

    def __init__(self, host, port, authority, on_event=lambda name, data: None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=authority)
        context.set_alpn_protocols(["sealwire/1"])
        self._on_event = on_event
        self._next_id = 0
        self._answers = {}
        self._unawaited = set()
        try:
            self._link = context.wrap_socket(open_socket(host, port), server_hostname=host)
        except ssl.SSLCertVerificationError as reason:
            raise Untrusted(str(reason)) from reason
        except OSError as reason:
            raise Lost(str(reason)) from reason
        try:
            self._send(HELLO, {"versions": [1], "client": "sealwire_client.py"})
            command, self.welcome = self._read_frame()
            if command != WELCOME:
                raise Lost(f"a frame {command:02x} in place of Welcome")
        except BaseException:
            self.close()
            raise

    def call(self, method, **params):
        """The result of a request. Raises Refused, or Lost."""
        return self.wait(self.ask(method, **params))

    def ask(self, method, awaited=True, **params):
        """Sends a request and does not wait; its id is for `wait`, unless nobody will."""
        self._next_id += 1
        if not awaited:
            self._unawaited.add(self._next_id)
        self._send(REQUEST, [self._next_id, method, params])
        return self._next_id

    def wait(self, request):
        """The result of that request: answers to others, and events, may come before it."""
        while request not in self._answers:
            self.read()
        command, content = self._answers.pop(request)
        if command == FAULT:
            raise Refused(*content)
        return content[0]

    def read(self):
        """Reads one frame, whatever it is."""
        command, body = self._read_frame()
        if command == EVENT:
            self._on_event(*body)
        elif command == FAULT and body[0] is None:
            raise Lost(f"the server ends it: {NAMES.get(body[1], body[1])}, {body[2]}")
        elif command in (RESULT, FAULT) and body[0] in self._unawaited:
            self._unawaited.remove(body[0])
        elif command in (RESULT, FAULT):
            self._answers[body[0]] = (command, body[1:])
        elif command == GOODBYE:
            raise Lost("goodbye")

    def goodbye(self):
        """A clean end: everything that was asked for is answered before it."""
        try:
            self._send(GOODBYE, {})
            while True:
                self.read()
        except Lost:
            self.close()

    def close(self):
        self._link.close()

    def _send(self, command, value):
        body = cbor2.dumps(value)
        frame = b"MAGC" + struct.pack(">BH", command, len(body)) + body
        try:
            self._link.sendall(frame + struct.pack(">I", zlib.crc32(frame)))
        except OSError as reason:
            raise Lost(str(reason)) from reason

    def _read_frame(self):
        start = self._exactly(7)
        magic, command, length = struct.unpack(">4sBH", start)
        body = self._exactly(length)
        if magic != b"MAGC" or struct.unpack(">I", self._exactly(4))[0] != zlib.crc32(start + body):
            raise Lost("not a frame")
        return command, cbor2.loads(body)

    def _exactly(self, count):
        data = bytearray()
        while len(data) < count:
            try:
                piece = self._link.recv(count - len(data))
            except OSError as reason:
                raise Lost(str(reason)) from reason
            if not piece:
                raise Lost("the connection ended")
            data += piece
        return bytes(data)
