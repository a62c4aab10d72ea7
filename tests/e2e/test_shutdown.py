# tls_gnutls - end to end: shutdown frees everything, whatever is going on
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""Kamailio's shared-memory debugger lists at the end what is still in use; nothing of the TLS
module may be in the list.  (The stock tls.so leaves two small blocks and its connections.)"""

import contextlib
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import threading

import pytest

from .lib import core_lock, kamailio, sip
from .lib.dtls import DtlsClient
from .lib.kamailio import Kamailio
from .lib.tls import BioClient, TlsClient, client_context, server_context
from .lib.uas import SilentServer, TlsAgent, UdpSender
from .lib.wait import until

VERSIONS = ("TLSv1.2", "TLSv1.3")


@contextlib.contextmanager
def _stopping(settings, tls_module, blocks=0):
    """A Kamailio that is stopped at the end of the block and must leave no shared memory allocated.

    blocks: how many blocks of shared memory may be left nevertheless.
    """
    kam = Kamailio(settings)
    try:
        kam.start()
        yield kam
        kam.assert_healthy()
        kam.stop()
        left = kam.shm_left()
        print(f"shared memory left: {left}")
        if tls_module.ours:
            assert sum(count for count, _ in left.values()) <= blocks
    finally:
        kam.kill()
        kam.remove()


def test_right_after_the_start(settings, tls_module):
    with _stopping(settings, tls_module):
        pass


@pytest.mark.parametrize("version", VERSIONS)
def test_after_closed_connections(settings, tls_module, version):
    with _stopping(settings.but(modparams={"session_cache": 1}), tls_module) as kam:
        for _ in range(20):
            with TlsClient(kam.address(), client_context(version=version)) as client:
                assert client.ask().status == 200
        kam.wait_connections(0)


@pytest.mark.parametrize("close_notify", (0, 1))
def test_with_open_connections(settings, tls_module, close_notify):
    clients = []
    try:
        with _stopping(settings.but(modparams={"send_close_notify": close_notify}),
                       tls_module) as kam:
            for version in VERSIONS * 5:
                client = TlsClient(kam.address(), client_context(version=version))
                clients.append(client)
                assert client.ask().status == 200
    finally:
        for client in clients:
            client.close()


def test_with_handshakes_under_way(settings, tls_module):
    clients = []
    try:
        with _stopping(settings, tls_module) as kam:
            for version in VERSIONS * 5:
                client = BioClient(kam.address(), client_context(version=version))
                clients.append(client)
                client.step()
                hello = client.outgoing()
                half = len(clients) % 2
                client.sock.sendall(hello[:50] if half else hello)
                assert half or client.pump()
            kam.wait_connections(10)
    finally:
        for client in clients:
            client.sock.close()


def test_with_requests_waiting_for_a_handshake(settings, tls_module):
    """The outgoing connection never gets an answer; its clear text waits in the queue."""
    with SilentServer() as silent, \
            _stopping(settings.but(listen=("tls", "udp")), tls_module) as kam, \
            UdpSender(kam.address("udp")) as sender:
        for number in range(1, 6):
            sender.sock.send(sip.request(
                via="UDP", sent_by=sender.sent_by, cseq=number, body=b"x" * 1000,
                uri=f"sip:far@127.0.0.1:{silent.port};transport=tls"))
        until(lambda: kam.tls_info()["clear_text_write_queued_bytes"] > 5000,
              "requests wait in the queue")


def test_with_open_outgoing_connections(settings, pki, tls_module):
    context = server_context(pki.cert("server-ec"), pki.key("server-ec"))
    with TlsAgent(context) as agent, \
            _stopping(settings.but(listen=("tls", "udp")), tls_module) as kam, \
            UdpSender(kam.address("udp")) as sender:
        reply = sender.ask(uri=f"sip:far@127.0.0.1:{agent.port};transport=tls")
        assert reply.status == 200
        assert kam.connections() == 1


def test_under_load(settings, tls_module):
    """Clients connect and send requests without a pause while Kamailio is stopped.

    Kamailio kills its workers wherever they are: a block that one of them has just allocated, and
    has not linked anywhere yet, cannot be found.  That is at most one block per worker.
    """
    over = threading.Event()
    answered = []

    def visit(address):
        context = client_context()
        while not over.is_set():
            try:
                with TlsClient(address, context) as client:
                    answered.append(client.ask().status)
            except (OSError, EOFError):
                pass

    threads = []
    try:
        with _stopping(settings, tls_module, blocks=settings.tcp_children) as kam:
            threads = [threading.Thread(target=visit, args=(kam.address(),)) for _ in range(4)]
            for thread in threads:
                thread.start()
            until(lambda: len(answered) > 100, "clients are served")
    finally:
        over.set()
        for thread in threads:
            thread.join()


def test_report_of_a_process_that_does_not_end(settings, monkeypatch):
    """What all processes are doing is printed: that of a hang that happens once in some hundred runs is seen once."""
    kam = Kamailio(settings)
    try:
        kam.start()
        worker = kam.workers()[0]
        os.kill(worker, signal.SIGSTOP)
        monkeypatch.setattr(kamailio, "STOP_TIMEOUT_S", 2)
        with pytest.raises(AssertionError, match=rf"(?s)did not stop:.*-- process {worker} .*: T, "):
            kam.stop()
    finally:
        kam.kill()
        kam.remove()


def test_deadlock_of_the_core_is_recognised(settings):
    """Its handler of SIGTERM takes the lock of the configuration where a process has not seen the last change.

    Here the lock is taken from outside. In the wild, a process is interrupted while it has it.
    """
    program = shutil.which(kamailio.BINARY)
    if core_lock.offset(program) is None:
        pytest.skip("this Kamailio does not tell where its lock of the configuration is")
    kam = Kamailio(settings.but(modules=("cfg_rpc",), listen=("tls", "udp")))
    try:
        kam.start()
        workers = kam.pids("udp receiver")
        kam.rpc("cfg.set_now_int", "core", "debug", 1)
        with open(f"/proc/{workers[0]}/mem", "r+b", buffering=0) as memory:
            memory.seek(core_lock.config_lock(workers[0], program))
            memory.write(struct.pack("i", 1))
        assert not core_lock.is_deadlock(workers, program)
        for worker in workers:
            os.kill(worker, signal.SIGTERM)
        until(lambda: core_lock.is_deadlock(workers, program), "they wait for the lock")
    finally:
        kam.kill()
        kam.remove()


def _variable(module, name):
    """Where a static variable of the module is; skipped without a symbol table."""
    run = subprocess.run(["nm", module], capture_output=True, text=True, check=False)
    match = re.search(rf"^([0-9a-f]+) b {name}$", run.stdout, re.M)
    if match is None:
        pytest.skip("the module has no symbol table, or nm is not installed")
    return int(match.group(1), 16)


@pytest.mark.ours_only("the locks are those of this module")
@pytest.mark.skipif(struct.calcsize("P") != 8, reason="the places are those of 64-bit machines")
@pytest.mark.parametrize("name, through, at, step", (
    ("slots", (40,), 8, 0), ("table", (16,), 8, 0), ("table", (), 32, 24)),
    ids=("addresses of handshakes", "addresses of associations", "buckets of associations"))
def test_lock_of_a_process_that_has_ended(settings, tls_module, name, through, at, step):
    """At SIGTERM a process ends at once, also with a lock of the counts by address, or of the buckets of associations.

    Here the locks are taken from outside; `at` is the place of the first one behind what the variable points to,
    `through` the places of pointers on the way.
    """
    offset = _variable(tls_module.path, name)
    changed = settings.but(listen=("tls", "dtls"), modparams={"handshakes_per_address": 100})
    with contextlib.ExitStack() as open_ones, _stopping(changed, tls_module) as kam:
        client = open_ones.enter_context(DtlsClient(kam.address("dtls")))
        assert client.handshake().ask().status == 200
        begun = open_ones.enter_context(socket.create_connection(kam.address()))
        begun.sendall(b"\x16\x03\x01\x01\0")
        until(lambda: any(entry["state"] == "tls_accept" for entry in kam.rpc("tls.list")), "a handshake has begun")
        worker = kam.workers()[0]
        with open(f"/proc/{worker}/maps", encoding="utf-8") as file:
            base = next(int(line.split("-")[0], 16) for line in file if line.rstrip().endswith(tls_module.path))
        with open(f"/proc/{worker}/mem", "r+b", buffering=0) as memory:
            memory.seek(base + offset)
            (start,) = struct.unpack("P", memory.read(struct.calcsize("P")))
            for place in through:
                memory.seek(start + place)
                (start,) = struct.unpack("P", memory.read(struct.calcsize("P")))
            for number in range(1024 if step else 1):       # the buckets that -m 64 has
                memory.seek(start + at + number * step)
                assert memory.read(4) == bytes(4)
                memory.seek(start + at + number * step)
                memory.write(struct.pack("i", 1))


def test_dead_timer_of_the_core_is_recognised():
    """By the stack of the main process, innermost call first; a module that waits in its own code is another matter."""
    calls = ("syscall", "timer_del_safe", "destroy_dns_cache", "cleanup", "handle_sigs", "main_loop", "main")
    stack = "".join(f"#{number} 0x00007f03340c8829 {call}\n" for number, call in enumerate(calls))
    assert core_lock.is_dead_timer(f"-- process 25043 (kamailio)\n{stack}")
    assert not core_lock.is_dead_timer(stack.replace("destroy_dns_cache", "destroy_modules"))
    assert not core_lock.is_dead_timer("")
