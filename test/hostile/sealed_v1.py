"""Version 1 of the sealed channel, where it is on (docs/protocol/channel.md, "Version 1")."""

from misbehaviours import List
from sealed_handshakes import of

rows = List("v1", "echo")
KINDS = (
    ("as-it-should-be", "sends nothing wrong, in each place where something will be", r"as it should be", "answered"),
    ("request", "sends requests that are none, or ends in the middle of one", r"in place of a request|token of the form|request cut", "closed"),
    ("low-order", "sends keys of low order", r"of low order", "closed"),
    ("frame-flipped", "changes each byte of a frame", r"frame, byte", "closed"),
    ("frame-length", "sends frames of no bytes, which once crashed a server, and of 4 GiB", r"frame of \d", "closed"),
    ("nonce-again", "uses a nonce again, repeats a frame, sends one back", r"nonce|repeated|sent back", "closed"),
)

for each in of(KINDS, prefix="v1", server="echo", v1=True):
    rows.add(*each)
