"""Nothing reaches anybody who has not agreed to it, and nobody who leaves holds anybody up.

    python3 classic_consent.py main=HOST:PORT:AUTHORITY
"""

import time

from patience import at_most
from sealwire_classic import ACK, CHAT_ACCEPT, CHAT_DECLINE, ERROR, Unexpected
from stage import arguments, play, row

ANSWERS = (ACK, CHAT_ACCEPT, ERROR, CHAT_DECLINE)
AT_ONCE_S = at_most(1, 5)


@row("FindPeer followed by the caller's own answer starts nothing, and the callee can still accept")
def own_answer(stage):
    alice, bob = stage.person("alice"), stage.person("bob")
    stage.settle()
    alice.find(bob.name)
    for command in ANSWERS:
        alice.send(command, "CHAT")
        alice.say("do you hear me?")
        alice.refused("NOCHAT")
    bob.rung_by(alice.name)
    stage.nothing_else()
    bob.accept()
    alice.acked("CHAT")
    bob.acked("CHAT")
    stage.settle()
    alice.say("now you do")
    alice.acked("OK")
    bob.heard(f"{alice.name}: now you do")


@row("somebody else's answer to a request does nothing")
def answer_of_another(stage):
    alice, bob = stage.asked()
    carol = stage.person("carol")
    for command in ANSWERS:
        carol.send(command, "CHAT")
    carol.say("me too")
    carol.refused("NOCHAT")
    stage.nothing_else()
    bob.accept()
    alice.acked("CHAT")
    bob.acked("CHAT")


@row("who is asked while answering somebody else answers only the one who asked")
def one_request_at_a_time(stage):
    alice, bob = stage.asked()
    carol = stage.person("carol")
    stage.settle()
    carol.find(bob.name)
    carol.refused("BUSY")
    stage.settle()
    for command in (CHAT_ACCEPT, CHAT_ACCEPT, ACK):
        bob.send(command)
    alice.acked("CHAT")
    bob.acked("CHAT")
    stage.nothing_else()


@row("an answer after the request was withdrawn, declined or left does nothing")
def late_answer(stage):
    for leave in ("exit", "close"):
        alice, bob = stage.asked()
        getattr(alice, leave)()
        if leave == "exit":
            alice.acked("BYE")
        else:
            stage.gone(alice)
        stage.settle()
        bob.refused("EXIT")
        stage.settle()
        for command in ANSWERS:
            bob.send(command, "CHAT")
        bob.say("hello?")
        bob.refused("NOCHAT")
        stage.settle()
    alice, bob = stage.asked()
    bob.decline()
    bob.accept()
    stage.settle()
    alice.refused("DENY")
    stage.settle()
    alice.say("hello?")
    alice.refused("NOCHAT")


@row("hanging up in a chat, however, blocks nobody: the others go on at once, the partner with somebody else")
def blocks_nobody(stage):
    carol, dave, erin = (stage.person(base) for base in ("carol", "dave", "erin"))
    stage.settle()
    talk_to(stage, carol, dave)
    for manner in ("close", "cut", "reset", "end_output"):
        alice, bob = stage.chat(fresh=True)
        alice.say("a last word")
        alice.acked("OK")
        stage.settle()
        getattr(alice, manner)()
        stage.gone(alice)
        began = time.monotonic()
        say_to(stage, dave, carol)
        bob.heard(f"{alice.name}: a last word")
        bob.refused("EXIT")
        stage.settle()
        talk_to(stage, bob, erin)
        took = time.monotonic() - began
        if took > AT_ONCE_S:
            raise Unexpected(f"after a hang-up by {manner} the others needed {took:.1f} s")
        erin.exit()
        erin.acked("BYE")
        bob.refused("EXIT")
        stage.settle()


def talk_to(stage, caller, callee):
    caller.find(callee.name)
    callee.rung_by(caller.name)
    stage.settle()
    callee.accept()
    callee.acked("CHAT")
    caller.acked("CHAT")
    stage.settle()
    say_to(stage, caller, callee)


def say_to(stage, speaker, listener):
    speaker.say("hello")
    speaker.acked("OK")
    listener.heard(f"{speaker.name}: hello")
    stage.settle()


if __name__ == "__main__":
    play(arguments())
