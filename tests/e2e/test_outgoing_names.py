# tls_gnutls - end to end: which profile and which server name an outgoing connection has
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import ssl

import pytest

from .lib.kamailio import DEFAULT_SCRIPT
from .lib.tls import server_context
from .lib.tlscfg import pair, reading, section
from .lib.uas import TlsAgent, UdpSender

OURS = pytest.mark.ours_only("names are sent from the xavp only")

# X-Name and X-Id go to the xavp, X-Set-Id to the function; X-Next-Hop names the server as doc/outgoing.md says
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
	if (is_present_hf("X-Next-Hop")) {
		if (is_present_hf("X-Next")) {
			$du = $hdr(X-Next);
		}
		$xavp(tls=>server_name) = $nh(d);
	}
	if (is_present_hf("X-Set-Id")) {
		tls_set_connect_server_id("$hdr(X-Set-Id)");
	}
""")
XAVP = {"xavp_cfg": "tls"}


class _Caller:
    """Sends requests through a Kamailio and returns what the server saw."""

    def __init__(self, kam, pki, version=None):
        self.kam = kam
        self._context = server_context(pki.cert("server-ec"), pki.key("server-ec"), version, pki.path("ca.pem"))
        self._context.verify_mode = ssl.CERT_OPTIONAL

    def call(self, *requests, host="127.0.0.1"):
        """[(server name, common name of the client)] of the connections made for requests (tuples of header lines)."""
        with TlsAgent(self._context) as agent, UdpSender(self.kam.address("udp")) as sender:
            for headers in requests:
                headers = tuple(line.replace("PORT", str(agent.port)) for line in headers)
                reply = sender.ask(uri=f"sip:far@{host}:{agent.port};transport=tls", method="MESSAGE", headers=headers)
                assert reply is not None and reply.status == 200
            seen = [dict(pairs[0] for pairs in peer["subject"])["commonName"] if peer else None for peer in agent.peers]
            return list(zip(agent.names, seen))


@pytest.fixture
def caller(start, settings, pki):
    """caller(**changes of the settings) returns a _Caller."""
    def make(version=None, **changes):
        kam = start(settings.but(listen=("tls", "udp"), script=SCRIPT).but(**changes))
        return _Caller(kam, pki, version)
    return make


@pytest.fixture
def with_file(settings, pki, tmp_path, start):
    """with_file(sections, **modparams) returns a _Caller of a Kamailio that reads them."""
    def make(text, **modparams):
        path = tmp_path / "tls.cfg"
        path.write_text(section("server:default", **pair(pki, "server-ec")) + text)
        ready = reading(settings, path, listen=("tls", "udp"), script=SCRIPT).but(modparams=modparams)
        return _Caller(start(ready), pki)
    return make


# ---- which profile ---------------------------------------------------------------------------------------------------

def test_local_address_selects_the_profile(with_file, pki):
    caller = with_file(section("client:default") + section("client:127.0.0.1:0", **pair(pki, "client-ok"))
                       + section("client:127.0.0.9:0", **pair(pki, "client-rsa")), **XAVP)
    assert caller.call(()) == [(None, "client-ok")]


def test_id_takes_precedence_over_name_and_address(with_file, pki):
    """The last section of the file that matches counts; an id matches whatever the address is."""
    sections = (
        section("client:127.0.0.1:0", **pair(pki, "client-ok")),
        section("client:any", server_name="name.example", **pair(pki, "client-rsa")),
        section("client:127.0.0.9:0", server_id="gold", **pair(pki, "client-deep")),
    )
    caller = with_file("".join(sections), **XAVP)
    assert caller.call(("X-Name: name.example", "X-Id: gold")) == [("name.example", "client-deep")]
    assert caller.call(("X-Name: name.example",)) == [("name.example", "client-rsa")]
    assert caller.call(("X-Name: other.example",)) == [("other.example", "client-ok")]


@pytest.mark.parametrize("mode,names", (
    (0, {"example.org": True, "EXAMPLE.org": True, "a.example.org": False, "notexample.org": False}),
    (1, {"example.org": True, "a.example.org": True, "a.b.example.org": True, "notexample.org": False}),
    (2, {"example.org": False, "a.example.org": True, "a.b.example.org": True, "notexample.org": False}),
))
def test_modes_of_names(with_file, pki, mode, names):
    caller = with_file(section("client:default") + section(
        "client:any", server_name="example.org", server_name_mode=mode, **pair(pki, "client-ok")), **XAVP)
    for name, fits in names.items():
        assert [seen for _, seen in caller.call((f"X-Name: {name}",))] == ["client-ok" if fits else None], name


def test_id_of_the_function_is_for_one_connection(with_file, pki):
    """Used or not: the next connection does not get it."""
    caller = with_file(section("client:default")
                       + section("client:127.0.0.9:0", server_id="gold", **pair(pki, "client-ok")), **XAVP)
    for _ in range(4):          # in any worker
        assert caller.call(("X-Set-Id: gold",)) == [(None, "client-ok")]
        assert caller.call(()) == [(None, None)]
        assert caller.call(("X-Set-Id: unknown",)) == [(None, None)]


@pytest.mark.ours_only("kept for the next connection of the process")
def test_id_of_the_function_does_not_outlive_its_request(with_file, pki):
    """The first request uses an open connection: no connection is made with its id."""
    caller = with_file(section("client:default")
                       + section("client:127.0.0.9:0", server_id="gold", **pair(pki, "client-ok")), **XAVP)
    for _ in range(4):
        assert caller.call((), ("X-Set-Id: gold",)) == [(None, None)]
        assert caller.call(()) == [(None, None)]


def test_without_xavp_cfg_the_xavp_is_ignored(with_file, pki):
    caller = with_file(section("client:default")
                       + section("client:127.0.0.9:0", server_id="gold", **pair(pki, "client-ok")))
    assert caller.call(("X-Id: gold", "X-Name: name.example")) == [(None, None)]
    assert caller.call(("X-Set-Id: gold",)) == [(None, "client-ok")]


def test_connection_is_reused_whatever_the_name(with_file, pki):
    """Before 6.1 Kamailio finds open connections by address only."""
    caller = with_file(section("client:any", server_name="name.example", **pair(pki, "client-ok")), **XAVP)
    assert caller.call((), ("X-Name: name.example",)) == [(None, None)]


# ---- which server name is sent ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("version", ("TLSv1.2", "TLSv1.3"))
def test_name_of_the_xavp(caller, version):
    caller = caller(version, modparams=XAVP)
    assert caller.call(("X-Name: Name.Example",)) == [("Name.Example", "server-ec")]
    assert caller.call(()) == [(None, "server-ec")]


@OURS
@pytest.mark.parametrize("name,sent", (
    ("127.0.0.1", None), ("::1", None), ("[::1]", None), ("name.example.", "name.example"), (".", None),
    ("b\u00fccher.example", "xn--bcher-kva.example"), ("under_score.example", "under_score.example"),
    ("x" * 300, None), ("a b", None),
))
def test_name_that_is_not_a_host_name_is_not_sent(caller, name, sent):
    """RFC 6066, section 3: no addresses, no trailing dot; the request is sent all the same."""
    assert [seen for seen, _ in caller(modparams=XAVP).call((f"X-Name: {name}",))] == [sent]


@OURS
@pytest.mark.parametrize("on", (None, 1, 0))
def test_the_parameter_is_no_name_of_a_destination(caller, on):
    caller = caller(modparams={**XAVP, "server_name": "parameter.example", "outgoing_sni": on})
    assert caller.call(()) == [(None, "server-ec")]
    assert caller.call(("X-Name: name.example",)) == [("name.example", "server-ec")]


@OURS
@pytest.mark.parametrize("headers,sent", (
    ((), "address.example"),
    (("X-Id: gold",), "gold.example"),
    (("X-Set-Id: gold",), "gold.example"),
    (("X-Id: literal",), None),
    (("X-Id: none",), None),
    (("X-Name: name.example",), "name.example"),
    (("X-Name: name.example", "X-Id: gold"), "name.example"),
))
def test_name_of_the_profile(with_file, headers, sent):
    """The xavp, else the server_name of the section that was chosen without a name."""
    sections = (
        section("client:default", server_name="default.example"),
        section("client:127.0.0.1:0", server_name="address.example"),
        section("client:127.0.0.9:0", server_id="gold", server_name="gold.example"),
        section("client:127.0.0.8:0", server_id="literal", server_name="127.0.0.1"),
        section("client:127.0.0.7:0", server_id="none"),
    )
    assert with_file("".join(sections), **XAVP).call(headers) == [(sent, None)]


def test_the_default_profile_has_no_name_of_a_destination(with_file):
    """It is for all destinations, and its server_name is often our own domain: no module sends it."""
    caller = with_file(section("client:default", server_name="default.example"), **XAVP)
    assert caller.call(()) == [(None, None)]
    assert caller.call(("X-Name: name.example",)) == [("name.example", None)]


@OURS
def test_outgoing_sni_is_the_switch(with_file):
    text = section("client:default") + section("client:127.0.0.1:0", server_name="address.example")
    assert with_file(text).call(()) == [("address.example", None)]


def test_outgoing_sni_off(with_file):
    text = section("client:default") + section("client:127.0.0.1:0", server_name="address.example")
    assert with_file(text, outgoing_sni=0).call(()) == [(None, None)]


@OURS
@pytest.mark.parametrize("host,headers,sent", (
    ("near.example", (), "near.example"),                                                   # of the request URI
    ("127.0.0.1", (), None),
    ("far.example", ("X-Next: sip:near.example:PORT;transport=tls",), "near.example"),      # of the next hop
    ("near.example", ("X-Next: sip:127.0.0.1:PORT;transport=tls",), None),
))
def test_script_sends_the_name_of_the_next_hop(caller, host, headers, sent):
    """One line of the script, as doc/outgoing.md shows it."""
    calls = caller(modparams=XAVP)
    calls.kam.rpc("dns.add_a", "near.example", 600, "127.0.0.1", 0)
    assert [seen for seen, _ in calls.call(("X-Next-Hop: 1", *headers), host=host)] == [sent]


# ---- several xavps of one name ---------------------------------------------------------------------------------------

PRINTED = ('$xavp(tls=>server_name) = "name.example";', '$xavp(tls=>server_id) = "gold";')


@OURS
@pytest.mark.parametrize("lines,name,client", (
    (PRINTED, "name.example", "client-ok"),             # as tls's documentation prints it: two xavps
    (PRINTED[::-1], "name.example", "client-ok"),
    ((*PRINTED, '$xavp(tls=>server_name) = "newer.example";'), "newer.example", "client-ok"),
    ((*PRINTED, '$xavp(tls[0]=>server_id) = "none";'), "name.example", None),
    ((*PRINTED, '$xavp(tls=>server_name) = "";'), "gold.example", "client-ok"),
    ((*PRINTED, "$xavp(tls=>server_name) = 7;"), "gold.example", "client-ok"),
    ((*PRINTED, "$xavp(tls=>other) = 1;"), "name.example", "client-ok"),
    ((*PRINTED, '$xavp(tls) = "text";', "$xavp(tls) = 7;"), "name.example", "client-ok"),
    ((*PRINTED, "$xavp(tls[*]) = $null;"), None, None),
))
def test_all_xavps_are_read(settings, pki, tmp_path, start, lines, name, client):
    """The newest value of each name is taken, whichever xavp has it."""
    path = tmp_path / "tls.cfg"
    path.write_text(section("server:default", **pair(pki, "server-ec"))
                    + section("client:127.0.0.9:0", server_id="gold", server_name="gold.example",
                              **pair(pki, "client-ok")))
    script = DEFAULT_SCRIPT.replace("request_route {", "request_route {\n" + "\n".join(lines))
    kam = start(reading(settings, path, listen=("tls", "udp"), script=script).but(modparams=XAVP))
    assert _Caller(kam, pki).call(()) == [(name, client)]
