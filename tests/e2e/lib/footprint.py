# tls_gnutls - what a Kamailio holds: memory, descriptors, connections, for the end-to-end tests
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import os
import re
from collections import Counter
from dataclasses import dataclass

from .wait import until

SHM_TOLERANCE = 256 * 1024          # what the core and other modules keep
SPARE_PART = 8                      # of the shared memory, what all processes together may keep at hand
PRIVATE_TOLERANCE_KB = 2 * 1024     # heaps of all processes
SETTLE_S = 120                      # transactions and silent connections end by themselves


@dataclass(frozen=True)
class Footprint:
    """Of all processes together."""

    shm: int                # bytes of shared memory in use
    spare: int              # of these, what processes keep at hand for the next connection
    total: int              # bytes of shared memory there are
    private_kb: int
    descriptors: Counter    # (process, kind of file, and its path if it has one) -> number

    @property
    def held(self):
        """Bytes of shared memory that are not kept at hand."""
        return self.shm - self.spare

    def __str__(self):
        return (f"{self.shm} bytes of shared memory ({self.spare} kept at hand), {self.private_kb} KB private, "
                f"{self.descriptors.total()} descriptors")


def descriptors(kam):
    """Open file descriptors of all processes."""
    found = Counter()
    for pid in kam.pids():
        for number in os.listdir(f"/proc/{pid}/fd"):
            try:
                target = os.readlink(f"/proc/{pid}/fd/{number}")
            except FileNotFoundError:
                continue
            found[pid, re.sub(r":\[\d+\]$", "", target)] += 1
    return found


def settled(kam, ours=True):
    """Wait until no connection and no transaction is left, then measure.

    @param ours  the module knows tls.sessions.
    """
    until(lambda: kam.connections() == 0 and kam.transactions() == 0, "no connection and no transaction", SETTLE_S)
    if ours:
        until(lambda: int(kam.rpc("tls.sessions")["configurations"]) == 1, "one configuration is left", SETTLE_S)
    spare = int(kam.rpc("tls.sessions")["arena_spare_bytes"]) if ours else 0
    return Footprint(kam.shm_used(), spare, kam.settings.shm_mb << 20, kam.private_kb(), descriptors(kam))


def assert_returned(before, after, module, what):
    """Print both, and check that nothing grew.  The heap of a sanitizer's build says nothing."""
    more = after.descriptors - before.descriptors
    print(f"before {what}: {before}\nafter: {after}\nshared memory {after.shm - before.shm:+d} bytes (kept at hand: "
          f"{after.spare - before.spare:+d}), private {after.private_kb - before.private_kb:+d} KB, "
          f"descriptors {after.descriptors.total() - before.descriptors.total():+d}")
    assert not more, f"more descriptors: {dict(more)}"
    assert after.held - before.held <= SHM_TOLERANCE
    assert after.spare <= after.total // SPARE_PART
    assert module.sanitized or after.private_kb - before.private_kb <= PRIVATE_TOLERANCE_KB
