"""Methods of the contract that are asked wrongly, by who may not, or far too often (docs/protocol/contract-reference.md)."""

import outcome
from contract_frames import request
from misbehaviours import List
from payer import Payer
from sealwire_contract import EVENT, chat, fresh_id, say

rows = List("methods")


def asked(client, method, /, **params):
    return outcome.contract(client, request(1, method, **params))


@rows.misbehaves("send-stranger", "says something to who has not agreed, by name and by number", "refused")
def send_stranger(stage):
    mallory, bob = stage.person(), stage.person("bob")
    wanted = mallory.call("contact.request", name=bob.name, id=fresh_id())["conversation"]
    found = [asked(mallory, "message.send", id=fresh_id(), body=b"x", **to) for to in ({"to": bob.name}, {"conversation": wanted})]
    bob.quiet()
    return ["refused" if each in ("refused not_contact", "refused not_found") else each for each in found]


@rows.misbehaves("others-conversation", "reads and writes in the conversation of two others", "refused not_found")
def others_conversation(stage):
    alice, bob, mallory = stage.person("alice"), stage.person("bob"), stage.person()
    chat(alice, bob)
    say(alice, bob, b"only us")
    where = {"conversation": alice.conversation}
    found = [
        asked(mallory, "message.send", id=fresh_id(), body=b"x", **where),
        asked(mallory, "message.history", **where),
        asked(mallory, "message.edit", id=fresh_id(), body=b"x", target=1, **where),
        asked(mallory, "message.delete", id=fresh_id(), target=1, **where),
        asked(mallory, "message.react", id=fresh_id(), target=1, emoji="x", on=True, **where),
        asked(mallory, "mark.read", seq=1, **where),
        asked(mallory, "room.join", **where),
    ]
    say(bob, alice, b"still only us")
    return found


@rows.misbehaves("others-words", "edits and deletes what the other one of a conversation said", "refused not_permitted")
def others_words(stage):
    alice, bob = stage.person("alice"), stage.person("bob")
    chat(alice, bob)
    where = {"conversation": alice.conversation}
    seq = alice.call("message.send", id=fresh_id(), body=b"mine alone", **where)["seq"]
    bob.entry(body=b"mine alone")
    found = [
        asked(bob, "message.edit", id=fresh_id(), body=b"his", target=seq, **where),
        asked(bob, "message.delete", id=fresh_id(), target=seq, **where),
    ]
    alice.quiet()
    kept = [entry["body"] for entry in alice.call("message.history", **where)["entries"] if entry["seq"] == seq]
    return found if kept == [b"mine alone"] else f"the words are {kept}"


@rows.misbehaves("conversations-guessed", "guesses the numbers of conversations", "refused not_found")
def conversations_guessed(stage):
    mallory = stage.person()
    return [asked(mallory, "message.send", id=fresh_id(), body=b"x", conversation=number) for number in (0, 2**31, 2**32, 2**53 - 1)]


@rows.misbehaves("numbers-beyond", "names conversations beyond what is counted with", "refused malformed")
def numbers_beyond(stage):
    mallory = stage.person()
    return [asked(mallory, "message.send", id=fresh_id(), body=b"x", conversation=number) for number in (-1, 2**53, "1", None)]


@rows.misbehaves("id-other-words", "says other words under the same id", "refused conflict")
def id_other_words(stage):
    alice, bob = stage.person("alice"), stage.person("bob")
    chat(alice, bob)
    id = fresh_id()
    alice.call("message.send", conversation=alice.conversation, id=id, body=b"five")
    bob.entry(body=b"five")
    found = asked(alice, "message.send", conversation=alice.conversation, id=id, body=b"six")
    bob.quiet()
    return found


@rows.misbehaves("ids-wrong", "makes ids that are none", "refused malformed")
def ids_wrong(stage):
    mallory = stage.person()
    return [asked(mallory, "message.send", to="bob", id=id, body=b"x") for id in (b"", bytes(15), bytes(17), "x" * 16, 1, None)]


@rows.misbehaves("ack-future", "acknowledges and opens what it has not been sent", "refused conflict")
def ack_future(stage):
    client = stage.person("hasty")
    client.call("inbox.open")
    return [
        asked(client, method, **params)
        for method, params in (("inbox.ack", {"seq": 1_000}), ("inbox.ack", {"seq": 2**53 - 1}), ("inbox.open", {"after": 1_000}))
    ]


@rows.misbehaves("ack-one-beyond", "acknowledges exactly one more than there is", "refused conflict")
def ack_one_beyond(stage):
    alice, bob = stage.person("alice"), stage.person("bob")
    chat(alice, bob)
    alice.call("message.send", conversation=alice.conversation, id=fresh_id(), body=b"the last of them")
    event = ["", {}]
    while event[0] != "inbox.entry":
        event = bob.body(EVENT)
    last = event[1]["seq"]
    found = asked(bob, "inbox.ack", seq=last + 1)
    bob.call("inbox.ack", seq=last)
    return [found, asked(bob, "inbox.ack", seq=last + 1)]


@rows.misbehaves("open-flood", "opens its inbox ninety times in one write", "answered")
def open_flood(stage):
    client = stage.person("reader")
    client.send_bytes(request(1, "inbox.open") * 90)
    for _ in range(90):
        client.result(1)
    return "answered"


@rows.misbehaves("listen-flood", "wants direct links and does not, three hundred times in one write", "answered")
def listen_flood(stage):
    client = Payer(stage).device(stage)
    client.send_bytes(b"".join(request(1, "direct.listen", on=number % 2 == 0) for number in range(300)))
    for _ in range(300):
        client.result(1)
    return "answered"


@rows.misbehaves("offer-stranger", "offers direct links to who is no contact", "answered or refused")
def offer_stranger(stage):
    mallory, bob = Payer(stage).device(stage), Payer(stage).device(stage)
    bob.call("direct.listen", on=True)
    wrong = ({"host": "127.0.0.1", "port": 1}, {"host": "x" * 300, "port": 1}, {"host": "127.0.0.1", "port": 70_000}, {"host": "::1\0", "port": 1})
    found = [asked(mallory, "direct.offer", to=bob.name, token=fresh_id(), candidates=[each]) for each in wrong]
    bob.quiet()
    return ["answered or refused" if each in ("answered", "refused malformed", "refused rate_limited") else each for each in found]


@rows.misbehaves("search-patterns", "searches with the signs of every query language", "answered or refused")
def search_patterns(stage):
    client = stage.person("seeker")
    texts = ("*", '"', "a OR b", "NEAR(a b)", "%", "_" * 40, "x*" * 20, "') --", "\0", "col:x", "^a", "-a", "(" * 100, "a" * 200)
    found = [asked(client, "message.search", text=text) for text in texts]
    return ["answered or refused" if each in ("answered", "refused malformed") else each for each in found]


@rows.misbehaves("accept-unasked", "accepts and declines what nobody asked", "refused no_request")
def accept_unasked(stage):
    mallory, bob = stage.person(), stage.person("bob")
    return [asked(mallory, method, name=bob.name) for method in ("contact.accept", "contact.decline")]


@rows.misbehaves("accept-own", "accepts its own request", "refused no_request")
def accept_own(stage):
    mallory, bob = stage.person(), stage.person("bob")
    mallory.call("contact.request", name=bob.name, id=fresh_id())
    return asked(mallory, "contact.accept", name=bob.name)


@rows.misbehaves("names-wrong", "asks for people whom nobody can be called", "refused")
def names_wrong(stage):
    mallory = stage.person()
    names = ("", "\0", "a" * 257, "\u202ebob", "bo\u200bb", "a\nb", "<script>", "../../etc/passwd", "bob;drop table account")
    found = [asked(mallory, "contact.request", name=name, id=fresh_id()) for name in names]
    return ["refused" if each in ("refused name_invalid", "refused malformed", "refused not_found") else each for each in found]


@rows.misbehaves("rooms-of-others", "governs a room that is not its own", "refused not_found")
def rooms_of_others(stage):
    alice, mallory = stage.person("alice"), stage.person()
    room = alice.call("room.create", id=fresh_id(), title="ours")["conversation"]
    where = {"conversation": room}
    return [
        asked(mallory, "room.update", title="mine", **where),
        asked(mallory, "room.invite", name=alice.name, **where),
        asked(mallory, "room.role", name=alice.name, role="member", **where),
        asked(mallory, "room.remove", name=alice.name, **where),
        asked(mallory, "room.members", **where),
        asked(mallory, "room.link", **where),
    ]


@rows.misbehaves("secrets-guessed", "guesses links of rooms and of devices", "refused invitation_invalid")
def secrets_guessed(stage):
    mallory = stage.person()
    return [asked(mallory, "room.join", secret=bytes(16)), asked(stage.contract(), "account.link", secret=bytes(16))]


@rows.misbehaves("enrol-wrong", "enrols devices with what proves nothing", "refused enrolment_invalid")
def enrol_wrong(stage):
    mallory = stage.person()
    csrs = (b"x", bytes(500), b"\x30\x82\xff\xff" + bytes(400))
    found = [asked(mallory, "device.enrol", csr=csr, statement=bytes(200)) for csr in csrs]
    return [*found, asked(mallory, "device.enrolKey", statement=bytes(200)), asked(mallory, "device.enrolKey", statement=b"\x84" * 200)]


@rows.misbehaves("revoke-others", "revokes devices that are not its own", "refused not_found")
def revoke_others(stage):
    mallory = stage.person()
    return [asked(mallory, "device.revoke", device=device) for device in ("0" * 20, "", "__proto__", "../x")]


@rows.misbehaves("money-message", "says what only the server says of money", "refused not_permitted")
def money_message(stage):
    alice, bob = stage.person("alice"), stage.person("bob")
    chat(alice, bob)
    found = asked(alice, "message.send", conversation=alice.conversation, id=fresh_id(), body=b"x", type="application/vnd.sealwire.payment+cbor")
    bob.quiet()
    return found


@rows.misbehaves("typing-flood", "types five hundred times at once", "answered")
def typing_flood(stage):
    alice, bob = stage.person("alice"), stage.person("bob")
    chat(alice, bob)
    alice.send_bytes(request(1, "presence.typing", conversation=alice.conversation) * 500)
    for _ in range(500):
        alice.result(1)
    return "answered"
