# tls_gnutls - end to end: kinds of keys on tokens, and reloads
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""Each kind of key that a token has serves TLS; tls.reload takes new keys, names and PINs."""

import ssl
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from .lib import token as tokens
from .lib.cli import names
from .lib.kamailio import StartFailed
from .lib.served import asks
from .lib.tls import TlsClient, client_context

pytestmark = [
    pytest.mark.ours_only("keys on tokens need an engine there"),
    pytest.mark.skipif(not tokens.available(), reason="softhsm2 or opensc is not installed"),
]

PIN = tokens.PIN


# -- kinds ------------------------------------------------------------------------------------

# kind -> (openssl req -newkey ..., what the log says the key signs with)
KINDS = {
    "rsa-3072": (("rsa:3072",), "RSA PKCS#1, RSA-PSS SHA-256, RSA-PSS SHA-384, RSA-PSS SHA-512, "
                                "and decrypts"),
    "p-256": (("ec", "-pkeyopt", "ec_paramgen_curve:P-256"), "ECDSA"),
    "p-384": (("ec", "-pkeyopt", "ec_paramgen_curve:P-384"), "ECDSA"),
    "p-521": (("ec", "-pkeyopt", "ec_paramgen_curve:P-521"), "ECDSA"),
    "ed25519": (("ed25519",), "EdDSA"),
    "rsa-pss": (("rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048"),
                "RSA-PSS SHA-256, RSA-PSS SHA-384, RSA-PSS SHA-512"),
}


def _make(tmp_path, kind, name="made"):
    """A self-signed certificate with a new key: (certificate, key)."""
    cert, key = tmp_path / f"{name}.crt", tmp_path / f"{name}.key"
    tokens.run("openssl", "req", "-x509", "-nodes", "-newkey", *KINDS[kind][0],
               "-subj", f"/CN={name}", "-days", "10", "-keyout", str(key), "-out", str(cert))
    if kind == "rsa-pss":       # SoftHSM accepts RSA keys only; the certificate stays restricted
        at = tokens.run("openssl", "asn1parse", "-in", str(key))
        (offset,) = (line.split(":")[0].strip() for line in at.splitlines()
                     if "OCTET STRING" in line)
        inner = tmp_path / "inner.der"
        tokens.run("openssl", "asn1parse", "-in", str(key), "-strparse", offset, "-noout",
                   "-out", str(inner))
        tokens.run("openssl", "rsa", "-inform", "DER", "-in", str(inner), "-out", str(key))
    return str(cert), str(key)


@pytest.mark.parametrize("kind", KINDS)
def test_kind(start, settings, token, tmp_path, kind):
    cert, key = _make(tmp_path, kind)
    token.add_key("made", key)
    kam = start(settings.but(debug=3, modparams={
        "certificate": cert, "private_key": token.uri("made")}))
    (line,) = kam.log.find('TLSs<default>: private_key: ".*" signs with')
    assert line.endswith(f" signs with {KINDS[kind][1]}")
    for version in ("-tls1_2", "-tls1_3"):
        shown = tokens.run("openssl", "s_client", "-connect", f"127.0.0.1:{kam.port()}", version,
                           "-groups", "P-256:P-384:P-521")
        assert "CN=made" in names(shown), version


def test_only_the_private_object_is_there(start, settings, pki, token):
    """A test signature then shows whether key and certificate match."""
    for row in ("server-ec", "server-rsa"):
        token.add_key(row, pki.key(row))
        token.delete(row, "pubkey")
        kam = start(settings.but(modparams={
            "certificate": pki.cert(row), "private_key": token.uri(row)}))
        for version in ("TLSv1.2", "TLSv1.3"):
            assert asks(kam, version=version) == row
        with pytest.raises(StartFailed, match="does not belong to the certificate"):
            start(settings.but(modparams={
                "certificate": pki.cert("client-ok" if row == "server-ec" else "client-rsa"),
                "private_key": token.uri(row)}))


def test_key_made_on_the_token(start, settings, token, tmp_path):
    """A key that was never in a file, as in the walk-through."""
    tokens.run("pkcs11-tool", "--module", tokens.MODULE, "--token-label", "sip", "--login",
               "--pin", PIN, "--keypairgen", "--key-type", "EC:prime256v1", "--label", "born",
               "--id", "77")
    if not tokens.shutil.which("certtool"):
        pytest.skip("certtool is not installed")
    template = tmp_path / "template"
    template.write_text("cn = born\nexpiration_days = 10\nsigning_key\n")
    cert = tmp_path / "born.crt"
    tokens.run("certtool", "--generate-self-signed", "--template", str(template),
               "--provider", tokens.MODULE, "--outfile", str(cert), "--load-privkey",
               f"pkcs11:token=sip;object=born;type=private?pin-value={PIN}",
               "--load-pubkey", "pkcs11:token=sip;object=born;type=public")
    kam = start(settings.but(modparams={
        "certificate": str(cert), "private_key": token.uri("born")}))
    assert asks(kam) == "born"


# -- reloads ----------------------------------------------------------------------------------

@pytest.fixture
def reloading(start, settings, tmp_path):
    """reloading(cert, key) starts with a tls.cfg; kam.use(cert, key) writes another and reloads."""
    config = tmp_path / "tls.cfg"

    def write(cert, key):
        config.write_text("[server:default]\nmethod = TLSv1.2+\n"
                          f"certificate = \"{cert}\"\nprivate_key = \"{key}\"\n")

    def begin(cert, key):
        write(cert, key)
        kam = start(settings.but(modparams={"config": str(config)}, tcp_children=4))

        def use(cert, key):
            write(cert, key)
            return kam.rpc("tls.reload")
        kam.use = use
        return kam
    return begin


def test_reload_to_another_key(reloading, pki, token):
    """File, token, other key on the token, file."""
    token.add_key("server-ec", pki.key("server-ec"))
    token.add_key("server-rsa", pki.key("server-rsa"))
    kam = reloading(pki.cert("server-deep"), pki.key("server-deep"))
    assert asks(kam) == "server-deep"
    for cert, key in (("server-ec", token.uri("server-ec")), ("server-rsa", token.uri("server-rsa")),
                      ("server-deep", pki.key("server-deep"))):
        with TlsClient(kam.address(), client_context()) as before:
            assert kam.use(pki.cert(cert), key).startswith("Ok")
            for _ in range(8):
                assert asks(kam) == cert
            assert before.ask().status == 200


def test_reload_with_a_rotated_key(reloading, pki, token):
    """The object of the same name now holds another key, with another certificate."""
    token.add_key("live", pki.key("server-ec"))
    kam = reloading(pki.cert("server-ec"), token.uri("live"))
    for _ in range(8):
        assert asks(kam) == "server-ec"
    for old, new in (("server-ec", "server-rsa"), ("server-rsa", "server-deep")):
        token.delete("live")
        token.delete("live", "pubkey")
        token.add_key("live", pki.key(new))
        with pytest.raises(RuntimeError):
            kam.use(pki.cert(old), token.uri("live"))
        assert kam.use(pki.cert(new), token.uri("live")).startswith("Ok")
        for _ in range(8):
            assert asks(kam) == new


def test_reload_with_a_changed_pin(reloading, pki, token, tmp_path):
    """The old PIN in the file is refused; the new one works."""
    token.add_key("live", pki.key("server-ec"))
    pin = tmp_path / "pin"
    pin.write_text(PIN)
    pin.chmod(0o600)
    uri = token.uri("live", pin=False, pin_source=f"file:{pin}")
    kam = reloading(pki.cert("server-ec"), uri)
    with ThreadPoolExecutor(24) as pool:        # every worker logs in
        assert set(pool.map(lambda _: asks(kam), range(96))) == {"server-ec"}
    token.set_pin("pin-9988776")
    with pytest.raises(RuntimeError):
        kam.rpc("tls.reload")
    assert kam.log.find("the PIN is wrong")
    pin.write_text("pin-9988776\n")
    assert kam.rpc("tls.reload").startswith("Ok")
    for _ in range(8):
        assert asks(kam) == "server-ec"
    assert not kam.log.find("pin-9988776") and not kam.log.find(PIN)


def test_reload_under_load(reloading, pki, token):
    """Connections are made all the time; each gets the old or the new key, none fails."""
    rows = ("server-ec", "server-rsa")
    for row in rows:
        token.add_key(row, pki.key(row))
    kam = reloading(pki.cert(rows[0]), token.uri(rows[0]))
    over = threading.Event()
    seen, failures = set(), []

    def hammer():
        while not over.is_set():
            try:
                seen.add(asks(kam))
            except (OSError, ssl.SSLError, EOFError, AssertionError) as failure:
                failures.append(failure)

    threads = [threading.Thread(target=hammer) for _ in range(6)]
    for thread in threads:
        thread.start()
    for turn in range(8):
        row = rows[turn % 2]
        assert kam.use(pki.cert(row), token.uri(row)).startswith("Ok")
    over.set()
    for thread in threads:
        thread.join(30)
    assert not failures
    assert seen <= set(rows) and seen
    assert kam.rpc("tls.reload").startswith("Ok")


def test_reloads_leave_nothing_open(reloading, pki, token):
    """Files and memory of the workers do not grow with reloads of keys on tokens."""
    token.add_key("live", pki.key("server-ec"))
    kam = reloading(pki.cert("server-ec"), token.uri("live"))

    def files():
        return {pid: len(list(tokens.Path(f"/proc/{pid}/fd").iterdir())) for pid in kam.pids()}

    def round_():
        assert kam.rpc("tls.reload").startswith("Ok")
        for _ in range(12):
            assert asks(kam) == "server-ec"

    for _ in range(3):
        round_()
    kam.wait_connections(0)
    before, shm = files(), kam.shm_used()
    for _ in range(8):
        round_()
    kam.wait_connections(0)
    assert files() == before
    assert kam.shm_used() < shm + 100_000
