# tls_gnutls - end to end: thousands of connections, and clients that vanish
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""Afterwards the number of connections and the shared memory in use are as before.

TOLERANCE allows for the few freed chunks that a process may cache for the next connection. It hides no
leak: a connection holds 17 KB of shared memory without TLS and some more with it, so a dozen leaked ones
among the thousands would show.
"""

import asyncio

import pytest

from .lib.kamailio import Kamailio
from .lib.load import STAGES, Crowd, Storm
from .lib.tls import TlsClient, client_context

pytestmark = pytest.mark.stock_may_crash

CONNECTIONS = 2000
PER_SECOND = 200
SEED = 7
TOLERANCE = 256 * 1024


@pytest.fixture
def kam(request, settings, tls_module):
    """A Kamailio with room for all of them; with our module, short deadlines for handshakes.

    The parameter is the memory manager of the shared memory.
    """
    more = {"handshake_timeout": 6} if tls_module.ours else {}
    with Kamailio(settings.but(
            core="tcp_max_connections=5000\ntls_max_connections=5000\nopen_files_limit=8192",
            shm_mb=512, shm_manager=request.param, tcp_children=4, modparams=more)) as kamailio:
        _warm_up(kamailio)
        yield kamailio


def _warm_up(kam):
    """The first connections of a process make it allocate what it keeps."""
    async def visit():
        crowd = Crowd(kam.address(), client_context())
        await crowd.grow(100)
        assert set(await crowd.ask_all()) == {200}
        await crowd.leave()
    asyncio.run(visit())
    kam.wait_connections(0)


def _assert_as_before(kam, before, what):
    kam.wait_connections(0)
    info = kam.tls_info()
    assert info["opened_connections"] == 0
    assert info["clear_text_write_queued_bytes"] == 0
    after = kam.shm_used()
    print(f"shared memory ({kam.settings.shm_manager}): {before} bytes used before, {after} after "
          f"{what}: {after - before:+d}, allowed {TOLERANCE:+d}")
    assert after - before <= TOLERANCE
    kam.assert_healthy()
    with TlsClient(kam.address(), client_context()) as client:
        assert client.ask().status == 200


@pytest.mark.parametrize("kam,version", (("qm", "TLSv1.3"), ("fm", "TLSv1.2")), indirect=("kam",))
def test_2000_connections_open_at_once(kam, version):
    async def visit():
        crowd = Crowd(kam.address(), client_context(version=version))
        await crowd.grow(CONNECTIONS)
        opened = kam.connections()
        rounds = [await crowd.ask_all() for _ in range(2)]
        figures = opened, kam.shm_used(), kam.tls_info()["opened_connections"]
        await crowd.leave()
        return rounds, figures

    before = kam.shm_used()
    rounds, (opened, used, shown) = asyncio.run(visit())
    print(f"{opened} connections open, {(used - before) // CONNECTIONS} bytes of shared memory each")
    assert opened == shown == CONNECTIONS
    for statuses in rounds:
        assert statuses == [200] * CONNECTIONS
    _assert_as_before(kam, before, f"{CONNECTIONS} connections")


def _run_storm(kam, seconds, may_fall_silent):
    """A storm of vanishing clients beside a well-behaved one; returns both results."""
    async def steady(over):
        crowd = Crowd(kam.address(), client_context())
        await crowd.grow(1)
        answered = 0
        while not over.is_set():
            assert await crowd.ask_all() == [200]
            answered += 1
            await asyncio.sleep(0.2)
        await crowd.leave()
        return answered

    async def both():
        over = asyncio.Event()
        storm = Storm(kam.address(), client_context(), SEED, may_fall_silent)
        beside = asyncio.create_task(steady(over))
        try:
            await storm.run(PER_SECOND, seconds)
        finally:
            over.set()
        return storm, await beside

    return asyncio.run(both())


def _assert_storm_survived(kam, seconds, may_fall_silent):
    before = kam.shm_used()
    storm, steady = _run_storm(kam, seconds, may_fall_silent)
    tally = storm.tally
    print(f"seed {SEED}: {tally.started} clients in {tally.seconds:.1f} s, {len(tally.silent)} fell "
          f"silent, {tally.refused} were cut off; {steady} requests beside them")
    assert tally.started == PER_SECOND * seconds
    assert all(tally.by_stage[stage] > 0 for stage in STAGES)
    assert tally.answered == tally.by_stage["reply read"]
    assert tally.refused == 0
    try:
        # the silent ones are still connected: it is the server that has to end them
        kam.wait_connections(0)
    finally:
        storm.close_silent()
    _assert_as_before(kam, before, f"{tally.started} vanishing clients")


@pytest.mark.parametrize("kam", ("qm",), indirect=True)
def test_vanishing_clients(kam, tls_module):
    """200 new connections a second for 8 s."""
    _assert_storm_survived(kam, 8, tls_module.ours)


@pytest.mark.long
@pytest.mark.parametrize("kam", ("qm", "fm"), indirect=True)
def test_vanishing_clients_for_a_minute(kam, tls_module):
    """200 new connections a second for 60 s."""
    _assert_storm_survived(kam, 60, tls_module.ours)
