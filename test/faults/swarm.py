"""Peers of the contract by the thousand from one thread. What one of them does is a generator: it yields None while it waits for
bytes, and a number of seconds while it waits for time.

    def visit(peer):
        yield from peer.secure(context)
        yield from peer.call("account.resume", token=token)

    swarm.begin(visit, "127.0.0.2")
    swarm.step()

Frames, CBOR and TLS are those of test/e2e, which share no code with the server.
"""

import collections
import errno
import heapq
import itertools
import pathlib
import random
import resource
import select
import socket
import ssl
import struct
import sys
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
from sealwire_classic import Over, Unexpected, decode, encode  # noqa: E402
from sealwire_contract import EVENT, FAULT, GOODBYE, HELLO, REQUEST, RESULT, WELCOME, cbor  # noqa: E402

READ_BYTES = 65536
# Of a ClientHello that never ends.
HELLO_BEGINS = bytes.fromhex("16030100c8010000c40303")
REASONS_MAX = 10


class Peer:
    __slots__ = ("tcp", "tls", "incoming", "outgoing", "unsent", "heard", "at", "asked", "play", "swarm", "turn", "watched")

    def __init__(self, tcp, swarm):
        self.tcp, self.swarm = tcp, swarm
        self.tls = self.incoming = self.outgoing = self.play = None
        self.unsent, self.heard = b"", b""
        self.at = self.asked = self.turn = self.watched = 0

    # What it does; each is to be used with `yield from`.

    def secure(self, context, host="127.0.0.1"):
        """TLS, and Hello on its last flight."""
        yield from self.begin_handshake(context, host)
        while not self.shakes_hands():
            self.flush()
            yield from self.more()
        self.say(HELLO, cbor.encode({"versions": [1], "client": "swarm"}))

    def begin_handshake(self, context, host="127.0.0.1"):
        """Until the server has answered the ClientHello."""
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname=host)
        self.shakes_hands()
        self.flush()
        yield from self.more()

    def shakes_hands(self):
        try:
            self.tls.do_handshake()
            return True
        except ssl.SSLWantReadError:
            return False

    def call(self, method, **params):
        """The result of a request."""
        self.ask(method, **params)
        return (yield from self.result())

    def ask(self, method, **params):
        self.asked += 1
        self.say(REQUEST, cbor.encode([self.asked, method, params]))

    def result(self):
        """Of the request that was asked last."""
        while True:
            command, body = yield from self.frame()
            if command == FAULT:
                raise Unexpected(f"a fault: {cbor.decode(body)}")
            if command == RESULT and cbor.decode(body)[0] == self.asked:
                return cbor.decode(body)[1]
            if command not in (WELCOME, EVENT, RESULT):
                raise Unexpected(f"a frame {command:02x}")

    def frame(self):
        while True:
            frame, self.at = decode(self.heard, self.at)
            if frame is not None:
                return frame
            self.heard, self.at = self.heard[self.at :], 0
            try:
                data = self.tls.read(READ_BYTES)
                if not data:
                    raise Over("closed")
                self.heard += data
            except ssl.SSLWantReadError:
                yield from self.more()

    def ends(self):
        """Reads until the server has ended it."""
        try:
            while True:
                yield from self.frame()
        except (OSError, Over):
            return

    def pause(self, seconds):
        """Does not listen meanwhile."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            yield deadline - time.monotonic()

    def more(self):
        while True:
            yield None
            try:
                data = self.tcp.recv(READ_BYTES)
            except BlockingIOError:
                continue
            if not data:
                raise Over("closed")
            self.incoming.write(data)
            return

    # What it does at once.

    def say(self, command, body):
        self.write(encode(command, body))

    def write(self, data):
        self.tls.write(data)
        self.flush()

    def flush(self):
        data = self.unsent + self.outgoing.read()
        try:
            sent = self.tcp.send(data) if data else 0
        except BlockingIOError:
            sent = 0
        self.unsent = data[sent:]

    def goodbye(self):
        """In order: what it asked was answered."""
        self.say(GOODBYE, cbor.encode({}))
        yield from self.ends()

    def go(self):
        """Leaves in one of four ways; answers in which."""
        way = random.choice(["goodbye", "closed", "reset", "cut_in_frame"])
        if way == "goodbye":
            yield from self.goodbye()
        elif way == "reset":
            self.reset()
        elif way == "cut_in_frame":
            self.write(b"MAGC\x12\x00")
        return way

    def reset(self):
        self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def stay(self):
        """Says nothing and looks at nothing any more, so that thousands of them are light to hold. Fails when it is dropped."""
        self.tls = self.incoming = self.outgoing = None
        self.heard = b""
        while True:
            yield None
            if not self.tcp.recv(READ_BYTES):
                raise Over("dropped")


class Swarm:
    def __init__(self, host, port):
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self._target = (host, port)
        self._epoll = select.epoll()
        self._peers = {}
        self._timers = []
        self._order = itertools.count()
        self.counts = collections.Counter()
        self.reasons = []

    def __len__(self):
        return len(self._peers)

    def begin(self, play, source, receive_bytes=None):
        """Connects, and does what `play(peer)` says; `receive_bytes` for a peer that will read little."""
        tcp = socket.socket()
        tcp.setblocking(False)
        if receive_bytes is not None:
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # The port is chosen at connect, so that one address can use the same port towards many servers.
        tcp.setsockopt(socket.IPPROTO_IP, getattr(socket, "IP_BIND_ADDRESS_NO_PORT", 24), 1)
        tcp.bind((source, 0))
        if tcp.connect_ex(self._target) not in (0, errno.EINPROGRESS):
            raise Unexpected(f"cannot connect from {source}")
        peer = Peer(tcp, self)
        peer.play = play(peer)
        peer.watched = select.EPOLLOUT
        self._peers[tcp.fileno()] = peer
        self._epoll.register(tcp, select.EPOLLOUT)
        self.counts["begun"] += 1

    def step(self, ms=5):
        """Does what can be done now."""
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            _, turn, peer = heapq.heappop(self._timers)
            if peer.turn == turn and peer.play is not None:
                self._go_on(peer)
        for descriptor, event in self._epoll.poll(ms / 1000, 20_000):
            peer = self._peers.get(descriptor)
            if peer is not None:
                self._go_on(peer, event)

    def until(self, reached, seconds, what):
        deadline = time.monotonic() + seconds
        while not reached():
            if time.monotonic() > deadline:
                raise Unexpected(f"no {what} after {seconds} s: {dict(self.counts)} {self.reasons}")
            self.step()

    def while_waiting(self, lines):
        """Everybody goes on doing what they do until a line comes."""
        while not select.select([lines], [], [], 0)[0]:
            self.step(20)
        lines.readline()

    def close(self):
        for peer in list(self._peers.values()):
            self._end(peer)

    def _go_on(self, peer, event=0):
        try:
            if event & select.EPOLLOUT and peer.unsent:
                peer.flush()
            if event & (select.EPOLLERR | select.EPOLLHUP) and not peer.watched & select.EPOLLIN:
                # It was not listening: it is told all the same.
                self._wait(peer, peer.play.throw(Over("broken")))
            elif event != select.EPOLLOUT or peer.tls is None:
                self._wait(peer, next(peer.play))
            elif not peer.unsent:
                self._watch(peer, peer.watched & ~select.EPOLLOUT)
        except StopIteration:
            self.counts["done"] += 1
            self._end(peer)
        except (OSError, Over, Unexpected) as reason:
            self.counts["failed"] += 1
            if len(self.reasons) < REASONS_MAX:
                self.reasons.append(f"{peer.play.__name__}: {reason!r}"[:300])
            self._end(peer)

    def _wait(self, peer, seconds):
        """For time nobody listens: what comes meanwhile waits in the socket."""
        peer.turn = next(self._order)
        if seconds is not None:
            heapq.heappush(self._timers, (time.monotonic() + seconds, peer.turn, peer))
        self._watch(peer, (select.EPOLLIN if seconds is None else 0) | (select.EPOLLOUT if peer.unsent else 0))

    def _watch(self, peer, events):
        if peer.watched != events:
            peer.watched = events
            self._epoll.modify(peer.tcp, events)

    def _end(self, peer):
        self._peers.pop(peer.tcp.fileno(), None)
        peer.tcp.close()
        if peer.play is not None:
            peer.play.close()
        peer.play = None
