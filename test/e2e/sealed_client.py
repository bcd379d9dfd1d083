"""A client of the sealed channel, written from docs/protocol/channel.md alone, that does with a server what may be done.

Usage: python3 sealed_client.py [--v1] HOST:PORT SHA256:...      exit code 1 at the first thing that is not as the page says.
With --v1 the server answers version 1 too. Give the server a small channelKeyFramesMax, so that it replaces its keys.
"""

import argparse
import os
import sys
import time

import sealed_channel as sealed
from sealed_channel import PAD, PING, REKEY, KeyPair, Sealed, V1
from sealwire_classic import Unexpected, encode
from sealwire_contract import HELLO, REQUEST, ContractClient, cbor, chat, say
from sealwire_device import enrol


class SealedClient(ContractClient):
    """The contract, over a sealed channel."""

    def __init__(self, channel, name="?", greeted=True):
        self.name, self.way, self.socket = name, "whole", channel
        self._outgoing, self._expected = [], []
        self._incoming, self._at = b"", 0
        self._id, self.token = 0, None
        self.welcome = self.greet() if greeted else None

    def echo(self, data):
        if self.call("session.echo", data=data) != {"data": data}:
            raise Unexpected("something else came back")

    def goodbye(self):
        """Ends the session, then the channel; the server closes its own direction too."""
        super().goodbye()
        if not self.socket.is_closed:
            raise Unexpected("the server ended without a close")


class Peer:
    """The server, what was learned of it, and an account there with a device: IK is for the keys of devices."""

    def __init__(self, host, port, pin):
        self.host, self.port, self.pin = host, port, pin
        self.key = self.channel("XX").handshake.server_key
        self.device, self.name = KeyPair(), f"python.{os.urandom(4).hex()}"
        joining = self.client("NK").join(self.name)
        enrol(joining, joining.welcome["server"], self.device.public)
        joining.goodbye()

    def channel(self, pattern, static=None, **options):
        if pattern == "XX":
            return Sealed(self.host, self.port, pattern, pin=self.pin, static=static, **options)
        static = static or self.device if pattern == "IK" else None
        return Sealed(self.host, self.port, pattern, pin=self.pin, server_key=self.key, static=static, **options)

    def client(self, pattern, **options):
        return SealedClient(self.channel(pattern, **options))


ROWS = []


def row(check):
    ROWS.append(check)
    return check


@row
def the_key_is_the_one_of_the_pin(peer):
    channel = peer.channel("XX")
    greeting = channel.greeting
    if abs(greeting["time"] - time.time() * 1000) > 60_000:
        raise Unexpected(f"{greeting}")
    client = SealedClient(channel)
    client.echo(b"Hello from Python!")
    client.goodbye()


@row
def every_pattern_says_hello_echoes_and_ends(peer):
    for pattern in sealed.PATTERNS:
        client = peer.client(pattern)
        for size in (0, 1, 1024):
            client.echo(os.urandom(size))
        client.goodbye()


@row
def the_server_has_one_id_and_every_channel_a_name_of_its_own(peer):
    channels = [peer.channel(pattern) for pattern in sealed.PATTERNS for _ in range(2)]
    if len({channel.handshake.h for channel in channels}) != 6 or len({channel.greeting["server"] for channel in channels}) != 1:
        raise Unexpected("two channels with one name, or a server with two ids")
    for channel in channels:
        channel.close()


@row
def a_device_logs_in_with_its_key(peer):
    for _ in range(2):
        client = peer.client("IK")
        if client.call("device.login")["name"] != peer.name:
            raise Unexpected("the device of somebody else")
        client.goodbye()
    stranger = peer.channel("IK", static=KeyPair())
    stranger.sendall(encode(HELLO, cbor.encode({"versions": [1], "client": "stranger"})))
    if stranger.wire.rest()[0] != b"":
        raise Unexpected("a key of nobody is answered")


@row
def handshake_and_records_come_in_any_pieces(peer):
    wire = sealed.Wire(peer.host, peer.port)
    send, wire.send = wire.send, lambda data: [send(bytes([byte])) for byte in data]
    client = SealedClient(peer.channel("XX", wire=wire))
    client.echo(b"a byte at a time")
    client.goodbye()


@row
def frames_and_records_do_not_begin_and_end_together(peer):
    client = peer.client("NK")
    for record_bytes in (1, 7, 300, 65518):
        first = client._id + 1
        client._id += 20
        requests = [encode(REQUEST, cbor.encode([number, "session.echo", {"data": b"x" * 500}])) for number in range(first, client._id + 1)]
        client.socket.sendall(b"".join(requests), record_bytes)
        for number in range(first, client._id + 1):
            if client.result(number) != {"data": b"x" * 500}:
                raise Unexpected("something else came back")
    client.goodbye()


@row
def pads_and_pings_say_nothing(peer):
    client = peer.client("IK")
    for size in (0, 1, 65518):
        client.socket.record(PAD, os.urandom(size))
        client.socket.record(PING)
    client.echo(b"still there")
    client.goodbye()


@row
def keys_are_replaced_in_both_directions(peer):
    for pattern in sealed.PATTERNS:
        client = peer.client(pattern)
        for number in range(40):
            if number % 3 == 0:
                client.socket.rekey()
            client.echo(b"under the next key")
        if client.socket.kinds.count(REKEY) < 2:
            raise Unexpected("the server has never replaced its key")
        client.goodbye()


@row
def a_large_message_goes_through_in_full_records(peer):
    alice, bob = peer.client("XX"), peer.client("NK")
    for person in (alice, bob):
        person.join(f"python.{os.urandom(4).hex()}")
    chat(alice, bob)
    for size in (1, 1000, 60000):
        say(alice, bob, os.urandom(size), type="application/octet-stream")
        say(bob, alice, os.urandom(size), type="application/octet-stream")
    alice.goodbye()
    bob.left(alice.name)
    bob.goodbye()


@row
def a_close_without_a_goodbye_is_answered_by_a_close(peer):
    client = peer.client("NK")
    client.echo(b"before the end")
    client.socket.end()
    if client.socket.recv(1) != b"" or not client.socket.is_closed:
        raise Unexpected("the server ended without a close")


@row
def a_server_with_another_key_is_found_out_by_the_client(peer):
    try:
        Sealed(peer.host, peer.port, "XX", pin=sealed.pin_of(KeyPair().public))
    except sealed.Untrusted as reason:
        if str(reason) != peer.pin:
            raise Unexpected(f"the server shows {reason}") from reason
    else:
        raise Unexpected("another key was taken")


def v1_echoes_what_it_is_sent(peer):
    for form in (0xFD, 0xFC, 0xFB, 0xFA, 0x00):
        channel = V1(peer.host, peer.port, form)
        for number in range(5):
            message = b"Hello from client! %d" % number
            if channel.echo(message) != message:
                raise Unexpected("something else came back")
        channel.wire.tcp.close()


def v1_takes_frames_of_any_size_in_any_pieces(peer):
    channel = V1(peer.host, peer.port)
    for size in (0, 1, 1024, 65535):
        message = os.urandom(size)
        if channel.echo(message) != message:
            raise Unexpected("something else came back")
    for byte in channel.frame(b"a byte at a time"):
        channel.wire.send(bytes([byte]))
    if channel.read() != b"a byte at a time":
        raise Unexpected("something else came back")
    channel.wire.send(b"".join(channel.frame(b"%d" % number) for number in range(100)))
    if [channel.read() for _ in range(100)] != [b"%d" % number for number in range(100)]:
        raise Unexpected("frames came back in another order")
    channel.wire.tcp.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("server")
    parser.add_argument("pin")
    parser.add_argument("--v1", action="store_true", help="the server answers version 1 too")
    parser.add_argument("--only", default="", help="rows whose name has this")
    parser.add_argument("--verbose", action="store_true", help="tell every row")
    options = parser.parse_args()
    host, port = options.server.rsplit(":", 1)
    peer = Peer(host, int(port), options.pin)
    rows = [*ROWS, *([v1_echoes_what_it_is_sent, v1_takes_frames_of_any_size_in_any_pieces] if options.v1 else [])]
    rows = [check for check in rows if options.only in check.__name__]
    for check in rows:
        try:
            check(peer)
        except Exception as reason:
            print(f"FAILED {check.__name__}: {reason!r}")
            raise
        print(f"passed {check.__name__}")
    print(f"{len(rows)} rows passed")


if __name__ == "__main__":
    sys.exit(main())
