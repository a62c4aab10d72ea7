# tls_gnutls - end to end: a connection gets a suite if and only if the cipher string has it
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""Each suite that OpenSSL has is offered alone, against what tls-gnutls-ciphers prints for the string."""

import os
import re
import ssl
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from .conftest import ROOT
from .lib import cli
from .lib.cli import names
from .lib.kamailio import DEFAULT_SCRIPT, Kamailio
from .lib.names import make_leaf
from .lib.tls import server_context
from .lib.tlscfg import reading, section
from .lib.uas import TlsAgent, UdpSender

pytestmark = pytest.mark.ours_only("lists are OpenSSL's")

TOOL = os.environ.get("TLSG_CIPHERS_TOOL", ROOT / "build" / "tls-gnutls-ciphers")

# (method, cipher string); "": cipher_list is not set
STRINGS = (
    ("TLSv1.2+", ""),
    ("TLSv1.2+", "DEFAULT"),
    ("TLSv1.2+", "ALL:@SECLEVEL=0"),
    ("TLSv1.2", "HIGH:!aNULL:!kRSA:!PSK:!SRP:!MD5:!RC4"),
    ("TLSv1.2+", "ECDHE+AESGCM:ECDHE+CHACHA20"),
    ("TLSv1.2", "ECDHE-RSA-AES256-GCM-SHA384:AES128-SHA:ECDHE-ECDSA-CHACHA20-POLY1305"),
    ("TLSv1.2", "AES128-SHA"),
    ("TLSv1.2+", "DHE+AES:!SHA1"),
    ("TLSv1.2", "kRSA+CAMELLIA:ECDHE-ECDSA-AES128-CCM8"),
    ("TLSv1.2+", "HIGH:!AESGCM:!CHACHA20:@STRENGTH"),
    ("TLSv1.2", "SUITEB128"),
    ("TLSv1.2+", "ALL:@SECLEVEL=3"),
    ("TLSv1.3", "TLS_AES_128_GCM_SHA256:TLS_AES_128_CCM_SHA256"),
    ("TLSv1.2+", "TLS_AES_128_GCM_SHA256:ECDHE-RSA-AES128-GCM-SHA256"),
    ("TLSv1.2", "SECURE256:-ECDHE-ECDSA"),
    ("TLSv1.2+", "NORMAL:-AES-256-GCM:-RSA"),
)
# those that run without --long
SHORT = ("", "ALL:@SECLEVEL=0", "ECDHE-RSA-AES256-GCM-SHA384:AES128-SHA:ECDHE-ECDSA-CHACHA20-POLY1305", "AES128-SHA",
         "TLS_AES_128_GCM_SHA256:TLS_AES_128_CCM_SHA256", "NORMAL:-AES-256-GCM:-RSA")
TLS13 = ("TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256", "TLS_AES_128_CCM_SHA256",
         "TLS_AES_128_CCM_8_SHA256")


def _suites():
    """OpenSSL's names of all suites with RSA and ECDSA certificates, up to TLS 1.2."""
    done = subprocess.run(["openssl", "ciphers", "-tls1_2", "ALL:COMPLEMENTOFALL:!PSK:!SRP:!aNULL:!aDSS:@SECLEVEL=0"],
                          capture_output=True, text=True, check=True)
    return [name for name in done.stdout.strip().split(":") if not name.startswith("TLS_")]


def _listed(method, string):
    """The suites that the tool prints."""
    if not os.access(TOOL, os.X_OK):
        pytest.skip(f"{TOOL} is missing; run make first")
    done = subprocess.run([TOOL, "--enforced", "--method", method, string or "DEFAULT"],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {line.split("\t")[0] for line in done.stdout.splitlines() if "\t" in line}


def _accepted(address, name, suite):
    """Whether a handshake that offers one suite alone succeeds."""
    offer = (["-tls1_3", "-ciphersuites", suite] if suite.startswith("TLS_")
             else ["-tls1_2", "-cipher", f"{suite}:@SECLEVEL=0"])
    done = subprocess.run(["openssl", "s_client", "-connect", "{}:{}".format(*address), "-servername", name, *offer],
                          input="", capture_output=True, text=True, timeout=60, check=False)
    found = re.search(r"^New, (?:TLS|SSL)v[\d.]+, Cipher is (\S+)", done.stdout, re.MULTILINE)
    assert not found or found.group(1) == suite
    return found is not None


@pytest.fixture(scope="module")
def kam(settings, pki, tmp_path_factory):
    """One section for each string, with keys for both kinds of suites."""
    strong = make_leaf(pki, "rsa-3072", [("dns", "localhost")], key=rsa.generate_private_key(65537, 3072))
    keys = {"certificate": strong[0], "private_key": strong[1],
            "certificate2": pki.cert("server-ec"), "private_key2": pki.key("server-ec")}
    text = section("server:default", **keys)
    for number, (method, string) in enumerate(STRINGS):
        ciphers = {"cipher_list": string} if string else {}
        text += section("server:any", server_name=f"s{number}.example", method=method, **ciphers, **keys)
    path = tmp_path_factory.mktemp("ciphers") / "tls.cfg"
    path.write_text(text)
    with Kamailio(reading(settings, path)) as kamailio:
        yield kamailio


@pytest.mark.parametrize("number", [
    pytest.param(number, id=string or "none", marks=() if string in SHORT else pytest.mark.long)
    for number, (_, string) in enumerate(STRINGS)])
def test_suites_of_a_server(kam, number):
    method, string = STRINGS[number]
    suites = [*_suites(), *TLS13]
    listed = _listed(method, string)
    with ThreadPoolExecutor(4) as pool:
        answers = pool.map(lambda suite: _accepted(kam.address(), f"s{number}.example", suite), suites)
        accepted = {suite for suite, answer in zip(suites, answers) if answer}
    print(f"{len(suites)} suites offered, {len(accepted)} accepted")
    assert accepted == listed & set(suites)


# ---- two certificates ------------------------------------------------------------------------------------------------

RSA_FIRST = "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256"
ECDSA_FIRST = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"


def _s_client(kam, *args):
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{kam.port()}", *args],
                          input="", capture_output=True, text=True, timeout=60, check=False)
    return done.stdout


@pytest.mark.parametrize("rows", (("server-rsa", "server-ec"), ("server-ec", "server-rsa")))
@pytest.mark.parametrize("string", (
    None, "HIGH", "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256:AES128-SHA"))
def test_which_of_two_certificates(start, settings, pki, rows, string):
    """Before TLS 1.3 that of the first suite in the list; signature algorithms count always; else ECDSA."""
    kam = start(settings.but(modparams={
        "certificate": pki.cert(rows[0]), "private_key": pki.key(rows[0]),
        "certificate2": pki.cert(rows[1]), "private_key2": pki.key(rows[1]), "cipher_list": string}))

    def shown(*args):
        found = re.search(r"^subject=.*CN=(\S+)", names(_s_client(kam, *args)), re.MULTILINE)
        return found and found.group(1)

    first = "server-rsa" if string and string.startswith("ECDHE-RSA") else "server-ec"
    assert shown("-tls1_2", "-cipher", RSA_FIRST) == first
    assert shown("-tls1_2", "-cipher", ECDSA_FIRST) == first
    assert shown("-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256") == "server-rsa"
    assert shown("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256") == "server-ec"
    assert shown("-tls1_2", "-cipher", RSA_FIRST, "-sigalgs", "ECDSA+SHA256") == "server-ec"
    assert shown("-tls1_2", "-cipher", ECDSA_FIRST, "-sigalgs", "RSA-PSS+SHA256") == "server-rsa"
    assert shown("-tls1_3") == "server-ec"
    assert shown("-tls1_3", "-sigalgs", "RSA-PSS+SHA256:RSA+SHA256") == "server-rsa"
    assert shown("-tls1_3", "-sigalgs", "ECDSA+SHA256") == "server-ec"


# ---- order -----------------------------------------------------------------------------------------------------------

ORDERED = ("ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256", "AES128-SHA")
BACKWARDS = ORDERED[::-1]


@pytest.mark.parametrize("order", (ORDERED, BACKWARDS))
def test_the_servers_order_decides_in_tls12(start, settings, pki, order):
    kam = start(settings.but(modparams={
        "certificate": pki.cert("server-rsa"), "private_key": pki.key("server-rsa"), "cipher_list": ":".join(order)}))
    for offer in (ORDERED, BACKWARDS):
        assert f"Cipher is {order[0]}\n" in _s_client(kam, "-tls1_2", "-cipher", ":".join(offer))
    assert f"Cipher is {order[1]}\n" in _s_client(
        kam, "-tls1_2", "-cipher", ":".join(suite for suite in BACKWARDS if suite != order[0]))


@pytest.mark.parametrize("order", (TLS13[:3], TLS13[2::-1]))
def test_the_servers_order_decides_in_tls13(start, settings, order):
    kam = start(settings.but(modparams={"tls_method": "TLSv1.3", "cipher_list": ":".join(order)}))
    for offer in (TLS13[:3], TLS13[2::-1]):
        assert f"Cipher is {order[0]}\n" in _s_client(kam, "-tls1_3", "-ciphersuites", ":".join(offer))


@pytest.mark.parametrize("groups", ("P-521:X25519", "X25519:P-521", "P-384:P-256:X25519"))
def test_the_order_costs_no_round_trip(start, settings, groups):
    """The group is the one that the client has sent a key share for, whatever the order of suites is."""
    kam = start(settings.but(modparams={"tls_method": "TLSv1.2+", "cipher_list": "HIGH"}))
    answer = _s_client(kam, "-tls1_3", "-groups", groups, "-ciphersuites", ":".join(TLS13[2::-1]), "-msg")
    assert f"Cipher is {TLS13[0]}\n" in answer
    assert len(re.findall(r"^>>> .*ClientHello", answer, re.MULTILINE)) == 1, answer
    key = re.search(r"^(Server|Peer) Temp Key: .*", answer, re.MULTILINE).group(0)  # "Peer" since OpenSSL 3.5
    assert groups.split(":", maxsplit=1)[0].replace("P-", "") in key


def test_the_word_that_costs_a_round_trip_is_told(start, settings):
    kam = start(settings.but(modparams={"cipher_list": "NORMAL:%SERVER_PRECEDENCE"}))
    told = [text for _, text in kam.log.at_level("WARNING") if "%SERVER_PRECEDENCE" in text]
    assert len(told) == 1 and "TLSs<default>" in told[0] and "costs many handshakes a HelloRetryRequest" in told[0]


# ---- outgoing connections --------------------------------------------------------------------------------------------

# suites a server may pick: some are in the lists below, some only the priority string would allow
PICKED = ("ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256", "AES256-GCM-SHA384", "AES128-SHA", "AES256-SHA",
          "ECDHE-RSA-CHACHA20-POLY1305", "ECDHE-RSA-AES128-SHA")


@pytest.mark.parametrize("string", (
    "ECDHE-RSA-AES256-GCM-SHA384:AES128-SHA", "ECDHE+AESGCM:ECDHE+CHACHA20", "HIGH:!ECDHE", "AES256-SHA"))
def test_suites_of_a_client(start, settings, pki, string):
    kam = start(settings.but(listen=("tls", "udp"), config='modparam("tm", "fr_timer", 1000)', script=DEFAULT_SCRIPT,
                             modparams={"tls_method": "TLSv1.2", "cipher_list": string}))

    def delivers(suite):
        context = server_context(pki.cert("server-rsa"), pki.key("server-rsa"), "TLSv1.2")
        context.set_ciphers(f"{suite}:@SECLEVEL=0")
        with TlsAgent(context) as agent, UdpSender(kam.address("udp")) as sender:
            reply = sender.ask(uri=f"sip:far@127.0.0.1:{agent.port};transport=tls")
            assert reply is not None and len(agent.requests) == (reply.status == 200)
            return reply.status == 200

    with ThreadPoolExecutor(len(PICKED)) as pool:
        got = {suite for suite, answer in zip(PICKED, pool.map(delivers, PICKED)) if answer}
    assert got == _listed("TLSv1.2", string) & set(PICKED)


def test_a_client_with_tls13_does_not_offer_more_of_tls12(start, settings, pki):
    """A server that would rather have another suite gets no chance to pick it."""
    wanted, other = "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384"
    kam = start(settings.but(listen=("tls", "udp"), config='modparam("tm", "fr_timer", 1000)', script=DEFAULT_SCRIPT,
                             modparams={"tls_method": "TLSv1.2+", "cipher_list": wanted}))

    def answer(version, ciphers):
        context = server_context(pki.cert("server-rsa"), pki.key("server-rsa"), version)
        context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
        if ciphers:
            context.set_ciphers(ciphers)
        with TlsAgent(context) as agent, UdpSender(kam.address("udp")) as sender:
            return sender.ask(uri=f"sip:far@127.0.0.1:{agent.port};transport=tls").status

    assert answer("TLSv1.2", f"{other}:{wanted}") == 200
    assert answer("TLSv1.2", other) != 200
    assert answer("TLSv1.3", None) == 200


def test_groups_that_the_level_excludes_are_not_in_common(start, settings, pki, tmp_path):
    """Level 3 excludes ffdhe2048: a client that has no other group of that kind gets the next key exchange."""
    cert, key = str(tmp_path / "cert.pem"), str(tmp_path / "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:3072", "-nodes", "-keyout", key, "-out", cert,
                    "-subj", "/CN=localhost", "-days", "30"], capture_output=True, check=True)
    suites = "DHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:@SECLEVEL=3"
    kam = start(settings.but(modparams={"tls_method": "TLSv1.2", "cipher_list": suites, "certificate": cert,
                                        "private_key": key, "verify_certificate": 0}))

    def negotiated(groups):
        offer = f"NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+DHE-RSA:+ECDHE-RSA:-GROUP-ALL:{groups}"
        run = cli.gnutls_cli(kam.address(), "--insecure", "--priority", offer, trust=pki.path("ca.pem"))
        return run.cipher if run.reply is not None else None

    assert "DHE-FFDHE3072" in negotiated("+GROUP-FFDHE2048:+GROUP-FFDHE3072:+GROUP-SECP256R1")
    assert "ECDHE-SECP256R1" in negotiated("+GROUP-FFDHE2048:+GROUP-SECP256R1")
    assert negotiated("+GROUP-FFDHE2048") is None
    kam.log.wait("WARNING.*No supported cipher suites")
    kam.assert_healthy()
