"""Frames of WebSocket against its rules (RFC 6455, docs/protocol/websocket.md)."""

import struct

import outcome
from misbehaviours import List
from sealwire_contract import cbor
from web_wire import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, WebClient, frame

rows = List("web", "web")
PIECE = 0x00
"""First bits of a frame that is not the last of its message."""


for name, does, then, *frames in (
    (
        "unmasked",
        "sends frames without a mask",
        "close 1002",
        frame(BINARY, b"x", mask=None),
        frame(PING, b"x", mask=None),
        frame(CLOSE, b"", mask=None),
    ),
    ("text", "sends text", "close 1003", frame(TEXT, b"hello"), frame(TEXT, b""), frame(TEXT, b"\xff"), frame(TEXT, b"half", first=PIECE)),
    ("reserved-bits", "sets each reserved bit", "close 1002", *(frame(BINARY, b"x", first=0x80 | bit) for bit in (0x40, 0x20, 0x10, 0x70))),
    ("compressed", "compresses, which nobody agreed on", "close 1002", frame(BINARY, b"\x4a\xcb\x48", first=0xC0)),
    ("opcodes", "sends each kind of frame that there is not", "close 1002", *(frame(opcode, b"x") for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15))),
    ("control-pieces", "sends control frames in pieces", "close 1002", *(frame(opcode, b"x", first=PIECE) for opcode in (PING, PONG, CLOSE))),
    ("control-long", "sends control frames over 125 bytes", "close 1002", *(frame(opcode, bytes(126)) for opcode in (PING, PONG, CLOSE))),
    ("close-one-byte", "closes with half a code", "close 1002", frame(CLOSE, b"\x03")),
    ("continuation-first", "continues what it did not begin", "close 1002", frame(CONTINUATION, b"x"), frame(CONTINUATION, b"", first=PIECE)),
    ("message-inside", "begins a message inside another", "close 1002", frame(BINARY, b"MAGC", first=PIECE) + frame(BINARY, b"x")),
    (
        "length-form",
        "writes lengths in longer forms",
        "close 1002",
        frame(BINARY, b"x", form=126),
        frame(BINARY, b"x" * 125, form=127),
        frame(BINARY, bytes(65_535), form=127),
    ),
    (
        "length-negative",
        "declares a length with its highest bit",
        "close 1002",
        frame(BINARY, b"x", length=2**63),
        frame(BINARY, b"x", length=2**64 - 1),
    ),
    (
        "length-huge",
        "declares petabytes",
        "close 1009",
        frame(BINARY, b"x", length=2**62),
        frame(BINARY, b"x", length=2**53),
        frame(BINARY, b"x", length=2**20 + 1),
    ),
    (
        "pieces-huge",
        "sends a message over 1 MiB in pieces",
        "close 1009",
        frame(BINARY, b"", first=PIECE) + frame(CONTINUATION, b"x", first=PIECE, length=2**20 + 1),
    ),
):

    def run(stage, frames=frames):
        return [outcome.web(stage.web(), each) for each in frames]

    rows.add(name, does, then, run)


@rows.misbehaves("bad-magic", "sends what is no frame of Sealwire", "ended bad_magic")
def bad_magic(stage):
    wire = stage.web()
    client = WebClient(wire)
    wire.send(frame(BINARY, b"GET / HTTP/1.1\r\n"))
    return outcome.contract(client)


@rows.misbehaves("behind-close", "goes on behind its close", "close 1000")
def behind_close(stage):
    return outcome.web(stage.web(), frame(CLOSE, struct.pack(">H", 1000)) + frame(BINARY, outcome.HELLO_FRAME))


@rows.misbehaves("close-twice", "closes twice, with codes that there are not", "close")
def close_twice(stage):
    found = [outcome.web(stage.web(), frame(CLOSE, struct.pack(">H", code) + b"\xff\xfe") * 2) for code in (0, 999, 1005, 1006, 5000, 65_535)]
    return ["close" if each.startswith("close") and each != "closed" else each for each in found]


def still_there(client):
    client.quiet()
    return "answered"


for name, does, data in (
    ("ping-flood", "pings a thousand times", frame(PING, b"x" * 20) * 1_000),
    ("pong-flood", "answers pings that there were not", frame(PONG, b"x" * 125) * 1_000),
    ("empty-flood", "sends messages without data", frame(BINARY, b"") * 1_000),
    ("pieces-flood", "sends pieces without data", frame(BINARY, b"", first=PIECE) + frame(CONTINUATION, b"", first=PIECE) * 1_000),
):

    def flood(stage, data=data):
        wire = stage.web()
        outcome.attempt(wire.send, data)
        while (found := wire.next_frame()) and found[0] == PONG:
            pass
        return f"close {int.from_bytes(found[1][:2], 'big')}" if found and found[0] == CLOSE else found

    rows.add(name, does, "close 1008", flood)


@rows.misbehaves("pings", "pings as often as it may at once", "answered")
def pings(stage):
    wire = stage.web()
    client = WebClient(wire)
    wire.send(frame(PING, b"x" * 20) * 60)
    return still_there(client)


@rows.misbehaves("bytewise", "puts every byte into a message, and pings between the pieces of others", "answered")
def bytewise(stage):
    wire = stage.web()
    client = WebClient(wire)
    data = outcome.encode(0x12, cbor.encode([9, "session.ping", {}]))
    wire.send(b"".join(frame(BINARY, data[at : at + 1]) for at in range(len(data))))
    client.result(9)
    pieces = [frame(CONTINUATION, data[at : at + 1], first=PIECE) + frame(PING, b"?") for at in range(len(data))]
    wire.send(frame(BINARY, b"", first=PIECE) + b"".join(pieces) + frame(CONTINUATION, b""))
    client.result(9)
    return still_there(client)


@rows.misbehaves("mask-zero", "masks with zeros, and with anything else", "answered")
def mask_zero(stage):
    wire = stage.web()
    client = WebClient(wire)
    for mask in (bytes(4), b"\xff" * 4, b"MAGC"):
        wire.send(frame(BINARY, outcome.encode(0x12, cbor.encode([7, "session.ping", {}])), mask=mask))
        client.result(7)
    return still_there(client)
