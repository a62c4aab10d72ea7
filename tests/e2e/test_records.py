# tls_gnutls - end to end: how clear text is cut into records does not matter
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import hashlib
import socket
import ssl
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from .lib import sip
from .lib.kamailio import Kamailio
from .lib.tls import BioClient, TlsClient, client_context

VERSIONS = ("TLSv1.2", "TLSv1.3")
BODY_60K = b"".join(b"line %06d of the body\r\n" % n for n in range(2500))[:60 * 1024]
RECORD_MAX = 16384
IDLE_S = 6.5            # more than the 5 s after which a TCP worker returns a connection to tcp main

# Answers with the size and the MD5 sum of the body it got.
MEASURE = r"""
request_route {
	append_to_reply("X-Worker: $pp\r\n");
	if ($bs > 0) {
		append_to_reply("X-Body: $bs $(rb{s.md5})\r\n");
	}
	sl_send_reply("200", "OK");
}
"""


@pytest.fixture(scope="module")
def kam(settings):
    with Kamailio(settings.but(core="tcp_rd_buf_size=131072", script=MEASURE,
                               tcp_children=4)) as kamailio:
        yield kamailio


@pytest.fixture(scope="module")
def small_buffer(settings):
    """With Kamailio's own small default of the TCP read buffer (4096 bytes)."""
    with Kamailio(settings) as kamailio:
        yield kamailio


@pytest.fixture(params=VERSIONS)
def context(request):
    return client_context(version=request.param)


@pytest.fixture
def client(kam, context):
    with TlsClient(kam.address(), context) as connected:
        yield connected


def test_one_byte_per_record(kam, client):
    client.send_records(sip.options(kam.port()), 1)
    assert client.receive().status == 200


def test_one_byte_per_record_several_requests(kam, client):
    requests = [sip.options(kam.port(), cseq=n) for n in range(1, 4)]
    client.send_records(b"".join(requests), 1)
    assert [reply.cseq for reply in client.receive_many(3)] == [1, 2, 3]


def test_one_byte_per_tcp_segment(kam, context):
    """Handshake and data trickle in byte by byte of cipher text."""
    with BioClient(kam.address(), context) as client:
        def trickle(data):
            for position in range(len(data)):
                client.sock.sendall(data[position:position + 1])
        client.handshake(send=trickle)
        trickle(client.seal(sip.options(kam.port())))
        assert client.receive().status == 200


def test_request_in_the_same_segment_as_finished(kam, context):
    """The first record of data arrives together with the end of the handshake."""
    with BioClient(kam.address(), context) as client:
        while not client.step():
            client.sock.sendall(client.outgoing())
            assert client.pump()
        last_flight = client.outgoing()
        client.sock.sendall(last_flight + client.seal(sip.options(kam.port())))
        assert client.receive().status == 200


@pytest.mark.parametrize("record", (100, 1000, 4096, RECORD_MAX))
def test_message_of_60_kb_in_many_records(kam, client, record):
    message = sip.options(kam.port(), body=BODY_60K, headers=("Content-Type: text/plain",))
    assert len(message) > 60 * 1024
    client.send_records(message, record)
    reply = client.receive()
    assert reply.status == 200
    assert reply["X-Body"] == f"{len(BODY_60K)} {hashlib.md5(BODY_60K).hexdigest()}"
    assert client.ask().status == 200


def test_message_beyond_the_read_buffer_ends_the_connection(small_buffer, context):
    """Kamailio's TCP reader drops a connection whose message does not fit; others go on."""
    with TlsClient(small_buffer.address(), context) as client:
        message = sip.options(small_buffer.port(), body=BODY_60K)
        with pytest.raises((EOFError, OSError)):
            client.send(message)
            client.receive()
    with TlsClient(small_buffer.address(), context) as client:
        assert client.ask().status == 200


def _pipeline(port, count, limit=RECORD_MAX):
    """Requests that fit into one record together."""
    data = b"".join(sip.options(port, call_id=f"p{n}", cseq=n) for n in range(1, count + 1))
    assert len(data) <= limit
    return data


def test_fifty_requests_in_one_record(kam, client):
    client.send(_pipeline(kam.port(), 50))
    assert [reply.cseq for reply in client.receive_many(50)] == list(range(1, 51))


def test_fifty_requests_in_one_record_small_read_buffer(small_buffer, context):
    """The record is four times as large as Kamailio's buffer: nothing is lost or held back."""
    with TlsClient(small_buffer.address(), context) as client:
        client.send(_pipeline(small_buffer.port(), 50))
        assert [reply.cseq for reply in client.receive_many(50)] == list(range(1, 51))


def test_many_full_records_at_once(small_buffer, context):
    """Four full records arrive as one burst."""
    with TlsClient(small_buffer.address(), context) as client:
        requests = [sip.options(small_buffer.port(), cseq=n) for n in range(1, 201)]
        client.send(b"".join(requests))
        assert [reply.cseq for reply in client.receive_many(200)] == list(range(1, 201))


def _ask_and_leave(kam, context, count):
    """Requests with close_notify and FIN right behind them; returns the CSeqs of the replies."""
    with BioClient(kam.address(), context) as client:
        client.handshake()
        data = client.seal(b"".join(sip.options(kam.port(), cseq=n) for n in range(1, count + 1)))
        try:
            client.tls.unwrap()
        except ssl.SSLWantReadError:
            pass
        client.sock.sendall(data + client.outgoing())
        client.sock.shutdown(socket.SHUT_WR)
        return [reply.cseq for reply in client.receive_rest()]


def test_requests_before_close_are_answered(small_buffer, context):
    mark = small_buffer.log.mark()
    assert _ask_and_leave(small_buffer, context, 5) == [1, 2, 3, 4, 5]
    small_buffer.wait_connections(0)
    assert not small_buffer.log.at_level("ERROR", since=mark)


def test_more_requests_than_the_buffer_holds_before_close_are_answered(small_buffer, context):
    assert _ask_and_leave(small_buffer, context, 50) == list(range(1, 51))


def test_idle_connections_go_on_in_other_workers(kam):
    clients = [TlsClient(kam.address(), client_context(version=version))
               for version in VERSIONS for _ in range(6)]
    try:
        before = [client.ask()["X-Worker"] for client in clients]
        time.sleep(IDLE_S)
        after = [client.ask()["X-Worker"] for client in clients]
        moved = sum(old != new for old, new in zip(before, after))
        print(f"{moved} of {len(clients)} connections were answered by another worker")
        assert moved > 0
    finally:
        for client in clients:
            client.close()


def _handshake_with_pauses(address, version):
    """A client that stops in the middle of each flight until the worker gives up the fd."""
    def send_in_halves(data):
        if data:
            client.sock.sendall(data[:len(data) // 2])
            time.sleep(IDLE_S)
            client.sock.sendall(data[len(data) // 2:])
    with BioClient(address, client_context(version=version)) as client:
        client.handshake(send=send_in_halves)
        client.sock.sendall(client.seal(sip.options(address[1])))
        return client.receive().status


def test_handshake_goes_on_in_another_worker(kam):
    """A worker keeps an idle connection for 5 s: half a flight and its rest meet two workers."""
    with ThreadPoolExecutor() as pool:
        runs = [pool.submit(_handshake_with_pauses, kam.address(), version)
                for version in VERSIONS]
    assert [run.result() for run in runs] == [200, 200]
