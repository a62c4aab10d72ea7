# tls_gnutls - end to end: tls.list in pages and with filters, tls.kill with the same filters
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import asyncio
import contextlib
import re
import socket

import pytest

from .lib import sip
from .lib.kamailio import Kamailio
from .lib.load import Crowd
from .lib.ports import LOOPBACK, free_port
from .lib.tls import TlsClient, client_context
from .lib.uas import FullServer, UdpSender
from .lib.wait import until

pytestmark = pytest.mark.ours_only("tls.so ignores arguments of tls.list, and has no tls.kill in 5.6")

MANY = 1500
PAGE = 250
OTHER = "127.0.0.2"         # a client's address


def _pages(kam, *words):
    """All pages that kamcmd reads: a list of ids for each."""
    pages = []
    after = ()
    while True:
        text = kam.kamcmd("tls.list", f"limit={PAGE}", *after, *words)
        pages.append([int(number) for number in re.findall(r"^\s*id: (\d+)$", text, re.M)])
        if len(pages[-1]) < PAGE:
            return pages
        after = (f"after={pages[-1][-1]}",)


def _ids(kam, *words):
    return {int(entry["id"]) for entry in kam.rpc("tls.list", *words)}


def test_pages_of_many_connections(start, settings):
    """1,500 connections, through kamcmd: each exactly once, also while the last one of a page is closed."""
    kam = start(settings.but(core="tcp_max_connections=4000\ntls_max_connections=4000\nopen_files_limit=8192",
                             shm_mb=512, tcp_children=4))

    async def scene():
        crowd = Crowd(kam.address(), client_context())
        await crowd.grow(MANY)
        assert await crowd.ask_all() == [200] * MANY
        reply = kam.kamcmd("tls.list", "limit=1")
        assert reply.count("id: ") == 1
        with pytest.raises(AssertionError, match="reply too big"):
            kam.kamcmd("tls.list")
        pages = _pages(kam)
        assert [len(page) for page in pages] == [PAGE] * (MANY // PAGE) + [0]
        every = [number for page in pages for number in page]
        assert len(set(every)) == MANY
        assert [number for page in _pages(kam, "state=established", f"ip={LOOPBACK}") for number in page] == every
        # the connection that a page ended with is gone when the next one is asked for
        gone = pages[1][-1]
        assert kam.rpc("tls.kill", gone) == "OK"
        kam.wait_connections(MANY - 1)
        text = kam.kamcmd("tls.list", f"limit={PAGE}", f"after={gone}")
        assert [int(number) for number in re.findall(r"^\s*id: (\d+)$", text, re.M)] == pages[2]
        assert kam.rpc("tls.kill", "state=established", "limit=499") == "OK: 499 connections closed"
        kam.wait_connections(MANY - 500)
        assert kam.kamcmd("tls.kill", f"ip={LOOPBACK}").strip() == f"OK: {MANY - 500} connections closed"
        kam.wait_connections(0)
        await crowd.leave()

    asyncio.run(scene())
    kam.assert_healthy()


@pytest.fixture(scope="module")
def busy(settings):
    """A Kamailio and the ids of connections in several states, from two addresses and with several names."""
    port = free_port()
    with Kamailio(settings.but(core=f"listen=tls:{OTHER}:{port}", modparams={"handshake_timeout": 0})) as kam, \
            contextlib.ExitStack() as stack:
        known = set()
        ids = {}

        def note(what):
            def fresh():
                return _ids(kam) - known
            until(fresh, f"{what} is listed", 20)
            (ids[what],) = fresh()
            known.add(ids[what])

        for what, name in (("one", "one.example"), ("two", "TWO.example"), ("none", None)):
            client = stack.enter_context(TlsClient(kam.address(), client_context(), name=name))
            assert client.ask(sip.options(kam.port())).status == 200
            note(what)
        sock = stack.enter_context(socket.create_connection((OTHER, port), source_address=(OTHER, 0)))
        sock.sendall(b"\x16\x03\x01\x00\x80\x01")
        note("accepting")
        until(lambda: any(entry["state"] == "tls_accept" for entry in kam.rpc("tls.list")), "the state", 20)
        stack.enter_context(socket.create_connection(kam.address()))
        note("silent")
        yield kam, ids


FILTERS = (
    ((), {"one", "two", "none", "accepting", "silent"}),
    (("sni=one.example",), {"one"}),
    (("SNI=Two.Example",), {"two"}),
    (("sni=N/A",), {"none", "accepting", "silent"}),
    (("sni=other.example",), set()),
    (("sni=one",), set()),
    (("state=established",), {"one", "two", "none"}),
    (("state=tls_accept",), {"accepting"}),
    (("state=pre-init",), {"silent"}),
    (("state=tls_connect",), set()),
    ((f"ip={OTHER}",), {"accepting"}),
    ((f"ip={LOOPBACK}",), {"one", "two", "none", "silent"}),
    (("ip=192.0.2.1",), set()),
    (("ip=2001:db8::1",), set()),
    ((f"ip={LOOPBACK}", "state=established", "sni=one.example"), {"one"}),
    ((f"ip={OTHER}", "state=established"), set()),
    (("older-than=100000",), set()),
    (("limit=100",), {"one", "two", "none", "accepting", "silent"}),
    (("word", "sni=one.example", "word"), {"one"}),
)


@pytest.mark.parametrize("words,wanted", FILTERS)
def test_filter(busy, words, wanted):
    """Through jsonrpcs and through kamcmd."""
    kam, ids = busy
    assert _ids(kam, *words) == {ids[name] for name in wanted}
    text = kam.kamcmd("tls.list", *words)
    assert {int(number) for number in re.findall(r"^\s*id: (\d+)$", text, re.M)} == {ids[name] for name in wanted}


def test_older_than(busy):
    """What has no TLS state yet has no age."""
    kam, ids = busy
    until(lambda: _ids(kam, "older-than=1") == {ids[name] for name in ("one", "two", "none", "accepting")},
          "all are older than a second", 20)


@pytest.mark.parametrize("limit", (1, 2, 3, 4, 5, 6))
def test_limit_and_after(busy, limit):
    kam, ids = busy
    order = [int(entry["id"]) for entry in kam.rpc("tls.list")]
    assert [int(entry["id"]) for entry in kam.rpc("tls.list", f"limit={limit}")] == order[:limit]
    for number, after in enumerate(order):
        got = kam.rpc("tls.list", f"after={after}", f"limit={limit}")
        assert [int(entry["id"]) for entry in got] == order[number + 1:number + 1 + limit]
    assert len(ids) == len(order)


WRONG = ("ip=", "ip=one.example", "ip=127.0.0.1/8", "sni=", "state=", "state=open", "older-than=0", "older-than=-1",
         "older-than=x", "older-than=", "limit=0", "limit=x", "limit=99999999999", "after=0", "after=x", "id=5", "=5",
         "=", "ip =127.0.0.1", "older_than=5", "state=established")


@pytest.mark.parametrize("word", WRONG)
@pytest.mark.parametrize("command", ("tls.list", "tls.kill"))
def test_wrong_argument(busy, command, word):
    """Fault 400, whatever else is right; nothing is closed."""
    kam, ids = busy
    for words in ((word,), ("state=established", word)) if word != "state=established" else ((word, word),):
        with pytest.raises(RuntimeError, match="'code': 400"):
            kam.rpc(command, *words)
    assert _ids(kam) == set(ids.values())


@pytest.mark.parametrize("words", (("limit=5",), ("after=1",), ("limit=1", "after=1"), ("state=established", "word"),
                                   ("state=established", 5)))
def test_kill_needs_a_filter(busy, words):
    """A number alone would close what nobody has chosen."""
    kam, ids = busy
    with pytest.raises(RuntimeError, match="'code': 400"):
        kam.rpc("tls.kill", *words)
    assert _ids(kam) == set(ids.values())


@pytest.mark.parametrize("words,left", (
    (("sni=one.example",), {"two.example", "two.example"}),
    (("sni=two.example", "limit=1"), {"one.example", "two.example"}),
    (("state=established",), set()),
    (("sni=nobody.example",), {"one.example", "two.example"}),
))
def test_kill(start, settings, words, left):
    kam = start(settings)
    names = ("one.example", "two.example", "two.example")
    with contextlib.ExitStack() as stack:
        for name in names:
            client = stack.enter_context(TlsClient(kam.address(), client_context(), name=name))
            assert client.ask(sip.options(kam.port())).status == 200
        selected = _ids(kam, *words)
        closed = "1 connection closed" if len(selected) == 1 else f"{len(selected)} connections closed"
        assert kam.rpc("tls.kill", *words) == f"OK: {closed}"
        kam.wait_connections(3 - len(selected))
        assert {entry["sni"] for entry in kam.rpc("tls.list")} == left
        assert kam.log.find(rf"NOTICE: tls .*: {closed} by tls.kill with a filter")
    kam.wait_connections(0)


def test_kill_while_connecting(start, settings):
    """A connection that the other side has not accepted yet is closed, too."""
    kam = start(settings.but(listen=("tls", "udp"), core="tcp_connect_timeout=10"))
    with FullServer() as server, UdpSender(kam.address("udp")) as sender:
        sender.send(uri=f"sip:far@{LOOPBACK}:{server.port};transport=tls")
        until(lambda: len(_ids(kam)) == 1, "it connects")
        # the second: the process that opens it has not handed it to tcp main yet
        assert kam.rpc("tls.kill", f"ip={LOOPBACK}") in (
            "OK: 1 connection closed", "OK: 0 connections closed, 1 closing")
        kam.wait_connections(0)
