# tls_gnutls - end to end: reloads while connections come, go and stay
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""Certificate, authorities and sections change with each reload; now and then a file is broken.

Half of the connections that stay are opened before the first reload, the others one by one between reloads, so that
many configurations are alive at once.
"""

import asyncio
import ssl
import threading
import time
from dataclasses import dataclass, field

import pytest

from .lib import sip
from .lib.kamailio import Kamailio
from .lib.load import TIMEOUT_S, Crowd
from .lib.tls import client_context
from .lib.tlscfg import Files, reading, section
from .lib.wait import until

pytestmark = pytest.mark.ours_only("tls.so frees configurations late")

PER_SECOND = 50
STAYING = 200
BROKEN_EVERY = 10
SHM_TOLERANCE = 256 * 1024          # free chunks that processes cache
PRIVATE_TOLERANCE_KB = 2 * 1024     # heaps of all processes


@dataclass
class Tally:
    """Results of a run."""

    served: int = 0
    failures: list = field(default_factory=list)
    reloads: int = 0
    refused: int = 0
    most_alive: int = 0
    seconds: float = 0.0


class Load:
    """Reloads, and clients at the same time."""

    def __init__(self, kam, files, pki):
        self._kam = kam
        self._files = files
        self._pki = pki
        self._over = asyncio.Event()
        self.crowd = Crowd(kam.address(), client_context())
        self.tally = Tally()

    def _write(self, number):
        """The files of reload `number`; they differ from those before."""
        row = ("server-ec", "server-rsa")[number % 2]
        self._files.show(row)
        self._files.put("ca.pem", self._pki.path(("ca.pem", "ca-both.pem")[number % 2]))
        self._files.write("tls.cfg", section(
            "server:default", **self._files.keys(verify_client="optional", method="TLSv1.2+")) + "".join(
            section("server:any", server_name=f"n{n}.example", certificate=self._pki.cert(row),
                    private_key=self._pki.key(row)) for n in range(number % 5)))

    def _reload(self, number):
        self._write(number)
        if number % BROKEN_EVERY == BROKEN_EVERY - 1:
            self._files.write("key.pem", "broken\n")
            with pytest.raises(RuntimeError):
                self._kam.rpc("tls.reload")
            self.tally.refused += 1
            self._write(number)
        assert self._kam.rpc("tls.reload").startswith("Ok")
        self.tally.reloads += 1
        self.tally.most_alive = max(self.tally.most_alive, int(self._kam.rpc("tls.sessions")["configurations"]))

    async def _reloads(self, count, pause_s):
        for number in range(count):
            await asyncio.to_thread(self._reload, number)
            if number % max(1, count * 2 // STAYING) == 0 and len(self.crowd.members) < STAYING:
                await self.crowd.grow(1)
            await asyncio.sleep(pause_s)
        self._over.set()

    async def _visit(self, context):
        """One client: handshake, request, reply, gone."""
        try:
            reader, writer = await asyncio.open_connection(
                *self._kam.address(), ssl=context, server_hostname="localhost", ssl_handshake_timeout=TIMEOUT_S)
            writer.write(sip.options(self._kam.port()))
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), TIMEOUT_S)
            assert sip.parse(head).status == 200
            self.tally.served += 1
            writer.close()
            await writer.wait_closed()
        except (OSError, EOFError, ssl.SSLError, AssertionError) as failure:
            self.tally.failures.append(repr(failure))

    async def _visits(self):
        contexts = [client_context(version=version, cert=cert, key=key)
                    for version in ("TLSv1.2", "TLSv1.3")
                    for cert, key in ((None, None), (self._pki.cert("client-ok"), self._pki.key("client-ok")))]
        begin = time.monotonic()
        tasks = []
        while not self._over.is_set():
            tasks.append(asyncio.create_task(self._visit(contexts[len(tasks) % len(contexts)])))
            await asyncio.sleep(max(0.0, begin + len(tasks) / PER_SECOND - time.monotonic()))
        await asyncio.gather(*tasks)
        self.tally.seconds = time.monotonic() - begin

    async def _requests(self):
        """The connections that stay keep sending requests."""
        while not self._over.is_set():
            assert set(await self.crowd.ask_all()) == {200}
            await asyncio.sleep(1)

    async def run(self, count, pause_s):
        await self.crowd.grow(STAYING // 2)
        await asyncio.gather(self._reloads(count, pause_s), self._visits(), self._requests())


def _configurations(kam):
    return int(kam.rpc("tls.sessions")["configurations"])


def _spare(kam):
    """Bytes of shared memory that processes cache."""
    return int(kam.rpc("tls.sessions")["arena_spare_bytes"])


def _check_reloads(settings, module, pki, tmp_path, count, pause_s, manager="qm"):
    files = Files(tmp_path, pki)
    more = settings.but(tcp_children=4, shm_mb=256, shm_manager=manager, debug=0,
                        core="tcp_max_connections=1000\ntls_max_connections=1000")
    files.settings(more, "file")
    with Kamailio(reading(more, files.path("tls.cfg"))) as kam:
        warm = Load(kam, files, pki)

        async def warm_up():
            await warm.run(min(count, STAYING), pause_s)     # keeps as many configurations alive as the run
            await warm.crowd.leave()
        asyncio.run(warm_up())
        kam.wait_connections(0)
        before = kam.shm_used(), kam.private_kb(), _spare(kam)
        load = Load(kam, files, pki)
        tally = load.tally

        async def storm():
            await load.run(count, pause_s)
            statuses = await load.crowd.ask_all()
            during = kam.shm_used(), kam.private_kb(), _configurations(kam)
            await load.crowd.leave()
            return statuses, during
        statuses, during = asyncio.run(storm())
        kam.wait_connections(0)
        until(lambda: _configurations(kam) == 1, "one configuration")
        after = kam.shm_used(), kam.private_kb(), _spare(kam)
        print(f"{tally.reloads} reloads ({tally.refused} more refused) in {tally.seconds:.1f} s, "
              f"{tally.served} connections came and went, {len(statuses)} stayed, "
              f"up to {tally.most_alive} configurations alive")
        print(f"shared memory used ({manager}): {before[0]} bytes before, {during[0]} with the connections that stay, "
              f"{after[0]} when they are gone: {after[0] - before[0]:+d} (cached: {before[2]} and {after[2]})")
        print(f"private memory of all processes: {before[1]} KB, {during[1]} KB, {after[1]} KB: "
              f"{after[1] - before[1]:+d}")
        assert tally.failures == []
        assert tally.reloads == count and tally.refused == count // BROKEN_EVERY
        assert tally.served >= PER_SECOND * tally.seconds * 0.5
        assert statuses == [200] * len(statuses) and len(statuses) >= STAYING // 2
        assert during[2] > 1
        assert after[0] - before[0] <= SHM_TOLERANCE
        assert after[1] - before[1] <= PRIVATE_TOLERANCE_KB or module.sanitized
        failed = {name: value for name, value in kam.rpc("tls.sessions").items()
                  if name.startswith("handshakes_failed") and int(value)}
        assert not failed
        kam.assert_healthy()


def test_60_reloads_under_load(settings, tls_module, pki, tmp_path):
    _check_reloads(settings, tls_module, pki, tmp_path, 60, 0.05)


@pytest.mark.long
@pytest.mark.parametrize("manager", ("qm", "fm"))
def test_1000_reloads_under_load(settings, tls_module, pki, tmp_path, manager):
    _check_reloads(settings, tls_module, pki, tmp_path, 1000, 0.05, manager)


MANY = 2000
RELOADS = 60


@pytest.mark.long
@pytest.mark.parametrize("version", ("TLSv1.2", "TLSv1.3"))
def test_reloads_with_2000_connections(settings, pki, tmp_path, version):
    """Reloads one after the other while the connections are opened, and while all of them send requests."""
    files = Files(tmp_path, pki)
    more = settings.but(tcp_children=4, shm_mb=512, debug=0,
                        core="tcp_max_connections=5000\ntls_max_connections=5000\nopen_files_limit=8192")
    with Kamailio(files.settings(more, "file")) as kam:
        def reload_all(over):
            done = 0
            while not over.is_set() or done < RELOADS // 2:
                files.show(("server-rsa", "server-ec")[done % 2])
                assert kam.rpc("tls.reload").startswith("Ok")
                done += 1
            return done

        async def beside(work):
            """The result of the work, and how many reloads there were meanwhile."""
            over = threading.Event()
            reloading = asyncio.create_task(asyncio.to_thread(reload_all, over))
            try:
                result = await work()
            finally:
                over.set()
                count = await reloading
            return result, count

        async def visit(crowd, count):
            async def rounds():
                return [status for _ in range(3) for status in await crowd.ask_all()]
            _, first = await beside(lambda: crowd.grow(count))
            statuses, second = await beside(rounds)
            opened = kam.connections()
            await crowd.leave()
            return opened, statuses, first + second

        asyncio.run(visit(Crowd(kam.address(), client_context(version=version)), 100))
        kam.wait_connections(0)
        before = kam.shm_used()
        opened, statuses, reloads = asyncio.run(
            visit(Crowd(kam.address(), client_context(version=version)), MANY))
        print(f"{reloads} reloads, {opened} connections, {len(statuses)} replies")
        assert opened == MANY and statuses == [200] * (3 * MANY) and reloads >= RELOADS
        kam.wait_connections(0)
        until(lambda: _configurations(kam) == 1, "one configuration")
        after = kam.shm_used()
        print(f"shared memory used: {before} bytes before, {after} afterwards: {after - before:+d}")
        assert after - before <= SHM_TOLERANCE
        kam.assert_healthy()
