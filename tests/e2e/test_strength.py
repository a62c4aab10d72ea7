# tls_gnutls - end to end: how strong certificates must be, and folders of authorities
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import shutil
import ssl
import subprocess

import pytest

from .lib.kamailio import Kamailio
from .lib.tls import TlsClient, client_context, server_context
from .lib.tlscfg import MODES, Files
from .lib.uas import TlsAgent, UdpSender

VERSIONS = ("TLSv1.2", "TLSv1.3")
ROWS = ("client-ok", "client-rsa1024", "client-sha1", "client-inter-sha1")

# security level of cipher_list -> which clients are accepted; the default is 2
LEVELS = {
    None: {"client-ok"},
    "DEFAULT": {"client-ok"},
    "DEFAULT:@SECLEVEL=2": {"client-ok"},
    "DEFAULT:@SECLEVEL=1": {"client-ok", "client-rsa1024"},
    "DEFAULT:@SECLEVEL=0": {"client-ok", "client-rsa1024", "client-sha1", "client-inter-sha1"},
}


def _context(pki, row, version):
    """A client context that allows a weak certificate of its own."""
    context = client_context(version=version)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.load_cert_chain(pki.cert(row), pki.key(row))
    return context


def _is_served(kam, pki, row, version):
    try:
        with TlsClient(kam.address(), _context(pki, row, version)) as client:
            return client.ask().status == 200
    except (OSError, EOFError):
        return False


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("string", LEVELS)
def test_level_decides_which_clients_are_accepted(start, settings, pki, string, version):
    kam = start(settings.but(modparams={"verify_client": "on", "cipher_list": string}))
    assert {row for row in ROWS if _is_served(kam, pki, row, version)} == LEVELS[string]


@pytest.mark.parametrize("string,accepted", (
    (None, False), ("DEFAULT:@SECLEVEL=1", False), ("DEFAULT:@SECLEVEL=0", True)))
def test_level_decides_which_servers_are_accepted(start, settings, pki, string, accepted):
    kam = start(settings.but(listen=("tls", "udp"), config='modparam("tm", "fr_timer", 1000)',
                             modparams={"verify_certificate": 1, "cipher_list": string}))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.load_cert_chain(pki.cert("server-sha1"), pki.key("server-sha1"))
    with TlsAgent(context) as agent, UdpSender(kam.address("udp")) as sender:
        reply = sender.ask(uri=f"sip:far@127.0.0.1:{agent.port};transport=tls")
        assert (reply.status == 200) == accepted
    with TlsAgent(server_context(pki.cert("server-ec"), pki.key("server-ec"))) as agent, \
            UdpSender(kam.address("udp")) as sender:
        assert sender.ask(uri=f"sip:far@127.0.0.1:{agent.port};transport=tls").status == 200


@pytest.mark.ours_only("the line differs")
@pytest.mark.parametrize("row,reason", (
    ("client-sha1", "digest of a certificate's signature too weak"), ("client-rsa1024", "certificate key too weak")))
def test_weak_certificates_are_reported(start, settings, pki, row, reason):
    kam = start(settings.but(modparams={"verify_client": "on"}))
    assert not _is_served(kam, pki, row, "TLSv1.3")
    kam.log.wait(f"WARNING.*certificate verify failed: {reason}")
    assert not kam.log.at_level("ERROR")


# ---- folders of authorities ------------------------------------------------------------------------------------------

def _hash_of(path, what="x509"):
    """The name that `openssl rehash` gives to a file, without its number."""
    return subprocess.run(["openssl", what, "-hash", "-noout", "-in", path], capture_output=True, text=True,
                          check=True).stdout.split()[0]


@pytest.fixture
def hashed(pki, tmp_path):
    """A folder as `openssl rehash` makes it: `root` and its CRLs under their hashes, `stranger` under another name."""
    folder = tmp_path / "hashed"
    folder.mkdir()
    (folder / f"{_hash_of(pki.path('ca.pem'))}.0").symlink_to(pki.path("ca.pem"))
    shutil.copy(pki.path("ca-stranger.pem"), folder / "stranger.pem")
    (folder / "0123abcd.0").symlink_to(folder / "gone.pem")
    (folder / ".hidden").write_text("nothing")
    return folder


def _folder_settings(settings, pki, tmp_path, mode, folder, **more):
    files = Files(tmp_path, pki)
    return files.settings(settings, mode, verify_client="on", ca_list=None, ca_path=str(folder), **more)


def _accepted(kam, pki, *rows):
    return [_is_served(kam, pki, row, "TLSv1.3") for row in rows]


@pytest.mark.parametrize("mode", [
    pytest.param("parameters", marks=pytest.mark.ours_only("not used without config")), "file"])
def test_hashed_folder(start, settings, pki, hashed, tmp_path, mode):
    """Names that are not hashes are ignored, dangling links do no harm."""
    kam = start(_folder_settings(settings, pki, tmp_path, mode, hashed))
    assert _accepted(kam, pki, "client-ok", "client-deep", "client-stranger") == [True, True, False]
    assert _announced(kam) == "No client certificate CA names sent"


@pytest.mark.ours_only("folders are hashed there")
@pytest.mark.parametrize("mode", MODES)
def test_plain_folder(start, settings, pki, tmp_path, mode):
    folder = tmp_path / "plain"
    folder.mkdir()
    for name in ("ca.pem", "ca-stranger.pem"):
        shutil.copy(pki.path(name), folder)
    (folder / "README").write_text("no certificate")
    (folder / "damaged.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    (folder / "sub").mkdir()
    kam = start(_folder_settings(settings, pki, tmp_path, mode, folder))
    assert _accepted(kam, pki, "client-ok", "client-stranger", "client-selfsigned") == [True, True, False]
    assert kam.log.find(r"WARNING.*damaged\.pem.*; the file is skipped")
    assert _announced(kam) == "No client certificate CA names sent"


def _announced(kam):
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{kam.port()}", "-tls1_2"], input="",
                          capture_output=True, text=True, timeout=30, check=False)
    return next(line for line in done.stdout.splitlines() if "client certificate CA names" in line)


def test_folder_and_file_together(start, settings, pki, hashed, tmp_path):
    kam = start(Files(tmp_path, pki).settings(settings, "file", verify_client="on", ca_list=pki.path("ca-stranger.pem"),
                                              ca_path=str(hashed)))
    assert _accepted(kam, pki, "client-ok", "client-stranger", "client-selfsigned") == [True, True, False]
    assert _announced(kam).startswith("Acceptable")


def test_revocation_lists_in_a_hashed_folder(start, settings, pki, hashed, tmp_path):
    """They count when `crl` is set."""
    lists = open(pki.path("all.crl"), encoding="ascii").read().split("-----END X509 CRL-----\n")
    for number, text in enumerate(lists[:-1]):
        path = hashed / f"list{number}"
        path.write_text(text + "-----END X509 CRL-----\n")
        (hashed / f"{_hash_of(path, 'crl')}.r0").symlink_to(path)
    kam = start(_folder_settings(settings, pki, tmp_path, "file", hashed, crl=pki.path("no-root.crl")))
    assert _accepted(kam, pki, "client-ok", "client-revoked") == [True, False]


@pytest.mark.ours_only("starts and trusts no CA")
@pytest.mark.parametrize("what", ("empty", "missing", "file"))
@pytest.mark.parametrize("mode", MODES)
def test_unusable_folder(settings, pki, tmp_path, mode, what):
    folder = tmp_path / "ca.d"
    if what == "empty":
        folder.mkdir()
    elif what == "file":
        shutil.copy(pki.path("ca.pem"), folder)
    kam = Kamailio(_folder_settings(settings, pki, tmp_path, mode, folder))
    with pytest.raises(Exception, match="ca_path: "):
        with kam:
            pass
