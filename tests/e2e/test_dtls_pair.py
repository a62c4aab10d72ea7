# tls_gnutls - end to end: Kamailio to Kamailio over DTLS, on good and bad links; interoperation
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import contextlib
import re
import subprocess
import threading

import pytest

from .lib import dtls, sip
from .lib import token as tokens
from .lib.dtls import Relay
from .lib.kamailio import Kamailio
from .lib.ports import LOOPBACK, free_port
from .lib.uas import UdpAgent, UdpSender
from .lib.wait import until

pytestmark = pytest.mark.ours_only("it has no DTLS")

CALLS = 200
CALLS_LONG = 10_000
RATE = 50           # calls a second
LOSS = 0.02

NEAR = r"""
# Everything from UDP goes to the other Kamailio over DTLS; what comes from there to the agent.
request_route {
	force_rport();
	if ($Rp == @DTLS@) {
		$du = "sip:127.0.0.1:@AGENT@";
		$fs = "udp:127.0.0.1:@UDP@";
	} else {
		$du = "sip:127.0.0.1:@FAR@";
		$fs = "udp:127.0.0.1:@DTLS@";
	}
	if (is_method("ACK")) {
		if (!t_relay()) {
			forward();
		}
		exit;
	}
	if (!t_relay()) {
		sl_reply_error();
	}
}
"""

REPLIES = r"""
# A reply without a transaction would leave from the socket that it came in on.
reply_route {
	if ($Rp == @DTLS@) {
		$fs = "udp:127.0.0.1:@UDP@";
	} else {
		$fs = "udp:127.0.0.1:@DTLS@";
	}
}
"""


class Node:
    """One of two Kamailios: ports, settings, process."""

    def __init__(self, settings, agent):
        self.udp, self.dtls, self.agent = free_port(), free_port(), agent
        self._settings = settings
        self.kam = None

    def start(self, far, script=NEAR + REPLIES):
        """far: the port of the other one, or of a relay before it."""
        for word, port in (("UDP", self.udp), ("DTLS", self.dtls), ("AGENT", self.agent), ("FAR", far)):
            script = script.replace(f"@{word}@", str(port))
        core = f"listen=udp:{LOOPBACK}:{self.udp}\nlisten=udp:{LOOPBACK}:{self.dtls}"
        self.kam = Kamailio(self._settings.but(
            listen=("tls",), core=core, script=script, shm_mb=128,
            config=f'modparam("tls", "dtls_listen", "udp:{LOOPBACK}:{self.dtls}")'))
        return self.kam


def _figure(kam, name):
    return kam.rpc("tls.sessions")[name]


def test_both_directions(settings):
    """One association serves both; nothing on the path is clear text."""
    with UdpAgent() as left, UdpAgent() as right:
        a, b = Node(settings, left.port), Node(settings, right.port)
        with Relay((LOOPBACK, b.dtls)) as relay, b.start(a.dtls), a.start(relay.port):
            with UdpSender((LOOPBACK, a.udp)) as sender:
                assert [sender.ask().status for _ in range(20)] == [200] * 20
            assert len(right.requests) == 20
            assert _figure(b.kam, "handshakes_done_server") == 1
            assert all(dtls.is_dtls(datagram) for datagram in relay.seen)
            with UdpSender((LOOPBACK, b.udp)) as sender:    # B opens one of its own, past the relay
                assert sender.ask().status == 200
            assert len(left.requests) == 1


def test_both_begin_at_once(settings):
    """Two handshakes between the same two sockets: one of them is used, and all requests arrive."""
    with UdpAgent() as left, UdpAgent() as right:
        a, b = Node(settings, left.port), Node(settings, right.port)
        with b.start(a.dtls), a.start(b.dtls):
            replies = {}

            def ask(node):
                with UdpSender((LOOPBACK, node.udp), window=10) as sender:
                    replies[node] = [reply.status for reply in sender.run([{}] * 50)]

            threads = [threading.Thread(target=ask, args=(node,)) for node in (a, b)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert replies == {a: [200] * 50, b: [200] * 50}
            for node in (a, b):
                until(lambda: node.kam.tls_info()["dtls_connections"] == 1, "one association is left")


def _kill_all(*nodes):
    for node in nodes:
        for entry in node.kam.rpc("tls.list"):
            node.kam.rpc("tls.kill", entry["id"])
        until(lambda: node.kam.tls_info()["dtls_connections"] == 0, "no association is left")


@pytest.mark.parametrize("verify", (0, 1), ids=("unverified", "verified"))
@pytest.mark.parametrize("on", (True, False), ids=("on", "off"))
def test_resumption(settings, on, verify):
    """With session_cache=1 an outgoing association resumes the session of the one before, whichever worker opens it."""
    with UdpAgent() as right:
        changed = settings.but(modparams={"session_cache": int(on), "verify_certificate": verify}, children=3)
        a, b = Node(changed, 9), Node(changed, right.port)
        with b.start(a.dtls), a.start(b.dtls), UdpSender((LOOPBACK, a.udp), window=6) as sender:
            for done in range(1, 6):
                replies = sender.run([{}] * 6)
                assert [reply and reply.status for reply in replies] == [200] * 6, \
                    (done, [node.kam.rpc("tls.list") for node in (a, b)])
                assert _figure(a.kam, "handshakes_done_client") == done
                _kill_all(a, b)
            for node, role in ((a, "client"), (b, "server")):
                for name in ("handshakes_done_resumed", f"handshakes_resumed_{role}_dtls1_2"):
                    assert _figure(node.kam, name) == (4 if on else 0), name


def _on_token(row, pki, tmp_path, monkeypatch):
    token = tokens.SoftHsm(tmp_path / "hsm", monkeypatch).token("sip", "pin-7261534")
    token.add_key(row, pki.key(row))
    return token.uri(row)


@pytest.mark.parametrize("isolation", (0, 1), ids=("open", "isolated"))
@pytest.mark.parametrize("place", ("file", "token"))
@pytest.mark.parametrize("row", ("server-ec", "server-rsa"))
def test_keys(settings, pki, tmp_path, monkeypatch, row, place, isolation):
    """Keys on a token, keys in a process of their own, both: at the server's end, and at the client's."""
    if place == "token" and not tokens.available():
        pytest.skip("softhsm2 or opensc is not installed")
    key = pki.key(row) if place == "file" else _on_token(row, pki, tmp_path, monkeypatch)
    changed = settings.but(modparams={
        "certificate": pki.cert(row), "private_key": key, "key_isolation": isolation, "verify_certificate": 1,
        "require_certificate": 1, "ca_list": pki.path("ca.pem")})
    with UdpAgent() as right:
        a, b = Node(changed, 9), Node(changed, right.port)
        with Relay((LOOPBACK, b.dtls)) as relay, b.start(a.dtls), a.start(relay.port), \
                UdpSender((LOOPBACK, a.udp), window=5) as sender:
            for _ in range(3):
                assert [reply.status for reply in sender.run([{}] * 10)] == [200] * 10
                _kill_all(a, b)
            for node in (a, b):
                node.kam.assert_healthy()
                assert not node.kam.log.at_level("ERROR")
            assert all(dtls.is_dtls(datagram) for datagram in relay.seen)


@contextlib.contextmanager
def _after_a_transaction(settings, replies):
    """One request through both, whose transaction has ended at the second. Yields both, the relay, the sender, and what
    sends the reply to that request once more.
    """
    script = 'modparam("tm", "wt_timer", 100)\n' + NEAR + replies
    with UdpAgent() as left, UdpAgent() as right:
        a, b = Node(settings, left.port), Node(settings, right.port)
        with Relay((LOOPBACK, b.dtls)) as relay, b.start(a.dtls, script), a.start(relay.port, script), \
                UdpSender((LOOPBACK, a.udp)) as sender:
            assert sender.ask().status == 200
            for node in (a, b):
                until(lambda: node.kam.rpc("tm.stats")["current"] == 0, "the transaction has ended")
            yield a, b, relay, sender, lambda: right.sock.sendto(sip.reply(right.requests[0], 200), (LOOPBACK, b.udp))


@pytest.mark.parametrize("replies", (REPLIES, ""), ids=("as in the manual", "without a route"))
def test_reply_without_a_transaction(settings, replies):
    """It is encrypted on the path; it arrives if the script says from which socket a client of UDP gets it."""
    with _after_a_transaction(settings, replies) as (a, _, relay, sender, reply):
        reply()
        if replies:
            assert sip.parse(sender.sock.recv(65536)).status == 200
        else:
            until(lambda: _figure(a.kam, "dtls_unsent") == 1, "the reply has come as far as the first Kamailio")
        assert all(dtls.is_dtls(datagram) for datagram in relay.seen)


@pytest.mark.parametrize("replies", (REPLIES, ""), ids=("as in the manual", "without a route"))
def test_reply_after_the_association(settings, replies):
    """With the route it is not sent; without, the core sends it from the socket on which it came in, in clear text."""
    with _after_a_transaction(settings, replies) as (_, b, relay, _sender, reply):
        (association,) = b.kam.rpc("tls.list")
        b.kam.rpc("tls.kill", association["id"])
        until(lambda: b.kam.tls_info()["dtls_connections"] == 0, "the association has ended")
        reply()
        if replies:
            until(lambda: _figure(b.kam, "dtls_unsent") == 1, "the reply is not sent")
            assert all(dtls.is_dtls(datagram) for datagram in relay.seen)
        else:
            until(lambda: any(b"SIP/2.0" in datagram for datagram in relay.seen), "the reply is sent")


@pytest.mark.parametrize("seed", range(4))
def test_lossy_link(settings, seed):
    """A tenth of the datagrams is lost, some come twice or late: SIP's retransmission brings all requests through."""
    with UdpAgent() as left, UdpAgent() as right:
        a, b = Node(settings, left.port), Node(settings, right.port)
        with Relay((LOOPBACK, b.dtls), loss=0.1, repeat=0.05, swap=0.05, seed=seed) as relay, \
                b.start(a.dtls), a.start(relay.port), UdpSender((LOOPBACK, a.udp), window=10) as sender:
            replies = sender.run([{"method": "MESSAGE"}] * 100)
            assert [reply.status for reply in replies if reply] == [200] * 100
            assert relay.lost > 10
            assert all(dtls.is_dtls(datagram) for datagram in relay.seen)


def _calls(settings, count, rate, folder):
    """Calls from one sipp to another, through two Kamailios and a link that loses datagrams."""
    uas = free_port()
    a, b = Node(settings, 9), Node(settings, uas)
    server = subprocess.Popen(
        ["sipp", "-sn", "uas", "-nostdin", "-i", LOOPBACK, "-p", str(uas)], cwd=folder, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with Relay((LOOPBACK, b.dtls), loss=LOSS, seed=7) as relay, b.start(a.dtls), a.start(relay.port):
            # A 180 that another worker sends behind the 200 is no reason to give up a call.
            done = subprocess.run(
                ["sipp", "-sn", "uac", "-nostdin", "-i", LOOPBACK, "-p", str(free_port()), "-m", str(count),
                 "-r", str(rate), "-l", "500", "-d", "200", "-default_behaviors", "all,-abortunexp", "-trace_err",
                 f"{LOOPBACK}:{a.udp}"], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                timeout=120 + 5 * count / rate, check=False)
            assert not any(b"SIP/2.0" in datagram for datagram in relay.seen)
            assert relay.lost > count * 3 * LOSS / 2
            for node in (a, b):
                node.kam.assert_healthy()
                assert node.kam.tls_info()["dtls_connections"] == 1
            print(f"{count} calls, {len(relay.seen)} datagrams, {relay.lost} lost")
            return done
    finally:
        server.kill()
        server.wait()


def _assert_all_succeeded(done, count):
    found = re.findall(r"Successful call\s*\|\s*\d+\s*\|\s*(\d+)", done.stdout)
    assert done.returncode == 0, done.stdout[-3000:]
    assert int(found[-1]) == count


def test_calls(settings, tmp_path):
    _assert_all_succeeded(_calls(settings, CALLS, RATE, tmp_path), CALLS)


@pytest.mark.long
def test_many_calls(settings, tmp_path):
    _assert_all_succeeded(_calls(settings, CALLS_LONG, RATE, tmp_path), CALLS_LONG)
