# tls_gnutls - end to end: tls.list with thousands of connections
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""The command does not lock the core's connection table while it formats its reply.

The process that runs the command is stopped in the middle of it, again and again. While it holds the table's
lock, nobody can connect; so new clients must be served while it is stopped. Occasionally it is stopped while
it copies a few records under the lock: that may be the case for STUCK_MAX of the STOPS.
"""

import asyncio
import os
import random
import re
import select
import signal
import socket
import threading
import time

import pytest

from .lib.kamailio import Kamailio
from .lib.load import Crowd
from .lib.tls import TlsClient, client_context
from .lib.wait import until

pytestmark = [pytest.mark.long, pytest.mark.stock_may_crash]

CONNECTIONS = 5000
STOPS = 40
STUCK_MAX = 20
ATTEMPTS = 400
LISTS = 50
TIMEOUT_S = 3
SEED = 11
# one request of binrpc: header, length, cookie, and the name of the command
QUESTION = b"\xa1\x00\x0b\x01" + b"\x91\x09tls.list\0"


@pytest.fixture
def kam(settings):
    with Kamailio(settings.but(
            core="tcp_max_connections=8000\ntls_max_connections=8000\nopen_files_limit=16384",
            shm_mb=1024, tcp_children=4)) as kamailio:
        yield kamailio


class Query:
    """tls.list, asked through binrpc."""

    def __init__(self, kam):
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._sock.connect(str(kam.folder / "ctl"))
        self._sock.sendall(QUESTION)

    def is_answered(self, timeout_s=0.0):
        poll = select.poll()        # select() is for the first 1024 descriptors
        poll.register(self._sock, select.POLLIN)
        return bool(poll.poll(timeout_s * 1000))

    def answer(self):
        """The whole answer, as bytes of binrpc."""
        self._sock.settimeout(60)
        self._sock.shutdown(socket.SHUT_WR)
        parts = []
        while part := self._sock.recv(1 << 20):
            parts.append(part)
        self._sock.close()
        return b"".join(parts)


def _ports(answer):
    """Values of all fields src_port: after the name the length and type of a number, and its bytes."""
    for found in re.finditer(rb"src_port\0", answer):
        at = found.end()
        size, kind = answer[at] >> 4, answer[at] & 0xF
        assert kind == 0
        yield int.from_bytes(answer[at + 1:at + 1 + size], "big")


def _seconds_to_answer(kam):
    begin = time.monotonic()
    query = Query(kam)
    assert query.is_answered(60)
    spent = time.monotonic() - begin
    query.answer()
    return spent


def _visit(kam):
    with TlsClient(kam.address(), client_context()) as client:
        assert client.ask().status == 200


def _stop_once(kam, pid, delay_s):
    """None: not stopped in the middle; otherwise whether a client was served meanwhile."""
    query = Query(kam)
    time.sleep(delay_s)
    visitor = threading.Thread(target=_visit, args=(kam,), daemon=True)
    os.kill(pid, signal.SIGSTOP)
    try:
        if query.is_answered():
            return None
        visitor.start()
        visitor.join(TIMEOUT_S)
        return not visitor.is_alive()
    finally:
        os.kill(pid, signal.SIGCONT)
        if visitor.ident is not None:
            visitor.join(60)
        query.answer()


class Churn:
    """Clients that come and go, as fast as one thread can."""

    def __init__(self, kam):
        self._kam = kam
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.visits = 0

    def _run(self):
        while not self._over.is_set():
            _visit(self._kam)
            self.visits += 1

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join(60)


def _assert_listed_once(kam, stable):
    """Connections that stay are listed exactly once, whatever others come and go."""
    with Churn(kam) as churn:
        for _ in range(LISTS):
            ports = [port for port in _ports(Query(kam).answer()) if port in stable]
            assert len(ports) == len(set(ports)) == CONNECTIONS
        until(lambda: churn.visits > 0, "a visit")


def _stops(kam):
    (pid,) = (int(pid) for pid in kam.pids("ctl handler"))
    whole = min(_seconds_to_answer(kam) for _ in range(5))
    chance = random.Random(SEED)
    results = []
    for _ in range(ATTEMPTS):
        result = _stop_once(kam, pid, whole * chance.uniform(0.2, 0.8))
        if result is not None:
            results.append(result)
        if len(results) == STOPS:
            break
    return results


def test_5000_connections(kam):
    """Each is listed once; new clients are served while the command runs."""
    async def grow(crowd):
        await crowd.grow(CONNECTIONS)

    loop = asyncio.new_event_loop()
    crowd = Crowd(kam.address(), client_context())
    try:
        loop.run_until_complete(grow(crowd))
        until(lambda: kam.connections() == CONNECTIONS, "all connections")
        _assert_listed_once(kam, {member.port for member in crowd.members})
        results = _stops(kam)
        print(f"stopped {len(results)} times, {results.count(False)} times with the lock")
        assert len(results) == STOPS, "the command was not stopped in the middle"
        assert results.count(False) <= STUCK_MAX
        loop.run_until_complete(crowd.leave())
    finally:
        loop.close()
    kam.wait_connections(0, 60)
