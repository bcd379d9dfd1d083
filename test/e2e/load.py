"""What the programs that load a server have in common: a process beside, a rate, figures, the command line."""

import argparse
import multiprocessing
import os
import time

from sealwire_classic import Unexpected


class Beside:
    """`work(tell, over, …)` in a process of its own: it tells figures, and ends when `over()`.

    Nobody's time is measured in the process that makes the load.
    """

    def __init__(self, work, *args):
        fork = multiprocessing.get_context("fork")
        self._told, tell = fork.Pipe()
        self._process = fork.Process(target=_work, args=(work, tell, self._told, args), daemon=True)
        self._process.start()
        tell.close()

    @property
    def has_told(self):
        return self._told.poll()

    def told(self, seconds):
        """What it tells next."""
        if not self._told.poll(seconds):
            raise Unexpected(f"the load beside has told nothing for {seconds} s")
        try:
            answer = self._told.recv()
        except EOFError as reason:
            raise Unexpected("the load beside has ended") from reason
        if isinstance(answer, Exception):
            raise answer
        return answer

    def finish(self, seconds=20):
        """Tells it that it is over; its last figures."""
        self._told.send("over")
        return self.told(seconds)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.join()


def _work(work, pipe, other_end, args):
    # Held open here too, it would keep this process from seeing that the other one has died.
    other_end.close()
    try:
        pipe.send(work(pipe.send, pipe.poll, *args))
    except Exception as reason:
        pipe.send(Unexpected(f"the load beside: {reason!r}"))


def at_rate(crowd, sources, per_second, over, each_look=lambda: None):
    """Opens connections from `sources` in turn, `per_second` of them, until `over()`; how long that was."""
    began = time.monotonic()
    opened = 0
    while not over():
        due = int((time.monotonic() - began) * per_second) - opened
        for _ in range(min(due, 100, crowd.room)):
            crowd.open(sources[opened % len(sources)])
            opened += 1
        crowd.look(1)
        each_look()
    return time.monotonic() - began


def percentile(seconds, share):
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def arguments(**numbers):
    """The command line of every program: the server, its process, and numbers with their defaults."""
    parser = argparse.ArgumentParser()
    for name, standard in numbers.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(standard), default=standard)
    parser.add_argument("--pid", type=int, required=True)
    parser.add_argument("server", metavar="HOST:PORT:AUTHORITY")
    said = parser.parse_args()
    host, port, authority = said.server.split(":", 2)
    said.server = (host, int(port), authority)
    return said


def demand(holds, what):
    if not holds:
        raise Unexpected(what)


def cpu_seconds(pid):
    """Processor time of a process so far."""
    with open(f"/proc/{pid}/stat") as stat:
        user, system = stat.read().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
