# tls_gnutls - end to end: sessions resume in whichever worker gets them
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import os

import pytest

from .lib import cli
from .lib.kamailio import Kamailio
from .lib.tls import TlsClient, client_context

VERSIONS = ("TLSv1.2", "TLSv1.3")
CONNECTIONS = 100
WANTED = 95
ACROSS_WORKERS = "each worker has a ticket key of its own"


@pytest.fixture(scope="module", params=("start", "files"))
def caching(request, settings, tls_module, tmp_path_factory):
    """With a key of its own, and with keys from files."""
    keys = {}
    if request.param == "files":
        if not tls_module.ours:
            pytest.skip("tls.so has no ticket_key_file")
        files = [tmp_path_factory.mktemp("keys") / name for name in ("first", "second")]
        for file in files:
            file.write_bytes(os.urandom(64))
            file.chmod(0o600)
        keys = {"ticket_key_file": ", ".join(map(str, files))}
    with Kamailio(settings.but(tcp_children=4, modparams={"session_cache": 1, **keys})) as kamailio:
        yield kamailio


@pytest.fixture(scope="module")
def not_caching(settings):
    with Kamailio(settings.but(tcp_children=4, modparams={"session_cache": 0})) as kamailio:
        yield kamailio


def _visit(kam, context, session=None):
    """One connection with one OPTIONS: (resumed?, answering worker, session for the next)."""
    with TlsClient(kam.address(), context, session=session) as client:
        reply = client.ask()
        assert reply.status == 200
        return client.reused, reply["X-Worker"], client.session


@pytest.mark.ours_only(ACROSS_WORKERS)
@pytest.mark.parametrize("version", VERSIONS)
def test_chain_of_resumptions_over_all_workers(caching, version):
    """Each connection resumes the session that the one before left."""
    context = client_context(version=version)
    reused, last_worker, session = _visit(caching, context)
    assert not reused
    resumed = moved = 0
    workers = set()
    for _ in range(CONNECTIONS):
        reused, worker, session = _visit(caching, context, session)
        resumed += reused
        moved += reused and worker != last_worker
        workers.add(worker)
        last_worker = worker
    print(f"{version}: resumed {resumed} of {CONNECTIONS}, {moved} of them in another worker, "
          f"{len(workers)} workers")
    assert resumed >= WANTED
    assert len(workers) > 1 and moved > 0


@pytest.mark.ours_only(ACROSS_WORKERS)
@pytest.mark.parametrize("version", VERSIONS)
def test_one_session_serves_many_connections_at_once(caching, version):
    context = client_context(version=version)
    _, _, session = _visit(caching, context)
    clients = [TlsClient(caching.address(), context, session=session) for _ in range(20)]
    try:
        workers = {client.ask()["X-Worker"] for client in clients}
        assert sum(client.reused for client in clients) >= 19
        assert len(workers) > 1
    finally:
        for client in clients:
            client.close()


@pytest.mark.ours_only(ACROSS_WORKERS)
@pytest.mark.parametrize("version", VERSIONS)
def test_openssl_client_resumes(caching, pki, tmp_path, version):
    session = str(tmp_path / "session")
    first = cli.openssl(caching.address(), "-sess_out", session,
                        trust=pki.path("ca.pem"), version=version)
    assert first.reply.status == 200 and not first.reused
    for _ in range(8):
        again = cli.openssl(caching.address(), "-sess_in", session,
                            trust=pki.path("ca.pem"), version=version)
        assert again.reply.status == 200
        assert again.reused, again.output


@pytest.mark.ours_only(ACROSS_WORKERS)
@pytest.mark.parametrize("version", VERSIONS)
def test_gnutls_client_resumes(caching, pki, version):
    more = ("--resume", "--waitresumption") if version == "TLSv1.3" else ("--resume",)
    for _ in range(4):
        run = cli.gnutls_cli(caching.address(), *more, trust=pki.path("ca.pem"), version=version)
        assert run.reply is not None, run.output
        assert run.reply.status == 200
        assert run.reused, run.output


@pytest.mark.parametrize("version", VERSIONS)
def test_full_handshake_still_works_with_cache(caching, version):
    reused, _, _ = _visit(caching, client_context(version=version))
    assert not reused


@pytest.mark.ours_only("session_cache does not affect tickets")
@pytest.mark.parametrize("version", VERSIONS)
def test_nothing_resumes_without_session_cache(not_caching, version):
    context = client_context(version=version)
    _, _, session = _visit(not_caching, context)
    resumed = sum(_visit(not_caching, context, session)[0] for _ in range(20))
    assert resumed == 0


@pytest.mark.parametrize("version", VERSIONS)
def test_session_of_another_server_gets_a_full_handshake(caching, not_caching, version):
    """A ticket that this server cannot decrypt is not an error."""
    context = client_context(version=version)
    _, _, session = _visit(not_caching, context)
    reused, _, _ = _visit(caching, context, session)
    assert not reused


@pytest.mark.ours_only(ACROSS_WORKERS)
@pytest.mark.parametrize("version", VERSIONS)
def test_ticket_does_not_outlive_the_server(start, settings, version):
    """Another start has another ticket key: the old ticket leads to a full handshake."""
    context = client_context(version=version)
    caching = settings.but(modparams={"session_cache": 1})
    _, _, session = _visit(start(caching), context)
    reused, _, session = _visit(start(caching), context, session)
    assert not reused
