# tls_gnutls - end to end: broken and malicious clients
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""Whatever a client sends: its connection ends, the log gets one line about it, no process dies,
the next client is served, and nothing leaks."""

import random
import socket
import subprocess
import time

import pytest

from .lib import hostile, sip
from .lib.kamailio import Kamailio
from .lib.raw import answer_flight
from .lib.tls import TIMEOUT_S, BioClient, TlsClient, client_context, reset
from .lib.wait import until

VERSIONS = ("TLSv1.2", "TLSv1.3")
DEADLINE_S = 4


@pytest.fixture(scope="module")
def kam(settings, tls_module):
    """A Kamailio with a deadline for handshakes, where the module has one."""
    more = {"handshake_timeout": DEADLINE_S} if tls_module.ours else {}
    with Kamailio(settings.but(modparams=more)) as kamailio:
        yield kamailio


@pytest.fixture(scope="module")
def no_deadline(settings, tls_module):
    """A Kamailio without a deadline for handshakes."""
    more = {"handshake_timeout": 0} if tls_module.ours else {}
    with Kamailio(settings.but(modparams=more)) as kamailio:
        yield kamailio


def _connect(kam):
    sock = socket.create_connection(kam.address(), TIMEOUT_S)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def _send(sock, data):
    """Send; the server may close meanwhile."""
    try:
        sock.sendall(data)
    except (BrokenPipeError, ConnectionResetError):
        pass


def _wait_end(sock):
    """Read until the server closes; returns what it sent.  Raises TimeoutError."""
    received = b""
    try:
        while data := sock.recv(65536):
            received += data
    except (ConnectionResetError, BrokenPipeError):
        pass
    return received


def _no_more(sock):
    try:
        sock.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def _assert_unharmed(kam):
    """All processes live, the bad connection is gone, a good client is served."""
    kam.wait_connections(0)
    kam.assert_healthy()
    with TlsClient(kam.address(), client_context()) as client:
        assert client.ask().status == 200


def _assert_quiet(kam, mark, tls_module, lines=(0, 1), port=None, core_lines=1):
    """Assert how many log lines the bad connection caused, and which module wrote them.

    The core adds one line of its own at ERROR when a read fails or the module gives up the
    connection, and two when the peer resets it, as it does without TLS.
    """
    if not tls_module.ours:
        return
    errors = kam.log.at_level("ERROR", since=mark)
    logged = [text for module, text in errors + kam.log.at_level("WARNING", since=mark)
              if module == "tls"]
    core = [text for module, text in errors if module != "tls"]
    assert lines[0] <= len(logged) <= lines[1], logged
    assert len(core) <= core_lines, core
    assert not kam.log.find(r"CRITICAL|ALERT|\bBUG\b", since=mark)
    if port and logged:
        assert f"127.0.0.1:{port}" in logged[0], logged


@pytest.mark.parametrize("name", hostile.WRONG)
def test_wrong_opening_is_closed(no_deadline, tls_module, name):
    mark = no_deadline.log.mark()
    with _connect(no_deadline) as sock:
        port = sock.getsockname()[1]
        _send(sock, hostile.WRONG[name])
        _wait_end(sock)
    _assert_unharmed(no_deadline)
    _assert_quiet(no_deadline, mark, tls_module, lines=(1, 1), port=port)


@pytest.mark.parametrize("name", hostile.RANDOM)
def test_noise(no_deadline, tls_module, name):
    mark = no_deadline.log.mark()
    with _connect(no_deadline) as sock:
        _send(sock, hostile.RANDOM[name])
        _no_more(sock)
        _wait_end(sock)
    _assert_unharmed(no_deadline)
    _assert_quiet(no_deadline, mark, tls_module)


@pytest.mark.parametrize("ending", ("FIN", "RST"))
@pytest.mark.parametrize("name", hostile.UNFINISHED)
def test_unfinished_opening_and_end(no_deadline, tls_module, name, ending):
    """A client that goes away in the middle of the handshake."""
    mark = no_deadline.log.mark()
    sock = _connect(no_deadline)
    _send(sock, hostile.UNFINISHED[name])
    if ending == "FIN":
        with sock:
            _no_more(sock)
            _wait_end(sock)
    else:
        reset(sock)
    _assert_unharmed(no_deadline)
    _assert_quiet(no_deadline, mark, tls_module, core_lines=2 if ending == "RST" else 1)


@pytest.mark.ours_only("no deadline for handshakes")
def test_unfinished_openings_meet_the_deadline(kam, tls_module):
    """All of them at once; each one is closed by the server, with one line at most."""
    mark = kam.log.mark()
    socks = {name: _connect(kam) for name in hostile.UNFINISHED}
    try:
        for name, sock in socks.items():
            _send(sock, hostile.UNFINISHED[name])
        for sock in socks.values():
            _wait_end(sock)
    finally:
        for sock in socks.values():
            sock.close()
    _assert_unharmed(kam)
    _assert_quiet(kam, mark, tls_module, lines=(0, len(socks)), core_lines=len(socks))


@pytest.mark.ours_only("no deadline for handshakes")
@pytest.mark.parametrize("version", VERSIONS)
def test_trickling_meets_the_deadline(kam, version):
    """A byte of a valid ClientHello now and then: closed long before it is complete."""
    mark = kam.log.mark()
    client = BioClient(kam.address(), client_context(version=version))
    with client:
        client.step()
        hello = client.outgoing()
        sent = 0
        client.sock.settimeout(0.5)
        for byte in hello:
            _send(client.sock, bytes([byte]))
            sent += 1
            try:
                client.sock.recv(1)
                break
            except TimeoutError:
                continue
            except ConnectionResetError:
                break
        assert sent < len(hello), "the server waited for the whole ClientHello"
    _assert_unharmed(kam)
    assert kam.log.find(r"handshake_timeout", since=mark)


@pytest.mark.ours_only("no deadline for handshakes")
@pytest.mark.parametrize("version", VERSIONS)
def test_silence_after_the_first_flight_meets_the_deadline(kam, version):
    with BioClient(kam.address(), client_context(version=version)) as client:
        client.step()
        client.sock.sendall(client.outgoing())
        assert _wait_end(client.sock), "the server sent nothing"
    _assert_unharmed(kam)


@pytest.mark.parametrize("version", VERSIONS)
def test_deadline_is_for_the_handshake_only(kam, version):
    """An established connection may be idle for longer."""
    with TlsClient(kam.address(), client_context(version=version)) as client:
        time.sleep(DEADLINE_S + 2)
        assert client.ask().status == 200


def test_slow_handshake_without_deadline(no_deadline):
    """handshake_timeout 0 turns the deadline off."""
    with BioClient(no_deadline.address(), client_context()) as client:
        client.step()
        hello = client.outgoing()
        client.sock.sendall(hello[:30])
        time.sleep(DEADLINE_S + 2)
        client.sock.sendall(hello[30:])
        assert client.pump()
        client.handshake()
        client.sock.sendall(client.seal(sip.options(no_deadline.port())))
        assert client.receive().status == 200


def _after_first_flight(kam, version):
    """A client that has sent its ClientHello and got the server's flight."""
    client = BioClient(kam.address(), client_context(version=version))
    client.step()
    client.sock.sendall(client.outgoing())
    assert client.pump()
    return client


@pytest.mark.parametrize("level", (hostile.WARNING, hostile.FATAL, 77))
@pytest.mark.parametrize("version", VERSIONS)
def test_every_alert_in_the_handshake(no_deadline, tls_module, version, level):
    """Sent in place of the client's second flight, not encrypted."""
    for description in hostile.ALERTS:
        mark = no_deadline.log.mark()
        with _after_first_flight(no_deadline, version) as client:
            _send(client.sock, hostile.alert(level, description))
            _no_more(client.sock)
            _wait_end(client.sock)
        no_deadline.wait_connections(0)
        _assert_quiet(no_deadline, mark, tls_module)
    _assert_unharmed(no_deadline)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("answer", (
    "noise", "application data", "wrong finished", "hello again", "oversized", "SIP"))
def test_wrong_second_flight(no_deadline, tls_module, version, answer):
    data = {
        "noise": hostile.noise(30, 100),
        "application data": hostile.record(hostile.APPLICATION_DATA, hostile.noise(31, 60)),
        "wrong finished": hostile.record(hostile.CHANGE_CIPHER_SPEC, b"\1")
                          + hostile.record(hostile.HANDSHAKE, hostile.message(20, bytes(12))),
        "hello again": hostile.record(hostile.HANDSHAKE, hostile.client_hello()),
        "oversized": hostile.record(hostile.HANDSHAKE, hostile.noise(32, 18500)),
        "SIP": sip.options(no_deadline.port()),
    }[answer]
    mark = no_deadline.log.mark()
    with _after_first_flight(no_deadline, version) as client:
        _send(client.sock, data)
        _no_more(client.sock)
        _wait_end(client.sock)
    _assert_unharmed(no_deadline)
    _assert_quiet(no_deadline, mark, tls_module)


def _flipped(data, position):
    changed = bytearray(data)
    changed[position] ^= 0x40
    return bytes(changed)


# name -> (what follows a good handshake and a good request, does the server close by itself?)
AFTER_HANDSHAKE = {
    "flipped bit in a record": (lambda sealed: _flipped(sealed, -5), True),
    "flipped bit in the length": (lambda sealed: _flipped(sealed, 3), False),
    "truncated record": (lambda sealed: sealed[:-7], False),
    "record head only": (lambda sealed: sealed[:5], False),
    "record twice": (lambda sealed: sealed + sealed, True),
    "oversized record": (lambda _: hostile.record(
        hostile.APPLICATION_DATA, hostile.noise(40, 18500)), True),
    "oversized length": (lambda _: hostile.record(
        hostile.APPLICATION_DATA, b"x" * 100, length=0xFFFF), True),
    "plain SIP": (lambda _: b"OPTIONS sip:a SIP/2.0\r\n\r\n" * 4, True),
    "plain fatal alert": (lambda _: hostile.alert(hostile.FATAL, 40), True),
    "plain close_notify": (lambda _: hostile.alert(hostile.WARNING, 0), True),
    "empty record": (lambda _: hostile.record(hostile.APPLICATION_DATA, b""), True),
    "client hello in the clear": (lambda _: hostile.record(
        hostile.HANDSHAKE, hostile.client_hello()), True),
    "noise": (lambda _: hostile.noise(41, 5000), True),
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", AFTER_HANDSHAKE)
def test_broken_record_after_the_handshake(no_deadline, tls_module, version, name):
    break_it, ends_by_itself = AFTER_HANDSHAKE[name]
    mark = no_deadline.log.mark()
    with BioClient(no_deadline.address(), client_context(version=version)) as client:
        client.handshake()
        client.sock.sendall(client.seal(sip.options(no_deadline.port())))
        assert client.receive().status == 200
        _send(client.sock, break_it(client.seal(sip.options(no_deadline.port()))))
        if not ends_by_itself:
            _no_more(client.sock)
        _wait_end(client.sock)
    _assert_unharmed(no_deadline)
    # "record twice": the core logs that it cannot send the reply to the good first one any more
    _assert_quiet(no_deadline, mark, tls_module, core_lines=2)


# kind of message -> its content, in the place of a client certificate
INSTEAD = {
    "certificate that is empty": (11, b""),
    "certificate that is noise": (11, hostile.noise(50, 300)),
    "compressed certificate": (25, b"\0\1\0\0\x40\0\0\x20" + hostile.noise(51, 32)),
    "compressed certificate, unknown algorithm": (25, b"\1\0\0\0\x40\0\0\x20" + hostile.noise(52, 32)),
    "compressed certificate of 16 MB": (25, b"\0\1\xff\xff\xff\0\0\x20" + hostile.noise(53, 32)),
    "certificate verify": (15, b"\4\3\0\x20" + hostile.noise(54, 32)),
    "finished": (20, bytes(32)),
    "unknown": (77, hostile.noise(55, 20)),
}


@pytest.mark.ours_only("one line")
@pytest.mark.parametrize("name", INSTEAD)
@pytest.mark.parametrize("asks", (0, 1))
def test_message_instead_of_a_client_certificate(start, settings, tls_module, asks, name):
    """Whether one was asked for or not: the peer's fault, with one line and no BUG."""
    kam = start(settings.but(modparams={"verify_certificate": asks}))
    mark = kam.log.mark()
    answer_flight(kam.address(), *INSTEAD[name])
    _assert_unharmed(kam)
    _assert_quiet(kam, mark, tls_module)


# what a client sends as its point of P-256, which has a byte 4 and two coordinates
POINTS = {
    "empty": b"",
    "one byte": b"\4",
    "without its first byte": hostile.noise(60, 64),
    "compressed": b"\2" + hostile.noise(61, 32),
    "not on the curve": b"\4" + hostile.noise(62, 64),
    "zero": b"\4" + bytes(64),
    "infinity": b"\0",
    "too long": b"\4" + hostile.noise(63, 100),
}
# secp256r1 alone, uncompressed points, ECDSA with SHA-256, secure renegotiation
P256_ONLY = (b"\0\x0a\0\4\0\2\0\x17" b"\0\x0b\0\2\1\0" b"\0\x0d\0\4\0\2\4\3" b"\xff\1\0\1\0")


@pytest.mark.ours_only("one line")
@pytest.mark.parametrize("name", POINTS)
def test_wrong_point_of_the_client(no_deadline, tls_module, name):
    """The peer's fault, with one line and no BUG."""
    mark = no_deadline.log.mark()
    with _connect(no_deadline) as sock:
        _send(sock, hostile.record(hostile.HANDSHAKE, hostile.client_hello(suites=b"\xc0\x2b", extensions=P256_ONLY)))
        flight = b""
        while not flight.endswith(b"\x0e\0\0\0"):               # ServerHelloDone
            data = sock.recv(65536)
            assert data, flight
            flight += data
        point = POINTS[name]
        _send(sock, hostile.record(hostile.HANDSHAKE, hostile.message(16, bytes([len(point)]) + point)))
        _no_more(sock)
        _wait_end(sock)
    _assert_unharmed(no_deadline)
    _assert_quiet(no_deadline, mark, tls_module, lines=(1, 1))


def test_wrong_premaster_secrets(start, settings, pki, tls_module):
    """Whatever a client encrypts with the server's key, the answer to its Finished is the same."""
    kam = start(settings.but(modparams={
        "tls_method": "TLSv1.2", "cipher_list": "AES128-GCM-SHA256",
        "certificate": pki.cert("server-rsa"), "private_key": pki.key("server-rsa")}))
    mark = kam.log.mark()
    for first in (0, 0, 0, 1, 255):
        with _connect(kam) as sock:
            _send(sock, hostile.record(hostile.HANDSHAKE, hostile.client_hello(
                suites=b"\0\x9c", extensions=b"\xff\x01\0\1\0")))
            sock.settimeout(TIMEOUT_S)
            flight = b""
            while not flight.endswith(b"\x0e\0\0\0"):           # ServerHelloDone
                flight += sock.recv(65536)
            secret = bytes([first]) + hostile.noise(first, 255)
            _send(sock, hostile.record(hostile.HANDSHAKE, hostile.message(16, b"\1\0" + secret))
                  + hostile.record(hostile.CHANGE_CIPHER_SPEC, b"\1")
                  + hostile.record(hostile.HANDSHAKE, hostile.noise(9, 40)))
            assert _wait_end(sock) == hostile.alert(hostile.FATAL, 20)
    _assert_quiet(kam, mark, tls_module, lines=(5, 5), core_lines=5)
    kam.wait_connections(0)
    kam.assert_healthy()


@pytest.mark.stock_may_crash
def test_mutated_client_hellos(no_deadline):
    """300 ClientHellos of OpenSSL with a few bytes changed, seeded."""
    chance = random.Random(hostile.SEED)
    print(f"seed {hostile.SEED}")
    for _ in range(300):
        client = BioClient(no_deadline.address(), client_context())
        with client:
            client.step()
            hello = bytearray(client.outgoing())
            for _ in range(chance.randint(1, 4)):
                hello[chance.randrange(len(hello))] = chance.randrange(256)
            _send(client.sock, bytes(hello))
            if chance.random() < 0.5:
                client.sock.settimeout(0.01)
                try:
                    client.sock.recv(65536)
                except OSError:
                    pass
            reset(client.sock)
    _assert_unharmed(no_deadline)


@pytest.mark.parametrize("renegotiation", (
    0, pytest.param(1, marks=pytest.mark.ours_only("OpenSSL 3 refuses it by default"))))
def test_renegotiation(start, settings, pki, renegotiation):
    """openssl asks for a new handshake within TLS 1.2: it is allowed, or ends the connection."""
    kam = start(settings.but(modparams={"renegotiation": renegotiation}))
    process = subprocess.Popen(
        ["openssl", "s_client", "-connect", "127.0.0.1:%d" % kam.port(), "-tls1_2",
         "-CAfile", pki.path("ca.pem")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        kam.wait_connections(1)
        process.stdin.write(b"R\n")
        process.stdin.flush()
        if renegotiation:
            time.sleep(0.5)
            process.stdin.write(sip.options(kam.port()))
            process.stdin.flush()
            until(lambda: b"200 OK" in process.stdout.readline(), "the request is answered")
        else:
            process.wait(TIMEOUT_S)
            kam.wait_connections(0)
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()
    kam.wait_connections(0)
