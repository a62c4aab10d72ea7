# tls_gnutls - end to end: files and folders as operators have them
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""What tls.so starts with and serves, and what is not dangerous, must start and serve here too."""

import datetime
import os
import shutil
import socket
import ssl
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from .lib.kamailio import Kamailio, StartFailed
from .lib.tls import TlsClient, client_context
from .lib.tlscfg import pair, reading, section

VERSIONS = ("TLSv1.2", "TLSv1.3")
OPTIONS = {"TLSv1.2": "-tls1_2", "TLSv1.3": "-tls1_3"}      # of openssl s_client
REFUSED = (ssl.SSLError, OSError, EOFError)


def write(path, *sections):
    path.write_text("".join(sections))
    return path


def asks(kam, pki, row=None, version=None):
    """The status of an answer, with a client certificate if a row is named."""
    cert = (pki.cert(row), pki.key(row)) if row else (None, None)
    with TlsClient(kam.address(), client_context(version=version, cert=cert[0], key=cert[1])) as client:
        return client.ask().status


def refused(settings):
    """The log of a Kamailio whose start must fail."""
    with pytest.raises(StartFailed) as failure:
        with Kamailio(settings):
            pass
    return str(failure.value)


# ---- ca_path ---------------------------------------------------------------------------------------------------------

FOLDERS = ("the same as ca_list", "empty", "missing")


def ca_folder(tmp_path, pki, kind):
    folder = tmp_path / "certs"
    if kind != "missing":
        folder.mkdir()
    if kind == "the same as ca_list":
        shutil.copy(pki.path("ca.pem"), folder / "1a2b3c4d.0")
    return str(folder)


@pytest.mark.parametrize("kind", FOLDERS)
def test_ca_path_beside_ca_list(start, settings, pki, tmp_path, kind):
    keys = {"ca_list": pki.path("ca.pem"), "ca_path": ca_folder(tmp_path, pki, kind), "require_certificate": "yes"}
    config = write(tmp_path / "tls.cfg", section("server:default", **pair(pki, "server-ec"), **keys))
    kam = start(reading(settings, config))
    assert asks(kam, pki, "client-ok") == 200
    with pytest.raises(REFUSED):
        asks(kam, pki, "client-stranger")
    assert len(kam.log.find("WARNING.*ca_path: .*: the setting has no effect")) == (kind != FOLDERS[0])


@pytest.mark.parametrize("kind", FOLDERS)
def test_ca_path_without_verification(start, settings, pki, tmp_path, kind):
    keys = {"ca_path": ca_folder(tmp_path, pki, kind)}
    config = write(tmp_path / "tls.cfg", section("server:default", **pair(pki, "server-ec"), **keys))
    assert asks(start(reading(settings, config)), pki) == 200


@pytest.mark.ours_only("it starts and refuses every client")
@pytest.mark.parametrize("kind", ("empty", "missing"))
def test_ca_path_that_is_all_there_is_to_verify_with(settings, pki, tmp_path, kind):
    keys = {"ca_path": ca_folder(tmp_path, pki, kind), "verify_certificate": "yes"}
    config = write(tmp_path / "tls.cfg", section("server:default", **pair(pki, "server-ec"), **keys))
    assert "ERROR" in refused(reading(settings, config))


# ---- PEM files -------------------------------------------------------------------------------------------------------

def other(label):
    """A block that is no certificate."""
    return b"-----BEGIN %s-----\nMAMCAQE=\n-----END %s-----\n" % (label, label)


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, check=True,
                   timeout=60)


def chain_files(pki, tmp_path):
    """The chain of server-ec as files that OpenSSL reads: name of the form, bytes."""
    chain = Path(pki.cert("server-ec")).read_bytes()
    leaf, rest = chain.split(b"-----END CERTIFICATE-----\n", 1)
    leaf += b"-----END CERTIFICATE-----\n"
    (tmp_path / "leaf.pem").write_bytes(leaf)
    openssl("x509", "-in", tmp_path / "leaf.pem", "-trustout", "-addtrust", "emailProtection",
            "-out", tmp_path / "trusted.pem")
    return {
        "request first": other(b"CERTIFICATE REQUEST") + chain,
        "all kinds": other(b"EC PARAMETERS") + leaf + b"issuer=CN = inter\n" + other(b"CERTIFICATE REQUEST") + rest
                     + other(b"DH PARAMETERS"),
        "X509 CERTIFICATE": leaf.replace(b" CERTIFICATE", b" X509 CERTIFICATE") + rest,
        "TRUSTED CERTIFICATE": (tmp_path / "trusted.pem").read_bytes() + rest,
    }


FORMS = ("request first", "all kinds", "X509 CERTIFICATE", "TRUSTED CERTIFICATE")


@pytest.mark.parametrize("form", FORMS)
def test_forms_of_the_certificate(start, settings, pki, tmp_path, form):
    (tmp_path / "cert.pem").write_bytes(chain_files(pki, tmp_path)[form])
    kam = start(settings.but(modparams={"certificate": str(tmp_path / "cert.pem")}))
    # with the intermediate, or this client could not verify it
    with TlsClient(kam.address(), client_context(trust=pki.path("ca.pem"))) as client:
        assert client.ask().status == 200


@pytest.mark.parametrize("setting", ("ca_list", "crl"))
def test_forms_of_ca_and_crl(start, settings, pki, tmp_path, setting):
    """Each label for a certificate, between other blocks."""
    root = Path(pki.path("ca.pem")).read_bytes()
    openssl("x509", "-in", pki.path("ca.pem"), "-trustout", "-addtrust", "serverAuth", "-addtrust", "clientAuth",
            "-out", tmp_path / "trusted.pem")
    crls = Path(pki.path("all.crl")).read_bytes()
    for form in (root.replace(b" CERTIFICATE", b" X509 CERTIFICATE"), (tmp_path / "trusted.pem").read_bytes()):
        (tmp_path / "file.pem").write_bytes(other(b"CERTIFICATE REQUEST") + form + other(b"PRIVATE KEY") + crls)
        kam = start(settings.but(modparams={
            "ca_list": str(tmp_path / "file.pem") if setting == "ca_list" else pki.path("ca-stranger.pem"),
            "crl": str(tmp_path / "file.pem") if setting == "crl" else None, "require_certificate": 1}))
        assert asks(kam, pki, "client-ok") == 200


@pytest.mark.ours_only("it tells purposes apart")
@pytest.mark.parametrize("options", (("-addreject", "clientAuth"), ("-addtrust", "emailProtection"),
                                     ("-addtrust", "serverAuth")))
def test_ca_that_its_settings_exclude(start, settings, pki, tmp_path, options):
    openssl("x509", "-in", pki.path("ca.pem"), "-trustout", *options, "-out", tmp_path / "trusted.pem")
    both = (tmp_path / "trusted.pem").read_bytes() + Path(pki.path("ca-stranger.pem")).read_bytes()
    (tmp_path / "both.pem").write_bytes(both)
    kam = start(settings.but(modparams={"ca_list": str(tmp_path / "both.pem"), "require_certificate": 1}))
    assert len(kam.log.find("WARNING.*ca_list: 1 certificate in .* is not used: by OpenSSL's trust settings")) >= 1
    assert asks(kam, pki, "client-stranger") == 200
    with pytest.raises(REFUSED):
        asks(kam, pki, "client-ok")


@pytest.mark.ours_only("OpenSSL has these curves")
@pytest.mark.parametrize("curve", ("brainpoolP256r1", "secp256k1"))
def test_unsupported_curves_are_named(start, settings, pki, tmp_path, curve):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", f"ec_paramgen_curve:{curve}", "-nodes", "-days", "9",
            "-subj", "/CN=x", "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem")
    mine = {"certificate": str(tmp_path / "cert.pem"), "private_key": str(tmp_path / "key.pem")}
    assert f"has a key on the elliptic curve {curve}, which GnuTLS does not support" in refused(
        settings.but(modparams=mine))
    both = Path(pki.path("ca.pem")).read_bytes() + (tmp_path / "cert.pem").read_bytes()
    (tmp_path / "both.pem").write_bytes(both)
    kam = start(settings.but(modparams={"ca_list": str(tmp_path / "both.pem"), "require_certificate": 1}))
    assert kam.log.find(f"WARNING.*ca_list: .* elliptic curve {curve}, which GnuTLS does not support: what it issued")
    assert asks(kam, pki, "client-ok") == 200


# ---- tls.cfg that root alone can read --------------------------------------------------------------------------------

@pytest.mark.skipif(os.geteuid() != 0, reason="only root can start Kamailio as another user")
@pytest.mark.parametrize("config", ("file", "folder"))
def test_config_that_root_alone_can_read(settings, pki, tls_module, config):
    kam = Kamailio(settings)
    for name, source in (("cert.pem", pki.cert("server-ec")), ("key.pem", pki.key("server-ec"))):
        shutil.copy(source, kam.folder / name)
        (kam.folder / name).chmod(0o644)
    path = kam.folder / "profiles"
    if config == "folder":
        path.mkdir()
    text = section("server:default", method="TLSv1.2+", certificate="cert.pem", private_key="key.pem")
    write(path / "1.cfg" if config == "folder" else path, text)
    path.chmod(0o700 if config == "folder" else 0o600)
    kam.settings = reading(settings.but(user="nobody"), path)
    with kam:
        assert asks(kam, pki) == 200
        if tls_module.ours:
            assert len(kam.log.find(f'WARNING.*"{path}" was read as root, and user \\d+ cannot read it')) == 1
        with pytest.raises(RuntimeError):
            kam.rpc("tls.reload")
        assert asks(kam, pki) == 200
        path.chmod(0o755 if config == "folder" else 0o644)
        kam.rpc("tls.reload")
        assert asks(kam, pki) == 200


# ---- CAs -------------------------------------------------------------------------------------------------------------

NAMES_MAX = 65000       # bytes of names that a server announces at most


def authorities(pki, names_bytes):
    """The root of the PKI and CAs whose names make up that many bytes: PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    root, _ = pki.pair_of("root")
    blocks, left, number = [root], names_bytes - 2 - len(root.subject.public_bytes()), 0
    while left > 0:
        units = [x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "x" * 60)] * 100
        while True:     # the last one is made to fit
            number += 1
            name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{number:09}"), *units])
            excess = len(name.public_bytes()) + 2 - left
            if excess <= 0 or len(units) == 1:
                break
            units = units[:-1]
        blocks.append(
            x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
            .serial_number(number).not_valid_before(now - datetime.timedelta(1))
            .not_valid_after(now + datetime.timedelta(9))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256()))
        left -= len(name.public_bytes()) + 2
    return b"".join(block.public_bytes(serialization.Encoding.PEM) for block in blocks), names_bytes - left


@pytest.mark.ours_only("it fails every handshake then")
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("wanted", (NAMES_MAX - 200, NAMES_MAX + 200))
def test_names_of_many_authorities(start, settings, pki, tmp_path, wanted, version):
    """A list of names that does not fit is left out; the CAs count all the same."""
    pem, size = authorities(pki, wanted)
    assert abs(size - wanted) < 100
    (tmp_path / "many.pem").write_bytes(pem)
    kam = start(settings.but(modparams={"ca_list": str(tmp_path / "many.pem"), "require_certificate": 1}))
    fits = size <= NAMES_MAX
    assert len(kam.log.find(f"WARNING.*have {size} bytes, more than {NAMES_MAX}: none is announced")) == (not fits)
    assert asks(kam, pki, "client-ok", version) == 200
    with pytest.raises(REFUSED):
        asks(kam, pki, "client-stranger", version)
    shown = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{kam.port()}", OPTIONS[version],
         "-cert", pki.cert("client-ok"), "-key", pki.key("client-ok")],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False).stdout
    assert ("No client certificate CA names sent" in shown) == (not fits)


@pytest.mark.ours_only("it does not say so")
def test_verification_without_any_authority_is_told(start, settings, pki, tmp_path):
    """Debian's tls.cfg verifies servers and names no CA."""
    keys = {"verify_certificate": "yes", "require_certificate": "yes"}
    config = write(tmp_path / "tls.cfg", section("server:default", **pair(pki, "server-ec")),
                   section("client:default", **keys))
    kam = start(reading(settings, config))
    told = kam.log.find("WARNING.*TLSc<default>: every outgoing connection will be refused: .*set ca_list")
    assert len(told) == 1
    write(config, section("server:default", **pair(pki, "server-ec"), **keys),
          section("client:default", ca_list=pki.path("ca.pem"), **keys))
    mark = kam.log.mark()
    kam.rpc("tls.reload")
    assert not kam.log.find("every outgoing connection will be refused", mark)
    assert len(kam.log.find("WARNING.*TLSs<default>: every client certificate will be refused", mark)) == 1


# ---- what a start says -----------------------------------------------------------------------------------------------

ISSUER = "NOTICE.*has no certificate of the issuer"


def leaf_alone(pki, tmp_path, row):
    """The certificate of a row without its intermediates."""
    path = tmp_path / f"{row}.pem"
    path.write_bytes(pki.pair_of(row)[0].public_bytes(serialization.Encoding.PEM))
    return {"certificate": str(path), "private_key": pki.key(row)}


@pytest.mark.ours_only("the line is not there")
def test_healthy_start_has_no_warning(start, settings, pki, tmp_path):
    config = write(
        tmp_path / "tls.cfg", section("server:default", method="TLSv1.2+", **pair(pki, "server-ec")),
        section("client:default", method="TLSv1.2+", ca_list=pki.path("ca.pem"), verify_certificate="yes"))
    for changed in (settings, reading(settings, config)):
        kam = start(changed)
        assert asks(kam, pki) == 200
        for level in ("WARNING", "ERROR", "CRITICAL"):
            assert not [text for module, text in kam.log.at_level(level) if module != "<core>"]
        assert kam.log.find("INFO.*bytes of free shared memory")
        assert not kam.log.find(ISSUER)


@pytest.mark.ours_only("the line is not there")
def test_missing_issuer_is_told_once(start, settings, pki, tmp_path):
    """Certificate and key in three profiles of both roles; a second certificate has its own line."""
    mine = leaf_alone(pki, tmp_path, "server-ec")
    config = write(tmp_path / "tls.cfg", section("server:default", **mine), section("client:default", **mine),
                   section("server:any", server_name="a.example", **mine),
                   section("server:any", server_name="b.example", **leaf_alone(pki, tmp_path, "server-rsa")))
    kam = start(reading(settings, config))
    assert len(kam.log.find(ISSUER)) == 2
    assert not kam.log.find("WARNING.*issuer")
    mark = kam.log.mark()
    for words in ((), ("check",)):
        assert kam.rpc("tls.reload", *words).startswith("Ok")
    assert not kam.log.find(ISSUER, mark)
    write(tmp_path / "tls.cfg", section("server:default", **mine),
          section("client:default", **leaf_alone(pki, tmp_path, "server-ec384")))
    assert kam.rpc("tls.reload").startswith("Ok")
    assert len(kam.log.find(ISSUER, mark)) == 1, "the new certificate alone"


@pytest.mark.ours_only("the line is not there")
@pytest.mark.parametrize("known,told", (("the root", False), ("nothing", True), ("another", True)))
def test_issuer_that_is_a_known_root_need_not_be_sent(start, settings, pki, tmp_path, known, told):
    """Whichever profile has the root as a CA."""
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "90",
            "-subj", "/CN=root", "-keyout", tmp_path / "root.key", "-out", tmp_path / "root.pem")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=leaf",
            "-keyout", tmp_path / "leaf.key", "-out", tmp_path / "leaf.csr")
    openssl("x509", "-req", "-in", tmp_path / "leaf.csr", "-CA", tmp_path / "root.pem", "-CAkey", tmp_path / "root.key",
            "-CAcreateserial", "-days", "80", "-out", tmp_path / "leaf.pem")
    authority = {"the root": {"ca_list": str(tmp_path / "root.pem")}, "nothing": {},
                 "another": {"ca_list": pki.path("ca.pem")}}[known]
    config = write(
        tmp_path / "tls.cfg", section("client:default", **authority),
        section("server:default", certificate=tmp_path / "leaf.pem", private_key=tmp_path / "leaf.key"))
    kam = start(reading(settings, config))
    assert bool(kam.log.find(ISSUER)) == told


@pytest.mark.ours_only("it has other lines")
def test_line_of_a_failed_handshake_names_no_step_twice(start, settings):
    kam = start(settings)
    with socket.create_connection(kam.address()) as sock:
        sock.sendall(b"OPTIONS sip:a@b SIP/2.0\r\n\r\n")
        kam.log.wait(r"protocol level error: TLS accept:An unexpected TLS packet was received\. \(sni: ")
