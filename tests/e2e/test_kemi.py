# tls_gnutls - end to end: KSR.tls.* from Lua and Python
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import re

import pytest

from .lib import sip
from .lib.tls import TlsClient, client_context

NAMES = (
    "tls_version", "tls_cipher_info", "tls_cipher_bits", "tls_peer_server_name",
    "tls_peer_subject_cn", "tls_peer_issuer_organization", "tls_my_subject_cn", "tls_peer_serial",
    "tls_peer_san_hostname", "tls_peer_san_ip", "tls_peer_notAfter", "tls_peer_verified",
    "tls_peer_expired", "tls_peer_subject", "tls_my_issuer", "tls_peer_subject_unit",
)
WRONG = ("tls", "tls_peer_san_count", "no_such_variable", "TLS_VERSION", "")

LUA = """
function ksr_request_route()
	for number, name in ipairs({%(names)s}) do
		local value = KSR.tls.cget(name)
		KSR.info("V " .. KSR.pv.get("$ci") .. " " .. (number - 1) .. " <" .. value .. ">\\n")
	end
	KSR.info("V " .. KSR.pv.get("$ci") .. " 97 <" .. KSR.tls.is_peer_verified() .. ">\\n")
	KSR.info("V " .. KSR.pv.get("$ci") .. " 98 <" .. KSR.tls.set_connect_server_id("x") .. ">\\n")
	KSR.info("V " .. KSR.pv.get("$ci") .. " 99 <" .. KSR.tls.set_connect_server_id("") .. ">\\n")
	KSR.sl.send_reply(200, "OK")
end
"""

PYTHON = """
import KSR

def mod_init():
    return kamailio()

class kamailio:
    def child_init(self, rank):
        return 0

    def ksr_request_route(self, msg):
        call = KSR.pv.get("$ci")
        for number, name in enumerate([%(names)s]):
            value = KSR.tls.cget(name)
            KSR.info("V %%s %%d <%%s>\\n" %% (call, number, value))
        for number, value in ((97, KSR.tls.is_peer_verified()),
                              (98, KSR.tls.set_connect_server_id("x")),
                              (99, KSR.tls.set_connect_server_id(""))):
            KSR.info("V %%s %%d <%%d>\\n" %% (call, number, value))
        KSR.sl.send_reply(200, "OK")
        return 1
"""

NATIVE = "request_route {\n%s\n\tsl_send_reply(\"200\", \"OK\");\n}" % "\n".join(
    f'\txlog("L_INFO", "V $ci {number} <${name}>\\n");' for number, name in enumerate(NAMES))

ENGINES = {
    "lua": ("app_lua", LUA, "route.lua"),
    "python": ("app_python3", PYTHON, "route.py"),
}


def _values(kam, context):
    """{number: value} that the script logged for one request."""
    call = sip.new_id()
    mark = kam.log.mark()
    with TlsClient(kam.address(), context) as client:
        assert client.ask(sip.options(kam.port(), call_id=call)).status == 200
    found = (re.search(rf"V {call} (\d+) <(.*)>$", line) for line in kam.log.lines(mark))
    # cget hands a null over as an empty string
    return {int(match[1]): match[2] or "<null>" for match in found if match}


@pytest.fixture
def kemi(request, start, settings, tmp_path):
    """kemi(engine) starts a Kamailio whose routing is done by that engine's script."""
    def begin(engine):
        module, text, name = ENGINES[engine]
        script = tmp_path / name
        script.write_text(text % {"names": ", ".join(f'"{n}"' for n in (*NAMES, *WRONG))})
        return start(settings.but(
            modules=(module,), debug=2, script="", modparams={"verify_client": "optional_no_ca"},
            config=f'modparam("{module}", "load", "{script}")\n'
                   f'cfgengine "{engine}"\n'))
    return begin


@pytest.fixture
def native(start, settings):
    return start(settings.but(script=NATIVE, debug=2,
                              modparams={"verify_client": "optional_no_ca"}))


@pytest.mark.ours_only("cget fails for most names")
@pytest.mark.parametrize("engine", ENGINES)
def test_values_are_those_of_the_native_script(kemi, native, pki, engine):
    kam = kemi(engine)
    known = client_context(cert=pki.cert("client-ok"), key=pki.key("client-ok"))
    for context, verified in ((known, "1"), (client_context(), "-1")):
        mark = kam.log.mark()
        values = _values(kam, context)
        expected = _values(native, context)
        assert {n: values[n] for n in expected} == expected
        for number in range(len(NAMES), len(NAMES) + len(WRONG)):
            assert values[number] == "<null>"
        assert (values[97], values[98], values[99]) == (verified, "1", "1")
        assert len(kam.log.find("unsupported attribute", mark)) == 2
        assert len(kam.log.find("unknown attribute", mark)) == 3
