"""Handshakes as fast as one process makes them, while two people talk.

    python3 handshake_flood.py --pid PID [--budget 50] [--rate 500] [--seconds 3] [--way snub] HOST:PORT:AUTHORITY

The server begins `budget` handshakes at once and as many a second after that, and drops the other connections before a byte of
TLS. What the two say to each other arrives meanwhile. With `--way snub` the strangers leave as soon as the server has signed.
"""

import sys
import time

from load import Beside, arguments, at_rate, cpu_seconds, demand, percentile
from pair import Pair
from patience import at_most
from process_watch import descriptors, wait_for_descriptors
from sealwire_classic import Unexpected
from strangers import Crowd

# What the slowest tenth may take. On a quiet machine 50 ms is wanted of the slowest hundredth.
ROUND_TRIP_S = at_most(0.5, 2)


def flood(_tell, over, host, port, rate, way):
    crowd = Crowd(host, port, way)
    began = time.monotonic()
    at_rate(crowd, ["127.0.0.2", "127.0.0.3"], rate, over)
    crowd.until(lambda: crowd.under_way == 0, 20, "answer to everybody")
    seconds = time.monotonic() - began
    crowd.close()
    return {**crowd.figures(), "seconds": seconds}


def talk(pair, seconds):
    until = time.monotonic() + seconds
    return pair.round_trips(lambda: time.monotonic() > until, 0.01)


def shown(waits):
    return f"{percentile(waits, 0.5) * 1000:.1f} ms at p50, {percentile(waits, 0.99) * 1000:.1f} at p99"


def main():
    said = arguments(budget=50, rate=500, seconds=3.0, way="leave")
    pair = Pair(said.server)
    base = descriptors(said.pid)
    quiet = talk(pair, said.seconds / 3)
    cpu = cpu_seconds(said.pid)
    with Beside(flood, *said.server[:2], said.rate, said.way) as strangers:
        loud = talk(pair, said.seconds)
        flooded = strangers.finish()
    cpu = cpu_seconds(said.pid) - cpu
    left = wait_for_descriptors(said.pid, base, 10)
    print(
        f"{flooded['opened']} connects in {flooded['seconds']:.1f} s: {flooded['answered']} answered, {flooded['secured']} complete, "
        f"{flooded['refused']} refused, {cpu:.2f} s of processor time; round trips took {shown(loud)}, {shown(quiet)} before; "
        f"descriptors {base}, {left} after"
    )
    allowed = said.budget * (flooded["seconds"] + 1) + 1
    demand(flooded["answered"] <= allowed, f"{flooded['answered']} handshakes were begun, {allowed:.0f} may be")
    came_far = flooded["secured"] if said.way == "leave" else flooded["answered"]
    demand(came_far >= said.budget, f"{came_far} handshakes went as far as they should, {said.budget} may at least")
    demand(flooded["refused"] > 0, "the flood was not larger than the budget")
    p90 = percentile(loud, 0.9)
    demand(p90 < ROUND_TRIP_S, f"a round trip took {p90:.2f} s at p90")
    pair.close()


if __name__ == "__main__":
    try:
        main()
    except Unexpected as reason:
        sys.exit(f"FAILED  {reason}")
