# tls_gnutls - end to end: SIP over DTLS, received and answered
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import re
import subprocess

import pytest
from OpenSSL import SSL

from .lib import cli, dtls, sip
from .lib.dtls import DtlsClient, Relay
from .lib.kamailio import Kamailio
from .lib.ports import LOOPBACK
from .lib.tls import TIMEOUT_S, TlsClient, client_context

pytestmark = pytest.mark.ours_only("it has no DTLS")


@pytest.fixture(scope="module")
def kam(settings):
    with Kamailio(settings.but(listen=("tls", "udp", "dtls"))) as kamailio:
        yield kamailio


def test_openssl_s_client(kam, pki):
    request = sip.options(kam.port("dtls"), via="UDP")
    run = cli.openssl(kam.address("dtls"), "-dtls1_2", trust=pki.path("ca.pem"), request=request)
    assert run.reply.status == 200
    assert run.reply["X-Proto"] == "udp"


def test_many_requests(kam):
    with DtlsClient(kam.address("dtls")) as client:
        client.handshake()
        workers = {client.ask()["X-Worker"] for _ in range(20)}
        assert workers
        client.close()


def test_two_messages_in_one_datagram(kam):
    """The second record is a message of its own; both are answered."""
    with DtlsClient(kam.address("dtls")) as client:
        client.handshake()
        together = []
        send, client.session._send = client.session._send, together.append
        ids = [sip.new_id(), sip.new_id()]
        for one in ids:
            client.write(sip.options(kam.port("dtls"), via="UDP", call_id=one,
                                     sent_by=f"{LOOPBACK}:{client.port}"))
        client.session._send = send
        client.send_raw(b"".join(together))
        replies = [sip.parse(client.read()) for _ in ids]
        assert {reply["Call-ID"] for reply in replies} == set(ids)
        assert all(reply.status == 200 for reply in replies)


def test_nothing_in_clear(kam):
    with Relay(kam.address("dtls")) as relay, DtlsClient((LOOPBACK, relay.port)) as client:
        client.sip_port = kam.port("dtls")
        client.handshake()
        assert client.ask().status == 200
        assert len(relay.seen) >= 8
        assert all(dtls.is_dtls(datagram) for datagram in relay.seen)
        assert not any(b"SIP/2.0" in datagram for datagram in relay.seen)
