"""How long a test waits: what is required of a quiet machine, and what is let pass where others use the processors too."""

import os


def at_most(quiet_s, busy_s):
    """`quiet_s` with SEALWIRE_LONG=1, which is for machines that do nothing else; `busy_s` otherwise."""
    return quiet_s if os.environ.get("SEALWIRE_LONG") == "1" else busy_s
