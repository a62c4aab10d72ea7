#!/usr/bin/python3
# tls_gnutls - writes the results of scripts/check-hosts into doc/hosts.md
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""Usage: scripts/hosts-table.py FOLDER_OF_THE_HOSTS RELEASE...

Reads FOLDER/RELEASE/{versions,PART.result,PART.log} and replaces what is between the two marks in doc/hosts.md: a table
of releases and suites, and below it, for each release, the results with each number of TCP threads that was tried, the
failed tests and the reasons of the skipped ones. The rows are in the order of Kamailio's versions. What the document
says of releases that are not named stays."""

import re
import sys
import textwrap
from collections import Counter
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parent.parent / "doc" / "hosts.md"
BEGIN, END = "<!-- begin: written by make check-hosts ARGS=--write -->", "<!-- end -->"
PROGRAMS = ("kamailio", "GnuTLS", "OpenSSL", "gcc", "clang", "python3-cryptography")
PARTS = ("build", "check-unit", "check-e2e", "check-compare")
REPEATED = "== the tests that failed, once more"   # scripts/run-pytest.sh
THREADS = ("threads-0", "threads-1", "threads-2")


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


def _order(version):
    """6.0.1 before 6.1.5."""
    return [int(number) for number in re.findall(r"\d+", version)]


def _again(name, repeated):
    """What became of a test that failed. repeated: those that failed again, None: they were not repeated."""
    if repeated is None:
        return ""
    return f", {repeated[name]} when repeated" if repeated[name] else ", not when repeated"


def _notes(folder):
    """The results with other numbers of threads, the failed tests, and the reasons of the skipped ones."""
    lines = [f"End-to-end tests with `tcp_main_threads={part[-1]}`: {_result(folder, part)}."
             for part in THREADS if (folder / f"{part}.result").exists()]
    skipped = Counter()
    for part in PARTS + THREADS:
        failed, repeated = Counter(), None
        for line in _log(folder, part):
            if line.startswith(REPEATED):
                repeated = Counter()
            found = re.match(r"(FAILED|ERROR) (tests/\S+)", line)
            if found:
                name = found.group(2).rpartition("/")[2].partition("[")[0]
                (failed if repeated is None else repeated)[name] += 1
            found = re.match(r"SKIPPED \[(\d+)\] \S+: (.*)", line)
            if found and part not in THREADS and repeated is None:
                skipped[found.group(2)] += int(found.group(1))
        where = f" (`tcp_main_threads={part[-1]}`)" if part in THREADS else ""
        lines += [f"Failed, {count}{_again(name, repeated)}: `{name}`{where}." for name, count in failed.items()]
    lines += [f"Skipped, {count}: {reason}." for reason, count in sorted(skipped.items())]
    return "".join(textwrap.fill(f"* {line}", width=100, subsequent_indent="  ", break_long_words=False,
                                 break_on_hyphens=False) + "\n" for line in lines)


def _kept(text, releases):
    """[(version of kamailio, row, notes)] of what the document has of other releases."""
    kept = []
    for row in re.findall(r"^\| [a-z]\w* \|.*$", text, re.MULTILINE)[1:]:
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        if cells[0] not in releases:
            note = re.search(rf"^\n{cells[0]}:\n\n(?:[* ] .*\n)+", text, re.MULTILINE)
            kept.append((cells[1], row, note.group() if note else ""))
    return kept


def main(hosts, releases):
    text = DOCUMENT.read_text()
    before, rest = text.split(BEGIN)
    old, after = rest.split(END)
    found = {release: dict(line.split(" ", 1) for line in (Path(hosts) / release / "versions").read_text().splitlines())
             for release in releases}
    entries = _kept(old, releases)
    for release in releases:
        folder, versions = Path(hosts) / release, found[release]
        kamailio, *others = (_upstream(versions.get(name, "-")) for name in PROGRAMS)
        cells = [release, kamailio, *others, *(_result(folder, part) for part in PARTS), versions["date"]]
        note = _notes(folder)
        entries.append((kamailio, "| " + " | ".join(cells) + " |", note and f"\n{release}:\n\n{note}"))
    entries.sort(key=lambda entry: _order(entry[0]))
    head = ["release", *(name.removeprefix("python3-") for name in PROGRAMS),
            *(part.removeprefix("check-") for part in PARTS), "date"]
    table = "\n".join(["| " + " | ".join(head) + " |", "|" + "---|" * len(head), *(row for _, row, _ in entries)])
    notes = "".join(note for _, _, note in entries)
    DOCUMENT.write_text(f"{before}{BEGIN}\n\n{table}\n{notes}\n{END}{after}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
