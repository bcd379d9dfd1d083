"""Stops a server in the middle of everything and looks at what the sessions are told.

    python3 shutdown.py --pid main=PID [--ignore] main=HOST:PORT:AUTHORITY SIGNAL

Everybody's last frame is Error STOP. Prints `tried NAME` and `acked NAME` of the registrations that were under way, for
registrations.py, and when it `signalled`, in seconds since 1970. With --ignore some peers neither read nor end their connections, and one never finishes its handshake.
"""

import argparse
import os
import signal
import sys
import time

from process_watch import descriptors
from sealwire_classic import ACK, ERROR, Client, Frame, Unexpected, connect_tcp
from stage import servers_of

OK, EXIT, DENY, STOP = Frame(ACK, b"OK"), Frame(ERROR, b"EXIT"), Frame(ERROR, b"DENY"), Frame(ERROR, b"STOP")


def person(server, name):
    client = Client(*server, name=name)
    client.register(name)
    client.acked("OK")
    return client


def people_in_all_states(server):
    alice, bob, carol, dave, erin = (person(server, name) for name in ("alice", "bob", "carol", "dave", "erin"))
    alice.find("bob")
    bob.rung_by("alice")
    bob.accept()
    alice.acked("CHAT")
    bob.acked("CHAT")
    carol.find("dave")
    dave.rung_by("carol")
    stranger = Client(*server, name="stranger")
    stranger.send_bytes(b"MAGC")
    return [alice, bob, carol, dave, erin, stranger]


def told(client):
    """What it was told before the last word, which must be STOP."""
    frames = client.read_to_end()
    if frames[-1:] != [STOP]:
        raise Unexpected(f"{client.name} is told {frames} at the end")
    client.close()
    return frames[:-1]


def registrations_under_way(server):
    clients = [Client(*server, name=f"late-{letter}") for letter in "bdfg"]
    for client in clients:
        client.register(client.name)
        print(f"tried {client.name}")
    return clients


def wait_until_refused(host, port):
    for _ in range(200):
        try:
            connect_tcp(host, port).close()
        except ConnectionError:
            return
        time.sleep(0.02)
    raise Unexpected("a server that stops still accepts connections")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pid", required=True, metavar="NAME=PID")
    parser.add_argument("--ignore", action="store_true")
    parser.add_argument("server", metavar="NAME=HOST:PORT:AUTHORITY")
    parser.add_argument("signal", choices=("SIGTERM", "SIGINT"))
    said = parser.parse_args()
    (server,) = servers_of([said.server]).values()
    pid = int(said.pid.partition("=")[2])

    people = people_in_all_states(server)
    ignoring = [person(server, "frank"), connect_tcp(*server[:2])] if said.ignore else []
    late = registrations_under_way(server)
    time.sleep(0.01)
    print(f"signalled {time.time():.3f}")
    os.kill(pid, getattr(signal, said.signal))
    for client in people:
        if not set(told(client)) <= {EXIT, DENY}:
            raise Unexpected(f"{client.name} is told something else before STOP")
    for client in late:
        answers = told(client)
        if answers not in ([OK], []):
            raise Unexpected(f"a registration that was under way is answered {answers}")
        if answers:
            print(f"acked {client.name}")
    wait_until_refused(*server[:2])
    while ignoring and os.path.exists(f"/proc/{pid}") and descriptors(pid) > 0:
        time.sleep(0.05)


if __name__ == "__main__":
    try:
        main()
    except Unexpected as reason:
        sys.exit(f"FAILED  {reason}")
