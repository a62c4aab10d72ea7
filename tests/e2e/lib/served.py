# tls_gnutls - whether a Kamailio serves handshakes, and what it logs about those that it does not
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""For tests of keys: a handshake with one request, and the module's error lines."""

import ssl

from .tls import TlsClient, client_context


def asks(kam, name="localhost", ciphers=None, **context):
    """One connection with one request; returns the name of the certificate that was shown."""
    own = client_context(**context)
    if ciphers:
        own.set_ciphers(ciphers)
    with TlsClient(kam.address(), own, name=name) as client:
        assert client.ask().status == 200
        return client.shown()


def is_served(kam, **context):
    """Whether such a connection succeeds."""
    try:
        return bool(asks(kam, **context))
    except (ssl.SSLError, OSError, EOFError):
        return False


def errors(kam, mark=0):
    """The module's lines at ERROR since a mark."""
    return [text for module, text in kam.log.at_level("ERROR", mark) if module == "tls"]
