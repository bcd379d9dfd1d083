"""A classic client and somebody at `sealwire chat` talk to each other: first one asks, then the other.

    python3 classic_meets_chat.py HOST:PORT:AUTHORITY NAME

NAME has to be at `sealwire chat`, and to do what the lines that are printed say.
"""

import sys

from sealwire_classic import Client

MESSAGES = 5


def main():
    (host, port, authority), name = sys.argv[1].split(":", 2), sys.argv[2]
    classic = Client(host, int(port), authority)
    classic.register("classic")
    classic.acked("OK")

    classic.find(name)
    print("ACCEPT", flush=True)
    classic.acked("CHAT")
    talk(classic, name)
    classic.exit()
    classic.acked("BYE")
    print("LEFT", flush=True)

    classic.rung_by(name)
    classic.accept()
    classic.acked("CHAT")
    classic.heard(f"{name}: are you there? \u00fc")
    talk(classic, name)
    classic.exit()
    classic.acked("BYE")
    classic.close()
    print("DONE", flush=True)


def talk(classic, name):
    for number in range(MESSAGES):
        classic.say(f"question {number} \u00fc")
        classic.acked("OK")
        classic.heard(f"{name}: answer {number} \u00fc")


main()
