# tls_gnutls - end to end: everything at once, for as long as you like
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""Scanners, mutated handshakes, changed tickets, slow and vanishing clients, reloads in a loop, tls.kill, changes of
the log level, and load.

No process ends, every client that behaves is served, and memory and descriptors return to where they were.

    python3 -m pytest tests/e2e/test_chaos.py -s --long --long-seconds 300
"""

import time

import pytest

from .lib.chaos import Chaos, missing_scanners
from .lib.footprint import assert_returned, settled
from .lib.kamailio import Kamailio
from .lib.programs import ticket_storm
from .lib.tls import TlsClient, client_context
from .lib.tlscfg import Files, reading

pytestmark = pytest.mark.stock_may_crash

SMOKE_S, WARM_UP_S = 10, 6
WARM_UP_PART = 5            # of the time: heaps go on growing for minutes, a little less each time
HANDSHAKE_S = 20
SETTLED_WITHIN_S = 2


@pytest.fixture
def rig(settings, tls_module, pki, tmp_path):
    """(Kamailio, files, compiled client)."""
    files = Files(tmp_path, pki)
    more = {"session_cache": 1, **({"handshake_timeout": HANDSHAKE_S} if tls_module.ours else {})}
    base = settings.but(listen=("tls", "udp"), tcp_children=4, shm_mb=256, debug=0, modules=("corex",), modparams=more,
                        core="tcp_max_connections=4000\ntls_max_connections=4000\nopen_files_limit=8192\nmemdbg=5\n"
                             "tcp_fd_cache=no")          # a worker that sent keeps the descriptor for the next time
    files.settings(base, "file")
    with Kamailio(reading(base, files.path("tls.cfg"))) as kam:
        yield kam, files, ticket_storm(tmp_path)


def _endure(rig, module, pki, warm_up_s, seconds):
    kam, files, storm = rig
    for name in missing_scanners():
        print(f"without {name}: it is not installed")
    warm = Chaos(kam, files, pki, storm, module.ours)
    warm.run(warm_up_s)
    warm.rest()
    before = settled(kam, module.ours)
    chaos = Chaos(kam, files, pki, storm, module.ours)
    begin = time.monotonic()
    chaos.run(seconds)
    what = ", ".join(f"{count} {name}" for name, count in sorted(chaos.counts.items()))
    print(f"{time.monotonic() - begin:.0f} s: {what}; "
          + ", ".join(f"slowest {name} {seconds:.1f} s" for name, seconds in chaos.slowest.items()))
    kam.assert_healthy()
    chaos.rest()
    time.sleep(SETTLED_WITHIN_S)
    after = settled(kam, module.ours)
    print("\n".join(chaos.failures))
    assert warm.failures == []
    assert chaos.failures == []
    assert_returned(before, after, module, "the chaos")
    with TlsClient(kam.address(), client_context()) as client:
        assert client.ask().status == 200


def test_chaos(rig, tls_module, pki):
    _endure(rig, tls_module, pki, WARM_UP_S, SMOKE_S)


@pytest.mark.long
def test_chaos_for_long(rig, tls_module, pki, long_seconds):
    _endure(rig, tls_module, pki, max(WARM_UP_S, long_seconds // WARM_UP_PART), long_seconds)
