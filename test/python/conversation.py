"""Two people who talk, each an Installation, in one program: everything that a conversation has, with what must come of it.

    python3 conversation.py FOLDER LINK LINK      prints the names of what held; exit code 1 at the first that does not
"""

import hashlib
import os
import pathlib
import sys
import time

from sealwire_client import Connection, Refused, Untrusted, find_authority, fingerprint, new_id, parse_link, pin_of
from sealwire_installation import Installation


def refusal(action):
    """The code with which the server refuses it."""
    try:
        action()
    except Refused as reason:
        return reason.code
    raise AssertionError("it was not refused")


def expect(found, wanted):
    if found != wanted:
        raise AssertionError(f"{found!r} in place of {wanted!r}")


class Play:
    def __init__(self, folder, links):
        self.folder = pathlib.Path(folder)
        self.links = links

    def trust(self):
        host, port, pin, _ = parse_link(self.links[0])
        authority = find_authority(host, port, pin)
        expect(pin_of(authority), pin)
        try:
            find_authority(host, port, bytes(32))
        except Untrusted as reason:
            expect([fingerprint(bytes(32)) in str(reason), fingerprint(pin) in str(reason)], [True, True])
        else:
            raise AssertionError("another pin was taken")
        try:
            Connection("127.1", port, authority)  # The same address by another name.
        except Untrusted:
            pass
        else:
            raise AssertionError("another name was taken")
        for broken in (self.links[0][:-1], self.links[0] + "A", self.links[0].replace("#1.", "#2."), "https" + self.links[0][8:]):
            try:
                parse_link(broken)
            except ValueError:
                continue
            raise AssertionError("a broken link was taken")

    def join_and_resume(self):
        self.alice, self.bob = (Installation(self.folder / f"{name}.db") for name in ("alice", "bob"))
        for person, link, name in zip((self.alice, self.bob), self.links, ("alice", "bob")):
            person.join(link, name)
            expect(person.call("session.echo", data=b"\x00\xff"), {"data": b"\x00\xff"})
        again = Installation(self.folder / "again.db")
        expect(refusal(lambda: again.join(self.links[0], "mallory")), "invitation_used")

    def consent(self):
        alice, bob = self.alice, self.bob
        expect(refusal(lambda: alice.call("message.send", to="bob", id=new_id(), body=b"hello")), "not_found")
        request = new_id()
        asked = alice.call("contact.request", name="bob", id=request, text="may I? ä".encode())
        expect(alice.call("contact.request", name="bob", id=request, text="may I? ä".encode()), asked)
        expect(asked["accepted"], False)
        self.talk = asked["conversation"]
        expect(refusal(lambda: alice.call("message.send", to="bob", id=new_id(), body=b"hello")), "not_contact")
        bob.receive(lambda: len(bob.entries(self.talk)) == 1)
        expect(bob.entries(self.talk, "kind, author, what, body"), [("contact", "alice", "requested", "may I? ä".encode())])
        expect([(each["name"], each["state"]) for each in bob.call("contact.list")["contacts"]], [("alice", "asking")])
        expect(bob.call("contact.accept", name="alice"), {"conversation": self.talk})
        alice.receive(lambda: alice.entries(self.talk, "what")[-1:] == [("accepted",)])

    def say_once(self):
        alice, bob = self.alice, self.bob
        message = {"conversation": self.talk, "id": new_id(), "body": b"once"}
        first = alice.call("message.send", **message)
        alice.drop()
        expect(alice.call("message.send", **message), first)
        expect(refusal(lambda: alice.call("message.send", **{**message, "body": b"other"})), "conflict")
        self.first = first["seq"]
        self.second = alice.say({"to": "bob"}, "twice 👋🏽", replyTo=self.first, mentions=["bob"])
        # The own acceptance does not come back to the only device.
        bob.receive(lambda: len(bob.entries(self.talk)) == 3)
        expect(bob.entries(self.talk, "place, body")[1:], [(self.first, b"once"), (self.second, "twice 👋🏽".encode())])

    def resume_the_inbox(self):
        alice, bob = self.alice, self.bob
        bob.acknowledge()
        bob.drop()
        for number in range(20):
            alice.say({"conversation": self.talk}, f"away {number}")
        bob.receive(lambda: len(bob.entries(self.talk)) == 10)
        # Nothing of the ten last was acknowledged but what the rhythm brought; a program that crashed begins behind what it stored.
        bob.drop()
        bob = self.bob = Installation(self.folder / "bob.db")
        bob.receive(lambda: len(bob.entries(self.talk)) == 23)
        expect([body for _, body in bob.entries(self.talk)[3:]], [f"away {number}".encode() for number in range(20)])

    def change(self):
        alice, bob, where = self.alice, self.bob, {"conversation": self.talk}
        bob.call("message.react", **where, target=self.second, id=new_id(), emoji="🎉", on=True)
        alice.call("message.edit", **where, target=self.first, id=new_id(), body=b"once more")
        expect(refusal(lambda: bob.call("message.edit", **where, target=self.first, id=new_id(), body=b"x")), "not_permitted")
        alice.call("message.pin", **where, target=self.first, id=new_id(), on=True)
        expect([each["body"] for each in bob.call("message.history", **where, pinned=True)["entries"]], [b"once more"])
        alice.receive(lambda: ("reaction", "🎉") in alice.entries(self.talk, "kind, emoji"))
        last = alice.call("message.delete", **where, target=self.second, id=new_id())["seq"]
        bob.receive(lambda: bob.entries(self.talk, "place")[-1] == (last,))
        changed = dict(bob.entries(self.talk, "place, body"))
        expect([changed[self.first], changed[self.second]], [b"once more", None])
        expect(refusal(lambda: alice.call("message.react", **where, target=self.second, id=new_id(), emoji="x", on=True)), "gone")

    def read_history(self):
        alice, bob = self.alice, self.bob
        pages = bob.history(self.talk, page=7)
        expect(pages, bob.history(self.talk))
        expect([each["seq"] for each in pages], list(range(1, len(pages) + 1)))
        onwards = alice.call("message.history", conversation=self.talk, after=self.second, max=5)
        expect(([each["seq"] for each in onwards["entries"]], onwards["more"]), ([self.second + each for each in range(1, 6)], True))
        deleted = pages[self.second - 1]
        expect((deleted["deleted"], "body" in deleted, deleted["id"] is not None), (True, False, True))
        expect(pages[self.first - 1]["body"], b"once more")
        here = [place for (place,) in bob.entries(self.talk, "place")]
        own = [each["seq"] for each in pages if each["from"] == "bob"]
        expect(sorted({*here, *own}), [each["seq"] for each in pages])

    def search_and_mark(self):
        alice, bob = self.alice, self.bob
        found = {"entries": [], "upTo": 0}
        until = time.time() + 30
        while not found["entries"] and time.time() < until:
            found = bob.call("message.search", text="AWAY 17", conversation=self.talk)
        expect([each["body"] for each in found["entries"]], [b"away 17"])
        expect(bob.call("mark.read", conversation=self.talk, seq=5), {"readSeq": 5})
        expect(bob.call("mark.read", conversation=self.talk, seq=4), {"readSeq": 5})
        alice.receive(lambda: ("mark.changed", {"conversation": self.talk, "name": "bob", "readSeq": 5}) in alice.live)
        bob.call("presence.typing", conversation=self.talk)
        alice.receive(lambda: ("presence.typing", {"conversation": self.talk, "name": "bob"}) in alice.live)

    def room(self):
        alice, bob = self.alice, self.bob
        made = {"id": new_id(), "title": "kitchen", "topic": "what to cook", "history": "joined"}
        room = alice.call("room.create", **made)["conversation"]
        expect(alice.call("room.create", **made)["conversation"], room)
        alice.say({"conversation": room}, "nobody hears this")
        secret = alice.call("room.link", conversation=room, uses=1)["secret"]
        joined = bob.call("room.join", secret=secret)
        expect(joined["conversation"], room)
        alice.say({"conversation": room}, "soup?")
        bob.say({"conversation": room}, "soup!")
        alice.receive(lambda: ("bob", b"soup!") in alice.entries(room))
        bob.receive(lambda: ("alice", b"soup?") in bob.entries(room))
        expect([each["body"] for each in bob.history(room) if each["kind"] == "message"], [b"soup?", b"soup!"])
        alice.call("room.role", conversation=room, name="bob", role="moderator")
        alice.call("room.update", conversation=room, announcement=True)
        expect([(each["name"], each["role"]) for each in bob.call("room.members", conversation=room)["members"]],
               [("alice", "owner"), ("bob", "moderator")])  # fmt: skip
        bob.call("room.leave", conversation=room)
        expect(refusal(lambda: bob.call("message.send", conversation=room, id=new_id(), body=b"x")), "not_found")

    def file(self):
        alice, bob = self.alice, self.bob
        content = os.urandom(1_234_567)
        place = alice.send_file(self.talk, "holiday.bin", content, text="look")
        bob.receive(lambda: bob.entries(self.talk, "place")[-1] == (place,))
        entry = next(each for each in bob.history(self.talk) if each["seq"] == place)
        expect((entry["file"]["name"], entry["file"]["sha256"]), ("holiday.bin", hashlib.sha256(content).digest()))
        expect(bob.call("file.find", id=entry["file"]["id"]), entry["file"])
        expect(bob.get_file(entry["file"]) == content, True)
        self._beside_requests(content, entry["file"])
        alice.call("message.delete", conversation=self.talk, target=place, id=new_id())
        expect(refusal(lambda: bob.call("file.find", id=entry["file"]["id"])), "not_found")

    def _beside_requests(self, content, file):
        """Chunks and other requests on one connection: each answer finds its request, in whatever order they come."""
        connection = self.bob.connection()
        chunks = [connection.ask("file.get", id=file["id"], offset=at, length=1_000) for at in (0, 5_000, 9_000)]
        echo = connection.ask("session.echo", data=b"beside")
        expect(connection.wait(echo), {"data": b"beside"})
        expect([connection.wait(each)["data"] for each in reversed(chunks)], [content[at : at + 1_000] for at in (9_000, 5_000, 0)])

    def half_a_file(self):
        """What was cut off goes on where the server says; what is not what was announced begins again."""
        alice, content, file = self.alice, os.urandom(200_000), new_id()
        announced = {"conversation": self.talk, "name": "half", "size": len(content), "sha256": hashlib.sha256(content).digest()}
        expect(alice.call("file.begin", id=file, **announced), {"offset": 0})
        expect(alice.call("file.put", id=file, offset=0, data=content[:50_000]), {"offset": 50_000})
        expect(refusal(lambda: alice.call("file.put", id=file, offset=0, data=b"x")), "conflict")
        alice.drop()
        alice.send_file(self.talk, "half", content, file=file)
        wrong = new_id()
        alice.call("file.begin", id=wrong, **{**announced, "size": 3})
        alice.call("file.put", id=wrong, offset=0, data=b"abc")
        expect(refusal(lambda: alice.call("file.end", id=wrong)), "file_invalid")
        alice.call("file.abandon", id=wrong)

    def block(self):
        alice, bob = self.alice, self.bob
        bob.call("directory.block", name="alice")
        place = alice.say({"conversation": self.talk}, "does anybody hear me?")
        bob.call("directory.unblock", name="alice")
        alice.say({"conversation": self.talk}, "and now?")
        bob.receive(lambda: bob.entries(self.talk)[-1] == ("alice", b"and now?"))
        expect((place,) in bob.entries(self.talk, "place"), False)
        for person in (alice, bob):
            person.close()


def main():
    play = Play(sys.argv[1], sys.argv[2:])
    for act in (play.trust, play.join_and_resume, play.consent, play.say_once, play.resume_the_inbox, play.change, play.read_history,
                play.search_and_mark, play.room, play.file, play.half_a_file, play.block):  # fmt: skip
        act()
        print(act.__name__, "held")


if __name__ == "__main__":
    main()
