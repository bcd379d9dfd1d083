"""What a server process costs, read from /proc."""

import os
import time

from sealwire_classic import Unexpected

DESCRIPTORS_AROUND = 5


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def resident_bytes(pid):
    with open(f"/proc/{pid}/status") as status:
        for line in status:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    raise Unexpected(f"process {pid} has no memory")


def wait_for_descriptors(pid, base, seconds):
    """Waits until the descriptors are back to `base`, give or take a few, and returns how many there are."""
    deadline = time.monotonic() + seconds
    while descriptors(pid) > base + DESCRIPTORS_AROUND:
        if time.monotonic() > deadline:
            raise Unexpected(f"{descriptors(pid)} descriptors are open {seconds} s later, {base} at first")
        time.sleep(0.05)
    return descriptors(pid)
