# tls_gnutls - comparison: variables, selects and is_peer_verified() for many kinds of clients
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import subprocess

import pytest

from e2e.lib.tls import client_context

from . import differences
from .odd import MALFORMED
from .odd import ROWS as ODD_ROWS
from .odd import UNTRUSTED
from .pair import Answer, Pair, ask

VERSIONS = ("TLSv1.2", "TLSv1.3")
USUAL = ("client-ok", "client-rsa", "client-deep", "client-expired", "client-notyet",
         "client-revoked", "client-stranger", "client-selfsigned", "client-serveronly")
SERVERS = ("server-ec", "server-rsa")


def _modparams(pki, odd, server, **more):
    both = odd.folder / "both.pem"
    both.write_bytes(open(pki.path("ca.pem"), "rb").read() + open(odd.path("ca.pem"), "rb").read())
    return {"tls_method": "TLSv1.2+", "certificate": pki.cert(server),
            "private_key": pki.key(server), "ca_list": str(both), **more}


@pytest.fixture(scope="module", params=SERVERS)
def tolerant(request, our_module, pki, odd):
    """Every client certificate is accepted; the script sees the result of the verification."""
    params = _modparams(pki, odd, request.param, verify_client="optional_no_ca")
    with Pair(our_module, modparams=params) as pair:
        yield pair


@pytest.fixture(scope="module")
def revoking(our_module, pki, odd):
    params = _modparams(pki, odd, "server-ec", verify_client="optional_no_ca",
                        crl=pki.path("all.crl"))
    with Pair(our_module, modparams=params) as pair:
        yield pair


@pytest.fixture(scope="module")
def strict(our_module, pki, odd):
    params = _modparams(pki, odd, "server-ec", verify_client="optional")
    with Pair(our_module, modparams=params) as pair:
        yield pair


def _compare(pair, case, context, name="localhost"):
    theirs, ours = pair.both(lambda kam: ask(kam, context, name))
    differences.check(case, theirs, ours)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("row", (None, *USUAL))
def test_usual_clients(tolerant, pki, row, version):
    cert = (pki.cert(row), pki.key(row)) if row else (None, None)
    _compare(tolerant, row or "no certificate",
             client_context(version=version, cert=cert[0], key=cert[1]))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("row", (*ODD_ROWS, *UNTRUSTED, *MALFORMED))
def test_odd_clients(tolerant, odd, row, version):
    _compare(tolerant, row, client_context(version=version, cert=odd.cert(row), key=odd.key(row)))


@pytest.mark.parametrize("row", ("client-ok", "client-revoked", "client-stranger"))
def test_with_revocation_lists(revoking, pki, row):
    _compare(revoking, f"crl {row}", client_context(cert=pki.cert(row), key=pki.key(row)))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("row", (None, *USUAL))
def test_which_clients_are_accepted(strict, pki, row, version):
    cert = (pki.cert(row), pki.key(row)) if row else (None, None)
    _compare(strict, row or "no certificate",
             client_context(version=version, cert=cert[0], key=cert[1]))


@pytest.mark.parametrize("name", (None, "other.example.org", "x" * 63 + ".example.org"))
def test_server_names(tolerant, name):
    _compare(tolerant, "server name", client_context(), name)


@pytest.mark.parametrize("name", ("under_score.example.org", "2001:db8::1", "localhost:5061"))
def test_server_names_that_are_no_host_names(tolerant, name):
    """Python would not send them, and sends no addresses."""
    def asked(kam):
        done = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{kam.port()}", "-servername", name],
            input="", capture_output=True, text=True, timeout=60, check=False)
        return Answer(refused="Cipher is (NONE)" in done.stdout)
    theirs, ours = tolerant.both(asked)
    assert not theirs.refused and ours.refused
    differences.check("no host name", theirs, ours)


@pytest.mark.parametrize("ciphers", (
    "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-ECDSA-AES256-SHA384",
    "ECDHE-RSA-AES128-GCM-SHA256", "DHE-RSA-AES256-GCM-SHA384", "AES128-GCM-SHA256", "AES256-SHA"))
def test_suites(tolerant, ciphers):
    context = client_context(version="TLSv1.2")
    context.set_ciphers(ciphers + ":@SECLEVEL=0")
    _compare(tolerant, f"suite {ciphers}", context)
