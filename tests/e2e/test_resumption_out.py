# tls_gnutls - end to end: outgoing connections resume sessions
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""Requests come in on UDP and go out over TLS, each over a new connection, from whichever worker gets them."""
import contextlib
import shutil
import socket
import subprocess

import pytest

from .lib import sip
from .lib.kamailio import DEFAULT_SCRIPT, Kamailio
from .lib.ports import LOOPBACK, free_port
from .lib.tls import server_context
from .lib.tlscfg import section
from .lib.uas import TlsAgent, UdpSender
from .lib.wait import until

pytestmark = pytest.mark.ours_only("tls.so does not resume outgoing connections")

VERSIONS = ("TLSv1.2", "TLSv1.3")
SHORT = {"TLSv1.2": "tls1_2", "TLSv1.3": "tls1_3"}
PRIORITY = {"TLSv1.2": "NORMAL:-VERS-ALL:+VERS-TLS1.2", "TLSv1.3": "NORMAL:-VERS-ALL:+VERS-TLS1.3"}
ROUNDS = 12
SCRIPT = DEFAULT_SCRIPT + """
event_route[tls:connection-out] {
	xlog("L_NOTICE", "OUT by=$pp peer=<$tls_peer_subject|$tls_peer_issuer|$tls_peer_serial|$tls_peer_notAfter|"
		"$tls_peer_verified|$tls_peer_san_uri|$tls_peer_version|$(tls_peer_raw_cert{s.md5})> "
		"my=<$tls_my_subject|$tls_my_serial> suite=<$tls_version|$tls_cipher_info>\\n");
}
"""


@pytest.fixture(scope="module")
def base(settings):
    return settings.but(listen=("tls", "udp"), children=4, tcp_children=2, script=SCRIPT,
                        config='modparam("tm", "fr_timer", 3000)',
                        modparams={"session_cache": 1, "verify_certificate": 1})


def _uri(port):
    return f"sip:far@{LOOPBACK}:{port};transport=tls"


def _figure(kam, name):
    return int(kam.rpc("tls.sessions")[name])


def _close(kam):
    for entry in kam.rpc("tls.list"):
        kam.rpc("tls.kill", entry["id"])
    kam.wait_connections(0)


def _connect(kam, port, stored=None, answers=True):
    """A request over a new connection; waits until at least `stored` sessions can be resumed. Returns whether it
    was resumed, and the line of the event route."""
    done, resumed = _figure(kam, "handshakes_done_client"), _resumed(kam)
    mark = kam.log.mark()
    with UdpSender(kam.address("udp")) as sender:
        if answers:
            assert sender.ask(uri=_uri(port)).status == 200
        else:
            sender.sock.send(sip.request(uri=_uri(port), via="UDP", sent_by=sender.sent_by))
        until(lambda: _figure(kam, "handshakes_done_client") == done + 1, "the handshake is done", 20)
        if stored is not None:
            until(lambda: _figure(kam, "sessions_resumable") >= stored, "a session can be resumed", 20)
    (line,) = kam.log.wait("OUT by=", mark)
    _close(kam)
    return _resumed(kam) - resumed == 1, line.split("OUT ")[1]


def _resumed(kam):
    return sum(_figure(kam, f"handshakes_resumed_client_{version}") for version in SHORT.values())


def _shown(line):
    """What the script saw, without the process."""
    return line.split(" ", 1)[1]


# ---- servers ---------------------------------------------------------------------------------------------------------

@contextlib.contextmanager
def _program(*command):
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        try:
            yield
        finally:
            run.kill()


def _wait_port(port):
    def listens():
        with socket.socket() as probe:
            return probe.connect_ex((LOOPBACK, port)) == 0
    until(listens, "the server listens", 20)


@contextlib.contextmanager
def _openssl(pki, version, _ours, _stock):
    port = free_port()
    with _program("openssl", "s_server", "-accept", f"{LOOPBACK}:{port}", f"-{SHORT[version]}", "-quiet",
                  "-cert", pki.cert("server-ec"), "-cert_chain", pki.cert("server-ec"), "-key", pki.key("server-ec")):
        _wait_port(port)
        yield port, False


@contextlib.contextmanager
def _gnutls(pki, version, _ours, _stock):
    if shutil.which("gnutls-serv") is None:
        pytest.skip("there is no gnutls-serv")
    port = free_port()
    with _program("gnutls-serv", "--port", str(port), "--x509certfile", pki.cert("server-ec"),
                  "--x509keyfile", pki.key("server-ec"), "--priority", PRIORITY[version], "--disable-client-cert"):
        _wait_port(port)
        yield port, False


@contextlib.contextmanager
def _python(pki, version, _ours, _stock):
    with TlsAgent(server_context(pki.cert("server-ec"), pki.key("server-ec"), version)) as agent:
        yield agent.port, True


@contextlib.contextmanager
def _kamailio(settings, version):
    """Another Kamailio: it answers requests for its own address."""
    method = "TLSv1.2+" if version == "TLSv1.3" else version
    with Kamailio(settings.but(tcp_children=1, modparams={"session_cache": 1, "tls_method": method})) as kam:
        yield kam.port(), True


def _with_ours(_pki, version, ours, _stock):
    return _kamailio(ours, version)


def _with_stock(_pki, version, _ours, stock):
    return _kamailio(stock, version)


SERVERS = {"openssl": _openssl, "gnutls-serv": _gnutls, "python": _python, "tls_gnutls.so": _with_ours,
           "tls.so": _with_stock}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("server", SERVERS)
def test_resumes(start, base, settings, stock_settings, pki, version, server):
    """Each connection but the first resumes the one before, and scripts see the same."""
    kam = start(base)
    with SERVERS[server](pki, version, settings, stock_settings) as (port, answers):
        resumed, first = _connect(kam, port, 1, answers)
        assert not resumed and "|1|" in first
        workers = {first.split(" ")[0]}
        for _ in range(ROUNDS):
            resumed, line = _connect(kam, port, 1, answers)
            assert resumed
            assert _shown(line) == _shown(first)
            workers.add(line.split(" ")[0])
    assert _figure(kam, f"handshakes_resumed_client_{SHORT[version]}") == ROUNDS
    assert _figure(kam, "tickets_refused") == 0
    print(f"{server} {version}: {len(workers)} processes read the end of the handshake")


@pytest.mark.parametrize("version", VERSIONS)
def test_many_at_once(start, base, pki, version):
    """No session is used twice, whichever workers take them at the same time."""
    kam = start(base)
    with TlsAgent(server_context(pki.cert("server-ec"), pki.key("server-ec"), version)) as agent:
        for _ in range(5):
            _connect(kam, agent.port, 1)
        with UdpSender(kam.address("udp"), window=20) as sender:
            for _ in range(5):
                replies = sender.run([{"uri": _uri(agent.port)} for _ in range(20)])
                assert all(reply.status == 200 for reply in replies)
                _close(kam)
    assert _figure(kam, "sessions_resumable") <= 4
    kam.assert_healthy()


# ---- what may not be resumed -----------------------------------------------------------------------------------------

@pytest.mark.parametrize("version", VERSIONS)
def test_not_without_session_cache(start, base, pki, version):
    kam = start(base.but(modparams={"session_cache": 0}))
    with TlsAgent(server_context(pki.cert("server-ec"), pki.key("server-ec"), version)) as agent:
        assert not any(_connect(kam, agent.port)[0] for _ in range(3))
    assert _figure(kam, "sessions_resumable") == 0


@pytest.mark.parametrize("version", VERSIONS)
def test_not_with_another_server(start, base, pki, version):
    """The destination is part of what identifies a session, although the certificate is the same."""
    kam = start(base)
    context = server_context(pki.cert("server-ec"), pki.key("server-ec"), version)
    with TlsAgent(context) as one, TlsAgent(context) as two:
        _connect(kam, one.port, 1)
        assert not _connect(kam, two.port, 2)[0]
        assert _connect(kam, one.port, 2)[0] and _connect(kam, two.port, 2)[0]


@pytest.mark.parametrize("version", VERSIONS)
def test_not_for_another_name(start, base, pki, version):
    """A session of one server name, or expected name, is not offered for another one."""
    script = SCRIPT.replace("request_route {", """request_route {
	if (is_present_hf("X-Name")) {
		$xavp(tls=>server_name) = $hdr(X-Name);
	}""")
    kam = start(base.but(script=script, modparams={"xavp_cfg": "tls"}))
    with TlsAgent(server_context(pki.cert("server-ec"), pki.key("server-ec"), version)) as agent, \
            UdpSender(kam.address("udp")) as sender:
        def ask(name, stored):
            before = _resumed(kam)
            assert sender.ask(uri=_uri(agent.port), headers=(f"X-Name: {name}",)).status == 200
            until(lambda: _figure(kam, "sessions_resumable") >= stored, "a session can be resumed", 20)
            _close(kam)
            return _resumed(kam) > before
        assert not ask("one.example", 1)
        assert ask("one.example", 1)
        assert not ask("two.example", 2)
        assert ask("two.example", 2) and ask("one.example", 2)
        assert agent.names[-1] == "one.example"


def _client(path, **keys):
    path.write_text(section("client:default", method="TLSv1.2+", **keys))


# what a reload changes -> whether the server is still accepted
CHANGES = {
    "nothing": ({}, True),
    "authority": ({"ca_list": "ca-both.pem"}, True),
    "other authority": ({"ca_list": "ca-stranger.pem"}, False),
    "revocation list": ({"crl": "all.crl"}, True),
    "verification": ({"verify_certificate": "no"}, True),
    "depth": ({"verify_depth": "0"}, False),
    "suites": ({"cipher_list": "ECDHE+AESGCM:TLS_AES_128_GCM_SHA256"}, True),
    "certificate": ({"certificate": "client-ok"}, True),
    "name": ({"verify_name": "1"}, False),
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("what", CHANGES)
def test_reload(start, base, pki, tmp_path, version, what):
    """Older sessions are not offered under another configuration; an unchanged one goes on with them."""
    changes, accepted = CHANGES[what]
    keys = {"ca_list": pki.path("ca.pem"), "verify_certificate": "yes"}
    for name, value in changes.items():
        if name == "certificate":
            keys_after = {**keys, "certificate": pki.cert(value), "private_key": pki.key(value)}
            break
    else:
        keys_after = {**keys, **{name: pki.path(value) if name in ("ca_list", "crl") else value
                                 for name, value in changes.items()}}
    config = tmp_path / "tls.cfg"
    _client(config, **keys)
    none = {"certificate": None, "private_key": None, "ca_list": None, "verify_certificate": None}
    kam = start(base.but(modparams={**none, "config": str(config)}))
    with TlsAgent(server_context(pki.cert("server-ec"), pki.key("server-ec"), version)) as agent:
        assert not _connect(kam, agent.port, 1)[0]
        assert _connect(kam, agent.port, 1)[0]
        _client(config, **keys_after)
        kam.rpc("tls.reload")
        if accepted:
            assert _connect(kam, agent.port, 1)[0] == (what == "nothing")
            return
        with UdpSender(kam.address("udp")) as sender:
            assert sender.ask(uri=_uri(agent.port)).status != 200
        assert _figure(kam, "handshakes_failed_verify") == 1 and _figure(kam, "tickets_refused") == 0


@pytest.mark.parametrize("version", VERSIONS)
def test_revoked_since(start, base, pki, tmp_path, version):
    """The server of a session is revoked by a new list: no connection, resumed or not."""
    crl = tmp_path / "crl.pem"
    config = tmp_path / "tls.cfg"
    shutil.copy(pki.path("all.crl"), crl)
    keys = {"ca_list": pki.path("ca.pem"), "verify_certificate": "yes"}
    _client(config, **keys)
    none = {"certificate": None, "private_key": None, "ca_list": None, "verify_certificate": None}
    kam = start(base.but(modparams={**none, "config": str(config)}))
    with TlsAgent(server_context(pki.cert("server-revoked"), pki.key("server-revoked"), version)) as agent, \
            UdpSender(kam.address("udp")) as sender:
        _connect(kam, agent.port, 1)
        assert _connect(kam, agent.port, 1)[0]
        _client(config, **keys, crl=str(crl))
        kam.rpc("tls.reload")
        for _ in range(2):
            assert sender.ask(uri=_uri(agent.port)).status != 200
        assert len(agent.requests) == 2


@pytest.mark.parametrize("version", VERSIONS)
def test_unverified_server_is_told_apart(start, base, pki, version):
    """A profile that does not verify resumes too, and the script sees the same failed verification."""
    kam = start(base.but(modparams={"verify_certificate": 0}))
    with TlsAgent(server_context(pki.cert("server-stranger"), pki.key("server-stranger"), version)) as agent:
        resumed, first = _connect(kam, agent.port, 1)
        assert not resumed and "|0|" in first
        for _ in range(3):
            resumed, line = _connect(kam, agent.port, 1)
            assert resumed and _shown(line) == _shown(first)


@pytest.mark.parametrize("version", VERSIONS)
def test_server_that_forgets(start, base, pki, version):
    """A server that cannot read the ticket any more: a full handshake, counted, and the next one resumes."""
    kam = start(base)
    with TlsAgent(server_context(pki.cert("server-ec"), pki.key("server-ec"), version)) as agent:
        _connect(kam, agent.port, 1)
        port = agent.port
    with TlsAgent(server_context(pki.cert("server-rsa"), pki.key("server-rsa"), version), port=port) as agent:
        resumed, line = _connect(kam, port, 1)
        assert not resumed and "server-rsa" in line
        assert _figure(kam, "tickets_refused_by_server") == 1
        assert _connect(kam, port, 1)[0]


@pytest.mark.parametrize("version", VERSIONS)
def test_own_certificate(start, base, pki, version):
    """A session that began with a client certificate: the script sees that one, of several."""
    kam = start(base.but(modparams={
        "certificate": f"{pki.cert('client-rsa')}, {pki.cert('client-ok')}",
        "private_key": f"{pki.key('client-rsa')}, {pki.key('client-ok')}"}))
    context = server_context(pki.cert("server-ec"), pki.key("server-ec"), version, client_trust=pki.path("ca.pem"))
    with TlsAgent(context) as agent:
        _, first = _connect(kam, agent.port, 1)
        resumed, line = _connect(kam, agent.port, 1)
        assert resumed and _shown(line) == _shown(first)
        assert "client-ok" in line and agent.peers[0] == agent.peers[1]


def test_bounded(start, base, pki):
    """Many destinations: the store keeps its bounds, and its memory is freed."""
    kam = start(base.but(shm_mb=32, modparams={"low_mem_threshold1": 0, "low_mem_threshold2": 0}))
    context = server_context(pki.cert("server-ec"), pki.key("server-ec"), "TLSv1.2")
    with contextlib.ExitStack() as stack, UdpSender(kam.address("udp"), window=10) as sender:
        agents = [stack.enter_context(TlsAgent(context)) for _ in range(20)]
        for _ in range(15):
            replies = sender.run([{"uri": _uri(agent.port)} for agent in agents])
            assert all(reply.status == 200 for reply in replies)
            _close(kam)
        assert 0 < _figure(kam, "sessions_resumable_bytes") <= 32 * 1024 * 1024 // 64
    kam.assert_healthy()
