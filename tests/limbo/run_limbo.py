#!/usr/bin/python3
# tls_gnutls - verifies the chains of x509-limbo
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
#
# Usage: tests/limbo/run_limbo.py TOOL     (tests/profiles/verify/verify_tool.c)
# Environment: LIMBO_JSON  limbo.json of github.com/C2SP/x509-limbo; default build/limbo/limbo.json. If the variable
# is not set and the default does not exist, the run is skipped with exit status 77.
# Known differences: tests/limbo/known_limbo.txt.
"""x509-limbo."""

import datetime
import json
import os
import sys

import suite

HERE = os.path.dirname(os.path.abspath(__file__))
DEFAULT = os.path.join(HERE, "..", "..", "build", "limbo", "limbo.json")
CHAIN_MAX = 32  # TLSG_VERIFY_CHAIN_MAX
DEPTH_DEFAULT = 20


def seconds(text):
    """A time of the suite, or now, in seconds since 1970."""
    if not text:
        return int(datetime.datetime.now(datetime.timezone.utc).timestamp())
    when = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    if when.tzinfo is None:
        when = when.replace(tzinfo=datetime.timezone.utc)
    return int(when.timestamp())


def why_skipped(test):
    """Why a test of the suite does not apply here, or None."""
    peer = test.get("expected_peer_name")
    if test.get("signature_algorithms"):
        return "the caller cannot choose signature algorithms"
    if peer and peer["kind"] != "DNS":
        return f"names of kind {peer['kind']} are not SIP identities"
    if set(test.get("extended_key_usage") or []) - {"serverAuth", "clientAuth"}:
        return "the only purposes are those of TLS"
    if "denial-of-service" in (test.get("features") or []) and len(test["untrusted_intermediates"]) >= CHAIN_MAX:
        return f"a peer may send at most {CHAIN_MAX} certificates"
    return None


def case_of(test):
    def pem(texts):
        return [text.encode() + b"\n" for text in texts or []]

    peer, depth = test.get("expected_peer_name"), test.get("max_chain_depth")
    return suite.Case(test["id"], test["expected_result"] == "SUCCESS",
                      pem([test["peer_certificate"]] + test["untrusted_intermediates"]), pem(test["trusted_certs"]),
                      pem(test.get("crls")), seconds(test.get("validation_time")),
                      DEPTH_DEFAULT if depth is None else depth, peer["value"] if peer else None,
                      "client" if test["validation_kind"] == "SERVER" else "server")


def cases():
    """The chains of the suite, None if it is not there. Prints which tests are left out."""
    path = os.environ.get("LIMBO_JSON")
    if not path and not os.path.exists(DEFAULT):
        print("limbo: SKIPPED, there is no build/limbo/limbo.json and LIMBO_JSON is not set")
        return None
    found = []
    with open(path or DEFAULT, encoding="utf-8") as f:
        for test in json.load(f)["testcases"]:
            reason = why_skipped(test)
            if reason:
                print(f"skipped: {test['id']}: {reason}")
            else:
                found.append(case_of(test))
    return found


def main():
    found = cases()
    if found is None:
        return 77
    return suite.run("limbo", sys.argv[1], found, os.path.join(HERE, "known_limbo.txt"))


if __name__ == "__main__":
    sys.exit(main())
