# tls_gnutls - comparison: certificates whose key usage does not fit, our own and those of peers
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import pytest

from e2e.lib.tls import client_context, server_context
from e2e.lib.uas import TlsAgent

from . import differences, probes
from .pair import Pair, ask, relay

VERSIONS = ("TLSv1.2", "TLSv1.3")
OWN = ("server-encipher", "server-certsign", "server-agree", "server-signs")
PEERS = OWN
CLIENTS = ("client-encipher", "client-certsign", "client-agree")


@pytest.fixture(scope="module", params=OWN)
def own(request, our_module, pki):
    params = {"tls_method": "TLSv1.2+", "certificate": pki.cert(request.param), "private_key": pki.key(request.param)}
    with Pair(our_module, modparams=params) as pair:
        yield request.param, pair


@pytest.mark.parametrize("version", VERSIONS)
def test_our_own_certificate(own, version):
    row, pair = own
    theirs, ours = pair.both(lambda kam: ask(kam, client_context(version=version)))
    differences.check(f"key usage {row} {version}", theirs, ours)
    # a client of TLS 1.2 with OpenSSL refuses that one itself
    assert ours.refused == (row == "server-agree" and version == "TLSv1.2")


def test_our_own_certificate_with_static_rsa(own):
    row, pair = own
    context = client_context(version="TLSv1.2")
    context.set_ciphers("AES128-GCM-SHA256")
    theirs, ours = pair.both(lambda kam: ask(kam, context))
    differences.check(f"key usage {row} static RSA", theirs, ours)
    assert ours.refused == (row == "server-agree")


@pytest.fixture(scope="module")
def tolerant(our_module, pki):
    params = {"tls_method": "TLSv1.2+", "certificate": pki.cert("server-ec"), "private_key": pki.key("server-ec"),
              "ca_list": pki.path("ca.pem"), "verify_client": "optional_no_ca"}
    with Pair(our_module, modparams=params) as pair:
        yield pair


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("row", CLIENTS)
def test_clients(tolerant, pki, row, version):
    context = client_context(version=version, cert=pki.cert(row), key=pki.key(row))
    mark = tolerant.ours.log.mark()
    theirs, ours = tolerant.both(lambda kam: ask(kam, context))
    differences.check(f"key usage {row}", theirs, ours)
    assert ours.refused
    tolerant.ours.log.wait("key usage of the client's certificate lacks digitalSignature", since=mark)


def _outgoing(our_module, pki, **more):
    return Pair(our_module, listen=("tls", "udp"), script=probes.relay_script(), modparams={
        "tls_method": "TLSv1.2+", "certificate": pki.cert("server-ec"), "private_key": pki.key("server-ec"),
        "ca_list": pki.path("ca.pem"), **more})


@pytest.fixture(scope="module", params=({}, {"cipher_list": "HIGH"}))
def outgoing(request, our_module, pki):
    with _outgoing(our_module, pki, **request.param) as pair:
        yield pair


@pytest.fixture(scope="module")
def verifying(our_module, pki):
    with _outgoing(our_module, pki, verify_certificate=1) as pair:
        yield pair


def _answers(pair, pki, row, version):
    context = server_context(pki.cert(row), pki.key(row), version)
    context.set_ciphers("ALL:@SECLEVEL=2")
    with TlsAgent(context) as agent:
        answers = pair.both(lambda kam: relay(kam, agent))
    pair.both(lambda kam: kam.wait_connections(0))
    return answers


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("row", PEERS)
def test_servers_that_are_not_verified(outgoing, pki, row, version):
    theirs, ours = _answers(outgoing, pki, row, version)
    differences.check(f"key usage {row} outgoing", theirs, ours)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("row", ("server-ec", "server-certsign"))
def test_servers_that_are_verified(verifying, pki, row, version):
    theirs, ours = _answers(verifying, pki, row, version)
    assert ours.refused == (row != "server-ec")
    if row == "server-ec":
        differences.check(f"key usage {row} verified", theirs, ours)
