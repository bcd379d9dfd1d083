"""A server that may open few files, and far more connections than it has descriptors for.

    python3 few_descriptors.py [--descriptors 256] [--reserve 64] [--connects 400] DATA COMMAND...

COMMAND starts a server with the data folder DATA and `reserve` descriptors that are never used for connections. The server
never comes near its last descriptor, costs next to nothing while it is full, writes to its database meanwhile, and serves again
when places are free.
"""

import argparse
import contextlib
import ctypes
import resource
import signal
import subprocess
import sys
import time

from load import cpu_seconds, demand
from process_watch import descriptors, wait_for_descriptors
from sealwire_classic import Client, Unexpected
from strangers import Crowd

WATCH_S = 2
CPU_S = 0.5
DIE_WITH_PARENT = 1


@contextlib.contextmanager
def confined(command, data, descriptors_max):
    """The server, as `(process, (host, port, authority))`."""

    linux = ctypes.CDLL(None)

    def confine():
        linux.prctl(DIE_WITH_PARENT, signal.SIGKILL)
        resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors_max, descriptors_max))

    with open(f"{data}/stderr", "w", encoding="utf8") as log:
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, preexec_fn=confine, text=True)
    try:
        port = None
        for line in server.stdout:
            if line.startswith("sealwire listening on"):
                port = int(line.rpartition(":")[2])
            if line.startswith("fingerprint"):
                break
        demand(port is not None, f"the server did not start: {log_of(data)}")
        yield server, ("127.0.0.1", port, f"{data}/ca.crt")
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


def log_of(data):
    with open(f"{data}/stderr", encoding="utf8") as log:
        return log.read()


def play(said, server, target):
    pid = server.pid
    good = Client(*target, name="good", source="127.0.0.9")
    good.register("good")
    good.acked("OK")
    waiting = Client(*target, name="waiting", source="127.0.0.9")
    base = descriptors(pid) - 2

    places = said.descriptors - said.reserve
    crowd = Crowd(*target[:2], "stay")
    for n in range(said.connects):
        crowd.open(f"127.0.1.{1 + n % 200}")
        crowd.look(0)
    crowd.until(lambda: crowd.under_way == 0, 10, "answer to everybody")
    while crowd.look(100):
        pass
    full = descriptors(pid)
    waiting.register("waiting")
    waiting.acked("OK")
    cpu = cpu_seconds(pid)
    time.sleep(WATCH_S)
    cpu = cpu_seconds(pid) - cpu
    inside = crowd.inside
    crowd.close()

    left = wait_for_descriptors(pid, base + 2, 10)
    later = Client(*target, name="later", source="127.0.0.8")
    later.register("later")
    later.acked("OK")
    print(
        f"{said.connects} connects to a server of {said.descriptors} descriptors, {said.reserve} of them reserved: {inside} inside, "
        f"{crowd.refused} refused; descriptors {base}, {full} when full, {left} after; {cpu:.2f} s of processor time in {WATCH_S} s"
    )
    demand(inside == places - 2, f"{inside} strangers found a place, {places - 2} were free")
    demand(crowd.refused == said.connects - inside, "a stranger was answered and dropped")
    demand(full == base + places, f"{full} descriptors were open when it was full, not {base + places}")
    demand(cpu < CPU_S, f"{cpu:.2f} s of processor time in {WATCH_S} s while full")
    for client in (good, waiting, later):
        client.find("nobody")
        client.refused("NOPE")
        client.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--descriptors", type=int, default=256)
    parser.add_argument("--reserve", type=int, default=64)
    parser.add_argument("--connects", type=int, default=400)
    parser.add_argument("data")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    said = parser.parse_args()
    with confined(said.command, said.data, said.descriptors) as (server, target):
        play(said, server, target)
        server.send_signal(signal.SIGTERM)
        demand(server.wait(20) == 0, f"the server ended with {server.returncode}")
    demand('"level":"error"' not in log_of(said.data), f"the server has failed: {log_of(said.data)}")


if __name__ == "__main__":
    try:
        main()
    except Unexpected as reason:
        sys.exit(f"FAILED  {reason}")
