# tls_gnutls - throw-away certificates of the end-to-end tests, made from declarative rows
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""Certificates, keys and CRLs, written with fixed file names into one folder.

Each Row names one certificate.  For a row called NAME the maker writes
    NAME.crt    the certificate, followed by its intermediates (no root)
    NAME.key    its private key, PKCS#8, readable by the owner only
and, for the rows that ask for it,
    NAME.enc.key  the same key, encrypted with PASSPHRASE.
CRLs and trust files are made from CRLS and BUNDLES below.
"""

import datetime
import ipaddress
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PASSPHRASE = b"not-a-secret"
DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Row:
    """One certificate: issuer, key, validity (in days from now), purpose."""

    name: str
    issuer: str = ""            # name of the signing row; empty: self-signed
    key: str = "ec"             # ec = P-256, ec384 = P-384, rsa = RSA-2048, rsa1024
    ca: bool = False
    days: tuple = (-2, 30)      # notBefore, notAfter
    usage: str = "both"         # extended key usage: server, client, both, none
    revoked: bool = False       # listed in the CRL of its issuer
    encrypted: bool = False     # an encrypted copy of the key is written too
    may: tuple = ()             # key usage of a leaf; empty: what suits its key
    digest: str = "SHA256"      # of the signature on it


ROWS = (
    # authorities: root -> inter -> inter2, and one that is not trusted
    Row("root", ca=True),
    Row("inter", issuer="root", ca=True),
    Row("inter2", issuer="inter", ca=True),
    Row("stranger", ca=True),
    Row("inter-old", issuer="root", ca=True, days=(-30, -1)),
    # servers
    Row("server-ec", issuer="inter", encrypted=True),
    Row("server-rsa", issuer="inter", key="rsa"),
    Row("server-expired", issuer="inter", days=(-30, -1)),
    Row("server-notyet", issuer="inter", days=(5, 30)),
    Row("server-revoked", issuer="inter", revoked=True),
    Row("server-stranger", issuer="stranger"),
    Row("server-selfsigned"),
    Row("server-clientonly", issuer="inter", usage="client"),
    Row("server-deep", issuer="inter2"),
    Row("server-ec384", issuer="inter", key="ec384"),
    Row("server-rsa1024", issuer="inter", key="rsa1024"),
    Row("server-encipher", issuer="inter", key="rsa", may=("key_encipherment",)),
    Row("server-agree", issuer="inter", may=("key_agreement",)),
    Row("server-certsign", issuer="inter", key="rsa", may=("key_cert_sign", "crl_sign")),
    Row("server-signs", issuer="inter", key="rsa", may=("digital_signature",)),
    Row("server-sha1", issuer="inter", digest="SHA1"),
    Row("server-old-inter", issuer="inter-old"),
    # clients
    Row("client-ok", issuer="inter"),
    Row("client-rsa", issuer="inter", key="rsa"),
    Row("client-expired", issuer="inter", days=(-30, -1)),
    Row("client-notyet", issuer="inter", days=(5, 30)),
    Row("client-revoked", issuer="inter", revoked=True),
    Row("client-stranger", issuer="stranger"),
    Row("client-selfsigned"),
    Row("client-serveronly", issuer="inter", usage="server"),
    Row("client-deep", issuer="inter2"),
    Row("client-encipher", issuer="inter", key="rsa", may=("key_encipherment", "data_encipherment")),
    Row("client-agree", issuer="inter", may=("key_agreement",)),
    Row("client-certsign", issuer="inter", key="rsa", may=("key_cert_sign", "crl_sign")),
    # weak ones
    Row("inter-sha1", issuer="root", ca=True, digest="SHA1"),
    Row("client-sha1", issuer="inter", digest="SHA1"),
    Row("client-inter-sha1", issuer="inter-sha1"),
    Row("client-rsa1024", issuer="inter", key="rsa1024"),
)

# file name -> ((issuer, nextUpdate in days from now), ...), one PEM block for each
CRLS = {
    "all.crl": (("root", 30), ("inter", 30), ("inter2", 30)),
    "no-root.crl": (("inter", 30),),
    "expired.crl": (("root", 30), ("inter", -1), ("inter2", 30)),
}

# file name -> the certificates in it
BUNDLES = {
    "ca.pem": ("root",),
    "ca-stranger.pem": ("stranger",),
    "ca-both.pem": ("root", "stranger"),
}

_USAGES = {
    "server": [ExtendedKeyUsageOID.SERVER_AUTH],
    "client": [ExtendedKeyUsageOID.CLIENT_AUTH],
    "both": [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH],
}


def _new_key(kind):
    if kind.startswith("rsa"):
        return rsa.generate_private_key(public_exponent=65537, key_size=int(kind[3:] or 2048))
    return ec.generate_private_key(ec.SECP384R1() if kind == "ec384" else ec.SECP256R1())


def _dn(name):
    return x509.Name([
        x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example Telephony"),
        x509.NameAttribute(NameOID.COMMON_NAME, name),
    ])


def _leaf_names(name):
    return x509.SubjectAlternativeName([
        x509.DNSName("localhost"),
        x509.DNSName(f"{name}.example.org"),
        x509.UniformResourceIdentifier("sip:example.org"),
        x509.RFC822Name("sip@example.org"),
        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    ])


class Pki:
    """The certificates; methods return paths as text unless they say otherwise."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self._rows = {row.name: row for row in ROWS}
        self._keys = {}
        self._certs = {}
        self._now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0, tzinfo=None)
        for row in ROWS:
            self._make(row)
        for name, parts in CRLS.items():
            self._write(name, b"".join(self._crl(*part) for part in parts))
        for name, rows in BUNDLES.items():
            self._write(name, b"".join(self._pem(row) for row in rows))

    def path(self, name):
        """Path of any file of the folder."""
        return str(self.folder / name)

    def cert(self, row):
        return self.path(f"{row}.crt")

    def key(self, row):
        return self.path(f"{row}.key")

    def pair_of(self, row):
        """Certificate and key of a row, as objects."""
        return self._certs[row], self._keys[row]

    def subject_cn(self, row):
        """Common name in the subject of a row's certificate."""
        return self._rows[row].name

    def _write(self, name, data, mode=0o644):
        path = self.folder / name
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as out:
            out.write(data)

    def _pem(self, name):
        return self._certs[name].public_bytes(serialization.Encoding.PEM)

    def _chain(self, name):
        """The certificate and its intermediates, without the root."""
        row = self._rows[name]
        parts = [self._pem(name)]
        above = row.issuer
        while above and self._rows[above].issuer:
            parts.append(self._pem(above))
            above = self._rows[above].issuer
        return b"".join(parts)

    def _make(self, row):
        key = _new_key(row.key)
        signer = self._keys[row.issuer] if row.issuer else key
        builder = (
            x509.CertificateBuilder()
            .subject_name(_dn(row.name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._now + row.days[0] * DAY)
            .not_valid_after(self._now + row.days[1] * DAY)
            .add_extension(x509.BasicConstraints(ca=row.ca, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()),
                           critical=False)
            .add_extension(_key_usage(row), critical=True)
        )
        if not row.ca:
            builder = builder.add_extension(_leaf_names(row.name), critical=False)
            if row.usage != "none":
                builder = builder.add_extension(
                    x509.ExtendedKeyUsage(_USAGES[row.usage]), critical=False)
        self._keys[row.name] = key
        if row.digest == "SHA256":
            self._certs[row.name] = (
                builder
                .issuer_name(_dn(row.issuer or row.name))
                .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
                .sign(signer, hashes.SHA256()))
        else:
            self._certs[row.name] = self._sign(row, builder.issuer_name(_dn(row.name)).sign(key, hashes.SHA256()))
        self._write(f"{row.name}.crt", self._chain(row.name))
        self._write_key(f"{row.name}.key", key, serialization.NoEncryption())
        if row.encrypted:
            self._write_key(f"{row.name}.enc.key", key,
                            serialization.BestAvailableEncryption(PASSPHRASE))

    def _sign(self, row, selfsigned):
        """The certificate with issuer and digest of its row, by the openssl command.

        `cryptography` no longer signs with SHA-1. OpenSSL 3.0 takes only a certificate that is signed with its own key.
        """
        done = subprocess.run(
            ["openssl", "x509", "-CA", self.cert(row.issuer), "-CAkey", self.key(row.issuer),
             f"-{row.digest.lower()}", "-preserve_dates", "-set_serial", str(selfsigned.serial_number)],
            input=selfsigned.public_bytes(serialization.Encoding.PEM), capture_output=True, check=True)
        return x509.load_pem_x509_certificate(done.stdout)

    def _write_key(self, name, key, protection):
        self._write(name, key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection), 0o600)

    def _crl(self, issuer, next_update):
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(_dn(issuer))
            .last_update(self._now - 2 * DAY)
            .next_update(self._now + next_update * DAY)
            .add_extension(x509.CRLNumber(1), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(
                self._keys[issuer].public_key()), critical=False)
        )
        for row in ROWS:
            if row.revoked and row.issuer == issuer:
                builder = builder.add_revoked_certificate(
                    x509.RevokedCertificateBuilder()
                    .serial_number(self._certs[row.name].serial_number)
                    .revocation_date(self._now - DAY)
                    .build())
        crl = builder.sign(self._keys[issuer], hashes.SHA256())
        return crl.public_bytes(serialization.Encoding.PEM)


def _key_usage(row):
    """Authorities sign certificates and CRLs; leaves sign, and RSA ones also decrypt."""
    may = row.may or ("digital_signature", *(("key_encipherment",) if row.key == "rsa" else ()))
    if row.ca:
        may = ("key_cert_sign", "crl_sign")
    bits = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
            "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
    return x509.KeyUsage(**{bit: bit in may for bit in bits})
