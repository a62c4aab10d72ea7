# tls_gnutls - end to end: SIP over DTLS, sent; and that no clear text ever is
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""Requests come in on UDP and go out from the socket of dtls_listen.

Wherever they go to, all datagrams that arrive are DTLS: Far.assert_no_clear_text().
"""

import pytest

from .lib import dtls, sip
from .lib.dtls import DtlsAgent, DtlsClient, Relay
from .lib.kamailio import Kamailio
from .lib.ports import LOOPBACK
from .lib.uas import Service, UdpSender, udp_socket
from .lib.wait import until

pytestmark = pytest.mark.ours_only("it has no DTLS")

SCRIPT = r"""
# "X-Next" is where a request goes, "X-Socket" the socket that it leaves from.
request_route {
	if (is_present_hf("X-Next")) {
		$du = $hdr(X-Next);
		$fs = $hdr(X-Socket);
		remove_hf("X-Next");
		if (!t_relay()) {
			sl_reply_error();
		}
		exit;
	}
	append_to_reply("X-Worker: $pp\r\n");
	sl_send_reply("200", "OK");
}
"""
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
    return settings.but(listen=("tls", "udp", "dtls"), config=QUICK, script=SCRIPT)


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
     ("usrloc", "ka_domain", '"example.org"')),
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
