#!/usr/bin/python3
# tls_gnutls - compares tls-gnutls-ciphers with `openssl ciphers` over a corpus of cipher strings
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
#
# Usage: tests/profiles/cipher/ciphers_compare.py TOOL [--seed N] [--random N] [--method M | --enforced]
# For each string the tool must print what `openssl ciphers` prints, in the same order, without the suites that GnuTLS
# lacks or that work without certificates; if OpenSSL refuses the string the tool must exit with 1. With --method the
# suites of other protocols are left out on both sides. With --enforced the suites that the security level admits are
# compared: the tool's --enforced with `openssl ciphers -s`, whose level without @SECLEVEL must be Debian's, 2.
# Exit status: 0 all equal, 1 not, 77 openssl is missing.
"""Corpus and comparison of cipher strings."""

import argparse
import ctypes
import ctypes.util
import os
import pathlib
import random
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

KEYWORDS = """ALL COMPLEMENTOFALL COMPLEMENTOFDEFAULT DEFAULT HIGH MEDIUM LOW FIPS eNULL NULL aNULL kRSA aRSA RSA kDHE
kEDH DH DHE EDH ADH kEECDH kECDHE ECDH ECDHE EECDH AECDH aDSS DSS aECDSA ECDSA TLSv1.2 TLSv1.0 TLSv1 SSLv3 AES128 AES256
AES AESGCM AESCCM AESCCM8 ARIA128 ARIA256 ARIA ARIAGCM CAMELLIA128 CAMELLIA256 CAMELLIA CHACHA20 3DES DES RC4 RC2
IDEA SEED MD5 SHA1 SHA SHA256 SHA384 aGOST aGOST01 aGOST12 kGOST kGOST18 GOST94 GOST12 GOST89MAC GOST89MAC12 GOST89 PSK
kPSK kECDHEPSK kDHEPSK kRSAPSK aPSK kSRP SRP aSRP CBC""".split()

OLD_WORDS = """EXP EXPORT EXPORT40 EXPORT56 SSLv2 TLSv1.1 TLSv1.3 kDHr kDHd kDH kECDHr kECDHe kECDH aDH aECDH KRB5 kKRB5
aKRB5 FZA aGOST94 kFZA""".split()

# Published recommendations.
REAL_LIFE = (pathlib.Path(__file__).parent / "real_life.txt").read_text().strip("\n").split("\n")


def native_suites():
    """Ids of the suites of the installed GnuTLS that encrypt and work with certificates."""
    lib = ctypes.CDLL(ctypes.util.find_library("gnutls"))
    info = lib.gnutls_cipher_suite_info
    info.restype = ctypes.c_char_p
    info.argtypes = [ctypes.c_size_t, ctypes.c_char_p] + [ctypes.POINTER(ctypes.c_int)] * 4
    for name in ("gnutls_kx_get_name", "gnutls_cipher_get_name"):
        getattr(lib, name).restype = ctypes.c_char_p
    found = set()
    index = 0
    while True:
        cs_id = ctypes.create_string_buffer(2)
        kx, cipher, mac, version = (ctypes.c_int() for _ in range(4))
        if info(index, cs_id, *(ctypes.byref(v) for v in (kx, cipher, mac, version))) is None:
            return found
        index += 1
        kx_name = lib.gnutls_kx_get_name(kx) or b"TLS1.3"
        if lib.gnutls_cipher_get_name(cipher) == b"NULL":
            continue
        if kx_name in (b"TLS1.3", b"RSA", b"DHE-RSA", b"DHE-DSS", b"ECDHE-RSA", b"ECDHE-ECDSA"):
            found.add(tuple(cs_id.raw))


def openssl_table():
    """OpenSSL's name, IANA's name and protocol of all suites of OpenSSL, by OpenSSL's name."""
    def lines(flag):
        return subprocess.run(["openssl", "ciphers", flag, "ALL:COMPLEMENTOFALL"], check=True, text=True,
                              stdout=subprocess.PIPE).stdout.splitlines()
    table = {}
    for line in lines("-V"):
        m = re.match(r"\s*0x(..),0x(..) - (\S+)\s+(\S+)", line)
        table[m[3]] = {"id": (int(m[1], 16), int(m[2], 16)), "protocol": m[4]}
    for line in lines("-stdname"):
        iana, rest = line.split(" - ", 1)
        table[rest.split()[0]]["iana"] = iana.strip()
    return table


def random_string(rng, suites):
    """A random composition of words, operators and commands."""
    words = KEYWORDS * 3 + OLD_WORDS + suites
    items = []
    for _ in range(rng.randint(1, 12)):
        if rng.random() < 0.06:
            items.append("@STRENGTH")
            continue
        if rng.random() < 0.04:
            items.append("@SECLEVEL=%d" % rng.randint(0, 5))
            continue
        parts = [rng.choice(words) for _ in range(rng.choice((1, 1, 1, 2, 2, 3)))]
        items.append(rng.choice(("", "", "", "!", "-", "+")) + "+".join(parts))
    out = rng.choice(("", "", "DEFAULT:", "ALL:", "HIGH:")) + items[0]
    for item in items[1:]:
        out += rng.choice((":", ":", ":", ":", ",", " ", ";", "::")) + item
    return out


def corpus(seed, count, suites):
    """All strings, each once, in a fixed order."""
    strings = list(REAL_LIFE) + KEYWORDS + OLD_WORDS + sorted(suites)
    strings += [pattern % w for pattern in ("!%s:ALL", "ALL:+%s", "ALL:-%s:ALL") for w in KEYWORDS]
    rng = random.Random(seed)
    strings += [random_string(rng, sorted(suites)) for _ in range(count)]
    return list(dict.fromkeys(strings))


def run(argv):
    """Without the system's openssl.cnf, which can restrict protocols and suites."""
    return subprocess.run(argv, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
                          env={**os.environ, "OPENSSL_CONF": os.devnull})


def in_method(entry, method):
    """Whether a suite belongs to one of the protocols that --method is used with here."""
    is13 = entry["protocol"] == "TLSv1.3"
    return {None: True, "TLSv1+": True, "TLSv1.2": not is13, "TLSv1.3": is13}[method]


def is_compared(string, method):
    """
    Without TLS 1.3 a high security level can leave nothing; with TLS 1.3 alone the names of its suites count. `openssl
    ciphers` knows neither, so these strings are compared without --method only.
    """
    if method == "TLSv1.2":
        return re.search("@SECLEVEL=[3-5]", string) is None
    return method != "TLSv1.3" or re.search("TLS_AES|TLS_CHACHA20", string) is None


def compare(args, string, table, native):
    """None, or how the tool differs."""
    method = args.method
    if string.startswith("-"):  # an option for openssl; an empty item in front changes nothing
        string = ":" + string
    theirs = run(["openssl", "ciphers"] + (["-s"] if args.enforced else []) + [string])
    ours = run([args.tool] + (["--method", method] if method else []) + (["--enforced"] if args.enforced else [])
               + ["--", string])
    want = []
    if theirs.returncode == 0:
        want = [n for n in theirs.stdout.strip().split(":") if table[n]["id"] in native and in_method(table[n], method)]
    lines = ours.stdout.splitlines()
    got = [line.split("\t") for line in lines[1:]]
    if ours.returncode != (0 if want else 1):
        return "exit status %d, %d suites wanted: %s" % (ours.returncode, len(want), ours.stderr.strip())
    if want and not lines[0].startswith("priority: NONE:"):
        return "first line is %r" % lines[0]
    if [g[0] for g in got] != want:
        return "suites\n  want %s\n  got  %s" % (":".join(want), ":".join(g[0] for g in got))
    for name, iana, protocol in got:
        if (table[name]["iana"], table[name]["protocol"]) != (iana, protocol):
            return "%s: names it %s, %s" % (name, iana, protocol)
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tool")
    parser.add_argument("--seed", type=int, default=20260101)
    parser.add_argument("--random", type=int, default=300)
    parser.add_argument("--method", choices=("TLSv1+", "TLSv1.2", "TLSv1.3"))
    parser.add_argument("--enforced", action="store_true")
    args = parser.parse_args()
    if args.enforced and args.method:
        parser.error("--enforced and --method exclude each other")
    try:
        table = openssl_table()
    except FileNotFoundError:
        print("ciphers_compare: SKIPPED, there is no openssl")
        return 77
    native = native_suites()
    strings = corpus(args.seed, args.random, [n for n in table if not n.startswith("TLS_")])
    strings = [s for s in strings if is_compared(s, args.method)]
    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        results = list(pool.map(lambda s: compare(args, s, table, native), strings))
    wrong = [(s, r) for s, r in zip(strings, results) if r is not None]
    for string, result in wrong:
        print("%r: %s" % (string, result))
    print("ciphers_compare: %d strings, %d equal, %d different (seed %d)"
          % (len(strings), len(strings) - len(wrong), len(wrong), args.seed))
    return 1 if wrong or len(strings) < 300 else 0


if __name__ == "__main__":
    sys.exit(main())
