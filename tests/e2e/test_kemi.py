# tls_gnutls - end to end: KSR.tls.* from Lua and Python
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import re

import pytest

from .conftest import ROOT
from .lib import sip, ws
from .lib.tls import TlsClient, client_context, server_context
from .lib.uas import TlsAgent, UdpSender

pytestmark = pytest.mark.ours_only("cget fails for most names, the event route does not run")

# every variable of the module that has no inner name
NAMES = tuple(re.findall(r"\bVAR(?:_INDEXED)?\(\"(\w+)\"",
                         (ROOT / "gnutls_mod" / "mod_vars.c").read_text()))
WRONG = ("tls", "tls_peer_san_count", "no_such_variable", "TLS_VERSION", "tls_version ", "")
XLOG = 'modparam("xlog", "buf_size", 65535)\n'

# values go to the log in hex: they may hold newlines and anything else
LUA = """
local function log(number, value)
	local hex = string.gsub(tostring(value), ".", function (c) return string.format("%%02x", string.byte(c)) end)
	KSR.info("V " .. KSR.pv.get("$ci") .. " " .. number .. " <" .. hex .. ">\\n")
end

function ksr_request_route()
	local next_hop = KSR.pv.gete("$hdr(X-Next)")
	if next_hop ~= "" then
		KSR.pv.sets("$du", next_hop)
		KSR.hdr.remove("X-Next")
		KSR.tls.set_connect_server_id(KSR.pv.gete("$hdr(X-Id)"))
		KSR.tm.t_relay()
		return 1
	end
	for number, name in ipairs({%(names)s}) do
		log(number - 1, KSR.tls.cget(name))
	end
	log(97, KSR.tls.is_peer_verified())
	log(98, KSR.tls.set_connect_server_id("x"))
	log(99, KSR.tls.set_connect_server_id(""))
	KSR.sl.send_reply(200, "OK")
end

function ksr_xhttp_event(event)
	KSR.websocket.handle_handshake()
	return 1
end

function on_tls(event)
	KSR.info("EVENT " .. event .. " " .. KSR.tls.cget("tls_peer_subject_cn")
		.. " " .. KSR.pv.gete("$tls_peer_subject_cn") .. " " .. KSR.pv.gete("$sndto(ip)")
		.. ":" .. KSR.pv.gete("$sndto(port)") .. " " .. KSR.pv.gete("$sndto(sproto)")
		.. " from " .. KSR.pv.gete("$sndfrom(port)") .. "\\n")
	%(drop)s
	return 1
end
"""

PYTHON = """
import KSR

def mod_init():
    return kamailio()

class kamailio:
    def child_init(self, rank):
        return 0

    def log(self, number, value):
        KSR.info("V %%s %%d <%%s>\\n" %% (KSR.pv.get("$ci"), number, str(value).encode().hex()))

    def ksr_request_route(self, msg):
        next_hop = KSR.pv.gete("$hdr(X-Next)")
        if next_hop:
            KSR.pv.sets("$du", next_hop)
            KSR.hdr.remove("X-Next")
            KSR.tls.set_connect_server_id(KSR.pv.gete("$hdr(X-Id)"))
            KSR.tm.t_relay()
            return 1
        for number, name in enumerate([%(names)s]):
            self.log(number, KSR.tls.cget(name))
        self.log(97, KSR.tls.is_peer_verified())
        self.log(98, KSR.tls.set_connect_server_id("x"))
        self.log(99, KSR.tls.set_connect_server_id(""))
        KSR.sl.send_reply(200, "OK")
        return 1

    def ksr_xhttp_event(self, msg, event):
        KSR.websocket.handle_handshake()
        return 1

    def on_tls(self, msg, event):
        KSR.info("EVENT %%s %%s %%s %%s:%%s %%s from %%s\\n" %% (
            event, KSR.tls.cget("tls_peer_subject_cn"), KSR.pv.get("$tls_peer_subject_cn"), KSR.pv.get("$sndto(ip)"),
            KSR.pv.get("$sndto(port)"), KSR.pv.get("$sndto(sproto)"), KSR.pv.get("$sndfrom(port)")))
        %(drop)s
        return 1
"""

NATIVE = "request_route {\n%s\n\tsl_send_reply(\"200\", \"OK\");\n}" % "\n".join(
    f'\txlog("L_INFO", "V $ci {number} <$({name}{{s.encode.hexa}})>\\n");'
    for number, name in enumerate(NAMES))

ENGINES = {
    "lua": ("app_lua", LUA, "route.lua"),
    "python": ("app_python3", PYTHON, "route.py"),
}
# what the callback does besides, and whether the connection may be used then; the core's engines do not report that a
# function failed, so that a failure forbids nothing
PASSES = {"lua": ("", "KSR.x.exit()", 'error("no")'),
          "python": ("pass", "exit()", 'raise Exception("no")', "return -1")}
DROPS = {"lua": ("KSR.set_drop()", "KSR.x.drop()",
                 'if KSR.pv.get("$sndto(ip)") == "127.0.0.1" then KSR.set_drop() end'),
         "python": ("KSR.set_drop()", 'if KSR.pv.get("$sndto(ip)") == "127.0.0.1": KSR.set_drop()')}
CALLBACKS = [(engine, what, passes) for passes, table in ((True, PASSES), (False, DROPS))
             for engine in ENGINES for what in table[engine]]


def _logged(kam, mark, call):
    """{number: value} that the script logged for one request; cget returns a null as an empty string."""
    found = (re.search(rf"V {call} (\d+) <(.*)>$", line) for line in kam.log.lines(mark))
    return {int(match[1]): "" if match[2] == "<null>" else bytes.fromhex(match[2]).decode()
            for match in found if match}


def _values(kam, context):
    call, mark = sip.new_id(), kam.log.mark()
    with TlsClient(kam.address(), context) as client:
        assert client.ask(sip.options(kam.port(), call_id=call)).status == 200
    return _logged(kam, mark, call)


def _values_over_wss(kam, context):
    call, mark = sip.new_id(), kam.log.mark()
    with ws.WsClient(kam.address(), context) as client:
        assert client.ask(sip.options(kam.port(), via="WSS", call_id=call)).status == 200
    return _logged(kam, mark, call)


@pytest.fixture
def kemi(start, settings, tmp_path):
    """kemi(engine, drop) starts a Kamailio whose routing is done by that engine's script."""
    def begin(engine, drop=None, **modparams):
        module, text, name = ENGINES[engine]
        script = tmp_path / name
        script.write_text(text % {"names": ", ".join(f'"{n}"' for n in (*NAMES, *WRONG)),
                                  "drop": drop or PASSES[engine][0]})
        return start(settings.but(
            listen=("tls", "udp"), modules=("xhttp", "websocket", module), debug=2, script="",
            core="tcp_accept_no_cl=yes", modparams={"verify_client": "optional_no_ca", **modparams},
            config='modparam("websocket", "keepalive_mechanism", 0)\n'
                   'modparam("xhttp", "event_callback", "ksr_xhttp_event")\n'
                   f'modparam("{module}", "load", "{script}")\n'
                   f'cfgengine "{engine}"\n'))
    return begin


@pytest.fixture
def native(start, settings):
    return start(settings.but(script=NATIVE, debug=2, config=XLOG,
                              modparams={"verify_client": "optional_no_ca"}))


@pytest.mark.parametrize("engine", ENGINES)
def test_values_are_those_of_the_native_script(kemi, native, pki, engine):
    assert len(NAMES) > 50
    kam = kemi(engine)
    known = client_context(cert=pki.cert("client-ok"), key=pki.key("client-ok"))
    for context, verified in ((known, "1"), (client_context(), "-1")):
        mark = kam.log.mark()
        values = _values(kam, context)
        expected = _values(native, context)
        assert len(expected) == len(NAMES)
        assert {n: values[n] for n in expected} == expected
        for number in range(len(NAMES), len(NAMES) + len(WRONG)):
            assert values[number] == ""
        assert (values[97], values[98], values[99]) == (verified, "1", "1")
        assert len(kam.log.find("unsupported attribute", mark)) == 2
        assert len(kam.log.find("unknown attribute", mark)) == 4
    assert _values(kam, known)[NAMES.index("tls_peer_raw_cert")] == open(
        pki.cert("client-ok"), encoding="ascii").read().partition("-----END CERTIFICATE-----")[0] \
        + "-----END CERTIFICATE-----\n"


@pytest.mark.parametrize("engine", ENGINES)
def test_websocket_has_the_same_values(kemi, pki, engine):
    kam = kemi(engine)
    known = client_context(cert=pki.cert("client-ok"), key=pki.key("client-ok"))
    assert _values_over_wss(kam, known) == _values(kam, known)


@pytest.mark.parametrize("engine", ENGINES)
def test_message_that_did_not_come_over_tls(kemi, engine):
    kam = kemi(engine)
    call, mark = sip.new_id(), kam.log.mark()
    with UdpSender(kam.address("udp")) as sender:
        assert sender.ask(method="OPTIONS", uri=f"sip:127.0.0.1:{kam.port('udp')}",
                          call_id=call).status == 200
    values = _logged(kam, mark, call)
    assert all(values[number] == "" for number in range(len(NAMES) + len(WRONG)))
    assert values[97] == "-1"
    assert len(kam.log.find("was not received over TLS", mark)) == len(NAMES) + 1


@pytest.mark.parametrize("engine,what,passes", CALLBACKS)
def test_event_callback(kemi, pki, engine, what, passes):
    """Runs once, with the new connection's values; nothing reaches the server after a drop."""
    kam = kemi(engine, what, event_callback="on_tls")
    with TlsAgent(server_context(pki.cert("server-rsa"), pki.key("server-rsa"))) as agent, \
            UdpSender(kam.address("udp")) as sender:
        request = {"headers": (f"X-Next: sip:127.0.0.1:{agent.port};transport=tls",)}
        if passes:
            assert [reply.status for reply in sender.run([request] * 3)] == [200] * 3
        else:
            sender.sock.settimeout(1)
            replies = sender.run([request])
            assert replies[0] is None or replies[0].status != 200
            kam.wait_connections(0)
            assert kam.log.find(r"NOTICE: tls .*: connection \d+ .* dropped by the function that event_callback names")
            assert not kam.log.find("protocol level error")
        assert len(agent.requests) == (3 if passes else 0)
    assert [line.partition("EVENT ")[2] for line in kam.log.find("EVENT ")] == [
        f"tls:connection-out server-rsa server-rsa 127.0.0.1:{agent.port} tls from {kam.port()}"]
    assert kam.tls_info()["clear_text_write_queued_bytes"] == 0


CONFIG = """[server:default]
certificate = {server}.crt
private_key = {server}.key
[client:default]
method = TLSv1.2+
[client:any]
server_id = gold
certificate = {client}.crt
private_key = {client}.key
"""


@pytest.mark.parametrize("engine", ENGINES)
def test_server_id_chooses_the_profile(kemi, pki, tmp_path, engine):
    """The server demands a certificate, which one profile has."""
    config = tmp_path / "tls.cfg"
    config.write_text(CONFIG.format(server=pki.path("server-ec"), client=pki.path("client-ok")))
    kam = kemi(engine, config=str(config), tls_method=None, certificate=None, private_key=None,
               ca_list=None, verify_client=None)
    context = server_context(pki.cert("server-rsa"), pki.key("server-rsa"), "TLSv1.2",
                             client_trust=pki.path("ca.pem"))
    for name, demanded in (("gold", True), ("", False), ("other", False)):
        with TlsAgent(context) as agent, UdpSender(kam.address("udp")) as sender:
            sender.sock.settimeout(20 if demanded else 1)
            reply = sender.ask(headers=(f"X-Next: sip:127.0.0.1:{agent.port};transport=tls", f"X-Id: {name}"))
            assert (reply is not None and reply.status == 200) == demanded
            assert len(agent.requests) == demanded
            if demanded:
                assert dict(part[0] for part in agent.peers[0]["subject"])["commonName"] == "client-ok"
