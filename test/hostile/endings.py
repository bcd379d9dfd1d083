"""Connections that end as they should not, wherever they are."""

import socket

import outcome
from contract_frames import request
from ground import reset
from misbehaviours import List
from sealwire_classic import MESSAGE, PASSWORD, REGISTER, encode
from sealwire_contract import chat
from web_wire import BINARY, frame

rows = List("endings")
FRAME = request(9, "message.send", conversation=1, id=bytes(16), body=b"never to be stored")
MANNERS = {
    "close": "closes TLS", "cut": "ends TCP without a word of TLS", "reset": "resets the connection", "end_output": "ends its output and stays",
}  # fmt: skip
PLACES = (0, 1, 6, 9, len(FRAME) - 1)

for manner, does in MANNERS.items():

    def contract(stage, manner=manner):
        alice, bob = stage.person("alice"), stage.person("bob")
        chat(alice, bob)
        for at in PLACES:
            again = stage.person_again(alice)
            alice.cut()
            again.name, alice = alice.name, again
            alice.send_bytes(FRAME[:at])
            getattr(alice, manner)()
            if manner == "end_output" and alice.read_to_end() != []:
                return "half a frame was answered"
        bob.left(alice.name)
        return "noticed"

    def classic(stage, manner=manner):
        alice, bob = stage.chat()
        alice.send_bytes(encode(MESSAGE, b"hello")[:9])
        getattr(alice, manner)()
        bob.refused("EXIT")
        return "noticed"

    rows.add(f"{manner}-contract", f"{does} in the middle of a frame of the contract, at five places", "noticed", contract)
    rows.add(f"{manner}-classic", f"{does} in the middle of a frame, in a classic chat", "noticed", classic)


@rows.misbehaves("half-close", "ends its output behind three requests", "answered")
def half_close(stage):
    client = stage.contract()
    client.send_bytes(request(1, "session.ping") * 3)
    client.end_output()
    return "answered" if len(client.read_to_end()) == 3 else "answers are missing"


@rows.misbehaves("waiting-login", "is gone while its password is hashed, twenty times", "let go")
def waiting_login(stage):
    for number in range(20):
        client = stage.classic()
        client.send_bytes(encode(REGISTER, f"{stage.name('hasty')}:{PASSWORD}".encode()))
        (client.reset if number % 2 else client.cut)()
    return "let go"


@rows.misbehaves("waiting-commit", "is gone while its messages are committed, twenty times", "let go")
def waiting_commit(stage):
    alice, bob = stage.person("alice"), stage.person("bob")
    chat(alice, bob)
    for number in range(20):
        again = stage.person_again(alice)
        said = [request(each, "message.send", conversation=alice.conversation, id=bytes([number, each]) * 8, body=b"hasty") for each in range(16)]
        again.send_bytes(b"".join(said))
        (again.reset if number % 2 else again.cut)()
    return "let go"


@rows.misbehaves("unread-answers", "asks a thousand times and is gone without reading", "let go")
def unread_answers(stage):
    for manner in ("cut", "reset", "close"):
        client = stage.person("hasty")
        client.send_bytes(request(1, "session.echo", data=bytes(1_000)) * 900)
        getattr(client, manner)()
    return "let go"


@rows.misbehaves("crowd", "connects two hundred times, and all are gone at once", "let go")
def crowd(stage):
    crowd = [stage.contract() if number % 4 == 0 else stage.tcp() for number in range(200)]
    for one in crowd:
        (one.close if isinstance(one, socket.socket) else one.reset)()
    return "let go"


@rows.misbehaves("bare-fin", "ends TCP at once, before a byte", "closed")
def bare_fin(stage):
    found = []
    for _ in range(20):
        tcp = stage.tcp()
        tcp.shutdown(socket.SHUT_WR)
        found.append(outcome.stream(tcp))
    return found


@rows.misbehaves("web-cut", "goes away in the middle of a WebSocket frame, in each manner", "let go", server="web")
def web_cut(stage):
    whole = frame(BINARY, outcome.HELLO_FRAME)
    for at in (1, 3, 8, len(whole) - 1):
        for leave in (reset, lambda tls: tls.close(), lambda tls: tls.unwrap()):
            wire = stage.web()
            wire.send(whole[:at])
            outcome.attempt(leave, wire.tls)
    return "let go"


@rows.misbehaves("sealed-cut", "goes away in the middle of a sealed record, and of the handshake", "let go", server="sealed")
def sealed_cut(stage):
    for at in (1, 8, 20, 55):
        tcp = stage.tcp(stage.server.sealed)
        tcp.sendall((b"SWv2\x03\x00\x00\x30" + bytes(48))[:at])
        reset(tcp)
        channel = stage.sealed().socket
        channel.wire.send(channel.ours.seal(0, outcome.HELLO_FRAME)[:at])
        reset(channel.wire.tcp)
    return "let go"


@rows.misbehaves("echo-half-close", "ends its output behind what it wants back", "answered", server="echo")
def echo_half_close(stage):
    tls, back = stage.echo(), b""
    tls.sendall(b"x" * 100_000)
    socket.socket.shutdown(tls, socket.SHUT_WR)
    try:
        while more := tls.recv(65536):
            back += more
    except OSError:
        pass
    return "answered" if len(back) == 100_000 else f"{len(back)} bytes"


@rows.misbehaves("echo-cut", "sends megabytes to be echoed, and is gone", "let go", server="echo")
def echo_cut(stage):
    for leave in (reset, lambda tls: tls.close()):
        tls = stage.echo()
        tls.settimeout(0.2)
        try:
            while True:
                tls.sendall(bytes(1 << 16))
        except OSError:
            leave(tls)
    return "let go"
