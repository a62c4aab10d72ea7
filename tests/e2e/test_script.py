# tls_gnutls - end to end: variables, selects and functions in the native script
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import ipaddress
import re
import socket

import pytest

from .lib import sip, ws
from .lib.kamailio import Kamailio
from .lib.tls import TlsClient, client_context, server_context
from .lib.uas import TlsAgent, UdpAgent, UdpSender
from .lib.wait import until

XLOG = 'modparam("xlog", "buf_size", 65535)\n'
VERIFYING = {"verify_client": "optional_no_ca"}


def _script(*expressions, before="", after=""):
    """A route that logs each expression on a line of its own and then answers."""
    lines = ['\txlog("L_NOTICE", "V $ci %d <%s>\\n");' % (number, text.replace('"', '\\"'))
             for number, text in enumerate(expressions)]
    return "\n".join(["request_route {", before, *lines, after,
                      '\tsl_send_reply("200", "OK");', "}"])


def _values(kam, mark, call):
    """The logged values of one request, in order."""
    found = (re.search(rf"V {call} (\d+) <(.*)>$", line) for line in kam.log.lines(mark))
    return [match[2] for match in found if match]


def _ask(kam, context):
    """Send one request over TLS; returns the values that the script logged for it."""
    call = sip.new_id()
    mark = kam.log.mark()
    with TlsClient(kam.address(), context) as client:
        assert client.ask(sip.options(kam.port(), call_id=call)).status == 200
    return _values(kam, mark, call)


@pytest.fixture
def known(pki):
    """A client with a certificate that is trusted."""
    return client_context(cert=pki.cert("client-ok"), key=pki.key("client-ok"))


LATER = {
    "$(tls_peer_san_hostname[0])": "localhost",
    "$(tls_peer_san_hostname[1])": "client-ok.example.org",
    "$(tls_peer_san_hostname[2])": "<null>",
    "$(tls_peer_san_hostname[-1])": "<null>",
    "$(tls_peer_san_hostname[*])": "<null>",
    "$(tls_peer_san_hostname[2147483647])": "<null>",
    "$(tls_my_san_hostname[1])": "server-ec.example.org",
    "$(tls_peer_san_uri[0])": "sip:example.org",
    "$(tls_peer_san_email[0])": "sip@example.org",
    "$(tls_peer_san_ip[0])": "127.0.0.1",
    "$(tls_peer_san_ip[1])": "<null>",
    "$tls_peer_san_count(DNS)": "2",
    "$tls_peer_san_count(URI)": "1",
    "$tls_peer_san_count(EMAIL)": "1",
    "$tls_my_san_count(IP)": "1",
    "$tls_peer_san_count(dns)": "<null>",
    "$tls_peer_subject": "/C=DE/O=Example Telephony/CN=client-ok",
    "$tls_my_issuer": "/C=DE/O=Example Telephony/CN=inter",
    "$sel(tls.peer.host)": "localhost",
    "$sel(tls.peer.host[1])": "client-ok.example.org",
    "$sel(tls.peer.host[2])": "<null>",
    '$sel(tls.my.count["DNS"])': "2",
    '$sel(tls.peer.count["IP"])': "1",
    '$sel(tls.peer.count["other"])': "<null>",
    "$sel(tls.peer.verified_cert_chain[9])": "<null>",
    "$sel(tls.my.verified)": "<null>",
}


def test_variables_of_later_versions(start, settings, known):
    kam = start(settings.but(modparams=VERIFYING, script=_script(*LATER)))
    assert dict(zip(LATER, _ask(kam, known))) == LATER


def test_an_index_may_be_a_variable(start, settings, known):
    script = _script("$(tls_peer_san_hostname[$var(i)])", before="\t$var(i) = 1;")
    kam = start(settings.but(modparams=VERIFYING, script=script))
    assert _ask(kam, known) == ["client-ok.example.org"]


NUMBERS = """
	if ($tls_cipher_bits >= 128) { xlog("L_NOTICE", "V $ci 0 <bits>\\n"); }
	if ($tls_peer_verified == 1) { xlog("L_NOTICE", "V $ci 1 <verified>\\n"); }
	if ($tls_peer_expired == 0) { xlog("L_NOTICE", "V $ci 2 <not expired>\\n"); }
	if ($tls_peer_san_count(DNS) > 1) { xlog("L_NOTICE", "V $ci 3 <names>\\n"); }
	if ($tls_peer_subject_cn != $tls_my_subject_cn) { xlog("L_NOTICE", "V $ci 4 <two>\\n"); }
	if ($tls_peer_subject_uid == $null) { xlog("L_NOTICE", "V $ci 5 <null>\\n"); }
	if (@tls.peer.subject.cn == "client-ok") { xlog("L_NOTICE", "V $ci 6 <select>\\n"); }
	if (is_peer_verified()) { xlog("L_NOTICE", "V $ci 7 <function>\\n"); }
"""


def test_numbers_and_comparisons(start, settings, known):
    kam = start(settings.but(modparams=VERIFYING, script=_script(before=NUMBERS)))
    assert _ask(kam, known) == ["bits", "verified", "not expired", "names", "two", "null",
                                "select", "function"]
    assert _ask(kam, client_context()) == ["bits", "not expired", "two", "null"]


UNKNOWN = ("$tls(x_subject_line)", "$tls()", "$tls_peer_subject_xx", "$sel(tls.nothing)",
           "$sel(tls.peer.subject.nothing)", "$sel(tls.peer.verified_cert_chain)",
           "$(tls_version[0])", "$tls_peer_san_count")


@pytest.mark.parametrize("expression", UNKNOWN)
def test_unknown_names_are_refused_at_start(settings, expression):
    kam = Kamailio(settings.but(script=_script(expression)))
    try:
        status, output = kam.check_config()
        # what `-c` does not resolve must be refused at start
        if status == 0:
            with pytest.raises(Exception, match="Kamailio ended with status"):
                kam.start()
        else:
            assert "ERROR" in output or "CRITICAL" in output
    finally:
        kam.kill()
        kam.remove()


PROBES = ("$tls_version", "$tls_peer_subject_cn", "$tls_peer_verified", "$sel(tls.cipher)",
          "$tls(p_subject_line)")


def test_message_that_did_not_come_over_tls(start, settings):
    script = _script(*PROBES, after='\tif (is_peer_verified()) { xlog("L_NOTICE", "YES\\n"); }')
    kam = start(settings.but(listen=("tls", "udp", "tcp"), script=script))
    for proto, kind in (("udp", socket.SOCK_DGRAM), ("tcp", socket.SOCK_STREAM)):
        call = sip.new_id()
        mark = kam.log.mark()
        with socket.socket(socket.AF_INET, kind) as sock:
            sock.settimeout(10)
            sock.connect(kam.address(proto))
            sock.sendall(sip.options(kam.port(proto), via=proto.upper(), call_id=call))
            assert b" 200 " in sock.recv(65536).splitlines()[0]
        assert _values(kam, mark, call) == ["<null>"] * len(PROBES)
        assert len(kam.log.find(r"ERROR: tls .*was not received over TLS", mark)) == len(PROBES) + 1
        assert not kam.log.find(r"\bYES$", mark)


GONE = r"""
request_route {
	t_on_failure("GONE");
	$du = "sip:127.0.0.1:9;transport=udp";
	t_relay();
}
failure_route[GONE] {
	xlog("L_NOTICE", "V $ci 0 <$tls_version>\n");
	xlog("L_NOTICE", "V $ci 1 <$tls_peer_subject_cn>\n");
	xlog("L_NOTICE", "V $ci 2 <$tls_version>\n");
}
"""


@pytest.mark.parametrize("stays,expected", ((True, ["TLSv1.3", "client-ok", "TLSv1.3"]),
                                            (False, ["<null>", "<null>", "<null>"])))
def test_connection_is_looked_up_in_another_process(start, settings, known, stays, expected):
    """The failure route runs in the timer process, when the client is gone or still there."""
    kam = start(settings.but(
        listen=("tls", "udp"), modparams=VERIFYING, script=GONE,
        config='modparam("tm", "fr_timer", 1500)'))
    call = sip.new_id()
    mark = kam.log.mark()
    with TlsClient(kam.address(), known) as client:
        client.send(sip.options(kam.port(), call_id=call))
        if stays:
            while client.receive().status < 200:
                pass
    if not stays:
        kam.log.wait(rf"V {call} 2 ", mark)
    assert _values(kam, mark, call) == expected
    if not stays:
        assert len(kam.log.find("INFO: tls .*connection not found", mark)) == 3
    kam.wait_connections(0)


ASKS = 20000
ROUNDS = 16
SETTLED = 11       # by then the caches of the processes are full
ASKING = r"""
request_route {
	t_on_failure("ASK");
	$du = $hdr(X-Next);
	remove_hf("X-Next");
	t_relay();
}
failure_route[ASK] {
	xlog("L_ALERT", "BEGIN $ci\n");
	$var(n) = %d;
	$var(there) = 0;
	$var(gone) = 0;
	while ($var(n) > 0) {
		if ($tls_peer_subject_cn == $null) {
			$var(gone) = $var(gone) + 1;
		} else {
			$var(there) = $var(there) + 1;
		}
		$var(x) = $sel(tls.my.subject.cn);
		$var(n) = $var(n) - 1;
	}
	xlog("L_ALERT", "END $ci $var(there) $var(gone)\n");
}
""" % ASKS
ENDINGS = {
    "FIN": lambda kam, client: client.close(),
    "RST": lambda kam, client: client.reset(),
    "tls.kill": lambda kam, client: kam.rpc("tls.kill", *(
        int(entry["id"]) for entry in kam.rpc("tls.list")
        if int(entry["src_port"]) == client.local[1])),
}


def _ask_while_it_ends(kam, context, agent, ending):
    """(queries answered, queries about a connection that is gone)."""
    call, mark = sip.new_id(), kam.log.mark()
    client = TlsClient(kam.address(), context)
    try:
        client.send(sip.options(kam.port(), call_id=call, headers=(
            f"X-Next: sip:127.0.0.1:{agent.port};transport=udp",)))
        kam.log.wait(f"BEGIN {call}", mark)
        ENDINGS[ending](kam, client)
        (line,) = kam.log.wait(f"END {call} ", mark, timeout_s=60)
    finally:
        client.close()
    return tuple(int(word) for word in line.split()[-2:])


@pytest.mark.ours_only("5.6.3 leaks the connection when a script drops the last reference")
@pytest.mark.parametrize("ending", ENDINGS)
def test_connection_that_ends_while_the_script_asks(start, settings, known, ending):
    """The script runs in another process than the reader; the connection is not kept, and nothing leaks."""
    kam = start(settings.but(
        listen=("tls", "udp"), modparams=VERIFYING, script=ASKING, debug=0, children=1,
        tcp_children=1, core=f"max_while_loops={ASKS + 1}",
        config='modparam("tm", "wt_timer", 100)'))
    with UdpAgent(500) as agent:
        both = 0
        used = []
        for _ in range(ROUNDS):
            there, gone = _ask_while_it_ends(kam, known, agent, ending)
            assert there + gone == ASKS
            both += there > 0 and gone > 0
            kam.wait_connections(0)
            until(lambda: kam.transactions() == 0, "no transaction")
            used.append(kam.shm_used())
    print(f"{ending}: {both} of {ROUNDS} connections ended between two queries, shared memory {used}")
    assert both >= 3
    assert used[-1] <= used[SETTLED]


UPGRADE = r"""
event_route[xhttp:request] {
	if ($hdr(Upgrade) =~ "websocket") {
		ws_handle_handshake();
	}
}
"""


def test_websocket_has_the_same_values(start, settings, known):
    functions = '\tif (is_peer_verified()) { xlog("L_NOTICE", "V $ci 5 <verified>\\n"); }'
    kam = start(settings.but(
        modules=("xhttp", "websocket"), core="tcp_accept_no_cl=yes", modparams=VERIFYING,
        config='modparam("websocket", "keepalive_mechanism", 0)',
        script=_script(*PROBES, after=functions) + UPGRADE))
    over_tls = _ask(kam, known)
    assert over_tls[0] == "TLSv1.3" and over_tls[-1] == "verified"
    call = sip.new_id()
    mark = kam.log.mark()
    with ws.WsClient(kam.address(), known) as client:
        assert client.ask(sip.options(kam.port(), via="WSS", call_id=call)).status == 200
        assert any(int(entry["src_port"]) == client.local[1] for entry in kam.rpc("tls.list"))
    assert _values(kam, mark, call) == over_tls
    kam.wait_connections(0)


LEFT = '\tappend_to_reply("X-Left: $var(n)\\r\\n");'


@pytest.mark.ours_only("5.6.3 counts the connections it leaks, too")
def test_nothing_is_left_behind(start, settings, tls_module, known):
    """Every kind of value, right and wrong ones, ten thousand times in one request."""
    count = 10000
    loop = "\n".join([
        f"\t$var(n) = {count};", "\twhile ($var(n) > 0) {",
        *(f'\t\t$var(x) = "{text}";' for text in LATER if "sel(" not in text),
        *(f"\t\t$var(x) = ${name};" for name in (
            "tls_version", "tls_description", "tls_cipher_info", "tls_cipher_bits",
            "tls_peer_raw_cert", "tls_my_urlencoded_cert", "tls_peer_serial", "tls_peer_notAfter",
            "tls_peer_subject_organization", "tls_peer_subject_unit", "tls_peer_server_name",
            "tls(p_issuer_line)")),
        '\t\tif (@tls.peer.subject.cn == "x" || @tls.my.issuer == "x") { exit; }',
        '\t\tif (!is_peer_verified()) { exit; }',
        '\t\ttls_set_connect_server_id("some-id");', '\t\ttls_set_connect_server_id("");',
        "\t\t$var(n) = $var(n) - 1;", "\t}"])
    kam = start(settings.but(
        modparams=VERIFYING, script=_script(before=loop, after=LEFT), tcp_children=1, debug=0,
        core=f"max_while_loops={count + 1}", config=XLOG))
    before = _settled(kam, known)
    _run(kam, known)
    after = _memory(kam)
    assert after["shm"] == before["shm"]
    assert after["pkg"] == before["pkg"]
    assert after["rss_kb"] - before["rss_kb"] < 512 or tls_module.sanitized


def _run(kam, context):
    """One request, through all its loops."""
    with TlsClient(kam.address(), context) as client:
        client.send(sip.options(kam.port()))
        reply = client.receive(timeout_s=120)
        assert (reply.status, reply["X-Left"]) == (200, "0")
    kam.wait_connections(0)


def _settled(kam, context):
    """Memory when the spare chunks of the processes have stopped growing."""
    before = None
    for _ in range(20):
        _run(kam, context)
        now = _memory(kam)
        if before and now["shm"] == before["shm"]:
            return now
        before = now
    raise AssertionError(f"shared memory grows with each request: {now}")


def _memory(kam):
    """Memory of the one TCP worker, and shared memory."""
    (worker,) = kam.workers()
    (pkg,) = (entry for entry in kam.rpc("pkg.stats") if int(entry["pid"]) == int(worker))
    status = open(f"/proc/{worker}/status", encoding="ascii").read()
    return {"shm": kam.shm_used(), "pkg": pkg["used"],
            "rss_kb": int(re.search(r"VmRSS:\s+(\d+)", status)[1])}


def test_addresses_follow_the_core_setting(start, settings, odd_client):
    """ipv6_hex_style decides how addresses in certificates are written."""
    address = ipaddress.ip_address("2001:db8::a")
    for style, text in (("c", address.compressed), ("a", "2001:db8:0:0:0:0:0:a"),
                        ("A", "2001:DB8:0:0:0:0:0:A")):
        kam = start(settings.but(
            modparams=VERIFYING, script=_script("$tls_peer_san_ip", "$sel(tls.peer.ip)"),
            core=f'ipv6_hex_style="{style}"'))
        assert _ask(kam, odd_client(address)) == [text, text]


@pytest.fixture
def odd_client(tmp_path):
    """odd_client(address) returns a client whose certificate has that address."""
    def make(address):
        import datetime

        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "addressed")])
        cert = (x509.CertificateBuilder().subject_name(name).issuer_name(name)
                .public_key(key.public_key()).serial_number(1)
                .not_valid_before(now - datetime.timedelta(days=1))
                .not_valid_after(now + datetime.timedelta(days=1))
                .add_extension(x509.SubjectAlternativeName([x509.IPAddress(address)]), False)
                .sign(key, hashes.SHA256()))
        pem = tmp_path / "client.pem"
        pem.write_bytes(cert.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()))
        return client_context(cert=str(pem), key=str(pem))
    return make


OUTGOING = r"""
request_route {
	$du = $hdr(X-Next);
	t_relay();
}
event_route[tls:connection-out] {
	xlog("L_NOTICE", "OUT 0 <$tls_version>\n");
	xlog("L_NOTICE", "OUT 1 <$tls_peer_subject_cn>\n");
	xlog("L_NOTICE", "OUT 2 <$tls_peer_verified>\n");
	xlog("L_NOTICE", "OUT 3 <$tls(m_subject_line)>\n");
	xlog("L_NOTICE", "OUT 4 <$sel(tls.peer.subject.o)>\n");
	xlog("L_NOTICE", "OUT 5 <$(tls_peer_san_hostname[1])>\n");
}
"""


@pytest.mark.ours_only("the event route does not run before 6.2")
@pytest.mark.parametrize("row,verified", (("server-rsa", "1"), ("server-stranger", "0")))
def test_variables_in_the_event_route(start, settings, pki, row, verified):
    kam = start(settings.but(listen=("tls", "udp"), script=OUTGOING))
    mark = kam.log.mark()
    with TlsAgent(server_context(pki.cert(row), pki.key(row))) as agent, \
            UdpSender(kam.address("udp")) as sender:
        reply = sender.ask(headers=(f"X-Next: sip:127.0.0.1:{agent.port};transport=tls",))
        assert reply.status == 200
    found = (re.search(r"OUT \d <(.*)>$", line) for line in kam.log.lines(mark))
    values = [match[1] for match in found if match]
    # the server certificate of the module parameters is that of outgoing connections too
    assert values == ["TLSv1.3", row, verified, "/C=DE/O=Example Telephony/CN=server-ec",
                      "Example Telephony", f"{row}.example.org"]
    kam.wait_connections(0)
