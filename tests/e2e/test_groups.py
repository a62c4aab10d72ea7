# tls_gnutls - end to end: groups of key exchanges, post-quantum hybrids among them
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""Which group a connection gets and where it is shown. Handshakes with hybrids need a GnuTLS and an OpenSSL that have
them; TLSG_TEST_HYBRIDS=1 makes it a failure if one of them does not."""

import os
import re
import socket
import subprocess
from contextlib import ExitStack, contextmanager

import pytest

from .lib import cli, sip
from .lib.kamailio import DEFAULT_SCRIPT
from .lib.ports import free_port
from .lib.tls import TlsClient, client_context
from .lib.uas import UdpSender
from .lib.wait import until

pytestmark = pytest.mark.ours_only("groups of connections are shown by this module only")

LOOPBACK = "127.0.0.1"
HYBRIDS = ["X25519MLKEM768", "SecP256r1MLKEM768", "SecP384r1MLKEM1024"]
CLASSICAL = ["x25519", "secp256r1", "x448", "secp384r1", "secp521r1"]
BEHIND_HYBRIDS = ["secp256r1", "x25519", "secp384r1", "x448", "secp521r1"]
FFDHE = ["ffdhe2048", "ffdhe3072", "ffdhe4096", "ffdhe6144", "ffdhe8192"]
# GnuTLS alone takes a hybrid only with groups of finite fields on both sides; the second list has none
LISTS = (None, "ECDHE+AESGCM")
SCRIPT = """
request_route {
	append_to_reply("X-Group: $tls_group\\r\\n");
	append_to_reply("X-Select: $sel(tls.group)\\r\\n");
	sl_send_reply("200", "OK");
}
"""
OUT = """
event_route[tls:connection-out] {
	xlog("L_NOTICE", "OUT by=$pp group=$tls_group\\n");
}
"""


def _demanded():
    return os.environ.get("TLSG_TEST_HYBRIDS") == "1"


def _openssl_has_hybrids():
    done = subprocess.run(["openssl", "list", "-tls1_3", "-tls-groups"], capture_output=True, text=True, check=False)
    return "X25519MLKEM768" in done.stdout


def _needs_hybrids(kam):
    """Skips a test of hybrids if one of the libraries has none."""
    ours = "X25519MLKEM768" in kam.rpc("tls.profiles")[0]["groups"]
    if ours and _openssl_has_hybrids():
        return
    missing = "OpenSSL" if ours else f"GnuTLS {kam.rpc('tls.version')['gnutls']}"
    assert not _demanded(), f"{missing} has no hybrids"
    pytest.skip(f"{missing} has no hybrids")


def _hellos(output, arrow):
    return len(re.findall(rf"^{arrow} .*ClientHello", output, re.MULTILINE))


def test_what_profiles_offer(start, settings):
    """Hybrids first, if there are any."""
    kam = start(settings.but(modparams={"tls_method": "TLSv1.2+"}))
    for profile in kam.rpc("tls.profiles"):
        groups = profile["groups"]
        assert groups in (CLASSICAL + FFDHE, HYBRIDS + BEHIND_HYBRIDS + FFDHE)
    if _demanded():
        assert groups[:3] == HYBRIDS


@pytest.mark.parametrize("params,expected", (
    ({"tls_method": "TLSv1.2"}, CLASSICAL + FFDHE),
    ({"tls_method": "TLSv1.3", "cipher_list": "NORMAL:-GROUP-ALL:+GROUP-SECP256R1"}, ["secp256r1"]),
    ({"tls_method": "TLSv1.2+", "cipher_list": "SUITEB128"}, ["secp256r1", "secp384r1"]),
))
def test_profiles_without_hybrids(start, settings, params, expected):
    kam = start(settings.but(modparams=params))
    assert kam.rpc("tls.profiles")[0]["groups"] == expected


# ---- server ----------------------------------------------------------------------------------------------------------

def _ask(kam, pki, *args):
    """One request with `openssl s_client`. Returns the group that the script saw and the number of ClientHellos."""
    run = cli.openssl(kam.address(), *args, "-msg", trust=pki.path("ca.pem"))
    assert run.reply is not None and run.reply.status == 200, run.output
    assert run.reply["X-Group"] == run.reply["X-Select"]
    return run.reply["X-Group"], _hellos(run.output, ">>>")


@pytest.mark.parametrize("string", LISTS)
def test_classical_clients(start, settings, pki, string):
    """None of them is sent a HelloRetryRequest."""
    kam = start(settings.but(modparams={"tls_method": "TLSv1.2+", "cipher_list": string}, script=SCRIPT))
    assert _ask(kam, pki, "-groups", "X25519:P-256") == ("x25519", 1)
    assert _ask(kam, pki, "-groups", "P-256:X25519") == ("secp256r1", 1)
    assert _ask(kam, pki, "-groups", "P-384") == ("secp384r1", 1)
    assert _ask(kam, pki, "-tls1_2", "-groups", "P-521:P-256") == ("secp521r1", 1)


def test_no_group(start, settings, pki):
    """RSA keys are exchanged without one, and so is DHE with clients that name none for it."""
    kam = start(settings.but(script=SCRIPT, modparams={
        "tls_method": "TLSv1.2", "certificate": pki.cert("server-rsa"), "private_key": pki.key("server-rsa")}))
    assert _ask(kam, pki, "-tls1_2", "-cipher", "AES256-GCM-SHA384:@SECLEVEL=0")[0] == "<null>"
    assert _ask(kam, pki, "-tls1_2", "-cipher", "DHE-RSA-AES256-GCM-SHA384:@SECLEVEL=0")[0] == "<null>"


@pytest.mark.parametrize("string", LISTS)
@pytest.mark.parametrize("name", ("server-ec", "server-rsa"))
def test_clients_with_hybrids(start, settings, pki, string, name):
    kam = start(settings.but(script=SCRIPT, modparams={
        "tls_method": "TLSv1.2+", "cipher_list": string, "certificate": pki.cert(name),
        "private_key": pki.key(name)}))
    _needs_hybrids(kam)
    assert _ask(kam, pki) == ("X25519MLKEM768", 1)
    for group in HYBRIDS:
        assert _ask(kam, pki, "-groups", group) == (group, 1)
        assert _ask(kam, pki, "-groups", f"{group}:X25519:P-256") == (group, 1)
    assert _ask(kam, pki, "-groups", "X25519:X25519MLKEM768") == ("x25519", 1)
    assert _ask(kam, pki, "-groups", "X25519:P-256:X25519MLKEM768", "-tls1_2") == ("x25519", 1)
    assert _ask(kam, pki, "-tls1_2")[0] == "x25519"
    kam.assert_healthy()


def test_list_shows_the_group(start, settings):
    kam = start(settings.but(modparams={"tls_method": "TLSv1.2+"}))
    context = client_context()
    context.set_ecdh_curve("secp384r1")
    with TlsClient(kam.address(), context) as client, socket.create_connection(kam.address()):
        assert client.ask().status == 200
        until(lambda: kam.connections() == 2, "two connections")
        assert sorted(entry["group"] for entry in kam.rpc("tls.list")) == ["N/A", "secp384r1"]


# ---- client ----------------------------------------------------------------------------------------------------------

@contextmanager
def _s_server(pki, log, *args):
    port = free_port()
    with open(log, "w", encoding="ascii") as output, subprocess.Popen(
            ["openssl", "s_server", "-accept", f"{LOOPBACK}:{port}", "-msg", "-cert", pki.cert("server-ec"),
             "-cert_chain", pki.cert("server-ec"), "-key", pki.key("server-ec"), *args],
            stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT) as run:
        try:
            until(lambda: "ACCEPT" in log.read_text(), "the server listens", 20)
            yield port
        finally:
            run.kill()


@pytest.fixture
def connect(settings, pki, start, tmp_path):
    """Connects to `openssl s_server` with options. Returns the group and the number of ClientHellos."""
    kam = start(settings.but(listen=("tls", "udp"), script=DEFAULT_SCRIPT + OUT,
                             modparams={"tls_method": "TLSv1.2+"}))

    def run(*args):
        log = tmp_path / "s_server.log"
        mark = kam.log.mark()
        with _s_server(pki, log, *args) as port:
            with UdpSender(kam.address("udp")) as sender:
                sender.sock.send(sip.request(uri=f"sip:far@{LOOPBACK}:{port};transport=tls", via="UDP",
                                             sent_by=sender.sent_by))
                (line,) = kam.log.wait("OUT by=", mark)
            (entry,) = kam.rpc("tls.list")
            group = line.rsplit("group=", 1)[1]
            assert entry["group"] == group
            kam.rpc("tls.kill", entry["id"])
            kam.wait_connections(0)
        return group, _hellos(log.read_text(), "<<<")

    run.kam = kam
    return run


def test_classical_servers(connect):
    """One with P-256 needs no HelloRetryRequest; one that has neither that nor a hybrid does."""
    assert connect("-groups", "P-256") == ("secp256r1", 1)
    assert connect("-groups", "X25519:P-256")[1] == 1
    assert connect("-groups", "P-384") == ("secp384r1", 2)
    assert connect("-tls1_2", "-groups", "P-256") == ("secp256r1", 1)
    assert connect("-groups", "X25519")[0] == "x25519"


def test_servers_with_hybrids(connect):
    _needs_hybrids(connect.kam)
    assert connect() == ("X25519MLKEM768", 1)
    assert connect("-groups", "X25519MLKEM768") == ("X25519MLKEM768", 1)
    assert connect("-groups", "SecP384r1MLKEM1024") == ("SecP384r1MLKEM1024", 2)
    assert connect("-groups", "X25519") == ("x25519", 2)
    connect.kam.assert_healthy()


# ---- memory ----------------------------------------------------------------------------------------------------------

def test_memory_of_idle_connections(start, settings):
    """Hybrids need more in the handshake only; what an idle connection holds is the same."""
    count = 60
    kam = start(settings.but(script=SCRIPT, modparams={"tls_method": "TLSv1.2+"}))

    def held(group):
        context = client_context()
        if group:
            context.set_ecdh_curve(group)
        figures = []
        for _ in range(2):      # the first round learns which sizes stay
            before = int(kam.rpc("tls.sessions")["arena_bytes"])
            with ExitStack() as stack:
                for _ in range(count):
                    client = stack.enter_context(TlsClient(kam.address(), context))
                    reply = client.ask()
                    assert reply.status == 200
                figures.append((int(kam.rpc("tls.sessions")["arena_bytes"]) - before) // count)
            kam.wait_connections(0)
        print(f"{reply['X-Group']}: {figures[1]} bytes for each idle connection")
        return reply["X-Group"], figures[1]

    _, classical = held("prime256v1")
    group, default = held(None)
    if _demanded():
        assert group == "X25519MLKEM768"
    assert default < classical + 2048
