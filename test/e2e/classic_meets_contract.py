"""A classic client and somebody who speaks the contract talk to each other.

    python3 classic_meets_contract.py talk HOST:PORT:AUTHORITY NAME          first the one asks, then the other
    python3 classic_meets_contract.py say HOST:PORT:AUTHORITY NAME FROM      says numbers until the connection is over

NAME has to do what the lines that are printed say. `say` prints each number that was acknowledged and each text that was
heard, and ends when it hears `enough`.
"""

import socket
import sys

from sealwire_classic import ACK, ERROR, MESSAGE, Client, Frame, Over, Unexpected

MESSAGES = 5


def talk(classic, name):
    classic.register("classic")
    classic.acked("OK")
    classic.find(name)
    classic.accept()  # Its own request is not its own to accept.
    classic.say("do you hear me?")
    classic.refused("NOCHAT")
    print("ANSWER", flush=True)
    classic.acked("CHAT")
    converse(classic, name)
    classic.exit()
    classic.acked("BYE")
    print("LEFT", flush=True)

    classic.rung_by(name)
    classic.accept()
    classic.acked("CHAT")
    classic.heard(f"{name}: are you there? \u00fc")
    classic.heard(f"{name}: [image/png, 3 bytes]")
    converse(classic, name)
    classic.exit()
    classic.acked("BYE")
    classic.say("are you there?")
    classic.refused("NOCHAT")
    classic.find(name)
    classic.acked("CHAT")
    print("DONE", flush=True)
    classic.heard(f"{name}: goodbye")
    classic.close()


def converse(classic, name):
    for number in range(MESSAGES):
        classic.say(f"question {number} \u00fc")
        classic.acked("OK")
        classic.heard(f"{name}: answer {number} \u00fc")


def say(classic, name, number):
    classic.login("classic")
    classic.acked("OK")
    classic.find(name)
    try:
        classic.acked("CHAT")
        print("CHAT", flush=True)
        while True:
            classic.say(f"number {number}")
            if await_frame(classic, Frame(ACK, b"OK")) == "enough":
                break
            print(f"OK {number}", flush=True)
            number += 1
    except (Over, socket.timeout, OSError):
        pass
    print("OVER", flush=True)


def await_frame(classic, wanted):
    """Reads up to a frame; messages that come before are printed."""
    while True:
        frame = classic.read_frame()
        if frame == wanted:
            return None
        if frame.command == ERROR and frame.body == b"STOP":
            raise Over("stopped")
        if frame.command != MESSAGE:
            raise Unexpected(f"{wanted} was awaited and {frame} came")
        text = frame.body.decode().partition(": ")[2]
        if text == "enough":
            return text
        print(f"HEARD {text}", flush=True)


def main():
    what, address, name, *rest = sys.argv[1:]
    host, port, authority = address.split(":", 2)
    classic = Client(host, int(port), authority)
    if what == "talk":
        talk(classic, name)
    else:
        say(classic, name, int(rest[0]))


main()
