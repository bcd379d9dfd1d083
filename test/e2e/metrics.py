"""What a server tells of itself: that its figures move as they should, that nobody is in them, and that asking harms nothing.

    metrics.py --metrics PORT --port PORT --authority FILE --pid PID
"""

import argparse
import os
import pathlib
import re
import socket
import sys
import threading
import time

import scrape
from sealwire_classic import Client, PASSWORD
from sealwire_contract import ContractClient, chat, fresh_id, say

HOST = "127.0.0.1"
CANARY = "Kanarienvogel"
PAGES = []


def look(options):
    text, _, samples = scrape.scrape(options.metrics)
    PAGES.append(text)
    return samples


def moved(before, after, name, **labels):
    return scrape.value(after, name, **labels) - scrape.value(before, name, **labels)


def expect(found, wanted, what):
    if found != wanted:
        raise scrape.Wrong(f"{what}: {found}, not {wanted}")


def until(options, what, holds):
    """Waits for what is seen a moment after it happened."""
    deadline = time.monotonic() + 30
    while not holds(samples := look(options)):
        if time.monotonic() > deadline:
            raise scrape.Wrong(f"never: {what}")
        time.sleep(0.05)
    return samples


def messages(options, people):
    alice, bob = people
    before = look(options)
    bodies = [f"{CANARY} {index} ".encode() + os.urandom(8).hex().encode() for index in range(10)]
    for body in bodies:
        say(alice, bob, body)
    after = look(options)
    expect(moved(before, after, "sealwire_entries_stored_total", kind="message"), 10, "stored")
    expect(moved(before, after, "sealwire_requests_total", method="message.send", code="ok"), 10, "answered")
    expect(moved(before, after, "sealwire_inbox_entries_pushed_total"), 10, "pushed")
    expect(moved(before, after, "sealwire_frames_received_total"), 10, "frames in")
    expect(moved(before, after, "sealwire_frames_sent_total"), 20, "frames out")
    expect(moved(before, after, "sealwire_request_duration_seconds", method="message.send", **{"": "_count"}), 10, "measured")
    expect(scrape.value(after, "sealwire_connections", listener="listen", dialect="contract", state="ready"), 2, "sessions")
    expect(scrape.value(after, "sealwire_sessions_present"), 2, "present")
    expect(scrape.value(after, "sealwire_requests_under_way"), 0, "under way")
    for direction in ("received", "sent"):
        if not moved(before, after, f"sealwire_bytes_{direction}_total") > sum(map(len, bodies)):
            raise scrape.Wrong(f"bytes {direction}")
    expect(moved(before, after, "sealwire_store_requests_total", operation="entry.post", code="ok"), 10, "posted")
    return bodies


def refusals(options, alice):
    before = look(options)
    alice.refused_call("not_found", "message.send", conversation=9_000_000, id=fresh_id(), body=b"nowhere")
    alice.refused_call("unknown_method", f"{CANARY}.method")
    after = look(options)
    expect(moved(before, after, "sealwire_requests_total", method="message.send", code="not_found"), 1, "refused")
    expect(moved(before, after, "sealwire_requests_total", method="unknown", code="unknown_method"), 1, "unknown")


def classic(options):
    before = look(options)
    carl, dora = (Client(HOST, options.port, options.authority) for _ in range(2))
    with carl.socket, dora.socket:
        for person, name in ((carl, f"{CANARY}C"), (dora, f"{CANARY}D")):
            person.register(name)
            person.acked("OK")
        carl.request(f"{CANARY}D")
        dora.rung_by(f"{CANARY}C")
        dora.accept()
        for person in (carl, dora):
            person.acked("CHAT")
        for index in range(10):
            carl.say(f"{CANARY} says {index}")
            carl.acked("OK")
            dora.heard(f"{CANARY}C: {CANARY} says {index}")
        after = look(options)
    expect(moved(before, after, "sealwire_classic_commands_total", command="message"), 10, "classic messages")
    expect(moved(before, after, "sealwire_logins_total"), 2, "logins")
    until(options, "they have left", lambda now: scrape.value(now, "sealwire_connections", listener="listen", dialect="classic", state="ready") == 0)


def failures(options):
    before = look(options)
    with socket.create_connection((HOST, options.port)) as stranger:
        stranger.sendall(b"no TLS at all")
        until(options, "a handshake fails", lambda now: total(now, "sealwire_handshakes_failed_total") > total(before, "sealwire_handshakes_failed_total"))
    silent = Client(HOST, options.port, options.authority)
    with silent.socket:
        limit = "sealwire_limit_reached_total"
        until(options, "who is silent is cut", lambda now: moved(before, now, limit, limit="loginMsMax") == 1)
    strangers(options, before)
    with Client(HOST, options.port, options.authority).socket as broken:
        broken.sendall(b"MAGX" + bytes(20))
        until(options, "a frame is refused", lambda now: moved(before, now, "sealwire_sessions_failed_total", code="bad_magic") == 1)


def strangers(options, before):
    """More from one address that have not logged in than there may be."""
    there = []
    try:
        for _ in range(25):
            there.append(Client(HOST, options.port, options.authority))
    except OSError:
        pass
    finally:
        for client in there:
            client.socket.close()
    after = look(options)
    refused = moved(before, after, "sealwire_connections_refused_total", reason="address")
    if refused < 1 or refused != moved(before, after, "sealwire_limit_reached_total", limit="connectionsUnauthenticatedPerAddressMax"):
        raise scrape.Wrong(f"{refused} refused")
    until(options, "they have left", lambda now: scrape.value(now, "sealwire_connections_unauthenticated") == 0)


def total(samples, name):
    return sum(samples[name].values())


def http(options):
    port = options.metrics
    for name in (f"{CANARY}.example", "127.0.0.1.example", "10.0.0.1", "[::2]", ""):
        expect(scrape.request(port, f"GET /metrics HTTP/1.1\r\nHost: {name}\r\n\r\n".encode())[0], 421, f"Host {name!r}")
    for name in ("localhost", "LOCALHOST:1", "127.3.2.1:9", "[::1]:80"):
        expect(scrape.request(port, f"GET /live HTTP/1.1\r\nHost: {name}\r\n\r\n".encode())[0], 200, f"Host {name!r}")
    expect(scrape.request(port, b"GET /live HTTP/1.1\r\n\r\n")[0], 400, "no Host")
    for path in ("/", "/metrics/", "/METRICS", "//metrics", "http://localhost/metrics", "/__proto__", "/constructor", "/../metrics"):
        expect(scrape.get(port, path)[0], 404, path)
    expect(scrape.get(port, "/live?a=b")[0], 200, "with a query")
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH"):
        expect(scrape.get(port, "/metrics", method=method)[0], 405, method)
    status, headers, body = scrape.get(port, "/metrics", method="HEAD")
    expect((status, body, int(headers["content-length"]) > 1000), (200, b"", True), "HEAD")
    twice = b"GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2
    expect(scrape.request(port, twice)[2].count(b"alive"), 1, "two requests on a connection")
    head = b"GET /live HTTP/1.1\r\nHost: localhost\r\n"
    expect(scrape.request(port, head + b"X: " + bytes(20_000).replace(b"\0", b"x") + b"\r\n\r\n")[0], 431, "long headers")
    crowd(port, head)


def crowd(port, head):
    """Those who ask nothing, or half of it, are gone soon, however many they are; and nobody else's descriptor is taken."""
    began = time.monotonic()
    connections = [socket.create_connection((HOST, port), timeout=60) for _ in range(100)]
    for connection in connections[::2]:
        connection.sendall(head)
    for connection in connections:
        try:
            while connection.recv(4096):
                pass
        except ConnectionResetError:
            pass
        connection.close()
    if time.monotonic() - began > 50:
        raise scrape.Wrong("silent connections stay")
    expect(scrape.get(port, "/live")[0], 200, "after a crowd")


def under_load(options, people):
    """Scrapes while messages are sent: every page is whole, and counters only go up."""
    alice, bob = people
    done = threading.Event()
    failed = []

    def talk():
        try:
            while not done.is_set():
                say(alice, bob, b"load")
        except Exception as reason:  # Whatever it is, the test has failed.
            failed.append(reason)

    talker = threading.Thread(target=talk)
    talker.start()
    try:
        before = look(options)
        for _ in range(300):
            _, kinds, samples = scrape.scrape(options.metrics)
            for name in (name for name, kind in kinds.items() if kind == "counter"):
                for labels, number in before[name].items():
                    if samples[name].get(labels, -1) < number:
                        raise scrape.Wrong(f"{name}{labels} went down")
            before = samples
    finally:
        done.set()
        talker.join()
    if failed:
        raise failed[0]


def leaks(options):
    for _ in range(200):
        look(options)
    before = footprint(options.pid)
    for _ in range(1000):
        scrape.scrape(options.metrics)
    deadline = time.monotonic() + 20
    while (after := footprint(options.pid))[0] > before[0] and time.monotonic() < deadline:
        time.sleep(0.1)
    print(f"1,000 scrapes: descriptors {before[0]} to {after[0]}, resident {before[1]} to {after[1]} kB")
    if after[0] > before[0] or after[1] > before[1] + 60_000:
        raise scrape.Wrong("scrapes leave something behind")


def footprint(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    resident = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))
    return len(os.listdir(f"/proc/{pid}/fd")), resident


def nobody_is_told(people, bodies):
    """Names, words, secrets, addresses and numbers of people."""
    secrets = [CANARY, CANARY.lower(), PASSWORD, HOST, "nowhere"]
    for person in people:
        secrets += [person.name, person.token.hex(), person.token.hex()[:16], f'"{person.conversation}"']
    secrets += [body.decode() for body in bodies] + [body.decode().split()[-1] for body in bodies]
    for page in (re.sub(r'le="[^"]*"', "", each) for each in PAGES):
        for secret in secrets:
            if secret in page:
                raise scrape.Wrong(f"{secret!r} is told: {next(line for line in page.splitlines() if secret in line)}")


def main():
    parser = argparse.ArgumentParser()
    for name in ("metrics", "port", "pid"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--authority", required=True)
    options = parser.parse_args()
    expect(scrape.ready(options.metrics), {"ready": True, "phase": "serving", "listening": True, "store": "ok", "payments": "accepting", "why": []}, "ready")
    people = [ContractClient(HOST, options.port, options.authority).join(f"{CANARY}{mark}", password=PASSWORD) for mark in "AB"]
    chat(*people)
    bodies = messages(options, people)
    refusals(options, people[0])
    under_load(options, people)
    classic(options)
    failures(options)
    http(options)
    leaks(options)
    nobody_is_told(people, bodies)
    for person in people:
        person.goodbye()
    until(options, "everybody has left", lambda now: total(now, "sealwire_connections") == 0 and scrape.value(now, "sealwire_connections_admitted") == 0)
    print(f"{len(PAGES)} pages tell of nobody")


if __name__ == "__main__":
    try:
        main()
    except scrape.Wrong as reason:
        sys.exit(f"wrong: {reason}")
