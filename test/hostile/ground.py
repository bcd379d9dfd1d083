"""Where misbehaviours are played: the servers, and connections of every kind that end with their row."""

import contextlib
import os
import re
import socket
import ssl
import urllib.request

import sealed_channel
from process_watch import resident_bytes
from sealed_client import SealedClient
from sealwire_classic import Client, connect_tcp
from sealwire_contract import ContractClient
from tls_wire import TlsWire
from web_wire import WebClient, WebWire

HOST = "127.0.0.1"


class Server:
    """A process and its listeners: `tls`, and where it has them `sealed` with its `pin`, `web`, `echo`, `metrics`: their ports."""

    def __init__(self, name, pid, authority, tls, sealed=None, pin=None, web=None, echo=None, metrics=None):
        self.name, self.pid, self.authority = name, pid, authority
        self.tls, self.sealed, self.pin, self.web, self.echo, self._metrics = tls, sealed, pin, web, echo, metrics
        self._key = self.negative = None
        self.born = self._birth()

    def _birth(self):
        """When the process began: another one with the same number is another one. None when it has ended and nobody has taken note."""
        with open(f"/proc/{self.pid}/stat") as stat:
            state, *numbers = stat.read().rpartition(")")[2].split()
        return None if state == "Z" else numbers[18]

    def is_alive(self):
        try:
            return self._birth() == self.born
        except (FileNotFoundError, ProcessLookupError):
            return False

    def memory(self):
        """Bytes: `resident`, and `heap` where the server tells it."""
        found = {"resident": resident_bytes(self.pid)}
        if self._metrics:
            with urllib.request.urlopen(f"http://{HOST}:{self._metrics}/metrics", timeout=20) as answer:
                text = answer.read().decode()
            found["heap"] = int(float(re.search(r"^sealwire_process_heap_bytes (\S+)$", text, re.M)[1]))
        return found

    def sealed_key(self):
        """The static key of its sealed channel, learned once."""
        if self._key is None:
            channel = sealed_channel.Sealed(HOST, self.sealed, "XX", pin=self.pin)
            self._key = channel.handshake.server_key
            channel.close()
        return self._key


class Ground:
    """The servers, and what outlives a row: a token for each of them, and names that nobody has."""

    def __init__(self, servers):
        self.servers = {name: Server(name, **said) for name, said in servers.items()}
        self._tokens = {}

    def name(self, base):
        """That nobody has; of letters that no two names could be confused by."""
        return f"{base}.{''.join('bdfghkst'[byte % 8] for byte in os.urandom(16))}"

    def token(self, server):
        """Of an account that hostile peers use in turn: it costs no registration."""
        if server not in self._tokens:
            with Stage(self, server) as stage:
                self._tokens[server] = stage.contract().join(self.name("mallory")).token
        return self._tokens[server]


class Stage(contextlib.ExitStack):
    """One row: whatever it opens is closed behind it."""

    def __init__(self, ground, server):
        super().__init__()
        self.ground, self.server = ground, ground.servers[server]

    def name(self, base):
        return self.ground.name(base)

    def _kept(self, thing, close):
        self.callback(close)
        return thing

    def tcp(self, port=None, **options):
        """A connection on which nothing was said; by default to the TLS listener."""
        made = connect_tcp(HOST, port or self.server.tls, **options)
        return self._kept(made, made.close)

    def tls(self, version="1.3", port=None):
        """TLS whose records are in our hands."""
        made = TlsWire(HOST, port or self.server.tls, version)
        return self._kept(made, made.close)

    def classic(self, **tcp):
        made = Client(HOST, self.server.tls, self.server.authority, name="mallory", **tcp)
        return self._kept(made, made.cut)

    def classic_person(self, base="mallory"):
        client = self.classic()
        client.register(self.name(base))
        client.acked("OK")
        return client

    def chat(self):
        """Two in a classic chat."""
        alice, bob = self.classic_person("alice"), self.classic_person("bob")
        alice.find(bob.name)
        bob.rung_by(alice.name)
        bob.accept()
        for person in (alice, bob):
            person.acked("CHAT")
        return alice, bob

    def contract(self, greeted=True, **options):
        made = ContractClient(HOST, self.server.tls, self.server.authority, greeted=greeted, name="mallory", **options)
        return self._kept(made, made.cut)

    def person(self, base=None, **tcp):
        """Somebody logged in by the contract: mallory, or with a name of their own."""
        client = self.contract(**tcp)
        return client.join(self.name(base)) if base else client.resume(self.ground.token(self.server.name))

    def person_again(self, client):
        """Whoever that was, on a new connection."""
        return self.contract().resume(client.token)

    def sealed(self, greeted=True):
        channel = sealed_channel.Sealed(HOST, self.server.sealed, "NK", server_key=self.server.sealed_key())
        return self._kept(SealedClient(channel, "mallory", greeted), channel.close)

    def web_tls(self, **tcp):
        """A TLS connection to the listener for browsers, before its request."""
        plain = self.tcp(self.server.web, **tcp)
        made = _web_context(self.server.authority).wrap_socket(plain, server_hostname=HOST, suppress_ragged_eofs=True)
        made.settimeout(20)
        return self._kept(made, made.close)

    def web(self, **tcp):
        """A WebSocket whose frames are in our hands."""
        return WebWire(self.web_tls(**tcp))

    def web_client(self):
        return WebClient(self.web())

    def echo(self, **tcp):
        """A TLS connection to the echo service."""
        plain = self.tcp(self.server.echo, **tcp)
        made = _web_context(self.server.authority, ()).wrap_socket(plain, server_hostname=HOST, suppress_ragged_eofs=True)
        made.settimeout(20)
        return self._kept(made, made.close)


_contexts = {}


def _web_context(authority, protocols=("http/1.1",)):
    if (authority, protocols) not in _contexts:
        made = ssl.create_default_context(cafile=authority)
        if protocols:
            made.set_alpn_protocols(list(protocols))
        _contexts[authority, protocols] = made
    return _contexts[authority, protocols]


def reset(connection):
    """Breaks a connection with a TCP reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    connection.close()
