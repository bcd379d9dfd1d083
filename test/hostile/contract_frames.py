"""Frames of the contract at the wrong time, or of the wrong end (docs/protocol/contract.md)."""

import outcome
from misbehaviours import List
from sealwire_contract import EVENT, FAULT, GOODBYE, HELLO, REQUEST, RESULT, WELCOME, cbor, encode

rows = List("contract")
SERVERS = {"welcome": WELCOME, "result": RESULT, "fault": FAULT, "event": EVENT}
BODIES = {
    WELCOME: {"version": 1, "time": 0, "limits": {}, "features": []}, RESULT: [1, {}], FAULT: [None, 0xFF, "bye"], EVENT: ["presence.changed", {}],
}  # fmt: skip


def frame(command, value):
    return encode(command, cbor.encode(value))


def request(number, method, /, **params):
    return frame(REQUEST, [number, method, params])


ping = request(1, "session.ping")


@rows.misbehaves("request-first", "asks before Hello", "ended unexpected")
def request_first(stage):
    requests = (ping, request(1, "account.register", name="mallory"), request(1, "message.send"))
    return [outcome.contract(stage.contract(greeted=False), each + outcome.HELLO_FRAME) for each in requests]


@rows.misbehaves("goodbye-first", "says goodbye before Hello", "ended unexpected")
def goodbye_first(stage):
    return outcome.contract(stage.contract(greeted=False), frame(GOODBYE, {}))


@rows.misbehaves("hello-twice", "says Hello twice: at once, later, and after login", "ended unexpected")
def hello_twice(stage):
    together = stage.contract(greeted=False)
    together.send_bytes(outcome.HELLO_FRAME * 2)
    together.body(WELCOME)
    return [outcome.contract(together), *(outcome.contract(client, outcome.HELLO_FRAME) for client in (stage.contract(), stage.person()))]


for name, command in SERVERS.items():

    def run(stage, command=command):
        said = frame(command, BODIES[command])
        return [outcome.contract(client, said + ping) for client in (stage.contract(greeted=False), stage.contract(), stage.person())]

    rows.add(name, f"sends {name.capitalize()}, which is the server's: first, behind Hello, after login", "ended unexpected", run)


@rows.misbehaves("unknown-frames", "sends every command from 0x17 to 0xFF", "ended unexpected")
def unknown_frames(stage):
    return [outcome.contract(stage.contract(), encode(command, b"\xa0")) for command in range(0x17, 0x100, 3)]


@rows.misbehaves("classic-frames", "goes on in the classic dialect, before login and after it", "ended unexpected")
def classic_frames(stage):
    return [
        outcome.contract(client(), encode(command, b"alice:correct-horse-battery"))
        for command in range(0x10)
        for client in (stage.contract, stage.person)
    ]


@rows.misbehaves("versions-unknown", "speaks only versions that there are not", "ended version_unsupported")
def versions_unknown(stage):
    return [outcome.contract(stage.contract(greeted=False), frame(HELLO, {"versions": each})) for each in ([0], [2], [65_535], list(range(2, 18)))]


@rows.misbehaves("versions-wrong", "says versions that are none", "ended malformed")
def versions_wrong(stage):
    wrong = ([], [1] * 17, [65_536], [-1], ["1"], [None], 1, "1", {}, None, [[1]])
    return [outcome.contract(stage.contract(greeted=False), frame(HELLO, {"versions": each})) for each in wrong]


@rows.misbehaves("hello-wrong", "says a Hello that is none", "ended malformed")
def hello_wrong(stage):
    bodies = (
        b"",
        b"\xa0",
        b"\x80",
        b"\xf6",
        cbor.encode([1]),
        cbor.encode({"client": "x"}),
        cbor.encode({"versions": [1], "client": "x" * 65}),
        outcome.HELLO_FRAME[7:-4] + b"\x00",
    )
    return [outcome.contract(stage.contract(greeted=False), encode(HELLO, body)) for body in bodies]


@rows.misbehaves("after-goodbye", "goes on after Goodbye", "goodbye")
def after_goodbye(stage):
    client = stage.person()
    found = outcome.contract(client, frame(GOODBYE, {}) + ping + outcome.HELLO_FRAME + b"rubbish")
    return found if client.read_to_end() == [] else "answers behind Goodbye"


@rows.misbehaves("envelope", "sends requests without an id that can be read", "ended malformed")
def envelope(stage):
    wrong = (
        {},
        [],
        [1],
        [1, "session.ping"],
        [1, "session.ping", {}, {}],
        ["1", "session.ping", {}],
        [-1, "session.ping", {}],
        [2**32, "session.ping", {}],
        [None, "session.ping", {}],
        [True, "session.ping", {}],
        [[1], "session.ping", {}],
        [b"1", "session.ping", {}],
        None,
        1,
        "session.ping",
    )
    return [outcome.contract(stage.contract(), frame(REQUEST, each)) for each in wrong]


@rows.misbehaves("id-again", "uses the id of a request that has no answer yet", "answered")
def id_again(stage):
    client = stage.contract()
    client.send_bytes(ping * 20)
    for _ in range(20):
        client.result(1)
    return "answered"


@rows.misbehaves("method-unknown", "asks for methods that there are not", "refused unknown_method")
def method_unknown(stage):
    names = (
        "",
        "session",
        "session.",
        ".ping",
        "SESSION.PING",
        "session.ping ",
        "session.ping\0",
        "__proto__",
        "constructor",
        "hasOwnProperty",
        "toString",
        "../ping",
        "session.hello",
        "session.goodbye",
        "direct.say",
        "presence.changed",
        "x" * 900,
        "сеanсe.ping",
    )
    return [outcome.contract(client, request(1, name)) for client in (stage.contract(), stage.person()) for name in names]


@rows.misbehaves("params-wrong", "gives parameters that are none", "refused malformed")
def params_wrong(stage):
    client = stage.contract()
    found = [outcome.contract(client, frame(REQUEST, [1, "session.ping", params])) for params in (None, 1, "x", [], [1], True)]
    wrong = (
        {},
        {"data": "text"},
        {"data": None},
        {"data": 1},
        {"data": b"x", "more": 1},
        {"data": b"x", "__proto__": {}},
        {"data": b"x", "constructor": 1},
        {"Data": b"x"},
        {"data": bytes(1025)},
        {"data": [b"x"]},
    )
    return found + [outcome.contract(client, request(1, "session.echo", **params)) for params in wrong]


@rows.misbehaves("too-early", "asks before login for what is after it", "refused not_logged_in")
def too_early(stage):
    client = stage.contract()
    methods = (
        "message.send",
        "inbox.open",
        "inbox.ack",
        "directory.who",
        "payment.order",
        "file.put",
        "room.create",
        "device.enrol",
        "direct.listen",
        "contact.list",
    )
    return [outcome.contract(client, request(1, method)) for method in methods]


@rows.misbehaves("too-late", "logs in after login, in every way", "refused already_logged_in")
def too_late(stage):
    client = stage.person()
    methods = ("account.register", "account.login", "account.resume", "account.link", "device.login", "device.prove", "device.challenge")
    return [outcome.contract(client, request(1, method)) for method in methods]


@rows.misbehaves("rate-early", "asks more before login than its rate, in one write", "answered")
def rate_early(stage):
    client = stage.contract()
    client.send_bytes(ping * 60)
    for _ in range(60):
        client.result(1)
    return "answered"


@rows.misbehaves("tokens", "guesses tokens and proofs", "refused login_refused")
def tokens(stage):
    client = stage.contract()
    found = [outcome.contract(client, request(1, "account.resume", token=bytes([number]) * 32)) for number in range(4)]
    return [*found, outcome.contract(client, request(1, "device.login")), outcome.contract(client, request(1, "device.prove", proof=bytes(100)))]


@rows.misbehaves("names-of-programs", "logs in as what programs call their own things", "refused")
def names_of_programs(stage):
    client = stage.contract()
    found = [
        outcome.contract(client, request(1, "account.login", name=name, password="correct-horse-battery-x"))
        for name in ("__proto__", "constructor", "valueOf")
    ]
    return ["refused" if each in ("refused login_refused", "refused rate_limited") else each for each in found]
