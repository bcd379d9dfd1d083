"""Orders that move no money (docs/protocol/payments.md, "What the server checks")."""

import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from methods import asked
from misbehaviours import List
from payer import EMPTY_MEMO, KEY_HEAD, Payer
from sealwire_contract import fresh_id

rows = List("money")
LOW_ORDER = [bytes.fromhex(point) for point in (
    "0000000000000000000000000000000000000000000000000000000000000000", "0100000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
)]  # fmt: skip
LOW_ORDER += [point[:-1] + bytes([point[-1] ^ 0x80]) for point in LOW_ORDER]


@rows.misbehaves("of-others", "orders what somebody else should pay", "refused signature_invalid")
def of_others(stage):
    mallory, alice = Payer(stage), Payer(stage)
    # Signed by mallory in the name of alice, and signed by alice but sent by mallory.
    return [mallory.pays_with(payer=alice.account), mallory.pays(alice.sign(b"sealwire/pay/1", alice.payload()))]


@rows.misbehaves("other-server", "sends an order for another server", "refused signature_invalid")
def other_server(stage):
    payer = Payer(stage)
    return [payer.pays_with(server=server) for server in (bytes(16), payer.server[::-1])]


@rows.misbehaves("other-memo", "sends an order with another memo than it signed", "refused signature_invalid")
def other_memo(stage):
    payer = Payer(stage)
    return [payer.pays_with(memo=bytes(32)), payer.pays(payer.sign(b"sealwire/pay/1", payer.payload()), memo="for something else")]


@rows.misbehaves("wrong-signature", "changes a bit of a signature, of a key, of an amount", "refused signature_invalid")
def wrong_signature(stage):
    payer = Payer(stage)
    order = payer.sign(b"sealwire/pay/1", payer.payload())
    places = (len(order) - 1, len(order) - 64, 12, 40)
    found = [payer.pays(order[:at] + bytes([order[at] ^ 1]) + order[at + 1 :]) for at in places]
    return [*found, payer.pays(payer.sign(b"sealwire/pay/1", payer.payload(), signature=bytes(64)))]


@rows.misbehaves("other-kind", "sends what it signed for one kind as another", "refused signature_invalid")
def other_kind(stage):
    payer = Payer(stage)
    contexts = (b"sealwire/hold/1", b"sealwire/login/1", b"sealwire/enrol/1", b"sealwire/pay/2", b"")
    return [payer.pays(payer.sign(context, payer.payload())) for context in contexts]


@rows.misbehaves("low-order", "signs with keys of small order, under which anything is signed", "refused signature_invalid")
def low_order(stage):
    payer = Payer(stage)
    signatures = (bytes(64), b"\x01" + bytes(63))
    return [payer.pays(payer.sign(b"sealwire/pay/1", payer.payload(), key=key, signature=signature)) for key in LOW_ORDER for signature in signatures]


@rows.misbehaves("low-order-device", "enrols and logs in with keys of small order", "refused")
def low_order_device(stage):
    payer, other = Payer(stage), stage.person("other")
    found = []
    for key in LOW_ORDER:
        hash = hashlib.sha256(KEY_HEAD + key).digest()
        statement = payer.sign(b"sealwire/enrol/1", [payer.server, hash, key, b"\x09" + bytes(31)], key=key, signature=b"\x01" + bytes(63))
        found.append(asked(other, "device.enrolKey", statement=statement))
    return ["refused" if each == "refused enrolment_invalid" else each for each in found]


@rows.misbehaves("unknown-key", "signs with a key of nobody", "refused signature_invalid")
def unknown_key(stage):
    payer = Payer(stage)
    payer.signing = Ed25519PrivateKey.generate()
    payer.key = payer.signing.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return payer.pays_with()


@rows.misbehaves("amounts", "orders amounts that are none", "refused amount_invalid")
def amounts(stage):
    payer = Payer(stage)
    return [payer.pays_with(amount=amount) for amount in (0, 10**15 + 1, 2**53, 2**63, 2**64 - 1)]


@rows.misbehaves("not-an-order", "sends orders of another form", "refused malformed")
def not_an_order(stage):
    payer = Payer(stage)
    good = payer.sign(b"sealwire/pay/1", payer.payload())
    short = payer.payload()[:-1]
    wrong = [
        b"",
        b"\xa0",
        b"\xd2" + good,
        good + b"\x00",
        good[:-1],
        b"\x98\x04" + good[1:],
        payer.sign(b"sealwire/pay/1", short),
        payer.sign(b"sealwire/pay/1", [*payer.payload(), 1]),
        payer.sign(b"sealwire/pay/1", {}),
        good[:1] + good[1:45].replace(b"\x27", b"\x26", 1) + good[45:],
    ]
    return ["refused malformed" if each in ("refused malformed", "refused signature_invalid") else each for each in map(payer.pays, wrong)]


@rows.misbehaves("text-amounts", "asks to be paid amounts that are none", "refused")
def text_amounts(stage):
    payer, other = Payer(stage), stage.person("other")
    texts = ("", "0", "-1", "+1", "1e3", "0x10", "01", "1.", ".5", "1,5", " 1", "1\0", "NaN", "Infinity", "٣", "9" * 32, "1_000")
    found = [asked(payer.client, "payment.request", id=fresh_id(), name=other.name, amount=text) for text in texts]
    return ["refused" if each.startswith("refused") else each for each in found]


@rows.misbehaves("holds-of-nobody", "captures, voids and gives back what there never was", "refused not_found")
def holds_of_nobody(stage):
    payer = Payer(stage)
    capture = payer.sign(b"sealwire/capture/1", [payer.server, payer.account, payer.account, fresh_id(), 5, fresh_id()])
    void = payer.sign(b"sealwire/void/1", [payer.server, payer.account, payer.account, fresh_id(), fresh_id()])
    refund = payer.sign(b"sealwire/refund/1", [payer.server, payer.account, payer.account, fresh_id(), 5, fresh_id(), EMPTY_MEMO])
    return [payer.pays(capture, "capture"), payer.pays(void, "void"), payer.pays(refund, "refund")]


@rows.misbehaves("replayed-proof", "logs in twice with one proof, and with that of another connection", "refused login_refused")
def replayed_proof(stage):
    payer = Payer(stage)
    first, second = stage.contract(), stage.contract()
    nonce = first.call("device.challenge")["nonce"]
    proof = payer.sign(b"sealwire/login/1", [payer.server, nonce])
    second.call("device.challenge")
    found = [asked(second, "device.prove", proof=proof), asked(second, "device.prove", proof=proof)]
    first.call("device.prove", proof=proof)
    return found
