# tls_gnutls - end to end: what scripts, commands and logs know about DTLS associations
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import contextlib
import re

import pytest
from OpenSSL import SSL

from .lib import sip
from .lib.dtls import DtlsClient
from .lib.kamailio import Kamailio
from .lib.ports import LOOPBACK, free_port
from .lib.tls import TlsClient, client_context
from .lib.tlscfg import pair, section
from .lib.uas import UdpSender
from .lib.wait import until

pytestmark = pytest.mark.ours_only("it has no DTLS")

OTHER = "127.0.0.2"

SCRIPT = r"""
# A request over DTLS has $proto udp, and a TLS version.
request_route {
	if ($proto == "udp" && $Rp == @PORT@) {
		append_to_reply("X-Carrier: dtls\r\n");
	} else {
		append_to_reply("X-Carrier: $proto\r\n");
	}
	append_to_reply("X-Version: $tls_version\r\n");
	append_to_reply("X-Bits: $tls_cipher_bits\r\n");
	append_to_reply("X-Sni: $tls_peer_server_name\r\n");
	append_to_reply("X-Peer: $tls_peer_subject_cn\r\n");
	append_to_reply("X-Mine: $tls_my_subject_cn\r\n");
	append_to_reply("X-Select: $sel(tls.peer.subject.cn)\r\n");
	append_to_reply("X-Verify: $tls_peer_verified\r\n");
	if (is_peer_verified()) {
		append_to_reply("X-Verified: yes\r\n");
	} else {
		append_to_reply("X-Verified: no\r\n");
	}
	sl_send_reply("200", "OK");
}
"""


@pytest.fixture(scope="module")
def port():
    return free_port()


@pytest.fixture(scope="module")
def base(settings, port):
    return settings.but(
        listen=("tls", "udp"), core=f"listen=udp:{LOOPBACK}:{port}", script=SCRIPT.replace("@PORT@", str(port)),
        config=f'modparam("tls", "dtls_listen", "udp:{LOOPBACK}:{port}")')


@pytest.fixture(scope="module")
def kam(base):
    with Kamailio(base.but(modparams={"verify_client": "optional"})) as kamailio:
        yield kamailio


@pytest.fixture
def client(port, pki):
    with DtlsClient((LOOPBACK, port), pki.cert("client-ok"), pki.key("client-ok"), sni="a.example.org") as dtls:
        yield dtls


def test_variables(kam, client):
    reply = client.handshake().ask()
    assert reply["X-Carrier"] == "dtls"
    assert reply["X-Version"] == "DTLSv1.2"
    assert int(reply["X-Bits"]) >= 128
    assert reply["X-Sni"] == "a.example.org"
    assert (reply["X-Peer"], reply["X-Select"], reply["X-Mine"]) == ("client-ok", "client-ok", "server-ec")
    assert (reply["X-Verify"], reply["X-Verified"]) == ("1", "yes")


def test_plain_udp(kam):
    """On another socket the variables have no value, and a line says why."""
    mark = kam.log.mark()
    with UdpSender(kam.address("udp")) as sender:
        reply = sender.ask(uri=f"sip:{LOOPBACK}:{kam.port('udp')}", method="OPTIONS")
    assert (reply["X-Carrier"], reply["X-Verified"]) == ("udp", "no")
    assert reply["X-Version"] == "<null>"
    assert kam.log.find("used for a message that was not received over TLS", mark)


def test_without_certificate(kam, port):
    with DtlsClient((LOOPBACK, port)) as client:
        reply = client.handshake().ask()
    assert (reply["X-Peer"], reply["X-Verified"]) == ("<null>", "no")


def test_second_session_of_an_address(kam, port, pki):
    """Variables are those of the session that a message came by."""
    with DtlsClient((LOOPBACK, port), pki.cert("client-ok"), pki.key("client-ok")) as first:
        assert first.handshake().ask()["X-Verified"] == "yes"
        local = first.port
    with DtlsClient((LOOPBACK, port), port=local) as second:
        reply = second.handshake().ask()
        assert (reply["X-Peer"], reply["X-Verified"]) == ("<null>", "no")


def _listed(kam, client):
    return [entry for entry in kam.rpc("tls.list") if entry["src_port"] == client.port]


def test_list_and_kill(kam, port, pki, client):
    client.handshake()
    (entry,) = _listed(kam, client)
    assert entry["proto"] == "dtls"
    assert (entry["src_ip"], entry["dst_ip"], entry["dst_port"]) == (LOOPBACK, LOOPBACK, port)
    assert entry["state"] == "established"
    assert "Kx=" in entry["cipher"]
    assert entry["sni"] == "a.example.org"
    assert 30 < entry["timeout"] <= 60, "no message has come"
    assert client.ask().status == 200
    assert 3500 < _listed(kam, client)[0]["timeout"] <= 3600
    assert list(entry)[-2:] == ["proto", "dropped"], "behind the fields that exist"
    assert entry["dropped"] >= 0
    with TlsClient(kam.address("tls"), client_context()) as tls:
        tls.ask()
        assert all("proto" not in other for other in kam.rpc("tls.list") if other["dst_port"] != port)
    assert kam.rpc("tls.kill", entry["id"]) == "OK"
    assert not _listed(kam, client)
    assert kam.rpc("tls.kill", entry["id"]) == "TLS connection id not found"
    with pytest.raises(SSL.ZeroReturnError):        # a close_notify
        client.session.ssl.bio_write(client.recv_raw(5))
        client.session.ssl.recv(1)


def test_list_in_pages(kam, port):
    """The filters of tls.list apply to associations, and a page goes on behind the last one of the page before."""
    clients = [DtlsClient((LOOPBACK, port)).handshake() for _ in range(5)]
    shown = [entry["id"] for entry in kam.rpc("tls.list")]
    pages = []
    while True:
        page = kam.rpc("tls.list", "limit=1", *(f"after={last['id']}" for last in pages[-1:]))
        if not page:
            break
        assert len(page) == 1
        pages += page
    assert [entry["id"] for entry in pages] == shown and len(shown) >= 5
    assert {entry["state"] for entry in kam.rpc("tls.list", "state=established", f"ip={LOOPBACK}")} == {"established"}
    assert not kam.rpc("tls.list", "ip=192.0.2.1")
    for client in clients:
        client.__exit__()


def test_page_behind_an_ended_one(kam, port):
    """after= with the id of an association that has ended: the list goes on behind its place."""
    with contextlib.ExitStack() as stack:
        for _ in range(6):
            stack.enter_context(DtlsClient((LOOPBACK, port))).handshake()
        shown = [entry["id"] for entry in kam.rpc("tls.list") if "proto" in entry]
        for place in (0, 2, len(shown) - 1):
            assert kam.rpc("tls.kill", shown[place]) == "OK"
            rest = [entry["id"] for entry in kam.rpc("tls.list", f"after={shown[place]}")]
            assert rest == [number for number in shown[place + 1:] if number in rest]
            assert len(rest) >= len(shown) - place - 2, "and no other is missing"


def _unfinished(client):
    """Up to the hello with its cookie: the association stays in the handshake."""
    client.session.step()
    client.session.take(client.recv_raw(5))
    return client


def _old(kam, client):
    until(lambda: _listed(kam, client)[0]["id"] in
          [entry["id"] for entry in kam.rpc("tls.list", "older-than=2")], "it is old enough")


# name: (arguments, keywords of the client that they select, those of the client that stays)
FILTERS = {
    "ip": ((f"ip={OTHER}",), {"host": OTHER}, {}),
    "sni": (("sni=KILL.example.org",), {"sni": "kill.example.org"}, {"sni": "stay.example.org"}),
    "no sni": (("sni=N/A",), {}, {"sni": "stay.example.org"}),
    "state": (("state=tls_accept",), {"unfinished": True}, {}),
    "established": (("state=established", "sni=N/A"), {}, {"unfinished": True}),
    "older-than": (("older-than=2",), {"old": True}, {}),
}


def _closed(count):
    """What tls.kill says of so many connections."""
    return f"OK: {count} connection{'' if count == 1 else 's'} closed"


@pytest.mark.parametrize("name", FILTERS)
def test_kill_filters(kam, port, name):
    """tls.kill with a filter ends the associations that tls.list shows with it, and TLS connections, and no others."""
    words, chosen, other = FILTERS[name]

    def begin(unfinished=False, old=False, **more):
        client = stack.enter_context(DtlsClient((LOOPBACK, port), **more))
        if unfinished:
            return _unfinished(client)
        client.handshake()
        if old:
            _old(kam, client)
        return client

    with contextlib.ExitStack() as stack:
        client = begin(**chosen)
        stays = begin(**other)
        listed = kam.rpc("tls.list", *words)
        assert client.port in [entry["src_port"] for entry in listed]
        assert stays.port not in [entry["src_port"] for entry in listed]
        assert kam.rpc("tls.kill", *words) == _closed(len(listed))
        assert not _listed(kam, client)
        assert _listed(kam, stays)
        assert kam.rpc("tls.kill", *words) == _closed(0)
        client.session.is_done = False
        assert kam.rpc("tls.kill", f"ip={LOOPBACK}", "limit=1") == _closed(1)


def test_kill_both(kam, port):
    """One filter ends TLS connections and associations; after= begins behind one of either."""
    with TlsClient(kam.address("tls"), client_context()) as tls, DtlsClient((LOOPBACK, port)) as client:
        assert tls.ask().status == 200
        client.handshake()
        entries = kam.rpc("tls.list")
        assert [entry.get("proto") for entry in entries][0] is None, "TLS comes first"
        assert entries[-1]["proto"] == "dtls"
        assert kam.rpc("tls.kill", f"ip={LOOPBACK}", f"after={entries[-1]['id']}") == _closed(0)
        assert kam.rpc("tls.kill", f"ip={LOOPBACK}") == _closed(len(entries))
        until(lambda: not kam.rpc("tls.list"), "both have ended")
        client.session.is_done = False


def test_info(kam, client):
    before = kam.tls_info()
    assert before["dtls_max_connections"] == 64 * 1024 // 4 // 16, "a quarter of shared memory"
    client.handshake()
    assert kam.tls_info()["dtls_connections"] == before["dtls_connections"] + 1


def test_sessions(kam, client):
    before = kam.rpc("tls.sessions")
    client.handshake()
    after = kam.rpc("tls.sessions")
    for name in ("handshakes_done", "handshakes_done_server", "handshakes_done_dtls1_2", "dtls_cookies_sent"):
        assert after[name] == before[name] + 1, name


def test_close_notify(kam, client):
    """The association of a client that closes is gone, and the close_notify is answered."""
    client.handshake()
    assert _listed(kam, client)
    client.received.clear()
    client.close()
    until(lambda: not _listed(kam, client), "the association is gone")
    answer = client.recv_raw(5)
    assert answer[0] == 21 and answer[3:5] == b"\0\1"


def test_stop(base, port):
    """A Kamailio that stops tells all peers, with a close_notify; not those whose handshake is unfinished."""
    with contextlib.ExitStack() as stack:
        kam = Kamailio(base).start()
        stack.callback(kam.remove)
        stack.callback(kam.kill)
        clients = [stack.enter_context(DtlsClient((LOOPBACK, port))).handshake() for _ in range(80)]
        unfinished = _unfinished(stack.enter_context(DtlsClient((LOOPBACK, port))))
        assert clients[0].ask().status == 200
        kam.stop()
        for client in clients:
            client.session.is_done = False
            datagram = client.recv_raw(5)
            with pytest.raises(SSL.ZeroReturnError):
                client.session.ssl.bio_write(datagram)
                client.session.ssl.recv(1)
        while (datagram := unfinished.recv_raw(0.1)) is not None:
            assert datagram[0] == 22
        assert not kam.shm_left()


def test_off_shows_nothing(settings):
    with Kamailio(settings) as kam:
        assert not [name for name in kam.tls_info() if "dtls" in name]


def test_keylog(base, pki, port, tmp_path):
    keys = tmp_path / "keys"
    params = {"keylog_mode": 11, "keylog_file": keys}
    with Kamailio(base.but(modparams=params)) as kam, DtlsClient((LOOPBACK, port)) as client:
        client.handshake().ask()
        text = keys.read_text()
        secret = client.session.ssl.master_key().hex()
        assert re.search(rf"^CLIENT_RANDOM {client.session.ssl.client_random().hex()} {secret}$", text, re.M | re.I)
        assert re.search(rf"^# connection \d+ {LOOPBACK} {client.port} {LOOPBACK} {port} server$", text, re.M)
        kam.assert_healthy()


def test_log_of_a_handshake(base, client):
    with Kamailio(base.but(modparams={"tls_log": 1})) as kam:
        client.handshake()
        assert kam.log.wait(rf"tls_accept: new connection from {LOOPBACK}:{client.port} using DTLSv1.2 \S+ \d+")


def test_refused_certificate(base, pki, port):
    """A peer's mistake is one line at WARNING, at most once a second."""
    with Kamailio(base.but(modparams={"require_certificate": 1, "verify_certificate": 1})) as kam:
        mark = kam.log.mark()
        for _ in range(10):
            with DtlsClient((LOOPBACK, port)) as client, pytest.raises(SSL.Error):
                client.handshake()
        lines = kam.log.find("protocol level error: DTLS accept:", mark)
        assert 1 <= len(lines) <= 4
        assert all("WARNING" in line and f"dst addr: {LOOPBACK}:{port}" in line for line in lines)
        assert kam.rpc("tls.sessions")["handshakes_failed_no_certificate"] == 10
        until(lambda: kam.tls_info()["dtls_connections"] == 0, "nothing is left")


def test_profiles_and_reload(base, pki, port, tmp_path):
    """[server:ip:port] of the socket, a profile by name, and another certificate after tls.reload."""
    config = tmp_path / "tls.cfg"

    def write(*sections):
        config.write_text(section("server:default", **pair(pki, "server-rsa")) + "".join(sections)
                          + section("server:any", server_name="b.example.org", **pair(pki, "server-deep"))
                          + section("client:default"))

    def of_address(row, **more):
        return section(f"server:{LOOPBACK}:{port}", **pair(pki, row), **more)

    def presented(sni):
        with DtlsClient((LOOPBACK, port), sni=sni) as client:
            return client.handshake().ask()["X-Mine"]

    write(of_address("server-ec"))
    params = {"config": config, "certificate": None, "private_key": None, "ca_list": None}
    with Kamailio(base.but(modparams=params)) as kam:
        with DtlsClient((LOOPBACK, port)) as old:
            assert old.handshake().ask()["X-Mine"] == "server-ec"
            write(of_address("server-ec384"))
            kam.rpc("tls.reload")
            assert presented("c.example.org") == "server-ec384"
            write()
            kam.rpc("tls.reload")
            assert [presented(f"{name}.example.org") for name in "bc"] == ["server-deep", "server-rsa"]
            assert old.ask()["X-Mine"] == "server-ec", "an association keeps its profile"
        write(of_address("server-ec", method="TLSv1.3"))
        with pytest.raises(RuntimeError, match="leave nothing for"):
            kam.rpc("tls.reload")
