"""Who comes in a swarm: accounts with a token, every fourth of them a device that logs in with its certificate."""

import pathlib
import tempfile

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509 import load_der_x509_certificate
from swarm import ssl
from sealwire_contract import ContractClient
from sealwire_device import enrol

# Under `sessionsPerAccountMax`, with room for those who come and go.
SESSIONS = 16
DEVICE_EVERY = 4
ADDRESSES = [f"127.0.{block}.{number}" for block in range(1, 5) for number in range(1, 51)]


class People:
    """Accounts enough for so many sessions, `each` of one account."""

    def __init__(self, host, port, authority, sessions, prefix="swarm", each=SESSIONS):
        self._authority = authority
        self.context = self._verified()
        self._accounts = []
        with tempfile.TemporaryDirectory() as folder:
            for number in range(-(-sessions // each)):
                client = ContractClient(host, port, authority, greeted=False, source=address(number))
                welcome = client.greet()
                client.join(f"{prefix}.{number}")
                device = self._enrolled(client, welcome["server"], folder) if number % DEVICE_EVERY == 0 else None
                self._accounts.append((client.name, client.token, device))
                client.close()

    def name(self, number):
        return self._accounts[number % len(self._accounts)][0]

    def log_in(self, peer, number):
        """To be used with `yield from`."""
        _, token, device = self._accounts[number % len(self._accounts)]
        yield from peer.secure(device or self.context)
        if device is None:
            yield from peer.call("account.resume", token=token)
        else:
            yield from peer.call("device.login")

    def _enrolled(self, client, server, folder):
        """What a connection shows that logs in with the certificate of this device."""
        static = X25519PrivateKey.generate().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        certificate, key = enrol(client, server, static)
        path = pathlib.Path(folder, "device.pem")
        pem = load_der_x509_certificate(certificate).public_bytes(Encoding.PEM)
        path.write_bytes(pem + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        context = self._verified()
        context.load_cert_chain(path)
        return context

    def _verified(self):
        context = ssl.create_default_context(cafile=self._authority)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context


def address(number):
    """Of the clients, of whom no address has all."""
    return ADDRESSES[number % len(ADDRESSES)]
