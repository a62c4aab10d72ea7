# tls_gnutls - end to end: private keys in a process of their own (key_isolation=1)
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from .lib import cli
from .lib.kamailio import Kamailio, StartFailed
from .lib.memory import process_holds
from .lib.pki import PASSPHRASE
from .lib.terminal import Terminal
from .lib.tls import BioClient, TlsClient, client_context, server_context
from .lib.uas import TlsAgent, UdpSender
from .lib.wait import until

pytestmark = pytest.mark.ours_only("there is no key_isolation")
PASSWORD = PASSPHRASE.decode()
HOLDER = "tls key process"


@pytest.fixture
def isolated(settings):
    return settings.but(modparams={"key_isolation": 1})


def with_key(settings, pki, row, **more):
    return settings.but(modparams={"certificate": pki.cert(row), "private_key": pki.key(row), **more})


def serves(kam, pki, row, version=None):
    with TlsClient(kam.address(), client_context(pki.path("ca.pem"), version=version)) as client:
        assert client.ask().status == 200
        assert client.shown() == pki.subject_cn(row)


def secrets(path):
    """The secret numbers of a key file, in the byte orders in which they may lie in memory."""
    with open(path, "rb") as file:
        key = serialization.load_pem_private_key(file.read(), None)
    numbers = key.private_numbers()
    values = (numbers.d, numbers.p, numbers.q) if isinstance(key, rsa.RSAPrivateKey) else (numbers.private_value,)
    for value in values:
        size = (value.bit_length() + 7) // 8
        yield value.to_bytes(size, "big")
        yield value.to_bytes(size, "little")


def holds(pid, path):
    return process_holds(pid, *secrets(path))


def others(kam):
    return [pid for pid in kam.pids() if pid not in kam.pids(HOLDER)]


def holder(kam):
    (pid,) = kam.pids(HOLDER)
    return pid


# ---- handshakes ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("version", ("TLSv1.2", "TLSv1.3"))
@pytest.mark.parametrize("row", ("server-ec", "server-rsa", "server-ec384"))
def test_handshake(start, isolated, pki, row, version):
    serves(start(with_key(isolated, pki, row)), pki, row, version)


def test_static_rsa(start, isolated, pki):
    """The key process decrypts too; a wrong ciphertext only fails the handshake."""
    kam = start(with_key(isolated, pki, "server-rsa", cipher_list="AES128-GCM-SHA256"))
    run = cli.openssl(kam.address(), "-cipher", "AES128-GCM-SHA256", trust=pki.path("ca.pem"), version="TLSv1.2")
    assert run.reply.status == 200 and run.cipher == "AES128-GCM-SHA256", run.output


@pytest.mark.parametrize("form", ("encrypted", "pkcs12", "both in one file"))
def test_forms_of_files(start, isolated, pki, tmp_path, form):
    (tmp_path / "password").write_text(PASSWORD)
    (tmp_path / "password").chmod(0o600)
    params = {"private_key": pki.key("server-ec.enc"), "private_key_password": f"file:{tmp_path}/password"}
    if form == "pkcs12":
        subprocess.run(["openssl", "pkcs12", "-export", "-in", pki.cert("server-ec"), "-inkey", pki.key("server-ec"),
                        "-passout", f"pass:{PASSWORD}", "-out", tmp_path / "ec.p12"], check=True, capture_output=True)
        params |= {"certificate": str(tmp_path / "ec.p12"), "private_key": None}
    if form == "both in one file":
        with open(tmp_path / "both.pem", "wb") as both:
            for path in (pki.cert("server-ec"), pki.key("server-ec")):
                both.write(open(path, "rb").read())
        params = {"certificate": str(tmp_path / "both.pem"), "private_key": str(tmp_path / "both.pem")}
    kam = start(isolated.but(modparams=params))
    serves(kam, pki, "server-ec")
    kam.rpc("tls.reload")
    serves(kam, pki, "server-ec")
    assert not [pid for pid in others(kam) if holds(pid, pki.key("server-ec"))]


def test_client_certificate(start, isolated, pki):
    """The client role: the key authenticates Kamailio to a server."""
    kam = start(with_key(isolated, pki, "client-rsa").but(listen=("tls", "udp")))
    context = server_context(pki.cert("server-ec"), pki.key("server-ec"), client_trust=pki.path("ca.pem"))
    with TlsAgent(context) as agent, UdpSender(kam.address("udp")) as sender:
        assert sender.ask(uri=f"sip:far@127.0.0.1:{agent.port};transport=tls").status == 200
        assert agent.peers[0] is not None


def test_many_at_once(start, isolated, pki):
    kam = start(with_key(isolated, pki, "server-rsa").but(tcp_children=4))

    def one(_):
        serves(kam, pki, "server-rsa")

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(one, range(200)))


def test_two_profiles_and_reload(tls_module, start, isolated, pki, tmp_path):
    """A changed key is used after the reload; the key process drops the old one at the next reload."""
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"

    def show(row):
        shutil.copy(pki.cert(row), cert)
        shutil.copy(pki.key(row), key)

    show("server-ec")
    kam = start(isolated.but(modparams={"certificate": str(cert), "private_key": str(key)}))
    serves(kam, pki, "server-ec")
    show("server-rsa")
    kam.rpc("tls.reload")
    serves(kam, pki, "server-rsa")
    for _ in range(3):
        kam.rpc("tls.reload")
    serves(kam, pki, "server-rsa")
    assert holds(holder(kam), pki.key("server-rsa"))
    assert tls_module.sanitized or not holds(holder(kam), pki.key("server-ec"))


# ---- which process holds what ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("row", ("server-ec", "server-rsa"))
def test_only_the_key_process_holds_the_key(start, settings, isolated, pki, row):
    """Without isolation a worker holds it too, which proves the search."""
    kam = start(with_key(settings, pki, row))
    serves(kam, pki, row)
    assert any(holds(pid, pki.key(row)) for pid in kam.workers())
    kam = start(with_key(isolated, pki, row))
    for _ in range(2):
        for version in ("TLSv1.2", "TLSv1.3"):
            serves(kam, pki, row, version)
        assert holds(holder(kam), pki.key(row))
        assert not [pid for pid in others(kam) if holds(pid, pki.key(row))]
        kam.rpc("tls.reload")


def test_key_that_only_root_can_read(isolated, pki):
    """The key process keeps the privileges that the others drop; it still ends with them."""
    if os.geteuid() != 0:
        pytest.skip("only root can start Kamailio as another user")
    kam = Kamailio(isolated)
    files = {"certificate": pki.cert("server-ec"), "private_key": pki.key("server-ec"), "ca_list": pki.path("ca.pem")}
    for name, path in files.items():
        copy = kam.folder / f"{name}.pem"
        shutil.copy(path, copy)
        copy.chmod(0o600 if name == "private_key" else 0o644)
        files[name] = str(copy)
    kam.settings = isolated.but(user="nobody", modparams=files)
    with kam:
        serves(kam, pki, "server-ec")
        kam.rpc("tls.reload")
        serves(kam, pki, "server-ec")
        status = open(f"/proc/{holder(kam)}/status", encoding="ascii").read()
        real, effective = re.search(r"^Uid:\s+(\d+)\s+(\d+)", status, re.MULTILINE).groups()
        assert real != "0" and effective == "0"
        assert os.stat(f"/proc/{holder(kam)}/mem").st_uid == 0     # no other process of that user can open it
        assert not subprocess.run(["setpriv", "--reuid", real, "--clear-groups", "cat", f"/proc/{holder(kam)}/maps"],
                                  capture_output=True, check=False).stdout


# ---- refusals --------------------------------------------------------------------------------------------------------

REFUSED = {
    "missing": (
        {"private_key": "/nowhere.key"}, r'private_key: cannot read "/nowhere\.key" as user \S+ .*: No such file'),
    "encrypted": ({"private_key": "{enc}"}, "private_key: .* is encrypted; set private_key_password"),
    "wrong password": (
        {"private_key": "{enc}", "private_key_password": "nonsense"}, "the password given does not open it"),
    "another key": ({"private_key": "{other}"}, "does not belong to the certificate"),
    "no key": ({"private_key": "{cert}"}, "holds no private key"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_the_same_sentences(isolated, pki, case):
    params, why = REFUSED[case]
    paths = {"{enc}": pki.key("server-ec.enc"), "{other}": pki.key("client-ok"), "{cert}": pki.cert("server-ec")}
    kam = Kamailio(isolated.but(modparams={name: paths.get(value, value) for name, value in params.items()}))
    try:
        with pytest.raises(StartFailed) as failure:
            kam.start()
        lines = [text for module, text in failure.value.log.at_level("ERROR") if module == "tls"]
        assert len(lines) == 1 and re.search(why, lines[0]), lines
        assert "nonsense" not in lines[0]
    finally:
        kam.kill()
        kam.remove()


def test_password_is_asked_for_by_the_key_process(settings, isolated, pki):
    one = Terminal(isolated.but(modparams={"private_key": pki.key("server-ec.enc"), "key_password_mode": 1}), True)
    try:
        one.answer(PASSPHRASE + b"\r")
        one.up()
        serves(one.kam, pki, "server-ec")
        assert one.shown.count(b"Password of") == 1
        one.kam.rpc("tls.reload")
        serves(one.kam, pki, "server-ec")
        assert not [pid for pid in one.kam.pids() if process_holds(pid, PASSPHRASE)]
    finally:
        one.close()


# ---- failures --------------------------------------------------------------------------------------------------------

def refused_handshake(kam):
    with pytest.raises((ssl.SSLError, OSError)):
        TlsClient(kam.address(), client_context()).close()


def test_key_process_that_hangs(start, isolated, pki):
    """Handshakes fail with one line each, connections stay up; once it runs again, handshakes work."""
    kam = start(isolated.but(tcp_children=1))
    with TlsClient(kam.address(), client_context()) as before:
        assert before.ask().status == 200
        os.kill(holder(kam), signal.SIGSTOP)
        try:
            mark = kam.log.mark()
            refused_handshake(kam)
            assert len(kam.log.wait("the key process did not answer in time", mark)) == 1
            mark = kam.log.mark()
            for _ in range(3):
                refused_handshake(kam)
            assert len(kam.log.wait("the key process does not answer", mark)) == 3
            assert before.ask().status == 200
        finally:
            os.kill(holder(kam), signal.SIGCONT)
        until(lambda: works(kam), "handshakes work again")
        assert before.ask().status == 200


def reader_waits(pid):
    """Whether a process waits in poll(), as a TCP reader does for the key process; for connections it uses epoll."""
    with open(f"/proc/{pid}/wchan", encoding="ascii") as where:
        return where.read().startswith(("poll_schedule", "do_poll", "do_sys_poll"))


def stop_reader_in_handshake(kam, reader, client):
    """Stop a TCP reader while it waits for the key process, with the lock of a connection."""
    mark = kam.log.mark()
    client.step()
    client.sock.sendall(client.outgoing())
    until(lambda: reader_waits(reader) or kam.log.find("did not answer in time", mark), "the handshake")
    os.kill(reader, signal.SIGSTOP)
    if not kam.log.find("did not answer in time|does not answer", mark):
        return True
    os.kill(reader, signal.SIGCONT)
    return False


def test_closing_does_not_wait_for_the_key_process(start, isolated):
    """With send_close_notify, TCP main closes a connection whose lock a reader holds: it goes on accepting others."""
    kam = start(isolated.but(tcp_children=1, modparams={
        **isolated.modparams, "send_close_notify": 1, "handshake_timeout": 0}))
    (reader,) = kam.pids("tcp receiver")
    with BioClient(kam.address(), client_context()) as client:
        os.kill(holder(kam), signal.SIGSTOP)
        try:
            if not stop_reader_in_handshake(kam, reader, client):
                pytest.skip("the reader could not be stopped in time")
            (connection,) = kam.rpc("tls.list")
            kam.rpc("tls.kill", connection["id"])
            with socket.create_connection(kam.address()), socket.create_connection(kam.address()):
                until(lambda: kam.tls_info()["opened_connections"] >= 2, "TCP main accepts connections")
        finally:
            os.kill(reader, signal.SIGCONT)
            os.kill(holder(kam), signal.SIGCONT)
    kam.wait_connections(0)
    assert works(kam)


def works(kam):
    try:
        with TlsClient(kam.address(), client_context()) as client:
            return client.ask().status == 200
    except (ssl.SSLError, OSError):
        return False


def test_reload_while_the_key_process_hangs(start, isolated, pki):
    kam = start(isolated)
    os.kill(holder(kam), signal.SIGSTOP)
    try:
        with pytest.raises(RuntimeError):
            kam.rpc("tls.reload", timeout_s=60)
        assert kam.log.find("not reloaded.*the key process did not answer in time")
    finally:
        os.kill(holder(kam), signal.SIGCONT)
    until(lambda: works(kam), "handshakes work")
    until(lambda: reloads(kam), "reloads work again")
    serves(kam, pki, "server-ec")


def reloads(kam):
    try:
        return "Ok" in kam.rpc("tls.reload")
    except RuntimeError:
        return False


def test_death_of_the_key_process_ends_kamailio(isolated):
    kam = Kamailio(isolated)
    try:
        kam.start()
        os.kill(holder(kam), signal.SIGKILL)
        assert kam._process.wait(30) != 0
        assert kam.log.find("child process .* exited by a signal 9")
    finally:
        kam.kill()
        kam.remove()


def test_without_isolation_there_is_no_such_process(start, settings):
    assert not start(settings).pids(HOLDER)
