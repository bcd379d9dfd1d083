"""Plays peers that break the rules of docs/protocol/framing.md, by mistake or on purpose.

    python3 hostile.py --pid main=PID … main=HOST:PORT:AUTHORITY impatient=… plain=…

After each row the server answers two people who were in a chat all the time, and its descriptors are back where they
were. test/e2e/hostile.test.ts says how the servers are started.
"""

import os
import socket
import time
import zlib

from process_watch import descriptors, wait_for_descriptors
from sealwire_classic import (
    ACK,
    CHAT_DECLINE,
    ERROR,
    EXIT_CHAT,
    FIND_PEER,
    LOGIN,
    MESSAGE,
    PASSWORD,
    REGISTER,
    Client,
    Frame,
    Unexpected,
    connect_tcp,
    encode,
)
from stage import arguments, play, row

WHOLE = ("whole",)
HANG_UPS = ("close", "cut", "reset", "end_output")
FRAME_MS_MAX = 1.0  # Of the impatient server, in seconds, like the next one.
LOGIN_MS_MAX = 4.0
SLACK_S = 5  # For a sweep of the server and a busy machine.


def last_word(client, word, within=20):
    """The server says `word` and nothing else, and ends the connection."""
    began = time.monotonic()
    frames = client.read_to_end()
    took = time.monotonic() - began
    if frames != [Frame(ERROR, word)]:
        raise Unexpected(f"the last word should be {word} and is {frames}")
    if took > within:
        raise Unexpected(f"the last word took {took:.1f} s, more than {within} s")
    client.cut()


def refused_forever(stage, data, word, person=False, server="main"):
    client = stage.person("mallory", server) if person else stage.client(server)
    stage.gone(client)
    client.send_bytes(data)
    last_word(client, word)


@row("peers are told that their connection ends, and do not end it", WHOLE)
def ignores_end(stage):
    # Whether they were cut is looked at in the last row: the runtime takes its time to give a descriptor back.
    for _ in range(20):
        client = stage.client("plain")
        stage.gone(client)
        client.send(REGISTER, b"nonsense")
        ignoring.append(client)


# What is fatal.


@row("a frame that does not start with MAGC: MAGIC, at the first wrong byte", WHOLE)
def bad_magic(stage):
    for person in (False, True):
        for begin in (b"X", b"m", b"MX", b"MAX", b"MAGX", b"GET / HTTP/1.1\r\n\r\n", b"\x00" * 64, os.urandom(8).replace(b"M", b"_")):
            refused_forever(stage, begin, b"MAGIC", person)


@row("a frame whose checksum does not match: CRC", WHOLE)
def bad_checksum(stage):
    good = encode(MESSAGE, b"hello")
    of_body_alone = good[:-4] + zlib.crc32(b"hello").to_bytes(4, "big")
    little_endian = good[:-4] + good[:-5:-1]
    flipped = [good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :] for at in (4, 7, 11, 12, 15)]
    for person in (False, True):
        for data in (of_body_alone, little_endian, *flipped):
            refused_forever(stage, data, b"CRC", person)


@row("a frame over 1,024 bytes before login: LIMIT, with its header alone; one of 1,024 is answered", WHOLE)
def too_large_before_login(stage):
    client = stage.client()
    client.send(MESSAGE, b"x" * 1013)
    client.refused("NOLOG")
    for length in (1014, 32_768, 65_535):
        refused_forever(stage, b"MAGC" + bytes([REGISTER]) + length.to_bytes(2, "big"), b"LIMIT")


@row("what follows a fatal frame is not looked at", WHOLE)
def nothing_after_fatal(stage):
    name = stage.name("mallory")
    register = encode(REGISTER, f"{name}:{PASSWORD}")
    refused_forever(stage, b"MAGIC!" + register, b"MAGIC")
    refused_forever(stage, register[:-1] + bytes([register[-1] ^ 1]) + register, b"CRC")
    client = stage.client()
    client.login(name)
    client.refused("AUTH!")


@row("a first frame of a dialect that is not spoken: UNKN, and the connection ends", WHOLE)
def another_dialect(stage):
    for command in (REGISTER, LOGIN, MESSAGE):
        refused_forever(stage, encode(command, f"alice:{PASSWORD}".encode()), b"UNKN", server="plain")


# What is odd and answered.


@row("a body of 65,535 bytes after login is read, whatever the command", WHOLE)
def largest_body(stage):
    alice = stage.person("alice")
    body = b"x" * 65_535
    for command, word in ((MESSAGE, "NOCHAT"), (FIND_PEER, "NOPE"), (REGISTER, "DENY"), (LOGIN, "DENY"), (0x0B, "UNKN"), (0xFF, "UNKN")):
        alice.send(command, body)
        alice.refused(word)
    for command in (ACK, ERROR, CHAT_DECLINE):
        alice.send(command, body)
    alice.send(EXIT_CHAT, body)
    alice.acked("BYE")


@row("frames behind a login wait for it, also 3 MiB of them", WHOLE)
def behind_a_login(stage):
    client = stage.client()
    count = 48
    data = encode(REGISTER, f"{stage.name('alice')}:{PASSWORD}") + encode(MESSAGE, b"x" * 65_535) * count
    answers = client.exchange(data, lambda frames: len(frames) > count)
    if answers != [Frame(ACK, b"OK")] + [Frame(ERROR, b"NOCHAT")] * count:
        raise Unexpected(f"{count} messages behind a registration are answered {answers[:3]} and so on")


@row("names that mean something to a program are names like any other", WHOLE)
def names_of_properties(stage):
    people = []
    for name in ("__proto__", "constructor", "hasOwnProperty", "toString", "valueOf"):
        client = stage.client()
        client.login(name)
        client.refused("AUTH!")
        client.register(name)
        client.acked("OK")
        client.register(name)
        client.refused("DENY")
        other = stage.client()
        other.register(name)
        other.refused("USER!")
        people.append(client)
    for caller, callee in zip(people, people[1:]):
        caller.find(callee.name)
        callee.rung_by(caller.name)
        callee.accept()
        caller.acked("CHAT")
        callee.acked("CHAT")
        caller.say("hello")
        callee.heard(f"{caller.name}: hello")
        caller.acked("OK")
        caller.exit()
        caller.acked("BYE")
        callee.refused("EXIT")


@row("names with NUL, line ends, other directions and broken UTF-8 are refused and never found", WHOLE)
def impossible_names(stage):
    alice, client = stage.person("alice"), stage.client()
    for name in (b"al\0ice", b"\0", b"alice\n", b"\xe2\x80\xaealice", b"\xe2\x80\x8b", b"\xff", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"):
        client.send(REGISTER, name + b":" + PASSWORD.encode())
        client.refused("BADF")
        alice.send(FIND_PEER, name)
        alice.refused("NOPE")


@row("a thousand logins in one write are answered one by one", WHOLE)
def many_logins(stage):
    client = stage.client()
    began = time.monotonic()
    client.send_bytes(encode(LOGIN, f"{stage.name('nobody')}:{PASSWORD}") * 1000)
    answers = [client.read_frame() for _ in range(1000)]
    took = time.monotonic() - began
    refused, busy = Frame(ERROR, b"AUTH!"), Frame(ERROR, b"BUSY")
    # Six fail at once; before each further one 1 s, 2 s, 4 s … have to pass, which a slow machine may take for all of them.
    waited = 2 ** (answers.count(refused) - 6) - 1
    if answers[:5] != [refused] * 5 or set(answers) != {refused, busy} or waited > took:
        raise Unexpected(f"{answers.count(refused)} of 1,000 answers in {took:.1f} s are {refused}, the first {answers[:10]}, all {set(answers)}")


# How connections end.


@row("hanging up in the middle of a frame, before login, after it and in a chat", WHOLE)
def mid_frame(stage):
    frame = encode(MESSAGE, b"hello hello hello")
    for at in (1, 6, 10, len(frame) - 1):
        for manner in HANG_UPS:
            client = stage.client()
            client.send_bytes(frame[:at])
            leave(stage, client, manner)
    for manner in HANG_UPS:
        alice, bob = stage.chat()
        alice.send_bytes(frame[:9])
        leave(stage, alice, manner)
        bob.refused("EXIT")


def leave(stage, client, manner):
    stage.gone(client)
    getattr(client, manner)()
    if manner == "end_output":
        if client.read_to_end() != []:
            raise Unexpected("half a frame was answered")
        client.cut()


@row("a half-close: what was sent before is answered, then the server closes too", WHOLE)
def half_close(stage):
    client = stage.client()
    stage.gone(client)
    client.send_bytes(encode(MESSAGE, b"hello") * 3)
    client.end_output()
    if client.read_to_end() != [Frame(ERROR, b"NOLOG")] * 3:
        raise Unexpected("the answers to what was sent before a half-close are missing")
    client.cut()


@row("what is not TLS at all is dropped", WHOLE)
def not_tls(stage):
    host, port, _ = said.servers["main"]
    for data in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", encode(MESSAGE, b"hello"), os.urandom(512), b"\x16\x03\x01\xff\xff" + bytes(1000)):
        tcp = connect_tcp(host, port)
        tcp.sendall(data)
        tcp.settimeout(20)
        try:
            while tcp.recv(4096):
                pass
        except ConnectionError:
            pass
        tcp.close()


@row("connections that break at once, in every stage", WHOLE)
def churn(stage):
    host, port, authority = said.servers["main"]
    for number in range(100):
        if number % 2 == 0:
            tcp = connect_tcp(host, port)
            tcp.sendall(b"\x16\x03\x01"[: number % 4])
            tcp.close()
        else:
            client = Client(host, port, authority)
            client.send_bytes(encode(REGISTER, f"{stage.name('hasty')}:{PASSWORD}"))
            client.reset() if number % 4 == 1 else client.cut()


# What takes too long.


def drip(client, data, seconds_a_byte):
    """Sends byte by byte until the server has enough of it; how long it took."""
    began = time.monotonic()
    for at in range(len(data)):
        client.send_bytes(data[at : at + 1])
        try:
            answer = client.read_frame(seconds_a_byte)
        except socket.timeout:
            continue
        if answer != Frame(ERROR, b"SLOW"):
            raise Unexpected(f"a dripping frame is answered {answer}")
        client.cut()
        return time.monotonic() - began
    raise Unexpected("the server waits for a dripping frame for ever")


@row("a frame that drips, before login and after it: SLOW", WHOLE)
def drips(stage):
    for client in (stage.client("impatient"), stage.person("mallory", "impatient")):
        stage.gone(client)
        took = drip(client, encode(MESSAGE, b"x" * 500), 0.05)
        if not FRAME_MS_MAX * 0.9 <= took <= FRAME_MS_MAX + SLACK_S:
            raise Unexpected(f"a dripping frame is refused after {took:.1f} s")


@row("a frame that takes longer than its time but keeps its pace is read", WHOLE)
def keeps_pace(stage):
    alice = stage.person("alice", "impatient")
    data = encode(MESSAGE, b"x" * 65_535)
    for at in range(0, len(data), 4096):
        alice.send_bytes(data[at : at + 4096])
        time.sleep(0.15)
    alice.refused("NOCHAT")


@row("no login in time: SLOW, also for whoever sends something else, and again after a refused one", WHOLE)
def login_deadline(stage):
    began = time.monotonic()
    silent, chatty, refused = (stage.client("impatient") for _ in range(3))
    for client in (silent, chatty, refused):
        stage.gone(client)
    time.sleep(LOGIN_MS_MAX / 2)
    chatty.say("hello?")
    chatty.refused("NOLOG")
    refused.login(stage.name("nobody"))
    refused.refused("AUTH!")
    for client, earliest in ((silent, 1), (chatty, 1), (refused, 1.5)):
        last_word(client, b"SLOW")
        took = time.monotonic() - began
        if not LOGIN_MS_MAX * earliest * 0.9 <= took <= LOGIN_MS_MAX * earliest + SLACK_S:
            raise Unexpected(f"a connection without a login ends after {took:.1f} s")


@row("the peers of the first row, who never ended their connections, are cut by now", WHOLE)
def ignored_end(stage):
    wait_for_descriptors(said.pids["plain"], plain_base, 20)
    for client in ignoring:
        last_word(client, b"UNKN")


def drips_by_default(stage):
    mallory = stage.person("mallory")
    stage.gone(mallory)
    took = drip(mallory, encode(MESSAGE, b"x" * 500), 1)
    if not 9 <= took <= 11:
        raise Unexpected(f"a dripping frame is refused after {took:.1f} s")


class Bystanders:
    """Two people in a chat who must notice nothing, and the descriptors of the server they are on."""

    def __init__(self, servers, pids):
        self._people = [Client(*servers["main"], name=name) for name in ("bystander", "onlooker")]
        for person in self._people:
            person.register(person.name)
            person.acked("OK")
        speaker, listener = self._people
        speaker.find(listener.name)
        listener.rung_by(speaker.name)
        listener.accept()
        speaker.acked("CHAT")
        listener.acked("CHAT")
        self._bases = [(pids[name], descriptors(pids[name])) for name in ("main", "impatient")]

    def check(self):
        speaker, listener = self._people
        speaker.say("are you well?")
        speaker.acked("OK")
        listener.heard(f"{speaker.name}: are you well?")
        for pid, base in self._bases:
            # Of the rows only the people remain who wait for their next one.
            wait_for_descriptors(pid, base + 3, 15)


if __name__ == "__main__":
    said = arguments()
    plain_base = descriptors(said.pids["plain"])
    ignoring = []
    if said.long:
        row("a frame of a byte a second: SLOW after at most 11 s, by default", WHOLE)(drips_by_default)
    play(said, Bystanders(said.servers, said.pids).check)
