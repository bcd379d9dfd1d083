"""A flood of handshakes and a few conversations, while the server's certificate is replaced again and again.

    python3 certificate_reload.py [--crowd 6] [--kept 4] --until FILE HOST:PORT:AUTHORITY

It ends when FILE is there, and prints as JSON how many handshakes were complete and how many failed, how many different
certificates they have seen, and how often the connections that are open all the time were answered.
"""

import argparse
import collections
import json
import os
import sys
import threading

from sealwire_classic import ACK, ERROR, Client, Over, Unexpected, connect_tcp, context

UNKNOWN_COMMAND = 200


class Figures:
    def __init__(self):
        self.lock = threading.Lock()
        self.counts = collections.Counter()
        self.certificates = set()
        self.failures = []

    def count(self, what):
        with self.lock:
            self.counts[what] += 1

    def failed(self, what, reason):
        with self.lock:
            self.counts[what] += 1
            self.failures.append(f"{what}: {reason!r}")


def shake_hands(figures, host, port, authority, over):
    """Complete handshakes, one after the other; each reads the certificate and leaves as it should."""
    while not over():
        try:
            with connect_tcp(host, port) as tcp, context(authority).wrap_socket(tcp, server_hostname=host) as tls:
                certificate = tls.getpeercert(binary_form=True)
            figures.count("handshakes")
            with figures.lock:
                figures.certificates.add(certificate)
        except OSError as reason:
            figures.failed("failed", reason)


def keep(figures, client, over):
    """A connection that is open from the first certificate to the last, and is answered all the time."""
    try:
        while not over():
            client.send(UNKNOWN_COMMAND)
            client.expect(ERROR, "UNKN")
            client.settle()
            figures.count("answers")
            threading.Event().wait(0.02)
        client.close()
    except (OSError, Over, Unexpected) as reason:
        figures.failed("dropped", reason)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--crowd", type=int, default=6)
    parser.add_argument("--kept", type=int, default=4)
    parser.add_argument("--until", required=True)
    parser.add_argument("server")
    said = parser.parse_args()
    host, port, authority = said.server.split(":", 2)
    figures = Figures()
    over = lambda: os.path.exists(said.until)
    clients = [Client(host, int(port), authority, name=f"kept{index}") for index in range(said.kept)]
    for client in clients:
        client.register(client.name)
        client.expect(ACK, "OK")
        client.settle()
    threads = [threading.Thread(target=keep, args=(figures, client, over)) for client in clients]
    threads += [threading.Thread(target=shake_hands, args=(figures, host, int(port), authority, over)) for _ in range(said.crowd)]
    for thread in threads:
        thread.start()
    print("READY", flush=True)
    for thread in threads:
        thread.join()
    print(json.dumps({**figures.counts, "certificates": len(figures.certificates), "failures": figures.failures[:5]}))


if __name__ == "__main__":
    try:
        main()
    except Unexpected as reason:
        sys.exit(f"FAILED  {reason}")
