"""What may not be done with TLS once its handshake is over."""

from misbehaviours import List
from outcome import tls
from tls_wire import ALERT, CHANGE_CIPHER, DATA, HANDSHAKE, hello, record

rows = List("records")


def broken(wire):
    sealed = wire.ours.seal(DATA, b"hello")
    return sealed[:-1] + bytes([sealed[-1] ^ 1])


def replayed(wire):
    return wire.ours.seal(DATA, b"") * 2


def skipped(wire):
    wire.ours.number += 1
    return wire.ours.seal(DATA, b"hello")


def many(count, make):
    return lambda wire: b"".join(make(wire) for _ in range(count))


def sealed(kind, data, **options):
    return lambda wire: wire.ours.seal(kind, data, **options)


both = (
    ("empty-flood", "floods with records without data", many(1000, sealed(DATA, b"")), "alert unexpected_message"),
    ("empty-few", "sends a few records without data", many(20, sealed(DATA, b"")), "answered"),
    ("warning-flood", "floods with warnings", many(100, sealed(ALERT, b"\x01\x5a")), "alert unexpected_message"),
    ("fatal-alert", "sends a fatal alert and goes on", sealed(ALERT, b"\x02\x28"), "closed"),
    ("half-alert", "sends half an alert", sealed(ALERT, b"\x01"), "alert decode_error"),
    ("alerts-joined", "sends two alerts in one record", sealed(ALERT, b"\x01\x5a\x01\x5a"), "alert decode_error"),
    ("unknown-type", "sends records of a type that there is not", sealed(99, b"xx"), "alert unexpected_message"),
    ("heartbeat", "asks for a heartbeat with a lie about its length", sealed(24, b"\x01\xff\xffx"), "alert unexpected_message"),
    ("bad-tag", "changes a bit of a tag", broken, "alert bad_record_mac"),
    ("replayed", "sends a record twice", replayed, "alert bad_record_mac"),
    ("skipped", "leaves a record out", skipped, "alert bad_record_mac"),
    ("in-clear", "sends data in the clear", lambda wire: record(DATA, b"hello, hello, hello, hello, hello"), "alert bad_record_mac"),
    (
        "alert-in-clear",
        "sends an alert in the clear, as somebody in the middle would",
        lambda wire: record(ALERT, b"\x02\x28"),
        "alert bad_record_mac",
    ),
    ("cipher-in-clear", "sends ChangeCipherSpec again", lambda wire: record(CHANGE_CIPHER, b"\x01"), "alert bad_record_mac"),
    ("too-long", "puts a byte too much into a record", sealed(DATA, bytes(16_385)), "alert record_overflow"),
    ("declared-65535", "declares a record of 65,535 bytes", lambda wire: record(DATA, bytes(1000), length=65_535), "alert record_overflow"),
    ("data-after-close", "goes on after close_notify", sealed(ALERT, b"\x01\x00"), "alert close_notify"),
)
alone = (
    ("1.2", "renegotiation", "asks for another handshake", lambda wire: wire.ours.seal(HANDSHAKE, hello("1.2")[5:]), "alert no_renegotiation"),
    ("1.2", "hello-request", "sends HelloRequest, which is the server's", sealed(HANDSHAKE, bytes(4)), "alert no_renegotiation"),
    ("1.3", "second-hello", "asks for another handshake", lambda wire: wire.ours.seal(HANDSHAKE, hello()[5:]), "alert unexpected_message"),
    ("1.3", "key-update", "replaces its key, which is its right", many(20, lambda wire: wire.key_update()), "answered"),
    ("1.3", "key-update-answered", "wants a new key of the server, which is its right", lambda wire: wire.key_update(1), "answered"),
    ("1.3", "key-update-flood", "floods with KeyUpdate", many(1000, lambda wire: wire.key_update()), "alert unexpected_message"),
    (
        "1.3",
        "key-update-flood-answered",
        "floods with KeyUpdate and wants each answered",
        many(1000, lambda wire: wire.key_update(1)),
        "alert unexpected_message",
    ),
    ("1.3", "key-update-bad", "asks for a KeyUpdate that there is not", sealed(HANDSHAKE, b"\x18\x00\x00\x01\x07"), "alert decode_error"),
    (
        "1.3",
        "key-update-joined",
        "puts something behind KeyUpdate into its record",
        sealed(HANDSHAKE, b"\x18\x00\x00\x01\x00\x18"),
        "alert unexpected_message",
    ),
    ("1.3", "no-type", "sends a record that is all padding", sealed(None, bytes(40)), "alert decrypt_error"),
    ("1.3", "padding", "pads an empty record to the brim", sealed(DATA, b"", padding=16_000), "answered"),
    ("1.3", "ticket", "sends a session ticket, which is the server's", sealed(HANDSHAKE, b"\x04\x00\x00\x02xx"), "alert unexpected_message"),
    (
        "1.3",
        "certificate",
        "shows a certificate that nobody asked for",
        sealed(HANDSHAKE, b"\x0b\x00\x00\x04\x00\x00\x00\x00"),
        "alert unexpected_message",
    ),
    ("1.3", "end-of-early", "ends early data that there was not", sealed(HANDSHAKE, b"\x05\x00\x00\x00"), "alert unexpected_message"),
)
for name, does, make, then in both:

    def run(stage, make=make):
        return [tls(wire, make(wire)) for wire in (stage.tls("1.2"), stage.tls("1.3"))]

    rows.add(name, f"{does}, in TLS 1.2 and 1.3", then, run)

for version, name, does, make, then in alone:

    def run_alone(stage, make=make, version=version):
        wire = stage.tls(version)
        return tls(wire, make(wire))

    rows.add(name, f"{does}, in TLS {version}", then, run_alone)
