"""A peer that misbehaves in every way of the list (misbehaviours.py), against real servers.

    python3 hostile_peer.py [--rounds N] [--only TEXT] [--list] < SERVERS

SERVERS is JSON: for each server its process, its authority and its ports, as in ground.py. After every misbehaviour the server is the
same process, whoever means well is answered, somebody new gets in, and its descriptors are back. With two rounds its memory after the
second is that after the first, or little more. hostile-peer.test.ts says how the servers are started.
"""

import argparse
import concurrent.futures
import json
import os
import sys
import time
import traceback

import misbehaviours
from good import Good
from ground import Ground, Stage
from process_watch import descriptors, wait_for_descriptors
from sealwire_classic import Unexpected

ROWS_MIN = 100
FAILURES_MAX = 20
GROWTH_MAX = {"resident": 1.1, "heap": 1.25}
"""Of memory, from one round to the next: a tenth of what a process has, and of its heap as many megabytes."""
IMPATIENT = "impatient"
ENDING_S = 2
"""How long a process may take to end behind the last of its connections."""


class Play:
    def __init__(self, ground, settle_s):
        self.ground = ground
        self.good = {name: Good(ground, name, name != IMPATIENT) for name in ground.servers}
        for name, good in self.good.items():
            ground.token(name)
            good.look()
        self._bases = {name: descriptors(server.pid) for name, server in ground.servers.items()}
        self.failures = 0
        self._settle_s = settle_s
        self._memory = {name: [] for name in ground.servers}
        """What each server had after each row of the round."""

    def round(self, rows):
        self._memory = {name: [] for name in self.ground.servers}
        for row in (row for row in rows if row.server != IMPATIENT):
            self._report(row, *self._timed(row))
        self._side_by_side([row for row in rows if row.server == IMPATIENT])

    def _side_by_side(self, rows):
        """Rows that wait for a server that does not; all the while good clients are looked after."""
        with concurrent.futures.ThreadPoolExecutor(len(rows) or 1) as threads:
            played = [(row, threads.submit(self._play, row)) for row in rows]
            while not all(future.done() for _, future in played):
                self._look_around()
                time.sleep(0.1)
        for row, future in played:
            self._report(row, *self._timed(row, future.result))

    def _look_around(self):
        try:
            self.good[IMPATIENT].look()
        except Exception:
            self._failed(traceback.format_exc())

    def _timed(self, row, play=None):
        began = time.monotonic()
        try:
            (play or (lambda: self._play(row)))()
            self._aftermath(row.server)
        except Exception:
            return time.monotonic() - began, traceback.format_exc()
        return time.monotonic() - began, None

    def _play(self, row):
        with Stage(self.ground, row.server) as stage:
            found = row.run(stage)
        found = found if isinstance(found, list) else [found]
        if not found or any(each != row.then for each in found):
            raise Unexpected(f"must be {row.then!r}, and is {sorted(set(found))}")

    def _aftermath(self, name):
        server = self.ground.servers[name]
        if not server.is_alive():
            raise Unexpected(f"the server {name} is gone")
        self.good[name].look()
        wait_for_descriptors(server.pid, self._bases[name], self._settle_s)
        self._memory[name].append(server.memory())

    def _report(self, row, took, failure):
        print(f"{'ok     ' if failure is None else 'FAILED '} {row.group} {row.name}: {row.does} → {row.then} ({took:.2f} s)")
        if failure is not None:
            self._failed(failure)

    def _failed(self, failure):
        """Says so, and goes on while that tells anything."""
        print(failure)
        self.failures += 1
        if self.failures == FAILURES_MAX or self._is_one_gone():
            print("FAILED  too often, or a server is gone")
            os._exit(1)  # Threads may wait for a server that is not there.

    def _is_one_gone(self):
        deadline = time.monotonic() + ENDING_S
        while all(server.is_alive() for server in self.ground.servers.values()):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def end_of_round(self):
        """Passwords work, descriptors are back, and the least memory that each server had in the second half of the round."""
        for name, good in self.good.items():
            good.log_in()
            wait_for_descriptors(self.ground.servers[name].pid, self._bases[name], self._settle_s)
            self._memory[name].append(self.ground.servers[name].memory())
        return {name: least(seen[len(seen) // 2 :]) for name, seen in self._memory.items()}

    def grown(self, before, after):
        """Who has more of which memory than a round before. What the collector has not come to yet it is given time for."""
        for name, server in self.ground.servers.items():
            deadline = time.monotonic() + self._settle_s
            while has_grown(before[name], after[name]) and time.monotonic() < deadline:
                self.good[name].look()
                time.sleep(0.2)
                after[name] = least([after[name], server.memory()])
            print(f"memory of {name}: {mebibytes(before[name])} in a round, {mebibytes(after[name])} in the next")
        return {(name, kind) for name in before for kind in has_grown(before[name], after[name])}


def least(memories):
    """Of each kind: what comes and goes with the collector is above it, what leaks raises it."""
    return {kind: min(memory[kind] for memory in memories) for kind in memories[0]}


def has_grown(before, now):
    return [kind for kind in now if now[kind] > before[kind] * GROWTH_MAX[kind]]


def mebibytes(memory):
    return ", ".join(f"{kind} {count / 2**20:.0f} MiB" for kind, count in memory.items())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--settle", type=float, default=15, metavar="SECONDS", help="how long descriptors and memory may take to come back")
    parser.add_argument("--only", default="", help="rows whose group and name have one of these, separated by commas")
    parser.add_argument("--list", action="store_true", help="print the list and play nothing")
    options = parser.parse_args()
    if options.list:
        return misbehaviours.table()
    rows = misbehaviours.every()
    assert len(rows) >= ROWS_MIN, f"{len(rows)} misbehaviours"
    rows = [row for row in rows if any(each in f"{row.group} {row.name}" for each in options.only.split(","))]
    ground = Ground(json.load(sys.stdin))
    rows = [row for row in rows if row.server in ground.servers]
    play, memory, grown = Play(ground, options.settle), None, {(name, kind) for name in ground.servers for kind in GROWTH_MAX}
    # What leaks grows with every round: what has grown once has one round more to show that it does not go on.
    for number in range(options.rounds + 1):
        if number == options.rounds and (options.rounds == 1 or not grown):
            break
        play.round(rows)
        after = play.end_of_round()
        if memory is not None:
            grown &= play.grown(memory, after)
        memory = after
    for name, kind in grown if options.rounds > 1 else ():
        play.failures += 1
        print(f"FAILED  memory of {name} grows: {kind}")
    slowest = max(good.slowest for good in play.good.values())
    print(f"{len(rows)} misbehaviours, at least {options.rounds} times, {play.failures} failures; good clients waited at most {slowest:.2f} s")
    return 1 if play.failures else 0


if __name__ == "__main__":
    sys.exit(main())
