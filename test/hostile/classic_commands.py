"""Commands of the classic dialect at the wrong time, of the wrong end, or of nobody (docs/protocol/classic.md)."""

import outcome
from misbehaviours import List
from sealwire_classic import (
    ACK, CHAT_ACCEPT, CHAT_DECLINE, CHAT_REQUEST, ERROR, EXIT_CHAT, FIND_PEER, LOGIN, MESSAGE, PASSWORD, REGISTER, Frame, encode,
)  # fmt: skip

rows = List("classic")
WRONG_NAMES = {
    "nul": b"al\0ice", "line-end": b"alice\n", "right-to-left": b"\xe2\x80\xaealice", "zero-width": b"al\xe2\x80\x8bice", "joiner": b"al\xe2\x80\x8dice",
    "bad-utf-8": b"al\xff", "surrogate": b"\xed\xa0\x80", "too-high": b"\xf4\x90\x80\x80", "overlong": b"\xc0\xafalice", "empty": b"",
    "too-long": b"x" * 33, "spaces": b"   ", "escape": b"\x1b[2Jalice", "combining": b"a" + b"\xcc\x81" * 20, "mixed-scripts": "аlicе".encode(),
}  # fmt: skip
PROPERTIES = ("__proto__", "constructor", "hasOwnProperty", "toString", "valueOf", "prototype")


@rows.misbehaves("before-login", "says, asks, answers and leaves before login", "refused NOLOG")
def before_login(stage):
    commands = (MESSAGE, FIND_PEER, CHAT_REQUEST, ACK, ERROR, CHAT_ACCEPT, CHAT_DECLINE, EXIT_CHAT)
    return [outcome.classic(stage.classic(), encode(command, b"alice")) for command in commands]


@rows.misbehaves("unknown-early", "begins with 0x00 or 0x0B to 0x0F", "refused NOLOG")
def unknown_early(stage):
    return [outcome.classic(stage.classic(), encode(command, b"x")) for command in (0x00, *range(0x0B, 0x10))]


@rows.misbehaves("unknown", "sends 0x00 and every command from 0x0B to 0xFF after login", "refused UNKN")
def unknown(stage):
    client = stage.classic_person()
    return [outcome.classic(client, encode(command, b"x")) for command in (0x00, *range(0x0B, 0x100))]


@rows.misbehaves("login-twice", "logs in and registers again on the same connection", "refused DENY")
def login_twice(stage):
    client = stage.classic_person()
    return [outcome.classic(client, encode(command, f"{client.name}:{PASSWORD}".encode())) for command in (LOGIN, REGISTER, LOGIN)]


@rows.misbehaves("answer-of-nobody", "answers what nobody asked, in every way", "ignored")
def answer_of_nobody(stage):
    client = stage.classic_person()
    return [
        outcome.ignored(client, encode(command, body))
        for command in (ACK, ERROR, CHAT_ACCEPT, CHAT_DECLINE)
        for body in (b"", b"CHAT", b"x" * 65_535)
    ]


@rows.misbehaves("own-ack", "acknowledges its own FindPeer, and talks", "refused NOCHAT")
def own_ack(stage):
    mallory, bob = stage.classic_person(), stage.classic_person("bob")
    mallory.find(bob.name)
    bob.rung_by(mallory.name)
    found = [outcome.ignored(mallory, encode(command, body)) for command in (ACK, CHAT_ACCEPT) for body in (b"", b"CHAT", bob.name.encode())]
    assert set(found) == {"ignored"}, found
    for text in (b"do you hear me?", b"and now?"):
        found.append(outcome.classic(mallory, encode(MESSAGE, text)))
    bob.send(outcome.NEVER)
    assert bob.read_frame() == Frame(ERROR, b"UNKN"), "bob was told something"
    return found[-2:]


@rows.misbehaves("third-ack", "acknowledges a request between two others", "ignored")
def third_ack(stage):
    mallory, alice, bob = stage.classic_person(), stage.classic_person("alice"), stage.classic_person("bob")
    alice.find(bob.name)
    bob.rung_by(alice.name)
    found = [outcome.ignored(mallory, encode(command, alice.name.encode())) for command in (ACK, ERROR, CHAT_ACCEPT, CHAT_DECLINE)]
    bob.accept()
    for person in (alice, bob):
        person.acked("CHAT")
    return found


@rows.misbehaves("into-a-chat", "asks two who talk, and answers for them", "refused BUSY")
def into_a_chat(stage):
    mallory, (alice, bob) = stage.classic_person(), stage.chat()
    found = [outcome.classic(mallory, encode(command, each.name.encode())) for each in (alice, bob) for command in (FIND_PEER, CHAT_REQUEST)]
    alice.say("only us")
    bob.heard(f"{alice.name}: only us")
    return found


@rows.misbehaves("self", "asks itself", "refused SELF")
def self_(stage):
    client = stage.classic_person()
    return [
        outcome.classic(client, encode(command, name.encode()))
        for command in (FIND_PEER, CHAT_REQUEST)
        for name in (client.name, client.name.upper())
    ]


@rows.misbehaves("prefix-over", "says 65,535 bytes in a chat, which the prefix makes too long", "refused BADF")
def prefix_over(stage):
    alice, _ = stage.chat()
    return outcome.classic(alice, encode(MESSAGE, b"x" * 65_535))


@rows.misbehaves("nobody", "asks for names that nobody can have", "refused NOPE")
def nobody(stage):
    client = stage.classic_person()
    names = (*WRONG_NAMES.values(), b"x" * 65_535, stage.name("nobody").encode(), b"alice:secret")
    return [outcome.classic(client, encode(FIND_PEER, name)) for name in names]


for kind, wrong in WRONG_NAMES.items():

    def run(stage, wrong=wrong):
        return [outcome.classic(stage.classic(), encode(REGISTER, wrong + b":" + PASSWORD.encode())) for _ in range(2)]

    rows.add(f"name-{kind}", f"registers as {wrong[:20]!r}", "refused BADF", run)


@rows.misbehaves("properties", "is called what programs call their own things, and talks so", "answered")
def properties(stage):
    people = []
    for name in PROPERTIES:
        client = stage.classic()
        client.register(name)
        if client.read_frame() == Frame(ERROR, b"USER!"):  # Of the round before.
            client.login(name)
            client.acked("OK")
        people.append(client)
    for caller, callee in zip(people, people[1:]):
        caller.find(callee.name)
        callee.rung_by(caller.name)
        callee.accept()
        for person in (caller, callee):
            person.acked("CHAT")
        caller.say("hello")
        callee.heard(f"{caller.name}: hello")
        caller.acked("OK")
        caller.exit()
        caller.acked("BYE")
        callee.refused("EXIT")
    return "answered"


@rows.misbehaves("login-form", "registers without a colon, a name or a password, and with impossible ones", "refused BADF")
def login_form(stage):
    client, name = stage.classic(), stage.name("form").encode()
    bodies = (b"", b":", name, b":" + PASSWORD.encode(), name + b":", name + b":short", name + b":" + b"x" * 129, name + b":\xff" + PASSWORD.encode())
    return [outcome.classic(client, encode(REGISTER, body)) for body in bodies]


@rows.misbehaves("login-flood", "sends three hundred logins in one write", "answered")
def login_flood(stage):
    client = stage.classic()
    client.send_bytes(encode(LOGIN, f"{stage.name('nobody')}:{PASSWORD}".encode()) * 300)
    answers = {client.read_frame() for _ in range(300)}
    return "answered" if answers == {Frame(ERROR, b"AUTH!"), Frame(ERROR, b"BUSY")} else f"{answers}"


@rows.misbehaves("find-flood", "asks for three hundred people at once", "answered")
def find_flood(stage):
    client = stage.classic_person()
    client.send_bytes(encode(FIND_PEER, b"nobody-at-all") * 300)
    answers = {client.read_frame() for _ in range(300)}
    return "answered" if answers == {Frame(ERROR, b"NOPE")} else f"{answers}"


@rows.misbehaves("other-dialect", "goes on in the contract", "refused UNKN")
def other_dialect(stage):
    client = stage.classic_person()
    return [outcome.classic(client, encode(command, outcome.HELLO_FRAME[7:-4])) for command in range(0x10, 0x17)]


@rows.misbehaves("exit-nothing", "leaves what it is not in, a hundred times", "answered")
def exit_nothing(stage):
    client = stage.classic_person()
    client.send_bytes(encode(EXIT_CHAT, b"x") * 100)
    return ["answered" if client.read_frame() == Frame(ACK, b"BYE") else "told something else" for _ in range(100)]
