"""What no end of the sealed channel takes, sent to a server: it closes the connection and says nothing.

Written from docs/protocol/channel.md alone.
Usage: python3 sealed_negative.py [--v1] HOST:PORT SHA256:...      exit code 1 when a row ends in any other way.
With --v1 the server answers version 1 too; without, that must be as wrong as anything else. Handshakes are given more time
than this waits (handshakeMsMax), so that a connection that only waits for more is not taken for one that was closed.

Every row says what is sent after what was right until then. Each kind has a row in which nothing is wrong, which must be
answered. All others must end alike: not a byte comes back, and the stream ends. A request stands in every wrong record, so
that a server that opened it would answer.
"""

import argparse
import collections
import socket
import struct
import sys

import sealed_channel as sealed
from sealed_channel import CLOSE, DATA, PAD, PING, REKEY, Direction, Handshake, KeyPair, Sealed, V1, Wire
from sealed_client import Peer
from sealwire_classic import encode
from sealwire_contract import HELLO, REQUEST, cbor

WAIT_S = 20
# Public keys with which everybody agrees on zero: RFC 7748 and "Curve25519: new Diffie-Hellman speed records", with and
# without the highest bit, which is not looked at.
P = 2**255 - 19
LOW_ORDER = [
    number.to_bytes(32, "little")
    for number in (
        0,
        1,
        325606250916557431795983626356110631294008115727848805560023387167927233504,
        39382357235489614581723060781553021112529911719440698176882885853963445705823,
        P - 1,
        P,
        P + 1,
        2**255,
        2**255 + 1,
        2**255 + P - 1,
        2**255 + P,
        2**255 + P + 1,
    )
]

Outcome = collections.namedtuple("Outcome", "data how")
Row = collections.namedtuple("Row", "name answered run")


def outcome(wire):
    """What comes and how it ends, or that it does not end."""
    wire.tcp.settimeout(WAIT_S)
    try:
        return Outcome(*wire.rest())
    except socket.timeout:
        return Outcome(b"", "open")


def answers(wire):
    wire.tcp.settimeout(WAIT_S)
    try:
        return bool(wire.tcp.recv(1))
    except (socket.timeout, OSError):
        return False


def flipped(data, at, bit=0x01):
    return data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]


def lengthened(data, at):
    """A length whose last bytes were flipped is still one that is waited for: what is missing then is not."""
    return data + bytes(300) if at in (2, 3) else data


class Server:
    def __init__(self, host, port, pin):
        self.host, self.port, self.pin = host, port, pin
        peer = Peer(host, port, pin)
        self.key, self.device = peer.key, peer.device

    def wire(self):
        return Wire(self.host, self.port)

    def handshake(self, pattern, **options):
        """Before its first message."""
        static = options.pop("static", {"XX": KeyPair(), "IK": self.device, "NK": None}[pattern])
        return Handshake(pattern, None if pattern == "XX" else options.pop("server_key", self.key), static, **options)

    def channel(self, pattern):
        known = {} if pattern == "XX" else {"server_key": self.key}
        return Sealed(self.host, self.port, pattern, pin=self.pin, static=self.device if pattern == "IK" else None, **known)

    def greeted(self, pattern):
        """A channel on which the server has welcomed us, with nothing more to come by itself."""
        channel = self.channel(pattern)
        channel.sendall(HELLO_FRAME)
        frame = b""
        while len(frame) < 7 or len(frame) < 11 + struct.unpack(">H", frame[5:7])[0]:
            frame += channel.recv(65536)
        return channel


HELLO_FRAME = encode(HELLO, cbor.encode({"versions": [1], "client": "test"}))
ECHO_FRAME = encode(REQUEST, cbor.encode([1, "session.echo", {"data": b"not to be answered"}]))


# The first message.


def first_rows(server, pattern):
    def sending(change, name, answered=False, then_end=False, **options):
        def run():
            with server.wire() as wire:
                wire.send(change(server.handshake(pattern, **options).hello()))
                if then_end:
                    wire.tcp.shutdown(socket.SHUT_WR)
                return answers(wire) if answered else outcome(wire)

        return Row(f"{pattern} {name}", answered, run)

    whole = server.handshake(pattern).hello()
    yield sending(lambda hello: hello, "as it should be", answered=True)
    for at in range(8):
        yield sending(lambda hello, at=at: flipped(hello, at), f"preamble, byte {at} flipped")
    for number in (0, 4, 0xFF):
        yield sending(lambda hello, number=number: hello[:4] + bytes([number]) + hello[5:], f"pattern {number}")
    for length in (0, 31, 1024, 1025, 0xFFFF):
        claim = struct.pack(">H", length)
        yield sending(lambda hello, claim=claim: hello[:6] + claim + hello[8:], f"length {length}")
    for at in range(1, len(whole)):
        yield sending(lambda hello, at=at: hello[:at], f"cut after {at} bytes", then_end=True)
    if pattern == "XX":
        return
    for at in range(8, len(whole)):
        yield sending(lambda hello, at=at: flipped(hello, at), f"first message, byte {at - 8} flipped")
    yield sending(lambda hello: hello, "wrong binding in the prologue", binding=bytes(31) + b"\x01")
    yield sending(lambda hello: sealed.preamble_of(pattern) + hello[8:], "flags that only the prologue has", preamble=flipped(sealed.preamble_of(pattern), 5))
    yield sending(lambda hello: hello, "another key of the server in mind", server_key=KeyPair().public)
    other = sealed.preamble_of("NK" if pattern == "IK" else "IK")
    yield sending(lambda hello: other + hello[8:] + bytes(96), "the number of another pattern", preamble=other)


def low_order_rows(server, pattern):
    for index, point in enumerate(LOW_ORDER):

        def run(point=point):
            handshake = server.handshake(pattern)
            zeroed(handshake, "e")
            with server.wire() as wire:
                wire.send(handshake.preamble + handshake.write(0, ephemeral=point))
                return outcome(wire)

        yield Row(f"{pattern} ephemeral key of low order {index}", False, run)
    for index, point in enumerate(LOW_ORDER if pattern == "IK" else ()):

        def run_static(point=point):
            handshake = server.handshake(pattern)
            zeroed(handshake, "s")
            with server.wire() as wire:
                wire.send(handshake.preamble + handshake.write(0, static=point))
                return outcome(wire)

        yield Row(f"{pattern} static key of low order {index}", False, run_static)


def zeroed(handshake, letter):
    """Makes the client agree on what everybody agrees on with a key of low order."""
    agree = handshake.agree
    handshake.agree = lambda token: handshake.mix_key(bytes(32)) if token[0] == letter else agree(token)


# The third message, and what stands in its place.


def third_rows(server):
    def sending(change, name, answered=False, then_end=False, low_order=None):
        def run():
            handshake = server.handshake("XX")
            with server.wire() as wire:
                wire.send(handshake.hello())
                (length,) = struct.unpack(">H", wire.exactly(2))
                handshake.read(1, wire.exactly(length))
                if low_order is not None:
                    zeroed(handshake, "s")
                third = handshake.write(2, static=low_order)
                ours, _ = handshake.split()
                wire.send(change(struct.pack(">H", len(third)) + third, handshake) + ours.seal(DATA, HELLO_FRAME))
                if then_end:
                    wire.tcp.shutdown(socket.SHUT_WR)
                return answers(wire) if answered else outcome(wire)

        return Row(f"XX {name}", answered, run)

    yield sending(lambda third, _: third, "third message as it should be", answered=True)
    for at in range(66):
        yield sending(lambda third, _, at=at: flipped(third, at), f"third message, byte {at} flipped")
    for length in (0, 1, 63, 65, 1024, 1025, 0xFFFF):
        yield sending(lambda third, _, length=length: struct.pack(">H", length) + third[2:], f"third message of {length} bytes")
    yield sending(lambda third, _: b"", "no third message")
    yield sending(lambda third, handshake: handshake.preamble + third, "a preamble before the third message")
    yield sending(lambda third, _: third + third, "third message twice")
    for index, point in enumerate(LOW_ORDER):
        yield sending(lambda third, _: third, f"static key of low order {index}", low_order=point)

    def first_flipped():
        handshake = server.handshake("XX")
        with server.wire() as wire:
            wire.send(flipped(handshake.hello(), 8))
            (length,) = struct.unpack(">H", wire.exactly(2))
            wire.exactly(length)
            wire.send(struct.pack(">H", 64) + bytes(64))
            return outcome(wire)

    yield Row("XX first message flipped, noticed at the third", False, first_flipped)


def replay_rows(server, pattern):
    """A first message that was sent before, by who does not have its key."""

    def replayed(after):
        handshake = server.handshake(pattern)
        hello = handshake.hello()
        with server.wire() as wire:
            wire.send(hello)
            (length,) = struct.unpack(">H", wire.exactly(2))
            handshake.read(1, wire.exactly(length))
            ours, _ = handshake.split()
            record = ours.seal(DATA, HELLO_FRAME)
            wire.send(record)
            if not answers(wire):
                return Outcome(b"", "not answered at all")
        with server.wire() as wire:
            wire.send(hello)
            (length,) = struct.unpack(">H", wire.exactly(2))
            wire.exactly(length)
            wire.send(after(record))
            return outcome(wire)

    yield Row(f"{pattern} first message and first record replayed", False, lambda: replayed(lambda record: record))
    yield Row(f"{pattern} first message replayed, a record of zeros", False, lambda: replayed(lambda _: Direction(bytes(32)).seal(PING)))


# Records.


def record_rows(server, pattern):
    def sending(make, name, answered=False, then_end=False):
        def run():
            channel = server.greeted(pattern)
            with channel.wire as wire:
                wire.send(make(channel.ours, channel))
                if then_end:
                    wire.tcp.shutdown(socket.SHUT_WR)
                return answers(wire) if answered else outcome(wire)

        return Row(f"{pattern} {name}", answered, run)

    def echo(ours, **options):
        return ours.seal(DATA, ECHO_FRAME, **options)

    def skip(ours):
        ours.number += 1
        return echo(ours)

    def swapped(ours):
        first, second = ours.seal(PING), echo(ours)
        return second + first

    def short_tag(ours, length):
        record = echo(ours)
        return struct.pack(">I", len(record) - 16 - 16 + length) + record[4 : len(record) - 16 + length]

    def with_length(ours, length):
        return struct.pack(">I", length) + echo(ours)[4:]

    def under(key):
        return lambda ours, channel: Direction(key(channel)).seal(DATA, ECHO_FRAME, number=ours.number)

    whole = 16 + 1 + len(ECHO_FRAME) + 16
    yield sending(lambda ours, _: echo(ours), "record as it should be", answered=True)
    for at in range(whole):
        yield sending(lambda ours, _, at=at: lengthened(flipped(echo(ours), at), at), f"record, byte {at} flipped")
    for at in range(1, whole):
        yield sending(lambda ours, _, at=at: echo(ours)[:at], f"record cut after {at} bytes", then_end=True)
    yield sending(lambda ours, _: ours.seal(PING), "an end without a close", then_end=True)
    yield sending(lambda ours, _: 2 * ours.seal(PING) + echo(ours), "record repeated")
    yield sending(lambda ours, _: swapped(ours), "records in another order")
    yield sending(lambda ours, _: skip(ours), "record left out")
    yield sending(lambda ours, _: echo(ours, number=0), "number 0 again")
    for bit in range(8):
        yield sending(lambda ours, _, bit=bit: echo(ours, number=ours.number + (1 << (8 * bit + 7))), f"number with bit {8 * bit + 7} set")
    for bit in (0, 31):
        nonce = (1 << bit).to_bytes(4, "big")
        yield sending(lambda ours, _, nonce=nonce: (lambda r: r[:4] + nonce + r[8:])(echo(ours)), f"nonce with bit {bit} of its zeros set")
    for length in (0, 1, 15, 16, 65_536, 2**31, 2**32 - 1):
        yield sending(lambda ours, _, length=length: with_length(ours, length), f"record of {length} bytes")
    for length in (0, 4, 8, 12, 15):
        yield sending(lambda ours, _, length=length: short_tag(ours, length), f"tag of {length} bytes")
    yield sending(under(lambda channel: channel.theirs.key), "record under the key of the other direction")
    yield sending(under(lambda channel: bytes(32)), "record under a key of zeros")
    yield sending(lambda ours, _: echo(ours, associated=b""), "header not authenticated")
    yield sending(lambda ours, _: echo(ours, associated=bytes(16)), "another header authenticated")
    yield sending(lambda ours, _: ours.seal(REKEY) + echo(ours), "the old key after a rekey")
    for kind in (5, 6, 0x7F, 0x80, 0xFF):
        yield sending(lambda ours, _, kind=kind: ours.seal(kind, ECHO_FRAME), f"type {kind}")
    yield sending(lambda ours, _: ours.seal(DATA), "data without data")
    for kind in (REKEY, CLOSE, PING):
        yield sending(lambda ours, _, kind=kind: ours.seal(kind, b"x"), f"type {kind} with data")
    yield Row(f"{pattern} the server's own record sent back", False, lambda: reflected(server, pattern))
    yield Row(f"{pattern} a record of another channel", False, lambda: foreign(server, pattern))


def reflected(server, pattern):
    channel = server.channel(pattern)
    channel.sendall(HELLO_FRAME)
    with channel.wire as wire:
        header = wire.exactly(16)
        record = header + wire.exactly(struct.unpack(">I", header[:4])[0])
        # The number that it must have is that of the record sent back in its own direction.
        wire.send(record[:4] + sealed.nonce_of(channel.ours.number) + record[16:])
        return outcome(wire)


def foreign(server, pattern):
    one, other = server.greeted(pattern), server.greeted(pattern)
    with one.wire, other.wire:
        other.wire.send(one.ours.seal(DATA, ECHO_FRAME))
        return outcome(other.wire)


def close_rows(server, pattern):
    """Behind the close nothing is looked at: all that comes is the server's own close, or nothing."""

    def run(extra):
        channel = server.greeted(pattern)
        with channel.wire as wire:
            wire.send(channel.ours.seal(CLOSE) + extra(channel.ours))
            data, how = outcome(wire)
            # Its close: 16 bytes of header, a type, a tag.
            return Outcome(b"" if len(data) in (0, 33) else data, how)

    yield Row(f"{pattern} a record behind the close", False, lambda: run(lambda ours: ours.seal(DATA, ECHO_FRAME)))
    yield Row(f"{pattern} a byte behind the close", False, lambda: run(lambda _: b"\x00"))


# Other beginnings.


def other_rows(server, v1):
    beginnings = {
        "a frame": HELLO_FRAME,
        "TLS": bytes.fromhex("1603010200010001fc0303") + bytes(507),
        "HTTP": b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n",
        "version 3": b"SWv3" + sealed.preamble_of("NK")[4:] + bytes(48),
        "zeros": bytes(64),
        "0xff": b"\xff" * 64,
    }
    if not v1:
        beginnings["version 1"] = sealed.v1_request(KeyPair().public)[0]
    for name, data in beginnings.items():

        def run(data=data):
            with server.wire() as wire:
                wire.send(data)
                return outcome(wire)

        yield Row(f"begins with {name}", False, run)


# Version 1.


def v1_rows(server):
    def requesting(change, name, answered=False, then_end=False, form=0xFD):
        def run():
            with server.wire() as wire:
                wire.send(change(sealed.v1_request(KeyPair().public, form)[0]))
                if then_end:
                    wire.tcp.shutdown(socket.SHUT_WR)
                return answers(wire) if answered else outcome(wire)

        return Row(f"v1 {name}", answered, run)

    def sending(make, name, answered=False, then_end=False):
        def run():
            channel = V1(server.host, server.port)
            with channel.wire as wire:
                wire.send(make(channel))
                if then_end:
                    wire.tcp.shutdown(socket.SHUT_WR)
                return answers(wire) if answered else outcome(wire)

        return Row(f"v1 {name}", answered, run)

    def after_echo(make, name):
        def run():
            channel = V1(server.host, server.port)
            frame = channel.frame(b"once")
            with channel.wire as wire:
                wire.send(frame)
                head = wire.exactly(16)
                echoed = head + wire.exactly(struct.unpack(">I", head[:4])[0])
                wire.send(make(frame, echoed, channel))
                return outcome(wire)

        return Row(f"v1 {name}", False, run)

    yield requesting(lambda request: request, "request as it should be", answered=True)
    yield requesting(lambda request: b"\x02" + request[1:], "an answer in place of a request")
    for form in (0xFE, 0xFF):
        yield requesting(lambda request, form=form: request[:33] + bytes([form]) + request[34:], f"token of the form {form:02x}")
    for at in (1, 32, 33, 34, 41):
        yield requesting(lambda request, at=at: request[:at], f"request cut after {at} bytes", then_end=True)
    for index, point in enumerate(LOW_ORDER):
        yield requesting(lambda request, point=point: request[:1] + point + request[33:], f"key of low order {index}")
    length = 16 + len(b"not to be echoed") + 16
    yield sending(lambda channel: channel.frame(b"to be echoed"), "frame as it should be", answered=True)
    for at in range(length):
        yield sending(lambda channel, at=at: lengthened(flipped(channel.frame(b"not to be echoed"), at), at), f"frame, byte {at} flipped")
    for claim in (0, 1, 15, 65_552, 2**31, 2**32 - 1):
        yield sending(lambda channel, claim=claim: struct.pack(">I", claim), f"frame of {claim} bytes")
    yield sending(lambda channel: channel.frame(b"x", nonce=channel.handshake_nonce), "the nonce of the handshake again")
    yield after_echo(lambda frame, _echoed, _channel: frame, "frame repeated")
    yield after_echo(lambda _frame, echoed, _channel: echoed, "frame sent back")
    yield after_echo(lambda frame, _echoed, channel: channel.frame(b"another", nonce=frame[4:16]), "nonce used for another frame")


def all_rows(server, v1):
    yield from other_rows(server, v1)
    for pattern in sealed.PATTERNS:
        yield from first_rows(server, pattern)
        yield from low_order_rows(server, pattern)
        yield from record_rows(server, pattern)
        yield from close_rows(server, pattern)
    yield from third_rows(server)
    yield from replay_rows(server, "IK")
    yield from replay_rows(server, "NK")
    if v1:
        yield from v1_rows(server)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("server")
    parser.add_argument("pin")
    parser.add_argument("--v1", action="store_true", help="the server answers version 1 too")
    parser.add_argument("--only", default="", help="rows whose name has this")
    parser.add_argument("--verbose", action="store_true", help="tell every row")
    options = parser.parse_args()
    host, port = options.server.rsplit(":", 1)
    server = Server(host, int(port), options.pin)
    failures, count, ends = [], 0, collections.Counter()
    for row in all_rows(server, options.v1):
        if options.only not in row.name:
            continue
        count += 1
        try:
            found = row.run()
        except (OSError, sealed.Broken) as reason:
            found = repr(reason)
        is_good = found is True if row.answered else isinstance(found, Outcome) and found == Outcome(b"", "end")
        if isinstance(found, Outcome):
            ends[found.how] += 1
        if options.verbose or not is_good:
            print(f"{'passed' if is_good else 'FAILED'} {row.name}: {found}")
        if not is_good:
            failures.append(row.name)
    Sealed(server.host, server.port, "NK", server_key=server.key).close()
    print(f"{count - len(failures)} of {count} rows passed; {dict(ends)}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
