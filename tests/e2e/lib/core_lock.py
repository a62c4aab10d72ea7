# tls_gnutls - end to end: recognises a deadlock of Kamailio's core when it is stopped
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""Builds of Kamailio with SIG_DEBUG, Debian's among them, take the lock of the configuration framework in the handler
of SIGTERM. A process that is interrupted while it holds that lock waits for itself, and all others for it. TCP main can
be hit when it wakes up for the first time because its siblings end. The core kills such processes after a minute.

A process that ends in that handler with the lock of the core's timers leaves the main process waiting for it, too."""

import platform
import re
import shutil
import struct
import subprocess
from functools import lru_cache

FUTEX = {"x86_64": 202, "aarch64": 98}.get(platform.machine())


@lru_cache
def offset(program):
    """Where the pointer `cfg_global_lock` is in a program; None: not known."""
    run = subprocess.run(["nm", "-D", program], capture_output=True, text=True, check=False)
    match = re.search(r"^([0-9a-f]+) . cfg_global_lock(?:@.*)?$", run.stdout, re.M)
    return int(match.group(1), 16) if match else None


def _waited_for(pid):
    """The address of the futex that a process waits for; None: it does something else."""
    with open(f"/proc/{pid}/syscall", encoding="ascii") as file:
        words = file.read().split()
    return int(words[1], 16) if words[0] == str(FUTEX) else None


def config_lock(pid, program):
    """The address of the lock, as process `pid` knows it; offset() of the program must be known."""
    with open(f"/proc/{pid}/maps", encoding="utf-8") as file:
        base = next(int(line.split("-")[0], 16) for line in file if line.rstrip().endswith(program))
    with open(f"/proc/{pid}/mem", "rb") as memory:
        memory.seek(base + offset(program))
        return struct.unpack("P", memory.read(struct.calcsize("P")))[0]


def is_deadlock(pids, program):
    """Whether all of these processes wait for the core's configuration lock. False where that cannot be told."""
    program = shutil.which(program)
    if not pids or FUTEX is None or not program or offset(program) is None:
        return False
    try:
        return all(_waited_for(pid) == config_lock(pid, program) for pid in pids)
    except (OSError, StopIteration):
        return False


def is_dead_timer(doing):
    """Whether the main process waits for the core's lock of timers: its stack, as stacks.of() shows it."""
    return re.search(r"\btimer_del_safe\n.*\bdestroy_dns_cache\n.*\bcleanup\n", doing) is not None
