"""Somebody with a device whose key signs (docs/protocol/enrolment.md, payments.md)."""

import hashlib
import os
import time

import outcome
from contract_frames import request
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sealwire_contract import cbor, fresh_id

EMPTY_MEMO = hashlib.sha256(b"").digest()
KEY_HEAD = bytes.fromhex("302a300506032b6570032100")
"""Of the SubjectPublicKeyInfo of an Ed25519 key (RFC 8410)."""


class Payer:
    """Somebody with a device that signs."""

    def __init__(self, stage):
        self.client = stage.contract(greeted=False)
        self.server = self.client.greet()["server"]
        self.client.join(stage.name("payer"))
        self.signing = Ed25519PrivateKey.generate()
        self.key = self.signing.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        hash = hashlib.sha256(KEY_HEAD + self.key).digest()
        # Nobody uses the X25519 key; it must only be one.
        statement = self.sign(b"sealwire/enrol/1", [self.server, hash, self.key, b"\x09" + os.urandom(30) + b"\x01"])
        self.client.call("device.enrolKey", statement=statement)
        self.account = self.client.call("payment.units")["account"]

    def sign(self, context, payload, key=None, signature=None):
        """A COSE_Sign1; another key or signature than its own is for rows."""
        protected = bytes.fromhex("a2012704") + b"\x58\x20" + (key or self.key)
        signed = cbor.encode(["Signature1", protected, context, cbor.encode(payload)])
        return cbor.encode([protected, {}, cbor.encode(payload), signature or self.signing.sign(signed)])

    def payload(self, **other):
        """Of a good `pay`, but for what is said."""
        fields = {
            "server": self.server, "payer": self.account, "payee": self.account + 1, "unit": "credits", "amount": 5, "id": fresh_id(),
            "expiry": int(time.time() * 1000) + 60_000, "memo": EMPTY_MEMO, **other,
        }  # fmt: skip
        return list(fields.values())

    def pays(self, order, kind="pay", **params):
        return outcome.contract(self.client, request(1, "payment.order", kind=kind, order=order, **params))

    def pays_with(self, **other):
        return self.pays(self.sign(b"sealwire/pay/1", self.payload(**other)))

    def device(self, stage):
        """Another connection, on which the device has logged in as one."""
        client = stage.contract()
        nonce = client.call("device.challenge")["nonce"]
        client.name = client.call("device.prove", proof=self.sign(b"sealwire/login/1", [self.server, nonce]))["name"]
        return client
