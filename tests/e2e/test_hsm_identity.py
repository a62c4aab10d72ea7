# tls_gnutls - end to end: which key a process uses, when tokens and keys have the same names
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""Two PKCS#11 modules with tokens of one name, and keys that were replaced without a reload. A signature is made with
the key of the certificate, or there is none; with key_isolation and without."""

import shutil

import pytest

from .lib import token as tokens
from .lib.served import asks, errors, is_served
from .lib.wait import until

pytestmark = [
    pytest.mark.ours_only("keys on tokens need an engine there"),
    pytest.mark.skipif(not tokens.available(), reason="softhsm2 or opensc is not installed"),
    pytest.mark.skipif(not shutil.which("gcc"), reason="the module is built with gcc"),
]

PIN = tokens.PIN
RSA_KEY_EXCHANGE = {"version": "TLSv1.2", "ciphers": "AES256-GCM-SHA384"}


@pytest.fixture
def place(tmp_path, monkeypatch):
    """place(name, key, description) makes a module with a token "sip" that has a key "proxy": (token, faults)."""
    def make(name, key, description=None):
        folder = tmp_path / name
        hsm = tokens.SoftHsm(folder / "hsm", monkeypatch)
        token = hsm.token("sip", PIN)
        token.add_key("proxy", key)
        faults = tokens.Faults(folder, hsm)
        if description:
            faults.set(library=description)
        return token, faults
    return make


@pytest.fixture
def config(tmp_path):
    """config((server name or None, certificate, key), ...) writes a tls.cfg."""
    def write(*pairs):
        path = tmp_path / "tls.cfg"
        path.write_text("".join(
            (f"[server:any]\nserver_name = {name}\n" if name else "[server:default]\n")
            + f"method = TLSv1.2+\ncertificate = {cert}\nprivate_key = \"{key}\"\n" for name, cert, key in pairs))
        return str(path)
    return write


# ---- two modules -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("descriptions", (("HSM-A", "HSM-B"), (None, None)), ids=("two", "one"))
@pytest.mark.parametrize("rows", (("server-ec", "server-deep"), ("server-rsa", "server-ec")), ids=str)
def test_same_names_in_two_modules(start, settings, pki, place, config, isolation, descriptions, rows):
    """Two libraries, or one library in two files, which GnuTLS takes for the same."""
    (a, _), (b, _) = (place(name, pki.key(row), text) for name, row, text in zip("ab", rows, descriptions))
    path = config((None, pki.cert(rows[0]), a.uri("proxy")), ("b.example.org", pki.cert(rows[1]), b.uri("proxy")))
    kam = start(settings.but(modparams={"config": path, "key_isolation": isolation}, tcp_children=2))
    for _ in range(2):
        for _ in range(3):
            assert asks(kam, trust=pki.path("ca.pem")) == rows[0]
            assert asks(kam, name="b.example.org") == rows[1]
        assert kam.rpc("tls.reload").startswith("Ok")
    assert not kam.log.at_level("ERROR")
    warned = kam.log.find("WARNING.*does not tell these PKCS#11 modules apart")
    assert bool(warned) == (descriptions[0] is None and not isolation)


def test_same_names_and_key_exchange(start, settings, pki, place, config, isolation):
    """Decryption finds the right key too."""
    rows = ("server-rsa", "server-encipher")
    (a, _), (b, _) = (place(name, pki.key(row)) for name, row in zip("ab", rows))
    path = config((None, pki.cert(rows[0]), a.uri("proxy")), ("b.example.org", pki.cert(rows[1]), b.uri("proxy")))
    kam = start(settings.but(modparams={"config": path, "key_isolation": isolation}, tcp_children=2))
    for _ in range(4):
        assert asks(kam, **RSA_KEY_EXCHANGE) == rows[0]
        assert asks(kam, name="b.example.org", **RSA_KEY_EXCHANGE) == rows[1]
    assert not kam.log.at_level("ERROR")


# ---- another key under the same name ---------------------------------------------------------------------------------

def _failures(kam):
    counters = kam.rpc("tls.sessions")
    return {name: int(value) for name, value in counters.items()
            if name.startswith("handshakes_failed_") and int(value)}


@pytest.mark.parametrize("row,other,context", (
    ("server-ec", "server-deep", {}), ("server-ec", "server-rsa", {}), ("server-rsa", "server-encipher", {}),
    ("server-rsa", "server-encipher", RSA_KEY_EXCHANGE), ("server-rsa", "server-ec", RSA_KEY_EXCHANGE),
), ids=("ec", "ec-rsa", "rsa", "key exchange", "key exchange-ec"))
def test_key_that_was_replaced(start, settings, pki, place, isolation, row, other, context):
    """The search for the key finds another one."""
    token, faults = place("a", pki.key(row))
    token.add_key("other", pki.key(other))
    kam = start(settings.but(modparams={
        "certificate": pki.cert(row), "private_key": token.uri("proxy"), "key_isolation": isolation}))
    for _ in range(4):
        assert asks(kam, **context) == row
    faults.set(epoch=1, finds="other")
    mark = kam.log.mark()
    if context:     # a decryption relies on the last signature for a second: nothing else shows which key it is
        until(lambda: not is_served(kam, **context) and errors(kam, mark), "the key was examined")
    else:
        assert not any(is_served(kam, **context) for _ in range(3))
        until(lambda: len(errors(kam, mark)) == 3, "one line for each handshake")
    lines = errors(kam, mark)
    for line in lines:
        assert "pkcs11:token=sip;object=proxy;type=private" in line
        assert f"the key does not belong to the certificate \"CN={row}," in line
        assert line.count("sha256:") == 2
    assert context or _failures(kam) == {"handshakes_failed_local": 3}
    faults.set(epoch=2)
    until(lambda: all(is_served(kam, **context) for _ in range(4)), "the right key is used again")


def test_key_that_was_deleted_and_made_anew(start, settings, pki, place, isolation):
    token, _ = place("a", pki.key("server-ec"))
    kam = start(settings.but(modparams={
        "certificate": pki.cert("server-ec"), "private_key": token.uri("proxy"), "key_isolation": isolation}))
    for _ in range(4):
        assert asks(kam) == "server-ec"
    for kind in ("privkey", "pubkey"):
        token.delete("proxy", kind)
    token.add_key("proxy", pki.key("server-deep"))
    mark = kam.log.mark()
    assert not is_served(kam)
    until(lambda: errors(kam, mark), "a line about it")
    assert all("pkcs11:token=sip;object=proxy" in line for line in errors(kam, mark))
    assert _failures(kam) == {"handshakes_failed_local": 1}
    with pytest.raises(RuntimeError):
        kam.rpc("tls.reload")
    assert kam.log.find("not reloaded.*does not belong to the certificate")
