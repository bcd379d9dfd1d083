"""People who mean well, on each server all along: after every misbehaviour they still get their answers, and somebody new gets in."""

import os
import time

import sealed_channel
from ground import HOST, Stage
from sealed_client import SealedClient
from sealwire_classic import PASSWORD, Unexpected
from sealwire_contract import chat, say

ANSWER_S_MAX = 10
"""Of everything that is asked in one look, on a machine that has other things to do: some 30 ms otherwise."""


class Good:
    """On one server: two in a conversation, two in a classic chat, and one on each further listener."""

    def __init__(self, ground, name, is_patient):
        self._ground, self._server, self._name = ground, ground.servers[name], name
        self._stage = Stage(ground, name)
        self._pair = self._stage.person("ann"), self._stage.person("ben")
        chat(*self._pair)
        self._talkers = self._stage.chat()
        self._sealed = self._stage.sealed() if self._server.sealed else None
        self._web = self._stage.web_client() if self._server.web else None
        # An echo connection is closed when it is silent, which is what an impatient server is for.
        self._echo = self._stage.echo() if self._server.echo and is_patient else None
        if self._sealed:
            self._sealed.join(ground.name("sealed"))
        if self._web:
            self._web.join(ground.name("web"))
        self.slowest = 0

    def look(self):
        """Everybody is answered, and as soon as always."""
        began = time.monotonic()
        say(*self._pair, b"are you well?")
        say(*reversed(self._pair), b"I am")
        alice, bob = self._talkers
        alice.say("and you?")
        bob.heard(f"{alice.name}: and you?")
        alice.acked("OK")
        for one in (self._sealed, self._web):
            if one:
                one.quiet()
        if self._echo:
            echoed(self._echo)
        self._newcomers()
        took = time.monotonic() - began
        self.slowest = max(self.slowest, took)
        if took > ANSWER_S_MAX:
            raise Unexpected(f"good clients of {self._name} waited {took:.1f} s")

    def _newcomers(self):
        """Somebody new on each listener."""
        token = self._pair[0].token
        with Stage(self._ground, self._name) as stage:
            stage.contract().resume(token).goodbye()
            if self._server.sealed:
                channel = sealed_channel.Sealed(HOST, self._server.sealed, "NK", server_key=self._server.sealed_key())
                SealedClient(channel).resume(token)
                channel.close()
            if self._server.web:
                stage.web_client().resume(token)
            if self._server.echo:
                echoed(stage.echo())

    def log_in(self):
        """A password is still checked; it costs a hash, so not after every row."""
        with Stage(self._ground, self._name) as stage:
            client = stage.classic()
            client.login(self._talkers[0].name, PASSWORD)
            client.acked("OK")


def echoed(connection):
    data, back = os.urandom(100), b""
    connection.sendall(data)
    while len(back) < len(data):
        more = connection.recv(1000)
        if not more:
            raise Unexpected("the echo service went away")
        back += more
    if back != data:
        raise Unexpected("something else was echoed")
