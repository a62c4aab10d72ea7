# tls_gnutls - end to end: what processes that do not end are doing
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""The stacks of all threads of processes, for the report of a Kamailio that did not stop. With eu-stack (package
elfutils) or gdb; without them, or where they may not look, what the kernel says: the call that each thread waits in."""

import os
import shutil
import subprocess
from pathlib import Path

TIMEOUT_S = 20


def _run(command):
    """The output of a command; "" if it printed nothing or took too long."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                              timeout=TIMEOUT_S, check=False, env={**os.environ, "DEBUGINFOD_URLS": ""})
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout


def _unwound(pid):
    if shutil.which("eu-stack"):
        text = _run(["eu-stack", "-p", str(pid)])
        if "#0" in text:
            return text
    if shutil.which("gdb"):
        text = _run(["gdb", "-nx", "-batch", "-p", str(pid), "-ex", "thread apply all backtrace"])
        return "\n".join(line for line in text.splitlines() if line.startswith(("#", "Thread")))
    return ""


def _first_line(path):
    """Of a file in /proc; says so where the process has ended or the file may not be read."""
    try:
        return path.read_text(errors="replace").partition("\n")[0].replace("\0", " ").strip()
    except OSError as error:
        return f"({error.strerror})"


def _waits(pid):
    """A line for each thread: its number, state, the kernel's name of where it waits, number and arguments of the call.
    """
    lines = []
    for task in sorted(Path(f"/proc/{pid}/task").glob("*")):
        state = _first_line(task / "stat").rpartition(")")[2].split()[:1]
        lines.append(f"  thread {task.name}: {''.join(state)}, {_first_line(task / 'wchan')}, "
                     f"call {_first_line(task / 'syscall')}")
    return "\n".join(lines)


def of(pids):
    """Text about processes; those that do not exist are named as such."""
    parts = []
    for pid in pids:
        parts.append(f"-- process {pid} ({_first_line(Path(f'/proc/{pid}/comm'))})\n{_waits(pid)}\n{_unwound(pid)}")
    return "\n".join(parts)
