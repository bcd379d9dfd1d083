"""What an idle connection costs, and whether the memory of those who left serves those who come.

    python3 idle_memory.py --pid PID [--count 1000] [--logged-in 0] [--allowed-kib 20] HOST:PORT:AUTHORITY

`count` strangers complete the handshake and say nothing; or, with `--logged-in 1`, all of them log in to one account. They
leave, and as many come again: the second plateau is hardly higher than the first.
"""

import sys
import time

from load import arguments, demand
from process_watch import descriptors, resident_bytes, wait_for_descriptors
from sealwire_classic import ACK, LOGIN, PASSWORD, Client, Unexpected, encode
from strangers import Crowd

KIB = 1024
GROWTH = 0.05
STEP = 50


def settled(pid, seconds=0.5):
    """Resident memory when it is still for a moment."""
    last, still = resident_bytes(pid), 0
    deadline = time.monotonic() + 20 * seconds
    while still < 5 and time.monotonic() < deadline:
        time.sleep(seconds / 5)
        now = resident_bytes(pid)
        still = still + 1 if abs(now - last) < 256 * KIB else 0
        last = now
    return last


def plateau(said, count):
    """Memory with `count` of them there."""
    words = {"words": encode(LOGIN, f"idle:{PASSWORD}"), "answer": encode(ACK, "OK")} if said.logged_in else {}
    crowd = Crowd(*said.server[:2], "stay", **words)
    sources = [f"127.0.1.{1 + n}" for n in range(8)]

    def there():
        return crowd.welcome if said.logged_in else crowd.secured

    while crowd.opened < count:
        if crowd.opened - there() < STEP:
            crowd.open(sources[crowd.opened % len(sources)])
        crowd.look(0 if crowd.opened - there() < STEP else 5)
        demand(crowd.dropped + crowd.refused == 0, f"the server has ended some: {crowd}")
    crowd.until(lambda: there() == count, 60, f"{count} connections")
    while crowd.look(100):
        pass
    resident = settled(said.pid)
    held = descriptors(said.pid)
    demand(crowd.inside == count, f"{crowd.inside} are still there: {crowd}")
    crowd.close()
    return resident, held


def main():
    said = arguments(count=1000, logged_in=0, allowed_kib=20, noise_mib=4)
    idle = Client(*said.server, name="idle")
    idle.register("idle")
    idle.acked("OK")
    at_first = descriptors(said.pid)
    plateau(said, max(10, said.count // 10))
    wait_for_descriptors(said.pid, at_first, 10)
    base = settled(said.pid)
    first, held = plateau(said, said.count)
    wait_for_descriptors(said.pid, at_first, 10)
    between = settled(said.pid)
    second, _ = plateau(said, said.count)
    left = wait_for_descriptors(said.pid, at_first, 10)
    each = (max(first, second) - base) / said.count / KIB
    mib = [round(bytes / KIB / KIB, 1) for bytes in (base, first, between, second)]
    print(
        f"{said.count} idle connections{' logged in' if said.logged_in else ''}: {each:.1f} KiB each; "
        f"{mib[0]} MiB before, {mib[1]} with them, {mib[2]} between, {mib[3]} again ({second / first - 1:+.1%}); "
        f"descriptors {at_first}, {held} with them, {left} after"
    )
    noise = said.noise_mib * KIB * KIB
    demand(max(first, second) - base <= said.count * said.allowed_kib * KIB + noise, f"each connection costs {each:.1f} KiB")
    demand(second <= first * (1 + GROWTH) + noise, f"the second plateau is {second / first - 1:+.1%} from the first")
    idle.find("nobody")
    idle.refused("NOPE")
    idle.close()


if __name__ == "__main__":
    try:
        main()
    except Unexpected as reason:
        sys.exit(f"FAILED  {reason}")
