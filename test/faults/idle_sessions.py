"""What a session costs that is logged in and says nothing, and whether what those who left have used serves those who come.

    python3 idle_sessions.py [--count 10000] HOST:PORT:AUTHORITY

Says `crowd N` when N sessions are there, and goes on when it reads a line: they leave, `empty`; as many come again, `crowd N`; and
leave. Every fourth logs in with the certificate of a device, the others with tokens; from 200 addresses.
"""

import argparse
import sys

from swarm import Swarm, Unexpected
from swarm_people import People, address

UNDER_WAY = 60


def gather(swarm, people, count):
    came = 0

    def stay(number):
        def idle(peer):
            nonlocal came
            yield from people.log_in(peer, number)
            came += 1
            yield from peer.stay()

        return idle

    for number in range(count):
        swarm.begin(stay(number), address(number))
        swarm.until(lambda: len(swarm) - came < UNDER_WAY or swarm.reasons, 60, "login of those who come")
    swarm.until(lambda: came == count or swarm.reasons, 60, "login of all")
    if swarm.reasons:
        raise Unexpected(f"{swarm.counts['failed']} have failed: {swarm.reasons}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("server")
    said = parser.parse_args()
    host, port, authority = said.server.split(":", 2)
    people = People(host, int(port), authority, said.count)
    for _ in range(2):
        swarm = Swarm(host, int(port))
        gather(swarm, people, said.count)
        print(f"crowd {len(swarm)}", flush=True)
        swarm.while_waiting(sys.stdin)
        if len(swarm) != said.count:
            raise Unexpected(f"{len(swarm)} are still there: {swarm.reasons}")
        swarm.close()
        print("empty", flush=True)
        sys.stdin.readline()


if __name__ == "__main__":
    try:
        main()
    except Unexpected as reason:
        sys.exit(f"FAILED  {reason}")
