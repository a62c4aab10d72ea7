# tls_gnutls - end to end: how connections are closed, and what limits them
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import re
import ssl
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from .lib import sip
from .lib.kamailio import Kamailio
from .lib.tls import BioClient, TlsClient, client_context

VERSIONS = ("TLSv1.2", "TLSv1.3")
MORE_THAN_ALL_KB = 1 << 20
CROWD = 40
LINE_EVERY_S = 1.2


def _is_refused(kam):
    try:
        with TlsClient(kam.address(), client_context()) as client:
            client.ask()
    except (OSError, EOFError):
        return True
    return False


def _how_it_ended(address, version):
    """Ask once, stay idle until the server closes: "close_notify" or "TCP only"."""
    with BioClient(address, client_context(version=version)) as client:
        client.handshake()
        client.sock.sendall(client.seal(sip.options(address[1])))
        assert client.receive().status == 200
        return client.wait_end()


def test_idle_connection_is_closed(start, settings):
    """connection_timeout ends it; close_notify only if asked for."""
    def kam(send_close_notify):
        return start(settings.but(core="tcp_connection_lifetime=2", modparams={
            "connection_timeout": 2, "send_close_notify": send_close_notify}))
    without, with_notify = kam(0), kam(1)
    with ThreadPoolExecutor() as pool:
        runs = [pool.submit(_how_it_ended, server.address(), version)
                for server in (without, with_notify) for version in VERSIONS]
    assert [run.result() for run in runs] == ["TCP only"] * 2 + ["close_notify"] * 2
    without.wait_connections(0)
    with_notify.wait_connections(0)


@pytest.mark.ours_only("tls.so logs two lines at ERROR")
def test_message_larger_than_the_read_buffer(start, settings):
    """One line at WARNING with the peer's address, and the connection ends; a message that fits is answered."""
    kam = start(settings.but(core="tcp_rd_buf_size=8192"))
    with TlsClient(kam.address(), client_context()) as client:
        assert client.ask(sip.options(kam.port(), headers=("X-Long: " + 6000 * "a",))).status == 200
    mark = kam.log.mark()
    with BioClient(kam.address(), client_context()) as client:
        client.handshake()
        client.sock.sendall(client.seal(sip.options(kam.port(), headers=("X-Long: " + 9000 * "a",))))
        client.wait_end()
        port = client.local[1]
    kam.wait_connections(0)
    (line,) = kam.log.at_level("WARNING", since=mark)
    assert re.search(rf"message larger than the read buffer \(819\d bytes\) from 127\.0\.0\.1:{port}, "
                     r"connection \d+ is closed: raise tcp_rd_buf_size", line[1]), line
    assert kam.log.at_level("ERROR", since=mark) == []


def _how_it_ends_after_close_notify(address, version):
    """The client sends close_notify and keeps its socket open: the server closes too."""
    with BioClient(address, client_context(version=version)) as client:
        client.handshake()
        client.sock.sendall(client.seal(sip.options(address[1])))
        assert client.receive().status == 200
        try:
            client.tls.unwrap()
        except ssl.SSLWantReadError:
            pass
        client.sock.sendall(client.outgoing())
        assert client.wait_end() == "TCP only"


@pytest.mark.parametrize("version", VERSIONS)
def test_close_notify_of_the_client_ends_the_connection(start, settings, version):
    kam = start(settings)
    mark = kam.log.mark()
    _how_it_ends_after_close_notify(kam.address(), version)
    kam.wait_connections(0)
    assert not kam.log.at_level("ERROR", since=mark)


def test_low_memory_refuses_new_connections(start, settings):
    """low_mem_threshold1 above everything: no new connection, one clear line."""
    kam = start(settings.but(modparams={"low_mem_threshold1": MORE_THAN_ALL_KB}))
    assert _is_refused(kam)
    kam.log.wait(r"ERROR: tls .*memory")
    kam.wait_connections(0)


def test_low_memory_ends_existing_connections(start, settings):
    """low_mem_threshold2 above everything: the second step of a connection is refused."""
    kam = start(settings.but(modparams={
        "low_mem_threshold1": 0, "low_mem_threshold2": MORE_THAN_ALL_KB}))
    assert _is_refused(kam)
    kam.log.wait(r"ERROR: tls .*memory")
    kam.wait_connections(0)


@pytest.mark.ours_only("several lines for each connection")
@pytest.mark.parametrize("name", ("low_mem_threshold1", "low_mem_threshold2"))
def test_lines_about_low_memory_are_few(start, settings, name):
    """One line a second at most from all processes, which counts the others; none of the core."""
    begin = time.monotonic()
    kam = start(settings.but(modparams={
        "low_mem_threshold1": 0, "low_mem_threshold2": 0, name: MORE_THAN_ALL_KB}))
    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(_is_refused, [kam] * CROWD))
    time.sleep(LINE_EVERY_S)
    assert _is_refused(kam)
    kam.wait_connections(0)
    took = time.monotonic() - begin
    lines = kam.log.at_level("ERROR")
    assert {module for module, _ in lines} == {"tls"}
    assert len(lines) <= took + 2
    counts = [re.search(r" \((\d+) similar lines? suppressed\)$", text) for _, text in lines]
    assert sum(1 + int(count[1] if count else 0) for count in counts) == CROWD + 1


def test_thresholds_off(start, settings):
    kam = start(settings.but(modparams={"low_mem_threshold1": 0, "low_mem_threshold2": 0}))
    assert not _is_refused(kam)


def test_number_of_connections(start, settings):
    """tls_max_connections: one more is closed, and accepted when another one has ended."""
    kam = start(settings.but(core="tls_max_connections=2"))
    clients = [TlsClient(kam.address(), client_context()) for _ in range(2)]
    try:
        assert [client.ask().status for client in clients] == [200, 200]
        assert _is_refused(kam)
        clients.pop().close()
        kam.wait_connections(1)
        assert not _is_refused(kam)
    finally:
        for client in clients:
            client.close()


def test_shared_memory_runs_out(settings, tls_module):
    """With almost no shared memory: connections are refused, nothing crashes, it recovers."""
    with Kamailio(settings.but(shm_mb=8, tcp_children=2, children=1, modparams={
            "low_mem_threshold1": 1024, "low_mem_threshold2": 512})) as kam:
        clients = []
        try:
            for _ in range(400):
                try:
                    client = TlsClient(kam.address(), client_context())
                    clients.append(client)
                    assert client.ask().status == 200
                except (OSError, EOFError):
                    break
            else:
                raise AssertionError("400 connections in 8 MB of shared memory")
            print(f"{len(clients)} connections in 8 MB")
            assert len(clients) > 5
        finally:
            for client in clients:
                client.close()
        kam.wait_connections(0)
        kam.assert_healthy()
        assert not _is_refused(kam)
