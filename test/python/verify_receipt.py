#!/usr/bin/env python3
"""Verifies receipts of Sealwire with nothing but docs/protocol/receipts.md and python3-cryptography.

    verify_receipt.py KEY RECEIPT...      KEY: PEM, or 64 hexadecimal digits

Prints one JSON object a receipt; exits with 1 if one of them is not good. With `-` it reads lines of hexadecimal digits
from standard input instead, and prints `good` or `bad: why` for each.
"""

import hashlib
import json
import re
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

# What the payload of an order has, in its order.
KINDS = {
    "pay": ["server", "payer", "payee", "unit", "amount", "id", "expiry", "memo hash"],
    "hold": ["server", "payer", "payee", "unit", "amount", "id", "expiry", "memo hash"],
    "capture": ["server", "payee", "hold payer", "hold id", "amount", "id"],
    "void": ["server", "actor", "hold payer", "hold id", "id"],
    "refund": ["server", "payee", "original payer", "original id", "amount", "id", "memo hash"],
    "split": ["server", "payer", "unit", "id", "expiry", "parts"],
}
PART = ["payee", "amount", "memo hash"]
OTHER_KINDS = ["mint", "burn", "expire"]
SETTLING = ["capture", "void", "expire", "refund"]
OPERATOR = 0
AMOUNT_MAX = 10**15
DECIMALS_MAX = 9
TIME_MAX = 8_640_000_000_000_000
# Arrays in arrays; a receipt has three.
DEPTH_MAX = 16


class Bad(Exception):
    """Not a good receipt, and why."""


class Cbor:
    """Reads CBOR in its one deterministic form; everything else is bad."""

    def __init__(self, data: bytes):
        self.data, self.at = data, 0

    def take(self, count: int) -> bytes:
        if self.at + count > len(self.data):
            raise Bad("the bytes end too early")
        self.at += count
        return self.data[self.at - count : self.at]

    def head(self):
        first = self.take(1)[0]
        major, short = first >> 5, first & 31
        if short < 24:
            return major, short
        if short > 27:
            raise Bad("an item of another form")
        size = 1 << (short - 24)
        value = int.from_bytes(self.take(size), "big")
        if value < (24, 1 << 8, 1 << 16, 1 << 32)[short - 24]:
            raise Bad("a number that is longer than it must be")
        return major, value

    def value(self, depth=DEPTH_MAX):
        if depth == 0:
            raise Bad("items too deep in each other")
        major, count = self.head()
        if major == 0:
            return count
        if major == 1:
            return -1 - count
        if major == 2:
            return self.take(count)
        if major == 3:
            try:
                return self.take(count).decode("utf-8")
            except UnicodeDecodeError:
                raise Bad("a text that is no UTF-8") from None
        if major == 4:
            return [self.value(depth - 1) for _ in range(count)]
        if major == 5 and count == 0:
            return {}
        if major == 7 and count == 22:
            return None
        raise Bad("an item of another form")


def decode(data: bytes):
    reader = Cbor(data)
    value = reader.value()
    if reader.at != len(data):
        raise Bad("there is something behind it")
    return value


def head(major: int, count: int) -> bytes:
    if count < 24:
        return bytes([major << 5 | count])
    for short, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if count < 1 << (8 * size):
            return bytes([major << 5 | short]) + count.to_bytes(size, "big")
    raise Bad("a number that is too large")


def sig_structure(protected: bytes, aad: bytes, payload: bytes) -> bytes:
    parts = b"".join(head(2, len(part)) + part for part in (protected, aad, payload))
    return head(4, 4) + head(3, 10) + b"Signature1" + parts


def is_bytes(value, length=None) -> bool:
    return isinstance(value, bytes) and (length is None or len(value) == length)


def is_whole(value) -> bool:
    return isinstance(value, int) and 0 <= value < 1 << 53


def is_unit(value) -> bool:
    return isinstance(value, str) and re.fullmatch("[a-z][a-z0-9]{0,15}", value) is not None


def is_amount(value) -> bool:
    return isinstance(value, int) and 1 <= value <= AMOUNT_MAX


def is_parts(value) -> bool:
    if not isinstance(value, list) or not 2 <= len(value) <= 50:
        return False
    parts = [named(PART, part) for part in value]
    return len({part["payee"] for part in parts}) == len(parts) and is_amount(sum(part["amount"] for part in parts))


def is_field(name: str, value) -> bool:
    if name in ("server", "id", "hold id", "original id"):
        return is_bytes(value, 16)
    if name == "memo hash":
        return is_bytes(value, 32)
    if name == "expiry":
        return is_whole(value)
    others = {"unit": is_unit, "amount": is_amount, "parts": is_parts}
    return others.get(name, lambda account: is_whole(account) and account >= 1)(value)


def named(names, items) -> dict:
    """The items of an array under their names."""
    if not isinstance(items, list) or len(items) != len(names):
        raise Bad("an order of another form")
    fields = dict(zip(names, items))
    if not all(is_field(name, value) for name, value in fields.items()):
        raise Bad("an order of another form")
    return fields


def open_sign1(message: bytes, purpose: str):
    """The key that signed, and the items of the payload."""
    value = decode(message)
    if not isinstance(value, list) or len(value) != 4:
        raise Bad("no COSE_Sign1")
    protected, unprotected, payload, signature = value
    if not is_bytes(protected, 38) or protected[:6] != bytes.fromhex("a20127045820") or unprotected != {}:
        raise Bad("another header")
    if not is_bytes(payload) or not is_bytes(signature, 64):
        raise Bad("no payload or no signature")
    key = protected[6:]
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, sig_structure(protected, purpose.encode("ascii"), payload))
    except (InvalidSignature, ValueError):
        raise Bad("the signature is wrong") from None
    items = decode(payload)
    if not isinstance(items, list):
        raise Bad("the payload is no array")
    return key, items


def open_by(key: bytes, message: bytes, purpose: str):
    signer, items = open_sign1(message, purpose)
    if signer != key:
        raise Bad("signed by another key")
    return items


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def root_of(leaf: bytes, index: int, size: int, path) -> bytes:
    """RFC 9162, 2.1.3.2."""
    if not 0 <= index < size:
        raise Bad("the posting is not among those of the checkpoint")
    place, last, node = index, size - 1, leaf
    for other in path:
        if last == 0:
            raise Bad("the path is too long")
        if place & 1 or place == last:
            node = sha256(b"\x01", other, node)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            node = sha256(b"\x01", node, other)
        place, last = place >> 1, last >> 1
    if last != 0:
        raise Bad("the path is too short")
    return node


def read_row(row: bytes) -> dict:
    items = decode(row)
    if not isinstance(items, list) or len(items) != 12 or items[0] != 1:
        raise Bad("another row")
    names = ["number", "at", "kind", "unit", "decimals", "legs", "settles", "signer", "id", "order", "memo"]
    posting = dict(zip(names, items[1:]))
    wholes = all(is_whole(posting[name]) for name in ("number", "at", "decimals", "signer"))
    kind, settles = posting["kind"], posting["settles"]
    if not wholes or kind not in [*KINDS, *OTHER_KINDS] or not is_unit(posting["unit"]):
        raise Bad("another row")
    if posting["at"] > TIME_MAX or posting["decimals"] > DECIMALS_MAX:
        raise Bad("a time or places that there are not")
    if not is_bytes(posting["id"], 16) or not isinstance(posting["legs"], list):
        raise Bad("another row")
    if not (is_whole(settles) and 1 <= settles < posting["number"] if kind in SETTLING else settles is None):
        raise Bad("it settles something else")
    if not (posting["order"] is None or is_bytes(posting["order"])) or not (posting["memo"] is None or isinstance(posting["memo"], str)):
        raise Bad("another row")
    if posting["memo"] is not None and kind not in ("mint", "burn"):
        raise Bad("a memo that is not of the operator")
    for leg in posting["legs"]:
        if not isinstance(leg, list) or len(leg) != 3 or not is_whole(leg[0]) or not is_whole(leg[1]) or not isinstance(leg[2], int):
            raise Bad("another leg")
    if sum(leg[2] for leg in posting["legs"]) != 0:
        raise Bad("the posting makes or loses money")
    if not is_amount(moved(posting)):
        raise Bad("the posting moves nothing or too much")
    if any(len({leg[place] for leg in posting["legs"]}) != len(posting["legs"]) for place in (0, 1)):
        raise Bad("an account twice")
    return posting


def moved(posting: dict) -> int:
    return sum(leg[2] for leg in posting["legs"] if leg[2] > 0)


def ordered_legs(kind: str, order: dict, total: int) -> list:
    """What each account gets or loses by an order. `total`: of a capture and a void, what was on hold."""
    if kind == "pay":
        return [(order["payer"], -order["amount"]), (order["payee"], order["amount"])]
    if kind == "hold":
        return [(order["payer"], -order["amount"]), (OPERATOR, order["amount"])]
    if kind == "refund":
        return [(order["payee"], -order["amount"]), (order["original payer"], order["amount"])]
    if kind == "void":
        return [(OPERATOR, -total), (order["hold payer"], total)]
    if kind == "capture":
        rest = total - order["amount"]
        back = [(order["hold payer"], rest)] if rest > 0 else []
        return [(OPERATOR, -total), (order["payee"], order["amount"]), *back]
    parts = [(part[0], part[1]) for part in order["parts"]]
    return [(order["payer"], -sum(amount for _, amount in parts)), *parts]


def other_legs(posting: dict, total: int) -> list:
    if posting["kind"] == "expire":
        return [(OPERATOR, -total), (posting["signer"], total)]
    if posting["signer"] != OPERATOR:
        raise Bad("only the operator does that")
    holders = [leg[1] for leg in posting["legs"] if leg[1] != OPERATOR]
    if len(holders) != 1:
        raise Bad("it moves something else")
    amount = total if posting["kind"] == "mint" else -total
    return [(OPERATOR, -amount), (holders[0], amount)]


def check_order(posting: dict, server: bytes):
    """The key of the device that signed, if it takes one."""
    kind, total = posting["kind"], moved(posting)
    device = None
    if kind in KINDS:
        if posting["order"] is None:
            raise Bad("nobody has signed it")
        device, items = open_sign1(posting["order"], f"sealwire/{kind}/1")
        order = named(KINDS[kind], items)
        if order["server"] != server or items[1] != posting["signer"] or order["id"] != posting["id"]:
            raise Bad("the order in it is another one")
        if order.get("unit", posting["unit"]) != posting["unit"]:
            raise Bad("the order is of another unit")
        if "expiry" in order and posting["at"] >= order["expiry"]:
            raise Bad("the order was over")
        legs = ordered_legs(kind, order, total)
    else:
        if posting["order"] is not None:
            raise Bad("nobody signs that")
        legs = other_legs(posting, total)
    if sorted((leg[1], leg[2]) for leg in posting["legs"]) != sorted(legs):
        raise Bad("it moves something else than was ordered")
    return device


def verify(receipt: bytes, key: bytes) -> dict:
    items = open_by(key, receipt, "sealwire/receipt/1")
    if len(items) != 9:
        raise Bad("it does not say what a receipt says")
    server, row, number, hashed, previous, path, size, root, checkpoint = items
    if not is_bytes(server, 16) or not is_bytes(row) or not all(is_bytes(each, 32) for each in (hashed, previous, root)):
        raise Bad("it does not say what a receipt says")
    if not is_whole(number) or not is_whole(size) or not is_bytes(checkpoint):
        raise Bad("it does not say what a receipt says")
    if not isinstance(path, list) or not all(is_bytes(each, 32) for each in path):
        raise Bad("it does not say what a receipt says")
    if sha256(previous, row) != hashed:
        raise Bad("the hash is not that of the row")
    posting = read_row(row)
    if posting["number"] != number:
        raise Bad("another number")
    said = open_by(key, checkpoint, "sealwire/checkpoint/1")
    if len(said) != 4 or said[:3] != [server, size, root] or not is_whole(said[3]) or said[3] > TIME_MAX:
        raise Bad("the checkpoint says something else")
    if root_of(sha256(b"\x00", hashed), number - 1, size, path) != root:
        raise Bad("the path leads to another root")
    device = check_order(posting, server)
    return {
        "server": server.hex(),
        "posting": number,
        "kind": posting["kind"],
        "unit": posting["unit"],
        "legs": [[leg[1], str(leg[2])] for leg in posting["legs"]],
        "signer": posting["signer"],
        "id": posting["id"].hex(),
        "hash": hashed.hex(),
        "size": size,
        "device": device.hex() if device else None,
    }


def read_key(name: str) -> bytes:
    with open(name, "rb") as file:
        text = file.read()
    if len(text.strip()) == 64:
        return bytes.fromhex(text.strip().decode("ascii"))
    return load_pem_public_key(text).public_bytes(Encoding.Raw, PublicFormat.Raw)


def main() -> int:
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    key, names = read_key(sys.argv[1]), sys.argv[2:]
    failed = False
    if names == ["-"]:
        for line in sys.stdin:
            try:
                verify(bytes.fromhex(line.strip()), key)
                print("good")
            except Bad as why:
                print(f"bad: {why}")
        return 0
    for name in names:
        with open(name, "rb") as file:
            receipt = file.read()
        try:
            print(json.dumps({"good": True, **verify(receipt, key)}))
        except Bad as why:
            failed = True
            print(json.dumps({"good": False, "why": str(why)}))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
