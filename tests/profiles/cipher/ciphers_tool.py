#!/usr/bin/python3
# tls_gnutls - tests options and messages of tls-gnutls-ciphers, also under a system policy
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
#
# Usage: tests/profiles/cipher/ciphers_tool.py TOOL
# Exit status: 0 all calls as expected, 1 not.
"""Command line, exit status and messages."""

import os
import re
import subprocess
import sys
import tempfile

TLS13 = ["TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256"]

POLICY = """[overrides]
disabled-version = TLS1.0
disabled-version = TLS1.1
tls-disabled-cipher = AES-256-CBC
[priorities]
SYSTEM = NORMAL:-AES-128-GCM
"""

# arguments, exit status, suites (None: not checked), what standard error must match ("": nothing)
CASES = [
    (["AES128-SHA"], 0, TLS13 + ["AES128-SHA"], "^$"),
    (["--method", "TLSv1.2", "AES128-SHA"], 0, ["AES128-SHA"], "^$"),
    (["--method=TLSv1.2", "AES128-SHA"], 0, ["AES128-SHA"], "^$"),
    (["AES128-SHA", "--method", "tlsv1.3+"], 0, TLS13, "^$"),
    (["--method", "TLSv1.3", "TLS_AES_128_CCM_SHA256"], 0, ["TLS_AES_128_CCM_SHA256"], "^$"),
    (["-ALL:AES128-SHA"], 0, TLS13 + ["AES128-SHA"], "^$"),
    (["--", "-ALL:AES128-SHA"], 0, TLS13 + ["AES128-SHA"], "^$"),
    (["AES128-SHA:NO-SUCH:DES-CBC3-SHA"], 0, TLS13 + ["AES128-SHA"], r"^NO-SUCH: .*\nDES-CBC3-SHA: .*\n$"),
    (["--method", "TLSv1.2", "AES128-SHA:ECDHE-RSA-AES128-SHA:@SECLEVEL=3"], 0, ["AES128-SHA", "ECDHE-RSA-AES128-SHA"],
     "^AES128-SHA: .*SECLEVEL"),
    (["--method", "TLSv1.2", "--enforced", "AES128-SHA:ECDHE-RSA-AES128-SHA:@SECLEVEL=3"], 0, ["ECDHE-RSA-AES128-SHA"],
     "^AES128-SHA: .*SECLEVEL"),
    (["NORMAL:-VERS-ALL:+VERS-TLS1.3"], 0, None, "^$"),
    (["NO-SUCH"], 1, [], "selects no suite"),
    ([""], 1, [], "selects no suite"),
    (["HIGH+"], 1, [], "character 1"),
    (["NORMAL:+NO-SUCH"], 1, [], "does not understand"),
    (["--method", "TLSv1.2", "PSK"], 1, [], "nothing is left"),
    ([], 2, [], "^usage: "),
    (["ALL", "HIGH"], 2, [], "^usage: "),
    (["--nosuch", "ALL"], 2, [], "^usage: "),
    (["ALL", "--method"], 2, [], "^usage: "),
    (["--method", "TLSv1.9", "ALL"], 2, [], "not a TLS method"),
    (["--method", "SSLv3", "ALL"], 2, [], "SSLv3 is not supported"),
]

POLICY_CASES = [
    (["--method", "TLSv1.2", "AES256-SHA:AES128-SHA"], 0, ["AES128-SHA"], "^AES256-SHA: .*disabled"),
    (["--method", "TLSv1.2", "AES256-SHA"], 1, [], "leave no suite"),
    (["--method", "TLSv1", "AES128-SHA"], 1, [], "leave no suite"),
    (["--method", "SSLv23", "AES128-SHA"], 0, TLS13 + ["AES128-SHA"], "^$"),
    (["--method", "TLSv1.3", "@SYSTEM"], 0, ["TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256",
                                             "TLS_AES_128_CCM_SHA256"], "^$"),
]


def check(tool, case, env):
    """None, or what is wrong."""
    args, status, suites, message = case
    r = subprocess.run([tool] + args, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, env=env)
    if r.returncode != status:
        return "exit status %d: %s" % (r.returncode, r.stderr)
    if not re.search(message, r.stderr):
        return "standard error: %r" % r.stderr
    lines = r.stdout.splitlines()
    if status != 0:
        return "standard output: %r" % r.stdout if lines else None
    if not lines or not lines[0].startswith("priority: "):
        return "first line: %r" % r.stdout
    for line in lines[1:]:
        if not re.fullmatch(r"[-\w]+\tTLS_\w+\t(SSLv3|TLSv1|TLSv1\.2|TLSv1\.3)", line):
            return "line: %r" % line
    got = [line.split("\t")[0] for line in lines[1:]]
    if suites is None:
        return None if got else "no suites"
    return None if got == suites else "suites: %s" % " ".join(got)


def main():
    if len(sys.argv) != 2:
        print("usage: ciphers_tool.py TOOL", file=sys.stderr)
        return 2
    env = {k: v for k, v in os.environ.items() if k != "GNUTLS_SYSTEM_PRIORITY_FILE"}
    bad = []
    with tempfile.TemporaryDirectory() as folder:
        for name, text, cases in (("none", "", CASES), ("policy", POLICY, POLICY_CASES)):
            path = os.path.join(folder, name)
            with open(path, "w", encoding="ascii") as f:
                f.write(text)
            for case in cases:
                wrong = check(sys.argv[1], case, {**env, "GNUTLS_SYSTEM_PRIORITY_FILE": path})
                if wrong:
                    bad.append("%s, %s: %s" % (name, " ".join(case[0]), wrong))
    print("\n".join(bad + ["ciphers_tool: %d calls, %d wrong" % (len(CASES) + len(POLICY_CASES), len(bad))]))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
