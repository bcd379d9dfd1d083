"""Strangers from many addresses take every place for those without a login, while two people talk.

    python3 full_house.py --pid PID [--places 60] HOST:PORT:AUTHORITY

The server never holds more than `places` strangers. They stay in their handshake, so the oldest makes room when a good client
comes, who logs in at once while the house is full. The two who are logged in notice nothing.
"""

import itertools
import sys
import time

from load import Beside, arguments, demand, percentile
from pair import Pair
from patience import at_most
from process_watch import descriptors, wait_for_descriptors
from sealwire_classic import Client, Unexpected
from strangers import Crowd

# What the slowest tenth may take.
ROUND_TRIP_S = at_most(0.5, 2)
LATECOMERS = 200
FULL_S = 2
ROOM_S = at_most(1, 5)


def fill(tell, over, host, port, places):
    crowd = Crowd(host, port, "greet")
    sources = (f"127.{2 + n // 62500 % 200}.{n // 250 % 250}.{1 + n % 250}" for n in itertools.count())

    def come(count):
        for _ in range(min(count, crowd.room)):
            crowd.open(next(sources))
        crowd.look()

    deadline = time.monotonic() + 30
    while crowd.inside < places:
        demand(time.monotonic() < deadline, f"the house is not full after 30 s: {crowd}")
        # Those who come before the others were answered take their places: a server that is behind would never be seen full.
        if crowd.under_way == 0:
            come(10)
        else:
            crowd.look()
    crowd.until(lambda: crowd.under_way == 0, 10, "answer to everybody")
    full = crowd.figures()
    tell(full)
    for _ in range(LATECOMERS // 10):
        come(10)
    crowd.until(lambda: crowd.under_way == 0, 10, "answer to the latecomers")
    tell({name: value - full[name] for name, value in crowd.figures().items()})
    while not over():
        crowd.look()
    crowd.close()
    return crowd.figures()


def main():
    said = arguments(places=60)
    pair = Pair(said.server)
    base = descriptors(said.pid)
    with Beside(fill, *said.server[:2], said.places) as strangers:
        waits = pair.round_trips(lambda: strangers.has_told)
        full = strangers.told(1)
        until = time.monotonic() + FULL_S
        waits += pair.round_trips(lambda: strangers.has_told and time.monotonic() > until)
        late = strangers.told(1)
        peak = descriptors(said.pid)
        began = time.monotonic()
        guest = Client(*said.server, source="127.0.0.9")
        guest.login("bob")
        guest.acked("OK")
        guest_s = time.monotonic() - began
        guest.close()
        strangers.finish()
    began = time.monotonic()
    left = wait_for_descriptors(said.pid, base, 10)
    again = Client(*said.server, source="127.0.0.8")
    again.login("alice")
    again.acked("OK")
    again_s = time.monotonic() - began
    p90 = percentile(waits, 0.9)
    print(
        f"{full['opened']} connects filled {full['inside']} places; then {late['opened']} more: {late['answered']} answered, "
        f"{late['refused']} refused; {len(waits)} round trips took {percentile(waits, 0.5) * 1000:.1f} ms at p50, "
        f"{p90 * 1000:.1f} at p90, {percentile(waits, 0.99) * 1000:.1f} at p99; descriptors {base}, {peak} when full, {left} after; "
        f"login after {again_s:.2f} s"
    )
    demand(full["peak"] == said.places, f"{full['peak']} strangers were inside at once")
    demand(late["answered"] + late["refused"] == late["opened"] >= LATECOMERS, "a latecomer got neither an answer nor a refusal")
    demand(late["dropped"] <= late["answered"] + 1, "somebody lost a place to nobody")
    demand(guest_s < ROOM_S, f"a good client needed {guest_s:.2f} s to log in while the house was full")
    demand(peak <= base + said.places + 1, f"{peak} descriptors were open when the house was full")
    demand(p90 < ROUND_TRIP_S, f"a round trip took {p90:.2f} s at p90")
    again.close()
    pair.close()


if __name__ == "__main__":
    try:
        main()
    except Unexpected as reason:
        sys.exit(f"FAILED  {reason}")
