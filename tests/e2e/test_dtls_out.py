# tls_gnutls - end to end: SIP over DTLS, sent; and that no clear text ever is
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""Requests come in on UDP and go out from the socket of dtls_listen.

Wherever they go to, all datagrams that arrive are DTLS: Far.assert_no_clear_text().
"""

import pytest

from .lib import dtls, sip
from .lib.dtls import RELAY, DtlsAgent, DtlsClient
from .lib.kamailio import Kamailio, host_version
from .lib.ports import LOOPBACK, free_port
from .lib.tlscfg import pair, reading, section
from .lib.uas import Service, UdpSender, udp_socket
from .lib.wait import until

pytestmark = pytest.mark.ours_only("it has no DTLS")

FAILED = (408, 477, 500, 503)
QUICK = 'modparam("tm", "fr_timer", 4000)\nmodparam("tm", "wt_timer", 500)'


class Far(Service):
    """A peer on plain UDP that only listens, and may answer each datagram with garbage."""

    def __init__(self, answer=None):
        super().__init__()
        self.sock = udp_socket()
        self.port = self.sock.getsockname()[1]
        self.seen = []
        self._answer = answer

    def _run(self):
        while True:
            data, peer = self.sock.recvfrom(1 << 16)
            if self._over.is_set():
                return
            self.seen.append(data)
            if self._answer:
                self.sock.sendto(self._answer, peer)

    def _wake(self):
        self.sock.sendto(b"over", self.sock.getsockname())

    def __exit__(self, *_):
        super().__exit__()
        self.sock.close()


def assert_no_clear_text(datagrams):
    assert datagrams, "nothing was sent at all"
    assert all(dtls.is_dtls(datagram) for datagram in datagrams)
    assert not any(b"SIP/2.0" in datagram or b"sip:" in datagram for datagram in datagrams)


@pytest.fixture(scope="module")
def base(settings):
    return settings.but(listen=("tls", "udp", "dtls"), config=QUICK, script=RELAY)


@pytest.fixture(scope="module")
def kam(base):
    with Kamailio(base) as kamailio:
        yield kamailio


@pytest.fixture
def sender(kam):
    with UdpSender(kam.address("udp")) as udp:
        yield udp


def via_dtls(kam, port):
    """Header lines that send a request to a port by DTLS."""
    return (f"X-Next: sip:{LOOPBACK}:{port}", f"X-Socket: udp:{LOOPBACK}:{kam.port('dtls')}")


def test_good_server(kam, pki, sender):
    with DtlsAgent(pki.cert("server-ec"), pki.key("server-ec")) as agent:
        replies = [sender.ask(headers=via_dtls(kam, agent.port)) for _ in range(5)]
        assert [reply.status for reply in replies] == [200] * 5
        assert len(agent.peers) == 1, "one association serves all"
        assert agent.peers[0] == kam.address("dtls")
        assert_no_clear_text(agent.received)


def test_silent_server(kam, sender):
    """The hello is sent again and again, the request never."""
    with Far() as far:
        assert sender.ask(headers=via_dtls(kam, far.port)).status in FAILED
        assert_no_clear_text(far.seen)
        hellos = [datagram for datagram in far.seen if datagram[0] == 22]
        assert len(hellos) >= 2, "the hello was not sent again"


@pytest.mark.parametrize("answer", (b"SIP/2.0 200 OK\r\n\r\n", b"\0" * 200, b"\x15\xfe\xfd" + b"\0" * 9 + b"\2\2\x28"),
                         ids=("sip", "zeroes", "alert"))
def test_server_that_answers_something_else(kam, sender, answer):
    with Far(answer) as far:
        assert sender.ask(headers=via_dtls(kam, far.port)).status in FAILED
        assert_no_clear_text(far.seen)


def test_large_messages(kam, pki, sender):
    """One record at most: what is longer is not sent, and the sender is told."""
    with DtlsAgent(pki.cert("server-ec"), pki.key("server-ec")) as agent:
        header = via_dtls(kam, agent.port)
        assert sender.ask(headers=header, body=b"x" * 12000).status == 200
        assert agent.requests[-1].body == b"x" * 12000
        mark = kam.log.mark()

        def is_told():      # at most one such line a second, and a reply that came twice may have had it
            assert sender.ask(headers=header, body=b"x" * 20000).status in FAILED
            return kam.log.find(rf"WARNING.*DTLS: a message to 127.0.0.1:{agent.port} is not sent: ", mark)

        until(is_told, "the line is logged")
        assert sender.ask(headers=header).status == 200, "the association goes on"
        assert_no_clear_text(agent.received)


def test_queued_until_the_handshake_is_done(kam, pki):
    """Requests that come during the handshake wait; each is a message of its own afterwards."""
    with DtlsAgent(pki.cert("server-ec"), pki.key("server-ec")) as agent, \
            UdpSender(kam.address("udp"), window=20) as sender:
        replies = sender.run([{"headers": via_dtls(kam, agent.port)}] * 20)
        assert [reply.status for reply in replies] == [200] * 20
        assert_no_clear_text(agent.received)


FAILURES = {
    # name: (module parameters, certificate of the server)
    "verification": ({"verify_certificate": 1}, "server-stranger"),
    "expired": ({"verify_certificate": 1}, "server-expired"),
    "no memory": ({"low_mem_threshold1": 1 << 20}, "server-ec"),
    "no suite": ({"cipher_list": "ECDHE-RSA-AES128-GCM-SHA256"}, "server-ec"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_failures(base, pki, name):
    """The sender gets a failure, and no byte of the request is seen."""
    params, row = FAILURES[name]
    with Kamailio(base.but(modparams=params)) as kam, UdpSender(kam.address("udp")) as sender, \
            DtlsAgent(pki.cert(row), pki.key(row)) as agent:
        assert sender.ask(headers=via_dtls(kam, agent.port)).status in FAILED
        assert sender.ask(headers=via_dtls(kam, agent.port)).status in FAILED
        assert not agent.requests
        if agent.received:
            assert_no_clear_text(agent.received)
        assert kam.rpc("tls.sessions")["dtls_unsent"] or name in ("verification", "expired", "no suite")


def test_queue_full(base):
    """What waits for the handshake is bounded. The peer is silent: a handshake that is over would let requests pass."""
    with Kamailio(base.but(modparams={"con_ct_wq_max": 100})) as kam, UdpSender(kam.address("udp")) as sender, \
            Far() as far:
        for _ in range(2):
            assert sender.ask(headers=via_dtls(kam, far.port)).status in FAILED
        assert kam.rpc("tls.sessions")["dtls_unsent"] >= 2
        until(lambda: far.seen, "the handshake goes on")
        assert_no_clear_text(far.seen)


def test_no_profile_for_dtls(base, pki, tmp_path):
    """The profile of outgoing connections has no version that DTLS has."""
    config = tmp_path / "tls.cfg"
    config.write_text(section("server:default", **pair(pki, "server-ec")) + section("client:default", method="TLSv1.3"))
    with Kamailio(reading(base, config)) as kam, UdpSender(kam.address("udp")) as sender, Far() as far:
        assert sender.ask(headers=via_dtls(kam, far.port)).status in FAILED
        assert not far.seen
        assert kam.log.find("DTLS init:")


def test_full(base):
    """dtls_max_connections counts outgoing ones, too."""
    with Kamailio(base.but(modparams={"dtls_max_connections": 1})) as kam, Far() as far, \
            DtlsClient(kam.address("dtls")) as client, UdpSender(kam.address("udp")) as sender:
        client.handshake()
        assert sender.ask(headers=via_dtls(kam, far.port)).status in FAILED
        assert not far.seen
        assert kam.log.find("is not sent: as many associations exist as dtls_max_connections allows")


def test_reply_without_association(kam):
    """The client has closed when the reply comes: it is not sent, and no association is opened for it."""
    with udp_socket() as agent, DtlsClient(kam.address("dtls")) as client:
        agent.settimeout(20)
        client.handshake()
        uri = f"sip:{LOOPBACK}:{kam.port('dtls')}"
        next_hop = (f"X-Next: sip:{LOOPBACK}:{agent.getsockname()[1]}", f"X-Socket: udp:{LOOPBACK}:{kam.port('udp')}")
        client.write(sip.request(uri=uri, via="UDP", sent_by=f"{LOOPBACK}:{client.port}", headers=next_hop))
        request, peer = agent.recvfrom(65536)
        client.close()
        until(lambda: not [entry for entry in kam.rpc("tls.list") if entry["src_port"] == client.port], "it has closed")
        client.recv_raw(1)      # the close_notify
        mark = kam.log.mark()
        agent.sendto(sip.reply(sip.parse(request)), peer)
        kam.log.wait("is not sent: there is no association, and only requests open one", mark)
        assert client.recv_raw(1) is None
        client.session.is_done = False
        kam.assert_healthy()


def test_server_that_starts_again(base, pki):
    """A server that closes: the next request opens a new association."""
    with Kamailio(base) as kam, UdpSender(kam.address("udp")) as sender, \
            DtlsAgent(pki.cert("server-ec"), pki.key("server-ec")) as agent:
        header = via_dtls(kam, agent.port)
        assert sender.ask(headers=header).status == 200
        agent.close_all()
        until(lambda: kam.tls_info()["dtls_connections"] == 0, "the association has ended")
        assert sender.ask(headers=header).status == 200
        assert_no_clear_text(agent.received)


@pytest.mark.long
def test_server_that_forgets(base, pki):
    """A server that has lost its sessions drops what it gets: after a while, requests open a new association."""
    with Kamailio(base) as kam, UdpSender(kam.address("udp")) as sender, \
            DtlsAgent(pki.cert("server-ec"), pki.key("server-ec")) as agent:
        header = via_dtls(kam, agent.port)
        assert sender.ask(headers=header).status == 200
        agent.forget()
        until(lambda: sender.ask(headers=header).status == 200, "it is served again", 60)
        assert_no_clear_text(agent.received)


BYPASS = r"""
# Sends by functions that do not raise the core's event for outgoing messages.
request_route {
	if (is_present_hf("X-Raw")) {
		$fs = $hdr(X-Socket);
		if (send_udp("$hdr(X-Raw)")) {
			sl_send_reply("200", "Sent");
		} else {
			sl_send_reply("500", "Not Sent");
		}
		exit;
	}
	if (is_method("REGISTER")) {
		save("location");
		exit;
	}
	sl_send_reply("200", "OK");
}
"""


# From 5.8 on, a keep-alive follows the registration, or the one before, after 40 to 60 seconds by default.
KEEP_ALIVES = () if host_version() < (5, 8) else (("usrloc", "ka_interval", 1), ("usrloc", "ka_randomize", 1))


def _pinging(*params):
    """Settings of a Kamailio that pings the contact, from the only UDP socket."""
    return "\n".join(f'modparam("{module}", "{name}", {value})' for module, name, value in params)


@pytest.fixture(scope="module")
def bypassing(base):
    with Kamailio(base.but(modules=("corex", "usrloc", "registrar", "nathelper"), script=BYPASS)) as kamailio:
        yield kamailio


def _raw(kam, port):
    return f"X-Raw: {LOOPBACK}:{port}", f"X-Socket: udp:{LOOPBACK}:{kam.port('dtls')}"


def test_udp_send_to_dtls(bypassing, pki):
    """A module that calls udp_send() sends records, too."""
    with DtlsAgent(pki.cert("server-ec"), pki.key("server-ec")) as agent, \
            UdpSender(bypassing.address("udp")) as sender:
        assert [sender.ask(headers=_raw(bypassing, agent.port)).status for _ in range(3)] == [200] * 3
        until(lambda: len(agent.requests) == 3, "three requests arrive")
        assert_no_clear_text(agent.received)


def test_udp_send_to_udp(bypassing):
    with Far() as far, UdpSender(bypassing.address("udp")) as sender:
        for _ in range(3):
            sender.ask(headers=_raw(bypassing, far.port))
        until(lambda: len(far.seen) >= 3, "three datagrams arrive")
        assert_no_clear_text(far.seen)


def test_udp_send_from_another_socket(bypassing):
    """The sockets that do not speak DTLS are as before."""
    with Far() as far, UdpSender(bypassing.address("udp")) as sender:
        header = f"X-Raw: {LOOPBACK}:{far.port}", f"X-Socket: udp:{LOOPBACK}:{bypassing.port('udp')}"
        assert sender.ask(headers=header).status == 200
        until(lambda: far.seen, "a datagram arrives")
        assert b"SIP/2.0" in far.seen[0]


@pytest.mark.parametrize("params", (
    (("nathelper", "natping_interval", 1), ("nathelper", "ping_nated_only", 0)),
    (("nathelper", "natping_interval", 1), ("nathelper", "ping_nated_only", 0), ("nathelper", "sipping_bflag", 7),
     ("nathelper", "sipping_from", '"sip:ping@example.org"')),
    (("usrloc", "ka_mode", 1), ("usrloc", "timer_interval", 1), ("usrloc", "ka_from", '"sip:ping@example.org"'),
     ("usrloc", "ka_domain", '"example.org"'), *KEEP_ALIVES),
), ids=("natping", "sipping", "usrloc"))
def test_pings(base, params):
    """Pings to a contact that speaks plain UDP: nothing arrives but what DTLS sends."""
    changed = base.but(listen=("tls", "dtls"), modules=("corex", "usrloc", "registrar", "nathelper"), script=BYPASS,
                       config=_pinging(*params))
    with Kamailio(changed) as kam, Far() as far, DtlsClient(kam.address("dtls")) as client:
        client.handshake()
        mark = kam.log.mark()
        contact = f"Contact: <sip:far@{LOOPBACK}:{far.port}>"
        client.write(sip.request("REGISTER", f"sip:{LOOPBACK}", via="UDP", headers=(contact, "Expires: 300"),
                                 sent_by=f"{LOOPBACK}:{client.port}"))
        assert sip.parse(client.read()).status == 200
        until(lambda: far.seen or kam.log.find("DTLS: a message to .* is not sent", mark), "a ping")
        until(lambda: kam.rpc("tls.sessions")["dtls_unsent"] or far.seen, "it is counted")
        assert all(dtls.is_dtls(datagram) for datagram in far.seen), far.seen


def _only_dtls(base, *modules, **more):
    """Settings of a Kamailio whose only UDP socket is that of dtls_listen: it is the default one."""
    return base.but(listen=("tls", "dtls"), modules=modules, **more)


def _assert_unsent(kam, far):
    """The text is counted as not sent, and whatever has arrived is DTLS."""
    until(lambda: kam.rpc("tls.sessions")["dtls_unsent"], "it is counted")
    assert all(dtls.is_dtls(datagram) for datagram in far.seen), far.seen


def _tracing(hep, port):
    return (f'modparam("siptrace", "duplicate_uri", "sip:{LOOPBACK}:{port}")\n'
            f'modparam("siptrace", "hep_mode_on", {hep})\n'
            'modparam("siptrace", "trace_on", 1)\nmodparam("siptrace", "trace_to_database", 0)\n'
            'modparam("siptrace", "hep_version", 3)')


TRACE = """
request_route {
	sip_trace();
	sl_send_reply("200", "OK");
}
"""


@pytest.mark.parametrize("hep", (0, 1), ids=("sip", "hep"))
def test_siptrace(base, hep):
    """Copies of messages, to a collector on plain UDP."""
    with Far() as far, Kamailio(_only_dtls(base, "siptrace", script=TRACE, config=_tracing(hep, far.port))) as kam, \
            DtlsClient(kam.address("dtls")) as client:
        assert client.handshake().ask().status == 200
        if hep:
            _assert_unsent(kam, far)
        else:       # a request opens an association, with a hello
            until(lambda: far.seen, "a datagram arrives")
            assert_no_clear_text(far.seen)


def test_siptrace_to_dtls(base, pki):
    """Copies of messages, to a collector that speaks DTLS."""
    with DtlsAgent(pki.cert("server-ec"), pki.key("server-ec")) as agent, \
            Kamailio(_only_dtls(base, "siptrace", script=TRACE, config=_tracing(0, agent.port))) as kam, \
            DtlsClient(kam.address("dtls")) as client:
        assert client.handshake().ask().status == 200
        until(lambda: agent.requests, "the copy of the request")
        assert_no_clear_text(agent.received)


def test_siptrace_from_another_socket(base):
    """Without DTLS on the socket, the copy is what it always was."""
    with Far() as far, Kamailio(base.but(modules=("siptrace",), script=TRACE, config=_tracing(0, far.port))) as kam, \
            UdpSender(kam.address("udp")) as sender:
        assert sender.ask().status == 200
        until(lambda: far.seen, "a datagram arrives")
        assert b"SIP/2.0" in far.seen[0]


KEEP_ALIVE = """
request_route {
	if (is_method("REGISTER")) {
		nat_keepalive();
		save("location");
		exit;
	}
	sl_send_reply("200", "OK");
}
"""


def test_nat_traversal(base):
    """Keep-alives, to a client with an association, and to its address after it has closed."""
    changed = _only_dtls(base, "usrloc", "registrar", "nat_traversal", script=KEEP_ALIVE,
                         config='modparam("nat_traversal", "keepalive_interval", 10)')
    with Kamailio(changed) as kam, DtlsClient(kam.address("dtls")) as client:
        client.handshake()
        contact = f"Contact: <sip:me@{LOOPBACK}:{client.port}>"
        client.write(sip.request("REGISTER", f"sip:{LOOPBACK}", via="UDP", headers=(contact, "Expires: 300"),
                                 sent_by=f"{LOOPBACK}:{client.port}"))
        assert sip.parse(client.read()).status == 200
        assert sip.parse(client.read(30)).method == "NOTIFY", "by DTLS"
        client.close()
        client.session.is_done = False
        until(lambda: kam.tls_info()["dtls_connections"] == 0, "it has closed")
        while client.recv_raw(1) is not None:       # the close_notify
            pass
        client.received.clear()
        until(lambda: client.recv_raw(), "the next one", 30)
        assert_no_clear_text(client.received)


LOG = """
request_route {
	log_udp("a line of the log\\n");
	sl_send_reply("200", "OK");
}
"""


def _logging(base, port, *listen):
    return base.but(listen=listen, modules=("log_custom",), script=LOG,
                    core=f'log_engine_type="udp"\nlog_engine_data="{LOOPBACK}:{port}"')


def test_log_custom(base):
    """Log lines, to a collector on plain UDP."""
    with Far() as far, Kamailio(_logging(base, far.port, "tls", "dtls")) as kam, \
            DtlsClient(kam.address("dtls")) as client:
        assert client.handshake().ask().status == 200
        _assert_unsent(kam, far)


def test_log_custom_to_a_dtls_peer(base):
    """Log lines for the far end of an association are records of it."""
    port = free_port()
    with Kamailio(_logging(base, port, "tls", "dtls")) as kam, DtlsClient(kam.address("dtls"), port=port) as client:
        client.handshake()
        client.received.clear()     # the certificate has a SIP URI
        client.write(sip.options(client.sip_port, via="UDP", sent_by=f"{LOOPBACK}:{client.port}"))
        assert sorted(client.read()[:7] for _ in range(2)) == [b"SIP/2.0", b"a line "]
        assert_no_clear_text(client.received)


def test_log_custom_from_another_socket(base):
    with Far() as far, Kamailio(_logging(base, far.port, "tls", "dtls", "udp")) as kam, \
            UdpSender(kam.address("udp")) as sender:
        assert sender.ask().status == 200
        until(lambda: any(b"a line of the log" in datagram for datagram in far.seen), "a line of the log")


def test_stun(base):
    """Binding requests, as clear text and by DTLS, are not answered on a socket of dtls_listen, and are on another."""
    question = bytes.fromhex("000100002112a442") + bytes(range(12))
    with Kamailio(base.but(modules=("stun",))) as kam, udp_socket() as plain, DtlsClient(kam.address("dtls")) as client:
        plain.settimeout(0.5)
        plain.sendto(question, kam.address("dtls"))
        with pytest.raises(TimeoutError):
            plain.recv(2048)
        client.handshake()
        client.received.clear()
        client.write(question)
        assert client.ask().status == 200
        assert_no_clear_text(client.received)
        assert not any(question[8:] in datagram for datagram in client.received)
        plain.settimeout(20)
        plain.sendto(question, kam.address("udp"))
        assert plain.recv(2048)[8:20] == question[8:]


def test_topoh(base, pki):
    """topoh changes what goes out, and what comes in: it sees the text, the wire sees records."""
    changed = base.but(modules=("rr", "topoh"), config=base.config + '\nmodparam("topoh", "mask_ip", "10.1.2.3")')
    with Kamailio(changed) as kam, UdpSender(kam.address("udp")) as sender, \
            DtlsAgent(pki.cert("server-ec"), pki.key("server-ec")) as agent:
        contact = f"Contact: <sip:tester@{LOOPBACK}:{sender.sent_by.split(':')[1]}>"
        reply = sender.ask(method="INVITE", headers=(*via_dtls(kam, agent.port), contact))
        assert reply.status == 200
        assert "10.1.2.3" in agent.requests[0]["Contact"], "topoh has masked it before it was encrypted"
        assert_no_clear_text(agent.received)
