"""The stage on which rows are played: the servers, the clients of a row, and the proof that nothing else was said.

A program registers rows with `@row('what happens')`, each a function of a Stage, and calls `play`. The first row that
fails ends the program with 1.
"""

import argparse
import random
import sys
import time
import traceback

from sealwire_classic import ACK, ERROR, WAYS, Client, Frame, Unexpected, show

# Letters that no two names could be confused by.
_letters = "bdfghkst"
_unknown_command = 0x0F
_rows = []


def row(title, ways=WAYS):
    def register(play_row):
        _rows.append((title, ways, play_row))
        return play_row

    return register


def tags():
    """Endings that make names unique, also among programs that use the same servers."""
    run = "".join(random.choices(_letters, k=8))
    for number in range(8**4):
        yield run + "".join(_letters[number >> shift & 7] for shift in (9, 6, 3, 0))


class Stage:
    """One row played in one way.

    People who are still there at a row's end play again in later ones, because every login costs a password hash.
    """

    def __init__(self, servers, way, endings, idle):
        self.way = way
        self._servers = servers
        self._endings = endings
        self._idle = idle
        self._clients = []
        self._people = {}

    def name(self, base):
        """A name that nobody has yet."""
        return f"{base}.{next(self._endings)}"

    def client(self, server="main", **options):
        host, port, authority = self._servers[server]
        made = Client(host, port, authority, **{"way": self.way, **options})
        self._clients.append(made)
        return made

    def person(self, base, server="main", fresh=False, **options):
        """A client with an account, logged in; `fresh` is one who has not used up any rate and plays only this row."""
        role = (server, base)
        plain = not (fresh or options)
        if plain and self._idle.get(role):
            return self._enter(self._idle[role].pop(), role)
        made = self.client(server, **options)
        if plain:
            self._people[made] = role
        made.register(self.name(base))
        made.acked("OK")
        return made

    def _enter(self, client, role):
        client.way = self.way
        self._clients.append(client)
        self._people[client] = role
        return client

    def asked(self, server="main", fresh=False, **options):
        """Alice has asked bob for a chat and he has not answered."""
        alice = self.person("alice", server, fresh)
        bob = self.person("bob", server, fresh, **options)
        self.settle()
        alice.find(bob.name)
        bob.rung_by(alice.name)
        self.settle()
        return alice, bob

    def chat(self, server="main", fresh=False, **options):
        """Alice and bob in a chat."""
        alice, bob = self.asked(server, fresh, **options)
        bob.accept()
        bob.acked("CHAT")
        alice.acked("CHAT")
        self.settle()
        return alice, bob

    def settle(self):
        """Everything that was gathered is sent and everything expected is there."""
        for client in self._clients:
            client.flush()
        for client in self._clients:
            client.check()

    def gone(self, client):
        """`client` has left, nothing more is expected of it."""
        self._clients.remove(client)
        self._people.pop(client, None)

    def nothing_else(self):
        """Nobody has been told anything that the row does not say.

        Frames of a connection are answered in their order, so the answer to an unknown command comes after all that was
        said before. The second round sees what the others' commands of the first brought about.
        """
        self.settle()
        for _ in range(2):
            for client in self._clients:
                client.send(_unknown_command)
                client.flush()
                answer = client.read_frame()
                if answer not in (Frame(ERROR, b"UNKN"), Frame(ERROR, b"NOLOG")):
                    raise Unexpected(f"{client.name} is told {show(answer)} without a reason")

    def dismiss(self):
        """Whoever was in a chat leaves it; people wait for their next row, everybody else goes."""
        for client, role in self._people.items():
            client.way = "whole"
            client.exit()
            while client.read_frame() != Frame(ACK, b"BYE"):
                pass
            self._idle.setdefault(role, []).append(client)
        for client in self._clients:
            if client not in self._people:
                client.cut()


def servers_of(arguments):
    """`NAME=HOST:PORT:AUTHORITY` for each server."""
    servers = {}
    for argument in arguments:
        name, _, rest = argument.partition("=")
        host, port, authority = rest.split(":", 2)
        servers[name] = (host, int(port), authority)
    return servers


def arguments():
    """The command line of every program: servers, and what of them to look at."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="", help="play only the rows whose title has this text")
    parser.add_argument("--way", default="", choices=WAYS, help="play only in this way of sending")
    parser.add_argument("--pid", action="append", default=[], metavar="NAME=PID", help="the process of a server")
    parser.add_argument("servers", nargs="+", metavar="NAME=HOST:PORT:AUTHORITY")
    parsed = parser.parse_args()
    parsed.servers = servers_of(parsed.servers)
    parsed.pids = {name: int(pid) for name, _, pid in (each.partition("=") for each in parsed.pid)}
    return parsed


def play(said, after=lambda: None):
    """Plays the rows in the order of their registration; `after` checks what holds after each."""
    endings, idle = tags(), {}
    for title, ways, play_row in _rows:
        if said.only not in title:
            continue
        for way in ways:
            if said.way not in ("", way):
                continue
            began = time.monotonic()
            stage = Stage(said.servers, way, endings, idle)
            try:
                play_row(stage)
                stage.nothing_else()
                stage.dismiss()
                after()
            except Exception:
                print(f"FAILED  {way:9} {title}\n{traceback.format_exc()}")
                sys.exit(1)
            print(f"ok      {way:9} {title} ({time.monotonic() - began:.2f} s)")
