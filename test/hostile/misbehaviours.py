"""The list: what a hostile peer does, to which server, and what must happen then.

    python3 misbehaviours.py            prints it as a table

A misbehaviour is a function of a Stage (stage.py) that gives back what happened, in words; each of them has to be what the list says:

    refused CODE    a Fault with an id, or an Error of the classic dialect; the connection lives
    ended CODE      the last word of a connection, which is over then
    alert NAME      TLS ended it, and said why
    closed          it ended without a word
    status N        HTTP refused the upgrade; close N: the WebSocket was closed with that code
    ignored         nothing was said, and the connection lives
    noticed         the connection is gone, and whom it concerns was told
    let go          it is gone itself, and nothing of it is left: which is looked at behind every row
    answered        it is none: it was read as if it had been sent well

Whoever adds one puts it beside its like in one of the modules of `lists`.
"""

import collections
import importlib
import pathlib
import sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent), str(pathlib.Path(__file__).resolve().parent.parent / "e2e")]

# Those of `waiting` are played side by side, because each of them waits.
modules = (
    "raw_bytes", "tls_handshakes", "tls_records", "frames", "classic_commands", "contract_frames", "cbor_bodies", "methods", "files", "money",
    "sealed_handshakes", "sealed_v1", "web_upgrades", "web_frames", "endings", "waiting",
)  # fmt: skip

Misbehaviour = collections.namedtuple("Misbehaviour", "group name does then server run")


class List:
    """The misbehaviours of one module; `server` is the one that they are for."""

    def __init__(self, group, server="main"):
        self.group, self.server = group, server
        self.rows = []

    def misbehaves(self, name, does, then, server=None):
        """Registers the function below it."""

        def register(run):
            self.add(name, does, then, run, server)
            return run

        return register

    def add(self, name, does, then, run, server=None):
        self.rows.append(Misbehaviour(self.group, name, does, then, server or self.server, run))


def every():
    """All of them, in their order; no name twice."""
    found = [row for module in modules for row in importlib.import_module(module).rows.rows]
    doubled = [name for name, count in collections.Counter((row.group, row.name) for row in found).items() if count > 1]
    assert not doubled, doubled
    return found


def table():
    lines = [(row.group, row.name, row.does, row.then) for row in every()]
    widths = [max(len(line[column]) for line in lines) for column in range(3)]
    for line in lines:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths)), line[3], sep="  ")
    print(f"{len(lines)} misbehaviours")


if __name__ == "__main__":
    table()
