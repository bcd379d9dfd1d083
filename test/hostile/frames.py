"""Frames that are none, to each dialect before login, and to the contract after it (docs/protocol/framing.md)."""

import os
import struct
import zlib

import outcome
from misbehaviours import List
from sealwire_classic import LOGIN, MAGIC, MESSAGE, PASSWORD, REGISTER, Frame
from sealwire_contract import REQUEST, RESULT, cbor, encode
from tls_wire import hello

rows = List("frames")
PING = encode(REQUEST, cbor.encode([1, "session.ping", {}]))


def everywhere(make):
    """The outcome in the classic dialect, in the contract, and in the contract after login; `make` gets a good frame."""

    def run(stage):
        found = [outcome.contract(client, make(PING)) for client in (stage.contract(), stage.person())]
        return [outcome.last_word(stage.classic(), make(encode(MESSAGE, b"hello"))), *found]

    return run


def crc(frame, checksum):
    return frame[:-4] + struct.pack(">I", checksum & 0xFFFFFFFF)


def castagnoli(data):
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0x82F63B78 if register & 1 else 0)
    return register ^ 0xFFFFFFFF


def with_length(frame, length):
    """The frame with another length, and the checksum that belongs to that."""
    return crc(frame[:5] + struct.pack(">H", length) + frame[7:], zlib.crc32(frame[:5] + struct.pack(">H", length) + frame[7:-4]))


def flipped(frame, at, bits=1):
    return frame[:at] + bytes([frame[at] ^ bits]) + frame[at + 1 :]


for at in range(4):

    def wrong_magic(stage, at=at):
        return [each for bits in (0x20, 0xFF, MAGIC[at]) for each in everywhere(lambda good, bits=bits: flipped(good, at, bits))(stage)]

    rows.add(f"magic-{at}", f"begins a frame with a wrong byte {at}", "ended bad_magic", wrong_magic)

for name, does, make, then in (
    ("magic-short", "leaves the last byte of the magic out", lambda good: good[:3] + good[4:], "ended bad_magic"),
    ("magic-http", "speaks HTTP inside TLS", lambda good: b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "ended bad_magic"),
    ("magic-tls", "sends a ClientHello inside TLS", lambda good: hello(), "ended bad_magic"),
    ("magic-zeros", "sends zeros", lambda good: bytes(1000), "ended bad_magic"),
    ("magic-noise", "sends noise", lambda good: b"\xaa" + os.urandom(999), "ended bad_magic"),
    ("magic-json", "speaks JSON", lambda good: b'{"method": "session.ping"}\n', "ended bad_magic"),
    ("crc-swapped", "writes the checksum the wrong way round", lambda good: good[:-4] + good[:-5:-1], "ended bad_checksum"),
    ("crc-body", "sums the body alone", lambda good: crc(good, zlib.crc32(good[7:-4])), "ended bad_checksum"),
    ("crc-no-magic", "sums all but the magic", lambda good: crc(good, zlib.crc32(good[4:-4])), "ended bad_checksum"),
    ("crc-inverted", "leaves the last inversion of the sum out", lambda good: crc(good, ~zlib.crc32(good[:-4])), "ended bad_checksum"),
    ("crc-castagnoli", "sums with another polynomial", lambda good: crc(good, castagnoli(good[:-4])), "ended bad_checksum"),
    ("crc-adler", "sums with Adler-32", lambda good: crc(good, zlib.adler32(good[:-4])), "ended bad_checksum"),
    ("crc-zero", "sends zeros as checksum", lambda good: crc(good, 0), "ended bad_checksum"),
    ("crc-missing", "leaves the checksum out", lambda good: good[:-4] + good, "ended bad_checksum"),
    ("length-less", "says a length that is one too small", lambda good: flipped_length(good, -1) + good, "ended bad_checksum"),
    ("length-more", "says a length that is one too large", lambda good: flipped_length(good, 1) + good, "ended bad_checksum"),
    (
        "length-summed",
        "says a length that is one too small, and sums it",
        lambda good: with_length(good, len(good) - 12) + good,
        "ended bad_checksum",
    ),
    ("length-of-frame", "says the length of the whole frame", lambda good: with_length(good, len(good)) + good * 2, "ended bad_checksum"),
    ("length-4-bytes", "writes the length in four bytes", lambda good: good[:5] + bytes(2) + good[5:], "ended bad_checksum"),
    ("nothing-after", "sends a good frame behind a bad one", lambda good: flipped(good, len(good) - 1) + good, "ended bad_checksum"),
):

    def run(stage, make=make):
        return everywhere(make)(stage)

    rows.add(name, does, then, run)


def flipped_length(frame, by):
    return frame[:5] + struct.pack(">H", len(frame) - 11 + by) + frame[7:]


@rows.misbehaves("bits", "changes one bit behind the magic, at every place", "ended bad_checksum")
def bits(stage):
    good = encode(REQUEST, cbor.encode([1, "no", {}]))
    # Not in the length: there it is another length, of the rows above.
    return [outcome.contract(stage.contract(), flipped(good, at, 1 << at % 8)) for at in range(4, len(good)) if at not in (5, 6)]


@rows.misbehaves("length-early", "says 65,535 bytes before login, and sends nothing of them", "ended frame_too_large")
def length_early(stage):
    found = []
    for length in (1_100, 32_768, 65_535):
        head = MAGIC + struct.pack(">BH", REQUEST, length)
        early = MAGIC + struct.pack(">BH", REGISTER, length)
        found += [outcome.last_word(stage.classic(), early), outcome.contract(stage.contract(), head)]
    return found


@rows.misbehaves("length-little-endian", "writes the length the wrong way round, before login", "ended frame_too_large")
def little_endian(stage):
    good = encode(REQUEST, cbor.encode([1, "session.ping", {}]))
    return outcome.contract(stage.contract(), good[:5] + good[6:4:-1] + good[7:])


@rows.misbehaves("late-classic", "breaks frames after a classic login", "ended")
def late_classic(stage):
    good = encode(MESSAGE, b"hello")
    wrong = (b"X", b"MAGX", b"GET / HTTP/1.1\r\n\r\n", good[:-4] + good[:-5:-1], crc(good, zlib.crc32(b"hello")))
    found = [outcome.last_word(stage.classic_person(), each) for each in wrong]
    return ["ended" if each in ("ended bad_magic", "ended bad_checksum") else each for each in found]


@rows.misbehaves("nothing-done", "registers behind a bad frame", "refused AUTH!")
def nothing_done(stage):
    name = stage.name("mallory")
    register = encode(REGISTER, f"{name}:{PASSWORD}".encode())
    for bad in (b"MAGIC!", flipped(register, len(register) - 1)):
        assert outcome.last_word(stage.classic(), bad + register).startswith("ended")
    return outcome.classic(stage.classic(), encode(LOGIN, f"{name}:{PASSWORD}".encode()))


# What is odd, and read.


def pongs(client, count):
    """So many answers, in their order."""
    for number in range(count):
        frame = client.read_frame()
        if frame.command != RESULT or cbor.decode(frame.body)[0] != number:
            return f"{frame} as answer {number}"
    return "answered"


def pings(count):
    return [encode(REQUEST, cbor.encode([number, "session.ping", {}])) for number in range(count)]


@rows.misbehaves("bytewise", "sends a byte a write", "answered")
def bytewise(stage):
    client = stage.contract()
    for byte in b"".join(pings(3)):
        client.send_bytes(bytes([byte]))
    return pongs(client, 3)


@rows.misbehaves("split", "splits two frames at every place", "answered")
def split(stage):
    client, found = stage.person(), []
    data = b"".join(pings(2))
    for at in range(1, len(data)):
        client.send_bytes(data[:at])
        client.send_bytes(data[at:])
        found.append(pongs(client, 2))
    return found


@rows.misbehaves("merged", "sends five hundred frames in one write", "answered")
def merged(stage):
    client = stage.contract().join(stage.name("hasty"))  # Somebody new has the whole rate.
    client.send_bytes(b"".join(pings(500)))
    return pongs(client, 500)


@rows.misbehaves("records-small", "puts every three bytes into a TLS record, all in one write", "answered")
def small_records(stage):
    wire = stage.tls()
    data = outcome.HELLO_FRAME + PING
    return outcome.tls(wire, b"".join(wire.ours.seal(23, data[at : at + 3]) for at in range(0, len(data), 3)))


@rows.misbehaves("largest", "sends the largest body there is, whatever the command, after login", "refused")
def largest(stage):
    alice, found = stage.classic_person(), []
    for command, word in ((0x03, b"NOCHAT"), (0x06, b"NOPE"), (0x01, b"DENY"), (0x02, b"DENY"), (0x0B, b"UNKN"), (0xFF, b"UNKN")):
        alice.send(command, b"x" * 65_535)
        found.append("refused" if alice.read_frame() == Frame(0x05, word) else f"{command} is answered otherwise")
    return found


@rows.misbehaves("largest-early", "sends the largest frame there is before login", "refused NOLOG")
def largest_early(stage):
    return [outcome.classic(stage.classic(), encode(MESSAGE, b"x" * count)) for count in (1_012, 1_013)]


@rows.misbehaves("behind-login", "sends 3 MiB behind a login, before its answer", "answered")
def behind_login(stage):
    client, count = stage.classic(), 48
    data = encode(REGISTER, f"{stage.name('alice')}:{PASSWORD}".encode()) + encode(MESSAGE, b"x" * 65_535) * count
    answers = client.exchange(data, lambda frames: len(frames) > count)
    return "answered" if answers == [Frame(0x04, b"OK")] + [Frame(0x05, b"NOCHAT")] * count else f"{answers[:3]}"
