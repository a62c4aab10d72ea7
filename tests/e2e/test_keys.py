# tls_gnutls - end to end: private keys in files, their passwords, several pairs, warnings at load
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import os
import re
import select
import shutil
import subprocess
import termios
from pathlib import Path

import pytest

from .lib import cli, sip
from .lib.hostile import HANDSHAKE, client_hello, record
from .lib.kamailio import Kamailio, StartFailed
from .lib.memory import process_holds
from .lib.pki import PASSPHRASE
from .lib.ports import free_port
from .lib.terminal import Terminal
from .lib.tls import BioClient, TlsClient, client_context
from .lib.tlscfg import reading, section
from .lib.uas import UdpSender

pytestmark = pytest.mark.ours_only("5.6.3 has no passwords and one key per profile")
PASSWORD = PASSPHRASE.decode()
WRONG = "not-this-one"


def openssl(*args):
    subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True, timeout=60)


@pytest.fixture(scope="session")
def keyring(pki, tmp_path_factory):
    """The keys of server-ec and server-rsa in every form; keyring(name) is the path."""
    folder = tmp_path_factory.mktemp("keys")
    secret = f"pass:{PASSWORD}"
    ec, rsa = pki.key("server-ec"), pki.key("server-rsa")
    for form in ("PEM", "DER"):
        end = form.lower()
        openssl("ec", "-in", ec, "-outform", form, "-out", folder / f"ec-sec1.{end}")
        openssl("rsa", "-traditional", "-in", rsa, "-outform", form, "-out", folder / f"rsa-pkcs1.{end}")
        for name, key in (("ec", ec), ("rsa", rsa)):
            openssl("pkcs8", "-topk8", "-nocrypt", "-in", key, "-outform", form, "-out", folder / f"{name}-pkcs8.{end}")
            openssl("pkcs8", "-topk8", "-in", key, "-passout", secret, "-outform", form,
                    "-out", folder / f"{name}-enc.{end}")
    openssl("ec", "-in", ec, "-aes256", "-passout", secret, "-out", folder / "ec-old.pem")
    openssl("rsa", "-traditional", "-in", rsa, "-aes256", "-passout", secret, "-out", folder / "rsa-old.pem")
    for name, row in (("ec", "server-ec"), ("rsa", "server-rsa")):
        chain = Path(pki.cert(row))
        openssl("pkcs12", "-export", "-in", chain, "-inkey", pki.key(row), "-passout", secret,
                "-out", folder / f"{name}.p12")
        openssl("pkcs12", "-export", "-in", chain, "-inkey", pki.key(row), "-passout", "pass:",
                "-out", folder / f"{name}-open.pfx")
        (folder / f"{name}-both.pem").write_bytes(chain.read_bytes() + Path(pki.key(row)).read_bytes())
    (folder / "password").write_text(f"{PASSWORD}\nsecond line\n")
    (folder / "wrong").write_text(f"{WRONG}\n")
    for path in folder.iterdir():
        path.chmod(0o600)
    return lambda name: str(folder / name)


def serves(kam, pki, row, version=None, **args):
    """Assert that the server presents the certificate of a row, with its chain."""
    with TlsClient(kam.address(), client_context(pki.path("ca.pem"), version=version), **args) as client:
        assert client.ask().status == 200
        assert client.shown() == pki.subject_cn(row)


def refused(settings):
    """The lines at level ERROR of the module in a start that must fail."""
    kam = Kamailio(settings)
    try:
        with pytest.raises(StartFailed) as failure:
            kam.start()
        assert failure.value.status != 0
        return [text for module, text in failure.value.log.at_level("ERROR") if module == "tls"]
    finally:
        kam.kill()
        kam.remove()


def refused_with(settings, *patterns):
    """Exactly one line says why, with all the patterns in it."""
    lines = refused(settings)
    assert len(lines) == 1, lines
    for pattern in patterns:
        assert re.search(pattern, lines[0]), lines
    return lines[0]


def not_reloaded(kam, pattern):
    """tls.reload fails, and one line at ERROR says why (the reply of the command is shorter)."""
    mark = kam.log.mark()
    with pytest.raises(RuntimeError):
        kam.rpc("tls.reload")
    lines = [text for module, text in kam.log.at_level("ERROR", mark) if module == "tls"]
    assert len(lines) == 1 and re.search(pattern, lines[0]), lines


def warnings(kam, path):
    return [text for module, text in kam.log.at_level("WARNING") if module == "tls" and path in text]


@pytest.fixture
def with_file(settings, tmp_path):
    """with_file(text) returns settings of a Kamailio that reads it as tls.cfg."""
    def make(text, **changes):
        path = tmp_path / "tls.cfg"
        path.write_text(text)
        path.chmod(0o600)
        return reading(settings, path, **changes)

    return make


# ---- forms -----------------------------------------------------------------------------------------------------------

PLAIN = ("ec-sec1.pem", "ec-sec1.der", "ec-pkcs8.pem", "ec-pkcs8.der", "ec-both.pem",
         "rsa-pkcs1.pem", "rsa-pkcs1.der", "rsa-pkcs8.pem", "rsa-pkcs8.der", "rsa-both.pem")
ENCRYPTED = ("ec-enc.pem", "ec-enc.der", "ec-old.pem", "rsa-enc.pem", "rsa-enc.der", "rsa-old.pem")


def keyed(settings, pki, keyring, name, password=None):
    row = f"server-{name.partition('-')[0].partition('.')[0]}"
    return row, settings.but(modparams={"certificate": pki.cert(row), "private_key": keyring(name),
                                        "private_key_password": password})


@pytest.mark.parametrize("name", PLAIN)
def test_plain_key(start, settings, pki, keyring, name):
    row, ready = keyed(settings, pki, keyring, name)
    serves(start(ready), pki, row)


@pytest.mark.parametrize("name", ENCRYPTED)
def test_encrypted_key(start, settings, pki, keyring, name):
    row, ready = keyed(settings, pki, keyring, name, PASSWORD)
    serves(start(ready), pki, row)


@pytest.mark.parametrize("name", ENCRYPTED)
@pytest.mark.parametrize("password", (None, WRONG))
def test_encrypted_key_without_its_password(settings, pki, keyring, name, password):
    _, ready = keyed(settings, pki, keyring, name, password)
    line = refused_with(ready, re.escape(keyring(name)), r"\bprivate_key\b",
                        "does not open it" if password else "set private_key_password")
    assert WRONG not in line


# ---- PKCS#12 ---------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("key", (False, True))
@pytest.mark.parametrize("name, password", (("ec.p12", PASSWORD), ("rsa.p12", PASSWORD), ("ec-open.pfx", None)))
def test_pkcs12(start, settings, pki, keyring, name, password, key):
    """It provides certificate, intermediate and key, whether private_key names it or is not set."""
    row = f"server-{name.partition('-')[0].partition('.')[0]}"
    kam = start(settings.but(modparams={"certificate": keyring(name), "private_key_password": password,
                                        "private_key": keyring(name) if key else None}))
    serves(kam, pki, row)


@pytest.mark.parametrize("password", (None, WRONG))
def test_pkcs12_without_its_password(settings, keyring, password):
    refused_with(settings.but(modparams={"certificate": keyring("ec.p12"), "private_key": None,
                                         "private_key_password": password}),
                 r"\bcertificate\b", re.escape(keyring("ec.p12")), "does not open it" if password else "is encrypted")


def test_pkcs12_in_sections(start, with_file, pki, keyring):
    kam = start(with_file("".join((
        section("server:default", certificate=keyring("ec.p12"), private_key_password=PASSWORD),
        section("server:any", server_name="rsa.example", certificate=keyring("rsa.p12"),
                pkey_password=f"file:{keyring('password')}"),
        section("client:default", certificate=keyring("ec.p12"), private_key_password=PASSWORD)))))
    serves(kam, pki, "server-ec")
    with TlsClient(kam.address(), client_context(), name="rsa.example") as client:
        assert client.shown() == pki.subject_cn("server-rsa")


def test_two_pkcs12_files(start, settings, pki, keyring):
    kam = start(settings.but(modparams={
        "certificate": f"{keyring('ec.p12')}, {keyring('rsa.p12')}", "private_key": None,
        "private_key_password": PASSWORD}))
    assert chosen(kam, pki, ("-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256")) == pki.subject_cn("server-rsa")
    assert chosen(kam, pki, ("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256")) == pki.subject_cn("server-ec")


def test_pkcs12_of_another_certificate(settings, pki, keyring):
    refused_with(settings.but(modparams={"certificate": pki.cert("server-rsa"), "private_key": keyring("ec.p12"),
                                         "private_key_password": PASSWORD}), "does not belong")


# ---- where passwords come from ---------------------------------------------------------------------------------------

def test_password_from_a_file(start, settings, pki, keyring):
    _, ready = keyed(settings, pki, keyring, "ec-enc.pem", f"file:{keyring('password')}")
    kam = start(ready)
    serves(kam, pki, "server-ec")
    assert not warnings(kam, keyring("password"))
    _, ready = keyed(settings, pki, keyring, "ec-enc.pem", f"file:{keyring('wrong')}")
    refused_with(ready, "does not open it")
    _, ready = keyed(settings, pki, keyring, "ec-enc.pem", f"file:{keyring('nowhere')}")
    refused_with(ready, "private_key_password", "nowhere", "No such file")


def test_password_file_that_everybody_can_read(start, settings, pki, keyring, tmp_path):
    path = tmp_path / "password"
    path.write_text(PASSWORD)
    path.chmod(0o644)
    _, ready = keyed(settings, pki, keyring, "ec-enc.pem", f"file:{path}")
    kam = start(ready)
    assert any("is world-readable" in text for text in warnings(kam, str(path))), kam.log.tail(20)


def test_relative_password_file(settings, pki, keyring):
    """Relative to the folder of the main configuration file."""
    _, ready = keyed(settings, pki, keyring, "ec-enc.pem", "file:secret")
    kam = Kamailio(ready)
    shutil.copy(keyring("password"), kam.folder / "secret")
    with kam:
        serves(kam, pki, "server-ec")


def test_password_from_the_environment(start, settings, pki, keyring, monkeypatch):
    _, ready = keyed(settings, pki, keyring, "rsa-enc.pem", "env:TLSG_TEST_PASSWORD")
    refused_with(ready, "private_key_password", "TLSG_TEST_PASSWORD")
    monkeypatch.setenv("TLSG_TEST_PASSWORD", PASSWORD)
    serves(start(ready), pki, "server-rsa")


def test_one_file_two_passwords(start, with_file, pki, keyring):
    """A wrong password is refused though another section has opened the same file."""
    def sections(second):
        same = {"certificate": pki.cert("server-ec"), "private_key": keyring("ec-enc.pem")}
        return "".join((section("server:default", private_key_password=PASSWORD, **same),
                        section("server:any", server_name="b.example", private_key_password=second, **same)))

    refused_with(with_file(sections(WRONG)), r"TLSs<any:b\.example>", "does not open it")
    serves(start(with_file(sections(PASSWORD))), pki, "server-ec", name="localhost")


@pytest.mark.parametrize("how", ("parameter", "section"))
def test_password_is_not_shown(start, settings, with_file, pki, keyring, how):
    if how == "parameter":
        _, ready = keyed(settings, pki, keyring, "ec-enc.pem", PASSWORD)
    else:
        ready = with_file(section("server:default", certificate=pki.cert("server-ec"),
                                  private_key=keyring("ec-enc.pem"), private_key_password=PASSWORD))
    kam = start(ready.but(debug=3))
    serves(kam, pki, "server-ec")
    answers = [str(kam.rpc(name)) for name in ("tls.reload", "tls.options", "tls.profiles", "tls.info", "tls.list")]
    assert all(PASSWORD not in answer for answer in answers)
    assert not kam.log.find(PASSWORD)


def test_password_of_a_section_is_not_kept(start, with_file, pki, keyring):
    """After start and reload no process has it in its memory; finding the server name proves the search."""
    kam = start(with_file(section("server:default", certificate=pki.cert("server-ec"), server_name="needle.example",
                                  private_key=keyring("ec-enc.pem"),
                                  private_key_password=f"file:{keyring('password')}")))
    serves(kam, pki, "server-ec")
    kam.rpc("tls.reload")
    for pid in kam.pids():
        assert process_holds(pid, b"needle.example")
        assert not process_holds(pid, PASSPHRASE)


# ---- prompts on the terminal -----------------------------------------------------------------------------------------

@pytest.fixture
def terminal(settings, pki, keyring):
    """terminal(key, daemon, **modparams): a Kamailio that asks for the password of a key."""
    running = []

    def begin(key, daemon, **modparams):
        one = Terminal(settings.but(modparams={
            "certificate": pki.cert("server-ec"), "private_key": keyring(key) if os.sep not in key else key,
            "key_password_mode": 1, **modparams}), daemon)
        running.append(one)
        return one

    yield begin
    for one in running:
        one.close()


@pytest.mark.parametrize("daemon", (False, True))
def test_password_is_prompted_for(terminal, pki, keyring, daemon):
    one = terminal("ec-enc.pem", daemon)
    one.answer(b"x\x7f" + PASSPHRASE + b"\r")
    one.up()
    serves(one.kam, pki, "server-ec")
    assert keyring("ec-enc.pem").encode() in one.shown
    assert one.shown.count(b"Password of") == 1     # one prompt for both profiles of the parameters
    assert PASSPHRASE not in one.shown              # no echo
    assert not one.kam.log.find(PASSWORD)
    attributes = termios.tcgetattr(one.master)
    assert attributes[3] & termios.ECHO and attributes[3] & termios.ICANON


@pytest.mark.parametrize("daemon", (False, True))
@pytest.mark.parametrize("typed, why", ((WRONG.encode() + b"\r", "password typed does not open it"),
                                        (b"\r", "nothing was typed"), (b"abc\x03", "cancelled")))
def test_password_typed_wrong(terminal, daemon, typed, why):
    one = terminal("ec-enc.pem", daemon)
    one.answer(typed)
    lines = one.failed()
    assert len(lines) == 1 and why in lines[0], lines


def test_password_mode_1_does_not_take_the_setting(terminal):
    one = terminal("ec-enc.pem", False, private_key_password=PASSWORD)
    one.answer(b"\r")
    assert "nothing was typed" in one.failed()[0]


def test_password_is_not_prompted_for_plain_keys(terminal, pki):
    one = terminal("ec-pkcs8.pem", True)
    one.up()
    serves(one.kam, pki, "server-ec")
    assert b"Password" not in one.shown


def test_password_mode_1_without_a_terminal(settings, pki, keyring):
    _, ready = keyed(settings.but(modparams={"key_password_mode": 1}), pki, keyring, "ec-enc.pem", PASSWORD)
    refused_with(ready, re.escape(keyring("ec-enc.pem")), "no terminal")


def test_password_mode_1_and_reload(terminal, pki, keyring, tmp_path):
    """An unchanged file is kept; a changed one would need its password."""
    key = tmp_path / "key.pem"
    shutil.copy(keyring("ec-enc.pem"), key)
    one = terminal(str(key), True)
    one.answer(PASSPHRASE + b"\r")
    one.up()
    assert "Ok" in str(one.kam.rpc("tls.reload"))
    serves(one.kam, pki, "server-ec")
    openssl("pkcs8", "-topk8", "-in", pki.key("server-ec"), "-passout", f"pass:{PASSWORD}", "-out", key)
    not_reloaded(one.kam, "at start only")
    serves(one.kam, pki, "server-ec")
    shutil.copy(pki.key("server-ec"), key)
    one.kam.rpc("tls.reload")
    serves(one.kam, pki, "server-ec")


# ---- several pairs ---------------------------------------------------------------------------------------------------

def two(pki, first="server-ec", second="server-rsa"):
    return {"certificate": pki.cert(first), "private_key": pki.key(first),
            "certificate2": pki.cert(second), "private_key2": pki.key(second)}


def listed(pki, *rows):
    return {"certificate": ",".join(map(pki.cert, rows)), "private_key": " , ".join(map(pki.key, rows))}


# arguments of openssl s_client -> certificate
CHOICES = {
    "1.3, anything": (("-tls1_3",), "server-ec"),
    "1.3, RSA-PSS": (("-tls1_3", "-sigalgs", "rsa_pss_rsae_sha256"), "server-rsa"),
    "1.3, P-256": (("-tls1_3", "-sigalgs", "ecdsa_secp256r1_sha256"), "server-ec"),
    "1.3, RSA before P-256": (("-tls1_3", "-sigalgs", "rsa_pss_rsae_sha256:ecdsa_secp256r1_sha256"), "server-ec"),
    "1.2, anything": (("-tls1_2",), "server-ec"),
    "1.2, ECDHE-RSA": (("-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"), "server-rsa"),
    "1.2, ECDHE-ECDSA": (("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"), "server-ec"),
    "1.2, DHE-RSA": (("-tls1_2", "-cipher", "DHE-RSA-AES128-GCM-SHA256"), "server-rsa"),
    "1.2, static RSA": (("-tls1_2", "-cipher", "AES128-GCM-SHA256"), "server-rsa"),
    "1.2, both, signatures RSA": (("-tls1_2", "-sigalgs", "RSA+SHA256"), "server-rsa"),
    "1.2, both, signatures ECDSA": (("-tls1_2", "-sigalgs", "ECDSA+SHA256"), "server-ec"),
}
P384 = {
    "1.3, P-384 only": (("-tls1_3", "-sigalgs", "ecdsa_secp384r1_sha384"), "server-ec384"),
    "1.3, P-256 only": (("-tls1_3", "-sigalgs", "ecdsa_secp256r1_sha256"), "server-ec"),
    "1.3, RSA only": (("-tls1_3", "-sigalgs", "rsa_pss_rsae_sha384"), "server-rsa"),
    "1.2, RSA only": (("-tls1_2", "-sigalgs", "RSA+SHA256"), "server-rsa"),
}


def chosen(kam, pki, args, name=None):
    """Common name of the certificate that openssl s_client gets, verified with its chain."""
    run = cli.openssl(kam.address(), *args, *(("-servername", name) if name else ()), trust=pki.path("ca.pem"))
    assert run.reply is not None and run.reply.status == 200, run.output
    return re.search(r"^ ?0 s:.*CN ?= ?(\S+)$", run.output, re.MULTILINE).group(1)


@pytest.fixture(scope="module")
def ways(settings, pki, tmp_path_factory):
    """The same two pairs configured in every way: {way: (Kamailio, server name)}."""
    folder = tmp_path_factory.mktemp("ways")
    text = "".join((
        section("server:default", certificate=pki.cert("server-deep"), private_key=pki.key("server-deep")),
        section("server:any", server_name="two.example", **two(pki)),
        section("server:any", server_name="list.example", **listed(pki, "server-rsa", "server-ec"))))
    (folder / "tls.cfg").write_text(text)
    base = settings.but(modparams={"cipher_list": "DEFAULT:@SECLEVEL=1"})
    none = {"certificate": None, "private_key": None, "cipher_list": None, "config": str(folder / "tls.cfg")}
    with Kamailio(base.but(modparams=two(pki))) as one, \
            Kamailio(base.but(modparams=listed(pki, "server-ec", "server-rsa"))) as two_of_list, \
            Kamailio(base.but(modparams=none)) as by_name:
        yield {"parameters": (one, None), "list": (two_of_list, None),
               "section": (by_name, "two.example"), "list in a section": (by_name, "list.example")}


@pytest.mark.parametrize("case", CHOICES)
@pytest.mark.parametrize("way", ("parameters", "list", "section", "list in a section"))
def test_pair_is_chosen_for_the_client(ways, pki, way, case):
    args, row = CHOICES[case]
    kam, name = ways[way]
    assert chosen(kam, pki, args, name) == pki.subject_cn(row)


@pytest.mark.parametrize("args", (
    ("-tls1_3", "-sigalgs", "ed25519"), ("-tls1_3", "-sigalgs", "ecdsa_secp521r1_sha512")))
def test_no_pair_for_the_client(ways, pki, args):
    """The handshake is refused with an alert; the log has no line at ERROR."""
    kam, _ = ways["parameters"]
    mark = kam.log.mark()
    run = cli.openssl(kam.address(), *args, trust=pki.path("ca.pem"))
    assert run.reply is None and "alert" in run.output, run.output
    assert not kam.log.at_level("ERROR", mark) and not kam.log.at_level("CRITICAL", mark)


@pytest.fixture(scope="module")
def three(settings, pki):
    with Kamailio(settings.but(modparams=listed(pki, "server-rsa", "server-ec", "server-ec384"))) as kam:
        yield kam


@pytest.mark.parametrize("case", P384)
def test_pair_is_chosen_by_curve(three, pki, case):
    args, row = P384[case]
    assert chosen(three, pki, args) == pki.subject_cn(row)


# Curves that the client lists: up to TLS 1.2 for certificates too (RFC 8422 section 5.1), in TLS 1.3 for key exchange.
GROUPS = {
    "1.2, P-384": (("-tls1_2", "-groups", "P-384"), "server-rsa"),
    "1.2, P-256": (("-tls1_2", "-groups", "P-256"), "server-ec"),
    "1.2, P-384 before P-256": (("-tls1_2", "-groups", "P-384:P-256"), "server-ec"),
    "1.2, X25519": (("-tls1_2", "-groups", "X25519"), "server-rsa"),
    "1.2, P-384, ECDHE-ECDSA first": (("-tls1_2", "-groups", "P-384", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256:"
                                       "ECDHE-RSA-AES128-GCM-SHA256"), "server-rsa"),
    "1.2, P-384, static RSA": (("-tls1_2", "-groups", "P-384", "-cipher", "AES128-GCM-SHA256"), "server-rsa"),
    "1.3, P-384": (("-tls1_3", "-groups", "P-384"), "server-ec"),
    "1.3, X25519": (("-tls1_3", "-groups", "X25519"), "server-ec"),
    "1.3, P-384, RSA-PSS": (("-tls1_3", "-groups", "P-384", "-sigalgs", "rsa_pss_rsae_sha256"), "server-rsa"),
    "1.3, P-384, P-256": (("-tls1_3", "-groups", "P-384", "-sigalgs", "ecdsa_secp256r1_sha256"), "server-ec"),
    "both, P-384": (("-groups", "P-384"), "server-ec"),
}


@pytest.mark.parametrize("case", GROUPS)
@pytest.mark.parametrize("way", ("parameters", "list", "section", "list in a section"))
def test_curve_of_the_key_is_one_that_the_client_lists(ways, pki, way, case):
    args, row = GROUPS[case]
    kam, name = ways[way]
    assert chosen(kam, pki, args, name) == pki.subject_cn(row)


@pytest.mark.parametrize("args", (
    ("-tls1_2", "-groups", "P-384", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"),
    ("-tls1_2", "-groups", "P-384", "-sigalgs", "ECDSA+SHA256"),
    ("-tls1_3", "-groups", "P-384", "-sigalgs", "ecdsa_secp384r1_sha384")))
def test_no_key_on_a_curve_that_the_client_lists(ways, pki, args):
    """The handshake is refused with an alert; the log has no line at ERROR."""
    kam, _ = ways["parameters"]
    mark = kam.log.mark()
    run = cli.openssl(kam.address(), *args, trust=pki.path("ca.pem"))
    assert run.reply is None and "alert handshake failure" in run.output, run.output
    assert not kam.log.at_level("ERROR", mark) and not kam.log.at_level("CRITICAL", mark)


@pytest.mark.parametrize("groups,row", (
    ("P-384", "server-ec384"), ("P-256", "server-ec"), ("P-521", "server-rsa"), ("P-384:P-256", "server-ec")))
@pytest.mark.parametrize("ciphers", (None, "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"))
def test_key_is_chosen_by_the_curves_of_the_client(start, settings, pki, groups, row, ciphers):
    """With a cipher_list, which has to be enforced, and without."""
    pairs = listed(pki, "server-rsa", "server-ec", "server-ec384")
    kam = start(settings.but(modparams={**pairs, "cipher_list": ciphers}))
    assert chosen(kam, pki, ("-tls1_2", "-groups", groups)) == pki.subject_cn(row)


@pytest.mark.parametrize("extension,row", (
    (b"", "server-ec"),                                     # not sent: any curve
    (b"\0\x0a\0\4\0\2\0\x17", "server-ec"),               # P-256
    (b"\0\x0a\0\4\0\2\0\x18", "server-rsa"),              # P-384
    (b"\0\x0a\0\6\0\4\x0a\x0a\0\x18", "server-rsa"),      # an unknown one and P-384
), ids=("none", "P-256", "P-384", "unknown and P-384"))
def test_curves_of_a_client_hello(ways, pki, extension, row):
    """With suites for both kinds of keys, that for ECDSA first."""
    kam, _ = ways["parameters"]
    hello = client_hello(suites=b"\xc0\x2b\xc0\x2f", extensions=extension + b"\0\x0d\0\6\0\4\4\3\4\1")
    with BioClient(kam.address(), client_context()) as client:
        client.sock.sendall(record(HANDSHAKE, hello))
        data = b""
        while b"\x0e\0\0\0" not in data:                    # ServerHelloDone
            more = client.sock.recv(65536)
            assert more, data
            data += more
    assert pki.subject_cn(row).encode() in data


def test_ed25519_is_on_no_curve_of_that_list(start, settings, pki, tmp_path):
    """A client that takes Ed25519 signatures gets that certificate, whatever its curves are."""
    cert, key = tmp_path / "ed.crt", tmp_path / "ed.key"
    openssl("req", "-x509", "-newkey", "ed25519", "-nodes", "-subj", "/CN=ed", "-addext", "subjectAltName=IP:127.0.0.1",
            "-days", "3", "-keyout", key, "-out", cert)
    trust = tmp_path / "trust.pem"
    trust.write_bytes(cert.read_bytes() + open(pki.path("ca.pem"), "rb").read())
    kam = start(settings.but(modparams={"certificate": str(cert), "private_key": str(key),
                                        "certificate2": pki.cert("server-rsa"), "private_key2": pki.key("server-rsa")}))
    for version in ("-tls1_2", "-tls1_3"):
        for groups in ("P-384", "X25519"):
            for algorithms, shown in (("ed25519:rsa_pss_rsae_sha256", "ed"),
                                      ("rsa_pss_rsae_sha256", pki.subject_cn("server-rsa"))):
                run = cli.openssl(kam.address(), version, "-groups", groups, "-sigalgs", algorithms, trust=trust)
                assert run.reply is not None, run.output
                assert re.search(r"^ ?0 s:.*CN ?= ?(\S+)$", run.output, re.MULTILINE).group(1) == shown


# arguments of openssl s_server that ask for a client certificate -> certificate
ASKED = {
    "1.3, RSA-PSS": (("-tls1_3", "-client_sigalgs", "rsa_pss_rsae_sha256"), "client-rsa"),
    "1.3, P-256": (("-tls1_3", "-client_sigalgs", "ecdsa_secp256r1_sha256"), "client-ok"),
    "1.2, RSA": (("-tls1_2", "-client_sigalgs", "RSA+SHA256"), "client-rsa"),
    "1.2, ECDSA": (("-tls1_2", "-client_sigalgs", "ECDSA+SHA256"), "client-ok"),
}


@pytest.fixture(scope="module")
def client(settings, pki):
    params = {**two(pki, "client-ok", "client-rsa")}
    with Kamailio(settings.but(listen=("tls", "udp"), modparams=params)) as kam:
        yield kam


@pytest.mark.parametrize("case", ASKED)
def test_pair_is_chosen_for_the_server(client, pki, case):
    """The same for outgoing connections: what a server's CertificateRequest admits."""
    args, row = ASKED[case]
    port = free_port()
    server = subprocess.Popen(
        ["openssl", "s_server", "-accept", f"127.0.0.1:{port}",
         "-cert", pki.cert("server-ec"), "-key", pki.key("server-ec"),
         "-CAfile", pki.path("ca.pem"), "-Verify", "3", "-verify_return_error", *args],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0)
    try:
        _read_until(server, rb"ACCEPT")
        with UdpSender(client.address("udp")) as sender:
            sender.sock.send(sip.request(via="UDP", sent_by=sender.sent_by, call_id=sip.new_id(),
                                         uri=f"sip:far@127.0.0.1:{port};transport=tls"))
            shown = _read_until(server, rb"subject=.*\n")
        assert pki.subject_cn(row) in shown.decode()
    finally:
        server.kill()
        server.wait()
        server.stdin.close()
        server.stdout.close()


def _read_until(process, pattern):
    shown = b""
    while not re.search(pattern, shown):
        assert select.select([process.stdout], [], [], 20)[0], shown
        data = process.stdout.read(4096)
        assert data, shown
        shown += data
    return shown


BAD_LISTS = {
    "one key for two certificates": (
        {"certificate": "{ec.crt},{rsa.crt}", "private_key": "{ec.key}"}, "2 files and private_key 1"),
    "keys the wrong way round": (
        {"certificate": "{ec.crt},{rsa.crt}", "private_key": "{rsa.key},{ec.key}"}, "does not belong"),
    "empty name": ({"certificate": "{ec.crt},", "private_key": "{ec.key},{rsa.key}"}, "is empty"),
    "a key alone": ({"private_key2": "{rsa.key}"}, "without a certificate2"),
    "second pair does not fit": (
        {"certificate2": "{rsa.crt}", "private_key2": "{ec.key}"}, "private_key2.*does not belong"),
    "second file missing": ({"certificate2": "/nowhere", "private_key2": "{ec.key}"}, "certificate2.*No such file"),
}


@pytest.mark.parametrize("case", BAD_LISTS)
def test_bad_pairs(settings, pki, case):
    params, why = BAD_LISTS[case]
    for word, path in (("{ec.crt}", pki.cert("server-ec")), ("{ec.key}", pki.key("server-ec")),
                       ("{rsa.crt}", pki.cert("server-rsa")), ("{rsa.key}", pki.key("server-rsa"))):
        params = {name: value.replace(word, path) for name, value in params.items()}
    refused_with(settings.but(modparams=params), why)


# ---- checks at load --------------------------------------------------------------------------------------------------

def _first_only(pki, row, folder):
    path = folder / "leaf.pem"
    end = "-----END CERTIFICATE-----\n"
    path.write_text(Path(pki.cert(row)).read_text().partition(end)[0] + end)
    return str(path)


def _reversed(pki, row, folder):
    path = folder / "reversed.pem"
    blocks = re.findall(r"-----BEGIN.*?END CERTIFICATE-----\n", Path(pki.cert(row)).read_text(), re.DOTALL)
    path.write_text("".join(reversed(blocks)))
    return str(path)


def _without_middle(pki, row, folder):
    path = folder / "gap.pem"
    blocks = re.findall(r"-----BEGIN.*?END CERTIFICATE-----\n", Path(pki.cert(row)).read_text(), re.DOTALL)
    path.write_text(blocks[0] + blocks[2])
    return str(path)


# row -> (file made from its chain, None the chain itself; further parameters; what the warning says)
WARNED = {
    "expired": ("server-expired", None, {}, "has expired"),
    "not yet valid": ("server-notyet", None, {}, "not valid yet"),
    "intermediate expired": ("server-old-inter", None, {}, "CA .*inter-old.* has expired"),
    "one intermediate missing": ("server-deep", _without_middle, {}, "not issued by the one after it"),
    "no signatures": ("server-encipher", None, {}, "key encipherment but no signatures"),
    "neither": ("server-agree", None, {}, "neither signatures nor key encipherment"),
    "for clients only": ("server-clientonly", None, {}, "does not name TLS servers"),
    "weak key": ("server-rsa1024", None, {"cipher_list": "DEFAULT:@SECLEVEL=1"}, "1024 bits. is weak"),
    "weak signature": ("server-sha1", None, {}, "signed with RSA-SHA1|signed with .*SHA1"),
}


@pytest.mark.parametrize("case", WARNED)
def test_warned_at_load(start, settings, pki, tmp_path, case):
    row, make, params, why = WARNED[case]
    path = make(pki, row, tmp_path) if make else pki.cert(row)
    kam = start(settings.but(modparams={"certificate": path, "private_key": pki.key(row), **params}))
    found = [text for text in warnings(kam, path) if re.search(why, text)]
    assert found, warnings(kam, path)
    mark = kam.log.mark()
    kam.rpc("tls.reload")
    assert [text for _, text in kam.log.at_level("WARNING", mark) if re.search(why, text)]


@pytest.mark.parametrize("row", ("server-ec", "server-rsa", "server-deep", "server-ec384", "server-selfsigned"))
def test_nothing_to_warn_about(start, settings, pki, row):
    kam = start(settings.but(modparams={"certificate": pki.cert(row), "private_key": pki.key(row)}))
    assert not warnings(kam, pki.cert(row))


@pytest.mark.parametrize("isolation", (0, 1))
def test_key_that_everybody_can_read(start, settings, pki, tmp_path, isolation):
    key = tmp_path / "key.pem"
    shutil.copy(pki.key("server-ec"), key)
    key.chmod(0o644)
    kam = start(settings.but(modparams={"private_key": str(key), "key_isolation": isolation}))
    assert any("is world-readable" in text for text in warnings(kam, str(key))), kam.log.tail(20)
    key.chmod(0o640)
    mark = kam.log.mark()
    kam.rpc("tls.reload")
    assert not kam.log.find("is world-readable", mark)


def test_issuer_that_is_trusted_is_not_missing(start, settings, pki, tmp_path):
    bundle = tmp_path / "ca.pem"
    bundle.write_text(Path(pki.cert("inter")).read_text() + Path(pki.path("ca.pem")).read_text())
    path = _first_only(pki, "server-ec", tmp_path)
    kam = start(settings.but(modparams={"certificate": path, "ca_list": str(bundle)}))
    assert not warnings(kam, path)


REFUSED = {
    "leaf not first": ("server-deep", _reversed, {}, r"but to number 3; the leaf must be the first"),
    "weak key": ("server-rsa1024", None, {}, "too weak for security level"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_at_load_and_at_reload(start, settings, pki, tmp_path, case):
    row, make, params, why = REFUSED[case]
    path = make(pki, row, tmp_path) if make else pki.cert(row)
    refused_with(settings.but(modparams={"certificate": path, "private_key": pki.key(row), **params}), why)
    cert, key = tmp_path / "now.pem", tmp_path / "now.key"
    shutil.copy(pki.cert("server-ec"), cert)
    shutil.copy(pki.key("server-ec"), key)
    kam = start(settings.but(modparams={"certificate": str(cert), "private_key": str(key)}))
    shutil.copy(path, cert)
    shutil.copy(pki.key(row), key)
    not_reloaded(kam, why)
    serves(kam, pki, "server-ec")


def test_unreadable_file_names_the_user(settings, pki):
    """Files are read after the change of user: what only root can read is refused, and the line names the user."""
    if os.geteuid() != 0:
        pytest.skip("only root can start Kamailio as another user")
    kam = Kamailio(settings)
    key = kam.folder / "server.key"
    shutil.copy(pki.key("server-ec"), key)
    key.chmod(0o600)
    cert = kam.folder / "server.pem"
    shutil.copy(pki.cert("server-ec"), cert)
    cert.chmod(0o644)
    trust = kam.folder / "ca.pem"
    shutil.copy(pki.path("ca.pem"), trust)
    trust.chmod(0o644)
    kam.settings = settings.but(user="nobody", modparams={
        "certificate": str(cert), "private_key": str(key), "ca_list": str(trust)})
    try:
        with pytest.raises(StartFailed) as failure:
            kam.start()
        lines = [text for module, text in failure.value.log.at_level("ERROR") if module == "tls"]
        assert len(lines) == 1, lines
        assert re.search(r"server\.key\" as user nobody \(uid \d+\): Permission denied", lines[0])
        shutil.chown(key, "nobody")
        kam.start()
        key.chmod(0o000)
        not_reloaded(kam, r"as user nobody \(uid \d+\): Permission denied")
        with TlsClient(kam.address(), client_context()) as client:
            assert client.ask().status == 200
        kam.stop()
    finally:
        kam.kill()
        kam.remove()
