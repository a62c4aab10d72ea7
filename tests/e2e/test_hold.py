# tls_gnutls - end to end: what a stranger can make one connection hold
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""Messages that never end, records without data, pieces that do not go on, unfinished handshakes.

The figures of doc/benchmarks.md, beside those of tls.so (as it is in the installed Kamailio):

    python3 -m pytest tests/e2e/test_hold.py -k figures -s
    python3 -m pytest tests/e2e/test_hold.py -k figures -s --tls-module stock
"""

import threading
import time
from contextlib import ExitStack

import pytest

from .lib import hostile, sip
from .lib.kamailio import Kamailio
from .lib.raw import CERTIFICATE, HelloPeer, SealedServer, sealed_client
from .lib.tls import BioClient, TlsClient, client_context
from .lib.uas import UdpSender
from .lib.wait import until

VERSIONS = ("TLSv1.2", "TLSv1.3")
HELLO_REQUEST, CLIENT_HELLO, TICKET, KEY_UPDATE = 0, 1, 4, 24
PUSHES = 130                    # 2 MB
# 32 KB, up to twice that in GnuTLS, in chunks of 17 KB, beside session and TCP connection
HELD_MAX = 160 * 1024
# where certificates may come 104 KB are allowed
HELD_CERTIFICATE_MAX = 256 * 1024
ATTACKERS = 100
CLIENTS = 20
DEADLINE_S = 2


@pytest.fixture(scope="module")
def kam(settings, tls_module):
    """One reader and one sender: what they keep at hand is measured once."""
    with Kamailio(settings.but(listen=("tls", "udp"), shm_mb=64, children=1, tcp_children=1)) as kamailio:
        yield kamailio


def _counter(kam, name):
    return int(kam.rpc("tls.sessions")[name])


def _assert_served(kam):
    kam.assert_healthy()
    with TlsClient(kam.address(), client_context()) as client:
        assert client.ask().status == 200


class _Outgoing:
    """A server to which the Kamailio connects, as a peer."""

    def __init__(self, kam, pki, kind=TICKET, version="TLSv1.3"):
        self._server = SealedServer(pki.cert("server-ec"), pki.key("server-ec"), kind, version).__enter__()
        self._sender = UdpSender(kam.address("udp")).__enter__()
        self._thread = threading.Thread(target=self._ask)
        self._thread.start()
        self.peer = self._server.wait()
        self.push = self.peer.push

    def _ask(self):
        try:
            self._sender.ask(uri=f"sip:far@127.0.0.1:{self._server.port};transport=tls")
        except OSError:
            pass

    def close(self):
        self._server.__exit__(None, None, None)
        self._thread.join()
        self._sender.__exit__(None, None, None)


class _Empty:
    """Records without data, each alone."""

    def __init__(self, address):
        self.peer = sealed_client(address, "TLSv1.2", KEY_UPDATE)
        self.push = self.peer.push_empty
        self.close = self.peer.close


# what one connection does -> how it is made
WAYS = {
    "ClientHello of 16 MB": lambda kam, pki: HelloPeer(kam.address()),
    "the same, its length in the first record": lambda kam, pki: HelloPeer(kam.address(), split=False),
    "message of 16 MB after the handshake, TLS 1.3":
        lambda kam, pki: sealed_client(kam.address(), "TLSv1.3", KEY_UPDATE),
    "message of 16 MB after the handshake, TLS 1.2":
        lambda kam, pki: sealed_client(kam.address(), "TLSv1.2", CLIENT_HELLO),
    "records without data": lambda kam, pki: _Empty(kam.address()),
    "message of 16 MB from a server": _Outgoing,
    "Certificate of 16 MB from a server, TLS 1.2": lambda kam, pki: _Outgoing(kam, pki, CERTIFICATE, "TLSv1.2"),
    "message of 16 MB from a server after the handshake, TLS 1.2":
        lambda kam, pki: _Outgoing(kam, pki, HELLO_REQUEST, "TLSv1.2"),
}
COUNTED = {"records without data": "limit_idle_records"}


def _hold(kam, pki, way):
    """Pushes until the other side closes.  Gives the most that was held, and the pushes that were taken."""
    before = kam.shm_used()
    peer = WAYS[way](kam, pki)
    most = pushes = 0
    try:
        while pushes < PUSHES and peer.push():
            pushes += 1
            most = max(most, kam.shm_used() - before)
    finally:
        peer.close()
    return most, pushes


@pytest.mark.ours_only("measured by test_figures")
@pytest.mark.parametrize("way", WAYS)
def test_bound(kam, pki, way):
    """The connection ends, as the peer's fault, with one line; little was held; the next client is served."""
    name = COUNTED.get(way, "limit_memory")
    # without renegotiation a ClientHello or HelloRequest ends the session by its first bytes
    ends_by_itself = "after the handshake, TLS 1.2" in way
    mark = kam.log.mark()
    before = _counter(kam, name)
    _hold(kam, pki, way)                                        # what processes keep at hand is there now
    kam.wait_connections(0)
    most, pushes = _hold(kam, pki, way)
    print(f"{way}: {most} bytes held, {pushes} pieces taken")
    assert most <= (HELD_CERTIFICATE_MAX if "Certificate" in way else HELD_MAX)
    assert pushes < PUSHES
    kam.wait_connections(0)

    def said():
        return kam.log.find(r"WARNING: tls .*protocol level error", since=mark)
    if not ends_by_itself:
        assert _counter(kam, name) == before + 2
        until(lambda: len(said()) >= 2, "both are named in the log")
        lines = said()
        assert len(lines) == 2, lines
        assert all("message too large" in line or "without data" in line for line in lines), lines
    assert not [text for module, text in kam.log.at_level("ERROR", since=mark) if module == "tls"]
    assert not kam.log.find(r"CRITICAL|ALERT|\bBUG\b", since=mark)
    _assert_served(kam)


@pytest.mark.ours_only("tls.so has no deadline")
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("part", ("record", "message"))
def test_what_begins_has_a_deadline(start, settings, version, part):
    """Also when the peer says nothing more; a connection beside it that is idle stays."""
    if (version, part) == ("TLSv1.2", "message"):
        pytest.skip("TLS 1.2 has no message that a server collects after the handshake")
    kam = start(settings.but(modparams={"handshake_timeout": DEADLINE_S}))
    mark = kam.log.mark()
    with TlsClient(kam.address(), client_context(version=version)) as idle:
        assert idle.ask().status == 200
        peer = sealed_client(kam.address(), version, KEY_UPDATE)
        try:
            if part == "record":
                assert peer.send_raw(hostile.APPLICATION_DATA, b"OPTIONS", end=-3)
            else:
                assert peer.push()
            until(lambda: not peer.is_open(), "the connection ends")
        finally:
            peer.close()
        assert _counter(kam, "limit_stalled") == 1
        assert len(kam.log.find(r"WARNING.*began was not complete within handshake_timeout", since=mark)) == 1
        assert idle.ask().status == 200
    kam.assert_healthy()


@pytest.mark.parametrize("version", VERSIONS)
def test_slow_and_quiet_peers_are_served(start, settings, tls_module, version):
    """A request in small pieces, pauses between records, a few records without data: nothing of it is a fault."""
    more = {"handshake_timeout": DEADLINE_S} if tls_module.ours else {}
    kam = start(settings.but(modparams=more))
    with BioClient(kam.address(), client_context(version=version)) as client:
        client.handshake()
        for _ in range(3):
            sealed = client.seal(sip.options(kam.port()))
            for i in range(0, len(sealed), 50):
                client.sock.sendall(sealed[i:i + 50])
                time.sleep(0.02)
            assert client.receive().status == 200
            time.sleep(DEADLINE_S + 1)
    peer = sealed_client(kam.address(), version, KEY_UPDATE)
    try:
        for _ in range(3):
            for _ in range(20):
                assert peer.push_empty()
            assert peer.send_sealed(hostile.APPLICATION_DATA, sip.options(kam.port()))
        assert peer.is_open()
    finally:
        peer.close()
    kam.assert_healthy()
    if tls_module.ours:
        assert _counter(kam, "limit_idle_records") == _counter(kam, "limit_stalled") == 0


def _begin(kam):
    """A client that has sent its ClientHello and got an answer, or nothing."""
    client = BioClient(kam.address(), client_context())
    client.step()
    client.sock.sendall(client.outgoing())
    try:
        client.pump()
    except OSError:
        pass
    return client


@pytest.mark.ours_only("tls.so has no such limit")
@pytest.mark.parametrize("params,name", (
    ({"handshakes_max": 5}, "limit_handshakes"),
    ({"handshakes_per_address": 5}, "limit_handshakes_per_address"),
))
def test_unfinished_handshakes_are_limited(start, settings, params, name):
    """What is over is refused at once and counted, with a line a second; places come back however a connection ends."""
    kam = start(settings.but(modparams={**params, "handshake_timeout": 30}))
    mark = kam.log.mark()
    with ExitStack() as stack:
        begun = [stack.enter_context(_begin(kam)) for _ in range(5)]
        assert _counter(kam, "handshakes_unfinished") == 5
        for _ in range(10):
            with pytest.raises((OSError, EOFError)):
                TlsClient(kam.address(), client_context())
        assert _counter(kam, name) == 10
        lines = kam.log.find(r"WARNING.*too many unfinished handshakes.*" + next(iter(params)), since=mark)
        assert 1 <= len(lines) <= 10
        until(lambda: kam.connections() == 5, "the refused are gone")
        begun[0].sock.close()                                   # gone before its handshake
        begun[1].handshake()                                    # done
        until(lambda: _counter(kam, "handshakes_unfinished") == 3, "two places are free")
        with TlsClient(kam.address(), client_context()) as client:
            assert client.ask().status == 200
        begun[1].sock.sendall(begun[1].seal(sip.options(kam.port())))
        assert begun[1].receive().status == 200
    kam.wait_connections(0)
    assert _counter(kam, "handshakes_unfinished") == 0
    assert not kam.log.at_level("ERROR", since=mark)
    _assert_served(kam)


@pytest.mark.ours_only("tls.so has no such limit")
def test_places_come_back_after_deadline_kill_and_failure(start, settings):
    kam = start(settings.but(modparams={
        "handshakes_max": 4, "handshakes_per_address": 4, "handshake_timeout": DEADLINE_S}))
    for _ in range(3):
        with ExitStack() as stack:
            late = [stack.enter_context(_begin(kam)) for _ in range(4)]
            until(lambda: _counter(kam, "handshakes_unfinished") == 0, "the deadline has ended them")
            assert len(late) == 4
        with _begin(kam) as broken:
            broken.sock.sendall(hostile.record(hostile.APPLICATION_DATA, hostile.noise(1, 50)))
            until(lambda: _counter(kam, "handshakes_unfinished") == 0, "a failure has ended it")
        with _begin(kam):
            number = kam.rpc("tls.list")[0]["id"]
            kam.rpc("tls.kill", number)
            until(lambda: _counter(kam, "handshakes_unfinished") == 0, "the command has ended it")
    kam.wait_connections(0)
    assert _counter(kam, "limit_handshakes") == 0
    _assert_served(kam)


def _served(kam):
    served = 0
    for _ in range(CLIENTS):
        try:
            with TlsClient(kam.address(), client_context()) as client:
                served += client.ask().status == 200
        except (OSError, EOFError):
            pass
    return served


@pytest.mark.stock_may_crash
@pytest.mark.parametrize("way", WAYS)
def test_figures(start, settings, pki, tls_module, way):
    """With 64 MB: what one connection holds at most; 20 clients are served while 100 connections hold what they can."""
    kam = start(settings.but(listen=("tls", "udp"), shm_mb=64, children=1, tcp_children=1,
                             modparams={"low_mem_threshold1": 0, "low_mem_threshold2": 0}))
    _hold(kam, pki, way)
    kam.wait_connections(0)
    most, pushes = _hold(kam, pki, way)
    kam.wait_connections(0)
    if "from a server" in way:
        print(f"\n{way}: {most // 1024} KB held by one connection, {pushes} pieces taken")
        return
    peers = []
    try:
        for _ in range(ATTACKERS):
            try:
                peers.append(WAYS[way](kam, pki))
            except (OSError, EOFError):
                break
        before = kam.shm_used()
        for _ in range(min(pushes, 130) or 1):
            for peer in peers:
                peer.push()
        used = kam.shm_used() - before
        served = _served(kam)
    finally:
        for peer in peers:
            peer.close()
    print(f"\n{way}: {most // 1024} KB held by one connection, {pushes} pieces taken; "
          f"{len(peers)} of {ATTACKERS} connections: "
          f"{max(used, 0) // 1024} KB more; {served} of {CLIENTS} clients served")
    if tls_module.ours:
        assert served == CLIENTS
