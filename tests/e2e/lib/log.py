# tls_gnutls - reads a Kamailio's log in the end-to-end tests
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import re
from pathlib import Path

from .wait import until

# "<index>(<pid>) [<message prefix>] LEVEL: module [file:line]: function(): text"
_LINE = re.compile(r"^\s*\d+\(\d+\) (?P<level>[A-Z]+): (?P<module>\S+)(?: \[[^]]*\])?:? ?(?P<text>.*)$")


class Log:
    """The log file of one Kamailio; a mark is a position in it."""

    def __init__(self, path):
        self.path = Path(path)

    def mark(self):
        """The current end of the log, for the `since` of the other methods."""
        try:
            return self.path.stat().st_size
        except OSError:
            return 0

    def lines(self, since=0):
        try:
            with open(self.path, "rb") as log:
                log.seek(since)
                return log.read().decode(errors="replace").splitlines()
        except OSError:
            return []

    def find(self, pattern, since=0):
        """All lines that match a regular expression somewhere."""
        wanted = re.compile(pattern)
        return [line for line in self.lines(since) if wanted.search(line)]

    def wait(self, pattern, since=0, timeout_s=20):
        """Wait until a line matches; returns the matching lines."""
        return until(lambda: self.find(pattern, since), f"log line /{pattern}/", timeout_s)

    def at_level(self, level, since=0):
        """[(module, text)] of the lines of one level: ERROR, WARNING, NOTICE, INFO..."""
        found = (_LINE.match(line) for line in self.lines(since))
        return [(line["module"], line["text"]) for line in found if line and line["level"] == level]

    def tail(self, count):
        return "\n".join(self.lines()[-count:])
