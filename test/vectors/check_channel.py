"""Checks vectors/channel-v2.json and channel-v1.json with an implementation that shares no code with ours.

It was written from docs/protocol/channel.md; X25519 and AES-GCM come from python3-cryptography.
Usage: python3 check_channel.py FOLDER      prints what it checked; exit code 1 at the first difference.
"""
import hashlib
import hmac
import json
import pathlib
import sys

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

PATTERNS = {
    "XX": [["e"], ["e", "ee", "s", "es"], ["s", "se"]],
    "IK": [["e", "es", "s", "ss"], ["e", "ee", "se"]],
    "NK": [["e", "es"], ["e", "ee"]],
}
NUMBERS = {"XX": 1, "IK": 2, "NK": 3}
FIRST_BYTES = {"XX": 32, "IK": 96, "NK": 48}
TYPES = {"data": 0, "rekey": 1, "close": 2, "pad": 3, "ping": 4}


class Broken(Exception):
    """Whatever an end does not take."""


class Incomplete(Exception):
    """The stream ends before something does."""


# --- Noise -------------------------------------------------------------------------------------------------------

def public(secret: bytes) -> bytes:
    return X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def agree(secret: bytes, key: bytes) -> bytes:
    try:
        shared = X25519PrivateKey.from_private_bytes(secret).exchange(X25519PublicKey.from_public_bytes(key))
    except ValueError:
        raise Broken from None
    if shared == bytes(32):
        raise Broken
    return shared


def nonce_of(count: int) -> bytes:
    return bytes(4) + count.to_bytes(8, "big")


def seal(key: bytes, nonce: bytes, plaintext: bytes, associated: bytes) -> bytes:
    return AESGCM(key).encrypt(nonce, plaintext, associated)


def unseal(key: bytes, nonce: bytes, sealed: bytes, associated: bytes) -> bytes:
    if len(sealed) < 16:
        raise Broken
    try:
        return AESGCM(key).decrypt(nonce, sealed, associated)
    except InvalidTag:
        raise Broken from None


def mac(key: bytes, data: bytes) -> bytes:
    return hmac.new(key, data, hashlib.sha256).digest()


def derive(chaining_key: bytes, data: bytes):
    secret = mac(chaining_key, data)
    first = mac(secret, b"\1")
    return first, mac(secret, first + b"\2")


class Handshake:
    def __init__(self, pattern, initiator, prologue, static, ephemeral, remote_static):
        name = f"Noise_{pattern}_25519_AESGCM_SHA256".encode()
        self.hash = name.ljust(32, b"\0") if len(name) <= 32 else hashlib.sha256(name).digest()
        self.chaining_key, self.key, self.count = self.hash, None, 0
        self.pattern, self.initiator, self.step = pattern, initiator, 0
        self.own = {"s": static, "e": ephemeral}
        self.remote = {"s": remote_static, "e": None}
        self.mix_hash(prologue)
        if pattern != "XX":
            self.mix_hash(remote_static if initiator else public(static))

    def mix_hash(self, data):
        self.hash = hashlib.sha256(self.hash + data).digest()

    def mix(self, token):
        mine, theirs = token if self.initiator else token[::-1]
        self.chaining_key, self.key = derive(self.chaining_key, agree(self.own[mine], self.remote[theirs]))
        self.count = 0

    def encrypt(self, plaintext):
        sealed = plaintext
        if self.key is not None:
            sealed = seal(self.key, nonce_of(self.count), plaintext, self.hash)
            self.count += 1
        self.mix_hash(sealed)
        return sealed

    def decrypt(self, sealed):
        plaintext = sealed
        if self.key is not None:
            plaintext = unseal(self.key, nonce_of(self.count), sealed, self.hash)
            self.count += 1
        self.mix_hash(sealed)
        return plaintext

    def write(self, payload):
        message = b""
        for token in PATTERNS[self.pattern][self.step]:
            if token == "e":
                message += public(self.own["e"])
                self.mix_hash(public(self.own["e"]))
            elif token == "s":
                message += self.encrypt(public(self.own["s"]))
            else:
                self.mix(token)
        self.step += 1
        return message + self.encrypt(payload)

    def read(self, message):
        for token in PATTERNS[self.pattern][self.step]:
            length = 32 + (16 if token == "s" and self.key is not None else 0)
            if token in ("e", "s") and len(message) < length:
                raise Broken
            if token == "e":
                self.remote["e"], message = message[:32], message[32:]
                self.mix_hash(self.remote["e"])
            elif token == "s":
                self.remote["s"], message = self.decrypt(message[:length]), message[length:]
            else:
                self.mix(token)
        self.step += 1
        return self.decrypt(message)

    def split(self):
        """The keys of what is sent and of what is received."""
        first, second = derive(self.chaining_key, b"")
        return (first, second) if self.initiator else (second, first)


# --- Version 2 ----------------------------------------------------------------------------------------------------

class Stream:
    def __init__(self, data):
        self.data = data

    def take(self, count):
        if len(self.data) < count:
            raise Incomplete
        piece, self.data = self.data[:count], self.data[count:]
        return piece

    def number(self, size):
        return int.from_bytes(self.take(size), "big")


class Direction:
    def __init__(self, key):
        self.key, self.count = key, 0

    def record(self, kind, data):
        header = (1 + len(data) + 16).to_bytes(4, "big") + nonce_of(self.count)
        sealed = seal(self.key, nonce_of(self.count), bytes([kind]) + data, header)
        self.count += 1
        if kind == TYPES["rekey"]:
            self.rekey()
        return header + sealed

    def rekey(self):
        self.key = seal(self.key, bytes(4) + b"\xff" * 8, bytes(32), b"")[:32]

    def open(self, stream):
        header = stream.take(16)
        length = int.from_bytes(header[:4], "big")
        if not 17 <= length <= 65535 or header[4:] != nonce_of(self.count):
            raise Broken
        plaintext = unseal(self.key, header[4:], stream.take(length), header)
        self.count += 1
        kind, data = plaintext[0], plaintext[1:]
        if kind not in TYPES.values() or (kind in (1, 2, 4)) and data or kind == 0 and not data:
            raise Broken
        if kind == TYPES["rekey"]:
            self.rekey()
        return kind, data


def preamble_of(pattern):
    return b"SWv2" + bytes([NUMBERS[pattern], 0]) + FIRST_BYTES[pattern].to_bytes(2, "big")


def prologue_of(preamble, binding):
    return b"sealwire/channel/2\0" + preamble + binding


def prefixed(message):
    return len(message).to_bytes(2, "big") + message


def cbor(value):
    """As much of RFC 8949 as a greeting needs; keys shortest first."""
    def head(major, count):
        for extra, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
            if count < 24:
                return bytes([major << 5 | count])
            if count < 1 << 8 * size:
                return bytes([major << 5 | extra]) + count.to_bytes(size, "big")
    if isinstance(value, int):
        return head(0, value)
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(cbor, value))
    if "$bytes" in value:
        data = bytes.fromhex(value["$bytes"])
        return head(2, len(data)) + data
    pairs = sorted((cbor(key), cbor(each)) for key, each in value.items())
    return head(5, len(pairs)) + b"".join(key + each for key, each in sorted(pairs, key=lambda pair: (len(pair[0]), pair[0])))


def secrets_of(vector, side):
    static = vector.get(f"{side}Static")
    return static and bytes.fromhex(static), bytes.fromhex(vector[f"{side}Ephemeral"])


def check_good(vector):
    pattern, binding = vector["pattern"], bytes.fromhex(vector["binding"])
    preamble = preamble_of(pattern)
    prologue = prologue_of(preamble, binding)
    pinned = None if pattern == "XX" else public(bytes.fromhex(vector["serverStatic"]))
    client = Handshake(pattern, True, prologue, *secrets_of(vector, "client"), pinned)
    server = Handshake(pattern, False, prologue, *secrets_of(vector, "server"), None)
    first = client.write(b"")
    assert (preamble + first).hex() == vector["hello"]
    assert server.read(first) == b""
    payload = cbor(vector["greeting"])
    assert payload.hex() == vector["payload"]
    second = server.write(payload)
    assert prefixed(second).hex() == vector["answer"]
    assert client.read(second) == payload
    third = client.write(b"") if pattern == "XX" else b""
    assert (prefixed(third).hex() if third else "") == vector["third"]
    if third:
        assert server.read(third) == b""
    assert client.hash.hex() == server.hash.hex() == vector["hash"]
    assert client.split() == server.split()[::-1]
    for side, sender, receiver in (("client", client, server), ("server", server, client)):
        outbound, inbound = Direction(sender.split()[0]), Direction(receiver.split()[1])
        for row in vector["records"]:
            if row["from"] != side:
                continue
            record = outbound.record(TYPES[row["type"]], bytes.fromhex(row["data"]))
            assert record.hex() == row["record"], row
            assert inbound.open(Stream(record)) == (TYPES[row["type"]], bytes.fromhex(row["data"]))


def receive(vector, pattern, to, stream, delivered):
    """Plays the end that receives `stream`; `delivered` collects the data it gives back."""
    static, ephemeral = secrets_of(vector, to)
    if to == "server":
        inbound = receive_as_server(vector, static, ephemeral, stream)
    else:
        inbound = receive_as_client(vector, pattern, static, ephemeral, stream)
    while True:
        kind, data = inbound.open(stream)
        if kind == TYPES["data"]:
            delivered.append(data)
        if kind == TYPES["close"]:
            if stream.data:
                raise Broken
            return


def receive_as_server(vector, static, ephemeral, stream):
    preamble = stream.take(8)
    pattern = next((each for each in PATTERNS if preamble == preamble_of(each)), None)
    if pattern is None:
        raise Broken
    server = Handshake(pattern, False, prologue_of(preamble, bytes(32)), static, ephemeral, None)
    if server.read(stream.take(FIRST_BYTES[pattern])):
        raise Broken
    server.write(bytes.fromhex(vector["payload"]))
    if pattern == "XX":
        if stream.number(2) != 64:
            raise Broken
        if server.read(stream.take(64)):
            raise Broken
    return Direction(server.split()[1])


def receive_as_client(vector, pattern, static, ephemeral, stream):
    expected = public(bytes.fromhex(vector["serverStatic"]))
    prologue = prologue_of(preamble_of(pattern), bytes(32))
    client = Handshake(pattern, True, prologue, static, ephemeral, None if pattern == "XX" else expected)
    client.write(b"")
    length = stream.number(2)
    if not 32 <= length <= 1024:
        raise Broken
    payload = client.read(stream.take(length))
    # These vectors know one greeting; a real client decodes what it gets.
    if client.remote["s"] != expected or payload.hex() != vector["payload"]:
        raise Broken
    if pattern == "XX":
        client.write(b"")
    return Direction(client.split()[1])


def check_bad(vector, row):
    delivered = []
    try:
        receive(vector, row["pattern"], row["to"], Stream(bytes.fromhex(row["stream"])), delivered)
    except (Broken, Incomplete):
        assert [data.hex() for data in delivered] == row["delivered"], row["name"]
        return
    raise AssertionError(f"{row['name']} was taken")


# --- Version 1 ----------------------------------------------------------------------------------------------------

def token_of(stream):
    first = stream.number(1)
    if first < 0xFB:
        return first.to_bytes(8, "big")
    if first > 0xFD:
        raise Broken
    return int.from_bytes(stream.take(2 ** (first - 0xFA)), "little").to_bytes(8, "big")


def check_good_v1(vector):
    client, server = bytes.fromhex(vector["client"]), bytes.fromhex(vector["server"])
    request = Stream(bytes.fromhex(vector["request"]))
    assert request.take(1) == b"\1" and request.take(32) == public(client)
    token = token_of(request)
    assert token.hex() == vector["token"] and not request.data
    key = agree(server, public(client))
    assert key == agree(client, public(server)) and key.hex() == vector["key"]
    nonce = bytes.fromhex(vector["response"])[33:45]
    assert (b"\2" + public(server) + nonce + seal(key, nonce, token, b"")).hex() == vector["response"]
    used = {nonce}
    for row in vector["frames"]:
        frame, plaintext = bytes.fromhex(row["frame"]), bytes.fromhex(row["plaintext"])
        nonce = frame[4:16]
        assert nonce not in used
        used.add(nonce)
        assert frame == (len(plaintext) + 16).to_bytes(4, "big") + nonce + seal(key, nonce, plaintext, b"")


def receive_v1(vector, to, stream, delivered):
    key = bytes.fromhex(vector["key"])
    if to == "server":
        if stream.take(1) != b"\1":
            raise Broken
        key = agree(bytes.fromhex(vector["server"]), stream.take(32))
        token_of(stream)
        used = {bytes.fromhex(vector["response"])[33:45]}
    else:
        if stream.take(1) != b"\2":
            raise Broken
        key = agree(bytes.fromhex(vector["client"]), stream.take(32))
        nonce = stream.take(12)
        if unseal(key, nonce, stream.take(24), b"").hex() != vector["token"]:
            raise Broken
        used = {nonce}
    used |= {bytes.fromhex(row["frame"])[4:16] for row in vector["frames"] if row["from"] == to}
    while True:
        length = stream.number(4)
        if not 16 <= length <= 65551:
            raise Broken
        nonce = stream.take(12)
        if nonce in used:
            raise Broken
        used.add(nonce)
        delivered.append(unseal(key, nonce, stream.take(length), b""))


def check_bad_v1(vector, row):
    delivered = []
    try:
        receive_v1(vector, row["to"], Stream(bytes.fromhex(row["stream"])), delivered)
    except Broken:
        assert [data.hex() for data in delivered] == row["delivered"], row["name"]
        return
    except Incomplete:
        raise AssertionError(f"{row['name']} waits") from None


def main(folder: pathlib.Path) -> None:
    v2 = json.loads((folder / "channel-v2.json").read_text())
    for vector in v2["good"]:
        check_good(vector)
    plain = {vector["pattern"]: vector for vector in v2["good"] if vector["binding"] == "00" * 32}
    for row in v2["bad"]:
        check_bad(plain[row["pattern"]], row)
    print(f"v2: {len(v2['good'])} good and {len(v2['bad'])} bad vectors agree")
    v1 = json.loads((folder / "channel-v1.json").read_text())
    for vector in v1["good"]:
        check_good_v1(vector)
    for row in v1["bad"]:
        check_bad_v1(v1["good"][0], row)
    assert v2["good"] and v2["bad"] and v1["good"] and v1["bad"]
    print(f"v1: {len(v1['good'])} good and {len(v1['bad'])} bad vectors agree")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
