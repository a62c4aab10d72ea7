# tls_gnutls - end to end: outgoing connections that fail, and the queue of clear text
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""The sender gets a failure, whatever the server does; nothing leaks.

Requests come in on UDP and go out over TLS.  A failed transaction ends with 408 (its timer),
477 or 503 (the send failed at once).
"""

import os
import select
import signal
import socket
import ssl
import struct
import subprocess
import threading
from pathlib import Path

import pytest

from .lib import hostile, sip
from .lib.kamailio import Kamailio
from .lib.ports import LOOPBACK, free_port
from .lib.tls import TIMEOUT_S, server_context
from .lib.uas import BreakingServer, RefusingServer, SilentServer, TlsAgent, UdpSender
from .lib.wait import until

VERSIONS = ("TLSv1.2", "TLSv1.3")
FAILED = (408, 477, 503)
FR_TIMER_MS = 1500
QUICK = f'modparam("tm", "fr_timer", {FR_TIMER_MS})\nmodparam("tm", "wt_timer", 500)'
DEADLINE_S = 2


@pytest.fixture(scope="module")
def base(settings):
    return settings.but(listen=("tls", "udp"), config=QUICK, core="tcp_connect_timeout=3",
                        modparams={"low_mem_threshold1": 0, "low_mem_threshold2": 0})


@pytest.fixture(scope="module")
def kam(base, tls_module):
    """A Kamailio with a short deadline for handshakes, where the module has one."""
    more = {"handshake_timeout": DEADLINE_S} if tls_module.ours else {}
    with Kamailio(base.but(modparams=more)) as kamailio:
        yield kamailio


@pytest.fixture
def sender(kam):
    with UdpSender(kam.address("udp")) as udp:
        yield udp


def _uri(server):
    return f"sip:far@127.0.0.1:{server.port};transport=tls"


def _assert_served(kam, pki, sender):
    """A good server gets the next request: no process is stuck or dead."""
    kam.assert_healthy()
    with TlsAgent(server_context(pki.cert("server-ec"), pki.key("server-ec"))) as agent:
        assert sender.ask(uri=_uri(agent)).status == 200


def _assert_nothing_left(kam, timeout_s=30):
    kam.wait_connections(0, timeout_s)
    assert kam.tls_info()["clear_text_write_queued_bytes"] == 0


@pytest.mark.parametrize("version", VERSIONS)
def test_good_server(kam, pki, sender, version):
    with TlsAgent(server_context(pki.cert("server-rsa"), pki.key("server-rsa"), version)) as agent:
        replies = [sender.ask(uri=_uri(agent)) for _ in range(3)]
        assert [reply.status for reply in replies] == [200, 200, 200]
        assert len(agent.peers) == 1, "one connection serves all"
    _assert_nothing_left(kam)


def _flight(pki, prime_bytes):
    """ServerHello for DHE-RSA-AES128-GCM-SHA256, a certificate, and a prime of that size."""
    der = ssl.PEM_cert_to_DER_cert(Path(pki.cert("server-rsa")).read_text().split("-----END")[0]
                                   + "-----END CERTIFICATE-----\n")
    entry = len(der).to_bytes(3, "big") + der
    prime = b"\x7f" + hostile.noise(21, prime_bytes - 2) + b"\1"
    numbers = b"".join(struct.pack(">H", len(n)) + n for n in (prime, b"\2", prime[:-1]))
    hello = b"\3\3" + bytes(range(32)) + b"\0" + b"\0\x9e" + b"\0" + b"\0\5\xff\1\0\1\0"
    messages = ((2, hello), (11, len(entry).to_bytes(3, "big") + entry),
                (12, numbers + b"\4\1\1\0" + hostile.noise(22, 256)))
    return b"".join(hostile.record(hostile.HANDSHAKE, hostile.message(*m)) for m in messages)


@pytest.mark.parametrize("prime_bytes,alert", ((300, 51), (1250, 51), (1251, 47), (5000, 47)))
def test_oversized_prime(base, start, pki, tls_module, prime_bytes, alert):
    """The server chooses the group of Diffie-Hellman: 10,000 bits at most are accepted.

    A smaller one fails because of its signature: decrypt_error.
    """
    if not tls_module.ours:
        pytest.skip("stock tls.so has limits of its own")
    kam = start(base.but(modparams={"tls_method": "TLSv1.2", "cipher_list": "DHE-RSA-AES128-GCM-SHA256",
                                    "certificate": pki.cert("server-rsa"), "private_key": pki.key("server-rsa")}))
    with socket.create_server((LOOPBACK, 0)) as listener, UdpSender(kam.address("udp")) as sender:
        listener.settimeout(TIMEOUT_S)
        thread = threading.Thread(target=sender.ask, kwargs={
            "uri": f"sip:far@{LOOPBACK}:{listener.getsockname()[1]};transport=tls"})
        thread.start()
        with listener.accept()[0] as sock:
            sock.settimeout(TIMEOUT_S)
            assert sock.recv(65536)                 # the ClientHello
            sock.sendall(_flight(pki, prime_bytes))
            assert sock.recv(100)[:7] == hostile.alert(hostile.FATAL, alert)
        thread.join()
    kam.wait_connections(0)
    kam.assert_healthy()


def test_server_that_refuses_tcp(kam, pki, sender):
    with RefusingServer() as server:
        for _ in range(3):
            assert sender.ask(uri=_uri(server)).status in FAILED
    _assert_nothing_left(kam)
    _assert_served(kam, pki, sender)


@pytest.mark.ours_only("no deadline for handshakes")
def test_server_that_never_answers(kam, pki, sender):
    """The handshake deadline closes the connection and frees what waits."""
    with SilentServer() as server:
        replies = [sender.ask(uri=_uri(server)) for _ in range(2)]
        assert all(reply.status in FAILED for reply in replies)
        _assert_nothing_left(kam)
    _assert_served(kam, pki, sender)


SERVER_HELLO = hostile.record(hostile.HANDSHAKE, hostile.message(
    2, b"\x03\x03" + hostile.noise(60, 32) + b"\0" + b"\xc0\x2b\0" + b"\0\0"))

# what the server does with the connection
BREAKS = {
    "closes at once": {},
    "resets at once": {"with_reset": True},
    "closes after the ClientHello": {"after": 100},
    "resets after the ClientHello": {"after": 100, "with_reset": True},
    "answers noise": {"after": 100, "answer": hostile.noise(61, 500)},
    "answers SIP": {"after": 100, "answer": b"SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"},
    "answers HTTP": {"after": 100, "answer": b"HTTP/1.1 400 Bad Request\r\n\r\n"},
    "answers a fatal alert": {"after": 100, "answer": hostile.alert(hostile.FATAL, 40)},
    "answers close_notify": {"after": 100, "answer": hostile.alert(hostile.WARNING, 0)},
    "answers half a ServerHello": {"after": 100, "answer": SERVER_HELLO[:20]},
    "answers a ServerHello only": {"after": 100, "answer": SERVER_HELLO},
    "answers an oversized record": {"after": 100, "answer": hostile.record(
        hostile.HANDSHAKE, hostile.noise(62, 18500))},
    "answers a client hello": {"after": 100, "answer": hostile.record(
        hostile.HANDSHAKE, hostile.client_hello())},
}


@pytest.mark.parametrize("name", BREAKS)
def test_server_that_breaks_the_handshake(kam, pki, sender, tls_module, name):
    mark = kam.log.mark()
    with BreakingServer(**BREAKS[name]) as server:
        assert sender.ask(uri=_uri(server)).status in FAILED
        assert server.connections >= 1
        _assert_nothing_left(kam)
    _assert_served(kam, pki, sender)
    if tls_module.ours:
        assert len([1 for module, _ in kam.log.at_level("ERROR", since=mark)
                    if module == "tls"]) <= 1


def test_server_that_closes_between_two_requests(kam, pki, sender):
    """The good connection is closed by the server between two requests: a new one is made."""
    context = server_context(pki.cert("server-ec"), pki.key("server-ec"))
    with TlsAgent(context) as agent:
        assert sender.ask(uri=_uri(agent)).status == 200
        agent.close_connections()
        _assert_nothing_left(kam)
        assert sender.ask(uri=_uri(agent)).status == 200
        assert len(agent.peers) == 2


# -- the queue of clear text -------------------------------------------------------------------

def _queued(kam):
    return kam.tls_info()["clear_text_write_queued_bytes"]


def test_queue_is_counted_and_shown(start, base):
    kam = start(base.but(children=1))
    with SilentServer() as server, UdpSender(kam.address("udp")) as sender:
        sender.sock.send(sip.request(uri=_uri(server), via="UDP", sent_by=sender.sent_by,
                                     body=b"x" * 3000))
        until(lambda: 3000 < _queued(kam) < 4500, "one request waits")
        listed = kam.kamcmd("tls.list")
        assert "state: tls_connect" in listed
        assert f"ct_wq_size: {_queued(kam)}" in listed
        assert f"src_port: {server.port}" in listed


def test_limit_of_one_connection(start, base):
    """con_ct_wq_max: what does not fit ends the connection and fails the requests."""
    limit = 20000
    kam = start(base.but(children=1, modparams={"con_ct_wq_max": limit}))
    with SilentServer() as server, UdpSender(kam.address("udp")) as sender:
        for number in range(3):
            sender.sock.send(sip.request(uri=_uri(server), via="UDP", sent_by=sender.sent_by,
                                         cseq=number + 1, body=b"x" * 5000))
        until(lambda: _queued(kam) > 15000, "three requests wait")
        assert _queued(kam) <= limit
        mark = kam.log.mark()
        assert sender.ask(uri=_uri(server), body=b"x" * 8000).status in (477, 503)
        kam.log.wait(r"ct write buffer full", since=mark)
        until(lambda: _queued(kam) == 0, "the queue is freed")
        kam.wait_connections(0)


@pytest.mark.ours_only("the first piece is not limited")
def test_limit_holds_for_the_first_request_too(start, base):
    kam = start(base.but(modparams={"con_ct_wq_max": 2000}))
    with SilentServer() as server, UdpSender(kam.address("udp")) as sender:
        assert sender.ask(uri=_uri(server), body=b"x" * 3000).status in (477, 503)
        _assert_nothing_left(kam)


def test_below_the_limit_everything_arrives(start, base, pki):
    kam = start(base.but(modparams={"con_ct_wq_max": 20000, "ct_wq_blk_size": 512}))
    context = server_context(pki.cert("server-ec"), pki.key("server-ec"))
    with TlsAgent(context) as agent, UdpSender(kam.address("udp"), window=1) as sender:
        assert sender.ask(uri=_uri(agent), body=b"y" * 15000).status == 200
        assert agent.requests[0].body == b"y" * 15000
        assert _queued(kam) == 0


def test_limit_of_all_connections(start, base):
    """ct_wq_max: two connections that stall share it; the third exceeds it."""
    limit = 20000
    kam = start(base.but(children=1, modparams={"ct_wq_max": limit}))
    with SilentServer() as one, SilentServer() as two, SilentServer() as three, \
            UdpSender(kam.address("udp")) as sender:
        for server in (one, two):
            sender.sock.send(sip.request(uri=_uri(server), via="UDP", sent_by=sender.sent_by,
                                         body=b"x" * 8000))
        until(lambda: _queued(kam) > 16000, "two requests wait")
        assert _queued(kam) <= limit
        assert sender.ask(uri=_uri(three), body=b"x" * 8000).status in (477, 503)
        assert 16000 < _queued(kam) <= limit, "the other two are left alone"
        kam.wait_connections(2)


def test_stalled_server_frees_everything(start, base, tls_module):
    """Shared memory after 20 stalled connections is what it was before."""
    more = {"handshake_timeout": DEADLINE_S} if tls_module.ours else {}
    kam = start(base.but(modparams=more, children=2))

    def stall():
        servers = [SilentServer() for _ in range(20)]
        with UdpSender(kam.address("udp"), window=20) as sender:
            statuses = [reply and reply.status for reply in sender.run(
                [{"uri": _uri(server), "body": b"z" * 2000} for server in servers])]
        assert all(status in FAILED for status in statuses)
        for server in servers:
            server.close()          # with the stock module this is what ends the connections
        _assert_nothing_left(kam)
        until(lambda: kam.transactions() == 0, "transactions are gone")

    def used():
        # what processes cache for the next connection depends on which of them freed one
        spare = kam.rpc("tls.sessions")["arena_spare_bytes"] if tls_module.ours else 0
        return kam.shm_used() - spare

    stall()
    before = used()
    stall()
    stall()
    # one leaked connection would be 20 KB or more, and 40 are tried
    until(lambda: used() - before < 20000, "shared memory is as before")
    print(f"shared memory used: {before} bytes before, {used()} after 40 stalled connections")


def test_slow_server_is_waited_for(kam, pki, sender):
    """A server that is slow, but answers before the deadline, is served."""
    context = server_context(pki.cert("server-ec"), pki.key("server-ec"))
    with TlsAgent(context, delay_s=0.7) as agent:
        assert sender.ask(uri=_uri(agent)).status == 200


def _read_until(process, text):
    shown = b""
    while text not in shown:
        assert select.select([process.stdout], [], [], TIMEOUT_S)[0], shown
        data = process.stdout.read(4096)
        assert data, shown
        shown += data


def _ask(sender, port, word):
    sender.sock.send(sip.request("MESSAGE", f"sip:far@127.0.0.1:{port};transport=tls", via="UDP",
                                 sent_by=sender.sent_by, call_id=word))


@pytest.mark.ours_only("not looked at")
def test_data_in_flight_when_a_server_renegotiates(start, base, pki):
    """A server of OpenSSL goes on sending behind its HelloRequest: the connection is kept, no line is logged."""
    kam = start(base.but(tcp_children=1, modparams={"renegotiation": 1}))
    (reader,) = kam.pids("tcp receiver")
    port = free_port()
    server = subprocess.Popen(
        ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-tls1_2", "-msg",
         "-cert", pki.cert("server-ec"), "-key", pki.key("server-ec")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0)
    try:
        _read_until(server, b"ACCEPT")
        with UdpSender(kam.address("udp")) as sender:
            _ask(sender, port, "first")
            _read_until(server, b"Call-ID: first")
            mark = kam.log.mark()
            os.kill(reader, signal.SIGSTOP)
            try:
                server.stdin.write(b"r\n")
                _read_until(server, b"HelloRequest")
                server.stdin.write(b"\n")
            finally:
                os.kill(reader, signal.SIGCONT)
            _read_until(server, b"Finished")            # of the second handshake
            _ask(sender, port, "second")
            _read_until(server, b"Call-ID: second")
        assert kam.connections() == 1
        assert not kam.log.find(r"(WARNING|ERROR): tls ", mark)
    finally:
        server.kill()
        server.wait()
        server.stdin.close()
        server.stdout.close()
    kam.wait_connections(0)
