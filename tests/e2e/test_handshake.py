# tls_gnutls - end to end: OPTIONS over TLS 1.2 and 1.3, ECDSA and RSA, two command line clients
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import ssl

import pytest

from .lib import cli, sip
from .lib.kamailio import Kamailio
from .lib.tls import TlsClient, client_context

VERSIONS = ("TLSv1.2", "TLSv1.3")
CLIENTS = {"openssl": cli.openssl, "gnutls-cli": cli.gnutls_cli}


@pytest.fixture(scope="module", params=("server-ec", "server-rsa"))
def kam(request, settings, pki):
    row = request.param
    changed = {"certificate": pki.cert(row), "private_key": pki.key(row)}
    with Kamailio(settings.but(modparams=changed)) as kamailio:
        yield kamailio


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("version", VERSIONS)
def test_options_is_answered(kam, pki, client, version):
    run = CLIENTS[client](kam.address(), trust=pki.path("ca.pem"), version=version)
    assert run.reply is not None, run.output
    assert run.reply.status == 200
    assert run.reply["X-Proto"] == "tls"
    assert run.version == version


@pytest.mark.parametrize("version,groups,answers_to", (
    ("TLSv1.2", "P-256", ("server-ec", "server-rsa")),
    ("TLSv1.2", "P-384", ("server-rsa",)),          # RFC 8422 section 5.1: also for the curve of the certificate
    ("TLSv1.2", "P-384:P-256", ("server-ec", "server-rsa")),
    ("TLSv1.3", "P-384", ("server-ec", "server-rsa")),
))
def test_curves_of_the_client(kam, pki, version, groups, answers_to):
    run = cli.openssl(kam.address(), "-groups", groups, trust=pki.path("ca.pem"), version=version)
    answers = any(kam.settings.modparams["certificate"] == pki.cert(row) for row in answers_to)
    assert (run.reply is not None) == answers, run.output
    assert answers or "alert handshake failure" in run.output


@pytest.mark.parametrize("client", CLIENTS)
def test_client_that_trusts_another_authority_gets_nothing(kam, pki, client):
    run = CLIENTS[client](kam.address(), trust=pki.path("ca-stranger.pem"))
    assert run.reply is None
    assert run.status > 0, run.output


@pytest.mark.parametrize("version", VERSIONS)
def test_tls_info_and_list_show_the_connection(kam, version):
    with TlsClient(kam.address(), client_context(version=version)) as client:
        assert client.ask().status == 200
        info = kam.kamcmd("tls.info")
        assert "opened_connections: 1" in info
        listed = kam.kamcmd("tls.list")
        assert f"src_port: {client.local[1]}" in listed
        assert f"dst_port: {kam.port()}" in listed
        assert "state: established" in listed
        assert client.cipher in listed
        assert version in listed
    kam.wait_connections(0)


def test_each_connection_has_a_state_of_its_own(kam):
    """A connection that fails does not affect the one beside it."""
    with TlsClient(kam.address(), client_context()) as good:
        assert good.ask().status == 200
        bad = TlsClient(kam.address(), client_context())
        bad.reset()
        assert good.ask().status == 200


@pytest.mark.parametrize("configured,offered,accepted", (
    ("TLSv1.2", "TLSv1.2", True),
    ("TLSv1.2", "TLSv1.3", False),
    ("TLSv1.2+", "TLSv1.2", True),
    ("TLSv1.2+", "TLSv1.3", True),
    ("SSLv23", "TLSv1.3", True),
))
def test_method_limits_the_versions(start, settings, configured, offered, accepted):
    kam = start(settings.but(modparams={"tls_method": configured}))
    context = client_context(version=offered)
    if accepted:
        with TlsClient(kam.address(), context) as client:
            assert client.ask().status == 200
    else:
        with pytest.raises(ssl.SSLError) as failure:
            TlsClient(kam.address(), context)
        assert "VERSION" in str(failure.value).upper()


@pytest.mark.ours_only("5.6.3 has no token for TLS 1.3")
@pytest.mark.parametrize("configured", ("TLSv1.3", "TLSv1.3+"))
def test_method_tls13_refuses_tls12(start, settings, configured):
    kam = start(settings.but(modparams={"tls_method": configured}))
    with TlsClient(kam.address(), client_context(version="TLSv1.3")) as client:
        assert client.ask().status == 200
    with pytest.raises(ssl.SSLError):
        TlsClient(kam.address(), client_context(version="TLSv1.2"))


@pytest.mark.parametrize("manager", ("qm", "fm", "tlsf"))
def test_every_memory_manager(start, settings, manager):
    kam = start(settings.but(shm_manager=manager))
    for version in VERSIONS:
        with TlsClient(kam.address(), client_context(version=version)) as client:
            assert client.ask(sip.options(kam.port())).status == 200
    kam.wait_connections(0)
