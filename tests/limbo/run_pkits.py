#!/usr/bin/python3
# tls_gnutls - verifies the chains of NIST's PKITS, with CRLs
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
#
# Usage: tests/limbo/run_pkits.py TOOL     (tests/profiles/verify/verify_tool.c)
# Environment: PKITS_DIR  the unpacked suite, with certs/*.crt and crls/*.crl in DER. Without it the run is skipped
# with exit status 77.
# What a test expects is in the name of its leaf: Valid... or Invalid...; the verdict on leaves with other names
# depends on the policies that a relying party requires, and they are left out. Known differences:
# tests/limbo/known_pkits.txt.
"""PKITS."""

import base64
import glob
import os
import re
import sys

import suite

HERE = os.path.dirname(os.path.abspath(__file__))
NOW = 1735689600  # 2025-01-01: PKITS is valid from 2010 to 2030, except in the tests of dates
ANCHOR = "TrustAnchorRootCertificate"


def elements(data):
    """(tag, whole element, contents) of each DER element."""
    at = 0
    while at < len(data):
        start, tag, size = at, data[at], data[at + 1]
        at += 2
        if size & 0x80:
            count = size & 0x7F
            size = int.from_bytes(data[at:at + count], "big")
            at += count
        yield tag, data[start:at + size], data[at:at + size]
        at += size


def names_of_certificate(der):
    """(subject, issuer), as DER."""
    parts = [e for e in elements(next(elements(next(elements(der))[2]))[2]) if e[0] != 0xA0]
    return parts[4][1], parts[2][1]


def issuer_of_crl(der):
    parts = list(elements(next(elements(next(elements(der))[2]))[2]))
    return parts[2][1] if parts[0][0] == 0x02 else parts[1][1]


def fold(name):
    """Lower case, no repeated spaces: finds everything that may belong to a chain, in whatever spelling."""
    return re.sub(rb" +", b" ", name.lower())


def pem(label, der):
    text = base64.encodebytes(der).decode()
    return f"-----BEGIN {label}-----\n{text}-----END {label}-----\n".encode()


def read_all(folder, pattern):
    found = {}
    for path in sorted(glob.glob(os.path.join(folder, pattern))):
        with open(path, "rb") as f:
            found[os.path.splitext(os.path.basename(path))[0]] = f.read()
    return found


def chain_names(leaf, issuers):
    """Names of all CAs above a leaf."""
    names, todo = set(), [fold(names_of_certificate(leaf)[1])]
    while todo:
        name = todo.pop()
        if name in names:
            continue
        names.add(name)
        todo += [fold(names_of_certificate(der)[1]) for der in issuers.get(name, [])]
    return names


def cases():
    """The chains of the suite, None if it is not there."""
    folder = os.environ.get("PKITS_DIR")
    if not folder or not os.path.isdir(os.path.join(folder, "certs")):
        print("pkits: SKIPPED, PKITS_DIR does not name the unpacked suite")
        return None
    certs, crls = read_all(folder, "certs/*.crt"), read_all(folder, "crls/*.crl")
    anchor = certs.pop(ANCHOR)
    issuers = {}
    for name, der in certs.items():
        if not name.endswith("EE"):
            issuers.setdefault(fold(names_of_certificate(der)[0]), []).append(der)
    found, others = [], 0
    for name, der in certs.items():
        if not name.endswith("EE"):
            continue
        if not name.startswith(("Valid", "Invalid")):
            others += 1
            continue
        names = chain_names(der, issuers)
        sent = [der] + [c for n in sorted(names) for c in issuers.get(n, [])]
        used = [c for c in crls.values() if fold(issuer_of_crl(c)) in names]
        found.append(suite.Case(name, name.startswith("Valid"), [pem("CERTIFICATE", c) for c in sent],
                                [pem("CERTIFICATE", anchor)], [pem("X509 CRL", c) for c in used], NOW, role="server"))
    print(f"pkits: {others} leaves skipped, their verdict depends on the policies that are required")
    return found


def main():
    found = cases()
    if found is None:
        return 77
    return suite.run("pkits", sys.argv[1], found, os.path.join(HERE, "known_pkits.txt"))


if __name__ == "__main__":
    sys.exit(main())
