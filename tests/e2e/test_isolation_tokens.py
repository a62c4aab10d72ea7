# tls_gnutls - end to end: keys on tokens in a process of their own (key_isolation=1)
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""SoftHSM 2, and a PKCS#11 module on top of it that fails on demand (lib/p11_fault.c)."""

import os
import re
import shutil
import signal
import ssl
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from .lib import token as tokens
from .lib.kamailio import Kamailio, StartFailed
from .lib.memory import process_holds
from .lib.served import asks, errors, is_served
from .lib.terminal import Terminal
from .lib.tls import TlsClient, client_context, server_context
from .lib.uas import TlsAgent, UdpSender
from .lib.wait import until
from .test_isolation import secrets

pytestmark = [
    pytest.mark.ours_only("there is no key_isolation"),
    pytest.mark.skipif(not tokens.available(), reason="softhsm2 or opensc is not installed"),
]

PIN = tokens.PIN
HOLDER = "tls token process"
CKR_DEVICE_REMOVED = 0x32
CKR_PIN_INCORRECT = 0xA0
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can install modules that the token process loads")


@pytest.fixture
def token(token, pki):
    for row in ("server-ec", "server-rsa", "client-rsa"):
        token.add_key(row, pki.key(row))
    return token


@pytest.fixture
def isolated(settings):
    return settings.but(modparams={"key_isolation": 1})


@pytest.fixture
def pin_file(tmp_path):
    path = tmp_path / "pin"
    path.write_text(PIN + "\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def on_token(isolated, pki, token, pin_file):
    """on_token(row) returns settings with that key on the token and the PIN in a file."""
    def make(row, **more):
        return isolated.but(modparams={
            "certificate": pki.cert(row),
            "private_key": token.uri(row, pin=False, pin_source=pin_file), **more})
    return make


@pytest.fixture
def failing(faults, hsm, on_token):
    """The same with the faulty module."""
    hsm.module = faults.module
    return on_token


def holder(kam):
    (pid,) = kam.pids(HOLDER)
    return pid


def others(kam):
    return [pid for pid in kam.pids() if pid not in kam.pids(HOLDER)]


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(word) for word in file.read().split()]


def refusal(settings):
    """The error lines of a start that must fail."""
    kam = Kamailio(settings)
    try:
        with pytest.raises(StartFailed) as failure:
            kam.start()
        lines = [text for module, text in failure.value.log.at_level("ERROR") if module == "tls"]
        assert not failure.value.log.find(PIN)
        assert len(lines) == 1, lines
        return lines[0]
    finally:
        kam.kill()
        kam.remove()


# ---- handshakes ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("version", ("TLSv1.2", "TLSv1.3"))
@pytest.mark.parametrize("row", ("server-ec", "server-rsa"))
def test_handshake(start, pki, on_token, row, version):
    kam = start(on_token(row).but(debug=3))
    for _ in range(6):
        assert asks(kam, version=version, trust=pki.path("ca.pem")) == row
    assert kam.log.find(r"private_key: \"pkcs11:.*signs with")
    assert not kam.log.find(PIN)


def test_static_rsa(start, on_token):
    kam = start(on_token("server-rsa"))
    for _ in range(3):
        shown = tokens.run("openssl", "s_client", "-connect", f"127.0.0.1:{kam.port()}",
                           "-tls1_2", "-cipher", "AES256-GCM-SHA384")
        assert "Cipher is AES256-GCM-SHA384" in shown


@pytest.mark.parametrize("version", ("TLSv1.2", "TLSv1.3"))
def test_client_certificate(start, on_token, pki, version):
    """The client role: the key on the token authenticates Kamailio to a server."""
    kam = start(on_token("client-rsa").but(listen=("tls", "udp")))
    context = server_context(pki.cert("server-ec"), pki.key("server-ec"), client_trust=pki.path("ca.pem"))
    context.minimum_version = context.maximum_version = ssl.TLSVersion[version.replace(".", "_")]
    with TlsAgent(context) as agent, UdpSender(kam.address("udp")) as sender:
        assert sender.ask(uri=f"sip:far@127.0.0.1:{agent.port};transport=tls").status == 200
        assert agent.peers[0] is not None


def test_certificate_on_the_token(start, on_token, pki, token, pin_file):
    """Certificates with a PIN come from the token process too."""
    token.add_certificate("server-ec", pki.cert("server-ec"), "0001")
    kam = start(on_token("server-ec", certificate=token.uri("server-ec", "cert", False, pin_source=pin_file)))
    assert asks(kam) == "server-ec"


def test_key_in_a_file_beside_one_on_a_token(start, on_token, pki):
    kam = start(on_token("server-rsa", certificate2=pki.cert("server-ec"), private_key2=pki.key("server-ec")))
    assert asks(kam, version="TLSv1.3") == "server-ec"
    shown = tokens.run("openssl", "s_client", "-connect", f"127.0.0.1:{kam.port()}", "-sigalgs",
                       "rsa_pss_rsae_sha256", "-tls1_3")
    assert re.search("RSA[-_]PSS", shown.upper())     # OpenSSL 3.5 names the signature rsa_pss_rsae_sha256


def test_many_at_once(start, on_token):
    kam = start(on_token("server-ec").but(tcp_children=4))
    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(lambda _: is_served(kam), range(160)))
    assert not kam.log.at_level("ERROR")


# ---- where the PIN comes from ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("source", ("URI", "URI in tls.cfg", "file of the profile", "engine_config"))
def test_pin_from(start, on_token, pki, token, pin_file, tmp_path, source):
    params = {"private_key": token.uri("server-ec", pin=source == "URI")}
    if source == "file of the profile":
        params["private_key_password"] = f"file:{pin_file}"
    if source == "URI in tls.cfg":
        config = tmp_path / "tls.cfg"
        config.write_text(f"[server:default]\nmethod = TLSv1.2+\ncertificate = {pki.cert('server-ec')}\n"
                          f"private_key = \"{token.uri('server-ec')}\"\n")
        params = {"config": str(config)}
    if source == "engine_config":
        config = tmp_path / "engine.cnf"
        config.write_text("kamailio = a\n[ a ]\nengines = b\n[ b ]\npkcs11 = c\n"
                          f"[ c ]\nMODULE_PATH = {tokens.MODULE}\nPIN = {PIN}\n")
        config.chmod(0o600)
        params |= {"engine": "pkcs11", "engine_config": str(config), "private_key": "/engine:label_server-ec"}
    kam = start(on_token("server-ec", **params))
    for _ in range(2):
        assert asks(kam) == "server-ec"
        assert kam.rpc("tls.reload").startswith("Ok")
    assert len(kam.log.find("WARNING.*a PIN in a module parameter stays in the memory of all processes")) == (
        3 if source == "URI" else 0)        # once for each load
    if source != "URI":
        assert not [pid for pid in others(kam) if process_holds(pid, PIN.encode())]


def test_pin_that_is_typed(on_token, token):
    """Prompted for once, by the token process, which keeps it for reloads."""
    one = Terminal(on_token("server-ec", private_key=token.uri("server-ec", pin=False), key_password_mode=1), True)
    try:
        one.answer(PIN.encode() + b"\r")
        one.up()
        assert asks(one.kam) == "server-ec"
        assert one.shown.count(b"Password of") == 1
        one.kam.rpc("tls.reload")
        assert asks(one.kam) == "server-ec"
        assert not [pid for pid in others(one.kam) if process_holds(pid, PIN.encode())]
    finally:
        one.close()


# ---- which process holds what ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("row", ("server-ec", "server-rsa"))
def test_only_the_token_process_holds_pin_and_key(start, settings, on_token, pki, row):
    """In private or in shared memory. Without isolation workers hold the PIN too, which proves the search."""
    kam = start(on_token(row).but(modparams={"key_isolation": 0}))
    assert asks(kam) == row
    assert any(process_holds(pid, PIN.encode()) for pid in kam.workers())
    kam = start(on_token(row))
    for _ in range(2):
        for version in ("TLSv1.2", "TLSv1.3"):
            assert asks(kam, version=version) == row
        assert process_holds(holder(kam), PIN.encode())
        for pid in others(kam):
            assert not process_holds(pid, PIN.encode(), *secrets(pki.key(row)))
            assert "libsofthsm2.so" not in open(f"/proc/{pid}/maps", encoding="utf-8").read()
        assert kam.rpc("tls.reload").startswith("Ok")


def test_privileges_of_the_token_process(on_token, hsm, pki, token):
    """Those of Kamailio's user, for good; no other process of that user can inspect it or its children."""
    if os.geteuid() != 0:
        pytest.skip("only root can start Kamailio as another user")
    kam = Kamailio(on_token("server-ec"))
    files = {"certificate": pki.cert("server-ec"), "ca_list": pki.path("ca.pem")}
    for name, path in files.items():
        files[name] = str(shutil.copy(path, kam.folder / f"{name}.pem"))
        os.chmod(files[name], 0o644)
    for path in (hsm.folder, *hsm.folder.rglob("*")):
        shutil.chown(path, "nobody")
    for folder in hsm.folder.parents:
        if str(folder).startswith("/tmp/"):
            folder.chmod(folder.stat().st_mode | 0o011)
    (kam.folder / "pin").write_text(PIN)
    shutil.chown(kam.folder / "pin", "nobody")
    (kam.folder / "pin").chmod(0o600)
    kam.settings = on_token("server-ec", private_key=token.uri(
        "server-ec", pin=False, pin_source=kam.folder / "pin"), **files).but(user="nobody")
    with kam:
        assert asks(kam) == "server-ec"
        held = [holder(kam), *children(holder(kam))]
        assert len(held) == 2
        worker = open(f"/proc/{kam.workers()[0]}/status", encoding="ascii").read()
        for pid in held:
            status = open(f"/proc/{pid}/status", encoding="ascii").read()
            for what in ("Uid", "Gid", "Groups"):
                line = re.search(rf"^{what}:.*$", status, re.MULTILINE).group()
                assert line in worker.splitlines()
            uids = set(re.search(r"^Uid:\s+(.*)$", status, re.MULTILINE).group(1).split())
            assert len(uids) == 1 and "0" not in uids
            assert os.stat(f"/proc/{pid}/mem").st_uid == 0
            assert not tokens.subprocess.run(["setpriv", "--reuid", uids.pop(), "--clear-groups",
                                              "cat", f"/proc/{pid}/maps"],
                                             capture_output=True, check=False).stdout
            limits = open(f"/proc/{pid}/limits", encoding="ascii").read()
            assert re.search(r"Max core file size\s+0\s+0\s", limits)
        assert not [pid for pid in others(kam) if process_holds(pid, PIN.encode())]


# ---- reload ----------------------------------------------------------------------------------------------------------

def test_reload_with_another_key_and_pin(start, on_token, pki, hsm, token, pin_file, tmp_path):
    config = tmp_path / "tls.cfg"

    def show(row, uri):
        config.write_text(f"[server:default]\nmethod = TLSv1.2+\ncertificate = {pki.cert(row)}\n"
                          f"private_key = \"{uri}\"\n")

    show("server-ec", token.uri("server-ec", pin=False, pin_source=pin_file))
    kam = start(on_token("server-ec", config=str(config)))
    assert asks(kam) == "server-ec"
    token.set_pin("pin-other-55")
    pin_file.write_text("pin-other-55")
    show("server-rsa", token.uri("server-rsa", pin=False, pin_source=pin_file))
    assert kam.rpc("tls.reload").startswith("Ok")
    assert asks(kam) == "server-rsa"
    second = hsm.token("second", PIN)
    second.add_key("late", pki.key("server-ec"))
    show("server-ec", second.uri("late"))
    assert kam.rpc("tls.reload").startswith("Ok")
    for _ in range(6):
        assert asks(kam) == "server-ec"
    assert not kam.log.at_level("ERROR")
    assert len(children(holder(kam))) <= 2      # of removed keys, at most those of the previous configuration


def test_reload_under_load(start, on_token):
    kam = start(on_token("server-ec").but(tcp_children=4))
    end = time.monotonic() + 6

    def visit(_):
        served = []
        while time.monotonic() < end:
            served.append(is_served(kam))
        return served

    with ThreadPoolExecutor(4) as pool:
        visits = [pool.submit(visit, number) for number in range(4)]
        while time.monotonic() < end:
            assert kam.rpc("tls.reload").startswith("Ok")
        results = [served for one in visits for served in one.result()]
    assert len(results) > 20 and all(results)
    assert not kam.log.at_level("ERROR")


@needs_root
def test_wrong_pin_on_reload(start, failing, faults, pin_file):
    """Tried once; what is active stays."""
    kam = start(failing("server-ec"))
    assert asks(kam) == "server-ec"
    logins = faults.count("login")
    pin_file.write_text("0000")
    with pytest.raises(RuntimeError):
        kam.rpc("tls.reload")
    assert faults.count("login") == logins + 1
    assert kam.log.find("ERROR.*the PIN is wrong")
    assert asks(kam) == "server-ec"
    pin_file.write_text(PIN)
    assert kam.rpc("tls.reload").startswith("Ok")
    assert asks(kam) == "server-ec"


# ---- refusals --------------------------------------------------------------------------------------------------------

def test_wrong_pin_at_start(on_token, pin_file):
    pin_file.write_text("0000")
    line = refusal(on_token("server-ec"))
    assert "the PIN is wrong" in line and "pkcs11:token=sip;object=server-ec" in line


@needs_root
def test_wrong_pin_later_is_tried_once(start, failing, faults, pki, token, pin_file):
    """Once for all keys of the token, until the next reload."""
    kam = start(failing("server-ec", certificate2=pki.cert("server-rsa"), private_key2=token.uri(
        "server-rsa", pin=False, pin_source=pin_file)).but(tcp_children=8))

    def ask(number):
        try:
            with TlsClient(kam.address(), context[number % 2]) as client:
                return client.ask().status == 200
        except (ssl.SSLError, OSError, EOFError):
            return False

    context = [client_context(version="TLSv1.2") for _ in range(2)]
    context[0].set_ciphers("ECDHE-RSA-AES128-GCM-SHA256")
    context[1].set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
    assert ask(0) and ask(1)
    logins = faults.count("login")
    faults.set(login=CKR_PIN_INCORRECT)
    gone = children(holder(kam))
    assert len(gone) == 2
    for pid in gone:
        os.kill(pid, signal.SIGKILL)
    until(lambda: not set(gone) & set(children(holder(kam))), "they are gone")
    with ThreadPoolExecutor(16) as pool:
        assert not any(pool.map(ask, range(48)))
    assert faults.count("login") == logins + 1
    assert kam.log.wait("ERROR.*the PIN is wrong; it is not tried again until the next tls.reload")
    faults.set()
    assert not ask(0) and not ask(1)
    assert kam.rpc("tls.reload").startswith("Ok")
    assert all(ask(number) for number in range(12))


@pytest.mark.parametrize("uri,words", (
    ("pkcs11:token=sip;object=nothing;type=private", "the token has no such private key"),
    ("pkcs11:token=other;object=server-ec;type=private", "there is no such token"),
    ("pkcs11:token=sip;object=server-rsa;type=private", "does not belong to the certificate"),
))
def test_refused_with_the_same_sentences(on_token, pin_file, uri, words):
    line = refusal(on_token("server-ec", private_key=f"{uri}?module-path={tokens.MODULE}&pin-source={pin_file}"))
    assert words in line


@needs_root
def test_module_that_others_can_change(failing, faults):
    os.chmod(faults.module, 0o777)
    assert re.search(r"key_isolation: the PKCS#11 module .*/p11-fault\.so\" is not loaded: .* others can write",
                     refusal(failing("server-ec")))
    assert not faults.count("login")


@needs_root
def test_module_of_another_user(failing, faults):
    shutil.chown(faults.module, "nobody")
    assert "does not belong to root" in refusal(failing("server-ec"))


@needs_root
def test_module_that_was_not_named_at_start(start, on_token, faults, pki, token, pin_file, tmp_path, hsm):
    """An attacker in a worker cannot have it loaded either. Modules registered with p11-kit may be named later."""
    config = tmp_path / "tls.cfg"

    def show(**query):
        uri = token.uri("server-ec", pin=False, pin_source=pin_file, **query)
        config.write_text(f"[server:default]\ncertificate = {pki.cert('server-ec')}\nprivate_key = \"{uri}\"\n")

    hsm.module = None
    show(module_name="softhsm2")
    kam = start(on_token("server-ec", config=str(config)))
    show(module_path=faults.module)
    with pytest.raises(RuntimeError):
        kam.rpc("tls.reload")
    assert kam.log.find("not reloaded.*was not named when Kamailio started, and is not registered with p11-kit")
    assert not faults.count("login")
    assert asks(kam) == "server-ec"
    show(module_path=tokens.MODULE)     # registered
    assert kam.rpc("tls.reload").startswith("Ok")
    assert asks(kam) == "server-ec"


# ---- failures --------------------------------------------------------------------------------------------------------

def test_token_process_that_hangs(start, on_token):
    kam = start(on_token("server-ec").but(tcp_children=1))
    with TlsClient(kam.address(), client_context()) as before:
        assert before.ask().status == 200
        os.kill(holder(kam), signal.SIGSTOP)
        try:
            mark = kam.log.mark()
            assert not is_served(kam)
            assert len(kam.log.wait("the token process did not answer in time", mark)) == 1
            mark = kam.log.mark()
            assert not any(is_served(kam) for _ in range(3))
            assert len(kam.log.wait("the token process does not answer", mark)) == 3
            assert before.ask().status == 200
        finally:
            os.kill(holder(kam), signal.SIGCONT)
        until(lambda: is_served(kam), "handshakes work again")
        assert before.ask().status == 200


@needs_root
def test_slow_token_holds_up_neither_files_nor_other_keys(start, failing, faults, pki, hsm, pin_file, tmp_path):
    """Each handshake with the slow key fails after its deadline; requests that wait for it never reach the token."""
    config = tmp_path / "tls.cfg"
    second = hsm.token("second", PIN)
    second.add_key("quick", pki.key("server-rsa"))
    hsm.module = tokens.MODULE
    quick = second.uri("quick", pin=False, pin_source=pin_file)
    slow = failing("server-ec", config=str(config))
    hsm.module = faults.module
    config.write_text(
        "[server:default]\nmethod = TLSv1.2+\n"
        f"certificate = {pki.cert('server-ec')}\n"
        "private_key = \"pkcs11:token=sip;object=server-ec;type=private"
        f"?module-path={faults.module}&pin-source={pin_file}\"\n"
        "[server:any]\nmethod = TLSv1.2+\nserver_name = file.example.org\n"
        f"certificate = {pki.cert('server-rsa')}\nprivate_key = {pki.key('server-rsa')}\n"
        "[server:any]\nmethod = TLSv1.2+\nserver_name = quick.example.org\n"
        f"certificate = {pki.cert('server-rsa')}\nprivate_key = \"{quick}\"\n")
    kam = start(slow.but(tcp_children=8))
    assert is_served(kam)
    before = faults.count("sign")
    faults.set(slow=5000)
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(is_served, kam) for _ in range(4)]
        until(lambda: faults.count("sign") > before, "a signature has begun")
        for name in ("file.example.org", "quick.example.org") * 3:
            with TlsClient(kam.address(), client_context(), name=name) as client:
                assert client.ask().status == 200 and client.shown() == "server-rsa"
        assert not any(one.result() for one in waiting)
    assert faults.count("sign") == before + 1
    faults.set()
    until(lambda: is_served(kam), "the token is used again")


@needs_root
@pytest.mark.parametrize("version", ("TLSv1.2", "TLSv1.3"))
def test_session_that_is_gone_is_opened_again(start, failing, faults, version):
    kam = start(failing("server-ec"))
    for epoch in range(1, 4):
        faults.set(epoch=epoch)
        for _ in range(4):
            assert asks(kam, version=version) == "server-ec"
    assert not kam.log.at_level("ERROR")


@needs_root
@pytest.mark.parametrize("fault", ({"gone": CKR_DEVICE_REMOVED}, {"absent": 1, "gone": CKR_DEVICE_REMOVED}), ids=str)
def test_token_goes_and_comes_back(start, failing, faults, fault):
    kam = start(failing("server-ec"))
    assert is_served(kam)
    faults.set(**fault)
    mark = kam.log.mark()
    assert [is_served(kam) for _ in range(4)] == [False] * 4
    until(lambda: len(errors(kam, mark)) >= 4, "one line for each handshake")
    lines = errors(kam, mark)
    assert len(lines) == 4 and all("pkcs11:token=sip;object=server-ec" in text for text in lines), lines
    faults.set()
    until(lambda: is_served(kam), "the token is used again")
    assert not kam.log.find(PIN)


def test_child_that_is_gone_is_started_again(start, on_token):
    """A module that crashes takes no other process down."""
    kam = start(on_token("server-ec"))
    assert is_served(kam)
    (child,) = children(holder(kam))
    os.kill(child, signal.SIGSEGV)
    until(lambda: is_served(kam), "handshakes work again")
    assert children(holder(kam)) not in ([], [child])
    assert kam.log.find("the PKCS#11 module crashed .signal 11.; its process is restarted on the next request")


def test_death_of_the_token_process_ends_kamailio(on_token):
    kam = Kamailio(on_token("server-ec"))
    try:
        kam.start()
        left = children(holder(kam))
        os.kill(holder(kam), signal.SIGKILL)
        assert kam._process.wait(30) != 0
        assert kam.log.find("child process .* exited by a signal 9")
        until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in left), "its children are gone")
    finally:
        kam.kill()
        kam.remove()


@needs_root
@pytest.mark.parametrize("loaded", (False, True))
def test_login_is_not_interrupted(failing, faults, pki, loaded):
    """A child that is to end, as the start is refused or by SIGTERM to all processes, ends when C_Login returns."""
    good = failing("server-ec")
    bad = good.but(modparams={
        "certificate": f"{pki.cert('server-ec')},{pki.cert('server-rsa')}",
        "private_key": f"{good.modparams['private_key']}," +
                       re.sub("token=[^;]*", "token=none", good.modparams["private_key"])})
    faults.set(enter=1500)       # a child that looks a key up logs in twice, and has 5 s left
    if not loaded:
        assert "there is no such token" in refusal(bad)
    else:
        kam = Kamailio(good)
        try:
            kam._launch()
            until(lambda: faults.count("login"), "a child logs in")
            os.killpg(kam._process.pid, signal.SIGTERM)
            kam._process.wait(30)
            kam._wait_for_the_rest()
        finally:
            kam.kill()
            kam.remove()
    assert faults.count("login") > 0
    assert faults.count("entered") == faults.count("login")


def test_child_that_hangs_at_the_stop(failing, faults):
    """It does not outlive Kamailio for long."""
    kam = Kamailio(failing("server-ec"))
    try:
        kam.start()
        assert is_served(kam)
        signed = faults.count("sign")
        faults.set(op="hang")
        with ThreadPoolExecutor(1) as pool:
            pool.submit(is_served, kam)
            until(lambda: faults.count("sign") > signed, "the child signs")
            kam.stop()
        kam._wait_for_the_rest()    # a zombie counts as gone: who reaps it is not Kamailio
    finally:
        kam.kill()
        kam.remove()


def test_child_that_hangs_has_the_last_session(start, failing, faults):
    """Its session is free when it was killed: a reload that fails until then can be repeated."""
    def is_reloaded():
        try:
            return kam.rpc("tls.reload").startswith("Ok")
        except RuntimeError:
            return False
    faults.set(sessions=2)
    kam = start(failing("server-ec"))
    assert is_served(kam)
    faults.set(sessions=2, op="hang")
    assert not is_served(kam)
    faults.set(sessions=2)
    assert is_reloaded()
    until(is_reloaded, "the old key's session is free")
    until(lambda: is_served(kam), "the new key is used")


def test_without_isolation_there_is_no_such_process(start, settings):
    assert not start(settings).pids(HOLDER)
