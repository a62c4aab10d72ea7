# tls_gnutls - end to end: keys, certificates and authorities on PKCS#11 tokens
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""SoftHSM 2 in a folder of the test; all output is searched for the PIN."""

import os

import pytest

from .lib import token as tokens
from .lib.cli import names
from .lib.kamailio import refused_start
from .lib.terminal import Terminal
from .lib.served import asks
from .lib.tls import server_context
from .lib.uas import TlsAgent, UdpSender

pytestmark = [
    pytest.mark.ours_only("keys on tokens need an engine there"),
    pytest.mark.skipif(not tokens.available(), reason="softhsm2 or opensc is not installed"),
]

VERSIONS = ("TLSv1.2", "TLSv1.3")
PIN = tokens.PIN


def _key(pki, token, row, label=None):
    token.add_key(label or row, pki.key(row))
    return {"certificate": pki.cert(row), "private_key": token.uri(label or row)}


def _refusal(settings):
    """The log of a start that must fail."""
    text = refused_start(settings)
    assert PIN not in text
    return text


def test_key_exchange_without_signature(start, settings, pki, token):
    """TLS 1.2 with static RSA: the token decrypts."""
    kam = start(settings.but(modparams=_key(pki, token, "server-rsa")))
    for _ in range(6):
        shown = tokens.run("openssl", "s_client", "-connect", f"127.0.0.1:{kam.port()}",
                           "-tls1_2", "-cipher", "AES256-GCM-SHA384")
        assert "Cipher is AES256-GCM-SHA384" in shown


@pytest.mark.parametrize("row", ("server-ec", "server-rsa"))
def test_server_key(start, settings, pki, token, row):
    kam = start(settings.but(modparams=_key(pki, token, row), debug=3))
    for version in VERSIONS:
        for _ in range(6):
            assert asks(kam, version=version, trust=pki.path("ca.pem")) == row
    assert kam.log.find(r"private_key: \"pkcs11:.*signs with")
    assert not kam.log.find(PIN)


# -- where the PIN comes from, and that it is never shown -------------------------------------

def _pin_file(tmp_path, text=PIN + "\n", mode=0o600):
    path = tmp_path / "pin"
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.fixture
def engine_config(tmp_path):
    """engine_config(section) writes an OpenSSL configuration and returns its path."""
    def write(section, engine="pkcs11"):
        path = tmp_path / "engine.cnf"
        path.write_text("# the key kamailio is mandatory\n"
                        "kamailio = openssl_init\n\n"
                        "[ openssl_init ]\nengines = engine_section\n\n"
                        f"[ engine_section ]\n{engine} = the_engine\n\n"
                        f"[ the_engine ]\n{section}\n")
        path.chmod(0o600)
        return str(path)
    return write


@pytest.mark.parametrize("source", ("file:{}", "file://{}", "{}"))
def test_pin_from_a_file(start, settings, pki, token, tmp_path, source):
    params = _key(pki, token, "server-ec")
    params["private_key"] = token.uri("server-ec", pin=False,
                                      pin_source=source.format(_pin_file(tmp_path)))
    kam = start(settings.but(modparams=params))
    assert asks(kam) == "server-ec"
    assert not kam.log.find("world-readable")


def test_pin_file_readable_by_everybody(start, settings, pki, token, tmp_path):
    params = _key(pki, token, "server-ec")
    params["private_key"] = token.uri("server-ec", pin=False,
                                      pin_source=_pin_file(tmp_path, mode=0o644))
    kam = start(settings.but(modparams=params))
    assert kam.log.find(r"WARNING.*holds a PIN and is world-readable: chmod o-r it")
    assert asks(kam) == "server-ec"


@pytest.mark.parametrize("password", (PIN, "file:{}"))
def test_pin_as_password_of_the_profile(start, settings, pki, token, tmp_path, password):
    kam = start(settings.but(modparams={
        **_key(pki, token, "server-ec"), "private_key": token.uri("server-ec", pin=False),
        "private_key_password": password.format(_pin_file(tmp_path))}))
    assert asks(kam) == "server-ec"


ENGINES = {
    "engine_pkcs11": ("pkcs11", f"dynamic_path = /usr/lib/engines/pkcs11.so\n"
                      f"MODULE_PATH = {tokens.MODULE}\nPIN = {PIN}\ninit = 0",
                      "/engine:pkcs11:token=sip;object=server-ec"),
    "label": ("pkcs11", f"MODULE_PATH = {tokens.MODULE}\nPIN = \"{PIN}\" # quoted",
              "/engine:server-ec"),
    "label_": ("pkcs11", f"MODULE_PATH = {tokens.MODULE}\nPIN = {PIN}", "/engine:label_server-ec"),
    "id_": ("pkcs11", f"MODULE_PATH = {tokens.MODULE}\nPIN = {PIN}", "/engine:id_0001"),
    "gem": ("gem", f"ENGINE_INIT = {{slot}}:10:11:password={PIN}\nMODULE_PATH = {tokens.MODULE}",
            "/engine:server-ec"),
    "gem, registered": ("gem", f"ENGINE_INIT = slot:{{slot}}:password={PIN}", "/engine:server-ec"),
    "module's path": (tokens.MODULE, f"PIN = {PIN}", "/engine:server-ec"),
    "module's name": ("softhsm2", f"PIN = {PIN}", "/engine:server-ec"),
}


@pytest.mark.parametrize("name", ENGINES)
def test_engine(start, settings, pki, token, engine_config, name):
    """A configuration for an OpenSSL engine works unchanged."""
    engine, section, key = ENGINES[name]
    token.add_key("server-ec", pki.key("server-ec"))
    kam = start(settings.but(debug=3, modparams={
        "engine": engine, "engine_algorithms": "EC,RSA",
        "engine_config": engine_config(section.format(slot=token.slot()), engine),
        "private_key": key}))
    for version in VERSIONS:
        assert asks(kam, version=version) == "server-ec"
    assert bool(kam.log.find("dynamic_path has no effect with GnuTLS")) == ("dynamic_path" in section)
    assert not kam.log.find(PIN)


def test_engine_slot_of_the_key(start, settings, pki, token, engine_config):
    token.add_key("server-ec", pki.key("server-ec"))
    kam = start(settings.but(modparams={
        "engine": "pkcs11",
        "engine_config": engine_config(f"MODULE_PATH = {tokens.MODULE}\nPIN = {PIN}"),
        "private_key": f"/engine:slot_{token.slot()}-label_server-ec"}))
    assert asks(kam) == "server-ec"


@pytest.mark.parametrize("section,words", (
    ("PIN = $secret", "$variable"),
    ("PIN", '"=" is missing'),
    ("ENGINE_INIT = 0:1:2", "ENGINE_INIT is malformed"),
    ("MODULE_PATH = /nowhere/x.so", 'module "/nowhere/x.so" cannot be loaded'),
    (f"MODULE_PATH = {tokens.MODULE}", "asks for a PIN and none is configured"),
))
def test_engine_config_that_is_wrong(settings, pki, token, engine_config, section, words):
    token.add_key("server-ec", pki.key("server-ec"))
    log = _refusal(settings.but(modparams={
        "engine": "pkcs11", "engine_config": engine_config(section),
        "private_key": "/engine:server-ec"}))
    assert words in log


def test_pin_is_shown_nowhere(start, settings, pki, token, tmp_path):
    """With debug=4, in tls.cfg too, after a reload and a failed one: not in log, RPC or options."""
    params = _key(pki, token, "server-ec")
    token.add_certificate("server-ec", pki.cert("server-ec"), "0001")
    config = tmp_path / "tls.cfg"
    config.write_text("[server:default]\nmethod = TLSv1.2+\n"
                      f"certificate = \"{token.uri('server-ec', kind='cert')}\"\n"
                      f"private_key = \"{params['private_key']}\"\n"
                      f"[client:default]\ncertificate = {pki.cert('server-ec')}\n"
                      f"private_key = \"/uri:{params['private_key']}\"\n")
    for modparams in (params, {"config": str(config)}):
        kam = start(settings.but(modparams=modparams, debug=4))
        assert asks(kam) == "server-ec"
        seen = [kam.rpc("tls.reload"), asks(kam)]
        for command in ("tls.options", "tls.profiles", "tls.list", "tls.info", "tls.sessions"):
            seen += [kam.rpc(command), kam.kamcmd(command)]
        seen.append(kam.kamcmd("cfg.list", "tls"))
        for name in ("private_key", "certificate", "ca_list"):
            seen.append(kam.kamcmd("cfg.get", "tls", name))
        assert PIN not in str(seen)
        assert not kam.log.find(PIN)
        (profile, *_) = kam.rpc("tls.profiles")
        assert "object=server-ec" in str(profile["certificates"])
    config.write_text(config.read_text().replace("object=server-ec", "object=other"))
    with pytest.raises(RuntimeError) as refused:
        kam.rpc("tls.reload")
    assert PIN not in str(refused.value)
    assert not kam.log.find(PIN)
    assert kam.log.find("object=other.*the token has no such certificate")


# -- as a client, mutual TLS, chains and authorities on tokens --------------------------------

@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("row", ("client-ok", "client-rsa"))
def test_client_role(start, settings, pki, token, row, version):
    """The client's key on the token; the far end requires a certificate."""
    kam = start(settings.but(listen=("tls", "udp"), modparams={
        **_key(pki, token, row), "verify_certificate": 1, "require_certificate": 1}))
    context = server_context(pki.cert("server-ec"), pki.key("server-ec"), version,
                             client_trust=pki.path("ca.pem"))
    with TlsAgent(context) as agent, UdpSender(kam.address("udp")) as sender:
        for _ in range(4):
            reply = sender.ask(uri=f"sip:far@127.0.0.1:{agent.port};transport=tls")
            assert reply.status == 200
        assert row in str(agent.peers[0])


@pytest.mark.parametrize("version", VERSIONS)
def test_mutual(start, settings, pki, token, version):
    kam = start(settings.but(modparams={**_key(pki, token, "server-rsa"), "verify_client": "on"}))
    assert asks(kam, version=version, cert=pki.cert("client-ok"),
                 key=pki.key("client-ok")) == "server-rsa"


def test_two_pairs(start, settings, pki, token):
    """RSA and ECDSA on one token, in one list and in two settings."""
    rsa, ec = _key(pki, token, "server-rsa"), _key(pki, token, "server-ec")
    for modparams in (
            {**rsa, "certificate2": ec["certificate"], "private_key2": ec["private_key"]},
            {name: f"{rsa[name]}, {ec[name]}" for name in rsa}):
        kam = start(settings.but(modparams=modparams))
        for version in VERSIONS:
            assert asks(kam, version=version) == "server-ec"
        for version in ("-tls1_2", "-tls1_3"):
            shown = tokens.run("openssl", "s_client", "-connect", f"127.0.0.1:{kam.port()}",
                               version, "-sigalgs", "rsa_pss_rsae_sha256")
            assert "CN=server-rsa" in names(shown)
        assert PIN not in str(kam.rpc("tls.options"))


def test_chain_on_the_token(start, settings, pki, token):
    """The configuration names the leaf; the intermediate comes from the token too."""
    number = token.add_key("server-ec", pki.key("server-ec"))
    token.add_certificate("server-ec", pki.cert("server-ec"), number)
    token.add_certificate("inter", pki.cert("inter"), "f001")
    token.add_certificate("root", pki.cert("root"), "f002")
    kam = start(settings.but(modparams={
        "certificate": token.uri("server-ec", kind="cert", pin=False),
        "private_key": token.uri("server-ec")}))
    for version in VERSIONS:
        assert asks(kam, version=version, trust=pki.path("ca.pem")) == "server-ec"
    (profile, *_) = kam.rpc("tls.profiles")
    (pair,) = profile["certificates"]
    assert int(pair["chain_length"]) == 2
    assert pair["source"] == "pkcs11:token=sip;object=server-ec;type=cert"


def test_authorities_on_the_token(start, settings, pki, hsm, token):
    """ca_list: all CA certificates of a token; a leaf beside them is not a CA."""
    token.add_certificate("root", pki.cert("root"), "f002")
    token.add_certificate("client-stranger", pki.cert("client-stranger"), "f003")
    kam = start(settings.but(modparams={
        "verify_client": "on", "ca_list": token.uri(kind="cert", pin=False)}))
    assert asks(kam, cert=pki.cert("client-ok"), key=pki.key("client-ok")) == "server-ec"
    with pytest.raises((OSError, EOFError)):
        asks(kam, cert=pki.cert("client-stranger"), key=pki.key("client-stranger"))
    assert int(kam.rpc("tls.profiles")[0]["ca_certificates"]) == 1


# -- what is wrong is refused, with the object's name and a reason ----------------------------

WRONG = {
    "malformed": ("pkcs11:token=%ZZ;object=k?pin-value={pin}", "is not a PKCS#11 URI"),
    "unknown attribute": ("pkcs11:tokn=sip?pin-value={pin}", "has an unknown attribute"),
    "pin among the path": ("pkcs11:token=sip;pin-value={pin};x-key=1", "has an unknown attribute"),
    "two PINs": ("pkcs11:token=sip?pin-value={pin}&pin-source=/x", "both a pin-value and a pin-source"),
    "no such token": ("pkcs11:token=sap;object=k?module-path={module}&pin-value={pin}",
                      'pkcs11:token=sap;object=k": there is no such token'),
    "no such object": ("pkcs11:token=sip;object=k?module-path={module}&pin-value={pin}",
                       "the token has no such private key"),
    "type": ("pkcs11:token=sip;object=server-ec;type=cert?module-path={module}&pin-value={pin}",
             "type=cert is wrong here: type=private is needed"),
    "no key": ("pkcs11:token=sip;object=crt?module-path={module}&pin-value={pin}",
               "the object is not a private key"),
    "several": ("pkcs11:token=sip?module-path={module}&pin-value={pin}",
                "3 private keys match the URI"),
    "two of a name": ("pkcs11:token=sip;object=twin?module-path={module}&pin-value={pin}",
                      "2 private keys match the URI"),
    "other key": ("pkcs11:token=sip;object=twin;id=%00%02?module-path={module}&pin-value={pin}",
                  "the key does not belong to the certificate"),
    "two tokens": ("pkcs11:object=server-ec?module-path={module}&pin-value={pin}",
                   "2 tokens match the URI"),
    "no PIN": ("pkcs11:token=sip;object=server-ec?module-path={module}",
               "asks for a PIN and none is configured"),
    "PIN file": ("pkcs11:token=sip;object=server-ec?module-path={module}&pin-source=/nowhere/pin",
                 'PIN file "/nowhere/pin" cannot be read'),
    "PIN program": ("pkcs11:token=sip;object=server-ec?module-path={module}&pin-source=%7Cecho%20{pin}",
                    "pin-source"),
    "no module": ("pkcs11:token=sip;object=server-ec?module-path=/nowhere/p11.so&pin-value={pin}",
                  'module "/nowhere/p11.so" cannot be loaded'),
    "no module name": ("pkcs11:token=sip;object=server-ec?module-name=nosuch&pin-value={pin}",
                       'no PKCS#11 module "nosuch" is registered'),
    "no PKCS#11": ("pkcs11:token=sip;object=server-ec?module-path=/lib/x86_64-linux-gnu/libm.so.6"
                   "&pin-value={pin}", "cannot be loaded"),
    "tpmkey": ("tpmkey:uuid=7f468c16;storage=user", "tpmkey: is not supported"),
    "engine id": ("/engine:id_xyz", "is not a key id"),
}


@pytest.fixture
def full_token(hsm, token, pki):
    """A token with several objects, beside another one."""
    token.add_key("server-ec", pki.key("server-ec"))
    token.add_key("twin", pki.key("server-rsa"))
    token.add_key("twin", pki.key("client-ok"))
    token.add_certificate("crt", pki.cert("server-ec"), "aa")
    hsm.token("other", "0000")
    return token


def test_wrong_object_is_refused(settings, pki, full_token):
    for name, (uri, words) in WRONG.items():
        log = _refusal(settings.but(modparams={
            "certificate": pki.cert("server-ec"),
            "private_key": uri.format(pin=PIN, module=tokens.MODULE)}))
        assert words in log, (name, log)
        assert "private_key: " in log, name


def test_wrong_certificate_is_refused(settings, pki, full_token):
    for label, words in (("none", "the token has no such certificate"),
                         ("twin", "the object is not a certificate")):
        log = _refusal(settings.but(modparams={
            "certificate": full_token.uri(label, kind=None, pin=False),
            "private_key": full_token.uri("server-ec")}))
        assert words in log


@pytest.mark.parametrize("name", ("module-path", "registered", "module-name"))
def test_ways_to_name_the_module(start, settings, pki, token, name):
    token.add_key("server-ec", pki.key("server-ec"))
    uri = {"module-path": token.uri("server-ec"),
           "registered": token.uri("server-ec", module_path=None),
           "module-name": token.uri("server-ec", module_path=None, module_name="softhsm2")}[name]
    kam = start(settings.but(modparams={"private_key": uri}))
    assert asks(kam) == "server-ec"
    maps = [open(f"/proc/{pid}/maps", encoding="utf-8").read() for pid in kam.pids()]
    assert any("libsofthsm2.so" in text for text in maps)
    assert not any("opensc" in text for text in maps), "an unneeded module is loaded"


TRUST_MODULE = os.environ.get(
    "P11_KIT_TRUST", "/usr/lib/x86_64-linux-gnu/pkcs11/p11-kit-trust.so")
SYSTEM_CAS = "/etc/ssl/certs/ca-certificates.crt"


@pytest.mark.skipif(not os.path.exists(TRUST_MODULE) or not os.path.exists(SYSTEM_CAS),
                    reason="p11-kit-modules or ca-certificates is not installed")
def test_authorities_of_the_system(start, settings):
    """p11-kit's trust module: the CAs of the system, as many as are in the system's file."""
    kam = start(settings.but(modparams={
        "verify_client": "on",
        "ca_list": "pkcs11:model=p11-kit-trust;manufacturer=PKCS%2311%20Kit"
                   f"?module-path={TRUST_MODULE}"}))
    with open(SYSTEM_CAS, encoding="utf-8") as bundle:
        known = bundle.read().count("BEGIN CERTIFICATE")
    found = int(kam.rpc("tls.profiles")[0]["ca_certificates"])
    assert known * 0.9 < found <= known


@pytest.mark.parametrize("daemon", (False, True))
def test_pin_is_prompted_for(settings, pki, token, daemon):
    """key_password_mode=1: one prompt, no echo; reloads use what was typed."""
    token.add_key("server-ec", pki.key("server-ec"))
    one = Terminal(settings.but(modparams={
        "private_key": token.uri("server-ec", pin=False), "key_password_mode": 1}), daemon)
    try:
        one.answer(PIN.encode() + b"\r")
        one.up()
        assert b"pkcs11:token=sip;object=server-ec" in one.shown
        assert one.shown.count(b"Password of") == 1
        assert PIN.encode() not in one.shown
        assert asks(one.kam) == "server-ec"
        assert "Ok" in str(one.kam.rpc("tls.reload"))
        for _ in range(6):
            assert asks(one.kam) == "server-ec"
        assert not one.kam.log.find(PIN)
    finally:
        one.close()


def test_pin_is_not_prompted_for_when_configured(settings, pki, token):
    one = Terminal(settings.but(modparams={
        **_key(pki, token, "server-ec"), "key_password_mode": 1}), True)
    try:
        one.up()
        assert asks(one.kam) == "server-ec"
        assert b"Password" not in one.shown
    finally:
        one.close()
