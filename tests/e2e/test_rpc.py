# tls_gnutls - end to end: RPC commands and statistics
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import json
import os
import socket
import tempfile
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from .lib import sip
from .lib.kamailio import DEFAULT_SCRIPT, Kamailio
from .lib.tls import TlsClient, client_context
from .lib.wait import until

HTTP = r"""
event_route[xhttp:request] {
	jsonrpc_dispatch();
}
"""
COMMANDS = ("tls.info", "tls.list", "tls.options", "tls.profiles", "tls.sessions", "tls.reload")


@pytest.fixture(scope="module")
def kam(settings):
    with Kamailio(settings.but(
            listen=("tls", "tcp"), modules=("xhttp",), core="tcp_accept_no_cl=yes",
            config='modparam("jsonrpcs", "transport", 7)\n'
                   'modparam("jsonrpcs", "fifo_name", "rpc.fifo")\n',
            script=DEFAULT_SCRIPT + HTTP)) as kamailio:
        yield kamailio


def _over_http(kam, method):
    body = json.dumps({"jsonrpc": "2.0", "method": method, "id": 1}).encode()
    url = f"http://127.0.0.1:{kam.port('tcp')}/RPC"
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)["result"]
    except urllib.error.HTTPError as fault:
        raise AssertionError(fault.read().decode()) from fault


def _over_fifo(kam, method):
    """The answer comes through a FIFO of the asker, next to that of the server."""
    (server,) = kam.folder.rglob("rpc.fifo")
    mine = Path(tempfile.mktemp(prefix="tlsg-answer-", dir="/tmp"))     # jsonrpcs looks there
    os.mkfifo(mine)
    os.chmod(mine, 0o666)
    texts = []
    reader = threading.Thread(target=lambda: texts.append(mine.read_text()))
    reader.start()
    question = {"jsonrpc": "2.0", "method": method, "reply_name": mine.name, "id": 1}
    server.write_text(json.dumps(question) + "\n")
    reader.join(20)
    mine.unlink()
    assert texts, "no answer through the FIFO"
    return json.loads(texts[0])["result"]


STEADY = ("tls.options", "tls.profiles", "tls.info", "tls.reload")


@pytest.mark.ours_only("commands that tls.so does not have")
@pytest.mark.parametrize("way", (_over_http, _over_fifo))
@pytest.mark.parametrize("command", COMMANDS)
def test_every_way_gives_the_same_answer(kam, way, command):
    answer = way(kam, command)
    over_datagram = kam.rpc(command)
    assert type(answer) is type(over_datagram)
    if command in STEADY:
        assert answer == over_datagram
    assert kam.kamcmd(command) is not None


@pytest.mark.ours_only("commands that tls.so does not have")
def test_profiles(kam, pki):
    server, client = kam.rpc("tls.profiles")
    assert (server["id"], server["role"], server["address"]) == ("TLSs<default>", "server",
                                                                 "default")
    assert (client["id"], client["role"]) == ("TLSc<default>", "client")
    assert server["method"] == "TLSv1.2+"
    assert int(server["suites"]) > 5
    (cert,) = server["certificates"]
    assert cert["subject"].endswith("CN=server-ec")
    assert cert["issuer"].endswith("CN=inter")
    assert int(cert["days_left"]) == 29
    assert (cert["key"], int(cert["key_bits"])) == ("EC/ECDSA", 256)
    assert int(server["ca_certificates"]) == 1 and int(server["crls"]) == 0
    assert "crl_next_update" not in server


@pytest.mark.ours_only("commands that tls.so does not have")
def test_profiles_show_when_revocation_lists_end(start, settings, pki):
    kam = start(settings.but(modparams={"crl": pki.path("all.crl"), "verify_client": "on"}))
    for profile in kam.rpc("tls.profiles"):
        assert int(profile["crls"]) == 3
        assert int(profile["crl_days_left"]) == 29
        assert profile["verify"] == "require"


def _count(kam, name):
    return int(kam.rpc("tls.sessions")[name])


@pytest.mark.ours_only("commands that tls.so does not have")
def test_sessions_count_handshakes(start, settings):
    kam = start(settings)
    for version in ("TLSv1.2", "TLSv1.3", "TLSv1.3"):
        with TlsClient(kam.address(), client_context(version=version)) as client:
            assert client.ask().status == 200
    with socket.create_connection(kam.address()) as garbage:
        garbage.sendall(b"OPTIONS sip:x SIP/2.0\r\n\r\n")
        until(lambda: _count(kam, "handshakes_failed") == 1, "a failed handshake")
    counts = {name: int(value) for name, value in kam.rpc("tls.sessions").items()}
    assert counts["handshakes_done"] == counts["handshakes_done_server"] == 3
    assert counts["handshakes_done_tls1_2"] == 1 and counts["handshakes_done_tls1_3"] == 2
    assert counts["handshakes_done_full"] == 3
    assert counts["handshakes_failed_protocol"] == 1
    assert counts["configurations"] == 1
    assert counts["arena_bytes"] > 0


@pytest.mark.ours_only("statistics of 5.6.3")
def test_statistics_of_the_core_are_the_same_figures(start, settings):
    kam = start(settings)
    with TlsClient(kam.address(), client_context()) as client:
        assert client.ask().status == 200
        figures = dict(line.split(" = ") for line in kam.rpc("stats.get_statistics", "tls:"))
        sessions = kam.rpc("tls.sessions")
        info = kam.tls_info()
    for name, value in sessions.items():
        if name not in ("arena_bytes", "arena_spare_bytes"):
            assert int(figures[f"tls:{name}"]) == int(value), name
    for name in ("opened_connections", "max_connections", "clear_text_write_queued_bytes"):
        assert int(figures[f"tls:{name}"]) == info[name]


@pytest.mark.ours_only("tls.kill came with 5.8")
def test_kill(start, settings):
    kam = start(settings)
    with TlsClient(kam.address(), client_context()) as victim, \
            TlsClient(kam.address(), client_context()) as other:
        assert victim.ask().status == 200 and other.ask().status == 200
        (number,) = (entry["id"] for entry in kam.rpc("tls.list")
                     if int(entry["src_port"]) == victim.local[1])
        assert kam.rpc("tls.kill", int(number)) == "OK"
        with pytest.raises((EOFError, OSError)):
            victim.receive()
        kam.wait_connections(1)
        assert kam.rpc("tls.kill", int(number)) == "TLS connection id not found"
        assert other.ask().status == 200
    kam.wait_connections(0)


@pytest.mark.ours_only("tls.kill came with 5.8")
@pytest.mark.parametrize("arguments", ((), ("x",), ("",), (0,), (-1,)))
def test_kill_with_wrong_arguments(kam, arguments):
    with pytest.raises(RuntimeError, match="400"):
        kam.rpc("tls.kill", *arguments)
    if arguments != (-1,):      # kamcmd takes it for an option
        assert "error: 400" in kam.kamcmd("tls.kill", *map(str, arguments))
    assert kam.rpc("tls.kill", 2**31 - 1) == "TLS connection id not found"


def test_list_of_many_connections(start, settings):
    """More connections than the command copies at once; each exactly once."""
    count = 300
    kam = start(settings.but(shm_mb=128))
    clients = [TlsClient(kam.address(), client_context()) for _ in range(count)]
    try:
        for client in clients:
            client.send(sip.options(kam.port()))
        for client in clients:
            assert client.receive().status == 200
        answer = kam.kamcmd("tls.list")
        ports = sorted(int(line.split()[1]) for line in answer.splitlines()
                       if line.strip().startswith("src_port:"))
        assert ports == sorted(client.local[1] for client in clients)
        assert answer.count("state: established") == count
    finally:
        for client in clients:
            client.close()
    kam.wait_connections(0)


@pytest.mark.ours_only("leaks at each call are known for tls.so")
@pytest.mark.parametrize("count", (
    1000, pytest.param(10000, marks=pytest.mark.long, id="ten thousand times")))
def test_nothing_is_left_behind(start, settings, count):
    """Every command, right and wrong, again and again."""
    kam = start(settings.but(debug=-3, tcp_children=1))
    questions = [("tls.info", []), ("tls.list", []), ("tls.options", []), ("tls.sessions", []),
                 ("tls.kill", []), ("tls.kill", ["x"]), ("tls.kill", [99]), ("tls.profiles", [])]
    with TlsClient(kam.address(), client_context()) as client:
        assert client.ask().status == 200
        _ask_all(kam, questions, 200)
        for _ in range(5):
            assert client.ask().status == 200
        before = _memory(kam)
        _ask_all(kam, questions, count)
        assert client.ask().status == 200
        after = _memory(kam)
    assert after["shm"] == before["shm"]
    assert after["rss_kb"] - before["rss_kb"] < 1024


def _ask_all(kam, questions, count):
    """Each question `count` times, through one datagram socket."""
    path = kam.folder / "asker"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(path))
        sock.settimeout(20)
        for method, params in questions:
            text = json.dumps({"jsonrpc": "2.0", "method": method, "params": params, "id": 1})
            for _ in range(count):
                sock.sendto(text.encode(), str(kam.folder / "rpc"))
                assert sock.recv(1 << 20)
    path.unlink()


def _memory(kam):
    """Memory of the process that answers, and shared memory."""
    (server,) = kam.pids("JSONRPCS DATAGRAM")
    status = open(f"/proc/{server}/status", encoding="ascii").read()
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS:"))
    return {"shm": kam.shm_used(), "rss_kb": int(line.split()[1])}
