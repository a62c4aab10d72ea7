# tls_gnutls - end to end: the alert that a client gets
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""Malformed messages are answered with decode_error, well-formed ones with a forbidden value with illegal_parameter.

The alert user_canceled is ignored, RFC 8446 section 6.1.
"""

import pytest

from .lib import hostile, malformed, raw, sip
from .lib.kamailio import Kamailio


@pytest.fixture(scope="module")
def kam(settings):
    with Kamailio(settings) as kamailio:
        yield kamailio


@pytest.mark.ours_only("some of them are served")
@pytest.mark.parametrize("version", malformed.BODIES)
def test_malformed_hello(kam, version):
    """Every truncation, bytes too many, lengths that do not fit."""
    for name, message in malformed.malformed(version).items():
        assert malformed.alert(kam, malformed.records(message)) == malformed.DECODE_ERROR, name
    kam.assert_healthy()


@pytest.mark.ours_only("other alerts, or none")
@pytest.mark.parametrize("version", malformed.BODIES)
def test_hello_with_a_value_that_is_not_allowed(kam, version):
    for name, (kind, content, alert) in malformed.NOT_ALLOWED.items():
        message = malformed.hello(version, {kind: content})
        assert malformed.alert(kam, malformed.records(message)) == alert, name
    kam.assert_healthy()


def test_key_share_that_is_not_a_point(kam):
    message = malformed.hello("TLS 1.3", {malformed.SHARES: malformed.RAW_SHARE})
    assert malformed.alert(kam, malformed.records(message)) == malformed.ILLEGAL_PARAMETER
    kam.assert_healthy()


USER_CANCELED, NO_RENEGOTIATION = 90, 100


@pytest.mark.parametrize("version", ("TLSv1.2", "TLSv1.3"))
def test_user_canceled_is_ignored(kam, version):
    client = raw.sealed_client(kam.address(), version, hostile.CLIENT_HELLO)
    try:
        for level in (hostile.WARNING, hostile.WARNING):
            assert client.send_sealed(hostile.ALERT, bytes([level, USER_CANCELED]))
        assert client.ask(sip.options(kam.port()))
    finally:
        client.close()
    kam.wait_connections(0)
    kam.assert_healthy()


def test_other_alerts_of_tls_1_3_end_the_connection(kam):
    client = raw.sealed_client(kam.address(), "TLSv1.3", hostile.CLIENT_HELLO)
    try:
        client.send_sealed(hostile.ALERT, bytes([hostile.FATAL, NO_RENEGOTIATION]))
        kam.wait_connections(0)
    finally:
        client.close()
    kam.assert_healthy()
