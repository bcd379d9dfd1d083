"""Handshakes of TLS that are cut, bent or not meant."""

import socket

from misbehaviours import List
from outcome import attempt
from tls_wire import HANDSHAKE, hello, plain_outcome, record

rows = List("handshake")


def sending(data, then_end=False):
    def run(stage):
        tcp = stage.tcp()
        attempt(tcp.sendall, data)
        if then_end:
            attempt(tcp.shutdown, socket.SHUT_WR)
        return plain_outcome(tcp)

    return run


def body(version="1.3", **options):
    """Of a good ClientHello, without the heads of record and message."""
    return hello(version, **options)[9:]


def message(content, kind=1, length=None):
    """A record with one message of a handshake; another length than its own is a lie."""
    return record(HANDSHAKE, bytes([kind]) + (len(content) if length is None else length).to_bytes(3, "big") + content, b"\x03\x01")


def old(version):
    """A hello of an older version: 1.2's, which has no list of versions, with another number."""
    return message(version + body("1.2")[2:])


def with_name(name):
    """A hello whose server name is these bytes, which no library would send."""
    placeholder = b"x" * len(name)
    good = body(server_hostname=placeholder.decode())
    return message(good.replace(placeholder, name))


random_and_session = 2 + 32 + 33
good = hello()
for name, does, data, then in (
    ("ssl-3", "asks for SSL 3", old(b"\x03\x00"), "alert protocol_version"),
    ("tls-1.0", "asks for TLS 1.0", old(b"\x03\x01"), "alert protocol_version"),
    ("tls-1.1", "asks for TLS 1.1", old(b"\x03\x02"), "alert protocol_version"),
    ("record-65535", "declares a record of 65,535 bytes", b"\x16\x03\x01\xff\xff" + bytes(1000), "alert record_overflow"),
    ("message-16m", "declares a ClientHello of 16 MiB", message(body(), length=0xFFFFFF), "alert illegal_parameter"),
    ("message-short", "declares a ClientHello shorter than it is", message(body(), length=len(body()) - 1), "alert decode_error"),
    ("server-hello", "sends a ServerHello", message(body(), kind=2), "alert unexpected_message"),
    ("finished-first", "begins with Finished", message(bytes(32), kind=20), "alert unexpected_message"),
    ("garbage", "sends a ClientHello of noise", message(bytes(range(256))), "alert decode_error"),
    ("empty-hello", "sends an empty ClientHello", message(b""), "alert decode_error"),
    ("no-ciphers", "offers no cipher", message(good[9 : 9 + random_and_session] + b"\x00\x00\x01\x00\x00\x00"), "alert decode_error"),
    (
        "null-cipher",
        "offers only the cipher that does nothing",
        message(b"\x03\x03" + bytes(32) + b"\x00\x00\x02\x00\x00\x01\x00"),
        "alert handshake_failure",
    ),
    ("wrong-alpn", "speaks another protocol (ALPN)", hello(protocols=("h2",)), "alert no_application_protocol"),
    ("empty-alpn", "offers a protocol without a name", hello().replace(b"\x0asealwire/1", b"\x00" * 11), "alert decode_error"),
    ("sni-nul", "has a NUL in the server name", with_name(b"local\x00host.example"), "alert unrecognized_name"),
    ("two-hellos", "sends ClientHello twice in one write", good + good, "closed"),
    ("data-behind", "sends data in the clear behind ClientHello", good + record(23, b"hello"), "closed"),
    ("alert-behind", "sends a fatal alert in the clear behind ClientHello", good + record(21, b"\x02\x28"), "closed"),
):
    rows.add(name, does, then, sending(data))


@rows.misbehaves("truncated-end", "ends in the middle of a ClientHello, at every eighth place", "closed")
def truncated(stage):
    return [sending(good[:at], then_end=True)(stage) for at in range(1, len(good), 8)]


@rows.misbehaves("flipped", "sends a ClientHello with one byte changed, at every ninth place of its head", "alert or close")
def flipped(stage):
    found = [sending(good[:at] + bytes([good[at] ^ 0xFF]) + good[at + 1 :], then_end=True)(stage) for at in (*range(11), *range(11, 120, 9))]
    return ["alert or close" if each == "closed" or each.startswith("alert") else each for each in found]


@rows.misbehaves("bytewise", "sends ClientHello in records of one byte", "answered")
def bytewise(stage):
    tcp = stage.tcp()
    for at in range(5, len(good)):
        tcp.sendall(record(HANDSHAKE, good[at : at + 1], b"\x03\x01"))
    return "answered" if tcp.recv(1) == b"\x16" else "something else"


@rows.misbehaves("empty-records", "sends empty records in front of ClientHello", "alert unexpected_message")
def empty_records(stage):
    return sending(record(HANDSHAKE, b"", b"\x03\x01") * 2000 + good)(stage)


@rows.misbehaves("garbage-finished", "answers ServerHello with a record of noise", "closed")
def garbage_finished(stage):
    tcp = stage.tcp()
    tcp.sendall(good)
    first = tcp.recv(1)
    attempt(tcp.sendall, record(20, b"\x01") + record(23, bytes(range(69))))
    return plain_outcome(tcp, first)


@rows.misbehaves("tls-99", "asks for a version of another planet, and may have an older one", "answered")
def other_planet(stage):
    tcp = stage.tcp()
    tcp.sendall(old(b"\x7f\x63"))
    return "answered" if tcp.recv(1) == b"\x16" else "something else"


@rows.misbehaves("name-other", "asks for the server by a name that it does not have", "answered")
def other_name(stage):
    tcp = stage.tcp()
    tcp.sendall(with_name(b"\xff\xfe'; drop table--.example"))
    return "answered" if tcp.recv(1) == b"\x16" else "something else"
