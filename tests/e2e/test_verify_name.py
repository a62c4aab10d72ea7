# tls_gnutls - end to end: verify_name, whether a server's certificate is for the name that was asked for
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
from concurrent.futures import ThreadPoolExecutor

import pytest

from .lib.kamailio import DEFAULT_SCRIPT, Kamailio
from .lib.names import make_leaf
from .lib.tls import TlsClient, client_context, server_context
from .lib.uas import TlsAgent, UdpSender

pytestmark = pytest.mark.ours_only("names are not compared")

SCRIPT = DEFAULT_SCRIPT.replace("request_route {", """request_route {
	if (is_present_hf("X-Name")) {
		$xavp(tls=>server_name) = $hdr(X-Name);
	}
""")
SHORT_TIMER = 'modparam("tm", "fr_timer", 1000)'
FAILED = (408, 477, 503)
NAME = "proxy.example.org"

# what a certificate has: names (None: no subjectAltName), common name, accepted with verify_name 1 and 2
CERTIFICATES = {
    "dns": ([("dns", NAME)], "x", True, True),
    "dns-second": ([("dns", "a.example"), ("email", "a@example.org"), ("dns", NAME)], "x", True, True),
    "dns-case": ([("dns", "PROXY.Example.ORG")], "x", True, True),
    "dns-dot": ([("dns", NAME + ".")], "x", True, True),
    "dns-other": ([("dns", "other.example.org")], NAME, False, False),
    "dns-longer": ([("dns", "a." + NAME)], "x", False, False),
    "dns-shorter": ([("dns", "example.org")], "x", False, False),
    "uri": ([("uri", "sip:" + NAME)], "x", True, True),
    "uri-case": ([("uri", "SIP:Proxy.example.org")], "x", True, True),
    "uri-port": ([("uri", "sip:" + NAME + ":5061;transport=tls")], "x", True, True),
    "uri-sips": ([("uri", "sips:" + NAME)], "x", False, False),
    "uri-http": ([("uri", "http://" + NAME)], "x", False, False),
    "uri-user": ([("uri", "sip:alice@" + NAME)], "x", False, False),
    "uri-other": ([("uri", "sip:other.example.org")], NAME, False, False),
    "cn": (None, NAME, True, True),
    "cn-other": (None, "other.example.org", False, False),
    "cn-wildcard": (None, "*.example.org", False, False),
    "cn-beside-email": ([("email", "a@example.org")], NAME, False, False),
    "cn-beside-nothing": ([], NAME, False, False),
    "wildcard": ([("dns", "*.example.org")], "x", False, True),
    "wildcard-part": ([("dns", "p*.example.org")], "x", False, False),
    "wildcard-top": ([("dns", "*.org")], "x", False, False),
    "wildcard-deep": ([("dns", "*." + NAME)], "x", False, False),
    "wildcard-uri": ([("uri", "sip:*.example.org")], "x", False, False),
    "zero": ([("dns", b"proxy.example.org\0.evil.example")], "x", False, False),
    "zero-end": ([("dns", b"proxy.example.org\0")], "x", False, False),
    "zero-uri": ([("uri", b"sip:proxy.example.org\0.evil.example")], "x", False, False),
    "long": ([("dns", "a." * 4000 + NAME)], "x", False, False),
    "long-label": ([("dns", "a" * 8000)], "x", False, False),
    "long-and-right": ([("dns", "a." * 4000 + NAME), ("dns", NAME)], "x", True, True),
    "many": ([("dns", f"n{n}.example.org") for n in range(500)] + [("dns", NAME)], "x", True, True),
    "mail": ([("email", "a@" + NAME)], "x", False, False),
}
OTHER_CERTIFICATES = {
    "address": ([("ip", "127.0.0.1"), ("dns", "127.0.0.1")], "127.0.0.1"),
    "idn": ([("dns", "xn--bcher-kva.example")], "x"),
}


@pytest.fixture(scope="module")
def leaves(pki):
    """name -> certificate and key, of both tables."""
    rows = {**CERTIFICATES, **OTHER_CERTIFICATES}
    return {name: make_leaf(pki, f"name-{name}", row[0], row[1]) for name, row in rows.items()}


@pytest.fixture(scope="module", params=(1, 2))
def kam(request, settings):
    with Kamailio(settings.but(listen=("tls", "udp"), script=SCRIPT, config=SHORT_TIMER, modparams={
            "xavp_cfg": "tls", "verify_certificate": 1, "verify_name": request.param})) as kamailio:
        kamailio.mode = request.param
        yield kamailio


def _delivers(kam, pair, name, version=None):
    """Whether a request for that name reaches a server with that certificate."""
    with TlsAgent(server_context(*pair, version)) as agent, UdpSender(kam.address("udp")) as sender:
        headers = (f"X-Name: {name}",) if name else ()
        reply = sender.ask(uri=f"sip:far@127.0.0.1:{agent.port};transport=tls", headers=headers)
        assert reply is not None and (reply.status == 200 or reply.status in FAILED)
        assert len(agent.requests) == (reply.status == 200)
        return reply.status == 200


@pytest.mark.parametrize("version", ("TLSv1.2", "TLSv1.3"))
def test_identities(kam, leaves, version):
    with ThreadPoolExecutor(16) as pool:
        calls = {name: pool.submit(_delivers, kam, leaves[name], NAME, version) for name in CERTIFICATES}
        got = {name: call.result() for name, call in calls.items()}
    assert got == {name: row[1 + kam.mode] for name, row in CERTIFICATES.items()}
    kam.wait_connections(0)


@pytest.mark.parametrize("row,name,accepted", (
    ("dns", "Proxy.EXAMPLE.org", True),
    ("dns", "proxy.example.org.", True),
    ("dns", "proxy.example", False),
    ("dns", None, False),                       # no name is expected
    ("address", "127.0.0.1", False),            # an address is not an identity
    ("idn", "b\u00fccher.example", True),
    ("idn", "B\u00dcCHER.example", True),
    ("idn", "xn--bcher-kva.example", True),
    ("idn", "bucher.example", False),
))
def test_expected_names(kam, leaves, row, name, accepted):
    assert _delivers(kam, leaves[row], name) == accepted


def test_log_says_why(kam, leaves):
    mark = kam.log.mark()
    assert not _delivers(kam, leaves["dns-other"], NAME)
    lines = kam.log.wait(r"certificate is not valid for the expected name", since=mark)
    assert not kam.log.at_level("ERROR", since=mark), lines
    assert int(kam.rpc("tls.sessions")["verify_failed"]) > 0


@pytest.mark.parametrize("sni", (0, 1))
def test_name_of_the_parameter_is_expected(start, settings, leaves, sni):
    """Even when it is not sent."""
    kam = start(settings.but(listen=("tls", "udp"), script=SCRIPT, config=SHORT_TIMER, modparams={
        "server_name": NAME, "verify_certificate": 1, "verify_name": 1, "outgoing_sni": sni}))
    assert _delivers(kam, leaves["dns"], None)
    assert not _delivers(kam, leaves["dns-other"], None)


def test_without_verification_nothing_is_refused(start, settings, leaves):
    """A warning at start-up says so."""
    kam = start(settings.but(listen=("tls", "udp"), script=SCRIPT, config=SHORT_TIMER, modparams={
        "xavp_cfg": "tls", "verify_name": 1}))
    assert len(kam.log.find(r"WARNING.*TLSc<default>: verify_name is set, but no certificate is refused")) == 1
    assert _delivers(kam, leaves["dns-other"], NAME)


def test_clients_are_not_compared(kam, start, settings, pki, leaves):
    """A server expects no name of its clients."""
    kam = start(settings.but(modparams={"verify_client": "on", "verify_name": kam.mode, "server_name": NAME}))
    for row in ("dns", "dns-other"):
        with TlsClient(kam.address(), client_context(cert=leaves[row][0], key=leaves[row][1])) as client:
            assert client.ask().status == 200
    with pytest.raises((OSError, EOFError)):
        context = client_context(cert=pki.cert("client-stranger"), key=pki.key("client-stranger"))
        with TlsClient(kam.address(), context) as client:
            client.ask()
