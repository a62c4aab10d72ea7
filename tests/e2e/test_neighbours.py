# tls_gnutls - end to end: others in the process that replace what the module has set in GnuTLS and GMP
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import os
import signal
import subprocess
from pathlib import Path

import pytest

from .lib.kamailio import started_with
from .lib.tls import TlsClient, client_context, server_context
from .lib.uas import TlsAgent, UdpSender
from .lib.wait import until

TOP = Path(__file__).resolve().parents[2]
VERSIONS = ("TLSv1.2", "TLSv1.3")
REPLACED = r"WARNING: tls .*were replaced by .*neighbour\.so; they are set again"
KINDS = ("GnuTLS's mutex functions", "GMP's memory functions")
REFUSED = r"ERROR: tls .*has replaced GnuTLS's mutex functions, sessions cannot be shared"

pytestmark = pytest.mark.ours_only("tls.so does not use GnuTLS")


@pytest.fixture(scope="module")
def neighbour(tls_module, tmp_path_factory):
    """The other library, compiled."""
    if tls_module.sanitized:
        pytest.skip("what is preloaded is the sanitizers' libraries")
    library = str(tmp_path_factory.mktemp("neighbour") / "neighbour.so")
    libraries = ["-Wl,--no-as-needed", "-lgnutls", "-lgmp", "-ldl"]
    subprocess.run(["gcc", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC",
                    str(TOP / "tests/e2e/lib/neighbour.c"), "-o", library, *libraries], check=True)
    return library


def _with_neighbour(settings, library, mode):
    return started_with(settings.but(listen=("tls", "udp")), LD_PRELOAD=library, NEIGHBOUR=mode)


def _both_roles(kam, pki):
    """One connection in and one out, each used by several processes."""
    for version in VERSIONS:
        context = server_context(pki.cert("server-ec"), pki.key("server-ec"), version)
        with TlsAgent(context) as agent, UdpSender(kam.address("udp")) as sender:
            for _ in range(6):
                assert sender.ask(uri=f"sip:far@127.0.0.1:{agent.port};transport=tls").status == 200
            assert not agent.failures
        with TlsClient(kam.address(), client_context(version=version)) as client:
            for _ in range(3):
                assert client.ask().status == 200


@pytest.mark.parametrize("key", ("server-ec", "server-rsa"))
def test_replaced_in_mod_init(settings, pki, neighbour, key):
    """Noticed before the workers are forked: one line for each kind, and everything works."""
    more = {"certificate": pki.cert(key), "private_key": pki.key(key)}
    with _with_neighbour(settings.but(modparams=more), neighbour, "start") as kam:
        assert kam.log.find("neighbour: replaced")
        _both_roles(kam, pki)
        lines = kam.log.find(REPLACED)
        assert [sum(kind in line for line in lines) for kind in KINDS] == [1, 1] and len(lines) == 2


def test_replaced_at_run_time(settings, pki, neighbour):
    """Noticed when the next step begins, in each process; connections made before go on too."""
    with _with_neighbour(settings, neighbour, "later") as kam, \
            TlsClient(kam.address(), client_context()) as client:
        assert client.ask().status == 200
        _both_roles(kam, pki)
        assert not kam.log.find(REPLACED)
        pids = kam.pids()
        for pid in pids:
            os.kill(pid, signal.SIGRTMIN + 5)
        until(lambda: len(kam.log.find("neighbour: replaced")) == len(pids), "all processes have new functions")
        assert client.ask().status == 200
        _both_roles(kam, pki)
        lines = kam.log.find(REPLACED)
        assert lines and len(lines) <= 2 * len(pids)


def test_what_cannot_be_seen_is_refused(settings, neighbour):
    """The module's mutex functions are not called: no session is made, with one line, and the process goes on."""
    with _with_neighbour(settings, neighbour, "blind") as kam:
        for _ in range(3):
            with pytest.raises(OSError):
                with TlsClient(kam.address(), client_context()) as client:
                    client.ask()
        lines = kam.log.find(REFUSED)
        assert 1 <= len(lines) <= 3
        assert not kam.log.find(r"\bBUG\b")


def test_nothing_is_said_without_neighbours(start, settings):
    kam = start(settings)
    with TlsClient(kam.address(), client_context()) as client:
        assert client.ask().status == 200
    assert not kam.log.find("were replaced by|has replaced")
