"""Connections that come, log in, say something and go, by the hundred thousand; some of them are cut anywhere on the way.

    python3 connects.py [--warm 5000] [--count 100000] HOST:PORT:AUTHORITY

First `warm` of them: whatever is used once is used by then. Says `rested N`, all of them gone, and goes on when it reads a line: `count`
more, and then what it has seen, as JSON.
"""

import argparse
import json
import random
import sys

from swarm import HELLO_BEGINS, Swarm, Unexpected
from swarm_people import People, address

UNDER_WAY = 60
SESSIONS = 400


class Passers:
    def __init__(self, host, port, authority):
        self.swarm = Swarm(host, port)
        self.people = People(host, port, authority, SESSIONS)
        self.came = 0

    def count(self, way):
        self.swarm.counts[way] += 1

    def passing(self, number):
        def passing(peer):
            lot = random.random()
            if lot < 0.2:
                yield from self.cut_early(peer)
                return
            yield from self.people.log_in(peer, number)
            yield from peer.call("session.echo", data=random.randbytes(100))
            self.count("logged_in")
            self.count((yield from peer.go()))

        return passing

    def cut_early(self, peer):
        """Without a byte, in the ClientHello, or when the server has signed."""
        way = random.choice(["silent", "cut_in_hello", "cut_in_handshake"])
        self.count(way)
        if way == "cut_in_hello":
            peer.tcp.send(HELLO_BEGINS)
        elif way == "cut_in_handshake":
            yield from peer.begin_handshake(self.people.context)
            peer.reset()

    def come(self, count):
        """So many, a few of them at a time."""
        for _ in range(count):
            self.swarm.begin(self.passing(self.came), address(self.came))
            self.came += 1
            self.swarm.until(lambda: len(self.swarm) < UNDER_WAY, 60, "end of those who are there")
        self.swarm.until(lambda: len(self.swarm) == 0, 60, "end of the last")
        if self.swarm.reasons:
            raise Unexpected(f"{self.swarm.counts['failed']} have failed: {self.swarm.reasons}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--warm", type=int, default=5_000)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("server")
    said = parser.parse_args()
    host, port, authority = said.server.split(":", 2)
    passers = Passers(host, int(port), authority)
    passers.come(said.warm)
    print(f"rested {said.warm}", flush=True)
    sys.stdin.readline()
    passers.come(said.count)
    print(json.dumps({"came": passers.came, **passers.swarm.counts}), flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    try:
        main()
    except Unexpected as reason:
        sys.exit(f"FAILED  {reason}")
