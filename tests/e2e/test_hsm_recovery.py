# tls_gnutls - end to end: tokens that fail for a while, modules that start only once, tokens with few sessions
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""Signatures and decryptions recover by the same rule, whatever the PKCS#11 module returns; with key_isolation and
without. The module fails on demand; see lib/p11_fault.c."""

import shutil
from concurrent.futures import ThreadPoolExecutor

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
KINDS = {
    "signature": {"version": "TLSv1.3"},
    "decryption": {"version": "TLSv1.2", "ciphers": "AES256-GCM-SHA384"},
}
# what modules return for a token that is gone, for a device that fails, and for any failure
CKR = {
    "SLOT_ID_INVALID": 0x3, "GENERAL_ERROR": 0x5, "FUNCTION_FAILED": 0x6, "DEVICE_ERROR": 0x30,
    "DEVICE_MEMORY": 0x31, "DEVICE_REMOVED": 0x32, "FUNCTION_CANCELED": 0x50, "KEY_HANDLE_INVALID": 0x60,
    "OBJECT_HANDLE_INVALID": 0x82, "SESSION_CLOSED": 0xB0, "SESSION_HANDLE_INVALID": 0xB3,
    "TOKEN_NOT_PRESENT": 0xE0, "TOKEN_NOT_RECOGNIZED": 0xE1, "USER_NOT_LOGGED_IN": 0x101,
    "CRYPTOKI_NOT_INITIALIZED": 0x190, "VENDOR_DEFINED": 0x80000001,
}


@pytest.fixture
def faults(tmp_path, hsm):
    return tokens.Faults(tmp_path, hsm)


@pytest.fixture
def on_token(settings, pki, hsm, faults, isolation):
    """Settings with an RSA key behind the faulty module."""
    token = hsm.token("sip", PIN)
    token.add_key("proxy", pki.key("server-rsa"))
    assert hsm.module == faults.module
    return settings.but(tcp_children=2, modparams={
        "certificate": pki.cert("server-rsa"), "private_key": token.uri("proxy"), "key_isolation": isolation})


# ---- the token fails for a while -------------------------------------------------------------------------------------

@pytest.mark.parametrize("kind", KINDS)
def test_every_error_is_recovered_from(start, on_token, faults, kind):
    """After each error that a module may return the key is used again, without a reload."""
    kam = start(on_token)
    for name, code in CKR.items():
        until(lambda: is_served(kam, **KINDS[kind]), f"the token is used before {name}")
        faults.set(gone=code)
        mark = kam.log.mark()
        until(lambda: not is_served(kam, **KINDS[kind]) and errors(kam, mark), f"{name} is noticed")
        assert all("pkcs11:token=sip;object=proxy;type=private" in line for line in errors(kam, mark)), name
        faults.set()
        until(lambda: all(is_served(kam, **KINDS[kind]) for _ in range(3)), f"the token is used again after {name}")
    assert not kam.log.find(PIN)


@pytest.mark.parametrize("kind", KINDS)
def test_sessions_that_end_for_good(start, on_token, faults, kind):
    """Sessions that were open when the token was away stay invalid; only new ones work."""
    kam = start(on_token)
    for epoch in range(1, 4):
        assert is_served(kam, **KINDS[kind])
        faults.set(epoch=epoch)
        assert all(is_served(kam, **KINDS[kind]) for _ in range(4))
    assert not errors(kam)


@pytest.mark.parametrize("code", ("GENERAL_ERROR", "DEVICE_ERROR", "FUNCTION_FAILED"))
def test_decryption_alone_fails(start, on_token, faults, isolation, code):
    """What such an error means is not known, a peer may have caused it: the handshake fails as with a wrong premaster
    secret, and no session is opened for it."""
    kam = start(on_token)
    until(lambda: asks(kam) and (isolation or set(faults.pids("login")) >= set(kam.workers())), "all have logged in")
    logins = faults.count("login")
    faults.set(decrypt=CKR[code])
    assert not any(is_served(kam, **KINDS["decryption"]) for _ in range(6))
    assert not errors(kam)
    assert all(is_served(kam, **KINDS["signature"]) for _ in range(4))
    assert faults.count("login") == logins
    faults.set()
    assert all(is_served(kam, **KINDS["decryption"]) for _ in range(4))


@pytest.mark.parametrize("how", ("crash", "hang"))
def test_signature_crashes_or_hangs_the_module(start, on_token, faults, isolation, how):
    """With key_isolation the handshakes fail, and the key is used again."""
    if not isolation:
        pytest.skip("a module that crashes or hangs takes its process with it")
    kam = start(on_token)
    assert is_served(kam)
    faults.set(op=how)
    mark = kam.log.mark()
    assert not is_served(kam)
    assert kam.log.wait("ERROR.*crashed|ERROR.*did not answer in time", mark)
    faults.set()
    until(lambda: is_served(kam), "the key is used again", 60)


# ---- modules that start once -----------------------------------------------------------------------------------------

def test_module_that_starts_only_once(start, on_token, faults):
    """It is used through reloads and lost sessions, and not started again without need."""
    faults.set(once=1)
    kam = start(on_token)
    for epoch in range(1, 4):
        assert all(is_served(kam) for _ in range(4))
        assert kam.rpc("tls.reload").startswith("Ok")
        assert all(is_served(kam) for _ in range(4))
        faults.set(once=1, epoch=epoch)
    assert all(is_served(kam) for _ in range(4))
    assert not errors(kam)


def test_module_that_would_have_to_start_again(start, on_token, faults, isolation):
    """Without key_isolation the line says what helps, and tls.profiles counts; with it the key is used again."""
    kam = start(on_token)
    assert all(is_served(kam) for _ in range(4))
    faults.set(once=1, gone=CKR["DEVICE_REMOVED"])
    assert not any(is_served(kam) for _ in range(4))
    faults.set(once=1)
    if isolation:
        until(lambda: all(is_served(kam) for _ in range(4)), "a new child has started the module")
        return
    mark = kam.log.mark()
    assert kam.rpc("tls.reload").startswith("Ok")
    assert not any(is_served(kam) for _ in range(4))
    until(lambda: errors(kam, mark), "a line about it")
    assert all("some do not start twice in one process: set key_isolation=1, or restart" in line
               for line in errors(kam, mark))
    (profile, *_) = kam.rpc("tls.profiles")
    assert int(profile["certificates"][0]["key_failures"]) == 4


# ---- tokens with few sessions ----------------------------------------------------------------------------------------

def test_token_that_announces_few_sessions(start, on_token, faults, isolation):
    faults.set(says=3)
    kam = start(on_token.but(tcp_children=8))
    warned = kam.log.find("WARNING.*pkcs11:token=sip;object=proxy.*takes 3 sessions.*key_isolation=1")
    assert len(warned) == (0 if isolation else 1)
    faults.set(says=20)
    kam = start(on_token.but(tcp_children=8))
    assert not kam.log.find("WARNING.*sessions")


def test_token_that_has_few_sessions(start, on_token, faults, isolation):
    """It announces nothing; the processes that get no session say so."""
    faults.set(sessions=2)
    kam = start(on_token.but(tcp_children=8))
    with ThreadPoolExecutor(16) as pool:
        served = list(pool.map(lambda _: is_served(kam), range(64)))
    if isolation:
        assert all(served) and not errors(kam)
        return
    assert any(served) and not all(served)
    assert any("the token has no session left" in line and "key_isolation=1" in line for line in errors(kam))


def test_token_that_serves_one_process(start, on_token, faults, isolation):
    """The module starts while the configuration is loaded, and in no worker, with an error that says nothing."""
    kam = start(on_token.but(tcp_children=1))
    faults.set(init="fail")
    mark = kam.log.mark()
    if isolation:       # the child that looked the key up has kept it
        assert is_served(kam)
        return
    assert not is_served(kam)
    assert kam.log.wait("ERROR.*cannot be initialised.*needs key_isolation=1", mark)
    faults.set()
    until(lambda: is_served(kam), "the token is used")
    faults.set(gone=CKR["GENERAL_ERROR"], init="fail")
    mark = kam.log.mark()
    until(lambda: not is_served(kam) and errors(kam, mark), "the token is lost")
    assert not any("needs key_isolation=1" in line for line in errors(kam, mark))
