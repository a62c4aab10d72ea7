# tls_gnutls - end to end: little shared memory and thousands of connections
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""Whatever -m says and however many clients come: a client is served or refused at once, nothing hangs and nothing
dies, and when they have left everything is as before.

Each run is a crowd that stays until all have tried, so that memory runs out, and then the same again.
"""

import asyncio
import re
import ssl
from collections import Counter

import pytest

from .lib import sip
from .lib.footprint import assert_returned, settled
from .lib.kamailio import Kamailio, smallest_shm_mb
from .lib.load import TIMEOUT_S, Crowd
from .lib.tls import client_context

pytestmark = pytest.mark.stock_may_crash

# thresholds of the two parameters, in KB of free memory; those of "on" are the defaults
THRESHOLDS = {"on": {}, "off": {"low_mem_threshold1": 0, "low_mem_threshold2": 0}}
ROUNDS = 2
AT_ONCE_AFTER, SERVED_AFTER = 4, 20
RECOVERED = 0.5             # of the first crowd's number of served clients: which ones come through is chance

SMALLEST = smallest_shm_mb()
SHORT = [(SMALLEST, "on", 300), (SMALLEST, "off", 300)]
LONG = [pytest.param(size, which, 3000, marks=pytest.mark.long)
        for size in (8, 9, 10, 12, 14, 16, 20, 24, 32, 48, 64) for which in THRESHOLDS]


async def _client(crowd, port):
    """One client that stays. @return the status of its reply, or how it was refused."""
    try:
        member = await crowd.join()
        return await asyncio.wait_for(member.ask(sip.options(port)), TIMEOUT_S)
    except asyncio.TimeoutError:
        return "no answer"
    except (OSError, EOFError, ssl.SSLError):
        return "refused"


def _crowd(kam, count, version):
    """That many clients at once. @return Counter of what they got, and the connections that were open at the end."""
    async def visit():
        crowd = Crowd(kam.address(), client_context(version=version))
        results = await asyncio.gather(*(_client(crowd, kam.port()) for _ in range(count)))
        opened = kam.connections()
        await crowd.leave()
        return Counter(results), opened
    return asyncio.run(visit())


@pytest.mark.parametrize("size,which,clients", SHORT + LONG)
def test_low_memory(settings, tls_module, size, which, clients):
    limits = f"tcp_max_connections={clients + 100}\ntls_max_connections={clients + 100}\nopen_files_limit=8192"
    with Kamailio(settings.but(shm_mb=size, tcp_children=2, children=1, debug=0, core=limits,
                               modparams=THRESHOLDS[which])) as kam:
        first, _ = _crowd(kam, clients, "TLSv1.3")      # what the core's tables keep
        before = settled(kam, tls_module.ours)
        mark = kam.log.mark()
        for number in range(ROUNDS):
            results, opened = _crowd(kam, clients, ("TLSv1.2", "TLSv1.3")[number % 2])
            print(f"-m {size}, thresholds {which}, {clients} clients: {dict(results)}, {opened} stayed")
            assert set(results) <= {200, "refused"}
            assert results[200] >= max(1, int(RECOVERED * first[200]))
            kam.wait_connections(0)
            kam.assert_healthy()
        after = settled(kam, tls_module.ours)
        lines = [line for line in kam.log.lines(mark) if re.search(r"(WARNING|ERROR): tls ", line)]
        print(f"{len(lines)} lines of the module in the log; one of them: {lines[0] if lines else ''}")
        assert not kam.log.find(r"CRITICAL: tls|ALERT: tls|\bBUG\b", since=mark)
        assert_returned(before, after, tls_module, "the crowds")
        at_once = min(AT_ONCE_AFTER, max(1, int(RECOVERED * first[200])))
        for _ in range(SERVED_AFTER // AT_ONCE_AFTER):
            assert _crowd(kam, at_once, "TLSv1.3")[0] == {200: at_once}
            kam.wait_connections(0)
