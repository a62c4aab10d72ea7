# tls_gnutls - end to end: bad input on sockets of dtls_listen, limits, peers that start again
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import contextlib
import random
import socket
import time

import pytest

from .lib import dtls, sip
from .lib.dtls import DtlsClient
from .lib.kamailio import Kamailio, smallest_shm_mb
from .lib.ports import LOOPBACK
from .lib.tls import TlsClient, client_context
from .lib.uas import udp_socket
from .lib.wait import until

pytestmark = pytest.mark.ours_only("it has no DTLS")

SPOOFED = 100_000
BATCH = 500
OTHER = "127.0.0.2"         # a client's address
SMALLEST = smallest_shm_mb()
GROWTH = 512 << 10      # what the processes may keep for the next connection: 5 bytes for each spoofed hello


@pytest.fixture(scope="module")
def base(settings):
    return settings.but(listen=("tls", "dtls"), modparams={"handshake_timeout": 3})


@pytest.fixture(scope="module")
def kam(base):
    with Kamailio(base) as kamailio:
        yield kamailio


def _figure(kam, name):
    return kam.rpc("tls.sessions")[name]


def _associations(kam):
    return kam.tls_info()["dtls_connections"]


def _assert_served(kam):
    """A new DTLS client is served, and one of TLS."""
    with DtlsClient(kam.address("dtls")) as client:
        assert client.handshake().ask().status == 200
    with TlsClient(kam.address("tls"), client_context()) as client:
        assert client.ask().status == 200
    kam.assert_healthy()


def _assert_refused(kam, figure):
    """A new DTLS client is refused: the figure counts it, and its ClientHello with the cookie gets no answer."""
    with DtlsClient(kam.address("dtls")) as late:
        late.session.step()
        late.session.take(late.recv_raw(5))
        until(lambda: _figure(kam, figure) >= 1, "it is refused")
        assert late.recv_raw(0.3) is None


def _warm_up(kam):
    """Until each process keeps the few chunks of memory that it will keep."""
    for _ in range(20):
        _assert_served(kam)
    until(lambda: _associations(kam) == 0, "all are gone")


def _hello(kam):
    """The first ClientHello of a client, without a cookie, and the socket that it was sent from."""
    client = DtlsClient(kam.address("dtls"))
    client.session.step()
    return client, client.sent[0]


GARBAGE = {
    "sip": sip.options(5060, via="UDP"),
    "short": b"\x16\xfe\xfd",
    "zeroes": bytes(300),
    "keepalive": b"\r\n\r\n",
    "stun": bytes.fromhex("000100002112a442") + bytes(12),
    "tls": b"\x16\x03\x01\x00\x05hello",
    "other type": b"\x1a\xfe\xfd" + bytes(8) + b"\0\1\0",
    "application data": b"\x17\xfe\xfd\0\1" + bytes(6) + b"\0\x20" + bytes(32),
    "long length": b"\x16\xfe\xfd" + bytes(8) + b"\xff\xff" + b"\1" * 100,
    "big": b"\x16\xfe\xfd" + bytes(8) + b"\x3f\xff" + b"\1" * 16000,
}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage(kam, name):
    """Nothing is answered, nothing is kept, nothing is logged; it is counted."""
    mark = kam.log.mark()
    before = _figure(kam, "dtls_malformed") + _figure(kam, "dtls_unknown")
    held = _associations(kam)
    with udp_socket() as sock:
        sock.sendto(GARBAGE[name], kam.address("dtls"))
        until(lambda: _figure(kam, "dtls_malformed") + _figure(kam, "dtls_unknown") == before + 1, "it is counted")
        sock.settimeout(0.2)
        with pytest.raises(TimeoutError):
            sock.recv(100)
    assert _associations(kam) == held
    assert not kam.log.find("WARNING|ERROR|CRITICAL", mark)


def test_hello_without_cookie(kam):
    """Answered with one short datagram; nothing is kept."""
    held = _associations(kam)
    client, hello = _hello(kam)
    with client:
        answer = client.recv_raw(5)
        assert answer[0] == 22 and answer[13] == dtls.HELLO_VERIFY
        assert len(answer) <= len(hello)
        assert _associations(kam) == held


@pytest.mark.parametrize("change", range(4))
def test_wrong_cookie(kam, change):
    held = _associations(kam)
    with DtlsClient(kam.address("dtls")) as client:
        client.session.step()
        client.session.take(client.recv_raw(5))
        second = bytearray(client.sent[-1])
        cookie_at = 13 + 12 + 2 + 32 + 1 + second[13 + 12 + 2 + 32] + 1
        assert second[cookie_at - 1] > 0, "the hello has a cookie"
        with DtlsClient(kam.address("dtls")) as other:
            if change < 3:      # a bit of it is wrong
                second[cookie_at + (0, 7, second[cookie_at - 1] - 1)[change]] ^= 1
            other.send_raw(bytes(second))       # 3: the cookie of another address
            answer = other.recv_raw(5)
        assert answer[13] == dtls.HELLO_VERIFY, "a new cookie"
        assert _associations(kam) <= held + 1, "only that of the first client"


def test_truncated_and_changed(kam):
    """Each prefix, and each changed byte of a datagram of an association, leaves it as it is."""
    with DtlsClient(kam.address("dtls")) as client:
        client.handshake()
        assert client.ask().status == 200
        good = client.sent[-1]
        for size in range(len(good)):
            client.send_raw(good[:size])
        for at in range(len(good)):
            client.send_raw(good[:at] + bytes([good[at] ^ 0x55]) + good[at + 1:])
        assert client.ask().status == 200
    kam.assert_healthy()


def test_replayed(kam):
    """A datagram that was received before is dropped: the request is not processed again."""
    with DtlsClient(kam.address("dtls")) as client:
        client.handshake()
        assert client.ask().status == 200
        again = client.sent[-1]
        for _ in range(20):
            client.send_raw(again)
        assert client.read(0.5) is None
        (entry,) = [entry for entry in kam.rpc("tls.list") if entry["src_port"] == client.port]
        assert entry["dropped"] >= 20
        assert client.ask().status == 200


@pytest.mark.parametrize("text", (b"\0\1\0\0" + bytes(16), b"GET / HTTP/1.0\r\nHost: a\r\n\r\n", b"\r\n\r\n" * 10,
                                  b"x" * 3000), ids=("stun", "http", "keepalive", "garbage"))
def test_decrypted_but_not_sip(kam, text):
    """What the core would answer in clear text, or by other modules, does not reach it."""
    with DtlsClient(kam.address("dtls")) as client:
        client.handshake()
        client.write(text)
        assert client.ask().status == 200
        assert all(dtls.is_dtls(datagram) for datagram in client.received)


def test_never_finishes(kam):
    """A client with a good cookie that goes silent: the association ends with handshake_timeout."""
    before = _figure(kam, "handshakes_failed_timeout")
    clients = [DtlsClient(kam.address("dtls")) for _ in range(10)]
    for client in clients:
        client.session.step()
        client.session.take(client.recv_raw(5))
    until(lambda: _figure(kam, "handshakes_failed_timeout") >= before + 10, "ten are late")
    until(lambda: _associations(kam) == 0, "none is left")
    for client in clients:
        client.sock.close()
    _assert_served(kam)


def test_restarted_client(kam):
    """A client that starts again from the same address gets a new session; the old one ends."""
    before = _figure(kam, "dtls_restarted")
    held = _associations(kam)
    with DtlsClient(kam.address("dtls")) as client:
        for _ in range(5):
            client.restart()
            assert client.handshake().ask().status == 200
        assert _associations(kam) == held + 1
    assert _figure(kam, "dtls_restarted") == before + 4


def test_restart_that_does_not_finish(kam):
    """Until the new handshake is done, the old session goes on: a replayed hello does not end it."""
    with DtlsClient(kam.address("dtls")) as client:
        client.handshake()
        replayed = client.sent[1]       # the hello with its cookie
        old = client.session
        assert client.ask().status == 200
        client.send_raw(replayed)
        assert client.ask().status == 200
        client.restart()
        client.session.step()
        client.session.take(client.recv_raw(5))
        client.session = old
        assert client.ask().status == 200
        time.sleep(3.5)
        client.recv_raw(0.1)
        client.session = old
        assert client.ask().status == 200


def test_full(base):
    """One more association than allowed is refused, with a line; the others go on."""
    with Kamailio(base.but(modparams={"dtls_max_connections": 3, "dtls_max_per_address": 0})) as kam:
        clients = [DtlsClient(kam.address("dtls")).handshake() for _ in range(3)]
        mark = kam.log.mark()
        _assert_refused(kam, "dtls_refused")
        assert kam.log.find("WARNING.*as many associations exist as dtls_max_connections allows, 3: new peers", mark)
        assert all(client.ask().status == 200 for client in clients)
        clients[0].close()
        until(lambda: _associations(kam) == 2, "one has closed")
        with DtlsClient(kam.address("dtls")) as late:
            assert late.handshake().ask().status == 200
        for client in clients:
            client.sock.close()


@pytest.mark.parametrize("limit", (-1, 2))      # -1: half of four
def test_full_for_an_address(base, limit):
    """One address gets its share of the associations, and no more until one of them ends; others are served."""
    with Kamailio(base.but(modparams={"dtls_max_connections": 4, "dtls_max_per_address": limit})) as kam:
        first, second = [DtlsClient(kam.address("dtls")).handshake() for _ in range(2)]
        mark = kam.log.mark()
        _assert_refused(kam, "dtls_refused_per_address")
        assert kam.log.find(f"WARNING.*DTLS: {LOOPBACK} has as many associations as dtls_max_per_address allows, 2: "
                            "more are refused", mark)
        with DtlsClient(kam.address("dtls"), host=OTHER) as other, DtlsClient(kam.address("dtls"), host=OTHER) as same:
            assert other.handshake().ask().status == 200
            assert same.handshake().ask().status == 200
            assert _associations(kam) == 4
        assert _figure(kam, "dtls_refused") == 0
        first.restart()                             # the same association, whatever its address has
        assert first.handshake().ask().status == 200
        second.close()
        until(lambda: _associations(kam) == 1, "the others have closed")
        with DtlsClient(kam.address("dtls")) as late:
            assert late.handshake().ask().status == 200
        first.close()


def test_idle(base):
    with Kamailio(base.but(modparams={"dtls_lifetime": 2})) as kam, DtlsClient(kam.address("dtls")) as client:
        client.handshake()
        client.ask()
        until(lambda: _associations(kam) == 0, "it has ended")
        assert _figure(kam, "dtls_idle") == 1
        assert client.recv_raw(5)[0] == 21, "a close_notify"
        client.restart()
        assert client.handshake().ask().status == 200


@pytest.mark.parametrize("size, thresholds", (
    # the default thresholds leave too little of the smallest memory for TLS alone
    (SMALLEST, (1024, 512)), (SMALLEST, (0, 0)), (16, (-1, -1)), (16, (0, 0)),
    pytest.param(64, (-1, -1), marks=pytest.mark.long)))
def test_forgotten(base, size, thresholds):
    """Clients that finish their handshakes and are never seen again are refused before TLS lacks memory."""
    low = {"dtls_max_per_address": 0, **{f"low_mem_threshold{1 + number}": thresholds[number] for number in (0, 1)}}
    with Kamailio(base.but(shm_mb=size, children=1, tcp_children=2, modparams=low)) as kam:
        finished = 0
        most = kam.tls_info()["dtls_max_connections"]
        for _ in range(most + 8):
            if _figure(kam, "dtls_refused") + _figure(kam, "handshakes_failed_memory") >= 3:
                break
            with contextlib.suppress(AssertionError):
                forgotten = DtlsClient(kam.address("dtls"))
                forgotten.handshake(1)
                forgotten.ask(1)
                finished += 1
            forgotten.sock.close()
        else:
            pytest.fail(f"{finished} associations, {most} are allowed, and none was refused")
        print(f"-m {size}: {finished} associations, {_figure(kam, 'handshakes_failed_memory')} refused for memory")
        assert _associations(kam) >= 8
        clients = [TlsClient(kam.address("tls"), client_context()) for _ in range(16)]
        assert [client.ask().status for client in clients] == [200] * 16
        for client in clients:
            client.close()


def test_finished_but_never_used(base):
    """An association without any message ends after a minute, not after dtls_lifetime."""
    with Kamailio(base) as kam, DtlsClient(kam.address("dtls")) as client, DtlsClient(kam.address("dtls")) as used:
        client.handshake()
        used.handshake().ask()
        left = {entry["src_port"]: entry["timeout"] for entry in kam.rpc("tls.list")}
        assert left[client.port] <= 60 < 3000 < left[used.port]


def test_handshakes_max(base):
    """The limits on unfinished handshakes count those of DTLS."""
    with Kamailio(base.but(modparams={"handshakes_max": 5})) as kam:
        clients = [DtlsClient(kam.address("dtls")) for _ in range(8)]
        for client in clients:
            client.session.step()
            client.session.take(client.recv_raw(5))
        until(lambda: _figure(kam, "limit_handshakes") >= 3, "three are refused")
        until(lambda: _associations(kam) == 0, "the others are late")
        for client in clients:
            client.sock.close()
        _assert_served(kam)


def _flood(kam, make, count):
    """Send datagrams from many ports of loopback addresses; no answer is read."""
    socks = []
    for number in range(64):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind((f"127.0.{1 + number % 4}.{1 + number}", 0))
        sock.setblocking(False)
        socks.append(sock)
    sent = 0
    while sent < count:
        for _ in range(BATCH):
            try:
                socks[sent % len(socks)].sendto(make(sent), kam.address("dtls"))
                sent += 1
            except BlockingIOError:
                break
        time.sleep(0.002)
    for sock in socks:
        sock.close()


def test_spoofed_hellos(kam):
    """First hellos of senders that do not exist: no memory, no line; TLS and DTLS are served meanwhile."""
    client, hello = _hello(kam)
    client.sock.close()
    _warm_up(kam)
    used = kam.shm_used()
    private = kam.private_kb()
    asked = _figure(kam, "dtls_cookies_sent")
    mark = kam.log.mark()
    started = time.monotonic()
    chance = random.Random(1)

    def make(_):
        return hello[:27] + chance.randbytes(32) + hello[59:]

    _flood(kam, make, SPOOFED // 2)
    _assert_served(kam)
    _flood(kam, make, SPOOFED // 2)
    _assert_served(kam)
    until(lambda: _associations(kam) == 0, "nothing is left")
    answered = _figure(kam, "dtls_cookies_sent") - asked
    print(f"{SPOOFED} spoofed hellos: {answered} answered, {time.monotonic() - started:.1f} s, "
          f"shm {kam.shm_used() - used:+d} bytes")
    assert answered > SPOOFED // 20, "the kernel may drop some"
    assert kam.shm_used() - used < GROWTH
    assert kam.private_kb() - private < 4096
    lines = [line for line in kam.log.find("WARNING|ERROR", mark) if "mod_expiry" not in line]
    assert len(lines) <= time.monotonic() - started + 1, lines[:5]


def test_flood_of_garbage(kam):
    chance = random.Random(2)
    _warm_up(kam)
    used = kam.shm_used()
    mark = kam.log.mark()

    def make(number):
        head = (b"", b"\x16\xfe\xfd\0\0", b"\x17\xfe\xfd\0\1", b"\x14\xfe\xff")[number % 4]
        return head + chance.randbytes(chance.randrange(200))

    _flood(kam, make, 20000)
    _assert_served(kam)
    until(lambda: _associations(kam) == 0, "nothing is left")
    assert kam.shm_used() - used < GROWTH
    assert not [line for line in kam.log.find("WARNING|ERROR", mark) if "mod_expiry" not in line]
