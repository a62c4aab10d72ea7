#!/usr/bin/python3
# tls_gnutls - runs the chains of x509-limbo through our verification
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
#
# Usage: LIMBO_JSON=FILE tests/limbo/run_limbo.py TOOL     (tests/profiles/verify/verify_tool.c)
# FILE is limbo.json of github.com/C2SP/x509-limbo. Without it the run is skipped, exit status 77.
# Known differences: tests/limbo/known_limbo.txt.
"""x509-limbo."""

import datetime
import json
import os
import sys

import suite

HERE = os.path.dirname(os.path.abspath(__file__))


def timestamp(text):
    when = datetime.datetime.fromisoformat(text.replace("Z", "+00:00")) if text else datetime.datetime.now(datetime.timezone.utc)
    if when.tzinfo is None:
        when = when.replace(tzinfo=datetime.timezone.utc)
    return int(when.timestamp())


def case_of(test):
    """The case, or why it cannot be asked."""
    features = test.get("features") or []
    peer = test.get("expected_peer_name")
    if test.get("signature_algorithms"):
        return "the caller cannot choose signature algorithms"
    if peer and peer["kind"] != "DNS":
        return f"names of kind {peer['kind']} are not SIP identities"
    if any(usage != "serverAuth" and usage != "clientAuth" for usage in test.get("extended_key_usage") or []):
        return "purposes are those of TLS"
    if "denial-of-service" in features and len(test["untrusted_intermediates"]) >= 32:
        return "more certificates than are taken"
    depth = test.get("max_chain_depth")
    crls = [c.encode() + b"\n" for c in test.get("crls") or []]
    return suite.Case(test["id"], test["expected_result"] == "SUCCESS",
                      [p.encode() + b"\n" for p in [test["peer_certificate"]] + test["untrusted_intermediates"]],
                      [p.encode() + b"\n" for p in test["trusted_certs"]], crls, timestamp(test.get("validation_time")),
                      20 if depth is None else depth, peer["value"] if peer else None,
                      "client" if test["validation_kind"] == "SERVER" else "server")


def main():
    path = os.environ.get("LIMBO_JSON")
    if not path or not os.path.exists(path):
        print("limbo: SKIPPED, LIMBO_JSON does not name limbo.json of x509-limbo")
        return 77
    with open(path, encoding="utf-8") as f:
        tests = json.load(f)["testcases"]
    cases = []
    for test in tests:
        case = case_of(test)
        if isinstance(case, str):
            print(f"skipped: {test['id']}: {case}")
        else:
            cases.append(case)
    return suite.run("limbo", sys.argv[1], cases, os.path.join(HERE, "known_limbo.txt"))


if __name__ == "__main__":
    sys.exit(main())
