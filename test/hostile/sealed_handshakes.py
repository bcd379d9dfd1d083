"""What no end of the sealed channel takes: the rows of sealed_negative.py, by what is wrong with them. None is answered with a byte."""

import re

import sealed_negative
from ground import HOST
from misbehaviours import List
from sealed_channel import Broken

rows = List("sealed", "sealed")

# In this order: a row belongs to the first of which it has the words.
KINDS = (
    ("as-it-should-be", "sends nothing wrong, in each place where something will be", r"as it should be", "answered"),
    ("other-protocol", "speaks something else, or version 1 where it is off", r"^begins with", "closed"),
    ("preamble", "changes each byte of the preamble, and its pattern", r"preamble, byte|pattern \d|number of another pattern|flags that", "closed"),
    ("hello-length", "lies about the length of its hello", r"^\w\w length \d", "closed"),
    ("hello-cut", "ends at each place of its hello", r"cut after \d+ bytes$(?<!record)", "closed"),
    ("hello-flipped", "changes each byte of its hello", r"first message, byte|first message flipped", "closed"),
    ("hello-binding", "has another channel, or another key of the server in mind", r"wrong binding|another key of the server", "closed"),
    ("low-order", "sends keys of low order", r"of low order", "closed"),
    ("third-flipped", "changes each byte of its third message", r"third message, byte", "closed"),
    ("third-length", "lies about the length of its third message", r"third message of", "closed"),
    ("third-other", "sends no third message, two of them, or something before it", r"third message|before the third", "closed"),
    ("hello-replayed", "replays a hello, with its records and without", r"replayed", "closed"),
    ("record-flipped", "changes each byte of a record", r"record, byte", "closed"),
    ("record-length", "sends records of no, of too few and of 4 GiB of bytes", r"record of \d", "closed"),
    ("tag-short", "shortens a tag", r"tag of \d", "closed"),
    ("counter", "counts wrongly: again, too far, with other bits", r"number \d+ again|number with bit|nonce with bit", "closed"),
    ("record-order", "repeats, swaps and leaves out records", r"record repeated|another order|left out", "closed"),
    (
        "record-foreign",
        "sends records of other directions, channels and keys",
        r"other direction|of zeros|own record sent back|another channel|old key",
        "closed",
    ),
    ("header", "does not authenticate the header", r"header", "closed"),
    ("type", "sends types that there are not, data where there may be none, none where there must be", r"type \d|data without data", "closed"),
    ("behind-close", "goes on behind its close, or ends without one", r"behind the close|end without a close", "closed"),
)


def of(kinds, prefix=r"(?!v1)", server="sealed", v1=False):
    """For each kind a function that plays its rows, each of which belongs to one."""

    def run_of(index):
        def run(stage):
            found = []
            for each in sealed_negative.all_rows(peer_of(stage), v1):
                if re.match(prefix, each.name) and kind_of(kinds, each.name) == index:
                    found.append(outcome_of(each))
            return found

        return run

    for index, (name, does, _, then) in enumerate(kinds):
        yield name, does, then, run_of(index), server


def kind_of(kinds, name):
    return next(index for index, kind in enumerate(kinds) if re.search(kind[2], name))


def peer_of(stage):
    """Learns the server's key, and enrols a device there, once."""
    server = stage.server
    if server.negative is None:
        server.negative = sealed_negative.Server(HOST, server.sealed, server.pin)
    return server.negative


def outcome_of(row):
    try:
        found = row.run()
    except (OSError, Broken) as reason:
        return f"{row.name}: {reason!r}"
    if row.answered:
        return "answered" if found is True else f"{row.name}: {found}"
    return "closed" if found == sealed_negative.Outcome(b"", "end") else f"{row.name}: {found}"


for each in of(KINDS):
    rows.add(*each)
