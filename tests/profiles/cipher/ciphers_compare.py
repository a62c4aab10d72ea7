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
import random
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

KEYWORDS = """ALL COMPLEMENTOFALL COMPLEMENTOFDEFAULT DEFAULT HIGH MEDIUM LOW FIPS eNULL NULL aNULL kRSA aRSA RSA kDHE
kEDH DH DHE EDH ADH kEECDH kECDHE ECDH ECDHE EECDH AECDH aDSS DSS aECDSA ECDSA TLSv1.2 TLSv1.0 TLSv1 SSLv3 AES128 AES256
AES AESGCM AESCCM AESCCM8 ARIA128 ARIA256 ARIA ARIAGCM CAMELLIA128 CAMELLIA256 CAMELLIA CHACHA20 3DES DES RC4 RC2
IDEA SEED MD5 SHA1 SHA SHA256 SHA384 aGOST aGOST01 aGOST12 kGOST kGOST18 GOST94 GOST12 GOST89MAC GOST89MAC12 GOST89 PSK kPSK
kECDHEPSK kDHEPSK kRSAPSK aPSK kSRP SRP aSRP CBC""".split()

OLD_WORDS = """EXP EXPORT EXPORT40 EXPORT56 SSLv2 TLSv1.1 TLSv1.3 kDHr kDHd kDH kECDHr kECDHe kECDH aDH aECDH KRB5 kKRB5
aKRB5 FZA aGOST94 kFZA""".split()

# Published recommendations.
REAL_LIFE = """
ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384
ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:DHE-RSA-CHACHA20-POLY1305
ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256
@SECLEVEL=0:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:DHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA384:ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA:DHE-RSA-AES128-SHA256:DHE-RSA-AES256-SHA256:AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-SHA256:AES256-SHA256:AES128-SHA:AES256-SHA:DES-CBC3-SHA
TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:ECDHE-RSA-AES128-GCM-SHA256
TLS_AES_256_GCM_SHA384:ECDHE-ECDSA-AES256-GCM-SHA384:!TLS_AES_128_GCM_SHA256
TLS_AES_128_GCM_SHA256
TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256:AES128-CCM
TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256:AES256-SHA
ALL:!aNULL:!eNULL
ALL:!ADH:!LOW:!EXP:!MD5:@STRENGTH
ALL:!EXPORT:!LOW:!aNULL:!eNULL:!SSLv2
ALL:!ADH:!EXPORT56:RC4+RSA:+HIGH:+MEDIUM:+LOW:+SSLv2:+EXP:+eNULL
ALL:!ADH:!EXPORT:!SSLv2:RC4+RSA:+HIGH:+MEDIUM
ALL:+HIGH:+MEDIUM:+LOW:+EXP:+eNULL
HIGH:!aNULL:!MD5
HIGH:!aNULL:!MD5:!RC4
HIGH:MEDIUM:!aNULL:!MD5:!SEED:!IDEA
HIGH:!aNULL:!kRSA:!PSK:!SRP:!MD5:!RC4
HIGH:!aNULL:!eNULL:!EXPORT:!DES:!RC4:!3DES:!MD5:!PSK
HIGH:!ADH:!AECDH:!MD5:!DES:!3DES:!RC4:!EXPORT:@STRENGTH
HIGH:-aNULL:-eNULL:-PSK:RC4-SHA:RC4-MD5
HIGH:!SSLv3:!aNULL
HIGH:!TLSv1:!SSLv3
HIGH:!CBC
HIGH:!SHA1:!SHA256:!SHA384
HIGH:!RSA
DEFAULT:!EXP:!LOW
DEFAULT@SECLEVEL=1
DEFAULT:@SECLEVEL=0
DEFAULT@SECLEVEL=2
DEFAULT@SECLEVEL=3
DEFAULT:@SECLEVEL=5
DEFAULT:!kRSA
DEFAULT:-SHA:+AES128
DEFAULT+AES
DEFAULT AES128-SHA
DEFAULTHIGH
DEFAULT:PSK
DEFAULT:aNULL
DEFAULT:eNULL
DEFAULT:COMPLEMENTOFDEFAULT
DEFAULT:-ALL:AES128-SHA
ALL:COMPLEMENTOFALL
ALL:!COMPLEMENTOFDEFAULT:!eNULL
EECDH+AESGCM:EDH+AESGCM:AES256+EECDH:AES256+EDH
EECDH+AESGCM:EDH+AESGCM
EECDH+ECDSA+AESGCM:EECDH+aRSA+AESGCM:EECDH+ECDSA+SHA384:EECDH+ECDSA+SHA256:EECDH+aRSA+SHA384:EECDH+aRSA+SHA256:EECDH+aRSA+RC4:EECDH:EDH+aRSA:!RC4:!aNULL:!eNULL:!LOW:!3DES:!MD5:!EXP:!PSK:!SRP:!DSS
EECDH+CHACHA20:EECDH+AES128:RSA+AES128:EECDH+AES256:RSA+AES256:EECDH+3DES:RSA+3DES:!MD5
ECDH+AESGCM:DH+AESGCM:ECDH+AES256:DH+AES256:ECDH+AES128:DH+AES:RSA+AESGCM:RSA+AES:!aNULL:!MD5:!DSS
ECDH+AESGCM:ECDH+CHACHA20:DH+AESGCM:ECDH+AES256:DH+AES256:ECDH+AES128:DH+AES:ECDH+3DES:DH+3DES:RSA+AESGCM:RSA+AES:RSA+3DES:!aNULL:!MD5:!DSS
ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20:!aNULL
ECDHE-RSA-AES256-SHA384:AES256-SHA256:RC4:HIGH:!MD5:!aNULL:!EDH:!AESGCM
ECDHE-RSA-AES128-GCM-SHA256:ECDHE:ECDH:AES:HIGH:!NULL:!aNULL:!MD5:!ADH:!RC4
kEECDH+ECDSA kEECDH kEDH HIGH +SHA +RC4 RC4 !aNULL !eNULL !LOW !3DES !MD5 !EXP !DSS !PSK !SRP !kECDH !CAMELLIA !IDEA !SEED
kEECDH:kEDH:!ADH:AES256-SHA256:AES256-SHA
kEDH+AESGCM;EECDH+AESGCM,kRSA
AES256-SHA
AES128-SHA:AES256-SHA
AES256-SHA:AES128-SHA:DES-CBC3-SHA
AES128+EECDH:AES128+EDH
AES+HIGH
AES+RSA
RSA+AES:!SHA384
RSA:-RSA:RSA+AES256
SHA256+AES
AES128-SHA+HIGH
AES128-SHA+AES256-SHA
AES128-SHA+AES128-SHA
AES128-SHA+TLSv1.2
AES128-SHA256+SSLv3
TLSv1.2+SSLv3
TLSv1.2:!TLSv1.2
TLSv1.2+FIPS:kRSA+FIPS:!eNULL:!aNULL
TLSv1.2:TLSv1:SSLv3:@STRENGTH
SSLv3:TLSv1.2
!SSLv3:ALL
FIPS:!aNULL
FIPS+HIGH
HIGH+COMPLEMENTOFDEFAULT
COMPLEMENTOFDEFAULT+HIGH
COMPLEMENTOFDEFAULT+AES128-SHA
COMPLEMENTOFDEFAULT+NULL-SHA:AES128-SHA
COMPLEMENTOFDEFAULT+AES
NULL-SHA+HIGH:AES128-SHA
COMPLEMENTOFDEFAULT:@STRENGTH
ECDHE-ECDSA-AES128-GCM-SHA256+HIGH:AESCCM
AESCCM:AESCCM8:!AESCCM8
AESCCM8:AESCCM:+AESCCM8
CAMELLIA:AES:@STRENGTH
CAMELLIA128:CAMELLIA256:+kRSA:-DHE:DHE
CHACHA20:AESGCM:+CHACHA20
ARIA:AES128-SHA
DSS+AES:aDSS
aDSS:aRSA:aECDSA
aECDSA:aRSA:-aECDSA:aECDSA
ECDSA+SHA1:RSA+SHA1
kRSA:kDHE:kECDHE:@STRENGTH
ALL:-kRSA:-AESGCM:+SHA:kRSA:AESGCM
ALL:!ALL
ALL:-ALL:AES128-SHA
ALL:-ALL:ALL
ALL:-AES:AES:+CAMELLIA
HIGH:+AES:+ECDHE:+aRSA:@STRENGTH:-SHA384:SHA384
ALL:@STRENGTH
@STRENGTH:ALL
ALL:@STRENGTH:+AES128
ALL:@SECLEVEL=4
@SECLEVEL=1
@SECLEVEL=3:AES128-SHA
AES128-SHA:@SECLEVEL=6
AES128-SHA:@SECLEVEL=12
AES128-SHA:@SECLEVEL=
AES128-SHA:@SECLEVEL=a
AES128-SHA:@STRENGTHX
AES128-SHA:@
AES128-SHA:@FOO:AES256-SHA
AES128-SHA:@STRENGTH+AES256-SHA:AES256-SHA
PSK
PSK:AES128-SHA
PSK-AES128-CBC-SHA:ECDHE-PSK-AES128-CBC-SHA:AES128-SHA
SRP:HIGH
eNULL:AES128-SHA
NULL-SHA256:AES128-SHA256
NULL-SHA+AES128-SHA:AES128-SHA
ADH-AES128-SHA:AES128-SHA
ADH+AES:DHE+AES
DES-CBC3-SHA
EDH-RSA-DES-CBC3-SHA:DHE-RSA-AES128-SHA
RC4-SHA:RC4-MD5
RC4:HIGH
FOO
FOO:BAR:AES128-SHA
FOO+AES:AES128-SHA
AES+FOO:AES128-SHA
aes128-sha
high
AES_128
AES128-SHA_X
FOO_BAR:AES128-SHA
AES128-SHA:"AES256-SHA"
AES128-SHA:'AES256-SHA'
AES128-SHA:*
AES128-SHA|AES256-SHA
AES128-SHA/AES256-SHA
AES128-SHA:!
AES128-SHA:-
AES128-SHA:+
AES128-SHA:!:AES256-SHA
HIGH+
HIGH++AES
+HIGH:AES128-SHA
HIGH!aNULL-AES128+SHA
HIGH!aNULL@STRENGTH
!!HIGH:AES128-SHA
-HIGH:AES128-SHA
::AES128-SHA::AES256-SHA::
:
,
;
AES128-SHA;AES256-SHA
AES128-SHA,AES256-SHA
AES128-SHA AES256-SHA
 AES128-SHA
AES128-SHA 
AES128-SHA : AES256-SHA
AES128-SHA:AES128-SHA:AES256-SHA:AES128-SHA
AES128-SHA:!AES128-SHA:AES256-SHA
AES128-SHA:!AES128-SHA
AES128-SHA=
AES128-SHA.
SUITEB128
SUITEB128ONLY
SUITEB192
SUITEB128C2
SUITEB128:AES128-SHA
SUITEB192FOO
AES128-SHA:SUITEB128
SUITEB
suiteb128
""".strip("\n").split("\n")


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
