"""Registers accounts until the server is gone, or proves that those of before are whole.

    python3 registrations.py register PREFIX main=HOST:PORT:AUTHORITY    prints `tried NAME` and `acked NAME`
    python3 registrations.py verify main=HOST:PORT:AUTHORITY < LINES     reads those lines again

Whoever was acknowledged must be able to log in. Whoever was not is either stored whole or not at all: the name logs in, or
it can be registered.
"""

import sys
import threading

from sealwire_classic import ACK, ERROR, Client, Frame, Over, Unexpected
from stage import servers_of

CLIENTS = 4
OK = Frame(ACK, b"OK")


_turn = threading.Lock()


def say(line):
    with _turn:
        print(line, flush=True)


def register(server, prefix):
    def one_after_another(letter):
        number = 0
        while True:
            name = f"{prefix}-{letter}-{number}"
            number += 1
            try:
                client = Client(*server, name=name)
                say(f"tried {name}")
                client.register(name)
                answer = client.read_frame()
            except (OSError, Over):
                return
            if answer != OK:
                sys.exit(f"FAILED  the registration of {name} is answered {answer}")
            say(f"acked {name}")
            client.cut()

    threads = [threading.Thread(target=one_after_another, args=(letter,)) for letter in "bdfg"[:CLIENTS]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def verify(server, lines):
    tried = {name for word, name in lines if word == "tried"}
    acked = {name for word, name in lines if word == "acked"}
    stored = sum(verify_one(server, name, name in acked) for name in sorted(tried))
    print(f"{len(tried)} tried, {len(acked)} acknowledged, {stored} stored, none lost")


def verify_one(server, name, was_acked):
    """True when the account is there."""
    client = Client(*server, name=name)
    client.login(name)
    answer = client.read_frame()
    if answer == OK:
        client.cut()
        return True
    if was_acked or answer != Frame(ERROR, b"AUTH!"):
        raise Unexpected(f"{name} {'was acknowledged' if was_acked else 'was tried'} and its login is answered {answer}")
    client.register(name)
    client.acked("OK")
    client.cut()
    return False


if __name__ == "__main__":
    (main_server,) = servers_of(sys.argv[-1:]).values()
    if sys.argv[1] == "register":
        register(main_server, sys.argv[2])
    else:
        verify(main_server, [line.split() for line in sys.stdin if line.strip()])
