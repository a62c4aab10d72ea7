# tls_gnutls - end to end: queries that fail, repeated many times
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""Each bad query returns null or its documented fault, logs a known number of lines, and leaks no memory.

Each is repeated COUNT times, TEN_THOUSAND times with --long. Private memory is that of the process that replies.
"""

import json
import re
import socket

import pytest

from .lib import sip
from .lib.kamailio import Kamailio
from .lib.tls import TlsClient, client_context
from .lib.uas import UdpSender
from .lib.wait import until

pytestmark = pytest.mark.ours_only("tls.so is known to leak at each of these queries")

COUNT = 300
TEN_THOUSAND = 10000
COUNTS = (COUNT, pytest.param(TEN_THOUSAND, marks=pytest.mark.long, id="ten thousand times"))
RSS_KB = 512            # the C library's allocator keeps freed memory
NOBODY = 9              # a port on which nobody listens
# expiry warnings must not interfere
TOLERANT = {"verify_client": "optional_no_ca", "certificate_warn_days": "1"}

# what has no value over TLS with a certificate -> log lines of each query by level
NO_ANSWER = {
    "$(tls_peer_san_hostname[99])": {}, "$(tls_peer_san_hostname[-1])": {}, "$(tls_my_san_ip[2147483647])": {},
    "$(tls_peer_san_uri[*])": {}, "$(tls_peer_san_email[$var(n)])": {}, "$tls_peer_san_count(dns)": {},
    "$tls_peer_subject_unit": {}, "$tls_peer_issuer_state": {},
    "$sel(tls.peer.host[99])": {}, "$sel(tls.my.uri[99])": {}, '$sel(tls.peer.count["x"])': {"ERROR": 1},
    "$sel(tls.peer.verified_cert_chain[99])": {}, "$sel(tls.my.verified)": {}, "$sel(tls.me.revoked)": {},
    "$sel(tls.peer.subject.ou)": {}, "$sel(tls.peer.issuer.uid)": {},
}
# what has no value without a certificate, or without a connection
ANY = ("$tls_peer_subject_cn", "$tls_peer_serial", "$tls_peer_raw_cert", "$tls_peer_urlencoded_cert",
       "$tls_peer_notAfter", "$tls_peer_san_hostname", "$tls_peer_san_count(DNS)", "$tls(p_subject_line)",
       "$tls_peer_subject", "$sel(tls.peer)", "$sel(tls.peer.issuer.cn)", "$sel(tls.peer.raw_cert)",
       "$sel(tls.peer.ip)", "$sel(tls.peer.serial_number)", '$sel(tls.peer.count["DNS"])')
ALWAYS = ("$tls_version", "$tls_cipher_info", "$tls_peer_verified", "$tls_peer_server_name", "$tls(m_issuer_line)",
          "$tls_my_subject_cn", "$sel(tls)", "$sel(tls.cipher.bits)", "$sel(tls.peer.verified)",
          "$sel(tls.peer.verified_cert_chain[0])")
WHERE = {
    "known": NO_ANSWER,
    "unknown": {**dict.fromkeys(ANY, {"INFO": 1}), "!is_peer_verified()": {"INFO": 1},
                "$sel(tls.peer.verified_cert_chain[0])": {}},
    "udp": {**dict.fromkeys(ANY + ALWAYS, {"ERROR": 1}), "!is_peer_verified()": {"ERROR": 1}},
    # all of them look the connection up in the same way
    "gone": dict.fromkeys(("$tls_version", "$tls_peer_subject_cn", "$tls_peer_raw_cert", "$sel(tls.peer)",
                           '$sel(tls.peer.count["DNS"])'), {"INFO": 1}),
}
QUERIES = [(where, query) for where, table in WHERE.items() for query in table]


def _route(number, query):
    """A route that runs a query as often as the header X-Count says, and counts the nulls."""
    condition = query if query.startswith("!") else f"{query} == $null"
    return "\n".join([
        f"route[CASE{number}] {{", "\t$var(n) = $(hdr(X-Count){s.int});", "\t$var(nulls) = 0;",
        f"\twhile ($var(n) > 0) {{\n\t\tif ({condition}) {{ $var(nulls) = $var(nulls) + 1; }}",
        "\t\t$var(n) = $var(n) - 1;\n\t}",
        '\txlog("L_ALERT", "DONE $ci $pp $var(nulls)\\n");', "}"])


SCRIPT = "\n".join([
    r"""
request_route {
	if ($hdr(X-Where) == "gone") {
		t_on_failure("GONE");
		$du = "sip:127.0.0.1:%d;transport=udp";
		t_relay();
		exit;
	}
	route("CASE" + $hdr(X-Case));
	sl_send_reply("200", "OK");
}
failure_route[GONE] {
	route("CASE" + $hdr(X-Case));
}
""" % NOBODY, *(_route(number, query) for number, (_, query) in enumerate(QUERIES))])


@pytest.fixture(scope="module")
def kam(settings):
    with Kamailio(settings.but(
            listen=("tls", "udp"), modparams=TOLERANT, script=SCRIPT,
            children=1, tcp_children=1, core=f"max_while_loops={TEN_THOUSAND + 1}",
            config='modparam("tm", "fr_timer", 300)\nmodparam("tm", "wt_timer", 100)\n'
                   'modparam("xlog", "buf_size", 65535)\n')) as kamailio:
        yield kamailio


def _send(kam, pki, where, request):
    if where == "udp":
        with UdpSender(kam.address("udp")) as sender:
            assert sender.ask(method="OPTIONS", uri=f"sip:127.0.0.1:{kam.port('udp')}", **request).status == 200
        return
    row = "client-ok" if where == "known" else None
    context = client_context(cert=row and pki.cert(row), key=row and pki.key(row))
    with TlsClient(kam.address(), context) as client:
        client.send(sip.options(kam.port(), **request))
        if where != "gone":
            assert client.receive(timeout_s=60).status == 200


def _ask(kam, pki, number, count):
    """Run a query `count` times in one request; returns (process, number of nulls)."""
    where, _ = QUERIES[number]
    call, mark = sip.new_id(), kam.log.mark()
    _send(kam, pki, where, {"call_id": call, "headers": (
        f"X-Where: {where}", f"X-Case: {number}", f"X-Count: {count}")})
    (line,) = kam.log.wait(f"DONE {call} ", mark, timeout_s=60)
    kam.wait_connections(0)
    until(lambda: kam.transactions() == 0, "no transaction")
    return tuple(int(word) for word in line.split()[-2:])


def _pkg(kam, pid):
    (entry,) = (entry for entry in kam.rpc("pkg.stats") if int(entry["pid"]) == pid)
    return entry["used"]


def _rss_kb(pid):
    status = open(f"/proc/{pid}/status", encoding="ascii").read()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1])


def _memory(kam, pid):
    return {"shm": kam.shm_used(), "pkg": _pkg(kam, pid), "rss": _rss_kb(pid)}


def _settled(kam, ask):
    """Memory once the caches of the processes have stopped growing."""
    before = None
    ask(80)             # sizes that an arena has learned are forgotten after 64 wrong guesses
    for _ in range(30):
        pid = ask(4)        # even: what a process keeps at hand may alternate
        now = _memory(kam, pid)
        if before and (now["shm"], now["pkg"]) == (before["shm"], before["pkg"]):
            return pid, now
        before = now
    raise AssertionError(f"memory grows with each request: {now}")


@pytest.fixture
def assert_nothing_left(tls_module):
    """assert_nothing_left(kam, pid, before) compares with an earlier result of _memory()."""
    def compare(kam, pid, before):
        # the process may still be about to free the request that it has just answered
        until(lambda: kam.shm_used() <= before["shm"] and _pkg(kam, pid) <= before["pkg"],
              f"memory of {before} again (now: {_memory(kam, pid)})", 5)
        assert _rss_kb(pid) - before["rss"] < RSS_KB or tls_module.sanitized
    return compare


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("number", range(len(QUERIES)), ids=["{} {}".format(*case) for case in QUERIES])
def test_queries_without_a_value(kam, pki, assert_nothing_left, number, count):
    where, query = QUERIES[number]
    pid, before = _settled(kam, lambda few: _ask(kam, pki, number, few)[0])
    mark = kam.log.mark()
    assert _ask(kam, pki, number, count) == (pid, count)
    assert_nothing_left(kam, pid, before)
    logged = {level: len([text for module, text in kam.log.at_level(level, since=mark) if module == "tls"])
              for level in ("ERROR", "WARNING", "NOTICE", "INFO")}
    expected = {level: count * lines for level, lines in WHERE[where][query].items()}
    assert {level: lines for level, lines in logged.items() if lines} == expected


LUA = """
function ksr_request_route()
	local left = tonumber(KSR.pv.get("$hdr(X-Count)"))
	local nulls = 0
	while left > 0 do
		%s
		left = left - 1
	end
	KSR.err("DONE " .. KSR.pv.get("$ci") .. " " .. KSR.pv.get("$pp") .. " " .. nulls .. "\\n")
	KSR.sl.send_reply(200, "OK")
end
"""
UNKNOWN = ("tls", "tls_peer_san_count", "no_such_variable", "TLS_VERSION", "", "tls_version[1]")


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("name", (*UNKNOWN, "tls_peer_subject_unit", "tls_peer_san_uri"))
def test_cget_of_unknown_names(start, settings, tmp_path, assert_nothing_left, count, name):
    """A line at WARNING for each unknown name; without a certificate one at INFO."""
    script = tmp_path / "route.lua"
    script.write_text(LUA % f'if KSR.tls.cget("{name}") == "" then nulls = nulls + 1 end')
    kam = start(settings.but(
        modules=("app_lua",), tcp_children=1, script="", modparams=TOLERANT,
        config=f'modparam("app_lua", "load", "{script}")\ncfgengine "lua"\n'))

    def ask(count):
        call, mark = sip.new_id(), kam.log.mark()
        with TlsClient(kam.address(), client_context()) as client:
            client.send(sip.options(kam.port(), call_id=call, headers=(f"X-Count: {count}",)))
            assert client.receive(timeout_s=60).status == 200
        (line,) = kam.log.wait(f"DONE {call} ", mark)
        kam.wait_connections(0)
        assert int(line.split()[-1]) == count
        return int(line.split()[-2])

    pid, before = _settled(kam, ask)
    mark = kam.log.mark()
    assert ask(count) == pid
    assert_nothing_left(kam, pid, before)
    level, other = ("WARNING", "INFO") if name in UNKNOWN else ("INFO", "WARNING")
    assert len([1 for module, _ in kam.log.at_level(level, since=mark) if module == "tls"]) == count
    assert not [1 for module, _ in kam.log.at_level(other, since=mark) if module == "tls"]


# -- RPC commands, through the two transports that have a process of their own -------------------------------

def _packed(value):
    """One record of binrpc: a number, or a text."""
    if isinstance(value, int):
        data, kind = value.to_bytes(4, "big"), 0
    else:
        data, kind = value.encode() + b"\0", 1
    size = len(data)
    head = bytes([size << 4 | kind]) if size < 8 else bytes([0x90 | kind, size])
    return head + data


class Binrpc:
    """A connection to the ctl module."""

    process = "ctl handler"

    def __init__(self, kam):
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._sock.settimeout(20)
        self._sock.connect(str(kam.folder / "ctl"))

    def ask(self, method, *params):
        """True: answered, False: a fault."""
        body = b"".join(_packed(value) for value in (method, *params))
        self._sock.sendall(b"\xa1\x00" + bytes([len(body)]) + b"\x01" + body)
        head = self._take(2)
        assert head[0] == 0xA1
        size = int.from_bytes(self._take((head[1] >> 2 & 3) + 1), "big")
        self._take((head[1] & 3) + 1)
        self._take(size)
        return head[1] >> 4 & 3 != 3

    def _take(self, size):
        data = b""
        while len(data) < size:
            part = self._sock.recv(size - len(data))
            assert part, "the connection has ended"
            data += part
        return data

    def close(self):
        self._sock.close()


class Datagram:
    """A datagram socket to jsonrpcs."""

    process = "JSONRPCS DATAGRAM"

    def __init__(self, kam):
        self._path = kam.folder / "asker"
        self._server = str(kam.folder / "rpc")
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._sock.bind(str(self._path))
        self._sock.settimeout(20)

    def ask(self, method, *params):
        query = {"jsonrpc": "2.0", "method": method, "params": list(params), "id": 1}
        self._sock.sendto(json.dumps(query).encode(), self._server)
        return "error" not in json.loads(self._sock.recv(1 << 20))

    def close(self):
        self._sock.close()
        self._path.unlink()


# command and arguments -> does it succeed?
COMMANDS = {
    ("tls.kill",): False, ("tls.kill", "x"): False, ("tls.kill", ""): False, ("tls.kill", 0): False,
    ("tls.kill", 2**31 - 1): True, ("tls.kill", 5, "x"): True, ("tls.list", "x", 1): True,
    ("tls.info", "x"): True, ("tls.options", 7): True, ("tls.profiles", "x"): True, ("tls.sessions", ""): True,
    ("tls.version", "x"): True,
}


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("way", (Binrpc, Datagram))
def test_commands_with_wrong_arguments(start, settings, assert_nothing_left, way, count):
    kam = start(settings.but(debug=1, tcp_children=1, modparams=TOLERANT))
    (pid,) = (int(pid) for pid in kam.pids(way.process))
    with TlsClient(kam.address(), client_context()) as client:
        assert client.ask().status == 200
        asker = way(kam)
        try:
            def ask(count):
                for query, answered in COMMANDS.items():
                    for _ in range(count):
                        assert asker.ask(*query) == answered, query
                return pid

            _, before = _settled(kam, ask)
            mark = kam.log.mark()
            ask(count)
            assert_nothing_left(kam, pid, before)
        finally:
            asker.close()
    assert len(kam.log.at_level("WARNING", since=mark)) == count * list(COMMANDS.values()).count(False)
    assert kam.log.at_level("ERROR", since=mark) == []


CONFIG = """[server:default]
method = TLSv1.2+
certificate = {cert}
private_key = {key}
ca_list = {ca}
[client:default]
method = TLSv1.2+
{more}
"""
MISTAKES = ("verify_depht = 1", "method", "[nonsense]", "ca_list = /no/such/file", "cipher_list = NOTHING",
            "certificate = {ca}", "[server:127.0.0.1:1]\ncertificate = {cert}\nprivate_key = {key}")


@pytest.mark.parametrize("count", (100, pytest.param(TEN_THOUSAND, marks=pytest.mark.long, id="ten thousand times")))
@pytest.mark.parametrize("mistake", MISTAKES)
def test_reload_with_a_mistake(start, settings, pki, tmp_path, assert_nothing_left, mistake, count):
    """One line at ERROR each; what was loaded until then is freed."""
    config = tmp_path / "tls.cfg"
    files = {"cert": pki.cert("server-ec"), "key": pki.key("server-ec"), "ca": pki.path("ca.pem")}
    config.write_text(CONFIG.format(more="", **files))
    kam = start(settings.but(debug=1, tcp_children=1, modparams={
        "config": str(config), "certificate_warn_days": "1", "tls_method": None, "certificate": None,
        "private_key": None, "ca_list": None}))
    config.write_text(CONFIG.format(more=mistake.format(**files), **files))
    (pid,) = (int(pid) for pid in kam.pids(Datagram.process))
    asker = Datagram(kam)
    try:
        def ask(count):
            for _ in range(count):
                assert not asker.ask("tls.reload")
            return pid

        _, before = _settled(kam, ask)
        mark = kam.log.mark()
        ask(count)
        assert_nothing_left(kam, pid, before)
    finally:
        asker.close()
    assert len(kam.log.at_level("ERROR", since=mark)) == count
    with TlsClient(kam.address(), client_context()) as client:
        assert client.ask().status == 200
