"""How long sessions wait for their answers while strangers make a server shake hands as often as it can.

    python3 flooded_sessions.py [--sessions 50] [--seconds 3] [--rounds 3] [--addresses 200] HOST:PORT:AUTHORITY

3,000 strangers a second come from so many addresses, and go when the server has signed. Each session asks, waits for the answer, rests
for up to 150 ms, and asks again. Prints the waits in ms as JSON.
"""

import argparse
import json
import random
import statistics
import sys
import time

from swarm import Swarm, Unexpected
from swarm_people import ADDRESSES, People, address
from load import Beside, at_rate, percentile
from strangers import Crowd

# So that no account asks more than the 20 times a second that it may.
REST_S = 0.15
STRANGERS_PER_SECOND = 3_000


class Sessions:
    """Who ask all the time, and how long each answer took."""

    def __init__(self, host, port, authority, count):
        self.swarm = Swarm(host, port)
        self.people = People(host, port, authority, count, each=1)
        self.waits = []
        self.there = 0
        for number in range(count):
            self.swarm.begin(self.asking(number), address(number))
        self.swarm.until(lambda: self.there == count or self.swarm.reasons, 30, "login of all")

    def asking(self, number):
        def asking(peer):
            yield from self.people.log_in(peer, number)
            self.there += 1
            while True:
                began = time.monotonic()
                yield from peer.call("session.ping")
                self.waits.append(time.monotonic() - began)
                yield from peer.pause(random.uniform(0, REST_S))

        return asking

    def watch(self, seconds):
        """The waits of so many seconds."""
        self.waits = []
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.swarm.step(2)
        if self.swarm.reasons:
            raise Unexpected(f"sessions have failed: {self.swarm.reasons}")
        return {"answers": len(self.waits), **{f"p{share}": self.at(share) for share in (50, 99)}}

    def at(self, share):
        return round(percentile(self.waits, share / 100) * 1000, 1)


def strangers(_tell, over, host, port, addresses):
    crowd = Crowd(host, port, "snub")
    at_rate(crowd, addresses, STRANGERS_PER_SECOND, over)
    crowd.close()
    return {"handshakes": crowd.answered, "refused": crowd.refused}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sessions", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--addresses", type=int, default=len(ADDRESSES))
    parser.add_argument("server")
    said = parser.parse_args()
    host, port, authority = said.server.split(":", 2)
    sessions = Sessions(host, int(port), authority, said.sessions)
    quiet = sessions.watch(said.seconds / 2)
    with Beside(strangers, host, int(port), ADDRESSES[: said.addresses]) as flood:
        rounds = [sessions.watch(said.seconds) for _ in range(said.rounds)]
        flooded = flood.finish()
    print(json.dumps({"p99": statistics.median(each["p99"] for each in rounds), "quiet": quiet, "rounds": rounds, **flooded}))


if __name__ == "__main__":
    try:
        main()
    except Unexpected as reason:
        sys.exit(f"FAILED  {reason}")
