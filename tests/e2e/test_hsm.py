# tls_gnutls - end to end: keys, certificates and authorities on PKCS#11 tokens
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""SoftHSM 2 in a folder of the test; the PIN is searched for in everything that comes out."""

import pytest

from .lib import token as tokens
from .lib.kamailio import Kamailio, StartFailed
from .lib.tls import TlsClient, client_context, server_context
from .lib.uas import TlsAgent, UdpSender

pytestmark = [
    pytest.mark.ours_only("keys on tokens need an engine there"),
    pytest.mark.skipif(not tokens.available(), reason="softhsm2 or opensc is not installed"),
]

VERSIONS = ("TLSv1.2", "TLSv1.3")
PIN = "pin-7261534"


@pytest.fixture
def hsm(tmp_path, monkeypatch):
    return tokens.SoftHsm(tmp_path / "hsm", monkeypatch)


@pytest.fixture
def token(hsm):
    return hsm.token("sip", PIN)


def _key(pki, token, row, label=None):
    token.add_key(label or row, pki.key(row))
    return {"certificate": pki.cert(row), "private_key": token.uri(label or row)}


def _asks(kam, **context):
    with TlsClient(kam.address(), client_context(**context)) as client:
        assert client.ask().status == 200
        return client.shown()


def _refusal(settings):
    """The log of a start that must fail."""
    with pytest.raises(StartFailed) as failed:
        with Kamailio(settings):
            pass
    text = "\n".join(failed.value.log.lines())
    assert PIN not in text
    return text


@pytest.mark.parametrize("row", ("server-ec", "server-rsa"))
def test_server_key(start, settings, pki, token, row):
    kam = start(settings.but(modparams=_key(pki, token, row), debug=3))
    for version in VERSIONS:
        for _ in range(6):
            assert _asks(kam, version=version, trust=pki.path("ca.pem")) == row
    assert kam.log.find(r"private_key: \"pkcs11:.*signs with")
    assert not kam.log.find(PIN)
