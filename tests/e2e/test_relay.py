# tls_gnutls - end to end: two Kamailios, one with tls.so, relay for each other
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""Sender -UDP-> one Kamailio -TLS-> other Kamailio -UDP-> far end, and the replies back."""

import contextlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from .lib import sip
from .lib.kamailio import Kamailio
from .lib.tls import TlsClient, client_context
from .lib.uas import UdpAgent, UdpSender

SENDERS = 8
UDP_SOCKETS = tuple(f"udp{n}" for n in range(1, SENDERS + 1))

DIRECTIONS = ("ours to stock", "stock to ours")


@pytest.fixture(scope="module")
def pair(settings, stock_settings):
    """{"ours": ..., "stock": ...}; each UDP socket has one worker, so it keeps the order."""
    more = {"listen": ("tls",) + UDP_SOCKETS, "children": 1, "tcp_children": 3,
            "core": "tcp_rd_buf_size=131072\ntcp_conn_wq_max=1048576",
            # no retransmissions to a slow far end: each request is sent once
            "config": 'modparam("tm", "retr_timer1", 60000)',
            "modparams": {"con_ct_wq_max": 1048576}, "shm_mb": 512}
    with contextlib.ExitStack() as stack:
        both = {
            "ours": stack.enter_context(Kamailio(settings.but(**more))),
            "stock": stack.enter_context(Kamailio(stock_settings.but(**more))),
        }
        # open one connection each way first: workers that find none open one each
        with UdpAgent() as far_end:
            for direction in DIRECTIONS:
                assert _send(*_ends(both, direction), far_end, "udp1", 1, 1) == [200]
        yield both


@pytest.fixture
def agent():
    with UdpAgent() as far_end:
        yield far_end


def _ends(pair, direction):
    first, _, second = direction.partition(" to ")
    return pair[first], pair[second]


def _requests(second, agent, name, count, body=b""):
    """Requests of one sender: CSeq counts from 1, all with one Call-ID."""
    call_id = f"{name}-{sip.new_id()}"
    return [{"method": "MESSAGE", "uri": f"sip:far@127.0.0.1:{agent.port}",
             "call_id": call_id, "cseq": number, "body": body,
             "headers": (f"X-Next: sip:127.0.0.1:{second.port()};transport=tls",)}
            for number in range(1, count + 1)]


def _send(first, second, agent, socket_name, count, window, body=b""):
    """One sender's run through both proxies; the status codes of its replies."""
    with UdpSender(first.address(socket_name), window=window) as sender:
        replies = sender.run(_requests(second, agent, socket_name, count, body))
        return [reply and reply.status for reply in replies]


def _assert_arrived_in_order(agent, senders, count):
    """Each request arrived exactly once, and those of one sender in the order of sending."""
    by_call = {}
    for message in agent.requests:
        by_call.setdefault(message["Call-ID"], []).append(message.cseq)
    assert len(by_call) == senders
    for call_id, numbers in by_call.items():
        assert numbers == list(range(1, count + 1)), call_id


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_one_request(pair, agent, direction):
    first, second = _ends(pair, direction)
    assert _send(first, second, agent, "udp1", 1, 1) == [200]
    assert len(agent.requests) == 1
    vias = [value for name, value in agent.requests[0].headers if name == "Via"]
    assert any("SIP/2.0/TLS" in via for via in vias), vias


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_eight_senders_keep_their_order(pair, agent, direction):
    """Eight workers write to one TLS connection at the same time."""
    first, second = _ends(pair, direction)
    count = 500
    with ThreadPoolExecutor(SENDERS) as pool:
        runs = [pool.submit(_send, first, second, agent, name, count, 8) for name in UDP_SOCKETS]
        statuses = [status for run in runs for status in run.result()]
    assert statuses == [200] * (SENDERS * count)
    _assert_arrived_in_order(agent, SENDERS, count)


def test_both_directions_at_once(pair):
    """2,000 messages each way while the other way is busy too."""
    count = 500
    with UdpAgent() as at_stock, UdpAgent() as at_ours, ThreadPoolExecutor(SENDERS) as pool:
        ours, stock = pair["ours"], pair["stock"]
        runs = [pool.submit(_send, ours, stock, at_stock, name, count, 4)
                for name in UDP_SOCKETS[:4]]
        runs += [pool.submit(_send, stock, ours, at_ours, name, count, 4)
                 for name in UDP_SOCKETS[:4]]
        statuses = [status for run in runs for status in run.result()]
        assert statuses == [200] * (SENDERS * count)
        _assert_arrived_in_order(at_stock, 4, count)
        _assert_arrived_in_order(at_ours, 4, count)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_large_bodies(pair, agent, direction):
    """Messages of 20 KB: each takes two records, eight senders mix them on one connection."""
    first, second = _ends(pair, direction)
    body = bytes(range(33, 127)) * 213
    assert len(body) > 20000
    count = 20
    with ThreadPoolExecutor(SENDERS) as pool:
        runs = [pool.submit(_send, first, second, agent, name, count, 2, body)
                for name in UDP_SOCKETS]
        statuses = [status for run in runs for status in run.result()]
    assert statuses == [200] * (SENDERS * count)
    _assert_arrived_in_order(agent, SENDERS, count)
    assert all(message.body == body for message in agent.requests)


def test_burst_before_the_handshake_keeps_its_order(start, settings, stock_settings, agent):
    """The requests that arrive while the outgoing handshake runs wait, and leave in order."""
    more = {"listen": ("tls", "udp1"), "children": 1,
            "config": 'modparam("tm", "retr_timer1", 60000)'}
    ours = start(settings.but(**more))
    stock = start(stock_settings.but(**more))
    count = 60
    assert _send(ours, stock, agent, "udp1", count, count) == [200] * count
    _assert_arrived_in_order(agent, 1, count)
    assert ours.tls_info()["clear_text_write_queued_bytes"] == 0


def test_tls_client_through_both(pair, agent):
    """TLS client -> ours -TLS-> stock -UDP-> far end: 300 requests pipelined, in order."""
    ours, stock = pair["ours"], pair["stock"]
    count = 300
    with TlsClient(ours.address(), client_context()) as client:
        requests = _requests(stock, agent, "tls", count)
        client.send(b"".join(sip.request(sent_by="127.0.0.1:%d" % client.local[1], **request)
                             for request in requests))
        replies = client.receive_many(count)
    assert [reply.status for reply in replies] == [200] * count
    assert sorted(reply.cseq for reply in replies) == list(range(1, count + 1))
    _assert_arrived_in_order(agent, 1, count)


def test_the_connections_are_reused(pair, agent):
    """One each way, whichever worker sends."""
    for direction in DIRECTIONS:
        for socket_name in UDP_SOCKETS:
            assert _send(*_ends(pair, direction), agent, socket_name, 1, 1) == [200]
    assert [kam.connections() for kam in pair.values()] == [2, 2]
