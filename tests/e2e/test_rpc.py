# tls_gnutls - end to end: RPC commands and statistics
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import json
import os
import re
import socket
import ssl
import subprocess
import tempfile
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from .lib import hostile, sip
from .lib.kamailio import DEFAULT_SCRIPT, Kamailio
from .lib.tls import TlsClient, client_context, reset
from .lib.wait import until

HTTP = r"""
event_route[xhttp:request] {
	jsonrpc_dispatch();
}
"""
COMMANDS = ("tls.info", "tls.list", "tls.options", "tls.profiles", "tls.sessions", "tls.version", "tls.reload")


@pytest.fixture(scope="module")
def kam(settings):
    with Kamailio(settings.but(
            listen=("tls", "tcp"), modules=("xhttp",), core="tcp_accept_no_cl=yes",
            config='modparam("jsonrpcs", "transport", 7)\n'
                   'modparam("jsonrpcs", "fifo_name", "rpc.fifo")\n',
            script=DEFAULT_SCRIPT + HTTP)) as kamailio:
        yield kamailio


class Fault(Exception):
    """A command's fault: .code and .text."""

    def __init__(self, code, text):
        super().__init__(f"{code} {text}")
        self.code = code
        self.text = text


def _question(method, params, **more):
    return json.dumps({"jsonrpc": "2.0", "method": method, "params": list(params), "id": 1, **more})


def _result(text):
    answer = json.loads(text)
    if "error" in answer:
        raise Fault(answer["error"]["code"], answer["error"]["message"])
    return answer["result"]


def _over_http(kam, method, *params):
    url = f"http://127.0.0.1:{kam.port('tcp')}/RPC"
    request = urllib.request.Request(url, _question(method, params).encode(),
                                     {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return _result(answer.read())
    except urllib.error.HTTPError as fault:
        return _result(fault.read())


def _over_fifo(kam, method, *params):
    """The reply comes through a FIFO of the client, in the folder of the server's."""
    (server,) = kam.folder.rglob("rpc.fifo")
    mine = Path(tempfile.mktemp(prefix="tlsg-answer-", dir="/tmp"))     # jsonrpcs looks there
    os.mkfifo(mine)
    os.chmod(mine, 0o666)
    texts = []
    reader = threading.Thread(target=lambda: texts.append(mine.read_text()))
    reader.start()
    server.write_text(_question(method, params, reply_name=mine.name) + "\n")
    reader.join(20)
    mine.unlink()
    assert texts, "no reply through the FIFO"
    return _result(texts[0])


def _over_datagram(kam, method, *params):
    path = kam.folder / "asker"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(path))
        try:
            sock.settimeout(20)
            sock.sendto(_question(method, params).encode(), str(kam.folder / "rpc"))
            return _result(sock.recv(1 << 20))
        finally:
            path.unlink()


def _over_binrpc(kam, method, *params):
    """The text that kamcmd prints."""
    text = kam.kamcmd(method, *map(str, params))
    if text.startswith("error: "):
        code, _, rest = text.removeprefix("error: ").partition(" - ")
        raise Fault(int(code), rest.strip())
    return text


WAYS = (_over_http, _over_fifo, _over_datagram, _over_binrpc)
STEADY = ("tls.options", "tls.profiles", "tls.info", "tls.version", "tls.reload")


def _leaves(value):
    """All names and values of a reply, in order, as text."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield str(name)
            yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    else:
        yield "<null string>" if value is None else str(value)


def _printed(text):
    """The same for the output of kamcmd: "name: value" with structures in braces."""
    for line in text.splitlines():
        name, found, value = line.strip().strip("{}").partition(": ")
        if name and (found or name.endswith(":") or name not in "[]"):
            yield name.rstrip(":")
            if found and value not in "{[":
                yield value


@pytest.mark.ours_only("commands that tls.so does not have")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("command", COMMANDS)
def test_every_transport_gives_the_same_reply(kam, way, command):
    with TlsClient(kam.address(), client_context()) as client:
        assert client.ask().status == 200
        answer, over_datagram = way(kam, command), kam.rpc(command)
    kam.wait_connections(0)
    if way is _over_binrpc:
        answer, over_datagram = list(_printed(answer)), list(_leaves(over_datagram))
        if command not in STEADY:       # values change from call to call
            names = set(COMMON[command])
            answer = [text for text in answer if text in names]
            over_datagram = [text for text in over_datagram if text in names]
            assert answer
        assert answer == over_datagram
        return
    assert type(answer) is type(over_datagram)
    if command in STEADY:
        assert answer == over_datagram
    else:
        first, second = (value[0] if isinstance(value, list) else value
                         for value in (answer, over_datagram))
        assert list(first) == list(second)


# the names whose order is compared where values change from call to call
COMMON = {
    "tls.list": ("id", "timeout", "src_ip", "src_port", "dst_ip", "dst_port", "cipher",
                 "ct_wq_size", "enc_rd_buf", "flags", "state", "sni", "timestamp", "dom"),
    "tls.sessions": ("handshakes_done", "handshakes_failed", "alerts_sent", "verify_failed",
                     "arena_bytes", "configurations"),
}

NO_ID = "Connection id expected: a number that tls.list shows"
WRONG = ((), ("x",), ("",), (0,), (-5,), ([1],), ({"id": 1},), (None,), (99999999999,))
NOT_WITH_KAMCMD = ((-5,), (99999999999,))       # kamcmd takes them for an option, or for another number


@pytest.mark.ours_only("tls.so has no command tls.version")
def test_version(kam):
    """The reply, the line of the log at start and the tool name the version that base/version.h states."""
    top = Path(__file__).resolve().parents[2]
    version = re.search(r'#define TLSG_VERSION "(.*)"', (top / "base/version.h").read_text()).group(1)
    answer = kam.rpc("tls.version")
    assert answer["module"] == "tls_gnutls" and answer["version"] == version
    text = f"{version}, GnuTLS {answer['gnutls']} (built against {answer['gnutls_built']})"
    assert len(kam.log.find(re.escape(f"tls_gnutls {text}"))) == 1
    tool = subprocess.run([top / "build/tls-gnutls-ciphers", "--version"], capture_output=True, text=True, timeout=60)
    assert tool.stdout == f"tls-gnutls-ciphers {text}\n"


@pytest.mark.ours_only("tls.kill came with 5.8")
@pytest.mark.parametrize("way,arguments", [
    (way, arguments) for way in WAYS for arguments in WRONG
    if way is not _over_binrpc or arguments not in NOT_WITH_KAMCMD])
def test_wrong_arguments(kam, way, arguments):
    """Fault 400 and one line at WARNING. (jsonrpcs writes a line of its own if it is neither a number nor a text.)"""
    mark = kam.log.mark()
    with pytest.raises(Fault) as fault:
        way(kam, "tls.kill", *arguments)
    assert (fault.value.code, fault.value.text) == (400, NO_ID)
    assert len(kam.log.at_level("WARNING", since=mark)) == 1
    assert [line for line in kam.log.at_level("ERROR", since=mark) if "field is not a number" not in line[1]] == []


@pytest.mark.parametrize("way", WAYS)
def test_extra_arguments_are_ignored(kam, way):
    """They are not an error: tls.so ignores them too."""
    mark = kam.log.mark()
    for command in ("tls.info", "tls.list", "tls.options"):
        assert way(kam, command, "x", 1) is not None
    for level in ("ERROR", "WARNING"):
        assert kam.log.at_level(level, since=mark) == []


CONFIG = """[server:default]
method = TLSv1.2+
certificate = {cert}
private_key = {key}
[client:default]
method = TLSv1.2+
{more}
"""
RELOAD_FAULTS = {
    "verify_depht = 1": "Error while loading TLS configuration file (consult server log)",
    "ca_list = /no/such/file": "Error while fixing TLS configuration (consult server log)",
    "[server:127.0.0.1:1]\ncertificate = {cert}\nprivate_key = {key}":
        "No server listening socket found for one of TLS domains (consult server log)",
}


@pytest.fixture(scope="module")
def reloaded(settings, pki, tmp_path_factory):
    """(Kamailio with a tls.cfg, function that writes it with more lines)."""
    config = tmp_path_factory.mktemp("config") / "tls.cfg"
    files = {"cert": pki.cert("server-ec"), "key": pki.key("server-ec")}

    def write(more=""):
        config.write_text(CONFIG.format(more=more.format(**files), **files))

    write()
    with Kamailio(settings.but(
            listen=("tls", "tcp"), modules=("xhttp",), core="tcp_accept_no_cl=yes",
            config='modparam("jsonrpcs", "transport", 7)\n'
                   'modparam("jsonrpcs", "fifo_name", "rpc.fifo")\n',
            modparams={"config": str(config), "tls_method": None, "certificate": None,
                       "private_key": None, "ca_list": None},
            script=DEFAULT_SCRIPT + HTTP)) as kamailio:
        yield kamailio, write


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("mistake", RELOAD_FAULTS)
def test_reload_with_a_mistake(reloaded, tls_module, way, mistake):
    """Fault 500 and one line at ERROR; what was configured stays."""
    kam, write = reloaded
    write(mistake)
    mark = kam.log.mark()
    with pytest.raises(Fault) as fault:
        way(kam, "tls.reload")
    assert fault.value.code == 500
    assert fault.value.text.startswith(RELOAD_FAULTS[mistake])
    if tls_module.ours:
        assert fault.value.text.startswith(RELOAD_FAULTS[mistake] + ": ")
        assert len(kam.log.at_level("ERROR", since=mark)) == 1
    write()
    assert "Ok. TLS configuration reloaded." in way(kam, "tls.reload")
    with TlsClient(kam.address(), client_context()) as client:
        assert client.ask().status == 200


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


SEVERAL = """[server:default]
method = TLSv1.2+
certificate = {ec}.crt
private_key = {ec}.key
certificate2 = {rsa}.crt
private_key2 = {rsa}.key
[server:127.0.0.1:0]
method = TLSv1.3
certificate = {rsa}.crt
private_key = {rsa}.key
server_name = a.example.org
require_certificate = yes
ca_list = {ca}
[server:any]
certificate = {ec}.crt
private_key = {ec}.key
server_name = b.example.org
verify_client = optional_no_ca
[client:default]
method = TLSv1.2+
[client:[::1]:5061]
method = TLSv1.2
server_id = trunk
verify_certificate = yes
ca_list = {ca}
"""


@pytest.mark.ours_only("commands that tls.so does not have")
def test_profiles_of_a_file(start, settings, pki, tmp_path):
    config = tmp_path / "tls.cfg"
    config.write_text(SEVERAL.format(ec=pki.path("server-ec"), rsa=pki.path("server-rsa"), ca=pki.path("ca.pem")))
    kam = start(settings.but(modparams={"config": str(config), "tls_method": None, "certificate": None,
                                        "private_key": None, "ca_list": None}))
    profiles = kam.rpc("tls.profiles")
    names = ("id", "role", "address", "server_name", "server_id", "method", "verify")
    assert [tuple(profile[name] for name in names) for profile in profiles] == [
        ("TLSs<any:b.example.org>", "server", "any", "b.example.org", None, "TLSv1+", "optional_no_ca"),
        ("TLSs<127.0.0.1:0>", "server", "127.0.0.1:0", "a.example.org", None, "TLSv1.3", "require"),
        ("TLSs<default>", "server", "default", None, None, "TLSv1.2+", "off"),
        ("TLSc<::1:5061>", "client", "[::1]:5061", None, "trunk", "TLSv1.2", "verify"),
        ("TLSc<default>", "client", "default", None, None, "TLSv1.2+", "off"),
    ]
    kinds = [[(cert["key"], int(cert["key_bits"])) for cert in profile["certificates"]] for profile in profiles]
    assert kinds == [[("EC/ECDSA", 256)], [("RSA", 2048)], [("EC/ECDSA", 256), ("RSA", 2048)], [], []]
    assert [int(profile["ca_certificates"]) for profile in profiles] == [0, 1, 0, 1, 0]
    listed = kam.kamcmd("tls.profiles")
    assert listed.count("\tid: ") == len(profiles) and listed.count("subject: ") == 4


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


def wait_end(sock):
    """Read until the other side has closed the connection."""
    sock.settimeout(20)
    try:
        while sock.recv(65536):
            pass
    except ConnectionResetError:
        pass


def _garbage(kam, _pki):
    with socket.create_connection(kam.address()) as sock:
        sock.sendall(hostile.WRONG["plain SIP"])
        wait_end(sock)


def _no_suite(kam, _pki):
    with socket.create_connection(kam.address()) as sock:
        sock.sendall(hostile.WRONG["no common cipher suite"])
        wait_end(sock)


def _client(cert=None, version=None, trust=None):
    """A client whose handshake, or first request, fails."""
    def visit(kam, pki):
        files = (pki.cert(cert), pki.key(cert)) if cert else (None, None)
        context = client_context(version=version, cert=files[0], key=files[1],
                                 trust=trust and pki.path(trust))
        with pytest.raises((ssl.SSLError, OSError, EOFError)):
            with TlsClient(kam.address(), context) as client:
                client.ask()
    return visit


def _half(reset_it):
    def visit(kam, _pki):
        with socket.create_connection(kam.address()) as sock:
            sock.sendall(hostile.UNFINISHED["half a client hello"])
            until(lambda: any(entry["state"] == "tls_accept" for entry in kam.rpc("tls.list")), "the state")
            if reset_it:
                reset(sock)
    return visit


def _silent(kam, _pki):
    with socket.create_connection(kam.address()) as sock:
        sock.sendall(hostile.UNFINISHED["half a client hello"])
        wait_end(sock)


CERTIFIED = {"verify_client": "on"}
# what the client does -> (module parameters, counters that go up by one besides handshakes_failed)
FAILURES = {
    "plain SIP": (_garbage, {}, ("handshakes_failed_protocol",)),
    "no common suite": (_no_suite, {}, ("handshakes_failed_no_common", "alerts_sent_handshake_failure")),
    "expired": (_client("client-expired", "TLSv1.2"), CERTIFIED, (
        "handshakes_failed_verify", "verify_failed", "verify_failed_expired",
        "alerts_sent_certificate_expired")),
    "expired, TLS 1.3": (_client("client-expired", "TLSv1.3"), CERTIFIED, (
        "handshakes_failed_verify", "verify_failed", "verify_failed_expired",
        "alerts_sent_certificate_expired")),
    "self-signed": (_client("client-selfsigned"), CERTIFIED, (
        "handshakes_failed_verify", "verify_failed", "verify_failed_self_signed")),
    "unknown issuer": (_client("client-stranger"), CERTIFIED, (
        "handshakes_failed_verify", "verify_failed", "verify_failed_no_local_issuer", "alerts_sent_unknown_ca")),
    "revoked": (_client("client-revoked"), {**CERTIFIED, "crl": "all.crl"}, (
        "handshakes_failed_verify", "verify_failed", "verify_failed_revoked",
        "alerts_sent_certificate_revoked")),
    "no certificate": (_client(version="TLSv1.2"), CERTIFIED, ("handshakes_failed_no_certificate",)),
    "no certificate, TLS 1.3": (_client(version="TLSv1.3"), CERTIFIED, (
        "handshakes_failed_no_certificate", "alerts_sent_certificate_required")),
    "refuses ours": (_client(trust="ca-stranger.pem", version="TLSv1.2"), {}, (
        "handshakes_failed_alert", "alerts_received_unknown_ca")),
    "refuses ours, TLS 1.3": (_client(trust="ca-stranger.pem", version="TLSv1.3"), {}, (
        "handshakes_failed_alert", "alerts_received_unknown_ca")),
    "closes": (_half(False), {}, ("handshakes_failed_closed",)),
    "resets": (_half(True), {}, ("handshakes_failed_closed",)),
    "falls silent": (_silent, {"handshake_timeout": 1}, ("handshakes_failed_timeout",)),
    "no memory": (_client(), {"low_mem_threshold1": 1 << 20}, ("handshakes_failed_memory",)),
}
SUMS = ("alerts_sent", "alerts_received")


@pytest.mark.ours_only("commands that tls.so does not have")
@pytest.mark.parametrize("case", FAILURES)
def test_sessions_count_failures_by_reason(start, settings, pki, case):
    visit, params, expected = FAILURES[case]
    params = {name: pki.path(value) if name == "crl" else value for name, value in params.items()}
    kam = start(settings.but(modparams=params))
    visit(kam, pki)
    kam.wait_connections(0)
    counts = {name: int(value) for name, value in kam.rpc("tls.sessions").items()
              if name not in ("arena_bytes", "arena_spare_bytes", "configurations")}
    for name in ("handshakes_failed", *expected):
        assert counts[name] == 1, name
    rest = {name: count for name, count in counts.items()
            if count and name not in ("handshakes_failed", *expected, *SUMS)}
    # at most one more alert, for the same reason; no second reason
    assert not [name for name in rest if not name.startswith("alerts_")], rest
    assert sum(rest.values()) <= 1, rest
    # the core has a statistic for each of them
    figures = dict(line.split(" = ") for line in kam.rpc("stats.get_statistics", "tls:"))
    assert {name: int(figures[f"tls:{name}"]) for name in counts} == counts


PROMETHEUS = r"""
request_route {
	xlog("L_NOTICE", "STAT <$stat(handshakes_done)> <$stat(tls:handshakes_done)>\n");
	sl_send_reply("200", "OK");
}
event_route[xhttp:request] {
	prom_dispatch();
}
"""


@pytest.mark.ours_only("statistics of 5.6.3")
def test_statistics_in_the_script_and_over_xhttp_prom(start, settings):
    kam = start(settings.but(
        listen=("tls", "tcp"), modules=("xhttp", "xhttp_prom"), core="tcp_accept_no_cl=yes",
        config='modparam("xhttp_prom", "xhttp_prom_stats", "tls:")\n',
        script=PROMETHEUS))
    with TlsClient(kam.address(), client_context(version="TLSv1.3")) as client:
        assert client.ask().status == 200
        url = f"http://127.0.0.1:{kam.port('tcp')}/metrics"
        with urllib.request.urlopen(url, timeout=20) as answer:
            lines = answer.read().decode().splitlines()
    assert kam.log.find("STAT <1> <<null>>")       # a name without its group
    shown = {line.split()[0]: int(line.split()[1]) for line in lines if line.startswith("kamailio_tls_")}
    assert shown["kamailio_tls_handshakes_done_tls1_3"] == 1
    assert shown["kamailio_tls_opened_connections"] == 1
    assert set(kam.rpc("tls.sessions")) - {"arena_spare_bytes"} <= {
        name.removeprefix("kamailio_tls_") for name in shown}


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
def test_nothing_is_left_behind(start, settings, tls_module, count):
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
    assert after["rss_kb"] - before["rss_kb"] < 1024 or tls_module.sanitized


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
