# tls_gnutls - end to end: what is publicly known to crash, block or bloat Kamailio's own tls module
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""One test for each recipe; the number in its name is that of https://github.com/kamailio/kamailio/issues.

With --tls-module stock they show what a recipe does to tls.so; --long follows them for --long-seconds.
"""

import asyncio
import datetime
import shutil
import socket
from contextlib import ExitStack

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from .lib import hostile, sip
from .lib.footprint import assert_returned, settled
from .lib.kamailio import Kamailio
from .lib.load import Crowd
from .lib.repeat import Repeat
from .lib.tls import TIMEOUT_S, TlsClient, client_context, server_context
from .lib.tlscfg import Files, reading, section
from .lib.uas import FullServer, RefusingServer, SilentServer, TlsAgent, UdpSender

pytestmark = pytest.mark.stock_may_crash

SHORT_S, WARM_UP_S = 5, 2
SCANNERS = 3
REVOKED = 3000
STREAMS = 3
DEAD = 28
HELD = 500

REGISTRAR = r"""
request_route {
	if (is_method("REGISTER")) {
		save("location");
		exit;
	}
	sl_send_reply("200", "OK");
}
"""
# a process that sent keeps the descriptor for the next time
NO_CACHE = "tcp_fd_cache=no"
# tests with registrations keep them in memory only
LOCATION = {"modules": ("usrloc", "registrar"), "config": 'modparam("usrloc", "db_mode", 0)', "script": REGISTRAR}


@pytest.fixture(params=("short", pytest.param("long", marks=pytest.mark.long)))
def seconds(request, long_seconds):
    """How long a recipe is followed."""
    return long_seconds if request.param == "long" else SHORT_S


def _assert_served(kam):
    kam.assert_healthy()
    with TlsClient(kam.address(), client_context()) as client:
        assert client.ask().status == 200


def _send(kam, data):
    """On a connection of its own, until the server closes it or a moment has passed."""
    with socket.create_connection(kam.address(), TIMEOUT_S) as sock:
        try:
            sock.sendall(data)
            sock.settimeout(0.2)
            sock.recv(65536)
        except OSError:
            pass


def _register(number, port):
    return sip.request("REGISTER", f"sip:127.0.0.1:{port}", headers=(
        f"Contact: <sip:phone{number}@127.0.0.1:9;transport=tls>", "Expires: 60"))


@pytest.mark.skipif(not shutil.which("sslscan"), reason="sslscan is not installed")
def test_3791_security_scan(settings, tls_module, seconds):
    """A vulnerability scanner goes over the port: memory that all processes share is freed twice."""
    openings = list({**hostile.WRONG, **hostile.RANDOM}.values())
    with Kamailio(settings.but(tcp_children=4)) as kam:
        served = []

        def visit():
            for opening in openings:
                _send(kam, opening)
                with TlsClient(kam.address(), client_context()) as client:
                    served.append(client.ask().status)

        def follow(time_s):
            repeat = Repeat(time_s)
            scan = (lambda: repeat.program("sslscan", "--no-colour", "127.0.0.1:%d" % kam.port()))
            repeat.run([scan] * SCANNERS + [visit])
            return repeat.failures
        follow(WARM_UP_S)
        before = settled(kam, tls_module.ours)
        failures = follow(seconds)
        after = settled(kam, tls_module.ours)
        print(f"{len(served)} requests answered beside {SCANNERS} scanners")
        assert failures == [] and set(served) == {200}
        _assert_served(kam)
        assert_returned(before, after, tls_module, "the scans")


FORWARD = """
request_route {{
	if (uri == myself) {{
		sl_send_reply("200", "OK");
		exit;
	}}
	add_local_rport();
	$du = "sip:127.0.0.1:{port};transport=tls";
	forward();
}}
"""


def test_3305_3319_reload_while_relaying(settings, tls_module, pki, tmp_path, seconds):
    """TLS on both sides and `tls.reload` in a loop: memory is freed twice, or no reload works any more."""
    base = Files(tmp_path, pki).settings(settings, "file").but(tcp_children=4, debug=0, core=NO_CACHE)
    with TlsAgent(server_context(pki.cert("server-rsa"), pki.key("server-rsa"))) as agent, \
            Kamailio(base.but(script=FORWARD.format(port=agent.port))) as kam:
        relayed, reloads = [], []

        def relay(client):
            for _ in range(20):
                relayed.append(client.ask(sip.request(uri="sip:far@example.org")).status)

        def call():
            with TlsClient(kam.address(), client_context()) as client:
                relay(client)

        def follow(time_s):
            repeat = Repeat(time_s)
            with ExitStack() as stack:
                staying = [stack.enter_context(TlsClient(kam.address(), client_context())) for _ in range(3)]
                repeat.run([lambda client=client: relay(client) for client in staying]
                           + [call, call, lambda: reloads.append(kam.rpc("tls.reload"))])
            return repeat.failures
        follow(WARM_UP_S)
        agent.close_connections()
        before = settled(kam, tls_module.ours)
        failures = follow(seconds)
        agent.close_connections()
        after = settled(kam, tls_module.ours)
        print(f"{len(relayed)} requests relayed, {len(reloads)} reloads")
        assert failures == [] and set(relayed) == {200} and len(reloads) > 10
        _assert_served(kam)
        assert_returned(before, after, tls_module, "the reloads")


def _crl(pki, count):
    """A CRL of the authority `inter` with that many entries, and those of the other authorities, as PEM."""
    cert, key = pki.pair_of("inter")
    now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    builder = (x509.CertificateRevocationListBuilder().issuer_name(cert.subject)
               .last_update(now - datetime.timedelta(days=1)).next_update(now + datetime.timedelta(days=30)))
    for number in range(1, count + 1):
        builder = builder.add_revoked_certificate(
            x509.RevokedCertificateBuilder().serial_number(number).revocation_date(now).build())
    with open(pki.path("all.crl"), encoding="ascii") as others:
        return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode() + others.read()


def test_3823_reload_with_a_crl(settings, tls_module, pki, tmp_path, seconds):
    """Each reload of a configuration with a CRL keeps megabytes."""
    files = Files(tmp_path, pki)
    files.write("list.crl", _crl(pki, REVOKED))
    files.write("tls.cfg", section("server:default", verify_certificate="yes", require_certificate="yes",
                                   crl=files.path("list.crl"), **files.keys()))
    with Kamailio(reading(settings, files.path("tls.cfg"), shm_mb=256)) as kam:
        count = 0

        def reload():
            nonlocal count
            kam.rpc("tls.reload")
            count += 1

        def visit():
            context = client_context(cert=pki.cert("client-ok"), key=pki.key("client-ok"))
            with TlsClient(kam.address(), context) as client:
                assert client.ask().status == 200

        def follow(time_s):
            repeat = Repeat(time_s)
            repeat.run([reload, visit])
            return repeat.failures
        follow(WARM_UP_S)
        before, first = settled(kam, tls_module.ours), count
        failures = follow(seconds)
        after = settled(kam, tls_module.ours)
        print(f"{count - first} reloads, each {(after.shm - before.shm) / (count - first):+.0f} bytes of shared memory")
        assert failures == []
        kam.assert_healthy()
        visit()
        assert_returned(before, after, tls_module, "the reloads")


def test_4185_three_streams_of_registrations(settings, tls_module, seconds):
    """Each REGISTER on a connection of its own, three at a time, two readers: all readers wait for one lock."""
    with Kamailio(settings.but(tcp_children=2, children=1, debug=0, **LOCATION)) as kam:
        answers = []

        def stream(phone):
            with TlsClient(kam.address(), client_context()) as client:
                client.send(_register(phone, kam.port()))
                answers.append(client.receive().status)

        def follow(time_s):
            repeat = Repeat(time_s)
            repeat.run([lambda phone=phone: stream(phone) for phone in range(STREAMS)])
            return repeat.failures
        follow(WARM_UP_S)
        before = settled(kam, tls_module.ours)
        failures = follow(seconds)
        after = settled(kam, tls_module.ours)
        print(f"{len(answers)} registrations in {STREAMS} streams")
        assert failures == [] and set(answers) == {200}
        assert not kam.log.find("Too many references")
        _assert_served(kam)
        assert_returned(before, after, tls_module, "the registrations")


def test_4325_dead_destinations_do_not_stop_udp(settings, tls_module, seconds):
    """OPTIONS from UDP to TLS servers that refuse, are silent or are gone: the UDP socket is not read any more."""
    more = {"handshake_timeout": 3} if tls_module.ours else {}
    with ExitStack() as stack:
        kinds = (RefusingServer, SilentServer, FullServer)
        dead = [stack.enter_context(kinds[number % len(kinds)]()) for number in range(DEAD)]
        kam = stack.enter_context(Kamailio(settings.but(
            listen=("tls", "udp"), children=4, debug=-2, modparams=more, core="tcp_connect_timeout=3",
            config='modparam("tm", "fr_timer", 3000)')))
        prober = stack.enter_context(UdpSender(kam.address("udp")))
        trunks = stack.enter_context(UdpSender(kam.address("udp")))
        asked = answered = 0

        def ping():
            nonlocal asked
            for server in dead:
                trunks.sock.send(sip.request(via="UDP", sent_by=trunks.sent_by,
                                             uri=f"sip:trunk@127.0.0.1:{server.port};transport=tls"))
                asked += 1
            repeat.wait(0.2)

        def probe():
            nonlocal answered
            reply = prober.ask(uri="sip:127.0.0.1:%d" % kam.port("udp"))
            assert reply is not None and reply.status == 200, reply
            answered += 1
        repeat = Repeat(seconds)
        repeat.run([ping, probe])
        print(f"{asked} requests for {DEAD} dead destinations, {answered} others answered")
        assert repeat.failures == [] and answered > 0
        settled(kam, tls_module.ours)
        _assert_served(kam)


def test_4610_registrations_until_memory_is_gone(settings, tls_module, seconds):
    """Many phones register at once and stay, and shared memory runs out within handshakes."""
    more = {"low_mem_threshold1": 0, "low_mem_threshold2": 0}
    with Kamailio(settings.but(tcp_children=4, shm_mb=12, debug=-2, modparams=more,
                               core="tcp_max_connections=2000\ntls_max_connections=2000", **LOCATION)) as kam:
        async def phone(crowd, number):
            try:
                member = await crowd.join()
                return await asyncio.wait_for(member.ask(_register(number, kam.port())), TIMEOUT_S)
            except (OSError, EOFError):
                return None

        async def register():
            crowd = Crowd(kam.address(), client_context())
            statuses = await asyncio.gather(*(phone(crowd, number) for number in range(HELD)))
            await crowd.leave()
            return statuses
        answered = refused = 0

        def rush():
            nonlocal answered, refused
            statuses = asyncio.run(register())
            answered += statuses.count(200)
            refused += statuses.count(None)
            assert set(statuses) <= {200, 500, None}, set(statuses)
        repeat = Repeat(seconds)
        repeat.run([rush])
        print(f"{answered} registrations answered, {refused} refused, with 12 MB")
        assert repeat.failures == [] and answered > 0 and refused > 0
        settled(kam, tls_module.ours)
        _assert_served(kam)
