# tls_gnutls - certificates with unusual names for the comparison
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""One authority and client certificates below it: NAME.crt, NAME.key, and ca.pem."""

import datetime
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)
CN, O, OU, L, ST, C = (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME,
                       NameOID.ORGANIZATIONAL_UNIT_NAME, NameOID.LOCALITY_NAME,
                       NameOID.STATE_OR_PROVINCE_NAME, NameOID.COUNTRY_NAME)
UID = NameOID.USER_ID


def _ava(oid, value, kind=None):
    return x509.NameAttribute(oid, value, kind)


def _name(*values):
    """A name of one attribute per set; a tuple of attributes is one set."""
    return x509.Name([
        x509.RelativeDistinguishedName(list(value) if isinstance(value, tuple) else [value])
        for value in values])


def _dns(*names):
    return [x509.DNSName(name) for name in names]


# name -> (subject, subject alternative names, serial number)
ROWS = {
    "utf8": (_name(_ava(C, "DE"), _ava(ST, "Nordrhein-Westfalen"), _ava(L, "K\u00f6ln"),
                   _ava(O, "M\u00fcller & S\u00f6hne"), _ava(OU, "Vermittlung \u260e"),
                   _ava(CN, "J\u00fcrgen \U0001f4de"), _ava(UID, "j\u00fcrgen")), [], 1),
    "types": (_name(_ava(O, "printable", _ASN1Type.PrintableString),
                    _ava(OU, "bmp \u00e4\u20ac", _ASN1Type.BMPString),
                    _ava(L, "universal \U0001f4de", _ASN1Type.UniversalString),
                    _ava(ST, "t61 \u00e4", _ASN1Type.T61String),
                    _ava(CN, "ia5", _ASN1Type.IA5String)), [], 2**159 - 1),
    "sets": (_name(_ava(OU, "first"), _ava(OU, "second"),
                   (_ava(CN, "in a set"), _ava(UID, "beside it")), _ava(O, "after")), [], 255),
    "signs": (_name(_ava(O, "a/b+c=d\\e"), _ava(OU, "line\nfeed\x01\x7f"),
                    _ava(CN, "quote\"comma,semicolon;")), [], 65536),
    "oids": (_name(_ava(NameOID.DOMAIN_COMPONENT, "example"), _ava(NameOID.EMAIL_ADDRESS, "a@b.c"),
                   _ava(NameOID.SERIAL_NUMBER, "4711"), _ava(NameOID.GIVEN_NAME, "given"),
                   _ava(NameOID.SURNAME, "sur"), _ava(NameOID.JURISDICTION_COUNTRY_NAME, "DE"),
                   _ava(x509.ObjectIdentifier("1.3.6.1.4.1.99999.7"), "private"),
                   _ava(CN, "oids")), [], 3),
    "long": (_name(_ava(O, "o" * 900), _ava(OU, "u" * 1030), _ava(CN, "c" * 60)), [], 4),
    "nameless": (_name(), _dns("only.example.org"), 5),
    "names": (_name(_ava(CN, "many names")), [
        *_dns("a.example.org", "b.example.org", "*.example.org", "xn--mller-kva.example.org"),
        x509.IPAddress(ipaddress.ip_address("2001:db8::1:0:0:1")),
        x509.IPAddress(ipaddress.ip_address("192.0.2.1")),
        x509.RFC822Name("first@example.org"), x509.RFC822Name("second@example.org"),
        x509.UniformResourceIdentifier("sip:example.org"),
        x509.UniformResourceIdentifier("sip:b.example.org;transport=tls")], 6),
    "uri-first": (_name(_ava(CN, "uri first")), [
        x509.RegisteredID(x509.ObjectIdentifier("1.2.3.4")),
        x509.DirectoryName(_name(_ava(CN, "inner"))),
        x509.OtherName(x509.ObjectIdentifier("1.2.3.5"), b"\x0c\x01x"),
        x509.UniformResourceIdentifier("sips:late.example.org"),
        *_dns("late.example.org")], 7),
    "hundreds": (_name(_ava(CN, "hundreds")), _dns(*(f"h{n}.example.org" for n in range(300))), 8),
    "long-names": (_name(_ava(CN, "long names")), [
        *_dns("d" * 1100), x509.RFC822Name("e" * 1100 + "@example.org"),
        x509.UniformResourceIdentifier("sip:" + "u" * 1100)], 9),
    "longest": (_name(*(_ava(OU, f"{n}" * 1000) for n in range(9)), _ava(CN, "longest")), [], 10),
}

# the content of a subject alternative name extension that is empty or malformed
MALFORMED = {
    "no-names": b"\x30\x00", "empty-name": b"\x30\x02\x82\x00", "empty-address": b"\x30\x02\x87\x00",
    "odd-address": b"\x30\x05\x87\x03\x01\x02\x03", "zero-in-name": b"\x30\x05\x82\x03a\x00b",
    "line-in-name": b"\x30\x05\x82\x03a\nb", "latin-name": b"\x30\x05\x82\x03a\xe4b",
    "empty-uri": b"\x30\x02\x86\x00", "empty-email": b"\x30\x02\x81\x00",
}


# name -> who signs it (None: itself; "" an unknown issuer), days of validity from now
UNTRUSTED = {
    "stranger": ("", (-2, 9)),
    "stranger-expired": ("", (-9, -1)),
    "stranger-notyet": ("", (1, 9)),
    "selfsigned-expired": (None, (-9, -1)),
    "selfsigned-notyet": (None, (1, 9)),
}


class Odd:
    """The certificates in a folder."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self._now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0, tzinfo=None)
        self._root_key = ec.generate_private_key(ec.SECP256R1())
        self._root_name = _name(_ava(O, "Odd \u00c4uthority"), _ava(CN, "odd root"))
        self._write("ca.pem", self._pem(self._root()))
        for name, (subject, names, serial) in ROWS.items():
            self._make(name, subject, names, serial)
        for name, (signer, days) in UNTRUSTED.items():
            self._make_untrusted(name, signer, days)
        for name, content in MALFORMED.items():
            self._make_malformed(name, content)

    def path(self, name):
        return str(self.folder / name)

    def cert(self, name):
        return self.path(f"{name}.crt")

    def key(self, name):
        return self.path(f"{name}.key")

    def _write(self, name, data):
        (self.folder / name).write_bytes(data)

    @staticmethod
    def _pem(cert):
        return cert.public_bytes(serialization.Encoding.PEM)

    def _builder(self, subject, key, serial, ca, days=(-2, 9), issuer=None):
        return (x509.CertificateBuilder().subject_name(subject)
                .issuer_name(issuer or self._root_name)
                .public_key(key.public_key()).serial_number(serial)
                .not_valid_before(self._now + days[0] * DAY)
                .not_valid_after(self._now + days[1] * DAY)
                .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True))

    def _root(self):
        builder = self._builder(self._root_name, self._root_key, 1000, True)
        return builder.sign(self._root_key, hashes.SHA256())

    def _make(self, name, subject, names, serial):
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(subject, key, serial, False)
        if names:
            builder = builder.add_extension(
                x509.SubjectAlternativeName(names), critical=not subject.rdns)
        self._write_pair(name, builder.sign(self._root_key, hashes.SHA256()), key)

    def _make_malformed(self, name, content):
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(_name(_ava(CN, name)), key, 98, False).add_extension(
            x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.17"), content), critical=False)
        self._write_pair(name, builder.sign(self._root_key, hashes.SHA256()), key)

    def _make_untrusted(self, name, signer, days):
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name(_ava(CN, name))
        issuer = subject if signer is None else _name(_ava(CN, "nobody"))
        builder = self._builder(subject, key, 99, False, days, issuer)
        signing = key if signer is None else ec.generate_private_key(ec.SECP256R1())
        self._write_pair(name, builder.sign(signing, hashes.SHA256()), key)

    def _write_pair(self, name, cert, key):
        self._write(f"{name}.crt", self._pem(cert))
        self._write(f"{name}.key", key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()))
