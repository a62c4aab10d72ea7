# tls_gnutls - end to end: which open connection a request may use, with the core's tls_connection_match_domain
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""Kamailio 6.1 asks the module in two places: before an open connection is used for a request, and before a new one is
entered under an address that another one has."""

import ssl

import pytest

from .lib import sip
from .lib.kamailio import DEFAULT_SCRIPT, host_version
from .lib.tls import TlsClient, client_context, server_context
from .lib.tlscfg import pair, reading, section
from .lib.uas import TlsAgent, UdpSender
from .lib.wait import until

pytestmark = pytest.mark.skipif(host_version() < (6, 1), reason="tls_connection_match_domain exists since Kamailio 6.1")

SCRIPT = DEFAULT_SCRIPT.replace("request_route {", """request_route {
	if (is_present_hf("X-Id")) {
		$xavp(tls=>server_id) = $hdr(X-Id);
	}
	if (is_present_hf("X-Name")) {
		if (is_present_hf("X-Id")) {
			$xavp(tls[0]=>server_name) = $hdr(X-Name);
		} else {
			$xavp(tls=>server_name) = $hdr(X-Name);
		}
	}
""")
GOLD, SILVER = ("X-Id: gold",), ("X-Id: silver",)


class _Proxy:
    """A Kamailio with two sections [client:any] that differ in their id, and a server that asks for certificates."""

    def __init__(self, start, settings, pki, folder, matching):
        config = folder / "tls.cfg"
        config.write_text(
            section("server:default", **pair(pki, "server-ec")) + section("client:default")
            + section("client:any", server_id="gold", **pair(pki, "client-ok"))
            + section("client:any", server_id="silver", **pair(pki, "client-rsa")))
        self.kam = start(reading(
            settings, config, listen=("tls", "udp"), script=SCRIPT,
            core=f"tls_connection_match_domain={'yes' if matching else 'no'}").but(modparams={"xavp_cfg": "tls"}))
        self._context = server_context(pki.cert("server-ec"), pki.key("server-ec"), None, pki.path("ca.pem"))
        self._context.verify_mode = ssl.CERT_OPTIONAL

    def connections(self, *requests, between=lambda: None):
        """[(server name, common name of the client)] of the connections made for requests, each a tuple of headers."""
        with TlsAgent(self._context) as agent, UdpSender(self.kam.address("udp")) as sender:
            for headers in requests:
                reply = sender.ask(uri=f"sip:far@127.0.0.1:{agent.port};transport=tls", headers=headers)
                assert reply is not None and reply.status == 200
                between()
            assert len(agent.requests) == len(requests)
            seen = [dict(pairs[0] for pairs in peer["subject"])["commonName"] if peer else None for peer in agent.peers]
            return list(zip(agent.names, seen))


@pytest.fixture
def proxy(start, settings, pki, tmp_path):
    return _Proxy(start, settings, pki, tmp_path, matching=True)


def test_without_the_setting_one_connection_serves_all(start, settings, pki, tmp_path):
    proxy = _Proxy(start, settings, pki, tmp_path, matching=False)
    assert proxy.connections(GOLD, SILVER, (), ("X-Name: a.example",)) == [(None, "client-ok")]


def test_sections_that_differ_in_their_id_share_no_connection(proxy):
    """Each connection serves all requests of its id, also the one that was opened second."""
    assert proxy.connections(*(GOLD, SILVER) * 4) == [(None, "client-ok"), (None, "client-rsa")]


def test_request_without_id_gets_a_connection_of_its_own(proxy):
    assert proxy.connections(GOLD, (), GOLD, ()) == [(None, "client-ok"), (None, None)]


def test_names_share_no_connection(proxy):
    a, b, gold_a = ("X-Name: a.example",), ("X-Name: b.example",), ("X-Name: a.example", *GOLD)
    assert proxy.connections(a, b, gold_a, b, a, gold_a, ("X-Name: A.example",)) == [
        ("a.example", None), ("b.example", None), ("a.example", "client-ok")]


def test_section_read_again_is_the_same(proxy):
    """After tls.reload the connections of before are used on."""
    assert proxy.connections(GOLD, SILVER, GOLD, SILVER, between=lambda: proxy.kam.rpc("tls.reload")) == [
        (None, "client-ok"), (None, "client-rsa")]


def test_connections_to_itself(proxy):
    """A Kamailio that sends to its own TLS socket: two connections for each id, one of either end."""
    kam = proxy.kam
    with UdpSender(kam.address("udp")) as sender:
        for headers, count in ((GOLD, 2), (GOLD, 2), (SILVER, 4), (GOLD, 4), (SILVER, 4)):
            target = f"X-Next: sip:127.0.0.1:{kam.port()};transport=tls"
            reply = sender.ask(uri=f"sip:127.0.0.1:{kam.port()}", headers=(target, *headers))
            assert reply is not None and reply.status == 200
            assert kam.tls_info()["opened_connections"] == count


@pytest.mark.parametrize("names,refused", ((("a.example", "a.example"), True), (("a.example", "b.example"), False),
                                           (("a.example", "A.example"), True), ((None, "a.example"), False)))
def test_alias_of_accepted_connections(start, settings, pki, tmp_path, names, refused):
    """A port that one client has claimed: another one may claim it too when it has another server name."""
    config = tmp_path / "tls.cfg"
    config.write_text(section("server:default", **pair(pki, "server-ec")) + section("client:default"))
    kam = start(reading(settings, config, script='request_route { force_tcp_alias(7777); sl_send_reply("200", "OK"); }',
                        core="tls_connection_match_domain=yes", modules=("cfg_rpc",)))
    kam.rpc("cfg.set_now_int", "tcp", "alias_flags", 0)     # an alias of another connection is refused
    context = client_context()
    with TlsClient(kam.address(), context, name=names[0]) as first, TlsClient(kam.address(), context,
                                                                             name=names[1]) as second:
        first.ask()
        assert not kam.log.find("possible port hijack attempt")
        second.send(sip.options(kam.port()))
        until(lambda: kam.log.find("possible port hijack attempt") or second.receive().status == 200, "an answer")
        assert bool(kam.log.find("possible port hijack attempt")) == refused
