"""One address takes all it is given and keeps connecting, while people from elsewhere log in.

    python3 greedy_address.py --pid PID [--rate 400] [--tries 30] [--held 20] [--burst 30] [--pace 10] HOST:PORT:AUTHORITY

The server holds `held` connections without a login of one address, and lets it open `burst` at once and `pace` a second
after that. Everything beyond is dropped before a byte of TLS; everybody else logs in within a second, at the first try.
"""

import sys
import time

from load import Beside, arguments, at_rate, demand, percentile
from patience import at_most
from process_watch import descriptors, wait_for_descriptors
from sealwire_classic import Client, Unexpected
from strangers import Crowd

LOGIN_S = at_most(1, 5)
# So few tries have no 99th percentile: the second slowest counts then.
FEW = 100
GREEDY = "127.0.0.2"
# Accepted in one turn of the server's loop, and gone by its end.
JUST_ACCEPTED = 150


def greed(tell, over, host, port, rate, held):
    crowd = Crowd(host, port, "stay")
    told = False

    def tell_when_full():
        nonlocal told
        if not told and crowd.inside >= held:
            told = True
            tell("full")

    seconds = at_rate(crowd, [GREEDY], rate, over, tell_when_full)
    figures = {**crowd.figures(), "seconds": seconds}
    crowd.close()
    return figures


def log_in(server, source):
    began = time.monotonic()
    client = Client(*server, source=source, name="good")
    client.login("good")
    client.acked("OK")
    took = time.monotonic() - began
    client.close()
    return took


def main():
    said = arguments(rate=400, tries=30, held=20, burst=30, pace=10)
    good = Client(*said.server, source="127.0.0.9")
    good.register("good")
    good.acked("OK")
    base = descriptors(said.pid)
    with Beside(greed, *said.server[:2], said.rate, said.held) as attacker:
        attacker.told(20)
        logins, peak = [], 0
        for n in range(said.tries):
            logins.append(log_in(said.server, f"127.0.0.{10 + n % 40}"))
            peak = max(peak, descriptors(said.pid))
        attack = attacker.finish()
    left = wait_for_descriptors(said.pid, base, 10)
    p50, p99 = percentile(logins, 0.5), percentile(logins, 0.99)
    print(
        f"{attack['opened']} connects in {attack['seconds']:.1f} s from one address: {attack['answered']} answered, at most "
        f"{attack['peak']} at once, {attack['refused']} refused; {len(logins)} logins from elsewhere took {p50 * 1000:.0f} ms "
        f"at p50, {p99 * 1000:.0f} at p99, {max(logins) * 1000:.0f} at most; descriptors {base}, at most {peak}, {left} after"
    )
    demand(attack["peak"] == said.held, f"the attacker had {attack['peak']} connections at once")
    allowed = said.burst + said.pace * attack["seconds"] + 1
    demand(attack["answered"] <= allowed, f"{attack['answered']} of the attacker's connections were answered, {allowed:.0f} may be")
    demand(attack["refused"] > attack["answered"], "the attacker was hardly ever refused")
    slow = p99 if said.tries >= FEW else sorted(logins)[-2]
    demand(slow < LOGIN_S, f"a login took {slow:.2f} s")
    demand(peak <= base + said.held + 1 + JUST_ACCEPTED, f"{peak} descriptors were open at once")
    good.find("nobody")
    good.refused("NOPE")
    good.close()


if __name__ == "__main__":
    try:
        main()
    except Unexpected as reason:
        sys.exit(f"FAILED  {reason}")
