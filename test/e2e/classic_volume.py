"""Hundreds and thousands of frames in one write, and a reader who is slow.

    python3 classic_volume.py main=HOST:PORT:AUTHORITY roomy=…

`main` has the default rates but waits only a second for them; on `roomy` there are none.
"""

import time

from sealwire_classic import ACK, ERROR, FIND_PEER, MESSAGE, Frame, Unexpected, encode
from stage import arguments, play, row

WHOLE = ("whole",)
OK, BUSY, NOLOG = Frame(ACK, b"OK"), Frame(ERROR, b"BUSY"), Frame(ERROR, b"NOLOG")
BURST = 1000


def numbered(count):
    return b"".join(encode(MESSAGE, f"number {number}") for number in range(count))


def answers(client, data, count):
    """The answers to `count` frames sent at once; not one more."""
    return client.exchange(data, lambda frames: len(frames) >= count, 60)


def hears(listener, speaker, numbers):
    heard = listener.exchange(b"", lambda frames: len(frames) >= len(numbers), 60)
    if heard != [Frame(MESSAGE, f"{speaker.name}: number {number}".encode()) for number in numbers]:
        raise Unexpected(f"of {len(numbers)} messages {len(heard)} arrive, or not in their order")


@row("500 messages in one write: all arrive in their order, all are acknowledged", WHOLE)
def five_hundred(stage):
    alice, bob = stage.chat(fresh=True)
    if answers(alice, numbered(500), 500) != [OK] * 500:
        raise Unexpected("not all of 500 messages are acknowledged")
    hears(bob, alice, range(500))


@row("500 frames of every kind in one write are answered in their order", WHOLE)
def five_hundred_of_all(stage):
    alice = stage.person("alice")
    kinds = ((MESSAGE, b"hello", "NOCHAT"), (FIND_PEER, b"nobody", "NOPE"), (0x0B, b"", "UNKN"), (FIND_PEER, alice.name, "SELF"), (ACK, b"", None))
    alice.send_bytes(b"".join(encode(command, body) for command, body, _ in kinds) * 100)
    for _ in range(100):
        for word in (word for _, _, word in kinds if word is not None):
            alice.refused(word)


@row("10,000 frames in one write before login: each is answered NOLOG", WHOLE)
def before_login(stage):
    client = stage.client()
    if answers(client, numbered(10_000), 10_000) != [NOLOG] * 10_000:
        raise Unexpected("not all of 10,000 frames are answered NOLOG")


@row("10,000 messages in one write: a burst at once, some at the rate, the others BUSY; who was told OK was heard", WHOLE)
def over_the_rate(stage):
    alice, bob = stage.chat(fresh=True)
    told = answers(alice, numbered(10_000), 10_000)
    acknowledged = [number for number, answer in enumerate(told) if answer == OK]
    burst = BURST - 1  # The request was the first.
    if acknowledged[:burst] != list(range(burst)) or not burst + 10 <= len(acknowledged) <= burst + 500:
        raise Unexpected(f"{len(acknowledged)} of 10,000 messages are acknowledged, the first {acknowledged[:3]}")
    if set(told) != {OK, BUSY}:
        raise Unexpected(f"10,000 messages are answered {set(told)}")
    hears(bob, alice, acknowledged)


@row("10,000 messages in one write with the rates lifted: all arrive in their order", WHOLE)
def ten_thousand(stage):
    alice, bob = stage.chat("roomy")
    if answers(alice, numbered(10_000), 10_000) != [OK] * 10_000:
        raise Unexpected("not all of 10,000 messages are acknowledged")
    hears(bob, alice, range(10_000))


@row("a peer that reads slowly slows its partner down, and nothing is lost", WHOLE)
def slow_reader(stage):
    alice, bob = stage.chat(fresh=True)
    filler = b"x" * 60_000
    count = 300
    data = b"".join(encode(MESSAGE, b"%d " % number + filler) for number in range(count))
    sent, told = 0, []
    quiet_since = time.monotonic()
    # The kernel's buffers take some megabytes before the server has to hold anything.
    while time.monotonic() - quiet_since < 1:
        some, taken = alice.take(), alice.offer(memoryview(data)[sent:])
        sent, told = sent + taken, told + some
        if some or taken:
            quiet_since = time.monotonic()
        else:
            time.sleep(0.01)
    # Sent they may all be, as far as the kernel is concerned; acknowledged they must not be.
    if len(told) >= count:
        raise Unexpected(f"bob reads nothing and {len(told)} of {count} messages are acknowledged")
    heard = []
    deadline = time.monotonic() + 30
    while len(heard) < count and time.monotonic() < deadline:
        sent += alice.offer(memoryview(data)[sent:])
        told += alice.take()
        heard += bob.take()
    told += answers(alice, b"", count - len(told))
    prefix = alice.name.encode() + b": "
    if told != [OK] * count or heard != [Frame(MESSAGE, prefix + b"%d " % number + filler) for number in range(count)]:
        raise Unexpected("a slow reader misses something")


if __name__ == "__main__":
    play(arguments())
