# tls_gnutls - end to end: the log lines about connections
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""People grep these lines and feed them to fail2ban: texts and levels are part of the interface."""

import re
import ssl

import pytest

from .lib import hostile
from .lib.kamailio import Kamailio, host_version
from .lib.tls import BioClient, TlsClient, client_context, server_context
from .lib.tlscfg import pair, reading, section
from .lib.uas import TlsAgent, UdpSender

VERSIONS = ("TLSv1.2", "TLSv1.3")
INFO = 2            # the value for tls_log that a debug level of 2 shows
NAMES = {
    "client-ok": ("/C=DE/O=Example Telephony/CN=client-ok", "/C=DE/O=Example Telephony/CN=inter"),
    "server-ec": ("/C=DE/O=Example Telephony/CN=server-ec", "/C=DE/O=Example Telephony/CN=inter"),
}


@pytest.fixture(scope="module")
def kam(settings):
    """Logs every connection, asks for certificates, accepts all of them."""
    with Kamailio(settings.but(listen=("tls", "udp"), modparams={
            "tls_log": INFO, "verify_client": "optional_no_ca"})) as kamailio:
        yield kamailio


@pytest.fixture(scope="module")
def silent(settings):
    """With the default of tls_log (3), above what debug=2 shows."""
    with Kamailio(settings.but(listen=("tls", "udp"))) as kamailio:
        yield kamailio


def _logged(kam, mark, wanted, level="INFO"):
    """The texts of the TLS module after a mark, once a line with `wanted` is there."""
    kam.log.wait(wanted, since=mark)
    return [text.partition("(): ")[2] or text
            for module, text in kam.log.at_level(level, since=mark) if module == "tls"]


def _has(logged, pattern):
    assert any(re.fullmatch(pattern, text) for text in logged), f"no /{pattern}/ among {logged}"


def _visit(kam, pki, version=None, row=None):
    """One good connection; returns its client side (closed) for address and cipher."""
    cert = (pki.cert(row), pki.key(row)) if row else (None, None)
    context = client_context(version=version, cert=cert[0], key=cert[1])
    with TlsClient(kam.address(), context) as client:
        assert client.ask().status == 200
        bits = client.sock.cipher()[2]
        return client.local[1], client.cipher, bits


@pytest.mark.parametrize("version", VERSIONS)
def test_accepted_connection(kam, pki, version):
    mark = kam.log.mark()
    port, cipher, bits = _visit(kam, pki, version)
    logged = _logged(kam, mark, "did not present")
    _has(logged, rf"tls_accept: new connection from 127\.0\.0\.1:{port} "
               rf"using {version} {re.escape(cipher)} {bits}")
    _has(logged, rf"tls_accept: local socket: 127\.0\.0\.1:{kam.port()}")
    _has(logged, "tls_accept: client did not present a certificate")


@pytest.mark.parametrize("version", VERSIONS)
def test_accepted_connection_with_certificate(kam, pki, version):
    mark = kam.log.mark()
    _visit(kam, pki, version, "client-ok")
    logged = _logged(kam, mark, "certificate issuer")
    subject, issuer = NAMES["client-ok"]
    _has(logged, f"tls_accept: client certificate subject:{subject}")
    _has(logged, f"tls_accept: client certificate issuer:{issuer}")
    assert not [text for text in logged if "verification" in text]


@pytest.mark.parametrize("row,reason", (
    ("client-expired", "certificate has expired"),
    ("client-notyet", "certificate is not yet valid"),
    ("client-stranger", r"unable to get (local )?issuer certificate"
                        r"|unable to verify the first certificate"),
    ("client-selfsigned", "self signed certificate"),
    ("client-serveronly", "unsupported certificate purpose"),
))
def test_tolerated_verification_failure(kam, pki, row, reason):
    mark = kam.log.mark()
    _visit(kam, pki, None, row)
    logged = _logged(kam, mark, "verification failure: ")
    failed = "WARNING: tls_accept: client certificate verification failed!!!"
    assert any(text.startswith(failed) for text in logged), logged
    assert any(re.search(f"verification failure: ({reason})", text) for text in logged), logged


@pytest.mark.parametrize("version", VERSIONS)
def test_outgoing_connection(kam, pki, version):
    mark = kam.log.mark()
    with TlsAgent(server_context(pki.cert("server-ec"), pki.key("server-ec"), version)) as agent, \
            UdpSender(kam.address("udp")) as sender:
        assert sender.ask(uri=f"sip:far@127.0.0.1:{agent.port};transport=tls").status == 200
        logged = _logged(kam, mark, "certificate issuer")
    _has(logged, rf"tls_connect: new connection to 127\.0\.0\.1:{agent.port} using {version} \S+ \d+")
    _has(logged, r"tls_connect: sending socket: 127\.0\.0\.1:\d+ ?")
    subject, issuer = NAMES["server-ec"]
    _has(logged, f"tls_connect: server certificate subject:{subject}")
    _has(logged, f"tls_connect: server certificate issuer:{issuer}")


def test_outgoing_connection_to_a_server_not_verified(kam, pki):
    mark = kam.log.mark()
    context = server_context(pki.cert("server-expired"), pki.key("server-expired"))
    with TlsAgent(context) as agent, UdpSender(kam.address("udp")) as sender:
        assert sender.ask(uri=f"sip:far@127.0.0.1:{agent.port};transport=tls").status == 200
        logged = _logged(kam, mark, "verification failure: ")
    assert any(text.startswith("WARNING: tls_connect: server certificate verification failed!!!")
               for text in logged), logged
    assert any("certificate has expired" in text for text in logged), logged


def test_default_level_hides_good_connections(silent, pki):
    mark = silent.log.mark()
    for row in (None, "client-ok"):
        _visit(silent, pki, None, row)
    silent.wait_connections(0)
    assert not [text for _, text in silent.log.at_level("INFO", since=mark)
                if "tls_accept" in text]


@pytest.mark.parametrize("opening", ("plain SIP", "no common cipher suite"))
def test_failed_handshake_names_both_ends(silent, tls_module, opening):
    """Visible with the default of tls_log: error, name, source and destination."""
    mark = silent.log.mark()
    with BioClient(silent.address(), client_context()) as client:
        client.sock.sendall(hostile.WRONG[opening])
        try:
            while client.sock.recv(65536):
                pass
        except ConnectionResetError:
            pass
        port = client.local[1]
    silent.log.wait("dst addr", since=mark)
    lines = "\n".join(text for level in ("ERROR", "WARNING")
                      for module, text in silent.log.at_level(level, since=mark) if module == "tls")
    assert "protocol level error" in lines
    assert re.search(r"TLS accept:.*\(sni: unknown\)", lines), lines
    assert f"src addr: 127.0.0.1:{port}" in lines
    assert f"dst addr: 127.0.0.1:{silent.port()}" in lines
    if tls_module.ours:
        assert len(lines.splitlines()) == 1, lines
        assert re.search(r" connection: \d+ profile: TLSs<default>$", lines), lines


@pytest.mark.parametrize("version", VERSIONS)
def test_client_that_refuses_the_certificate(silent, pki, tls_module, version):
    """The log has the client's reason and the name it asked for; it is not an error of this host."""
    mark = silent.log.mark()
    context = client_context(trust=pki.path("ca-stranger.pem"), version=version)
    before = silent.rpc("tls.sessions") if tls_module.ours else {}
    with pytest.raises(ssl.SSLCertVerificationError):
        TlsClient(silent.address(), context, name="sip.example.org")
    silent.log.wait(r"TLS accept:.*(?i:unknown ca|ca is unknown).*\(sni: sip\.example\.org\)", since=mark)
    silent.wait_connections(0)
    if tls_module.ours:
        assert silent.log.at_level("ERROR", since=mark) == []
        after = silent.rpc("tls.sessions")
        for name in ("handshakes_failed_alert", "alerts_received_unknown_ca"):
            assert int(after[name]) == int(before[name]) + 1


def test_rejected_client_certificate(start, settings, pki, tls_module):
    kam = start(settings.but(modparams={"verify_client": "on"}))
    mark = kam.log.mark()
    context = client_context(version="TLSv1.2", cert=pki.cert("client-expired"),
                             key=pki.key("client-expired"))
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        TlsClient(kam.address(), context)
    kam.log.wait("dst addr", since=mark)
    lines = kam.log.find("TLS accept:", since=mark)
    assert lines and re.search("certificate", lines[0]), lines
    if tls_module.ours:
        assert re.search("expired", lines[0]), lines


def test_secrets_are_not_logged(start, settings, pki, tmp_path):
    """At the highest debug level neither the key nor the secrets of a session show up."""
    with open(pki.key("server-ec"), encoding="ascii") as file:
        key_lines = file.read().splitlines()[1:-1]
    kam = start(settings.but(debug=3, core="memdbg=5", modparams={"session_cache": 1}))
    secrets = tmp_path / "secrets"
    for version in VERSIONS:
        context = client_context(version=version)
        context.keylog_filename = str(secrets)
        with TlsClient(kam.address(), context) as client:
            assert client.ask().status == 200
    log = "\n".join(kam.log.lines())
    assert "tls_accept: new connection" in log
    assert not [line for line in key_lines if line in log]
    assert "PRIVATE KEY" not in log
    labels = re.findall(r"^(\w+) \w+ (\w+)$", secrets.read_text(encoding="ascii"), re.M)
    assert {"CLIENT_RANDOM", "CLIENT_TRAFFIC_SECRET_0"} <= {label for label, _ in labels}
    assert not [label for label, secret in labels if secret[:32] in log.lower()]


# ---- lines at debug level, for which scripts and test suites of tls.so wait ------------------------------------------

DEBUG = 3
SNI = "name.example"


def _debug(kam, mark, wanted):
    return [text.replace("tls: ", "") for text in _logged(kam, mark, wanted, "DEBUG")]


@pytest.fixture
def verbose(settings, start):
    return start(settings.but(listen=("tls", "udp"), debug=DEBUG, modparams={
        "xavp_cfg": "tls", "send_close_notify": 1, "server_name": SNI}, script=NAMING))


NAMING = """
request_route {
	if ($hdr(X-Next) != $null) {
		$xavp(tls=>server_id) = "gold";
		$xavp(tls=>server_name) = "far.example";
		$du = $hdr(X-Next);
		t_relay();
		exit;
	}
	is_peer_verified();
	sl_send_reply("200", "OK");
}
"""


def _any_address():
    """As tls.so of the same version writes it."""
    version = host_version()
    return "0.0.0.0" if version >= (5, 8, 3) or (5, 7, 6) <= version < (5, 8) else ""


def test_debug_lines_at_start_and_reload(verbose):
    text = "\n".join(verbose.log.lines())
    default = f"[{_any_address()}:0], server_name='<default>' ..."
    for line in (f"registered server_name callback handler for socket {default}",
                 "TLSs<default>: No CRL configured", "TLSc<default>: No CRL configured"):
        assert line in text, line
    assert re.search(r"DEBUG: tls .*TLSs<default>: Key '.*server-ec\.key' successfully loaded", text)
    assert "No certificate configured" not in text and "will be checked" not in text
    mark = verbose.log.mark()
    assert verbose.rpc("tls.reload") == "Ok. TLS configuration reloaded."
    assert verbose.log.find("DEBUG: tls .*TLS configuration successfully loaded", mark)


def test_profiles_are_announced_with_their_names(settings, start, pki, tmp_path):
    path = tmp_path / "tls.cfg"
    path.write_text("".join(section(name, **pair(pki, "server-ec"), **more) for name, more in (
        ("server:default", {}), ("server:any", {"server_name": "a.example"}),
        ("server:127.0.0.1:0", {"server_name": "b.example"}), ("client:any", {"server_name": "c.example"}))))
    kam = start(reading(settings, path))
    found = [line.partition("for socket ")[2] for line in kam.log.find("NOTICE: tls .*registered server_name callback")]
    assert set(found) == {"[127.0.0.1:0], server_name='b.example' ...",
                          f"[{_any_address()}:0], server_name='<default>' ...",
                          f"[{_any_address()}:0], server_name='a.example' ..."} and len(found) == 3


def test_revocation_lists_are_announced(settings, start, pki):
    kam = start(settings.but(modparams={"crl": pki.path("all.crl")}))
    assert kam.log.find(r"INFO: tls .*TLSs<default>: Certificate revocation lists will be checked \(.*all\.crl\)")


@pytest.mark.parametrize("version", VERSIONS)
def test_debug_lines_of_an_accepted_connection(verbose, version):
    mark = verbose.log.mark()
    with TlsClient(verbose.address(), client_context(version=version), name=SNI) as client:
        assert client.ask().status == 200
    verbose.wait_connections(0)
    spelt = "successfully" if host_version() >= (5, 7) else "succesfuly"
    closed = f"TLS shutdown successful|First phase of 2-way handshake completed {spelt}"
    logged = _debug(verbose, mark, closed)
    order = ["completing tls connection initialization", r"Using initial TLS domain TLSs<default> \(sn \[\]\)",
             "SSL handshake started", rf"received server_name \(TLS extension\): '{SNI}'",
             rf"TLS cfg domain selected for received server name \[{SNI}\]: TLSs<default>", "SSL handshake done",
             "TLS accept successful", "Closing SSL connection 0x[0-9a-f]+", closed]
    for line in order:
        _has(logged, line)
    found = [next(i for i, text in enumerate(logged) if re.fullmatch(line, text)) for line in order[:7]]
    assert found == sorted(found), logged
    assert not [text for text in logged if "connect successful" in text]


def test_debug_lines_of_an_outgoing_connection(verbose, pki):
    mark = verbose.log.mark()
    with TlsAgent(server_context(pki.cert("server-rsa"), pki.key("server-rsa"))) as agent, \
            UdpSender(verbose.address("udp")) as sender:
        assert sender.ask(headers=(f"X-Next: sip:127.0.0.1:{agent.port};transport=tls",)).status == 200
    logged = _debug(verbose, mark, "TLS connect successful")
    for line in ("found xavp with outbound server id: gold", "found xavp with outbound server name: far.example",
                 r"Using initial TLS domain TLSc<default> \(sn \[far\.example\]\)",
                 "outbound TLS server name set to: far.example", "TLS connect successful"):
        _has(logged, line)
    assert not [text for text in logged if "accept successful" in text]


def test_no_line_of_success_after_a_failed_handshake(verbose):
    mark = verbose.log.mark()
    context = client_context(version="TLSv1.2")
    context.set_ciphers("ECDHE-ECDSA-CAMELLIA128-SHA256")
    with pytest.raises((ssl.SSLError, OSError)):
        TlsClient(verbose.address(), context)
    verbose.log.wait("protocol level error", since=mark)
    assert not verbose.log.find("accept successful|SSL handshake done", mark)


def test_lines_of_is_peer_verified(verbose, settings, start, pki):
    mark = verbose.log.mark()
    _visit(verbose, pki)
    assert verbose.log.find("INFO: tls .*peer did not present a certificate", mark)
    kam = start(settings.but(debug=DEBUG, script=NAMING, modparams={"verify_client": "optional_no_ca"}))
    _visit(kam, pki, row="client-ok")
    assert kam.log.find("DEBUG: tls .*peer is successfully verified")
    _visit(kam, pki, row="client-expired")
    assert kam.log.find("WARNING: tls .*verification of presented certificate failed: .*expired")
