"""CBOR that the contract does not allow, in each place of a request (docs/protocol/contract.md, "Bodies")."""

import struct

import outcome
from misbehaviours import List
from sealwire_contract import HELLO, REQUEST, WELCOME, cbor, encode

rows = List("cbor")
HEAD = b"\x83\x01" + cbor.encode("session.echo")
"""Of an echo with the id 1; its parameters follow."""
KEY = cbor.encode("data")


def in_params(value):
    """An echo whose data is this."""
    return HEAD + b"\xa1" + KEY + value


def sending(*bodies):
    def run(stage):
        return [outcome.contract(client(), encode(REQUEST, body)) for body in bodies for client in (stage.contract, stage.person)]

    return run


def nested(depth, opening=b"\x81"):
    return opening * depth + b"\x00"


good = in_params(b"\x45hello")
for name, does, *bodies in (
    ("indefinite-array", "sends arrays of indefinite length", b"\x9f" + good[1:] + b"\xff", in_params(b"\x9f\x01\xff")),
    ("indefinite-map", "sends maps of indefinite length", HEAD + b"\xbf" + KEY + b"\x45hello\xff"),
    ("indefinite-bytes", "sends bytes of indefinite length", in_params(b"\x5f\x45hello\xff"), in_params(b"\x5f\xff")),
    ("indefinite-text", "sends text of indefinite length", b"\x83\x01\x7f\x6csession.echo\xff\xa0", in_params(b"\x7f\x61x\xff")),
    ("break", "breaks what was not begun", b"\xff", in_params(b"\xff"), HEAD + b"\xff"),
    ("tags", "sends tags", b"\xd9\xd9\xf7" + good, in_params(b"\xc0\x60"), in_params(b"\xd8\x18\x45hello"), b"\x83\xc2\x41\x01" + good[2:]),
    ("bignum", "sends big numbers", b"\x83\xc2\x49\x01" + bytes(8) + good[2:], in_params(b"\xc3\x41\x01")),
    (
        "floats",
        "sends floating-point numbers, whole ones too",
        b"\x83\xf9\x3c\x00" + good[2:],
        in_params(b"\xfa\x3f\x80\x00\x00"),
        in_params(b"\xfb" + struct.pack(">d", 1.0)),
        in_params(b"\xf9\x7e\x00"),
    ),
    (
        "simple-values",
        "sends undefined and other simple values",
        in_params(b"\xf7"),
        in_params(b"\xe0"),
        in_params(b"\xf8\xff"),
        in_params(b"\xf8\x14"),
    ),
    ("reserved", "sends lengths of reserved forms", *(in_params(bytes([major << 5 | short])) for major in range(8) for short in (28, 29, 30))),
    (
        "not-shortest",
        "sends numbers and lengths in longer forms",
        b"\x83\x18\x01" + good[2:],
        in_params(b"\x58\x05hello"),
        in_params(b"\x19\x00\x05"),
        in_params(b"\x5b" + bytes(7) + b"\x05hello"),
        b"\x98\x03" + good[1:],
    ),
    ("keys-twice", "sends a key twice", HEAD + b"\xa2" + (KEY + b"\x45hello") * 2),
    (
        "keys-not-text",
        "sends keys that are no text",
        HEAD + b"\xa1\x01\x45hello",
        HEAD + b"\xa1\x44data\x45hello",
        HEAD + b"\xa1\xf6\x00",
        HEAD + b"\xa1\x80\x00",
    ),
    (
        "bad-text",
        "sends text that is no UTF-8",
        b"\x83\x01\x61\xff\xa0",
        b"\x83\x01\x63\xed\xa0\x80\xa0",
        b"\x83\x01\x62\xc0\x80\xa0",
        HEAD + b"\xa1\x61\x80\x00",
    ),
    ("too-deep", "nests deeper than 16", HEAD + b"\xa1" + KEY + nested(17), nested(900), HEAD + nested(300, b"\xa1\x61a")),
    (
        "giant-array",
        "declares arrays of billions",
        b"\x9a\xff\xff\xff\xff",
        b"\x9b" + b"\xff" * 8,
        in_params(b"\x9a\x7f\xff\xff\xff"),
        in_params(b"\x9b\x00\x1f" + b"\xff" * 6),
    ),
    ("giant-map", "declares maps of billions", b"\xba\xff\xff\xff\xff", HEAD + b"\xbb" + b"\xff" * 8, HEAD + b"\xba\x7f\xff\xff\xff"),
    (
        "giant-bytes",
        "declares bytes and text of gigabytes",
        in_params(b"\x5a\xff\xff\xff\xff"),
        in_params(b"\x7b" + b"\xff" * 8),
        in_params(b"\x5b\x00\x00\x00\x01" + bytes(4)),
        b"\x83\x01\x7a\x7f\xff\xff\xff",
    ),
    ("trailing", "sends something behind the value", good + b"\x00", good + good, good + b"\xff"),
    ("truncated", "ends a body in the middle of its value", *(good[:at] for at in range(len(good)))),
    ("negative-huge", "sends numbers beyond what is counted with", b"\x83\x3b" + b"\xff" * 8 + good[2:], b"\x83\x1b" + b"\xff" * 8 + good[2:]),
    ("wide", "fills a frame with empty arrays", b"\x99\x03\x00" + b"\x80" * 768),
):
    rows.add(name, f"{does}, before login and after it", "ended malformed", sending(*bodies))


@rows.misbehaves("deep-large", "fills the largest frame with nesting, after login", "ended malformed")
def deep_large(stage):
    return [
        outcome.contract(stage.person(), encode(REQUEST, nested(65_000, opening)[:65_535])) for opening in (b"\x81", b"\xa1\x61a", b"\xc1", b"\x9f")
    ]


@rows.misbehaves("keys-many", "sends thousands of keys, after login", "refused malformed")
def keys_many(stage):
    client, keys = stage.person(), b"".join(cbor.encode(f"k{number}") + b"\x00" for number in range(8_000))
    return outcome.contract(client, encode(REQUEST, HEAD + b"\xb9" + struct.pack(">H", 8_000) + keys))


@rows.misbehaves("order", "sends keys in another order, and a byte order mark", "answered")
def order(stage):
    hello = b"\xa2" + cbor.encode("versions") + b"\x81\x01" + cbor.encode("client") + cbor.encode("\ufeffx")
    client = stage.contract(greeted=False)
    client.send_bytes(encode(HELLO, hello))
    client.body(WELCOME)
    return outcome.contract(client, encode(REQUEST, good))
