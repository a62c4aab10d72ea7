#!/usr/bin/python3
# tls_gnutls - writes the results of scripts/check-hosts into doc/hosts.md
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""Usage: scripts/hosts-table.py FOLDER_OF_THE_HOSTS RELEASE...

Reads FOLDER/RELEASE/{versions,PART.result,PART.log} and replaces what is between the two marks in doc/hosts.md: a table
of releases and suites, and below it, for each release, the failed tests and the reasons of the skipped ones."""

import re
import sys
import textwrap
from collections import Counter
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parent.parent / "doc" / "hosts.md"
BEGIN, END = "<!-- begin: written by make check-hosts ARGS=--write -->", "<!-- end -->"
PROGRAMS = ("kamailio", "GnuTLS", "OpenSSL", "gcc", "clang", "python3-cryptography")
PARTS = ("build", "check-unit", "check-e2e", "check-compare")


def _upstream(version):
    """1:2.3.4-5+deb13u1 -> 2.3.4"""
    return re.sub(r"[-~+].*", "", version.partition(":")[2] or version)


def _result(folder, part):
    """The cell of the table for one suite."""
    file = folder / f"{part}.result"
    if not file.exists():
        return "not run"
    outcome, counts = file.read_text().rstrip("\n").split("\t")[1:3]
    counts = counts.replace(", 0 programs failed", "")
    return counts if outcome == "ok" else f"**failed**: {counts or 'see below'}"


def _log(folder, part):
    file = folder / f"{part}.log"
    return file.read_text(errors="replace").splitlines() if file.exists() else []


def _notes(folder):
    """The failed tests and the reasons of the skipped ones."""
    failed, skipped = Counter(), Counter()
    for part in PARTS:
        for line in _log(folder, part):
            found = re.match(r"(FAILED|ERROR) (tests/\S+)", line)
            if found:
                failed[found.group(2).rpartition("/")[2].partition("[")[0]] += 1
            found = re.match(r"SKIPPED \[(\d+)\] \S+: (.*)", line)
            if found:
                skipped[found.group(2)] += int(found.group(1))
    lines = [f"Failed, {count}: `{name}`." for name, count in failed.items()]
    lines += [f"Skipped, {count}: {reason}." for reason, count in sorted(skipped.items())]
    return "".join(textwrap.fill(f"* {line}", width=100, subsequent_indent="  ", break_long_words=False,
                                 break_on_hyphens=False) + "\n" for line in lines)


def main(hosts, releases):
    rows, notes = [], []
    for release in releases:
        folder = Path(hosts) / release
        versions = dict(line.split(" ", 1) for line in (folder / "versions").read_text().splitlines())
        cells = [release, *(_upstream(versions.get(name, "-")) for name in PROGRAMS),
                 *(_result(folder, part) for part in PARTS), versions["date"]]
        rows.append("| " + " | ".join(cells) + " |")
        found = _notes(folder)
        if found:
            notes.append(f"\n{release}:\n\n{found}")
    head = ["release", *(name.removeprefix("python3-") for name in PROGRAMS),
            *(part.removeprefix("check-") for part in PARTS), "date"]
    table = "\n".join(["| " + " | ".join(head) + " |", "|" + "---|" * len(head), *rows])
    text = DOCUMENT.read_text()
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    DOCUMENT.write_text(f"{before}{BEGIN}\n\n{table}\n{''.join(notes)}\n{END}{after}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
