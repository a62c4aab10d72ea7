# tls_gnutls - end to end: PKCS#11 modules that p11-kit has registered without a path
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""`remote:` lines in p11-kit's configuration: a module that runs in a process of its own."""

import json
import os
import shutil
import subprocess
import urllib.request

import pytest

from .lib import token as tokens
from .lib.kamailio import DEFAULT_SCRIPT, StartFailed
from .lib.served import asks, errors, is_served
from .lib.wait import until

pytestmark = [
    pytest.mark.ours_only("keys on tokens need an engine there"),
    pytest.mark.skipif(not tokens.available(), reason="softhsm2 or opensc is not installed"),
    pytest.mark.skipif(not shutil.which("gcc"), reason="the module is built with gcc"),
    pytest.mark.skipif(not shutil.which("p11-kit"), reason="p11-kit is not installed"),
]

PIN = tokens.PIN


@pytest.fixture
def remote(tmp_path):
    """remote(line) registers the module "far"; there are no others."""
    if os.geteuid() != 0:
        pytest.skip("only root can replace the modules that are registered")
    try:
        registry = tokens.Registry(tmp_path / "modules")
    except OSError as failure:
        pytest.skip(f"no mount namespace: {failure}")
    yield lambda line: registry.add("far", f"remote: {line}")
    registry.close()


@pytest.fixture
def hsm(tmp_path, monkeypatch):
    hsm = tokens.SoftHsm(tmp_path / "far", monkeypatch)
    tokens.SoftHsm(tmp_path / "near", monkeypatch)      # what the environment names
    return hsm


@pytest.fixture
def faults(tmp_path, hsm):
    faults = tokens.Faults(tmp_path, hsm)
    faults.set(library="HSM-far")
    return faults


@pytest.fixture
def token(hsm, faults, pki):
    assert faults.module == hsm.module
    hsm.module = None       # no module-path in URIs
    token = hsm.token("sip", PIN)
    token.add_key("proxy", pki.key("server-rsa"))
    return token


@pytest.mark.parametrize("named", (None, "far"), ids=("any", "module-name"))
@pytest.mark.parametrize("isolation", (0, 1), ids=("workers", "key_isolation"))
def test_key_in_a_remote_module(start, settings, pki, token, faults, remote, named, isolation, tmp_path):
    remote(f"|p11-kit remote {faults.module}")
    pin = tmp_path / "pin"
    pin.write_text(PIN)
    pin.chmod(0o600)
    kam = start(settings.but(tcp_children=2, modparams={
        "certificate": pki.cert("server-rsa"), "key_isolation": isolation,
        "private_key": token.uri("proxy", pin=False, module_name=named, pin_source=pin)}))
    for _ in range(2):
        for context in ({"version": "TLSv1.2"}, {"version": "TLSv1.3"},
                        {"version": "TLSv1.2", "ciphers": "AES256-GCM-SHA384"}):
            for _ in range(3):
                assert asks(kam, **context) == "server-rsa"
        assert kam.rpc("tls.reload").startswith("Ok")
    assert not kam.log.at_level("ERROR") and not kam.log.find("WARNING.*(PKCS|private_key)")
    assert not set(faults.pids("sign")) & set(kam.pids())       # processes of their own


def test_certificate_in_a_remote_module(start, settings, pki, token, faults, remote):
    remote(f"|p11-kit remote {faults.module}")
    token.add_certificate("proxy", pki.cert("server-rsa"), "0001")
    kam = start(settings.but(modparams={
        "certificate": token.uri("proxy", "cert", False), "private_key": token.uri("proxy")}))
    assert asks(kam) == "server-rsa"


def test_remote_process_that_ends(start, settings, pki, token, faults, remote):
    """Its worker starts another one."""
    remote(f"|p11-kit remote {faults.module}")
    kam = start(settings.but(tcp_children=1, modparams={
        "certificate": pki.cert("server-rsa"), "private_key": token.uri("proxy")}))
    assert is_served(kam)
    for pid in set(faults.pids("sign")):
        try:
            os.kill(pid, 9)
        except ProcessLookupError:
            pass
    until(lambda: is_served(kam), "the key is used again")
    assert len(set(faults.pids("sign"))) >= 3       # of the start, of the worker, and the new one


def test_beside_a_module_with_a_path(start, settings, pki, token, faults, remote, tmp_path, monkeypatch):
    """A process uses both at the same time."""
    remote(f"|p11-kit remote {faults.module}")
    folder = tmp_path / "path"
    other = tokens.SoftHsm(folder / "hsm", monkeypatch)
    near = other.token("sip", PIN)
    near.add_key("proxy", pki.key("server-ec"))
    tokens.Faults(folder, other).set(library="HSM-near")
    config = tmp_path / "tls.cfg"
    config.write_text(
        f"[server:default]\nmethod = TLSv1.2+\ncertificate = {pki.cert('server-rsa')}\n"
        f"private_key = \"{token.uri('proxy', module_name='far')}\"\n"
        f"[server:any]\nserver_name = near.example.org\nmethod = TLSv1.2+\ncertificate = {pki.cert('server-ec')}\n"
        f"private_key = \"{near.uri('proxy')}\"\n")
    kam = start(settings.but(modparams={"config": str(config)}, tcp_children=1))
    for _ in range(4):
        assert asks(kam) == "server-rsa"
        assert asks(kam, name="near.example.org") == "server-ec"
    assert not errors(kam)


def test_server_at_a_socket(start, settings, pki, token, faults, remote, tmp_path):
    """p11-kit server, one process for all."""
    path = tmp_path / "socket"
    with subprocess.Popen(("p11-kit", "server", "-f", "-n", str(path), "--provider", faults.module, "pkcs11:token=sip"),
                          stdout=subprocess.DEVNULL) as server:
        try:
            until(path.exists, "the server listens")
            remote(f"unix:path={path}")
            kam = start(settings.but(tcp_children=2, modparams={
                "certificate": pki.cert("server-rsa"), "private_key": token.uri("proxy", module_name="far")}))
            for _ in range(2):
                for _ in range(6):
                    assert asks(kam) == "server-rsa"
                assert kam.rpc("tls.reload").startswith("Ok")
            assert not errors(kam)
        finally:
            server.kill()


def test_remote_that_does_not_start(start, settings, pki, token, remote):
    remote("|/nowhere/p11-kit-remote")
    with pytest.raises(StartFailed, match="there is no such token"):
        start(settings.but(modparams={
            "certificate": pki.cert("server-rsa"), "private_key": token.uri("proxy", module_name="far")}))


@pytest.mark.parametrize("kind", ("remote", "path"))
def test_reload_in_a_worker(start, settings, pki, token, faults, remote, hsm, kind):
    """The worker that runs the command has the module open, and the child that examines the token inherits that."""
    if kind == "remote":
        remote(f"|p11-kit remote {faults.module}")
    else:
        hsm.module = faults.module
    kam = start(settings.but(
        tcp_children=1, listen=("tls", "tcp"), modules=("xhttp",), core="tcp_accept_no_cl=yes",
        config='modparam("jsonrpcs", "transport", 5)\n',
        script=DEFAULT_SCRIPT + "event_route[xhttp:request] {\n\tjsonrpc_dispatch();\n}\n",
        modparams={"certificate": pki.cert("server-rsa"), "private_key": token.uri("proxy")}))
    question = json.dumps({"jsonrpc": "2.0", "method": "tls.reload", "id": 1}).encode()
    for _ in range(3):
        assert asks(kam) == "server-rsa"
        with urllib.request.urlopen(urllib.request.Request(
                f"http://127.0.0.1:{kam.port('tcp')}/RPC", question, {"Content-Type": "application/json"}),
                timeout=30) as answer:
            assert json.load(answer)["result"].startswith("Ok")
    assert asks(kam) == "server-rsa"
    assert not errors(kam) and not kam.log.find("session was reopened")
