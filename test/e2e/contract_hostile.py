"""Plays peers of the contract, and the vectors of those who break its rules. Whoever breaks them on purpose is in test/hostile.

    python3 contract_hostile.py --pid main=PID --vectors FOLDER --seed N main=HOST:PORT:AUTHORITY plain=…

`plain` speaks the contract alone. After each row two people in a chat still talk, and the server's descriptors are back where they
were. test/e2e/contract-hostile.test.ts says how the servers are started.
"""

import argparse
import json
import pathlib
import random
import sys
import time
import traceback

from process_watch import descriptors, wait_for_descriptors
from sealwire_classic import ERROR, Frame, encode
from sealwire_contract import EVENT, FAULT, GOODBYE, HELLO, REQUEST, RESULT, WELCOME, ContractClient, Unexpected, cbor, chat, fresh_id, say
from stage import servers_of, tags

WHOLE, BYTES = ("whole",), ("whole", "bytes")
BEFORE_LOGIN = ("account.register", "account.login", "account.resume")
rows = []


def row(title, ways=WHOLE):
    def register(play_row):
        rows.append((title, ways, play_row))
        return play_row

    return register


class Stage:
    def __init__(self, servers, vectors, seed):
        self.way = "whole"
        self.random = random.Random(seed)
        self._servers = servers
        self._endings = tags()
        self.good = json.loads((vectors / "good.json").read_text(encoding="utf-8"))
        self.bad = json.loads((vectors / "bad.json").read_text(encoding="utf-8"))

    def client(self, server="main", greeted=True):
        host, port, authority = self._servers[server]
        return ContractClient(host, port, authority, greeted=greeted, way=self.way)

    def name(self, base):
        return f"{base}.{next(self._endings)}"

    def person(self, base, server="main", **params):
        return self.client(server).join(self.name(base), **params)

    def pair(self):
        alice, bob = self.person("alice"), self.person("bob")
        chat(alice, bob)
        return alice, bob


# What is meant well.


@row("the conversation of the page, to its end", BYTES)
def conversation(stage):
    alice, bob = stage.pair()
    say(alice, bob, b"hello")
    say(bob, alice, bytes(60_000) if stage.way == "whole" else b"\xff\xfe\x00", "application/octet-stream")
    alice.refused_call("not_found", "message.send", conversation=alice.conversation + 1_000_000, id=fresh_id(), body=b"elsewhere")
    for person in (alice, bob):
        person.goodbye()


@row("Hello and requests and Goodbye in one write are answered in order", BYTES)
def pipelined(stage):
    client = stage.client(greeted=False)
    name = stage.name("hasty")
    requests = [[id, "session.ping", {}] for id in (7, 0, 7, 4_294_967_295)]
    requests += [[1, "account.register", {"name": name}], [2, "message.send", {"conversation": 1, "id": bytes(16), "body": b"x"}], [3, "directory.who", {}], [4, "no.such", {}]]
    frames = [encode(HELLO, cbor.encode({"versions": [65_535, 1]}))] + [encode(REQUEST, cbor.encode(each)) for each in requests]
    client.send_bytes(b"".join(frames) + encode(GOODBYE, cbor.encode({})) + frames[1] + b"rubbish")
    assert client.body(WELCOME)["version"] == 1
    for id, *_ in requests[:5]:
        client.result(id)
    client.fault(2, "not_found")
    client.result(3)
    client.fault(4, "unknown_method")
    assert client.body(GOODBYE) == {}
    client.over()


@row("Welcome says what the page says")
def welcomed(stage):
    client = stage.client(greeted=False)
    welcome = client.greet((3, 1))
    assert welcome["version"] == 1 and welcome["features"] == ["registration-open", "device-login", "direct"], welcome
    assert len(welcome["server"]) == 16, welcome
    assert welcome["limits"] == {"bodyBytesMax": 65_535, "echoBytesMax": 1_024, "messageBodyBytesMax": 60_000}, welcome
    assert abs(welcome["time"] / 1000 - time.time()) < 60, welcome
    client.goodbye()


@row("an echo of exactly 1,024 bytes works before login, one of 1,025 is refused, a longer frame ends the connection", BYTES)
def echo_before_login(stage):
    client = stage.client()
    data = bytes(range(256)) * 4
    assert client.call("session.echo", data=data) == {"data": data}
    client.refused_call("malformed", "session.echo", data=data + b"x")
    client.quiet()
    client.send_bytes(encode(REQUEST, bytes(1_078))[:7])
    client.ended("frame_too_large")


@row("every good request is answered with its id, before login and after it")
def good_requests(stage):
    for vector in (each for each in stage.good if each["kind"] == "request"):
        frame = bytes.fromhex(vector["frame"])
        for client in (stage.client(), stage.person("alice")):
            if len(frame) <= 1_088 or client.token:
                client.send_bytes(frame)
                answer = client.read_frame()
                if answer.command not in (RESULT, FAULT) or cbor.decode(answer.body)[0] != vector["value"][0]:
                    raise Unexpected(f"{vector['name']} is answered {answer}")
                client.quiet()
            client.goodbye()


# What is not.


@row("every bad request gets its code, and ends the connection only where there is no id")
def bad_requests(stage):
    token = stage.person("mallory").token
    for vector in (each for each in stage.bad if each["kind"] == "request"):
        frame = bytes.fromhex(vector["frame"])
        if len(frame) <= 1_088:
            refused(vector, stage.client(), frame)
        refused(vector, stage.client().resume(token), frame)


def refused(vector, client, frame):
    client.send_bytes(frame)
    code = vector["error"]
    if vector["layer"] == "fields":
        method = cbor.decode(frame[7:-4])[1]
        if client.token and method in BEFORE_LOGIN:
            code = "already_logged_in"
        elif not client.token and method not in BEFORE_LOGIN and not method.startswith("session."):
            code = "not_logged_in"
    if vector["id"] is None:
        client.ended(code)
        return
    client.fault(vector["id"], code)
    client.quiet()
    client.goodbye()


@row("every bad Hello is malformed")
def bad_hellos(stage):
    for vector in (each for each in stage.bad if each["kind"] == "hello"):
        client = stage.client(greeted=False)
        client.send_bytes(bytes.fromhex(vector["frame"]))
        client.ended("malformed")


@row("broken frames end the connection, in the contract where it is spoken")
def broken_frames(stage):
    good = encode(REQUEST, cbor.encode([1, "session.ping", {}]))
    for data, code in ((b"MAGX", "bad_magic"), (b"GET / HTTP/1.1\r\n\r\n", "bad_magic"), (good[:-1] + bytes([good[-1] ^ 1]), "bad_checksum")):
        for client in (stage.client(), stage.person("mallory"), stage.client("plain", greeted=False)):
            client.send_bytes(data)
            client.ended(code)
    large = encode(HELLO, bytes(1_014))[:7]
    client = stage.client("plain", greeted=False)
    client.send_bytes(large)
    client.ended("frame_too_large")
    for command in (0x01, 0x02, 0x03):
        client = stage.client("plain", greeted=False)
        client.send(command, b"alice:correct-horse-battery")
        assert client.read_to_end() == [Frame(ERROR, b"UNKN")]
        client.cut()
    # Where classic is spoken too nobody has chosen yet.
    client = stage.client(greeted=False)
    client.send_bytes(large)
    assert client.read_to_end() == [Frame(ERROR, b"LIMIT")]
    client.cut()


# Who may what.


@row("only who was asked can accept, and nothing else reaches them before", BYTES)
def consent(stage):
    alice, bob = stage.person("alice"), stage.person("bob")
    for person, other in ((alice, bob), (bob, alice)):
        for method in ("contact.accept", "contact.decline"):
            person.refused_call("no_request", method, name=other.name)
        person.refused_call("not_found", "message.send", to=other.name, id=fresh_id(), body=b"x")
    alice.refused_call("is_self", "contact.request", name=alice.name.upper(), id=fresh_id())
    bob.call("inbox.open")
    conversation = alice.call("contact.request", name=bob.name.upper(), id=fresh_id())["conversation"]
    bob.entry(kind="contact", what="requested", **{"from": alice.name})
    alice.refused_call("no_request", "contact.accept", name=bob.name)
    for person in (alice, bob):
        person.refused_call("not_contact", "message.send", conversation=conversation, id=fresh_id(), body=b"x")
    assert alice.call("contact.request", name=bob.name, id=fresh_id()) == {"conversation": conversation, "accepted": False}
    bob.quiet()
    bob.call("contact.decline", name=alice.name)
    alice.refused_call("busy", "contact.request", name=bob.name, id=fresh_id())
    alice.refused_call("not_contact", "message.send", to=bob.name, id=fresh_id(), body=b"x")
    for person in (alice, bob):
        person.quiet()
        person.goodbye()


@row("who is blocked is told what they would be told of somebody who is away")
def blocked(stage):
    alice, mallory = stage.pair()
    token, conversation = mallory.token, mallory.conversation
    alice.call("account.visibility", visibility="everyone")
    alice.call("directory.block", name=mallory.name)
    unheard = {"conversation": conversation, "body": b"do you hear me?"}
    assert mallory.call("message.send", id=fresh_id(), **unheard)["conversation"] == conversation
    assert alice.name not in [each["name"] for each in mallory.call("directory.who")["people"]]
    mallory.goodbye()
    mallory = stage.client().resume(token)
    assert mallory.call("contact.request", name=alice.name, id=fresh_id())["conversation"] == conversation
    mallory.call("message.send", id=fresh_id(), **unheard)
    alice.quiet()
    assert alice.call("directory.blocked") == {"names": [mallory.name]}
    alice.call("directory.unblock", name=mallory.name)
    mallory.conversation = conversation
    say(mallory, alice, b"now you do")
    for person in (alice, mallory):
        person.cut()


@row("tokens: what the server does not know is refused, a new password ends the other sessions and tokens")
def tokens(stage):
    password = "correct-horse-battery"
    alice = stage.person("alice")
    client = stage.client()
    for token in (bytes(32), alice.token[::-1], bytes([alice.token[0] ^ 1]) + alice.token[1:]):
        client.refused_call("login_refused", "account.resume", token=token)
    client.refused_call("login_refused", "account.login", name=alice.name, password=password)
    client.refused_call("name_taken", "account.register", name=alice.name)
    other = client.resume(alice.token)
    alice.call("account.password", next=password)
    other.ended("session_ended")
    alice.refused_call("login_refused", "account.password", next=password)
    alice.call("account.password", current=password, next=password + "!")
    late = stage.client()
    answer = late.call("account.login", name=alice.name, password=password + "!")
    late.token = answer["token"]
    assert len(late.token) == 32 and late.token != alice.token
    late.call("account.password", current=password + "!", next=password)
    alice.ended("session_ended")
    stage_two = stage.client()
    stage_two.refused_call("login_refused", "account.resume", token=alice.token)
    stage_two.resume(late.token)
    for client in (late, stage_two):
        client.goodbye()


@row("mutated frames bring answers and faults, and nothing else")
def mutated(stage):
    token = stage.person("mallory").token
    frames = [bytes.fromhex(each["frame"]) for each in stage.good + stage.bad if len(each["frame"]) < 2_000]
    for number in range(300):
        client = stage.client().resume(token) if number % 2 else stage.client()
        for _ in range(5):
            try:
                client.send_bytes(mutate(stage.random, stage.random.choice(frames)))
            except OSError:
                break  # The server has ended it already.
        try:
            client.end_output()
        except OSError:
            pass
        for frame in client.read_to_end():
            if frame.command not in (RESULT, FAULT, EVENT, GOODBYE):
                raise Unexpected(f"a mutated frame is answered {frame}")
            if frame.command == FAULT and cbor.decode(frame.body)[1] == 0xFF:
                raise Unexpected("a mutated frame is a bug of the server")
        client.cut()


def mutate(dice, frame):
    """A frame with a change in its body and, mostly, the checksum that belongs to it."""
    body = bytearray(frame[7:-4])
    for _ in range(dice.choice((0, 1, 1, 1, 2, 4))):
        at = dice.randrange(len(body) + 1)
        body[at : at + dice.choice((0, 1, 1, 3))] = dice.randbytes(dice.choice((0, 1, 1, 2)))
    command = frame[4] if dice.random() < 0.9 else dice.randrange(256)
    changed = bytearray(encode(command, bytes(body)))
    if dice.random() < 0.05:
        changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
    return bytes(changed)


class Bystanders:
    """Two people in a chat who must notice nothing, and the descriptors of the server they are on."""

    def __init__(self, stage, pid):
        self._pid = pid
        self._pair = stage.pair()
        self._base = descriptors(pid)

    def check(self):
        say(*self._pair, b"are you well?")
        say(*reversed(self._pair), b"I am")
        wait_for_descriptors(self._pid, self._base, 15)


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="", help="play only the rows whose title has this text")
    parser.add_argument("--pid", required=True, metavar="main=PID", help="the process of the server main")
    parser.add_argument("--vectors", required=True, type=pathlib.Path, help="vectors/contract")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("servers", nargs="+", metavar="NAME=HOST:PORT:AUTHORITY")
    return parser.parse_args()


def main():
    said = arguments()
    stage = Stage(servers_of(said.servers), said.vectors, said.seed)
    bystanders = Bystanders(stage, int(said.pid.partition("=")[2]))
    for title, ways, play_row in rows:
        for stage.way in ways if said.only in title else ():
            began = time.monotonic()
            try:
                play_row(stage)
                bystanders.check()
            except Exception:
                print(f"FAILED  {stage.way:9} {title} (seed {said.seed})\n{traceback.format_exc()}")
                sys.exit(1)
            print(f"ok      {stage.way:9} {title} ({time.monotonic() - began:.2f} s)")


if __name__ == "__main__":
    main()
