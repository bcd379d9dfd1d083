"""Opens thousands of TLS handshakes and finishes none of them, while somebody wants to log in.

    python3 flood.py --pid main=PID [--count 2000] [--one-address] [--all-at-once] [--no-login] main=HOST:PORT:AUTHORITY

Each of them connects, sends the beginning of a ClientHello and then nothing. After six seconds none is left, neither seen from
here nor in the server's descriptors; and a good client that logs in meanwhile is logged in after at most a second. Where others
use the processors too, both may take longer.
"""

import argparse
import errno
import select
import socket
import sys
import time

from patience import at_most
from process_watch import descriptors, wait_for_descriptors
from sealwire_classic import Client, Unexpected
from stage import servers_of

HELLO_BEGINS = bytes.fromhex("16030100c8010000c40303")
GONE_AFTER_S = at_most(6, 12)
LOGIN_S = at_most(1, 5)


def open_halfway(host, port, source):
    """A connection under way, without waiting for it."""
    tcp = socket.socket()
    tcp.setblocking(False)
    tcp.bind((source, 0))
    if tcp.connect_ex((host, port)) not in (0, errno.EINPROGRESS):
        raise Unexpected(f"cannot connect from {source}")
    return tcp


class Crowd:
    """Connections that go no further than the beginning of a handshake."""

    def __init__(self, host, port, sources):
        self._epoll = select.epoll()
        self._sockets = {}
        self.hellos = 0
        for source in sources:
            tcp = open_halfway(host, port, source)
            self._sockets[tcp.fileno()] = tcp
            self._epoll.register(tcp, select.EPOLLOUT)
            self.look(0)

    def look(self, ms):
        """Sends the beginning of a hello on what is connected by now, and forgets what the server has closed."""
        for descriptor, event in self._epoll.poll(ms / 1000):
            tcp = self._sockets[descriptor]
            if event == select.EPOLLOUT and self._greets(tcp):
                self._epoll.modify(tcp, select.EPOLLIN)
            else:
                self._epoll.unregister(tcp)
                del self._sockets[descriptor]
                tcp.close()

    def _greets(self, tcp):
        """False when the server has dropped it already."""
        try:
            tcp.send(HELLO_BEGINS)
        except ConnectionError:
            return False
        self.hellos += 1
        return True

    @property
    def left(self):
        return len(self._sockets)


def log_in(server, source):
    """Tries to log in ten times a second until it works; how long it took and how many tries."""
    began = time.monotonic()
    tries = 0
    while True:
        tries += 1
        try:
            client = Client(*server, name="good", source=source)
            client.login("good")
            client.acked("OK")
            return client, time.monotonic() - began, tries
        except (OSError, Unexpected):
            if time.monotonic() - began > 10:
                raise
            time.sleep(0.1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--one-address", action="store_true", help="all of them from 127.0.0.1, not each from one of its own")
    parser.add_argument("--all-at-once", action="store_true", help="the limits are lifted: all of them must be open at once")
    parser.add_argument("--no-login", action="store_true", help="nothing is promised to a good client")
    parser.add_argument("--pid", required=True, metavar="NAME=PID")
    parser.add_argument("server", metavar="NAME=HOST:PORT:AUTHORITY")
    said = parser.parse_args()
    (server,) = servers_of([said.server]).values()
    pid = int(said.pid.partition("=")[2])

    good = Client(*server, source="127.0.0.9")
    good.register("good")
    good.acked("OK")
    base = descriptors(pid)

    began = time.monotonic()
    sources = ["127.0.0.1" if said.one_address else f"127.{1 + n // 250}.0.{1 + n % 250}" for n in range(said.count)]
    crowd = Crowd(*server[:2], sources)
    opened_s = time.monotonic() - began
    peak = descriptors(pid) - base
    again, login_s, tries = log_in(server, "127.0.0.9")
    peak = max(peak, descriptors(pid) - base)
    while crowd.left and time.monotonic() - began < GONE_AFTER_S + opened_s:
        crowd.look(50)
        # Those whom the system let wait because the server was busy are open later.
        peak = max(peak, descriptors(pid) - base)
    gone_s = time.monotonic() - began
    left = wait_for_descriptors(pid, base + 1, at_most(1, 10))
    print(
        f"{said.count} half-open in {opened_s:.2f} s, {crowd.hellos} sent a hello, {peak} descriptors at once; "
        f"login took {login_s:.2f} s and {tries} tries; {crowd.left} left after {gone_s:.2f} s; descriptors {base} -> {left}"
    )
    if crowd.left:
        raise Unexpected(f"{crowd.left} half-open connections are left after {gone_s:.1f} s")
    if said.all_at_once and peak < said.count:
        raise Unexpected(f"only {peak} were open at once")
    if login_s > LOGIN_S and not said.no_login:
        raise Unexpected(f"a good client needed {login_s:.2f} s to log in")
    for client in (good, again):
        client.find("nobody")
        client.refused("NOPE")
        client.close()


if __name__ == "__main__":
    try:
        main()
    except Unexpected as reason:
        sys.exit(f"FAILED  {reason}")
