"""A crowd as a server has it for hours: many who say nothing, some who ask, some who come and go, and a few who stop reading.

    python3 soak_crowd.py [--idle 500] [--active 40] [--churn 20] [--slow 5] [--stall 10] HOST:PORT:AUTHORITY

`churn` of them come every second. Says `ready` when those who stay are there, and goes on when it reads a line. With the next line nobody
comes any more; when all are gone who would go, it says what it has seen, as JSON, and waits for the last line.
`stall` is how many seconds without progress the server grants those who do not read.
"""

import argparse
import json
import random
import select
import sys
import time

from swarm import HELLO_BEGINS, Over, Swarm, Unexpected
from swarm_people import People, address
from sealwire_contract import fresh_id

UNDER_WAY = 60
# More than a kernel takes for somebody who does not read, in pages of one message.
PAGES = 100
PAGE = b"x" * 60_000
SLOW_READ_BYTES = 4096
PATIENCE_S = 30
GOING_S = 120


class Crowd:
    def __init__(self, said, host, port, authority):
        self.said = said
        self.swarm = Swarm(host, port)
        self.people = People(host, port, authority, said.idle + said.active)
        self.slow_ones = People(host, port, authority, said.slow, prefix="slow", each=1)
        self.there = 0
        self.came = 0
        self.slow_due = []
        self.rooms = {}

    @property
    def counts(self):
        return self.swarm.counts

    # Who stays.

    def idle(self, number):
        def idle(peer):
            yield from self.people.log_in(peer, number)
            self.there += 1
            yield from peer.stay()

        return idle

    def active(self, number):
        def active(peer):
            yield from self.people.log_in(peer, number)
            self.there += 1
            while True:
                yield from peer.pause(random.uniform(0.5, 1.5))
                yield from self.ask(peer)

        return active

    def ask(self, peer):
        """Something that has an answer."""
        began = time.monotonic()
        if random.random() < 0.5:
            yield from peer.call("session.ping")
        else:
            data = random.randbytes(random.randint(1, 900))
            answer = yield from peer.call("session.echo", data=data)
            if answer["data"] != data:
                raise Unexpected("an echo of something else")
        self.counts["asked"] += 1
        self.counts["waited_ms"] += int((time.monotonic() - began) * 1000)

    # Who stops reading: the server drops it, and it comes back.

    def slow(self, number):
        def slow(peer):
            yield from self.slow_ones.log_in(peer, number)
            if number not in self.rooms:
                self.rooms[number] = yield from self.furnish(peer)
            try:
                while True:
                    for _ in range(PAGES):
                        peer.ask("message.history", conversation=self.rooms[number])
                    yield from peer.pause(self.said.stall + 5)
                    # A server that was too busy to fill what a kernel takes has not dropped it: it tries again.
                    yield from peer.result()
            except (OSError, Over):
                pass
            self.counts["slow_dropped"] += 1
            self.slow_due.append((time.monotonic() + random.uniform(2, 8), number))

        return slow

    def furnish(self, peer):
        """A room with something long in it."""
        room = yield from peer.call("room.create", id=fresh_id(), title="long", history="all")
        yield from peer.call("message.send", conversation=room["conversation"], id=fresh_id(), body=PAGE)
        return room["conversation"]

    # Who comes and goes.

    def passing(self, number):
        def passing(peer):
            if random.random() < 0.1:
                peer.tcp.send(HELLO_BEGINS)
                self.counts["cut_in_handshake"] += 1
                return
            yield from self.people.log_in(peer, number)
            yield from self.ask(peer)
            yield from peer.pause(random.uniform(0, 2))
            self.counts[(yield from peer.go())] += 1

        return passing

    # All of them.

    def gather(self):
        stay = [self.idle] * self.said.idle + [self.active] * self.said.active
        for number, play in enumerate(stay):
            self.swarm.begin(play(number), address(number))
            self.swarm.until(lambda: len(self.swarm) - self.there < UNDER_WAY or self.swarm.reasons, PATIENCE_S, "login")
        self.swarm.until(lambda: self.there == len(stay) or self.swarm.reasons, PATIENCE_S, "login of all")

    def run(self):
        """Until a line is read."""
        began = time.monotonic()
        self.slow_due = [(began + 0.1 * number, number) for number in range(self.said.slow)]
        while not select.select([sys.stdin], [], [], 0)[0]:
            now = time.monotonic()
            if self.came < (now - began) * self.said.churn:
                self.swarm.begin(self.passing(self.came), address(self.came))
                self.came += 1
            for due in [due for due in self.slow_due if due[0] <= now]:
                self.slow_due.remove(due)
                self.swarm.begin(self.slow(due[1]), address(due[1]), SLOW_READ_BYTES)
            self.swarm.step(10)
        sys.stdin.readline()

    def wait_for_those_who_go(self):
        deadline = time.monotonic() + GOING_S
        while len(self.swarm) > self.stay and time.monotonic() < deadline:
            self.swarm.step(20)

    @property
    def stay(self):
        return self.said.idle + self.said.active

    def figures(self):
        return {**self.counts, "came": self.came, "stayed": len(self.swarm), "reasons": self.swarm.reasons}


def main():
    parser = argparse.ArgumentParser()
    for name, standard in {"idle": 500, "active": 40, "churn": 20, "slow": 5, "stall": 10}.items():
        parser.add_argument(f"--{name}", type=int, default=standard)
    parser.add_argument("server")
    said = parser.parse_args()
    host, port, authority = said.server.split(":", 2)
    crowd = Crowd(said, host, int(port), authority)
    crowd.gather()
    print("ready", flush=True)
    crowd.swarm.while_waiting(sys.stdin)
    crowd.run()
    crowd.wait_for_those_who_go()
    print(json.dumps(crowd.figures()), flush=True)
    crowd.swarm.while_waiting(sys.stdin)


if __name__ == "__main__":
    try:
        main()
    except Unexpected as reason:
        sys.exit(f"FAILED  {reason}")
