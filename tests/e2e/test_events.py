# tls_gnutls - end to end: event routes, expiry warnings, key log
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""event_route[tls:connection-out] and event_callback, event_route[tls:certificate-expiring], keylog_*."""

import os
import re
import shutil
import socket
import stat
import subprocess

import pytest

from .lib import sip
from .lib.kamailio import DEFAULT_SCRIPT, StartFailed
from .lib.ports import LOOPBACK
from .lib.tls import TlsClient, client_context
from .lib.uas import UdpAgent, UdpSender
from .lib.wait import until

pytestmark = pytest.mark.ours_only("the event route never runs there, the rest is newer than 5.6.3")

EVENT_OUT = """
event_route[tls:connection-out] {
	xlog("L_NOTICE", "EVENT-OUT $tls_version $tls_cipher_info cn=$tls_peer_subject_cn proto=$proto\\n");
	%s
}
"""


def _relay(first, second, agent, count):
    """Requests from UDP through `first`, over TLS, to `second`; the replies' status codes."""
    with UdpSender(first.address("udp"), window=count) as sender:
        call_id = sip.new_id()
        replies = sender.run([
            {"method": "MESSAGE", "uri": f"sip:far@127.0.0.1:{agent.port}", "call_id": call_id,
             "cseq": number, "body": b"",
             "headers": (f"X-Next: sip:127.0.0.1:{second.port()};transport=tls",)}
            for number in range(1, count + 1)])
        return [reply and reply.status for reply in replies]


@pytest.fixture
def far(settings, start):
    """The Kamailio that the connection goes to."""
    return start(settings.but(listen=("tls", "udp")))


def _sender(settings, start, script="", **more):
    return start(settings.but(listen=("tls", "udp"), children=more.pop("children", 1), script=DEFAULT_SCRIPT + script,
                              config='modparam("tm", "fr_timer", 4000)\n' + more.pop("config", ""),
                              **more))


def test_drop_while_many_processes_send(settings, start, far):
    """Nothing is sent between the decision of the route and the end of the connection."""
    near = _sender(settings, start, EVENT_OUT % "drop;", children=4)
    with UdpAgent() as agent:
        for _ in range(3):
            statuses = _relay(near, far, agent, 24)
            assert 200 not in statuses, statuses
        assert agent.requests == []


def test_route_runs_once_for_each_outgoing_connection(settings, start, far):
    near = _sender(settings, start, EVENT_OUT % "")
    with UdpAgent() as agent:
        assert _relay(near, far, agent, 5) == [200] * 5
        assert _relay(near, far, agent, 3) == [200] * 3
        assert len(agent.requests) == 8
    lines = near.log.find("EVENT-OUT")
    assert len(lines) == 1, lines
    assert re.search(r"EVENT-OUT TLSv1\.3 TLS_AES_\S+ cn=\S+", lines[0]), lines
    with TlsClient(near.address(), client_context(settings_ca(settings))) as client:
        assert client.ask().status == 200
    assert len(near.log.find("EVENT-OUT")) == 1         # not for accepted connections


DROP_BY_ADDRESS = """
event_route[tls:connection-out] {
	xlog("L_NOTICE", "SND to=$sndto(ip) $sndto(port) $sndto(proto) $sndto(sproto) $sndto(af)\\n");
	xlog("L_NOTICE", "SND buf=<$sndto(buf)> $sndto(len)\\n");
	xlog("L_NOTICE", "SND from=$sndfrom(ip) $sndfrom(port) $sndfrom(proto) $sndfrom(sproto)\\n");
	if ($sndto(ip) == "ADDRESS") {
		drop;
	}
}
"""
TLS = 3                                                 # PROTO_TLS


@pytest.mark.parametrize("address,status", ((LOOPBACK, None), ("1.2.3.4", 200)))
def test_destination_decides(settings, start, far, address, status):
    """The example of tls's documentation: the route drops by address."""
    near = _sender(settings, start, DROP_BY_ADDRESS.replace("ADDRESS", address))
    with UdpAgent() as agent:
        assert (_relay(near, far, agent, 1) == [200]) == (status == 200)
        assert len(agent.requests) == (status == 200)
    family = int(socket.AF_INET)
    assert [line.partition("SND ")[2] for line in near.log.find("SND ")] == [
        f"to={LOOPBACK} {far.port()} {TLS} tls {family}", "buf=<> 0", f"from={LOOPBACK} {near.port()} {TLS} tls"]
    assert bool(near.log.find("dropped by event_route")) == (status is None)


def settings_ca(settings):
    """The CA file that clients of these Kamailios trust."""
    return settings.modparams["ca_list"]


def test_drop_discards_what_was_queued(settings, start, far):
    near = _sender(settings, start, EVENT_OUT % "drop;")
    with UdpAgent() as agent:
        statuses = _relay(near, far, agent, 3)
        assert 200 not in statuses, statuses
        assert agent.requests == []
    assert near.log.find("EVENT-OUT")
    lines = near.log.find("dropped by event_route")
    assert 1 <= len(lines) <= 3, "one for each connection: a request that comes after the end opens another"
    for line in lines:
        assert re.search(rf"NOTICE: tls .*: connection \d+ to {LOOPBACK}:{far.port()} \(sni: \S*, "
                         r"profile: TLSc<default>\) dropped by event_route\[tls:connection-out\]", line), line
    assert not near.log.find("protocol level error")
    near.wait_connections(0)
    assert near.tls_info()["clear_text_write_queued_bytes"] == 0


def test_callback_in_lua(settings, start, far, tmp_path):
    script = tmp_path / "script.lua"
    script.write_text("""
function ksr_request_route()
	local next_hop = KSR.pv.get("$hdr(X-Next)")
	if next_hop ~= nil then
		KSR.pv.sets("$du", next_hop)
		KSR.hdr.remove("X-Next")
	end
	KSR.tm.t_relay()
end
function on_tls(event)
	KSR.info("EVENT-LUA " .. event .. " " .. KSR.pv.gete("$tls_version") .. "\\n")
	return 1
end
""")
    near = start(settings.but(
        listen=("tls", "udp"), children=1, modules=("app_lua",), script="",
        config=f'modparam("app_lua", "load", "{script}")\ncfgengine "lua"\n',
        modparams={"event_callback": "on_tls"}))
    with UdpAgent() as agent:
        assert _relay(near, far, agent, 2) == [200, 200]
    assert not near.log.find("WARNING.*event_callback")
    lines = near.log.find("EVENT-LUA")
    assert len(lines) == 1 and "tls:connection-out TLSv1.3" in lines[0], lines


CALLBACK_IN_NATIVE = r"WARNING: tls .*event_callback: \"on_tls\" is never called"


@pytest.mark.parametrize("script", ("", EVENT_OUT % "drop;"))
def test_callback_without_a_script_engine(settings, start, far, script):
    """A line at start; the connection is used, as without event_callback, which stands instead of the route."""
    near = _sender(settings, start, script, modparams={"event_callback": "on_tls"})
    assert len(near.log.find(CALLBACK_IN_NATIVE)) == 1
    with UdpAgent() as agent:
        assert _relay(near, far, agent, 3) == [200] * 3
    assert not near.log.find("EVENT-OUT")
    assert not near.log.find("ERROR: tls ")


EXPIRING = """
event_route[tls:certificate-expiring] {
	xlog("L_NOTICE", "EXPIRING $xavp(tls_expiring=>kind) $xavp(tls_expiring=>profile) \
$xavp(tls_expiring=>days) $xavp(tls_expiring=>file)\\n");
}
"""


def test_expiring_certificate_is_reported_once(settings, start, pki):
    kam = start(settings.but(script=DEFAULT_SCRIPT + EXPIRING, modparams={
        "certificate": pki.cert("server-expired"), "private_key": pki.key("server-expired"),
        "certificate_warn_days": "30,7,1"}))
    until(lambda: kam.log.find("EXPIRING certificate"), "the event route runs", 30)
    first = len(kam.log.find("EXPIRING certificate"))
    warned = kam.log.find(r'WARNING.*the certificate "[^"]*" has expired on')
    assert warned, kam.log.tail(20)
    clock = int(kam.rpc("core.uptime")["uptime"])
    until(lambda: int(kam.rpc("core.uptime")["uptime"]) > clock + 11, "another check", 30)
    assert len(kam.log.find("EXPIRING certificate")) == first


def test_each_certificate_of_a_list_is_checked(settings, start, pki):
    rows = ("server-ec", "server-expired")
    kam = start(settings.but(script=DEFAULT_SCRIPT + EXPIRING, modparams={
        "certificate": ",".join(str(pki.cert(row)) for row in rows),
        "private_key": ",".join(str(pki.key(row)) for row in rows), "certificate_warn_days": "1"}))
    until(lambda: kam.log.find("EXPIRING certificate"), "the event route runs", 30)
    reported = kam.log.find("EXPIRING certificate")
    assert all(line.endswith(str(pki.cert("server-expired"))) for line in reported), reported


def test_each_item_is_reported_once_and_a_new_one_again(settings, start, pki, tmp_path):
    """A certificate and a CRL with 29 days left; then the file of the certificate holds one that has expired."""
    cert, key = tmp_path / "server.crt", tmp_path / "server.key"

    def put(row):
        shutil.copy(pki.cert(row), cert)
        shutil.copy(pki.key(row), key)

    def lines():
        return sorted(line.partition("EXPIRING ")[2] for line in kam.log.find("EXPIRING "))

    put("server-ec")
    kam = start(settings.but(script=DEFAULT_SCRIPT + EXPIRING, modparams={
        "certificate": str(cert), "private_key": str(key), "crl": pki.path("all.crl"),
        "certificate_warn_days": "30,7,1"}))
    until(lambda: len(lines()) == 2, "both are reported", 30)
    assert lines() == [f"certificate TLSs<default> 29 {cert}", f"crl TLSs<default> 29 {pki.path('all.crl')}"]
    put("server-expired")
    assert kam.rpc("tls.reload").splitlines()[0] == "Ok. TLS configuration reloaded."
    until(lambda: len(lines()) == 3, "the new certificate is reported", 30)
    assert f"certificate TLSs<default> 0 {cert}" in lines()
    clock = int(kam.rpc("core.uptime")["uptime"])
    until(lambda: int(kam.rpc("core.uptime")["uptime"]) > clock + 11, "another check", 30)
    assert len(lines()) == 3
    assert len(kam.log.find(r"WARNING: tls .* (expires|has expired) on ")) == 3


def test_certificate_far_from_expiry_is_not_reported(settings, start):
    kam = start(settings.but(script=DEFAULT_SCRIPT + EXPIRING,
                             modparams={"certificate_warn_days": "1"}))
    clock = kam.rpc("core.uptime")["uptime"]
    until(lambda: int(kam.rpc("core.uptime")["uptime"]) > int(clock) + 12, "two checks", 30)
    assert not kam.log.find("EXPIRING")


def _one_request(kam, settings):
    with TlsClient(kam.address(), client_context(settings_ca(settings))) as client:
        assert client.ask().status == 200


def test_keylog_file_is_private_and_complete(settings, start, tmp_path):
    path = tmp_path / "keys"
    kam = start(settings.but(modparams={"keylog_mode": 1 | 2 | 8, "keylog_file": str(path)}))
    assert kam.log.find("WARNING.*keylog_mode")
    _one_request(kam, settings)
    until(lambda: path.exists() and "SERVER_TRAFFIC_SECRET_0" in path.read_text(), "the file")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    lines = path.read_text().splitlines()
    assert re.fullmatch(r"# connection \d+ 127\.0\.0\.1 \d+ 127\.0\.0\.1 \d+ server", lines[0])
    secrets = [line for line in lines if not line.startswith("#")]
    assert secrets and all(re.fullmatch(r"[A-Z0-9_]+ [0-9a-f]{64} [0-9a-f]{64,96}", line)
                           for line in secrets), lines


def test_keylog_file_readable_by_others_causes_a_warning(settings, start, tmp_path):
    path = tmp_path / "keys"
    path.touch(0o644)
    path.chmod(0o644)
    kam = start(settings.but(tcp_children=1, modparams={"keylog_mode": 1 | 2 | 8, "keylog_file": str(path)}))
    _one_request(kam, settings)
    _one_request(kam, settings)
    line = 'WARNING.*the key log ".*keys" is accessible to users other than its owner .mode 0644.'
    until(lambda: kam.log.find(line), "the warning")
    assert len(kam.log.find(line)) == 1         # once in each process
    assert "TRAFFIC_SECRET" in path.read_text()


def _of_another(path):
    path.touch(0o600)
    os.chown(path, 65534, 65534)
    return path


def _hard_link(path):
    (path.parent / "other").touch(0o600)
    os.link(path.parent / "other", path)
    return path


def _symbolic_link(path):
    target = path.parent / "other"
    target.touch(0o600)
    path.symlink_to(target)
    return target


@pytest.mark.parametrize("make,why", (
    (_of_another, "it belongs to another user, who could read the keys"),
    (_hard_link, "it has another name .a hard link.: remove it"),
    (_symbolic_link, "it is a symbolic link, which is not followed"),
))
def test_keylog_file_that_others_prepared_gets_no_keys(settings, start, tmp_path, make, why):
    if make is _of_another and os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    path = tmp_path / "keys"
    target = make(path)
    kam = start(settings.but(modparams={"keylog_mode": 1 | 2 | 8, "keylog_file": str(path)}))
    _one_request(kam, settings)
    until(lambda: kam.log.find(f'ERROR.*keylog_file: cannot write to ".*keys": {why}'), "the line")
    assert target.read_bytes() == b""
    path.unlink()
    _one_request(kam, settings)                 # a file of its own
    until(lambda: path.exists() and "TRAFFIC_SECRET" in path.read_text(), "the file")


def test_keylog_to_a_pipe_does_not_hang_the_workers(settings, start, tmp_path):
    path = tmp_path / "keys"
    os.mkfifo(path)
    kam = start(settings.but(modparams={"keylog_mode": 1 | 2 | 8, "keylog_file": str(path)}))
    _one_request(kam, settings)
    until(lambda: kam.log.find("ERROR.*keylog_file: cannot write"), "the line")
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)     # a reader makes no difference
    try:
        _one_request(kam, settings)
        assert os.read(reader, 100) == b""
    finally:
        os.close(reader)


def test_keylog_to_a_peer_and_to_the_log(settings, start):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((LOOPBACK, 0))
        sock.settimeout(10)
        port = sock.getsockname()[1]
        kam = start(settings.but(modparams={
            "keylog_mode": 1 | 2 | 4 | 16 | 1024, "keylog_peer": f"udp:{LOOPBACK}:{port}"}))
        _one_request(kam, settings)
        got = [sock.recv(2048).decode() for _ in range(3)]
    assert got[0].startswith("# connection ")
    assert all("TRAFFIC_SECRET" in line for line in got[1:])
    until(lambda: kam.log.find("tlskeylog: .*TRAFFIC_SECRET"), "lines in the log")
    assert not kam.log.find("tlskeylog: EXPORTER")       # the filter


def test_keylog_is_off_without_both_bits(settings, start, tmp_path):
    path = tmp_path / "keys"
    kam = start(settings.but(modparams={"keylog_mode": 1 | 8, "keylog_file": str(path)}))
    _one_request(kam, settings)
    assert not path.exists()
    assert not kam.log.find("WARNING.*keylog_mode")


@pytest.mark.parametrize("peer", ["127.0.0.1:99", "udp:127.0.0.1", "udp:nowhere:99",
                                  "udp:127.0.0.1:0", "udp:127.0.0.1:70000"])
def test_bad_keylog_peer_is_refused(settings, start, peer):
    with pytest.raises(StartFailed) as failure:
        start(settings.but(modparams={"keylog_mode": 1 | 2 | 16, "keylog_peer": peer}))
    assert re.search(r"ERROR.*keylog_peer", str(failure.value))


def test_tshark_decrypts_with_the_key_log(settings, start, tmp_path):
    if not shutil.which("tshark"):
        pytest.skip("tshark is not installed")
    keys, capture = tmp_path / "keys", tmp_path / "capture.pcap"
    kam = start(settings.but(modparams={"keylog_mode": 1 | 2 | 8, "keylog_file": str(keys)}))
    port = kam.port()
    with subprocess.Popen(["tshark", "-q", "-i", "lo", "-f", f"tcp port {port}", "-F", "pcap",
                           "-w", str(capture)], stderr=subprocess.PIPE, text=True) as tshark:
        try:
            for line in tshark.stderr:
                if "Capturing on" in line:
                    break
            else:
                pytest.skip("no permission to capture on the loopback interface")
            until(capture.exists, "the capture")
            _one_request(kam, settings)
            until(lambda: capture.stat().st_size > 3000, "the packets")
        finally:
            tshark.terminate()
            tshark.stderr.read()

    def sip_lines(*more):
        return subprocess.run(
            ["tshark", "-r", str(capture), "-d", f"tcp.port=={port},tls",
             "-d", f"tls.port=={port},sip",
             *more, "-Y", "sip", "-T", "fields",
             "-e", "sip.Method", "-e", "sip.Status-Code"],
            capture_output=True, text=True, check=True).stdout.split()

    assert sip_lines() == []
    assert sip_lines("-o", f"tls.keylog_file:{keys}") == ["OPTIONS", "200"]
