#!/usr/bin/python3
# tls_gnutls - prints how many chains the module and GnuTLS alone wrongly accept, and wrongly refuse
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
#
# Usage: tests/limbo/verify_table.py VERIFY_TOOL VERIFY_GNUTLS
# The arguments are built from tests/profiles/verify/verify_tool.c and verify_gnutls.c. Environment: PKITS_DIR and
# LIMBO_JSON, as for run_pkits.py and run_limbo.py. The chains are those of PKITS and x509-limbo, whose verdict is the
# suite's, and of tests/profiles/verify/verify_compare.py, whose verdict is that of `openssl verify`. Parts that are
# not there are skipped.
"""The table of doc/verification.md."""

import collections
import os
import re
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

import run_limbo
import run_pkits
import suite

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "profiles", "verify"))
import verify_compare  # pylint: disable=wrong-import-position


class Corpus:
    """Chains, the verdict expected for each (True: valid), and its group in the list of what is wrong."""

    def __init__(self, name, lines, valid, groups):
        self.name, self.lines, self.valid, self.groups = name, lines, valid, groups

    def count(self, tool):
        """@return chains wrongly accepted, counted by group, and the number of chains wrongly refused."""
        replies = suite.verify(tool, self.lines)
        wrong = [(v, g) for v, g, r in zip(self.valid, self.groups, replies) if (r[0] == "0") != v]
        return collections.Counter(g for v, g in wrong if not v), sum(v for v, _ in wrong)


def of_suite(name, cases, folder, group):
    os.mkdir(folder)
    lines = [c.write(os.path.join(folder, str(i))) for i, c in enumerate(cases)]
    return Corpus(name, lines, [c.valid for c in cases], [group(c.name) for c in cases])


def pkits_group(name):
    """InvalidMissingbasicConstraintsTest1EE -> MissingbasicConstraints."""
    return re.sub(r"Test\d+EE$", "", name).removeprefix("Invalid")


def limbo_group(name):
    return name.rsplit("::", 1)[0]


def of_openssl(folder):
    if shutil.which("openssl") is None:
        print("openssl: SKIPPED, it is not installed")
        return None
    os.mkdir(folder)
    cases = verify_compare.make_cases()
    for i, case in enumerate(cases):
        case.write(os.path.join(folder, str(i)))
    with ThreadPoolExecutor(2) as pool:
        codes = [code for code, _ in pool.map(verify_compare.Case.ask_openssl, cases)]
    return Corpus("openssl verify", [c.request() + "\n" for c in cases], [code == 0 for code in codes],
                  [f"error {code}" for code in codes])


def corpora(folder):
    pkits, limbo = run_pkits.cases(), run_limbo.cases()
    if pkits is not None:
        yield of_suite("PKITS", pkits, os.path.join(folder, "pkits"), pkits_group)
    found = of_openssl(os.path.join(folder, "openssl"))
    if found is not None:
        yield found
    if limbo is not None:
        yield of_suite("x509-limbo", limbo, os.path.join(folder, "limbo"), limbo_group)


def main():
    rows, details = [], []
    scratch = tempfile.mkdtemp(prefix="verify-table-")
    try:
        for corpus in corpora(scratch):
            invalid = corpus.valid.count(False)
            (here, here_refused), (alone, alone_refused) = (corpus.count(tool) for tool in sys.argv[1:3])
            rows.append(f"| {corpus.name} | {len(corpus.lines)} | {invalid} | {here.total()} | {alone.total()} | "
                        f"{len(corpus.lines) - invalid} | {here_refused} | {alone_refused} |")
            details += [f"{corpus.name}, accepted {who}: " + ", ".join(f"{g} {n}" for g, n in sorted(wrong.items()))
                        for who, wrong in (("here", here), ("by GnuTLS alone", alone))]
    finally:
        shutil.rmtree(scratch)
    if not rows:
        return 77
    print("| chains of | | to be refused | accepted here | by GnuTLS alone "
          "| to be accepted | refused here | by GnuTLS alone |")
    print("|---|---|---|---|---|---|---|---|")
    print("\n".join(rows + [""] + details))
    return 0


if __name__ == "__main__":
    sys.exit(main())
