# tls_gnutls - comparison: the entries of the list of differences that no probe covers, each tested on both
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import re
import subprocess

import pytest

from e2e.lib import hostile, malformed, raw, sip, ws
from e2e.lib.kamailio import Kamailio, host_version
from e2e.lib.tls import BioClient, TlsClient, client_context, server_context
from e2e.lib.uas import TlsAgent, UdpSender
from e2e.lib.wait import until

from . import probes
from .pair import Pair, ask

UNEXPECTED_MESSAGE = 10
REPLY = '\tsl_send_reply("200", "OK");\n'
UPGRADE = r"""
event_route[xhttp:request] {
	if ($hdr(Upgrade) =~ "websocket") {
		ws_handle_handshake();
	}
}
"""
WEBSOCKET = {
    "modules": ("xhttp", "websocket"), "core": "tcp_accept_no_cl=yes",
    "config": 'modparam("websocket", "keepalive_mechanism", 0)\n',
}


def _modparams(pki, **more):
    return {"tls_method": "TLSv1.2+", "certificate": pki.cert("server-ec"),
            "private_key": pki.key("server-ec"), "ca_list": pki.path("ca.pem"),
            "verify_client": "optional_no_ca", **more}


@pytest.fixture
def known(pki):
    """A client with a certificate that is trusted."""
    return client_context(cert=pki.cert("client-ok"), key=pki.key("client-ok"))


def _fault(kam, command, *arguments):
    """The text of a command's fault; None: it succeeded."""
    try:
        kam.rpc(command, *arguments)
    except RuntimeError as fault:
        return str(fault)
    return None


def test_websocket(our_module, pki, known):
    def over_wss(kam):
        mark, call = kam.log.mark(), sip.new_id()
        with ws.WsClient(kam.address(), known) as client:
            assert client.ask(sip.options(kam.port(), via="WSS", call_id=call)).status == 200
            listed = kam.rpc("tls.list")
            assert kam.tls_info()["opened_connections"] == 1
        kam.wait_connections(0)
        return probes.values(kam.log.lines(mark), call), listed, mark

    with Pair(our_module, modparams=_modparams(pki), **{
            **WEBSOCKET, "script": probes.script() + UPGRADE}) as pair:
        (theirs, their_list, mark), (ours, our_list, _) = pair.both(over_wss)
        assert set(theirs.values()) == {None, b"N"} and theirs["is_peer_verified()"] == b"N"
        assert pair.theirs.log.find("ERROR: tls ", mark)
        assert ours == ask(pair.ours, known).values
        assert not pair.ours.log.find("ERROR: tls ")
        assert (len(their_list), len(our_list)) == (0, 1)


def test_message_that_did_not_come_over_tls(our_module, pki):
    def over_udp(kam):
        mark = kam.log.mark()
        call = sip.new_id()
        with UdpSender(kam.address("udp")) as sender:
            reply = sender.ask(method="OPTIONS", uri=f"sip:127.0.0.1:{kam.port('udp')}", call_id=call)
            assert reply.status == 200
        return probes.values(kam.log.lines(mark), call)

    with Pair(our_module, modparams=_modparams(pki), listen=("tls", "udp")) as pair:
        theirs, ours = pair.both(over_udp)
        assert ours == theirs and set(ours.values()) == {None, b"N"}


LATER = ("$(tls_peer_san_hostname[1])", "$tls_peer_san_count(DNS)", "$sel(tls.peer.host[1])",
         '$sel(tls.peer.count[\\"DNS\\"])')


@pytest.mark.parametrize("expression", LATER)
def test_variables_and_selects_of_later_versions(our_module, pki, known, expression):
    script = f'request_route {{\n\txlog("L_NOTICE", "LATER <{expression}>\\n");\n{REPLY}}}'
    pair = Pair(our_module, modparams=_modparams(pki), script=script)

    def shows_it(kam):
        with TlsClient(kam.address(), known) as client:
            assert client.ask().status == 200
        assert kam.log.find(r"LATER <(2|client-ok\.example\.org)>")

    if host_version() >= (5, 7):
        with pair:
            pair.both(shows_it)
        return
    theirs = Kamailio(pair.settings["theirs"])
    try:
        status, _ = theirs.check_config()
        if status == 0:
            with pytest.raises(Exception, match="Kamailio ended with status"):
                theirs.start()
    finally:
        theirs.kill()
        theirs.remove()
    with Kamailio(pair.settings["ours"]) as ours:
        shows_it(ours)


EVENT = r"""
request_route {
	t_relay();
}
event_route[tls:connection-out] {
	xlog("L_NOTICE", "EVENT $tls_peer_subject_cn\n");
}
"""


def test_event_route(our_module, pki):
    context = server_context(pki.cert("server-rsa"), pki.key("server-rsa"))
    with Pair(our_module, modparams=_modparams(pki), listen=("tls", "udp"), script=EVENT) as pair:
        with TlsAgent(context) as agent:
            for kam in (pair.theirs, pair.ours):
                with UdpSender(kam.address("udp")) as sender:
                    uri = f"sip:far@127.0.0.1:{agent.port};transport=tls"
                    assert sender.ask(uri=uri).status == 200
        theirs, ours = pair.both(lambda kam: kam.log.find("EVENT "))
        assert theirs == []
        assert len(ours) == 1 and ours[0].endswith("EVENT server-rsa")


def test_select_outside_of_a_string(our_module, pki):
    script = (f'request_route {{\n\t$var(x) = $sel(tls.version);\n\txlog("L_NOTICE", "SEL <$var(x)>\\n");\n{REPLY}}}')
    pair = Pair(our_module, modparams=_modparams(pki), script=script)
    theirs = Kamailio(pair.settings["theirs"])
    try:
        assert theirs.check_config()[0] != 0
    finally:
        theirs.remove()
    with Kamailio(pair.settings["ours"]) as ours:
        with TlsClient(ours.address(), client_context()) as client:
            assert client.ask().status == 200
        assert ours.log.find(r"SEL <TLSv1\.3>")


LUA = """
function ksr_request_route()
	for _, name in ipairs({%s}) do
		KSR.info("CGET " .. name .. " <" .. KSR.tls.cget(name) .. ">\\n")
	end
	KSR.sl.send_reply(200, "OK")
end
"""
# the names that tls.so answers: values that need no parameter
PLAIN = ("tls_version", "tls_description", "tls_cipher_info", "tls_cipher_bits")
WITH_BLOCK = ("tls_peer_subject_cn", "tls_peer_serial", "tls_my_issuer_organization")


def test_cget(our_module, pki, known, tmp_path):
    def values(kam):
        with TlsClient(kam.address(), known) as client:
            assert client.ask().status == 200
        text = "\n".join(kam.log.lines())
        return dict(re.findall(r"CGET (\w+) <(.*?)\n?>", text))

    path = tmp_path / "route.lua"
    path.write_text(LUA % ", ".join(f'"{name}"' for name in PLAIN + WITH_BLOCK))
    pair = Pair(our_module, modparams=_modparams(pki), modules=("app_lua",), script="",
                config=f'modparam("app_lua", "load", "{path}")\ncfgengine "lua"\n')
    with Kamailio(pair.settings["ours"]) as kam:
        ours = values(kam)
    theirs_kam = Kamailio(pair.settings["theirs"])
    try:
        theirs = values(theirs_kam.start())
        assert theirs_kam.log.find(r"\bBUG\b")
    finally:
        theirs_kam.kill()       # its lines at BUG would fail the check of a normal stop
        theirs_kam.remove()
    for name in PLAIN:
        assert ours[name] == theirs[name] != ""
    for name in WITH_BLOCK:
        assert theirs[name] == "" and ours[name] != ""


def test_commands_and_statistics(our_module, pki):
    with Pair(our_module, modparams=_modparams(pki), script=f"request_route {{\n{REPLY}}}") as pair:
        for command, arguments in (("tls.kill", (1,)), ("tls.profiles", ()), ("tls.sessions", ()), ("tls.version", ())):
            theirs, ours = pair.both(lambda kam, c=command, a=arguments: _fault(kam, c, *a))
            assert ours is None
            if command == "tls.kill" and host_version() >= (5, 8):
                assert theirs is None
            else:
                assert "not found" in theirs.lower()
        theirs, ours = pair.both(lambda kam: kam.rpc("stats.get_statistics", "tls:"))
        names = [{line.partition(" = ")[0] for line in lines} for lines in (theirs, ours)]
        assert names[0] <= names[1] and bool(theirs) == (host_version() >= (6, 0))
        assert any(line.startswith("tls:handshakes_done = ") for line in ours)
        theirs, ours = pair.both(lambda kam: _fault(kam, "tls.reload"))
        assert "No TLS configuration file configured" in theirs and ours is None


def test_lines_about_missing_certificates(our_module, pki):
    script = f'request_route {{\n\txlog("L_NOTICE", "CN <$tls_peer_subject_cn>\\n");\n{REPLY}}}'

    def visit(kam):
        with TlsClient(kam.address(), client_context()) as client:
            assert client.ask().status == 200
        assert kam.log.find("CN <<null>>")

    with Pair(our_module, modparams=_modparams(pki), script=script) as pair:
        pair.both(visit)
        assert pair.theirs.log.find("ERROR: tls .*Unable to retrieve peer TLS certificate")
        assert not pair.ours.log.find("ERROR: tls ")
        assert len(pair.ours.log.find(r"INFO: tls .*connection \d+: no certificate was received")) == 1


def _send(kam, opening):
    with BioClient(kam.address(), client_context()) as client:
        client.sock.sendall(opening)
        until(lambda: kam.log.find("dst addr: "), "the lines")
        return client.local[1]


@pytest.mark.parametrize("opening", ("plain SIP", "no common cipher suite"))
def test_lines_about_failed_handshakes(our_module, pki, opening):
    """Several lines at ERROR, or one at WARNING that contains the same parts."""
    with Pair(our_module, modparams=_modparams(pki), script=f"request_route {{\n{REPLY}}}") as pair:
        ports = pair.both(lambda kam: _send(kam, hostile.WRONG[opening]))
        pair.both(lambda kam: kam.wait_connections(0))
        parts = [("protocol level error", "TLS accept:", "(sni: unknown)",
                  f"src addr: 127.0.0.1:{port}", f"dst addr: 127.0.0.1:{kam.port()}")
                 for port, kam in zip(ports, (pair.theirs, pair.ours))]
        lines = "\n".join(text for _, text in pair.theirs.log.at_level("ERROR"))
        assert all(part in lines for part in parts[0])
        assert pair.ours.log.at_level("ERROR") == []
        (line,) = (text for _, text in pair.ours.log.at_level("WARNING") if "TLS accept" in text)
        assert all(part in line for part in parts[1])


@pytest.mark.parametrize("version", malformed.BODIES)
def test_alerts_for_truncated_hellos(our_module, pki, version):
    """No difference: the same alert, whatever is cut off."""
    with Pair(our_module, modparams=_modparams(pki), script=f"request_route {{\n{REPLY}}}") as pair:
        for name, message in malformed.malformed(version).items():
            if "bytes" in name:
                theirs, ours = pair.both(lambda kam, m=message: malformed.alert(kam, malformed.records(m)))
                assert ours == theirs == malformed.DECODE_ERROR, name


@pytest.mark.parametrize("count", (8, 9))
def test_key_updates(our_module, pki, count):
    """The ninth within a second ends the connection, with a line that says so."""
    def served(kam):
        client = raw.sealed_client(kam.address(), "TLSv1.3", hostile.CLIENT_HELLO)
        try:
            client.sock.sendall(client.key_updates(count))
            return client.ask(sip.options(kam.port()))
        except ConnectionError:
            return False
        finally:
            client.close()

    with Pair(our_module, modparams=_modparams(pki), script=f"request_route {{\n{REPLY}}}") as pair:
        assert pair.both(served) == (True, count == 8)
        pair.ours.wait_connections(0)
        assert len(pair.ours.log.find("TLS read:more than 8 key updates within a second")) == count - 8


def test_renegotiation_that_a_client_starts(our_module, pki):
    """renegotiation=1: OpenSSL 3 refuses it all the same."""
    def served(kam):
        pipe = subprocess.PIPE
        process = subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{kam.port()}", "-tls1_2"],
                                   stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, bufsize=0)
        try:
            kam.wait_connections(1)
            process.stdin.write(b"R\n")
            until(lambda: b"RENEGOTIATING" in process.stdout.readline(), "the client starts")
            process.stdin.write(sip.options(kam.port()))
            return any(b"200 OK" in line for line in iter(process.stdout.readline, b""))
        except BrokenPipeError:
            return False
        finally:
            process.kill()
            process.wait()
            process.stdin.close()
            process.stdout.close()

    with Pair(our_module, modparams=_modparams(pki, renegotiation=1),
              script=f"request_route {{\n{REPLY}}}") as pair:
        assert pair.both(served) == (False, True)


def test_alert_for_plain_text(our_module, pki):
    with Pair(our_module, modparams=_modparams(pki), script=f"request_route {{\n{REPLY}}}") as pair:
        for opening in ("plain SIP", "plain HTTP"):
            answers = pair.both(lambda kam, o=opening: malformed.alert(kam, hostile.WRONG[o]))
            assert answers == (None, UNEXPECTED_MESSAGE)


def test_line_about_a_resumed_session(our_module, pki):
    def visits(kam):
        context = client_context(version="TLSv1.2")
        with TlsClient(kam.address(), context) as client:
            assert client.ask().status == 200
            session = client.session
        with TlsClient(kam.address(), context, session=session) as client:
            assert client.ask().status == 200
            reused = client.reused
        found = kam.log.find("tls_accept: new connection from")
        return reused, [line.split(" using ")[1] for line in found]

    with Pair(our_module, modparams=_modparams(pki, session_cache=1, tls_log=1, verify_client="off"),
              script=f"request_route {{\n{REPLY}}}") as pair:
        (_, theirs), (reused, ours) = pair.both(visits)
        assert reused
        assert theirs[0] == theirs[1] == ours[0]
        assert ours[1] == ours[0] + " (resumed)"
