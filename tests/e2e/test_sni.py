# tls_gnutls - end to end: the server name of a ClientHello and the profile that it selects
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""Which section a name selects is tested in test_config_tlscfg.py; here is what comes with it."""

import re
import subprocess

import pytest

from .lib import sip
from .lib.cli import names
from .lib.hostile import HANDSHAKE, client_hello, record
from .lib.kamailio import DEFAULT_SCRIPT, Kamailio
from .lib.ports import free_port
from .lib.tls import BioClient, TlsClient, client_context
from .lib.tlscfg import pair, reading, section

OURS = pytest.mark.ours_only("documented in doc/compatibility.md")
VERSIONS = ("TLSv1.2", "TLSv1.3")

SCRIPT = DEFAULT_SCRIPT.replace("request_route {", """request_route {
	append_to_reply("X-Sni: $tls_peer_server_name\\r\\n");
""")


@pytest.fixture(scope="module")
def kam(settings, pki, tls_module, tmp_path_factory):
    """Sections that differ in every setting."""
    port = free_port()
    trust = {"ca_list": pki.path("ca.pem")}
    stranger = {"ca_list": pki.path("ca-stranger.pem")}
    rsa = pair(pki, "server-rsa")
    text = "".join((
        section("server:default", method="TLSv1.2+", **pair(pki, "server-ec")),
        section("server:any", server_name="open.example", method="TLSv1.2+", **rsa),
        section("server:any", server_name="must.example", method="TLSv1.2+", verify_client="on", **trust, **rsa),
        section("server:any", server_name="stranger.example", method="TLSv1.2+", verify_client="on", **stranger, **rsa),
        section("server:any", server_name="may.example", method="TLSv1.2+", verify_client="optional", **trust, **rsa),
        section("server:any", server_name="all.example", method="TLSv1.2+", verify_client="optional_no_ca",
                **trust, **rsa),
        section("server:any", server_name="flat.example", method="TLSv1.2+", verify_client="on", verify_depth=0,
                **trust, **rsa),
        section("server:any", server_name="crl.example", method="TLSv1.2+", verify_client="on", crl=pki.path("all.crl"),
                **trust, **rsa),
        section("server:any", server_name="tls12.example", method="TLSv1.2",
                cipher_list="ECDHE-RSA-AES128-GCM-SHA256", **rsa),
        section("server:any", server_name="tls13.example", method="TLSv1.3",
                cipher_list="TLS_AES_128_GCM_SHA256", **rsa)
        if tls_module.ours else "",
        section(f"server:127.0.0.2:{port}", server_name="must.example", method="TLSv1.2+", **pair(pki, "server-deep")),
    ))
    path = tmp_path_factory.mktemp("sni") / "tls.cfg"
    path.write_text(text)
    with Kamailio(reading(settings, path, core=f"listen=tls:127.0.0.2:{port}", script=SCRIPT).but(
            modparams={"session_cache": 1})) as kamailio:
        kamailio.second = "127.0.0.2", port
        yield kamailio


def _asked(kam, name, row=None, pki=None, session=None, address=None, context=None, **limits):
    """(reply, common name shown, version, suite, resumed, session) of a client that asks for a name; None: refused."""
    cert = {"cert": pki.cert(row), "key": pki.key(row)} if row else {}
    context = context or client_context(**cert, **limits)
    try:
        with TlsClient(address or kam.address(), context, session=session, name=name) as client:
            reply = client.ask(sip.options(kam.port()))
            assert reply.status == 200
            return {"sni": reply["X-Sni"], "shown": client.shown(), "version": client.version, "cipher": client.cipher,
                    "reused": client.reused, "session": client.session}
    except (OSError, EOFError):
        return None


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name,accepted", (
    ("open.example", {None, "client-ok", "client-stranger"}),
    ("must.example", {"client-ok", "client-deep", "client-revoked"}),
    ("stranger.example", {"client-stranger"}),
    ("may.example", {None, "client-ok", "client-deep", "client-revoked"}),
    ("all.example", {None, "client-ok", "client-deep", "client-revoked", "client-stranger", "client-expired"}),
    pytest.param("flat.example", set(), marks=OURS),
    ("crl.example", {"client-ok", "client-deep"}),
))
def test_verification(kam, pki, version, name, accepted):
    rows = [None, "client-ok", "client-deep", "client-revoked", "client-stranger", "client-expired"]
    if name == "open.example":
        rows = [None, "client-ok", "client-stranger"]
    assert {row for row in rows if _asked(kam, name, row, pki, version=version)} == accepted


@OURS
def test_versions_and_suites(kam):
    got = _asked(kam, "tls12.example")
    assert (got["version"], got["cipher"]) == ("TLSv1.2", "ECDHE-RSA-AES128-GCM-SHA256")
    got = _asked(kam, "tls13.example")
    assert (got["version"], got["cipher"]) == ("TLSv1.3", "TLS_AES_128_GCM_SHA256")
    assert _asked(kam, "tls12.example", version="TLSv1.3") is None
    assert _asked(kam, "tls13.example", version="TLSv1.2") is None
    assert _asked(kam, "open.example", version="TLSv1.2") and _asked(kam, "open.example", version="TLSv1.3")


@pytest.mark.parametrize("name,authorities", (
    ("must.example", "CN=root"), ("stranger.example", "CN=stranger"), ("open.example", None)))
def test_announced_authorities(kam, name, authorities):
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{kam.port()}", "-servername", name,
                           "-tls1_2"],
                          input="", capture_output=True, text=True, timeout=30, check=False)
    named = names(done.stdout).partition("Acceptable client certificate CA names\n")[2].partition("\n")[0]
    assert named.endswith(authorities) if authorities else named == ""


def test_script_sees_the_name(kam):
    assert _asked(kam, "open.example")["sni"] == "open.example"
    assert _asked(kam, "unknown.example")["sni"] == "unknown.example"
    assert _asked(kam, None)["sni"] in ("<null>", None)


def test_address_takes_precedence_over_the_name(kam, pki):
    """On the other address the name selects the section of that address, and its verification."""
    got = _asked(kam, "must.example", address=kam.second)
    assert got["shown"] == "server-deep"
    assert _asked(kam, "must.example") is None
    assert _asked(kam, "open.example", address=kam.second)["shown"] == "server-rsa"
    assert _asked(kam, "unknown.example", address=kam.second)["shown"] == "server-ec"


@OURS
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("other", ("must.example", "stranger.example", "unknown.example", None))
def test_session_of_one_name_is_not_resumed_for_another(kam, version, other):
    """In particular, it does not bypass the verification of the other one."""
    context = client_context(version=version)
    first = _asked(kam, "open.example", context=context)
    again = _asked(kam, "open.example", context=context, session=first["session"])
    assert again["reused"]
    got = _asked(kam, other, context=context, session=again["session"])
    if other in ("must.example", "stranger.example"):
        assert got is None
    else:
        assert not got["reused"] and got["shown"] == "server-ec"


def _name_list(*names):
    """The extension server_name with entries (type, bytes)."""
    entries = b"".join(bytes([kind]) + len(name).to_bytes(2, "big") + name for kind, name in names)
    body = len(entries).to_bytes(2, "big") + entries
    return b"\0\0" + len(body).to_bytes(2, "big") + body


# beside the extensions that a handshake needs: groups, signatures
_REST = (b"\0\x0a\0\4\0\2\0\x17" + b"\0\x0d\0\6\0\4\4\3\4\1")


def _answer(kam, extension):
    """First byte of the reply to a ClientHello of TLS 1.2: 22 a handshake, 21 an alert, None a close."""
    with BioClient(kam.address(), client_context()) as client:
        client.sock.sendall(record(HANDSHAKE, client_hello(extensions=extension + _REST)))
        data = client.sock.recv(1)
        return data[0] if data else None


@pytest.mark.parametrize("entries,answers", (
    (((0, b"open.example"),), (22,)),
    (((0, b"unknown.example"),), (22,)),
    (((0, b"open.example."),), (22,)),
    (((0, b"127.0.0.1"),), (22,)),
    (((0, b"OPEN.Example"),), (22,)),
    (((0, b""),), (21, 22, None)),
    (((0, b"open.example\0.evil.example"),), (21, 22, None)),
    (((0, b"x" * 255),), (22,)),
    (((0, b"x" * 16000),), (21, 22, None)),
    (((7, b"open.example"),), (21, 22, None)),
    (((0, b"open.example"), (0, b"must.example")), (21, 22, None)),
    (((0, bytes(range(128, 256))),), (21, 22, None)),
    ((), (21, 22, None)),
))
def test_odd_names(kam, entries, answers):
    """Each name gets its reply, and the next client is served."""
    assert _answer(kam, _name_list(*entries)) in answers
    assert _asked(kam, "open.example")["shown"] == "server-rsa"
    assert not kam.log.at_level("CRITICAL")
    kam.assert_healthy()


@pytest.mark.parametrize("name,shown", (
    ("open.example\0.evil.example", "server-ec"), ("open.example", "server-rsa")))
def test_name_with_a_zero_byte_selects_nothing(kam, name, shown):
    """What comes before the zero byte does not count."""
    extension = _name_list((0, name.encode()))
    with BioClient(kam.address(), client_context()) as client:
        client.sock.sendall(record(HANDSHAKE, client_hello(suites=b"\xc0\x2b\xc0\x2f", extensions=extension + _REST)))
        data = b""
        while b"\x0e\0\0\0" not in data:            # ServerHelloDone
            more = client.sock.recv(65536)
            if not more:
                break
            data += more
    assert (shown.encode() in data) or (name != "open.example" and b"server-rsa" not in data)


@OURS
@pytest.mark.parametrize("name,shown", (
    (b"under_score.example", "under_score.example"), (b"2001:db8::1", "2001:db8::1"),
    (b"open.example:5061", "open.example:5061"), (b"a b", "a?b"), ("b\u00fccher.example".encode(), "b??cher.example"),
    (b"a\nWARNING", "a?WARNING")))
def test_refused_name_is_told(kam, name, shown):
    """A limit of GnuTLS: the line has the name and the reason."""
    mark = kam.log.mark()
    assert _answer(kam, _name_list((0, name))) == 21
    kam.log.wait(re.escape(f"letters, digits, '-' and '.') (sni: {shown}) src addr"), since=mark)


def test_case_and_a_final_dot_do_not_count(start, settings, pki, tmp_path, tls_module):
    text = "".join((
        section("server:default", **pair(pki, "server-ec")),
        section("server:any", server_name="Plain.example", **pair(pki, "server-rsa")),
        section("server:any", server_name="dotted.example.", **pair(pki, "server-deep"))))
    path = tmp_path / "tls.cfg"
    path.write_text(text)
    kam = start(reading(settings, path, script=SCRIPT))
    assert _asked(kam, "PLAIN.example")["shown"] == "server-rsa"
    if tls_module.ours:
        assert _asked(kam, "plain.EXAMPLE.")["shown"] == "server-rsa"
        assert _asked(kam, "dotted.example")["shown"] == "server-deep"


@OURS
def test_a_name_that_no_client_can_ask_for_is_told(start, settings, pki, tmp_path):
    names = ("sip_1.example", "*.example", "b\u00fccher.example", "2001:db8::1")
    text = section("server:default", **pair(pki, "server-ec")) + section(
        "server:any", server_name="good-1.example", **pair(pki, "server-rsa")) + "".join(
            section("server:any", server_name=name, **pair(pki, "server-rsa")) for name in names)
    path = tmp_path / "tls.cfg"
    path.write_text(text, encoding="utf-8")
    kam = start(reading(settings, path))
    told = [line for _, line in kam.log.at_level("WARNING") if "no client can ask for" in line]
    assert len(told) == len(names) and all(any(f'"{name}"' in line for line in told) for name in names), told
