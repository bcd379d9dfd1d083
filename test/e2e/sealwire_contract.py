"""A client of Sealwire's contract: a peer that shares no code with the server.

It is written from docs/protocol/framing.md and docs/protocol/contract.md alone, with Python's standard library alone. Frames and TLS are
those of sealwire_classic.py, CBOR is that of the check of the vectors.
"""

import os
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "vectors"))
import check_contract as cbor  # noqa: E402
from sealwire_classic import Client, Over, Unexpected, encode  # noqa: E402, F401

HELLO, WELCOME, REQUEST, RESULT, FAULT, EVENT, GOODBYE = range(0x10, 0x17)
CODES = {
    "bad_magic": 0x01, "bad_checksum": 0x02, "frame_too_large": 0x03, "frame_too_slow": 0x04, "login_too_slow": 0x06,
    "stopping": 0x08, "version_unsupported": 0x0A, "unexpected": 0x0B, "session_ended": 0x0C, "malformed": 0x11,
    "not_logged_in": 0x12, "already_logged_in": 0x13, "name_taken": 0x15, "login_refused": 0x17, "registration_closed": 0x18,
    "busy": 0x19, "not_found": 0x1B, "is_self": 0x1C, "unknown_method": 0x28, "no_request": 0x2B,
    "not_contact": 0x33,
}  # fmt: skip
PASSING = ("presence.changed", "mark.changed")


class ContractClient(Client):
    """One connection. Answers and events are read in the order in which they come."""

    def __init__(self, host, port, authority, greeted=True, **options):
        super().__init__(host, port, authority, **options)
        self._id = 0
        self.token = None
        self.conversation = None
        if greeted:
            self.greet()

    def greet(self, versions=(1,)):
        self.send(HELLO, cbor.encode({"versions": list(versions), "client": "test"}))
        return self.body(WELCOME)

    # What it asks.

    def ask(self, method, **params):
        """Sends a request; its id."""
        self._id += 1
        self.send(REQUEST, cbor.encode([self._id, method, params]))
        return self._id

    def call(self, method, **params):
        """The result of a request that is answered at once."""
        return self.result(self.ask(method, **params))

    def refused_call(self, code, method, **params):
        """The sentence of a request that is refused at once."""
        return self.fault(self.ask(method, **params), code)

    def join(self, name, **params):
        answer = self.call("account.register", name=name, **params)
        self.name, self.token = answer["name"], answer["token"]
        return self

    def resume(self, token):
        self.name, self.token = self.call("account.resume", token=token)["name"], token
        return self

    # What it is told.

    def body(self, command):
        frame = self.read_frame()
        while command != EVENT and is_passing(frame):
            frame = self.read_frame()
        if frame.command != command:
            raise Unexpected(f"{self.name} waits for {command:02x} and gets {frame.command:02x} {readable(frame.body)}")
        return cbor.decode(frame.body)

    def result(self, request):
        found, value = self.body(RESULT)
        if found != request:
            raise Unexpected(f"{self.name} waits for the result {request} and gets {found}")
        return value

    def fault(self, request, code):
        """The sentence of a fault; `request` is None for the reason of an end."""
        found, number, sentence = self.body(FAULT)
        if (found, number) != (request, CODES[code]) or not sentence:
            raise Unexpected(f"{self.name} waits for the fault {request} {code} and gets {found} {number:02x} {sentence}")
        return sentence

    def event(self, event, **data):
        found = self.body(EVENT)
        if found != [event, data]:
            raise Unexpected(f"{self.name} waits for {event} {data} and gets {found}")

    def entry(self, **fields):
        """What the inbox brings next."""
        found = ["presence.changed", None]
        while found[0] in PASSING:
            found = self.body(EVENT)
        if found[0] != "inbox.entry" or any(found[1]["entry"].get(name) != value for name, value in fields.items()):
            raise Unexpected(f"{self.name} waits for an entry {fields} and gets {found}")

    def left(self, name):
        """A contact has gone."""
        while self.body(EVENT) != ["presence.changed", {"name": name, "here": False}]:
            pass

    def over(self):
        """The server says nothing more and has closed the connection."""
        frames = self.read_to_end()
        if frames:
            raise Unexpected(f"{self.name} is told {[(f'{frame.command:02x}', readable(frame.body)) for frame in frames]} at the end")
        self.cut()

    def ended(self, code):
        self.fault(None, code)
        self.over()

    def quiet(self):
        """It is still there and was told nothing that it has not read."""
        self.call("session.ping")

    def goodbye(self):
        self.send(GOODBYE, cbor.encode({}))
        if self.body(GOODBYE) != {}:
            raise Unexpected("a Goodbye that is not empty")
        self.over()


def is_passing(frame):
    """Tells of others, at any time."""
    return frame.command == EVENT and cbor.decode(frame.body)[0] in PASSING


def readable(body):
    try:
        return repr(cbor.decode(body))[:200]
    except cbor.Malformed:
        return repr(body[:60])


def fresh_id():
    return os.urandom(16)


def chat(alice, bob):
    """Makes contacts of two people; from now on they hear in their inboxes what the other one says."""
    for person in (alice, bob):
        person.call("inbox.open")
    conversation = alice.call("contact.request", name=bob.name, id=fresh_id())["conversation"]
    bob.entry(conversation=conversation, kind="contact", what="requested")
    if bob.call("contact.accept", name=alice.name) != {"conversation": conversation}:
        raise Unexpected("the result of contact.accept has another conversation")
    alice.entry(conversation=conversation, kind="contact", what="accepted")
    alice.conversation = bob.conversation = conversation


def say(alice, bob, body, type="text/plain"):
    alice.call("message.send", conversation=alice.conversation, id=fresh_id(), body=body, type=type)
    bob.entry(conversation=bob.conversation, kind="message", type=type, body=body, **{"from": alice.name})
