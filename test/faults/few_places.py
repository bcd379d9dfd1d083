"""Strangers who take every place that a server has, on all its ports, and come again when they are sent away.

    python3 few_places.py NAME=PORT:AUTHORITY …

One whose AUTHORITY is empty speaks no TLS: strangers there connect and say nothing, as do those elsewhere when TLS is there. With
the next line they leave, and it says what it has seen, as JSON.
"""

import json
import sys

from swarm import Swarm, select, ssl
from swarm_people import address

# Of each port, at once. All of them together want far more places than there are.
STRANGERS = 120
EVERY_S = 0.02


class Port:
    def __init__(self, name, port, authority):
        self.name = name
        self.swarm = Swarm("127.0.0.1", port)
        self._context = ssl.create_default_context(cafile=authority) if authority else None
        self.inside = 0
        self._came = 0

    def stranger(self, peer):
        if self._context is not None:
            yield from peer.begin_handshake(self._context)
            while not peer.shakes_hands():
                peer.flush()
                yield from peer.more()
            peer.flush()
        self.inside += 1
        yield from peer.stay()

    def come(self):
        if len(self.swarm) < STRANGERS:
            self._came += 1
            self.swarm.begin(self.stranger, address(self._came))


def main():
    ports = []
    for said in sys.argv[1:]:
        name, _, place = said.partition("=")
        port, _, authority = place.partition(":")
        ports.append(Port(name, int(port), authority))
    while not select.select([sys.stdin], [], [], EVERY_S)[0]:
        for port in ports:
            port.come()
            port.swarm.step(0)
    for port in ports:
        port.swarm.close()
    print(json.dumps({port.name: {"inside": port.inside, "sent_away": port.swarm.counts["failed"]} for port in ports}), flush=True)


if __name__ == "__main__":
    main()
