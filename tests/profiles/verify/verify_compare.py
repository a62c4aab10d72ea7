#!/usr/bin/python3
# tls_gnutls - compares the verification of certificate chains with `openssl verify`
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
#
# Usage: tests/profiles/verify/verify_compare.py TOOL [--seed N] [--random N] [--keep]
# TOOL is the program built from tests/profiles/verify/verify_tool.c. Chains are made here: a table of single faults in
# both roles, and random compositions of faults. For each chain the code and the depth must be those of `openssl
# verify`, which are those that a server or client without a verification callback records. Intended differences have
# a reason in REASONS; they are counted and listed.
# Exit status: 0 nothing else differs, 1 something does, 77 openssl or python3-cryptography is missing.
"""Corpus of certificate chains and comparison of results."""

import argparse
import collections
import datetime
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

try:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
except ImportError:
    print("verify_compare: SKIPPED, python3-cryptography is not installed")
    sys.exit(77)

NOW = datetime.datetime(2025, 6, 15, 12, 0, 0)
EPOCH = int((NOW - datetime.datetime(1970, 1, 1)).total_seconds())
DAY = datetime.timedelta(days=1)

REASONS = {
    "issuer without basicConstraints": "RFC 5280 demands it in every CA; OpenSSL accepts keyCertSign instead",
    "another way found": "OpenSSL follows the first possible issuer; the module goes back and tries the next",
    "constraint refused": "GnuTLS refuses some constraints on URIs and directory names that it cannot compare",
    "common name": "GnuTLS takes it for a DNS name if there is no DNS name; OpenSSL only if it looks like one",
    "excluded": "one code for both kinds of name constraints, 47; OpenSSL has 48 for excluded names",
    "URI": "a URI without an authority is refused with a code of its own by OpenSSL, 53",
    "delta": "OpenSSL takes a delta CRL for a complete one; the module does not use it, since entries are missing",
    "SHA-1 list": "GnuTLS considers SHA-1 signatures of CRLs broken; OpenSSL does not check the hash",
}

EKU = {
    "client": ExtendedKeyUsageOID.CLIENT_AUTH,
    "server": ExtendedKeyUsageOID.SERVER_AUTH,
    "code": ExtendedKeyUsageOID.CODE_SIGNING,
    "any": ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
}
USAGES = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
          "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")


class Keys:
    """A few keys that are used again and again, since RSA keys are expensive to make."""

    def __init__(self):
        self.pool = {"rsa1024": [], "rsa2048": []}

    def get(self, kind, rng):
        if kind == "ec":
            return ec.generate_private_key(ec.SECP256R1())
        pool = self.pool[kind]
        if len(pool) < 6:
            pool.append(rsa.generate_private_key(65537, int(kind[3:])))
            return pool[-1]
        return rng.choice(pool)


class Cert:
    """One certificate; the arguments are its possible faults."""

    def __init__(self, keys, rng, name, issuer=None, **how):
        self.how = collections.defaultdict(lambda: None, how)
        self.name, self.issuer = name, issuer or self
        self.key = self.how["key_of"].key if self.how["key_of"] else keys.get(self.how["key"] or "ec", rng)
        self.x509 = self.build(keys, rng)
        self.pem = self.x509.public_bytes(serialization.Encoding.PEM)

    def dn(self):
        return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "tls_gnutls tests"),
                          x509.NameAttribute(NameOID.COMMON_NAME, self.how["cn"] or self.name)])

    def authority(self, key_id, name, serial):
        """Authority key identifier that names a certificate by its issuer's name and its serial number."""
        aki = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.issuer.key.public_key())
        return x509.AuthorityKeyIdentifier(aki.key_identifier if key_id else None, [x509.DirectoryName(name)], serial)

    def build(self, keys, rng):
        how = self.how
        first, last = how["days"] or (-30, 365)
        b = x509.CertificateBuilder(self.issuer.dn(), self.dn(), self.key.public_key(), rng.getrandbits(100) + 1,
                                    NOW + first * DAY, NOW + last * DAY)
        if how["ca"] is not None:
            b = b.add_extension(x509.BasicConstraints(how["ca"], how["path_length"] if how["ca"] else None), True)
        if how["usage"] is not None:
            b = b.add_extension(x509.KeyUsage(**{u: u in how["usage"].split() for u in USAGES}), True)
        if how["eku"]:
            b = b.add_extension(x509.ExtendedKeyUsage([EKU[e] for e in how["eku"].split()]), False)
        if not how["no_ids"]:
            b = b.add_extension(x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), False)
            if how["authority"]:
                b = b.add_extension(self.authority(*how["authority"]), False)
            elif not self.issuer.how["no_ids"]:
                aki = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.issuer.key.public_key())
                b = b.add_extension(aki, False)
        if how["critical"]:
            b = b.add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\5\0"), True)
        if how["permitted"] or how["excluded"]:
            b = b.add_extension(x509.NameConstraints(how["permitted"], how["excluded"]), True)
        if how["names"]:
            b = b.add_extension(x509.SubjectAlternativeName(how["names"]), False)
        if how["point"]:
            names = [x509.UniformResourceIdentifier(u) for u in how["point"].split()]
            points = [x509.DistributionPoint([n], None, None, None) for n in names]
            b = b.add_extension(x509.CRLDistributionPoints(points), False)
        signer = keys.get("ec", rng) if how["forged"] and how["key"] in (None, "ec") else self.issuer.key
        if how["forged"] and isinstance(signer, rsa.RSAPrivateKey):
            signer = rsa.generate_private_key(65537, 2048)
        return b.sign(signer, hashes.SHA1() if how["sha1"] else hashes.SHA256())


class Crl:
    """One revocation list."""

    def __init__(self, keys, rng, issuer, revoked=(), days=(-1, 30), forged=False, sha1=False, point=None, extra=()):
        self.sha1 = sha1
        b = x509.CertificateRevocationListBuilder(issuer.dn(), NOW + days[0] * DAY, NOW + days[1] * DAY)
        if not any(isinstance(extension, x509.CRLNumber) for extension, _ in extra):
            b = b.add_extension(x509.CRLNumber(1), False)
        if not issuer.how["no_ids"]:
            aki = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key())
            b = b.add_extension(aki, False)
        if point:
            full = [x509.UniformResourceIdentifier(u) for u in point.get("uris", "").split()] or None
            b = b.add_extension(x509.IssuingDistributionPoint(
                full, None, point.get("users", False), point.get("cas", False), point.get("reasons"),
                point.get("indirect", False), point.get("attributes", False)), True)
        for extension, critical in extra:
            b = b.add_extension(extension, critical)
        for cert in revoked:
            b = b.add_revoked_certificate(x509.RevokedCertificateBuilder(cert.x509.serial_number, NOW - DAY).build())
        key = issuer.key
        if forged:
            key = rsa.generate_private_key(65537, 2048) if isinstance(key, rsa.RSAPrivateKey) else keys.get("ec", rng)
        self.pem = b.sign(key, hashes.SHA1() if sha1 else hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


class Case:
    """What is sent, what is trusted, the parameters, and what may differ."""

    def __init__(self, what, sent, trusted, crls=None, role="server", depth=9):
        self.what, self.sent, self.trusted, self.crls = what, sent, trusted, crls
        self.role, self.depth = role, depth

    def write(self, folder):
        def put(name, items):
            path = os.path.join(folder, name)
            with open(path, "wb") as f:
                f.write(b"".join(i.pem for i in items))
            return path

        os.mkdir(folder)
        self.file_sent = put("sent.pem", self.sent)
        self.file_leaf = put("leaf.pem", self.sent[:1])
        self.file_rest = put("rest.pem", self.sent[1:]) if self.sent[1:] else None
        self.file_ca = put("ca.pem", self.trusted) if self.trusted else None
        self.file_crl = put("crl.pem", self.crls) if self.crls else None

    def ask_openssl(self):
        """The first error, as (code, depth)."""
        command = ["openssl", "verify", "-no-CApath", "-no-CAstore", "-auth_level", "2", "-attime", str(EPOCH),
                   "-purpose", "sslclient" if self.role == "server" else "sslserver", "-verify_depth", str(self.depth)]
        command += ["-CAfile", self.file_ca] if self.file_ca else ["-no-CAfile"]
        if self.file_rest:
            command += ["-untrusted", self.file_rest]
        if self.file_crl:
            command += ["-crl_check", "-crl_check_all", "-CRLfile", self.file_crl]
        run = subprocess.run(command + [self.file_leaf], capture_output=True, text=True, check=False)
        found = re.search(r"^error (\d+) at (\d+) depth lookup", run.stderr, re.M)
        if found:
            return int(found.group(1)), int(found.group(2))
        if run.returncode == 0 and run.stdout.endswith(": OK\n"):
            return 0, 0
        raise RuntimeError(f"{self.what}: openssl said {run.stdout!r} {run.stderr!r}")

    def request(self):
        words = [f"sent={self.file_sent}", f"role={self.role}", f"depth={self.depth}", f"now={EPOCH}"]
        if self.file_ca:
            words.append(f"ca={self.file_ca}")
        if self.file_crl:
            words.append(f"crl={self.file_crl}")
        return "\t".join(words)

    def reason(self, theirs, ours):
        """Name of the intended difference, or None."""
        issuers = [c for c in self.sent[1:] + self.trusted if c.how["ca"] is None and not c.how["v1"]]
        if issuers and ours[0] == 79 and theirs[0] != 79:
            return "issuer without basicConstraints"
        if self.crls and any(c.sha1 for c in self.crls) and ours[0] == 8:
            return "SHA-1 list"
        if self.what == "list with extension delta" and ours == (3, 0) and theirs in ((0, 0), (23, 0)):
            return "delta"
        if ours[0] == 47 and self.what.startswith("constraint"):
            if theirs == (48, ours[1]):
                return "excluded"
            if theirs == (53, ours[1]):
                return "URI"
            if theirs[0] == 0 and "permitted" in self.what and not self.sent[0].how["names"]:
                return "common name"
            if theirs[0] == 0 and ("Directory" in self.what or "UniformResource" in self.what):
                return "constraint refused"
        names = [c.how["cn"] or c.name for c in self.sent + self.trusted]
        if len(set(names)) < len(names) and self.is_another_way(ours):
            return "another way found"
        return None

    def is_another_way(self, ours):
        """Whether OpenSSL gives the module's answer if it gets fewer certificates."""
        everything = [(True, c) for c in self.sent[1:]] + [(False, c) for c in self.trusted]
        folder = os.path.dirname(self.file_sent)
        for i in range(2 ** len(everything)):
            chosen = [e for k, e in enumerate(everything) if i & (1 << k)]
            others, trusted = [c for sent, c in chosen if sent], [c for sent, c in chosen if not sent]
            case = Case(self.what, self.sent[:1] + others, trusted, self.crls, self.role, self.depth)
            case.write(os.path.join(folder, str(i)))
            if case.ask_openssl() == ours:
                return True
        return False


SIGN_CERTS = "key_cert_sign crl_sign"


class Maker:
    """The table and the random compositions."""

    def __init__(self, rng):
        self.rng, self.keys = rng, Keys()

    def cert(self, name, issuer=None, **how):
        return Cert(self.keys, self.rng, name, issuer, **how)

    def ca(self, name, issuer=None, **how):
        return self.cert(name, issuer, **{"ca": True, "usage": SIGN_CERTS, **how})

    def crl(self, issuer, *revoked, **how):
        return Crl(self.keys, self.rng, issuer, revoked, **how)

    def table(self):
        root, other = self.ca("root"), self.ca("other")
        a = self.ca("a", root)
        b = self.ca("b", a)
        leaf, leaf_a, leaf_b = self.cert("leaf", root), self.cert("leaf-a", a), self.cert("leaf-b", b)
        own = self.cert("own", usage="digital_signature")
        yield "plain", [leaf], [root]
        yield "intermediate", [leaf_a, a], [root]
        yield "root sent", [leaf_a, a, root], [root]
        yield "reversed", [leaf_b, root, a, b], [root]
        yield "extra", [leaf_a, other, a, own, b], [root]
        yield "intermediate missing", [leaf_a], [root]
        yield "middle missing", [leaf_b, b], [root]
        yield "untrusted root sent", [leaf_a, a, root], [other]
        yield "untrusted root not sent", [leaf_a, a], [other]
        yield "nothing trusted", [leaf_a, a], []
        yield "own", [own], [root]
        yield "own trusted", [own], [own, root]
        yield "only intermediate trusted", [leaf_a, a], [a]
        yield "only intermediate trusted, root sent", [leaf_a, a, root], [a]
        yield "only leaf trusted", [leaf], [leaf]
        yield "intermediate and root trusted", [leaf_a], [a, root]
        yield "intermediate trusted, its issuer sent", [leaf_b, a], [b, root]
        for depth in range(4):
            yield "depth", [leaf], [root], None, depth
            yield "depth", [leaf_a, a], [root], None, depth
            yield "depth", [leaf_b, b, a], [root], None, depth
            yield "depth, root sent", [leaf_b, b, a, root], [root], None, depth
            yield "depth, untrusted root sent", [leaf_b, b, a, root], [other], None, depth
            yield "depth, own", [own], [own], None, depth
        for eku in ("client", "server", "client server", "code", "any", "any client"):
            yield f"leaf for {eku}", [self.cert("x", root, eku=eku)], [root]
            sub = self.ca("sub", root, eku=eku)
            yield f"issuer for {eku}", [self.cert("x", sub), sub], [root]
            top = self.ca("top", eku=eku)
            yield f"root for {eku}", [self.cert("x", top)], [top]
        for usage in ("digital_signature", "key_encipherment", "key_agreement", "data_encipherment", "crl_sign",
                      "key_cert_sign", "content_commitment"):
            yield f"leaf may {usage}", [self.cert("x", root, usage=usage)], [root]
            sub = self.ca("sub", root, usage=usage)
            yield f"issuer may {usage}", [self.cert("x", sub), sub], [root]
        sub = self.cert("sub", root, ca=False)
        yield "issuer is not a CA", [self.cert("x", sub), sub], [root]
        sub = self.cert("sub", root, ca=False, usage=SIGN_CERTS)
        yield "issuer is not a CA but may sign", [self.cert("x", sub), sub], [root]
        sub = self.cert("sub", root)
        yield "issuer says nothing", [self.cert("x", sub), sub], [root]
        sub = self.cert("sub", root, usage=SIGN_CERTS)
        yield "issuer says usage only", [self.cert("x", sub), sub], [root]
        for length in (0, 1, 2):
            top = self.ca("top", path_length=length)
            chain, above = [], top
            for i in range(3):
                above = self.ca(f"sub{i}", above)
                chain.insert(0, above)
                yield f"path length {length}", [self.cert("x", above)] + chain, [top]
        for days in ((-30, -1), (1, 30)):
            yield "leaf out of time", [self.cert("x", root, days=days)], [root]
            sub = self.ca("sub", root, days=days)
            yield "issuer out of time", [self.cert("x", sub), sub], [root]
            top = self.ca("top", days=days)
            yield "root out of time", [self.cert("x", top)], [top]
            yield "all out of time", [self.cert("x", top, days=days)], [top]
            yield "own out of time", [self.cert("x", days=days)], [root]
        yield "leaf forged", [self.cert("x", a, forged=True), a], [root]
        sub = self.ca("sub", root, forged=True)
        yield "issuer forged", [self.cert("x", sub), sub], [root]
        for kind in ("rsa1024", "rsa2048"):
            yield f"leaf {kind}", [self.cert("x", root, key=kind)], [root]
            sub = self.ca("sub", root, key=kind)
            yield f"issuer {kind}", [self.cert("x", sub), sub], [root]
            top = self.ca("top", key=kind)
            yield f"root {kind}", [self.cert("x", top)], [top]
        yield "leaf with SHA-1", [self.cert("x", root, sha1=True)], [root]
        sub = self.ca("sub", root, sha1=True)
        yield "issuer with SHA-1", [self.cert("x", sub), sub], [root]
        top = self.ca("top", sha1=True)
        yield "root with SHA-1", [self.cert("x", top)], [top]
        yield "critical extension", [self.cert("x", root, critical=True)], [root]
        sub = self.ca("sub", root, critical=True)
        yield "critical extension in issuer", [self.cert("x", sub), sub], [root]
        yield from self.table_of_names(root)
        yield from self.table_of_authorities(root)
        yield from self.table_of_lists(root, other, a, leaf, leaf_a, own)
        yield from self.table_of_scopes(root, a)
        yield from self.table_of_ways(root, other)

    def table_of_names(self, root):
        """Name constraints: each kind, permitted and excluded, inside and outside, and for an intermediate."""
        dns, uri, mail = x509.DNSName, x509.UniformResourceIdentifier, x509.RFC822Name
        directory = x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "tls_gnutls tests")]))
        other = x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "someone else")]))
        longer = x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "tls_gnutls tests"),
                                               x509.NameAttribute(NameOID.COMMON_NAME, "x")]))
        for base, inside, outside in (
                (dns("example.org"), dns("sip.example.org"), dns("sip.example.com")),
                (dns("example.org"), dns("example.org"), dns("badexample.org")),
                (mail("example.org"), mail("a@example.org"), mail("a@example.com")),
                (mail("a@example.org"), mail("a@example.org"), mail("b@example.org")),
                (uri("example.org"), uri("https://example.org/x"), uri("https://sip.example.org/x")),
                (uri(".example.org"), uri("https://sip.example.org:443/x"), uri("https://example.org/x")),
                (uri("example.org"), uri("sip://user@example.org"), uri("sip:example.org")),
                (uri("example.org"), uri("HTTP://EXAMPLE.org"), uri("https://example.org.evil.example")),
                (longer, directory, other)):
            for how in ({"permitted": [base]}, {"excluded": [base]}):
                sub = self.ca("sub", root, **how)
                for names in ([inside], [outside], [inside, outside], None):
                    yield f"constraint {how}", [self.cert("x", sub, names=names), sub], [root]
        for base in (directory, other, longer):
            for how in ({"permitted": [base]}, {"excluded": [base]}):
                sub = self.ca("sub", root, **how)
                yield f"constraint {how} and subject", [self.cert("x", sub), sub], [root]
                yield f"constraint {how} and other subject", [self.cert("y", sub), sub], [root]
        two = self.ca("two", root, permitted=[dns("example.org"), dns("example.net")])
        yield "two permitted", [self.cert("x", two, names=[dns("a.example.net")]), two], [root]
        below = self.ca("below", two, permitted=[dns("example.org")])
        yield "narrower below", [self.cert("x", below, names=[dns("a.example.net")]), below, two], [root]
        yield "narrower below", [self.cert("x", below, names=[dns("a.example.org")]), below, two], [root]
        below = self.ca("below", two, names=[dns("ca.example.com")])
        yield "intermediate outside", [self.cert("x", below, names=[dns("a.example.org")]), below, two], [root]
        top = self.ca("top", permitted=[dns("example.org")])
        yield "constraints of the root", [self.cert("x", top, names=[dns("a.example.org")])], [top]
        yield "constraints of the root", [self.cert("x", top, names=[dns("a.example.com")])], [top]

    def table_of_authorities(self, root):
        """Authority key identifiers by name and serial number, right and wrong."""
        sub = self.ca("sub", root)
        for key_id in (True, False):
            for name in (root.dn(), sub.dn()):
                for serial in (sub.x509.serial_number, 4711):
                    yield "authority", [self.cert("x", sub, authority=(key_id, name, serial)), sub], [root]

    def table_of_scopes(self, root, a):
        """CRLs for a distribution point, or for a kind of certificates."""
        one, two = "http://crl.example.org/1", "http://crl.example.org/2"
        for points in ({"uris": one}, {"uris": two}, {"uris": f"{two} {one}"}, {"users": True}, {"cas": True},
                       {"uris": one, "users": True}, {"uris": one, "cas": True}, {"indirect": True},
                       {"attributes": True}, {"reasons": frozenset([x509.ReasonFlags.key_compromise])}):
            for where in (one, two, None):
                leaf = self.cert("x", root, ca=False, point=where)
                for revoked in ((), (leaf,)):
                    yield f"scope {points}, point {where}", [leaf], [root], [self.crl(root, *revoked, point=points),
                                                                             self.crl(root, point={"cas": True})]
        leaf = self.cert("x", a)
        users, cas = self.crl(root, point={"users": True}), self.crl(root, point={"cas": True})
        yield "scopes, both lists", [leaf, a], [root], [users, cas, self.crl(a)]
        yield "scopes, list for users only", [leaf, a], [root], [users, self.crl(a)]
        unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\5\0")
        for name, extension in (
                ("delta", x509.DeltaCRLIndicator(1)), ("unknown", unknown), ("number", x509.CRLNumber(2))):
            for critical in (True, False):
                leaf = self.cert("x", root)
                for revoked in ((), (leaf,)):
                    crl = self.crl(root, *revoked, extra=[(extension, critical)])
                    yield f"list with extension {name}", [leaf], [root], [crl]
        old = self.ca("rolled")
        new = self.ca("rolled", key_of=None)
        link = self.ca("rolled", old, key_of=new)
        leaf = self.cert("x", link)
        yield "new key, list of the new key", [leaf, link], [old], [self.crl(new), self.crl(old)]
        yield "new key, list of the old key", [leaf, link], [old], [self.crl(old)]
        yield "new key, revoked", [leaf, link], [old], [self.crl(new, leaf), self.crl(old)]

    def table_of_lists(self, root, other, a, leaf, leaf_a, own):
        of_root, of_a = self.crl(root), self.crl(a)
        yield "list", [leaf], [root], [of_root]
        yield "lists", [leaf_a, a], [root], [of_root, of_a]
        yield "list of issuer missing", [leaf_a, a], [root], [of_root]
        yield "list of root missing", [leaf_a, a], [root], [of_a]
        yield "leaf revoked", [leaf], [root], [self.crl(root, leaf)]
        yield "other revoked", [leaf], [root], [self.crl(root, own, a)]
        yield "issuer revoked", [leaf_a, a], [root], [of_a, self.crl(root, a)]
        yield "root revoked", [leaf_a, a], [root], [of_a, self.crl(root, root)]
        yield "list expired", [leaf], [root], [self.crl(root, days=(-30, -1))]
        yield "list not yet valid", [leaf], [root], [self.crl(root, days=(1, 30))]
        yield "list expired, revoked", [leaf], [root], [self.crl(root, leaf, days=(-30, -1))]
        yield "list forged", [leaf], [root], [self.crl(root, forged=True)]
        yield "list forged, revoked", [leaf], [root], [self.crl(root, leaf, forged=True)]
        yield "list with SHA-1", [leaf], [root], [self.crl(root, sha1=True)]
        yield "list of another", [leaf], [root], [self.crl(other)]
        yield "two lists, one expired", [leaf], [root], [self.crl(root, leaf, days=(-30, -1)), of_root]
        yield "two lists, later counts", [leaf], [root], [self.crl(root, leaf, days=(-3, 30)), of_root]
        yield "two lists, earlier counts not", [leaf], [root], [self.crl(root, days=(-3, 30)), self.crl(root, leaf)]
        yield "own with list", [own], [own], [of_root]
        top = self.ca("top", usage="key_cert_sign")
        yield "root may not sign lists", [self.cert("x", top)], [top], [self.crl(top)]
        old = self.cert("x", root, days=(-30, -1))
        yield "expired and revoked", [old], [root], [self.crl(root, old)]
        yield "unknown and revoked", [leaf], [other], [self.crl(root, leaf)]

    def table_of_ways(self, root, other):
        cross_root = self.ca("cross", root)
        cross_other = self.ca("cross2", other, cn="cross", key_of=cross_root)
        leaf = self.cert("x", cross_root)
        yield "cross certificates", [leaf, cross_root, cross_other], [root]
        yield "cross certificates", [leaf, cross_root, cross_other], [other]
        yield "cross certificates", [leaf, cross_other, cross_root], [root]
        one = self.ca("one", cn="twin", no_ids=True)
        two = self.ca("two", cn="twin", no_ids=True)
        yield "twins", [self.cert("x", one, no_ids=True)], [one, two]
        yield "twins", [self.cert("x", two, no_ids=True)], [one, two]
        old = self.ca("renewed", days=(-90, -1))
        new = self.ca("renewed", key_of=old)
        yield "renewed", [self.cert("x", new)], [old, new]
        yield "renewed", [self.cert("x", new)], [old]

    def cases(self):
        for what, sent, trusted, *more in self.table():
            crls, depth = (more + [None, None])[:2]
            for role in ("server", "client"):
                yield Case(what, sent, trusted, crls, role, 9 if depth is None else depth)

    def faults(self, is_ca):
        """Random faults of a certificate, mostly none."""
        rng, how = self.rng, {}
        if rng.random() < 0.12:
            how["days"] = rng.choice(((-30, -1), (1, 30)))
        if rng.random() < 0.08:
            how["forged"] = True
        if rng.random() < 0.25:
            how["eku"] = rng.choice(("client", "server", "client server", "client server", "code", "any"))
        if rng.random() < 0.1:
            how["no_ids"] = True
        if rng.random() < 0.06:
            how["key"] = rng.choice(("rsa1024", "rsa2048"))
        if is_ca:
            if rng.random() < 0.15:
                how["path_length"] = rng.randrange(3)
            if rng.random() < 0.05:
                how["ca"] = rng.choice((False, None))
            if rng.random() < 0.06:
                how["usage"] = rng.choice(("digital_signature", "key_cert_sign", "crl_sign", None))
        elif rng.random() < 0.2:
            how["usage"] = rng.choice(("digital_signature", "key_encipherment", "key_agreement", "crl_sign"))
        return how

    def one_random(self, number):
        rng = self.rng
        chain = [self.ca("root", **self.faults(True))]
        for i in range(rng.choice((0, 1, 1, 1, 2, 2, 3, 4))):
            chain.insert(0, self.ca(f"ca{i}", chain[0], **self.faults(True)))
        leaf = self.cert("leaf", chain[0], **self.faults(False))
        rest = [c for c in chain if rng.random() < (0.9 if c is not chain[-1] else 0.4)]
        if rng.random() < 0.3:
            rest.append(self.ca("stranger"))
        if rng.random() < 0.4:
            rng.shuffle(rest)
        trusted = [chain[-1]] if rng.random() < 0.85 else []
        if rng.random() < 0.3:
            trusted.append(self.ca("other"))
        if rng.random() < 0.1:
            trusted.append(rng.choice(chain))
        crls = None
        if rng.random() < 0.4:
            crls = [self.one_list(c, [leaf] + chain) for c in chain if rng.random() < 0.9]
        role = rng.choice(("server", "client"))
        depth = rng.choice((0, 1, 2, 3, 9, 9, 9, 9))
        return Case(f"random {number}", [leaf] + rest, list(dict.fromkeys(trusted)), crls, role, depth)

    def one_list(self, issuer, certs):
        rng = self.rng
        revoked = [c for c in certs if c.issuer is issuer and rng.random() < 0.1]
        days = rng.choice(((-30, -1), (1, 30))) if rng.random() < 0.08 else (-1, 30)
        return self.crl(issuer, *revoked, days=days, forged=rng.random() < 0.05)


def ask_tool(tool, cases):
    """Answers of the tool, in order: (code, depth) each."""
    text = "".join(c.request() + "\n" for c in cases)
    run = subprocess.run([tool], input=text, capture_output=True, text=True, check=True)
    answers = [line.split("\t") for line in run.stdout.splitlines()]
    if len(answers) != len(cases):
        raise RuntimeError(f"{len(cases)} questions, {len(answers)} answers")
    for case, answer in zip(cases, answers):
        if answer[0] == "error":
            raise RuntimeError(f"{case.what}: {answer[1]}")
    return [(int(a[0]), int(a[1])) for a in answers]


def make_cases(seed=1, random_cases=300):
    maker = Maker(random.Random(seed))
    return list(maker.cases()) + [maker.one_random(i) for i in range(random_cases)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tool")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--random", type=int, default=300)
    parser.add_argument("--keep", action="store_true", help="leave the files of cases that differ")
    args = parser.parse_args()
    if shutil.which("openssl") is None:
        print("verify_compare: SKIPPED, openssl is not installed")
        return 77
    cases = make_cases(args.seed, args.random)
    scratch = tempfile.mkdtemp(prefix="verify-compare-")
    try:
        for i, case in enumerate(cases):
            case.write(os.path.join(scratch, str(i)))
        with ThreadPoolExecutor(2) as pool:
            theirs = list(pool.map(Case.ask_openssl, cases))
        return report(cases, theirs, ask_tool(args.tool, cases))
    finally:
        if args.keep:
            print(f"files: {scratch}")
        else:
            shutil.rmtree(scratch)


def report(cases, theirs, ours):
    """Prints the differences. @return exit status."""
    wanted, bad = collections.Counter(), 0
    codes = collections.Counter(code for code, _ in theirs)
    for i, case in enumerate(cases):
        if theirs[i] == ours[i]:
            continue
        reason = case.reason(theirs[i], ours[i])
        text = f"{i} {case.what} ({case.role}, depth {case.depth}): openssl {theirs[i]}, here {ours[i]}"
        if reason:
            wanted[reason] += 1
            print(f"  {text}: {reason}")
        else:
            bad += 1
            print(f"DIFFERS {text}")
    for reason, count in sorted(wanted.items()):
        print(f"{count} differ on purpose: {reason}: {REASONS[reason]}")
    print("codes of openssl: " + ", ".join(f"{code}: {count}" for code, count in sorted(codes.items())))
    print(f"verify_compare: {len(cases)} chains, {bad} differ")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
