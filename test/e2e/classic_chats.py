"""The rows of the classic table on requests, messages, leaving and everything else; classic_table.py plays them."""

import time

from sealwire_classic import ACK, CHAT_ACCEPT, CHAT_DECLINE, ERROR, EXIT_CHAT, FIND_PEER, MESSAGE, Frame, Unexpected
from stage import row

FRAME_BODY_BYTES_MAX = 65_535
HANG_UPS = ("close", "cut", "reset", "end_output")


# FindPeer and ChatRequest.


@row("FindPeer and ChatRequest: the callee gets FindPeer with the caller's name, in any case")
def rings(stage):
    alice, bob = stage.person("alice"), stage.person("bob")
    stage.settle()
    for ask, name in ((alice.find, bob.name), (alice.request, bob.name), (alice.find, bob.name.upper())):
        ask(name)
        bob.rung_by(alice.name)
        stage.settle()
        bob.decline()
        alice.refused("DENY")
        stage.settle()


@row("FindPeer and ChatRequest: NOPE no such account, not here, and a name that cannot be: all alike")
def nobody_there(stage):
    alice, bob = stage.person("alice", fresh=True), stage.person("bob", fresh=True)
    stage.settle()
    bob.close()
    stage.gone(bob)
    wait_until_gone(alice, bob.name)
    for ask in (alice.find, alice.request):
        for name in (stage.name("nobody"), bob.name, "__proto__", "constructor", "", "a:b", b"\xff\xfe", "x" * 900):
            ask(name)
            alice.refused("NOPE")


def wait_until_gone(client, name):
    """A server learns of a hang-up when the network tells it."""
    for _ in range(200):
        client.find(name)
        client.flush()
        if client.read_frame() == Frame(ERROR, b"NOPE"):
            return
        time.sleep(0.02)
    raise Unexpected(f"{name} has hung up and is still found")


@row("FindPeer and ChatRequest: a contact who is not here: Ack CHAT at once, and what is said waits for them")
def contact_away(stage):
    alice, bob = stage.chat(fresh=True)
    bob.close()
    stage.gone(bob)
    alice.refused("EXIT")
    stage.settle()
    for ask in (alice.find, alice.request):
        ask(bob.name)
        alice.acked("CHAT")
        alice.say("are you there?")
        alice.acked("OK")
        alice.say("x" * 60_001)
        alice.refused("BADF")
        alice.exit()
        alice.acked("BYE")
    stage.settle()
    again = stage.client()
    again.login(bob.name)
    again.acked("OK")
    stage.settle()
    again.find(alice.name)
    alice.rung_by(bob.name)
    stage.settle()
    again.exit()
    again.acked("BYE")
    stage.settle()
    alice.refused("EXIT")
    stage.settle()
    alice.find(bob.name.upper())
    again.rung_by(alice.name)
    stage.settle()
    again.decline()
    alice.refused("DENY")


@row("FindPeer: SELF, in any case")
def own_name(stage):
    alice = stage.person("alice")
    for name in (alice.name, alice.name.upper()):
        alice.find(name)
        alice.refused("SELF")
        alice.request(name)
        alice.refused("SELF")


@row("FindPeer: BUSY the callee is in a chat or being asked")
def busy_callee(stage):
    alice, bob = stage.asked()
    carol = stage.person("carol")
    for name in (bob.name, alice.name):
        carol.find(name)
        carol.refused("BUSY")
    stage.settle()
    bob.accept()
    bob.acked("CHAT")
    alice.acked("CHAT")
    stage.settle()
    for name in (bob.name, alice.name):
        carol.request(name)
        carol.refused("BUSY")


@row("FindPeer: BUSY the caller is in a chat, asking, or being asked")
def busy_caller(stage):
    alice, bob = stage.asked()
    carol = stage.person("carol")
    stage.settle()
    for caller in (alice, bob):
        caller.find(carol.name)
        caller.refused("BUSY")
    stage.settle()
    bob.accept()
    bob.acked("CHAT")
    alice.acked("CHAT")
    stage.settle()
    for caller in (alice, bob):
        caller.find(carol.name)
        caller.refused("BUSY")


@row("FindPeer: a request rings at the newest of the callee's sessions that is free")
def several_sessions(stage):
    alice, first = stage.person("alice"), stage.person("bob")
    stage.settle()
    second = stage.client()
    second.login(first.name)
    second.acked("OK")
    carol = stage.person("carol")
    stage.settle()
    for caller, session in ((alice, second), (carol, first)):
        caller.find(first.name)
        session.rung_by(caller.name)
        stage.settle()
    second.accept()
    second.acked("CHAT")
    alice.acked("CHAT")
    stage.settle()
    alice.say("to the second")
    second.heard(f"{alice.name}: to the second")
    alice.acked("OK")


# The answers to a request.


@row("the callee's Ack or ChatAccept: both get Ack CHAT")
def accepts(stage):
    for command in (ACK, CHAT_ACCEPT):
        alice, bob = stage.asked()
        bob.send(command)
        bob.acked("CHAT")
        alice.acked("CHAT")
        stage.settle()
        bob.send(command)  # With nothing left to answer it does nothing.


@row("the callee's Error or ChatDecline: the caller gets Error DENY, the callee nothing")
def declines(stage):
    for command in (ERROR, CHAT_DECLINE):
        alice, bob = stage.asked()
        bob.send(command, "some reason")
        stage.settle()
        alice.refused("DENY")
        stage.settle()
        alice.say("and now?")
        alice.refused("NOCHAT")
        bob.say("indeed")
        bob.refused("NOCHAT")


@row("a request that nobody answers: the caller gets Error DENY, the callee Error EXIT")
def request_expires(stage):
    alice, bob = stage.asked("tight")
    alice.refused("DENY")
    bob.refused("EXIT")
    stage.settle()
    bob.accept()
    bob.say("too late")
    bob.refused("NOCHAT")


@row("ExitChat withdraws a request: the other side gets Error EXIT")
def withdraws(stage):
    for caller_leaves in (True, False):
        alice, bob = stage.asked()
        leaves, stays = (alice, bob) if caller_leaves else (bob, alice)
        leaves.exit()
        leaves.acked("BYE")
        stage.settle()
        stays.refused("EXIT")
        stage.settle()
        bob.accept()
        bob.say("after all")
        bob.refused("NOCHAT")


# Message.


@row("Message: the peer gets `sender: text`, the sender Ack OK; text is bytes and not looked at")
def talks(stage):
    alice, bob = stage.chat()
    for text in (b"hello", b"", b"\x00\xff\xfe not UTF-8", "\u4f60\u597d \u202e".encode(), b"/exit ", b" /exit", b"/EXIT"):
        for speaker, listener in ((alice, bob), (bob, alice)):
            speaker.say(text)
            speaker.acked("OK")
            listener.heard(speaker.name.encode() + b": " + text)
            stage.settle()


@row("Message: NOCHAT not in a chat, asked or not")
def not_in_chat(stage):
    alice, bob = stage.asked()
    carol = stage.person("carol")
    for client in (alice, bob, carol):
        client.say("hello?")
        client.refused("NOCHAT")


@row("Message: BADF over 65,535 bytes together with the prefix, and the chat goes on")
def message_too_large(stage):
    alice, bob = stage.chat()
    prefix = f"{alice.name}: ".encode()
    fits = b"x" * (FRAME_BODY_BYTES_MAX - len(prefix))
    alice.say(fits)
    alice.acked("OK")
    bob.heard(prefix + fits)
    way, alice.way = alice.way, "whole" if alice.way == "bytes" else alice.way
    for text in (fits + b"x", b"x" * FRAME_BODY_BYTES_MAX):
        alice.say(text)
        alice.refused("BADF")
    alice.way = way
    alice.say("shorter")
    alice.acked("OK")
    bob.heard(prefix + b"shorter")


@row("Message: LOST the peer's link failed before the hand-over")
def peer_lost(stage):
    # Bob reads nothing until the server holds output for him, then ends his direction: from then on his link is closing,
    # and not over as long as that output waits. What is said to him meanwhile cannot be handed over.
    alice, bob = stage.chat("roomy", receive_bytes=4096)
    way, alice.way = alice.way, "whole"
    block = b"x" * 60_000
    for _ in range(200):
        alice.say(block)
        alice.acked("OK")
    bob.end_output()
    alice.way = way
    deadline = time.monotonic() + 10
    answer = None
    while answer != Frame(ERROR, b"LOST"):
        alice.say("still there?")
        alice.flush()
        answer = alice.read_frame()
        if answer not in (Frame(ACK, b"OK"), Frame(ERROR, b"LOST")) or time.monotonic() > deadline:
            raise Unexpected(f"bob has gone and alice is told {answer}")
    bob.reset()
    stage.gone(bob)
    alice.refused("EXIT")
    stage.settle()
    alice.say("anybody?")
    alice.refused("NOCHAT")


@row("Message: BUSY over the rate for too long, until the rate has recovered")
def over_the_rate(stage):
    alice, bob = stage.chat("tight", fresh=True)
    # The request was the first of the burst of ten; five more come a second, and a second is waited for.
    began = time.monotonic()
    for number in range(60):
        alice.say(str(number))
    alice.flush()
    answers = [alice.read_frame() for _ in range(60)]
    told = [number for number, answer in enumerate(answers) if answer == Frame(ACK, b"OK")]
    if told[:9] != list(range(9)) or not 10 <= len(told) < 60 or set(answers) != {Frame(ACK, b"OK"), Frame(ERROR, b"BUSY")}:
        raise Unexpected(f"messages {told} of 60 are acknowledged")
    if time.monotonic() - began < 0.9:
        raise Unexpected("nobody was asked to wait for the rate before being refused")
    for number in told:
        bob.heard(f"{alice.name}: {number}")
    stage.settle()
    say_until_acked(alice)
    bob.heard(f"{alice.name}: again")


def say_until_acked(client):
    for _ in range(100):
        client.say("again")
        client.flush()
        if client.read_frame() == Frame(ACK, b"OK"):
            return
        time.sleep(0.1)
    raise Unexpected("the rate does not recover")


@row("FindPeer: requests count towards the rate too, and wait for it")
def requests_over_the_rate(stage):
    alice = stage.person("alice", "tight", fresh=True)
    stage.settle()
    began = time.monotonic()
    for _ in range(12):
        alice.find("nobody")
        alice.refused("NOPE")
    stage.settle()
    if time.monotonic() - began < 0.35:
        raise Unexpected("twelve requests were answered at once, over the rate")


# Leaving.


@row("ExitChat or the message /exit: Ack BYE, the peer gets Error EXIT")
def leaves_chat(stage):
    for command, body in ((EXIT_CHAT, ""), (MESSAGE, "/exit")):
        for caller_leaves in (True, False):
            alice, bob = stage.chat()
            leaver, stayer = (alice, bob) if caller_leaves else (bob, alice)
            leaver.send(command, body)
            leaver.acked("BYE")
            stage.settle()
            stayer.refused("EXIT")
            stayer.say("hello?")
            stayer.refused("NOCHAT")
            stayer.exit()
            stayer.acked("BYE")
            stage.settle()


@row("ExitChat or the message /exit with nothing to leave: Ack BYE")
def leaves_nothing(stage):
    alice = stage.person("alice")
    for command, body in ((EXIT_CHAT, ""), (MESSAGE, "/exit"), (EXIT_CHAT, "whatever")):
        alice.send(command, body)
        alice.acked("BYE")


@row("hanging up in a chat, however: the other side gets Error EXIT")
def hangs_up(stage):
    for manner in HANG_UPS:
        for caller_leaves in (True, False):
            alice, bob = stage.chat()
            leaver, stayer = (alice, bob) if caller_leaves else (bob, alice)
            getattr(leaver, manner)()
            stage.gone(leaver)
            stayer.refused("EXIT")
            stage.settle()
            stayer.say("hello?")
            stayer.refused("NOCHAT")


@row("hanging up in a request, however: the other side gets Error EXIT")
def hangs_up_request(stage):
    for manner in HANG_UPS:
        for caller_leaves in (True, False):
            alice, bob = stage.asked()
            leaver, stayer = (alice, bob) if caller_leaves else (bob, alice)
            getattr(leaver, manner)()
            stage.gone(leaver)
            stayer.refused("EXIT")
            stage.settle()
            stayer.accept()
            stayer.say("hello?")
            stayer.refused("NOCHAT")


# Everything else.


@row("before login: Error NOLOG")
def before_login(stage):
    client = stage.client()
    for command in (MESSAGE, ACK, ERROR, FIND_PEER, 0x07, CHAT_ACCEPT, CHAT_DECLINE, EXIT_CHAT, 0x00, *range(0x0B, 0x100)):
        client.send(command, "/exit")
        client.refused("NOLOG")
    client.register(stage.name("alice"))
    client.acked("OK")


@row("after login: Error UNKN to every unknown command")
def unknown_command(stage):
    alice = stage.person("alice")
    for command in (0x00, *range(0x0B, 0x100)):
        alice.send(command, "what?")
        alice.refused("UNKN")


@row("Ack, Error, ChatAccept or ChatDecline with nothing to answer: nothing")
def nothing_to_answer(stage):
    strays = (ACK, ERROR, CHAT_ACCEPT, CHAT_DECLINE)
    alice = stage.person("alice")
    for command in strays:
        alice.send(command, "OK")
    stage.nothing_else()
    alice, bob = stage.chat()
    for client in (alice, bob):
        for command in strays:
            client.send(command, "CHAT")
    stage.settle()
    alice.say("still here")
    alice.acked("OK")
    bob.heard(f"{alice.name}: still here")
