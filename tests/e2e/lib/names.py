# tls_gnutls - certificates with any subjectAltName, for the end-to-end tests
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""Names are given as bytes, so that they can be malformed in any way."""

import datetime
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID, ObjectIdentifier

_SAN = ObjectIdentifier("2.5.29.17")
_TAGS = {"email": 0x81, "dns": 0x82, "uri": 0x86, "ip": 0x87}


def _der(tag, content):
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def general_names(names):
    """GeneralNames of (kind, value) pairs; values are text or bytes, an address for the kind "ip"."""
    parts = []
    for kind, value in names:
        if kind == "ip":
            value = ipaddress.ip_address(value).packed
        parts.append(_der(_TAGS[kind], value.encode() if isinstance(value, str) else value))
    return _der(0x30, b"".join(parts))


def make_leaf(pki, name, names=None, common_name="nobody", key=None):
    """A certificate and key NAME.crt, NAME.key, signed by the PKI's `inter`.

    names: see general_names(); None: no subjectAltName at all.  key: None makes a P-256 one.
    Returns the two paths.
    """
    issuer, issuer_key = pki.pair_of("inter")
    key = key or ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)]))
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=20))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if names is not None:
        builder = builder.add_extension(x509.UnrecognizedExtension(_SAN, general_names(names)), critical=False)
    cert = builder.sign(issuer_key, hashes.SHA256())
    pem = cert.public_bytes(serialization.Encoding.PEM) + issuer.public_bytes(serialization.Encoding.PEM)
    (pki.folder / f"{name}.crt").write_bytes(pem)
    (pki.folder / f"{name}.key").write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return pki.cert(name), pki.key(name)
