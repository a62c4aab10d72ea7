# tls_gnutls - looks for bytes in the memory of a process, for the end-to-end tests
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import re

CHUNK = 1 << 24
# AddressSanitizer maps terabytes for its own book-keeping, which holds no data of the program.
REGION_MAX = 1 << 36


def process_holds(pid, *needles):
    """True when one of the byte strings is anywhere in the readable memory of a process, shared memory included."""
    return any(needle in data for data in _memory(pid, max(map(len, needles))) for needle in needles)


def _memory(pid, overlap):
    with open(f"/proc/{pid}/maps", encoding="ascii", errors="replace") as maps, open(f"/proc/{pid}/mem", "rb") as mem:
        for line in maps:
            found = re.match(r"([0-9a-f]+)-([0-9a-f]+) r", line)
            if not found or line.rstrip().endswith(("[vvar]", "[vsyscall]", "[vdso]")):
                continue
            start, end = (int(part, 16) for part in found.groups())
            if end - start <= REGION_MAX:
                yield from _region(mem, start, end, overlap)


def _region(mem, start, end, overlap):
    at, tail = start, b""
    while at < end:
        try:
            mem.seek(at)
            data = mem.read(min(CHUNK, end - at))
        except (OSError, ValueError, OverflowError):
            return
        if not data:
            return
        yield tail + data
        tail = data[-overlap:]
        at += len(data)
