"""Checks vectors/contract, or vectors/direct, with Python's standard library alone: a reader and a writer of frames and CBOR that share no
code with ours, written from docs/protocol/contract.md.

Usage: python3 check_contract.py FOLDER      prints what it checked; exit code 1 at the first difference.
"""
import json
import pathlib
import struct
import sys
import zlib

COMMANDS = {"hello": 0x10, "welcome": 0x11, "request": 0x12, "result": 0x13, "fault": 0x14, "event": 0x15, "goodbye": 0x16}
DEPTH_MAX = 16
INTERNAL = 0xFF
REFUSED = 0x2C


class Malformed(Exception):
    """Bytes that the contract does not allow."""


# CBOR, of which the contract uses a part.


def encode(value):
    if value is None or isinstance(value, bool):
        return {None: b"\xf6", False: b"\xf4", True: b"\xf5"}[value]
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        text = value.encode()
        return head(3, len(text)) + text
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(encode(each) for each in value)
    keys = sorted(value, key=lambda key: (len(key.encode()), key.encode()))
    return head(5, len(value)) + b"".join(encode(key) + encode(value[key]) for key in keys)


def head(major, argument):
    if argument < 24:
        return bytes([major << 5 | argument])
    size = next(size for size in range(4) if argument < 1 << (8 << size))
    return bytes([major << 5 | 24 + size]) + argument.to_bytes(1 << size, "big")


def decode(data):
    """The one value of `data`."""
    value, at = item(data, 0, 0)
    if at != len(data):
        raise Malformed("bytes behind the value")
    return value


def item(data, at, depth):
    if at >= len(data):
        raise Malformed("cut off")
    major, short = data[at] >> 5, data[at] & 31
    if major == 7:
        if short not in (20, 21, 22):
            raise Malformed("a float, a break or a simple value")
        return (False, True, None)[short - 20], at + 1
    if major == 6:
        raise Malformed("a tag")
    argument, at = argument_of(data, at + 1, short)
    if major < 2:
        return (argument if major == 0 else -1 - argument), at
    if major < 4:
        if at + argument > len(data):
            raise Malformed("cut off")
        content = data[at : at + argument]
        return (content if major == 2 else text_of(content)), at + argument
    if depth == DEPTH_MAX:
        raise Malformed("too deep")
    return (array if major == 4 else mapping)(data, at, argument, depth + 1)


def argument_of(data, at, short):
    if short < 24:
        return short, at
    if short > 27:
        raise Malformed("an indefinite length, or a reserved one")
    size = 1 << (short - 24)
    if at + size > len(data):
        raise Malformed("cut off")
    argument = int.from_bytes(data[at : at + size], "big")
    if argument < (24 if size == 1 else 1 << (4 * size)):
        raise Malformed("not the shortest form")
    return argument, at + size


def text_of(content):
    try:
        return content.decode()
    except UnicodeDecodeError as reason:
        raise Malformed("not UTF-8") from reason


def array(data, at, count, depth):
    items = []
    while len(items) < count:
        value, at = item(data, at, depth)
        items.append(value)
    return items, at


def mapping(data, at, count, depth):
    items = {}
    while len(items) < count:
        key, at = item(data, at, depth)
        if not isinstance(key, str):
            raise Malformed("a key that is not text")
        if key in items:
            raise Malformed("a key twice")
        items[key], at = item(data, at, depth)
    return items, at


# Frames and envelopes.


def body_of(frame, command):
    magic, found, length = struct.unpack(">4sBH", frame[:7])
    assert magic == b"MAGC" and found == command and len(frame) == length + 11, frame[:7]
    assert struct.unpack(">I", frame[-4:])[0] == zlib.crc32(frame[:-4])
    return frame[7:-4]


def frame_of(command, body):
    start = b"MAGC" + struct.pack(">BH", command, len(body)) + body
    return start + struct.pack(">I", zlib.crc32(start))


def is_id(value):
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 32


def has_shape(kind, value):
    """Whether the outermost array of a body is what its frame says."""
    if kind in ("hello", "welcome", "goodbye"):
        return True
    if not isinstance(value, list) or len(value) != {"request": 3, "result": 2, "fault": 3, "event": 2}[kind]:
        return False
    if kind == "request":
        return is_id(value[0]) and isinstance(value[1], str)
    if kind == "result":
        return is_id(value[0])
    if kind == "event":
        return isinstance(value[0], str)
    return (value[0] is None or is_id(value[0])) and isinstance(value[1], int) and isinstance(value[2], str)


# Vectors.


def from_json(value):
    if isinstance(value, list):
        return [from_json(each) for each in value]
    if not isinstance(value, dict):
        return value
    if "$bytes" in value:
        return bytes.fromhex(value["$bytes"]) * value.get("$times", 1)
    return {key: from_json(each) for key, each in value.items()}


def check_good(row):
    frame = bytes.fromhex(row["frame"])
    value, body = from_json(row["value"]), body_of(frame, COMMANDS[row["kind"]])
    decoded = decode(body)
    assert has_shape(row["kind"], decoded), row["name"]
    if row.get("onlyRead"):
        assert holds(decoded, value), row["name"]
        return
    assert decoded == value, row["name"]
    assert frame_of(COMMANDS[row["kind"]], encode(value)) == frame, row["name"]


def holds(decoded, value):
    """Whether `decoded` is `value`, or has more fields: what a reader of version 1 leaves out."""
    if value is None or value in (INTERNAL, REFUSED):
        return True
    if isinstance(value, dict):
        return all(holds(decoded[key], each) for key, each in value.items())
    if isinstance(value, list):
        return len(decoded) == len(value) and all(holds(*pair) for pair in zip(decoded, value))
    return decoded == value


def check_bad(row, methods):
    body = body_of(bytes.fromhex(row["frame"]), COMMANDS[row["kind"]])
    assert layer_of(row["kind"], body, methods) == row["layer"], (row["name"], layer_of(row["kind"], body, methods))
    if row["kind"] == "request":
        assert row["id"] == (None if row["layer"] in ("cbor", "envelope") else decode(body)[0]), row["name"]
    assert row["error"] == ("unknown_method" if row["layer"] == "method" else "malformed"), row["name"]


def layer_of(kind, body, methods):
    """Who finds the fault. The fields are not looked at here: what is left must be theirs."""
    try:
        value = decode(body)
    except Malformed:
        return "cbor"
    if not has_shape(kind, value):
        return "envelope"
    return "method" if kind == "request" and value[1] not in methods else "fields"


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def main(folder):
    good, bad = ([row for path in sorted(folder.glob(f"*{which}.json")) for row in read(path)] for which in ("good", "bad"))
    methods = {row["method"] for row in good if row["kind"] == "result"}
    for row in good:
        check_good(row)
    for row in bad:
        check_bad(row, methods)
    assert good and bad and methods
    print(f"{len(good)} good and {len(bad)} bad vectors of the contract agree")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
