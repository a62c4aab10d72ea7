# tls_gnutls - end to end: connections that are closed while they are in use
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""tls.kill, handshake_timeout and tls.reload meet clients that handshake, resume, send requests and vanish.
Whichever comes second logs nothing, no process dies, and nothing leaks."""

import random
import socket
import ssl
import threading

import pytest

from .lib.tls import TIMEOUT_S, TlsClient, client_context

pytestmark = pytest.mark.ours_only("tls.so lacks these commands and limits")

CLIENTS, CONNECTIONS, STALLED = 5, 120, 40
SEED = 11


def _client(kam, seed, ended):
    chance = random.Random(SEED + seed)
    older = client_context()
    older.maximum_version = ssl.TLSVersion.TLSv1_2
    session = None
    for _ in range(CONNECTIONS):
        context = chance.choice((older, client_context()))
        try:
            with TlsClient(kam.address(), context,
                           session=session if context is older else None) as client:
                for _ in range(chance.randint(0, 3)):
                    client.ask()
                session = client.session if context is older else session
                if chance.random() < 0.2:
                    client.reset()
        except (OSError, EOFError, AssertionError):      # killed in the middle
            ended.append(seed)


def _stalling(kam):
    chance = random.Random(SEED)
    for _ in range(STALLED):
        with socket.create_connection(kam.address(), TIMEOUT_S) as sock:
            try:
                sock.sendall(chance.choice((b"\x16", b"\x16\x03\x01\x02\x00\x01")))
                sock.settimeout(chance.random())
                sock.recv(1)
            except OSError:
                pass


def _killing(kam, stop):
    """Kill known connections, and the next one that comes, as early as possible."""
    chance = random.Random(SEED)
    count = 0
    while not stop.is_set():
        ids = [connection["id"] for connection in kam.rpc("tls.list") or []]
        for number in chance.sample(ids, min(2, len(ids))):
            kam.rpc("tls.kill", number)
        for _ in range(6):
            if ids and kam.rpc("tls.kill", max(ids) + 1) == "OK":
                break
        count += 1
        if count % 4 == 0:
            kam.rpc("tls.reload")


def test_kill_time_out_and_reload_under_load(start, settings, pki, tmp_path):
    profiles = tmp_path / "tls.cfg"
    profiles.write_text("[server:default]\nmethod = TLSv1.2+\nverify_client = optional_no_ca\n"
                        f"certificate = {pki.cert('server-ec')}\nprivate_key = {pki.key('server-ec')}\n"
                        f"ca_list = {pki.path('ca.pem')}\n[client:default]\n")
    kam = start(settings.but(tcp_children=4, modparams={
        "config": str(profiles), "certificate": None, "private_key": None, "session_cache": 1,
        "handshake_timeout": 1, "send_close_notify": 1}))
    stop, ended = threading.Event(), []
    threads = [threading.Thread(target=_client, args=(kam, seed, ended)) for seed in range(CLIENTS)]
    threads.append(threading.Thread(target=_stalling, args=(kam,)))
    killer = threading.Thread(target=_killing, args=(kam, stop))
    for thread in (*threads, killer):
        thread.start()
    for thread in threads:
        thread.join()
    stop.set()
    killer.join()
    assert len(ended) < CLIENTS * CONNECTIONS
    kam.wait_connections(0)
    kam.assert_healthy()
    assert not kam.log.find(r"(ERROR|CRITICAL|BUG): tls ")
    with TlsClient(kam.address(), client_context()) as client:
        assert client.ask().status == 200
    kam.wait_connections(0)
    assert kam.rpc("tls.sessions")["configurations"] == 1
