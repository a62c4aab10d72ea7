# tls_gnutls - end to end: which certificates must be presented, as server and as client
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""Modes: NONE requests no certificate, PEER verifies one that is presented, FAIL also requires one.

The tables are the contract: each configuration has a mode, each mode lists the certificates that
are accepted.
"""

import ssl
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from .lib.cli import names
from .lib.kamailio import Kamailio
from .lib.tls import TlsClient, client_context, server_context
from .lib.uas import TlsAgent, UdpSender

VERSIONS = ("TLSv1.2", "TLSv1.3")

# name of a configuration -> module parameters
CONFIGURATIONS = {
    "nothing set": {},
    "verify_client off": {"verify_client": "off"},
    "verify_certificate": {"verify_certificate": 1},
    "verify_client optional": {"verify_client": "optional"},
    "require_certificate": {"require_certificate": 1},
    "both": {"verify_certificate": 1, "require_certificate": 1},
    "verify_client on": {"verify_client": "on"},
    "verify_client ON": {"verify_client": "ON"},
    "optional_no_ca": {"verify_client": "optional_no_ca"},
    "optional_no_ca, required": {"verify_client": "optional_no_ca", "require_certificate": 1},
}
GOOD = ("client-ok", "client-rsa", "client-deep")
BAD = ("client-stranger", "client-expired", "client-notyet", "client-selfsigned",
       "client-serveronly")
NO_CERTIFICATE = None
# name of a configuration -> (asks for a certificate, what is accepted)
SERVER_ACCEPTS = {
    "nothing set": (False, {NO_CERTIFICATE}),
    "verify_client off": (False, {NO_CERTIFICATE}),
    "verify_certificate": (True, {NO_CERTIFICATE, *GOOD}),
    "verify_client optional": (True, {NO_CERTIFICATE, *GOOD}),
    "require_certificate": (True, {*GOOD}),
    "both": (True, {*GOOD}),
    "verify_client on": (True, {*GOOD}),
    "verify_client ON": (True, {*GOOD}),
    "optional_no_ca": (True, {NO_CERTIFICATE, *GOOD, *BAD}),
    "optional_no_ca, required": (True, {*GOOD, *BAD}),
}


def _is_served(kam, pki, row, version):
    """True: an OPTIONS is answered; False: TLS ended it."""
    cert = (pki.cert(row), pki.key(row)) if row else (None, None)
    context = client_context(version=version, cert=cert[0], key=cert[1])
    try:
        with TlsClient(kam.address(), context) as client:
            return client.ask().status == 200
    except (ssl.SSLError, ConnectionResetError, EOFError):
        # with TLS 1.3 the alert comes after the client thinks the handshake is done
        return False


def _served(kam, pki, version, rows):
    return {row for row in rows if _is_served(kam, pki, row, version)}


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_server_role(start, settings, pki, configuration):
    asks, accepted = SERVER_ACCEPTS[configuration]
    kam = start(settings.but(modparams=CONFIGURATIONS[configuration]))
    rows = (NO_CERTIFICATE, *GOOD, *BAD) if asks else (NO_CERTIFICATE,)
    for version in VERSIONS:
        assert _served(kam, pki, version, rows) == accepted, version
        asked, authorities = _certificate_request(kam, version)
        assert asked == asks, version
        if asks:
            assert "CN=root" in names(authorities)
    kam.wait_connections(0)


def _certificate_request(kam, version):
    """(did the server ask for a certificate?, the authorities it named), as openssl prints them."""
    option = {"TLSv1.2": "-tls1_2", "TLSv1.3": "-tls1_3"}[version]
    done = subprocess.run(
        ["openssl", "s_client", "-connect", "127.0.0.1:%d" % kam.port(), option],
        input="", capture_output=True, text=True, timeout=30, check=False)
    output = done.stdout + done.stderr
    named = output.partition("Acceptable client certificate CA names")[2]
    return bool(named), named.partition("Requested Signature Algorithms")[0]


@pytest.mark.parametrize("depth,accepted", (
    (0, set()),
    (1, {"client-ok"}),
    (2, {"client-ok", "client-deep"}),
))
def test_verify_depth_counts_intermediates(start, settings, pki, depth, accepted):
    """client-ok has one intermediate below the root, client-deep two."""
    kam = start(settings.but(modparams={"verify_client": "on", "verify_depth": depth}))
    for version in VERSIONS:
        assert _served(kam, pki, version, ("client-ok", "client-deep")) == accepted, version


@pytest.mark.parametrize("crl,accepted", (
    ("all.crl", {"client-ok"}),
    ("no-root.crl", set()),             # the intermediate's issuer has no CRL: refused
    ("expired.crl", set()),
    (None, {"client-ok", "client-revoked"}),
))
def test_revocation_of_clients(start, settings, pki, crl, accepted):
    kam = start(settings.but(modparams={
        "verify_client": "on", "crl": crl and pki.path(crl)}))
    for version in VERSIONS:
        assert _served(kam, pki, version, ("client-ok", "client-revoked")) == accepted, version


def test_without_authority_no_client_is_accepted(start, settings, pki):
    kam = start(settings.but(modparams={"verify_client": "on", "ca_list": None}))
    assert _served(kam, pki, "TLSv1.3", (NO_CERTIFICATE, "client-ok")) == set()


@pytest.mark.ours_only("client certificates and resumption depend on the worker")
@pytest.mark.parametrize("version", VERSIONS)
def test_resumption_keeps_what_was_verified(start, settings, pki, version):
    """Sessions of a verified client resume; a client without a certificate is still refused."""
    kam = start(settings.but(modparams={"verify_client": "on", "session_cache": 1}))
    context = client_context(version=version, cert=pki.cert("client-ok"),
                             key=pki.key("client-ok"))
    session = None
    for _ in range(8):
        with TlsClient(kam.address(), context, session=session) as client:
            assert client.ask().status == 200
            session = client.session
    assert not _is_served(kam, pki, NO_CERTIFICATE, version)


# -- as a client ------------------------------------------------------------------------------

SERVERS = ("server-ec", "server-rsa", "server-deep", "server-stranger", "server-expired",
           "server-notyet", "server-selfsigned", "server-clientonly")
VALID_SERVERS = {"server-ec", "server-rsa", "server-deep"}
CLIENT_ACCEPTS = {
    "nothing set": set(SERVERS),
    "verify_certificate": VALID_SERVERS,
    "require_certificate": VALID_SERVERS,
    "verify_client on": VALID_SERVERS,
    "verify_client optional": VALID_SERVERS,
    "optional_no_ca": set(SERVERS),
}
# a request that cannot be delivered fails with the transaction's timer
SHORT_TIMER = 'modparam("tm", "fr_timer", 1500)'
FAILED = (408, 477, 503)


@pytest.fixture
def sending(start, settings):
    """sending(modparams) starts a Kamailio that relays what it gets on UDP."""
    def begin(modparams):
        return start(settings.but(listen=("tls", "udp"), config=SHORT_TIMER,
                                  modparams=modparams))
    return begin


def _relay(kam, port):
    """Status of a request that the Kamailio sends on over TLS to that port."""
    with UdpSender(kam.address("udp")) as sender:
        reply = sender.ask(uri=f"sip:far@127.0.0.1:{port};transport=tls")
        assert reply is not None, "no final reply"
        return reply.status


def _delivers(kam, pki, row, version):
    with TlsAgent(server_context(pki.cert(row), pki.key(row), version)) as agent:
        status = _relay(kam, agent.port)
        assert status == 200 or status in FAILED
        assert len(agent.requests) == (status == 200)
        return status == 200


def _delivered(kam, pki, rows, version):
    """The servers, all called at once, that got the request.

    One after the other with the stock tls.so: it crashes when several outgoing handshakes
    fail in different workers at the same time.
    """
    with ThreadPoolExecutor(1 if kam.settings.module.endswith("/tls.so") else len(rows)) as pool:
        calls = [pool.submit(_delivers, kam, pki, row, version) for row in rows]
        return {row for row, call in zip(rows, calls) if call.result()}


@pytest.mark.parametrize("configuration", CLIENT_ACCEPTS)
def test_client_role(sending, pki, configuration):
    kam = sending(CONFIGURATIONS[configuration])
    for version in VERSIONS:
        assert _delivered(kam, pki, SERVERS, version) == CLIENT_ACCEPTS[configuration], version
    kam.wait_connections(0)


@pytest.mark.parametrize("crl,accepted", (
    ("all.crl", {"server-ec"}),
    ("no-root.crl", set()),
    (None, {"server-ec", "server-revoked"}),
))
def test_revocation_of_servers(sending, pki, crl, accepted):
    kam = sending({"verify_certificate": 1, "crl": crl and pki.path(crl)})
    assert _delivered(kam, pki, ("server-ec", "server-revoked"), "TLSv1.3") == accepted


@pytest.mark.parametrize("version", VERSIONS)
def test_own_certificate_is_shown_to_a_server_that_asks(sending, pki, version):
    kam = sending({})
    context = server_context(pki.cert("server-rsa"), pki.key("server-rsa"), version,
                             client_trust=pki.path("ca.pem"))
    with TlsAgent(context) as agent:
        assert _relay(kam, agent.port) == 200
        assert ("commonName", "server-ec") in [
            pair for rdn in agent.peers[0]["subject"] for pair in rdn]


@pytest.mark.parametrize("version", VERSIONS)
def test_server_that_refuses_our_certificate(sending, pki, version):
    """The server trusts another authority only: the request fails, the next server is served."""
    kam = sending({})
    context = server_context(pki.cert("server-rsa"), pki.key("server-rsa"), version,
                             client_trust=pki.path("ca-stranger.pem"))
    with TlsAgent(context) as agent:
        assert _relay(kam, agent.port) in FAILED
        assert agent.failures and not agent.requests
    assert _delivers(kam, pki, "server-ec", version)


def test_no_server_name_is_sent_unasked(sending, pki):
    """Without the xavp the ClientHello names no server."""
    kam = sending({})
    with TlsAgent(server_context(pki.cert("server-ec"), pki.key("server-ec"))) as agent:
        assert _relay(kam, agent.port) == 200
        assert agent.names == [None]
