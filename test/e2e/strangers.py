"""Connections by the thousand from one thread: strangers who begin TLS with a server and go no further than they are told.

    greet   send a ClientHello, and keep still when the server has answered it
    snub    send a ClientHello, and go when the server has answered it, which costs the server far more than them
    leave   complete the handshake and go at once
    stay    complete the handshake, say `words` if there are any, and keep still

A stranger whom the server drops without having said a single byte was refused; every other one was answered, so a server
that begins TLS before it refuses has answered too many.
"""

import errno
import resource
import select
import socket
import ssl
import time

from sealwire_classic import Unexpected

LOOK_MS = 5
UNDER_WAY_MAX = 2000


class Stranger:
    __slots__ = ("tcp", "tls", "incoming", "outgoing", "answered", "secured", "heard")

    def __init__(self, tcp):
        self.tcp = tcp
        self.tls = self.incoming = self.outgoing = None
        self.answered = self.secured = False
        self.heard = b""


class Crowd:
    def __init__(self, host, port, way, words=b"", answer=None):
        """`answer` is what the server says to `words`; who has heard it counts as `welcome`."""
        _raise_descriptors()
        self._target = (host, port)
        self._way, self._words, self._answer = way, words, answer
        self._context = _unverified()
        self._hello = _hello(self._context)
        self._epoll = select.epoll()
        self._strangers = {}
        self.opened = self.refused = self.answered = self.secured = self.welcome = self.dropped = 0
        self.inside = self.peak = 0

    @property
    def room(self):
        """How many more may come before the server has said yes or no to those who have."""
        return UNDER_WAY_MAX - self.under_way

    @property
    def under_way(self):
        """Those of whom the server has neither said yes nor no."""
        return len(self._strangers) - self.inside

    def open(self, source):
        tcp = socket.socket()
        tcp.setblocking(False)
        # The port is chosen at connect, so that one address can use the same port towards many servers.
        tcp.setsockopt(socket.IPPROTO_IP, getattr(socket, "IP_BIND_ADDRESS_NO_PORT", 24), 1)
        tcp.bind((source, 0))
        if tcp.connect_ex(self._target) not in (0, errno.EINPROGRESS):
            raise Unexpected(f"cannot connect from {source}")
        self.opened += 1
        self._strangers[tcp.fileno()] = Stranger(tcp)
        self._epoll.register(tcp, select.EPOLLOUT)

    def look(self, ms=LOOK_MS):
        """Does for every stranger what can be done now; false when that was nothing."""
        events = self._epoll.poll(ms / 1000, 20_000)
        for descriptor, event in events:
            stranger = self._strangers[descriptor]
            try:
                if event == select.EPOLLOUT:
                    self._greet(stranger)
                else:
                    self._hear(stranger)
                    if _is_over(stranger.tcp):
                        raise EOFError
            except (OSError, EOFError):
                self._forget(stranger)
        self.peak = max(self.peak, self.inside)
        return len(events) > 0

    def until(self, reached, seconds, what):
        """Looks until `reached()`."""
        deadline = time.monotonic() + seconds
        while not reached():
            if time.monotonic() > deadline:
                raise Unexpected(f"no {what} after {seconds} s: {self}")
            self.look()

    def close(self):
        """All leave without a word."""
        for stranger in self._strangers.values():
            stranger.tcp.close()
        self._strangers.clear()
        self.inside = 0

    def figures(self):
        return {key: value for key, value in vars(self).items() if isinstance(value, int)}

    def __str__(self):
        return ", ".join(f"{value} {key}" for key, value in self.figures().items())

    def _greet(self, stranger):
        self._epoll.modify(stranger.tcp, select.EPOLLIN)
        if self._way in ("greet", "snub"):
            stranger.tcp.send(self._hello)
            return
        stranger.incoming, stranger.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        stranger.tls = self._context.wrap_bio(stranger.incoming, stranger.outgoing)
        self._shake_hands(stranger)

    def _hear(self, stranger):
        data = stranger.tcp.recv(65536)
        if not data:
            raise EOFError
        if not stranger.answered:
            stranger.answered = True
            self.answered += 1
            self.inside += 1
        if self._way == "snub":
            self._leave(stranger)
        if stranger.tls is None:
            return
        stranger.incoming.write(data)
        if stranger.secured:
            self._listen(stranger)
        else:
            self._shake_hands(stranger)

    def _shake_hands(self, stranger):
        try:
            stranger.tls.do_handshake()
            stranger.secured = True
            self.secured += 1
            if self._words:
                stranger.tls.write(self._words)
        except ssl.SSLWantReadError:
            pass
        if stranger.outgoing.pending:
            stranger.tcp.send(stranger.outgoing.read())
        if not stranger.secured:
            return
        if self._way == "leave":
            self._leave(stranger)
        elif self._answer is None:
            # Whatever else comes is not looked at, so a thousand of them are light to hold.
            stranger.tls = stranger.incoming = stranger.outgoing = None

    def _listen(self, stranger):
        try:
            while True:
                stranger.heard += stranger.tls.read()
        except ssl.SSLWantReadError:
            pass
        if stranger.heard == self._answer:
            self.welcome += 1
            stranger.tls = stranger.incoming = stranger.outgoing = None

    def _leave(self, stranger):
        del self._strangers[stranger.tcp.fileno()]
        self.inside -= 1
        stranger.tcp.close()

    def _forget(self, stranger):
        """The server has ended it."""
        if stranger.answered:
            self.dropped += 1
            self._leave(stranger)
        else:
            self.refused += 1
            del self._strangers[stranger.tcp.fileno()]
            stranger.tcp.close()


def _is_over(tcp):
    """The server has ended it behind what was just read: who was answered and dropped between two looks was never inside."""
    try:
        return tcp.fileno() >= 0 and tcp.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False


def _unverified():
    """Strangers do not care whom they bother."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    return made


def _hello(context):
    """One ClientHello serves any number of strangers who will not finish."""
    outgoing = ssl.MemoryBIO()
    try:
        context.wrap_bio(ssl.MemoryBIO(), outgoing).do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read()
    raise Unexpected("a handshake without a server")


def _raise_descriptors():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
