# tls_gnutls - end to end: SIP over DTLS, received and answered
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import pytest

from .lib import cli, dtls, sip
from .lib.dtls import DtlsClient, Relay
from .lib.kamailio import Kamailio
from .lib.ports import LOOPBACK, free_port

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


@pytest.mark.parametrize("params", ({"key_isolation": 1}, {"session_cache": 1}, {"dtls_mtu": 300},
                                    {"certificate": "rsa", "cipher_list": "ECDHE-RSA-AES256-GCM-SHA384"}),
                         ids=("key_isolation", "tickets", "small datagrams", "one suite"))
def test_settings(settings, pki, params):
    """Settings of TLS work for DTLS, whichever process continues a handshake."""
    if "certificate" in params:
        params = {**params, "certificate": pki.cert("server-rsa"), "private_key": pki.key("server-rsa")}
    with Kamailio(settings.but(listen=("tls", "dtls"), children=4, modparams=params)) as kam:
        for _ in range(10):
            with DtlsClient(kam.address("dtls")) as client:
                assert client.handshake().ask().status == 200
                largest = max(len(datagram) for datagram in client.received if datagram[0] == 22)
                assert largest <= params.get("dtls_mtu", 1200)
        assert kam.rpc("tls.sessions")["handshakes_done_dtls1_2"] == 10
        assert not kam.log.find("ERROR|CRITICAL")


def test_nothing_is_left(settings):
    """All memory is given back at the end, also that of associations that are open."""
    with Kamailio(settings.but(listen=("tls", "dtls"))) as kam:
        clients = [DtlsClient(kam.address("dtls")).handshake() for _ in range(20)]
        half = DtlsClient(kam.address("dtls"))
        half.session.step()
        half.session.take(half.recv_raw(5))
        kam.stop()
        assert not kam.shm_left()
        for client in (*clients, half):
            client.sock.close()
        kam.start()


def test_ipv6(settings, pki):
    """An address in brackets, as in the listen= line."""
    port = free_port()
    config = f'modparam("tls", "dtls_listen", "udp:[::1]:{port}")'
    with Kamailio(settings.but(core=f"listen=udp:[::1]:{port}", config=config)) as kam:
        request = sip.request(uri=f"sip:[::1]:{port}", via="UDP", sent_by="[::1]:9")
        run = cli.openssl(("[::1]", port), "-dtls1_2", trust=pki.path("ca.pem"), verify=(), request=request)
        assert run.reply.status == 200
        assert kam.rpc("tls.list")[0]["src_ip"] == "::1"
