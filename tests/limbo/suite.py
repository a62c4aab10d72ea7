# tls_gnutls - what the runners of public suites share: running the tool, known differences, the summary
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""Chains of a suite, verdicts, and known differences."""

import fnmatch
import os
import re
import shutil
import subprocess
import tempfile


class Case:
    """One chain of a suite. Certificates and CRLs are PEM as bytes, the leaf first."""

    def __init__(self, name, valid, sent, trusted, crls=(), now=0, depth=20, host=None, role="client"):
        self.name, self.valid = name, valid
        self.sent, self.trusted, self.crls = sent, trusted, crls
        self.now, self.depth, self.host, self.role = now, depth, host, role

    def write(self, folder):
        """Writes the files. @return the line of input for the tool."""
        def put(name, items):
            path = os.path.join(folder, name)
            with open(path, "wb") as f:
                f.write(b"".join(items))
            return path

        os.mkdir(folder)
        self.leaf = put("leaf.pem", self.sent[:1])
        self.rest = put("rest.pem", self.sent[1:]) if self.sent[1:] else None
        self.ca = put("ca.pem", self.trusted)
        self.crl = put("crl.pem", self.crls) if self.crls else None
        words = [f"sent={put('sent.pem', self.sent)}", f"ca={self.ca}", f"now={self.now}", f"depth={self.depth}",
                 f"role={self.role}"]
        if self.crl:
            words.append(f"crl={self.crl}")
        if self.host:
            words += [f"name={self.host}", "wild=1"]
        return "\t".join(words) + "\n"

    def run_openssl(self):
        """@return the first error of `openssl verify`, 0 for none, -1 if its output is neither."""
        command = ["openssl", "verify", "-no-CApath", "-no-CAstore", "-auth_level", "2", "-attime", str(self.now),
                   "-purpose", "sslclient" if self.role == "server" else "sslserver", "-verify_depth", str(self.depth),
                   "-CAfile", self.ca]
        if self.rest:
            command += ["-untrusted", self.rest]
        if self.crl:
            command += ["-crl_check", "-crl_check_all", "-CRLfile", self.crl]
        run = subprocess.run(command + [self.leaf], capture_output=True, text=True, check=False)
        found = re.search(r"^error (\d+) at (\d+) depth lookup", run.stderr, re.M)
        if found:
            return int(found.group(1))
        return 0 if run.returncode == 0 and run.stdout.endswith(": OK\n") else -1


class Known:
    """A file of lines `pattern: reason`: chains whose verdict here is not the suite's, and why that is wanted or
    cannot be helped. `accept` in front of a pattern: valid here, invalid for the suite; without it the reverse."""

    def __init__(self, path):
        self.refuse, self.accept, self.used = [], [], set()
        with open(path, encoding="utf-8") as f:
            for line in f:
                line = line.strip()
                if not line or line.startswith("#"):
                    continue
                pattern, reason = line.split(": ", 1)
                if pattern.startswith("accept "):
                    self.accept.append((pattern[7:], reason))
                else:
                    self.refuse.append((pattern, reason))

    def reason(self, case, accepted):
        for pattern, reason in self.accept if accepted else self.refuse:
            if fnmatch.fnmatchcase(case.name, pattern):
                self.used.add((accepted, pattern))
                return reason
        return None

    def unused(self):
        entries = [(True, p) for p, _ in self.accept] + [(False, p) for p, _ in self.refuse]
        return [p for accepted, p in entries if (accepted, p) not in self.used]


def verify(tool, lines):
    """Runs a tool on lines of input. @return the fields of each line of its output."""
    run = subprocess.run([tool], input="".join(lines), capture_output=True, text=True, check=True)
    replies = [line.split("\t") for line in run.stdout.splitlines()]
    if len(replies) != len(lines):
        raise RuntimeError(f"{tool}: {len(lines)} lines of input, {len(replies)} of output")
    return replies


def run(suite, tool, cases, known_path):
    """Verifies, compares, prints. @return exit status: 0 each difference is known, 1 some are not."""
    scratch = tempfile.mkdtemp(prefix="suite-")
    try:
        lines = [c.write(os.path.join(scratch, str(i))) for i, c in enumerate(cases)]
        return report(suite, cases, verify(tool, lines), Known(known_path))
    finally:
        shutil.rmtree(scratch)


def report(suite, cases, replies, known):
    agree, expected, bad = 0, 0, 0
    for case, fields in zip(cases, replies):
        accepted = fields[0] == "0"
        if accepted == case.valid:
            agree += 1
            continue
        reason = known.reason(case, accepted)
        wanted = "valid" if case.valid else "invalid"
        verdict = "valid" if accepted else f"{fields[0]} ({fields[-1]})"
        line = f"{case.name}: suite {wanted}, here {verdict}, openssl {case.run_openssl()}"
        if reason:
            expected += 1
            print(f"  known: {line}: {reason}")
        else:
            bad += 1
            print(f"DIFFERS: {line}")
    for pattern in known.unused():
        print(f"note: no chain differs as the pattern {pattern} says")
    print(f"{suite}: {len(cases)} chains, {agree} as the suite says, {expected} known differences, {bad} differ")
    return 1 if bad else 0
