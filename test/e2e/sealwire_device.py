"""A device of an account, enrolled as docs/protocol/enrolment.md says; from that page alone, with python3-cryptography."""

import hashlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sealwire_contract import cbor


def enrol(client, server_id, static_key, label="python"):
    """Makes the client, which is logged in, a device with this X25519 key; its certificate (DER) and its P-256 key."""
    certified, signing = ec.generate_private_key(ec.SECP256R1()), Ed25519PrivateKey.generate()
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(certified, hashes.SHA256())
    spki = certified.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ed25519 = signing.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    protected = bytes.fromhex("a2012704") + b"\x58\x20" + ed25519
    payload = cbor.encode([server_id, hashlib.sha256(spki).digest(), ed25519, static_key])
    signature = signing.sign(cbor.encode(["Signature1", protected, b"sealwire/enrol/1", payload]))
    statement = cbor.encode([protected, {}, payload, signature])
    answer = client.call("device.enrol", csr=request.public_bytes(Encoding.DER), statement=statement, label=label)
    return answer["certificate"], certified
