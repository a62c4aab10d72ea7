# tls_gnutls - end to end: the same operations through four kinds of tokens, with their real modules and daemons
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""SoftHSM, a TPM, openCryptoki and NSS, each with an RSA and, where it takes one, a P-256 key (lib/real_tokens.py)."""

import contextlib
import re
import ssl
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from .lib import real_tokens
from .lib.kamailio import Kamailio, StartFailed, refused_start
from .lib.tls import TlsClient, client_context, server_context
from .lib.uas import TlsAgent, UdpSender
from .lib.wait import until

pytestmark = pytest.mark.ours_only("keys on tokens need an engine there")

VERSIONS = ("TLSv1.2", "TLSv1.3")


@pytest.fixture(scope="module", params=real_tokens.KINDS)
def shared(request, pki, tmp_path_factory):
    """A token of each kind; made once, since a TPM takes seconds for that."""
    kind = real_tokens.KINDS[request.param]
    reason = kind.missing()
    if reason:
        pytest.skip(f"{request.param}: {reason}")
    rows = ("server-rsa", "server-ec") if kind.HAS_EC else ("server-rsa",)
    made = kind(tmp_path_factory.mktemp("token"), {row: (pki.key(row), pki.cert(row)) for row in rows})
    with contextlib.closing(made):
        yield made


@pytest.fixture
def token(shared, monkeypatch):
    """The token, with the environment that its module needs."""
    for name, value in shared.env.items():
        monkeypatch.setenv(name, value)
    return shared


@pytest.fixture
def on_token(settings, pki, token):
    """Settings with the token's keys and four workers."""
    params = {"certificate": pki.cert("server-rsa"), "private_key": token.uri("server-rsa")}
    if token.HAS_EC:
        params |= {"certificate2": pki.cert("server-ec"), "private_key2": token.uri("server-ec")}
    return settings.but(launcher=token.launcher, tcp_children=4, modparams=params)


def _is_served(kam, **context):
    try:
        with TlsClient(kam.address(), client_context(**context)) as client:
            return client.ask().status == 200 and client.shown()
    except (ssl.SSLError, OSError, EOFError):
        return False


def _errors(kam):
    return [text for module, text in kam.log.at_level("ERROR") if module == "tls"]


def _openssl(kam, *options):
    return real_tokens.run("openssl", "s_client", "-connect", f"127.0.0.1:{kam.port()}", *options)


def _is_pss(kam, *options):
    """Whether the server signs with RSA-PSS: "RSA-PSS", from OpenSSL 3.5 on "rsa_pss_rsae_sha256"."""
    found = re.search(r"^Peer signature type: (.*)$", _openssl(kam, *options), re.M)
    assert found, "openssl does not tell the type of the signature"
    return "PSS" in found.group(1).upper()


def _exchanges(kam):
    try:
        return "Cipher is AES256-GCM-SHA384" in _openssl(kam, "-tls1_2", "-cipher", "AES256-GCM-SHA384")
    except AssertionError:
        return False


def _operations(kam, token):
    """Every operation that TLS asks a key for, by its name: whether it worked."""
    rsa = ("-sigalgs", "rsa_pkcs1_sha256:rsa_pss_rsae_sha256")
    done = {
        "RSA PKCS#1": not _is_pss(kam, "-tls1_2", "-sigalgs", "rsa_pkcs1_sha256"),
        "PSS, 1.2": _is_pss(kam, "-tls1_2", "-sigalgs", "rsa_pss_rsae_sha256"),
        "PSS, 1.3": _is_pss(kam, "-tls1_3", *rsa),
        "key exchange": _exchanges(kam),
    }
    if token.HAS_EC:
        for version in VERSIONS:
            done[f"P-256, {version}"] = _is_served(kam, version=version) == "server-ec"
    return done


@pytest.mark.parametrize("isolation", (0, 1))
def test_operations(start, on_token, token, isolation):
    """RSA, P-256, PSS and RSA key exchange with four workers, before and after a reload."""
    kam = start(on_token.but(modparams={"key_isolation": isolation}))
    assert kam.log.find(r"signs with RSA PKCS#1, RSA-PSS SHA-256, RSA-PSS SHA-384, RSA-PSS SHA-512, and decrypts")
    for is_last in (False, True):
        assert set(_operations(kam, token).values()) == {True}
        with ThreadPoolExecutor(8) as pool:
            assert all(pool.map(lambda n: _is_served(kam, version=VERSIONS[n % 2]), range(24)))
        # not before the end: SoftHSM writes to its token at a login, which a process that ends would interrupt
        assert is_last or kam.rpc("tls.reload").startswith("Ok")
    assert not _errors(kam)
    assert not kam.log.find(token.pin)


@pytest.mark.parametrize("isolation", (0, 1))
def test_client_role(start, on_token, token, pki, isolation):
    """A far end that requires a certificate gets the one whose key is on the token."""
    kam = start(on_token.but(listen=("tls", "udp"), modparams={
        "key_isolation": isolation, "verify_certificate": 1, "require_certificate": 1}))
    for version in VERSIONS:
        context = server_context(pki.cert("client-ok"), pki.key("client-ok"), version,
                                 client_trust=pki.path("ca.pem"))
        with TlsAgent(context) as agent, UdpSender(kam.address("udp")) as sender:
            assert sender.ask(uri=f"sip:far@127.0.0.1:{agent.port};transport=tls").status == 200
            assert "server-" in str(agent.peers[0])
    assert not _errors(kam)


@pytest.mark.parametrize("isolation", (0, 1))
def test_gone_and_back(start, on_token, token, isolation):
    """While the token is away handshakes fail with a line; open connections stay, and nothing is restarted."""
    kam = start(on_token.but(modparams={"key_isolation": isolation}))
    assert set(_operations(kam, token).values()) == {True}
    with TlsClient(kam.address(), client_context()) as open_one:
        token.hide()
        try:
            mark = kam.log.mark()
            if token.OUTLIVES_DAEMON:
                assert all(_is_served(kam) for _ in range(6))
                with pytest.raises(RuntimeError):
                    kam.rpc("tls.reload")
            else:
                assert not any(_is_served(kam) for _ in range(3))
            assert kam.log.wait(f"ERROR.*pkcs11:token={token.label.replace(' ', '%20')}", mark)
            assert open_one.ask().status == 200
        finally:
            token.show()
        until(lambda: all(_is_served(kam) for _ in range(8)), "the token signs again")
        assert set(_operations(kam, token).values()) == {True}


def test_decrypts_when_it_is_back(start, on_token, token):
    """Also when a decryption is the first that is asked of it."""
    kam = start(on_token.but(modparams={"key_isolation": 1}))
    assert _exchanges(kam)
    token.hide()
    try:
        assert _exchanges(kam) == token.OUTLIVES_DAEMON
    finally:
        token.show()
    until(lambda: all(_exchanges(kam) for _ in range(4)), "the token decrypts again", 5)


def test_wrong_pin(on_token, token):
    """It is tried once, and the line says so."""
    before = token.failures()
    log = refused_start(on_token.but(modparams={
        "private_key": token.uri("server-rsa", pin="wrong-26"), "certificate2": None, "private_key2": None}))
    assert "the PIN is wrong" in log
    assert "wrong-26" not in log
    if before is not None:
        assert token.failures() == before + 1
        token.unlock()


def test_changed_pin(start, on_token, token):
    """A new PIN on the token and in the configuration is used after a reload."""
    pin_file = token.folder / "kamailio.pin"
    pin_file.write_text(token.pin)
    pin_file.chmod(0o600)
    params = {name: token.uri(row, pin=False, pin_source=pin_file)
              for name, row in (("private_key", "server-rsa"), ("private_key2", "server-ec")) if row in
              ("server-rsa", "server-ec" if token.HAS_EC else "")}
    kam = start(on_token.but(modparams=params))
    assert _is_served(kam)
    token.set_pin("pin-9912")
    pin_file.write_text(token.pin)
    assert kam.rpc("tls.reload").startswith("Ok")
    assert all(_is_served(kam) for _ in range(6))
    assert not _errors(kam)


# What keeps a module from starting: environment variables whose values name nothing; none: its daemon is dead. With
# what it prints.
BROKEN = {"SoftHSM": (({"SOFTHSM2_CONF": "{}"}, "nothing, see syslog"),),
          "TPM": (({"TPM2_PKCS11_TCTI": "device:{}"}, ".*Failed to open specified TCTI device"),
                  ({"TPM2_PKCS11_STORE": "{}"}, ": ERROR: Cannot open database: unable to open database file"),
                  ({}, ".*Failed to create connection with service")),
          "openCryptoki": (({}, "nothing, see syslog"),)}


def test_module_that_does_not_start(on_token, token, request, tmp_path, monkeypatch):
    """The line has the module's result by name, what it printed, and a command that shows the failure."""
    for case, words in BROKEN.get(request.node.callspec.params["shared"], ()):
        if not case:
            token.hide()
        try:
            with monkeypatch.context() as patch:
                for name, value in case.items():
                    patch.setenv(name, value.format(tmp_path / "nowhere"))
                log = refused_start(on_token)
                line = re.search(r"cannot be initialised: CKR_[A-Z]+_[A-Z]+; run as user id [0-9]+: "
                                 rf"(p11tool --provider \S+ --list-tokens); it printed ?{words}", log)
                assert line, log
                done = subprocess.run([*token.launcher, *line.group(1).split()], capture_output=True, check=False,
                                      stdin=subprocess.DEVNULL, timeout=60)
                assert done.returncode != 0
        finally:
            if not case:
                token.show()


def test_tpm_without_a_resource_manager(settings, pki, tmp_path, monkeypatch):
    """One process at a time can use its key: with key_isolation four workers are served, a reload is refused, and what
    Kamailio leaves in the TPM may have to be removed before it starts again."""
    reason = real_tokens.Tpm.missing()
    if reason:
        pytest.skip(reason)
    tpm = real_tokens.Tpm(tmp_path, {"server-ec": (pki.key("server-ec"), pki.cert("server-ec"))})
    with contextlib.closing(tpm):
        tpm.unmanaged()
        for name, value in tpm.env.items():
            monkeypatch.setenv(name, value)
        on_token = settings.but(tcp_children=4, modparams={"private_key": tpm.uri("server-ec")})
        kam = Kamailio(on_token.but(modparams={"key_isolation": 1}))
        try:
            kam.start()
            assert all(_is_served(kam) for _ in range(8))
            with pytest.raises(RuntimeError):
                kam.rpc("tls.reload")
            assert all(_is_served(kam) for _ in range(4))
            kam.stop()
            with contextlib.suppress(StartFailed):      # it starts where the TPM's software removes that by itself
                kam.start()
        finally:
            kam.kill()
            kam.remove()
        tpm.flush()
        kam = Kamailio(on_token)
        try:
            kam.start()
            until(lambda: not all([_is_served(kam) for _ in range(4)]), "another worker wants the key")
            assert kam.log.wait("ERROR.*a token that few processes may use at a time needs key_isolation=1")
        finally:
            kam.kill()
            kam.remove()
        assert tpm.failures() == 0
