# tls_gnutls - end to end: warning alerts in clear text are the peer's fault
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import socket
import ssl

import pytest

from .lib import hostile
from .lib.kamailio import Kamailio
from .lib.tls import TIMEOUT_S, BioClient, TlsClient, client_context

USER_CANCELED, NO_RENEGOTIATION = 90, 100
MANY = 100


@pytest.fixture(scope="module")
def kam(settings):
    with Kamailio(settings.but(tcp_children=1)) as kamailio:
        yield kamailio


def _hello(version):
    """A ClientHello as a good client sends it."""
    out = ssl.MemoryBIO()
    tls = client_context(version=version).wrap_bio(ssl.MemoryBIO(), out)
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    return out.read()


def _failed(kam):
    counters = kam.rpc("tls.sessions")
    return {name: int(value) for name, value in counters.items() if name.startswith("handshakes_failed_")}


@pytest.mark.ours_only("other words in its lines")
@pytest.mark.parametrize("count", (20, MANY))
@pytest.mark.parametrize("at_once", (True, False), ids=("at once", "after the answer"))
@pytest.mark.parametrize("description", (USER_CANCELED, NO_RENEGOTIATION))
@pytest.mark.parametrize("version", ("TLSv1.2", "TLSv1.3"))
def test_clear_text_alerts(kam, version, description, at_once, count):
    """GnuTLS takes 16 during a handshake; then it fails with its "internal error"."""
    mark = kam.log.mark()
    before = _failed(kam)
    alerts = hostile.alert(hostile.WARNING, description) * count
    with socket.create_connection(kam.address(), TIMEOUT_S) as sock:
        sock.sendall(_hello(version) + (alerts if at_once else b""))
        try:
            if not at_once:
                assert sock.recv(1)
                sock.sendall(alerts)
            while sock.recv(65536):
                pass
        except ConnectionError:
            pass
    kam.wait_connections(0)
    assert len(kam.log.at_level("WARNING", mark)) == 1
    assert not kam.log.find(r"\b(BUG|ERROR|CRITICAL)\b", mark)
    more = {name: value - before[name] for name, value in _failed(kam).items()}
    assert more.pop("handshakes_failed_protocol") == 1 and not any(more.values())
    kam.assert_healthy()
    with TlsClient(kam.address(), client_context(version=version)) as client:
        assert client.ask().status == 200


@pytest.mark.ours_only("counted by name")
@pytest.mark.parametrize("version", ("TLSv1.2",))
def test_a_few_alerts_are_no_failure(kam, version):
    """The handshake goes on after them."""
    mark = kam.log.mark()
    with BioClient(kam.address(), client_context(version=version)) as client:
        sent = []

        def send(data):
            sent.append(data)
            client.sock.sendall(data + (hostile.alert(hostile.WARNING, USER_CANCELED) * 3 if len(sent) == 1 else b""))

        client.handshake(send)
    kam.wait_connections(0)
    assert not kam.log.find(r"\b(BUG|ERROR|WARNING)\b", mark)
