# tls_gnutls - end to end: runs the commands that a document prints
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import os
import re
import subprocess
import threading

COMMAND_TIMEOUT_S = 120


class Shell:
    """One bash that runs all blocks."""

    def __init__(self, folder, launcher=(), env=None):
        self._bash = subprocess.Popen(
            [*launcher, "bash", "-u"], cwd=folder, env={**os.environ, **(env or {})},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def run(self, command):
        """Run one command; fails with its output when its status is not 0, or when it does not end."""
        # A command must not read the next one from the shell's input.
        self._bash.stdin.write(f"{{ :; {command}\n}} </dev/null\necho \"=status $?\"\n")
        self._bash.stdin.flush()
        output = ""
        watch = threading.Timer(COMMAND_TIMEOUT_S, self._bash.kill)
        watch.start()
        try:
            for line in self._bash.stdout:
                if line.startswith("=status "):
                    assert line == "=status 0\n", f"{command}\n{output}"
                    return output
                output += line
        finally:
            watch.cancel()
        raise AssertionError(f"the shell ended: {command}\n{output}")

    def close(self):
        self._bash.stdin.close()
        self._bash.wait(20)
        self._bash.stdout.close()


def commands(block):
    """The commands of a block: lines, and a line with its here-document."""
    lines = iter(block.splitlines())
    for line in lines:
        command = line
        here = re.search(r"<<(\w+)$", line)
        if here:
            for more in lines:
                command += "\n" + more
                if more == here.group(1):
                    break
        if command.strip():
            yield command
