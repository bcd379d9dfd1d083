"""Peers that keep a server waiting, against one that has little patience (IMPATIENT in hostile-peer.test.ts). Played side by side."""

import os
import socket
import time

import outcome
from contract_frames import request
from misbehaviours import List
from sealed_channel import Handshake, Wire
from sealwire_classic import MAGIC, MESSAGE, encode
from sealwire_contract import RESULT
from tls_wire import hello
from web_wire import BINARY, WebClient, frame, request as upgrade

rows = List("waiting", "impatient")
HANDSHAKE_S, LOGIN_S, FRAME_S, STALL_S, IDLE_S = 3, 5, 1, 1, 1.5
"""Of that server: handshakeMsMax and so on."""
LATE_S = 15
"""How much later it may do what it should, on a machine that has other things to do."""
SMALL = 4096
"""A receive buffer that is soon full."""
LONG = request(1, "session.echo", data=bytes(900))


def timed(seconds, play):
    """The outcome, if it took about as long as that: half of it may have gone by before anybody looked at the clock."""
    began = time.monotonic()
    found = play()
    took = time.monotonic() - began
    return found if seconds * 0.5 <= took <= seconds + LATE_S else f"{found} after {took:.1f} s"


def drip(send, data, pace=0.05):
    """Sends byte by byte until the server has enough of it."""
    try:
        for byte in data:
            send(bytes([byte]))
            time.sleep(pace)
    except OSError:
        pass


for listener in ("tls", "sealed", "web", "echo"):

    def silent(stage, listener=listener):
        tcp = stage.tcp(getattr(stage.server, listener))
        return timed(HANDSHAKE_S, lambda: outcome.stream(tcp))

    rows.add(f"silent-{listener}", f"connects to the listener {listener} and says nothing", "closed", silent)

for name, does, data in (
    ("half-hello", "stops in the middle of ClientHello", hello()[:100]),
    ("half-record", "stops behind the head of a record", hello()[:5]),
):

    def stops(stage, data=data):
        found = []
        for port in (stage.server.tls, stage.server.web, stage.server.echo):
            tcp = stage.tcp(port)
            tcp.sendall(data)
            found.append(tcp)
        return [outcome.stream(tcp) for tcp in found]

    rows.add(name, f"{does}, on each listener", "closed", stops)


@rows.misbehaves("drip-hello", "sends ClientHello a byte at a time, slowly", "closed")
def drip_hello(stage):
    tcp = stage.tcp()
    return timed(HANDSHAKE_S, lambda: drip(tcp.sendall, hello()[:400]) or outcome.stream(tcp))


@rows.misbehaves("no-finished", "leaves its last message of the handshake out", "closed")
def no_finished(stage):
    tcp = stage.tcp()
    tcp.sendall(hello())
    return timed(HANDSHAKE_S, lambda: "closed" if outcome.stream(tcp) != "silence" else "silence")


@rows.misbehaves("silent-login", "says nothing behind the handshake", "ended SLOW")
def silent_login(stage):
    return timed(LOGIN_S, lambda: outcome.last_word(stage.classic()))


@rows.misbehaves("chatty-login", "pings and never logs in", "ended login_too_slow")
def chatty_login(stage):
    client = stage.contract()

    def chat():
        while True:
            client.ask("session.ping")
            frame = client.read_frame()
            if frame.command != RESULT:
                return outcome.verdict(client, frame)
            time.sleep(LOGIN_S / 8)

    return timed(LOGIN_S, chat)


@rows.misbehaves("refused-login", "fails to log in, and has as long again, once", "ended login_too_slow")
def refused_login(stage):
    client = stage.contract()

    def fail():
        time.sleep(LOGIN_S / 2)
        client.refused_call("login_refused", "account.resume", token=os.urandom(32))
        return outcome.contract(client)

    return timed(LOGIN_S * 1.5, fail)


for name, does, client_of, data, then in (
    ("drip-early", "before login", lambda stage: stage.contract(), request(1, "session.echo", data=bytes(500)), "ended frame_too_slow"),
    ("drip-late", "after login", lambda stage: stage.person(), request(1, "session.echo", data=bytes(500)), "ended frame_too_slow"),
    (
        "head-late",
        "after login, and stops behind a head that says 65,535",
        lambda stage: stage.person(),
        MAGIC + b"\x12\xff\xff",
        "ended frame_too_slow",
    ),
    ("drip-web", "in a WebSocket", lambda stage: WebClient(stage.web()), request(1, "session.echo", data=bytes(500)), "ended frame_too_slow"),
):

    def drips(stage, client_of=client_of, data=data):
        client = client_of(stage)
        return timed(FRAME_S, lambda: drip(client.send_bytes, data) or outcome.contract(client))

    rows.add(name, f"sends a frame a byte at a time, {does}", then, drips)


@rows.misbehaves("drip-classic", "sends a classic frame a byte at a time", "ended SLOW")
def drip_classic(stage):
    client = stage.classic_person()
    return timed(FRAME_S, lambda: drip(client.send_bytes, encode(MESSAGE, b"x" * 300)) or outcome.last_word(client))


@rows.misbehaves("keeps-pace", "takes long for a frame, but not slowly", "refused NOCHAT")
def keeps_pace(stage):
    client, data = stage.classic_person(), encode(MESSAGE, b"x" * 65_535)
    for at in range(0, len(data), 4_096):
        client.send_bytes(data[at : at + 4_096])
        time.sleep(0.1)
    return outcome.classic(client, b"")


@rows.misbehaves("drip-upgrade", "asks for a WebSocket a byte at a time", "closed")
def drip_upgrade(stage):
    tls = stage.web_tls()
    return timed(HANDSHAKE_S, lambda: drip(tls.sendall, upgrade(x="y" * 500)) or outcome.stream(tls))


@rows.misbehaves("silent-upgrade", "asks for no WebSocket behind the handshake", "closed")
def silent_upgrade(stage):
    tls = stage.web_tls()
    return timed(HANDSHAKE_S, lambda: outcome.stream(tls))


@rows.misbehaves("line-ends", "ends the lines of its request with LF alone", "closed")
def line_ends(stage):
    tls = stage.web_tls()
    tls.sendall(upgrade().replace(b"\r\n", b"\n"))
    return timed(HANDSHAKE_S, lambda: outcome.stream(tls))


@rows.misbehaves("web-login", "opens a WebSocket, pings, and never logs in", "ended SLOW")
def web_login(stage):
    wire = stage.web()
    wire.send(frame(9, b"still there?"))
    client = WebClient(wire, greeted=False)
    return timed(LOGIN_S, lambda: outcome.last_word(client))


@rows.misbehaves("half-message", "begins a WebSocket message and stops in its frame", "ended frame_too_slow")
def half_message(stage):
    wire = stage.web()
    client = WebClient(wire)
    data = request(1, "session.echo", data=bytes(500))
    wire.send(frame(BINARY, data)[:50])
    return timed(FRAME_S, lambda: outcome.contract(client))


@rows.misbehaves("half-preamble", "stops in the middle of the preamble of a sealed channel", "closed")
def half_preamble(stage):
    found = []
    for data in (b"S", b"SWv2", b"SWv2\x03\x00\x00\x30" + bytes(20)):
        tcp = stage.tcp(stage.server.sealed)
        tcp.sendall(data)
        found.append(tcp)
    return [outcome.stream(tcp) for tcp in found]


@rows.misbehaves("no-first-record", "shakes hands and sends no record, so that nobody knows who it is", "closed")
def no_first_record(stage):
    handshake = Handshake("NK", stage.server.sealed_key(), None)
    with Wire("127.0.0.1", stage.server.sealed) as wire:
        wire.send(handshake.hello())
        wire.exactly(int.from_bytes(wire.exactly(2), "big"))
        return timed(HANDSHAKE_S, lambda: outcome.stream(wire.tcp))


@rows.misbehaves("drip-record", "sends a sealed record a byte at a time", "closed")
def drip_record(stage):
    channel = stage.sealed().socket
    tcp = channel.wire.tcp
    return timed(FRAME_S, lambda: drip(tcp.sendall, channel.ours.seal(0, bytes(500))) or outcome.gone(tcp))


@rows.misbehaves("idle-echo", "shakes hands with the echo service and says nothing", "closed")
def idle_echo(stage):
    tls = stage.echo()
    return timed(IDLE_S, lambda: outcome.stream(tls))


# Who does not read.


def never_reading(connection, data):
    """Sends as much as the server takes, reads nothing, and waits for it to let go."""
    connection.settimeout(0.5)
    deadline = time.monotonic() + LATE_S
    try:
        while time.monotonic() < deadline:
            connection.sendall(data)
    except socket.timeout:
        return timed(0, lambda: outcome.gone(connection))
    except OSError:
        return "closed"
    return "takes everything"


@rows.misbehaves("deaf-contract", "asks and asks, and reads no answer", "closed")
def deaf_contract(stage):
    return never_reading(stage.person("deaf", receive_bytes=SMALL).socket, LONG * 64)


@rows.misbehaves("deaf-classic", "sends commands, and reads no answer", "closed")
def deaf_classic(stage):
    client = stage.classic(receive_bytes=SMALL)
    client.register(stage.name("deaf"))
    client.acked("OK")
    return never_reading(client.socket, encode(0x0B) * 5_000)


@rows.misbehaves("deaf-echo", "sends megabytes to be echoed, and reads nothing", "closed")
def deaf_echo(stage):
    return never_reading(stage.echo(receive_bytes=SMALL), bytes(1 << 16))


@rows.misbehaves("deaf-web", "pings, and reads no pong and no answer", "closed")
def deaf_web(stage):
    wire = stage.web(receive_bytes=SMALL)
    client = WebClient(wire).join(stage.name("deaf"))
    return never_reading(client.socket.wire.tls, frame(BINARY, LONG) * 64)


@rows.misbehaves("deaf-ended", "is told that its connection ends, and stays", "closed")
def deaf_ended(stage):
    clients = [stage.contract() for _ in range(10)]
    for client in clients:
        client.send_bytes(b"no frame")
        client.fault(None, "bad_magic")
    return [still_sending(client.socket, b"x", 0.1) for client in clients]


@rows.misbehaves("loud-ended", "is told that its connection ends, and sends on and on", "closed")
def loud_ended(stage):
    client = stage.contract()
    client.send_bytes(b"no frame")
    return still_sending(client.socket, bytes(1 << 16), 0)


def still_sending(connection, data, pace):
    deadline = time.monotonic() + STALL_S + LATE_S
    connection.settimeout(LATE_S)
    try:
        while time.monotonic() < deadline:
            connection.sendall(data)
            time.sleep(pace)
    except OSError as reason:
        return "still open" if isinstance(reason, TimeoutError) else "closed"
    return "still open"
