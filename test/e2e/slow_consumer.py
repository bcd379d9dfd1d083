"""Peers that stop reading in the middle of a chat: what they cost, and that only they are dropped.

    python3 slow_consumer.py --pid main=PID main=HOST:PORT:AUTHORITY

The server drops a peer that has taken nothing for a second (`outputStallMsMax`), and its rates are lifted.
"""

import time

from patience import at_most
from process_watch import descriptors, resident_bytes, wait_for_descriptors
from sealwire_classic import ACK, ERROR, MESSAGE, Frame, Unexpected, encode
from stage import arguments, play, row

WHOLE = ("whole",)
MIB = 1024 * 1024
COST_MAX = 4 * MIB
STALL_S = 1
OTHERS_WAIT_S = at_most(1, 5)
# So many that what a server needs beside, garbage above all, is little of it.
PAIRS = 50
MESSAGES = encode(MESSAGE, b"x" * 2000) * 10_000


class Speaker:
    """Says ten thousand messages to somebody who does not read, until told that he has gone."""

    def __init__(self, client):
        self.client = client
        self.acknowledged = 0
        self.answered = 0
        self.told_after = None
        self._left = memoryview(MESSAGES)
        self._began = time.monotonic()

    def go_on(self):
        taken = self.client.offer(self._left)
        while taken > 0:
            self._left = self._left[taken:]
            taken = self.client.offer(self._left)
        for frame in self.client.take():
            if frame == Frame(ACK, b"OK") and self.told_after is None:
                self.acknowledged += 1
            elif frame == Frame(ERROR, b"EXIT") and self.told_after is None:
                self.told_after = time.monotonic() - self._began
            elif frame != Frame(ERROR, b"NOCHAT") or self.told_after is None:
                raise Unexpected(f"{self.client.name} is told {frame}")


class Others:
    """Two people whose chat goes on: how long the slowest answer took."""

    def __init__(self, stage):
        self._people = stage.chat()
        self.slowest = 0

    def talk(self):
        speaker, listener = self._people
        began = time.monotonic()
        speaker.say("do you hear me?")
        speaker.acked("OK")
        listener.heard(f"{speaker.name}: do you hear me?")
        self.slowest = max(self.slowest, time.monotonic() - began)


def stall(stage, others, count):
    """`count` chats whose callees stop reading: the memory before, the highest on the way, and the speakers."""
    pid = said.pids["main"]
    pairs = [stage.chat(fresh=True, receive_bytes=4096) for _ in range(count)]
    before = highest = settled_memory()
    speakers = [Speaker(alice) for alice, _ in pairs]
    while any(speaker.told_after is None for speaker in speakers):
        for speaker in speakers:
            speaker.go_on()
        others.talk()
        highest = max(highest, resident_bytes(pid))
        if time.monotonic() - speakers[0]._began > 40:
            raise Unexpected("somebody who does not read is never dropped")
        time.sleep(0.005)
    for alice, bob in pairs:
        stage.gone(alice)
        stage.gone(bob)
        heard = read_all(bob)
        if [frame.command for frame in heard] != [MESSAGE] * len(heard):
            raise Unexpected(f"{bob.name} is dropped with the words {heard[-1]}")
        alice.cut()
        bob.cut()
    return before, highest, speakers


def read_all(client):
    try:
        return client.read_to_end()
    except Unexpected as reason:
        raise Unexpected(f"{client.name} reads what was left: {reason}") from reason


def settled_memory():
    """The memory of the server when it has nothing to do: the highest of a second, as garbage comes and goes."""
    samples = []
    for _ in range(20):
        samples.append(resident_bytes(said.pids["main"]))
        time.sleep(0.05)
    return max(samples)


@row("peers that do not read cost at most 4 MiB each and are dropped; the others go on", WHOLE)
def does_not_read(stage):
    others = Others(stage)
    stall(stage, others, 2)  # Warms up: code is compiled, buffers have their size.
    base = descriptors(said.pids["main"])
    before, highest, speakers = stall(stage, others, PAIRS)
    cost = (highest - before) / PAIRS
    slowest = max(speaker.told_after for speaker in speakers)
    print(
        f"        before {before / MIB:.1f} MiB, highest {highest / MIB:.1f} MiB, {cost / MIB:.2f} MiB a peer; "
        f"{speakers[0].acknowledged} messages handed over; EXIT after {slowest:.1f} s; others waited at most {others.slowest:.2f} s"
    )
    if cost > COST_MAX:
        raise Unexpected(f"a peer that does not read costs {cost / MIB:.1f} MiB")
    if not STALL_S * 0.9 < min(speaker.told_after for speaker in speakers) or slowest > STALL_S + at_most(6, 15):
        raise Unexpected(f"peers that do not read are dropped after up to {slowest:.1f} s")
    if others.slowest > OTHERS_WAIT_S:
        raise Unexpected(f"others waited {others.slowest:.2f} s for an answer")
    wait_for_descriptors(said.pids["main"], base, 15)


if __name__ == "__main__":
    said = arguments()
    play(said)
