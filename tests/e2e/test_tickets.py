# tls_gnutls - end to end: changed session tickets cost a full handshake and nothing else
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import os
import re
import subprocess

import pytest

from .lib.kamailio import Kamailio
from .lib.programs import TOP, ticket_storm
from .lib.tls import TlsClient, client_context

VERSIONS = ("TLSv1.2", "TLSv1.3")
TICKETS = 3000
NOT_OFFERED = "session tickets are not offered"


@pytest.fixture(scope="module")
def storm(tmp_path_factory):
    """The client, compiled."""
    return ticket_storm(tmp_path_factory.mktemp("storm"))


def _keys(folder, count):
    """Paths of new key files."""
    files = [folder / f"{number}.key" for number in range(count)]
    for file in files:
        file.write_bytes(os.urandom(64))
        file.chmod(0o600)
    return files


@pytest.fixture(scope="module", params=("start", "files"))
def caching(request, settings, tmp_path_factory):
    """With a key of its own, and with keys from files."""
    keys = {}
    if request.param == "files":
        keys = {"ticket_key_file": ", ".join(map(str, _keys(tmp_path_factory.mktemp("keys"), 3)))}
    with Kamailio(settings.but(tcp_children=2, modparams={"session_cache": 1, **keys})) as kamailio:
        yield kamailio


@pytest.fixture(scope="module")
def refused(settings, tls_module, tmp_path_factory):
    """Where the pages of libgnutls that are read-only stay so."""
    if tls_module.sanitized:
        pytest.skip("what is preloaded is the sanitizers' libraries")
    library = str(tmp_path_factory.mktemp("refuse") / "refuse_mprotect.so")
    subprocess.run(["gcc", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC",
                    str(TOP / "tests/e2e/lib/refuse_mprotect.c"), "-o", library, "-ldl"], check=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LD_PRELOAD", library)
        kamailio = Kamailio(settings.but(tcp_children=2, modparams={"session_cache": 1}))
        kamailio.start()
    yield kamailio
    kamailio.stop()
    kamailio.remove()


def _storm(program, kam, version, count, seed, issuer=None):
    """Changed tickets; issuer: the Kamailio that has made them."""
    done = subprocess.run([program, str(kam.port()), version, str(count), str(seed),
                           str((issuer or kam).port())],
                          capture_output=True, text=True, timeout=600, check=False)
    print(version, done.stdout.strip())
    assert done.returncode == 0, done.stdout + done.stderr + kam.log.tail(20)
    full, resumed, wrong = map(int, re.findall(r"\d+", done.stdout))
    assert full + resumed == count and wrong == 0


@pytest.mark.ours_only("only tickets of GnuTLS are found by the client")
@pytest.mark.parametrize("version", VERSIONS)
def test_changed_tickets(caching, storm, version):
    """Thousands of them, and the same workers go on; the good ticket is taken all the time."""
    pids = caching.pids()
    _storm(storm, caching, version, TICKETS, 1)
    assert caching.pids() == pids
    context = client_context(version=version)
    with TlsClient(caching.address(), context) as client:
        assert client.ask().status == 200
        session = client.session
    with TlsClient(caching.address(), context, session=session) as client:
        assert client.ask().status == 200 and client.reused
    caching.assert_healthy()
    assert not caching.log.find(NOT_OFFERED)


@pytest.mark.ours_only("only tickets of GnuTLS are found by the client")
@pytest.mark.parametrize("version", VERSIONS)
def test_two_clients_at_once(caching, storm, version):
    """Both workers are busy with changed tickets of two clients."""
    pids = caching.pids()
    clients = [subprocess.Popen([storm, str(caching.port()), version, str(TICKETS // 6), str(seed)],
                                stdout=subprocess.PIPE, text=True) for seed in (2, 3)]
    results = [(client.communicate(timeout=600)[0], client.returncode) for client in clients]
    assert [status for _, status in results] == [0, 0], results
    assert caching.pids() == pids
    caching.assert_healthy()


@pytest.mark.ours_only("tls.so has no such slots")
@pytest.mark.parametrize("version", VERSIONS)
def test_no_tickets_where_free_cannot_be_redirected(refused, version):
    """One warning at start, no ticket; everything else works."""
    context = client_context(version=version)
    session = None
    for _ in range(3):
        with TlsClient(refused.address(), context, session=session) as client:
            assert client.ask().status == 200 and not client.reused
            session = client.session
            assert session is None or not session.has_ticket
    assert len(refused.log.find(rf"WARNING: tls .*{NOT_OFFERED}.*: mprotect: ")) == 1
    refused.assert_healthy()


@pytest.mark.ours_only("tls.so has no such slots")
def test_no_warning_without_session_cache(start, settings):
    assert not start(settings).log.find(NOT_OFFERED)


@pytest.mark.ours_only("tls.so has no ticket_key_file")
@pytest.mark.parametrize("version", VERSIONS)
def test_changed_tickets_of_another_host(start, settings, storm, tmp_path, version):
    """Made with the third of three keys, and offered to a host that was restarted since."""
    keys = _keys(tmp_path, 3)

    def host(*files):
        names = ",".join(map(str, files))
        return settings.but(tcp_children=2, modparams={"session_cache": 1, "ticket_key_file": names})

    issuer, kam = start(host(keys[2])), start(host(*keys))
    _storm(storm, kam, version, TICKETS // 10, 4, issuer)
    kam.stop()
    kam.start()
    pids = kam.pids()
    _storm(storm, kam, version, TICKETS, 5, issuer)
    assert kam.pids() == pids
    figures = kam.rpc("tls.sessions")
    assert int(figures["tickets_refused_invalid"]) > 0 and int(figures["tickets_refused_unknown_key"]) > 0
    assert int(figures["tickets_refused"]) + int(figures["handshakes_done_resumed"]) == TICKETS
