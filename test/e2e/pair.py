"""Two people in a chat, and how long a message takes from one to the other and back."""

import time

from sealwire_classic import Client


class Pair:
    def __init__(self, server, source="127.0.0.9"):
        self.clients = [Client(*server, name=name, source=source) for name in ("alice", "bob")]
        alice, bob = self.clients
        for client in self.clients:
            client.register(client.name)
            client.acked("OK")
        alice.find("bob")
        bob.rung_by("alice")
        bob.accept()
        bob.acked("CHAT")
        alice.acked("CHAT")

    def round_trip(self):
        """Seconds for a message to the other and one back."""
        alice, bob = self.clients
        began = time.monotonic()
        for speaker, listener in ((alice, bob), (bob, alice)):
            speaker.say("are you there?")
            listener.heard(f"{speaker.name}: are you there?")
            speaker.acked("OK")
        return time.monotonic() - began

    def round_trips(self, over, pause_s=0.02):
        """Round trips until `over()`, with a pause between them so that the two do not load the server themselves."""
        times = []
        while not over():
            times.append(self.round_trip())
            time.sleep(pause_s)
        return times

    def close(self):
        for client in self.clients:
            client.close()
