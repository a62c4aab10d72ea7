# tls_gnutls - end to end: tokens that are slow, vanish, come back, lock their PIN, or crash
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""A PKCS#11 module on top of SoftHSM fails on demand; see lib/p11_fault.c."""

import shutil
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from .lib import token as tokens
from .lib.dtls import RELAY, DtlsClient, is_dtls
from .lib.kamailio import refused_start
from .lib.ports import LOOPBACK
from .lib.served import asks, errors, is_served
from .lib.tls import TlsClient, client_context
from .lib.uas import UdpSender, udp_socket
from .lib.wait import until

pytestmark = [
    pytest.mark.ours_only("keys on tokens need an engine there"),
    pytest.mark.skipif(not tokens.available(), reason="softhsm2 or opensc is not installed"),
    pytest.mark.skipif(not shutil.which("gcc"), reason="the module is built with gcc"),
]

PIN = tokens.PIN
CKF_USER_PIN_COUNT_LOW = 0x10000
CKF_USER_PIN_FINAL_TRY = 0x20000
CKF_USER_PIN_LOCKED = 0x40000
CKR_GENERAL_ERROR = 0x5
CKR_DEVICE_ERROR = 0x30
CKR_DEVICE_REMOVED = 0x32
CKR_PIN_INCORRECT = 0xA0
CKR_PIN_LOCKED = 0xA4
CKR_SESSION_HANDLE_INVALID = 0xB3
CKR_TOKEN_NOT_PRESENT = 0xE0


@pytest.fixture
def on_token(settings, faulty_token):
    """Settings with the key on the token, four workers."""
    return settings.but(modparams={"private_key": faulty_token.uri("server-ec")}, tcp_children=4)


def _refusal(settings):
    """The log of a start that must fail."""
    text = refused_start(settings)
    assert PIN not in text
    return text


def _is_used_again(kam):
    until(lambda: all(is_served(kam) for _ in range(8)), "the token is used again")


def _reloads(kam):
    assert kam.rpc("tls.reload").startswith("Ok")
    assert is_served(kam)


# -- each process has its own login -----------------------------------------------------------

def test_nothing_is_open_before_the_fork(start, on_token, faults):
    """Each process that signs has logged in itself; the main process has not even loaded the module."""
    kam = start(on_token.but(tcp_children=8))
    with ThreadPoolExecutor(24) as pool:
        faults.set(slow=100)
        assert all(pool.map(lambda _: is_served(kam), range(96)))
    signers = set(faults.pids("sign")) & set(kam.pids())
    assert len(signers) > 1
    assert signers <= set(faults.pids("login"))
    (attendant,) = kam.pids("attendant")
    for pid in (attendant, *kam.pids("tcp main")):
        maps = open(f"/proc/{pid}/maps", encoding="utf-8").read()
        assert "p11-fault.so" not in maps and "libsofthsm2.so" not in maps


def test_twenty_workers_sign_at_once(start, on_token, faults):
    kam = start(on_token.but(tcp_children=20, shm_mb=128))
    faults.set(slow=300)
    with ThreadPoolExecutor(60) as pool:
        assert all(pool.map(lambda _: is_served(kam), range(180)))
    assert len(set(faults.pids("sign")) & set(kam.workers())) == 20
    assert not kam.log.at_level("ERROR")


def test_a_slow_token_does_not_hold_up_dtls(start, on_token, faults):
    """While one receiver waits for a signature, the peer's further datagrams do not keep the others waiting."""
    kam = start(on_token.but(listen=("tls", "dtls"), children=3))
    with DtlsClient(kam.address("dtls")) as client, DtlsClient(kam.address("dtls")) as slow:
        assert client.handshake().ask().status == 200
        faults.set(slow=6000)
        signed = faults.count("sign")
        slow.session.step()
        slow.session.take(slow.recv_raw(5))     # the hello with its cookie has been sent
        until(lambda: faults.count("sign") > signed, "a signature has begun")
        slow.received.clear()
        for _ in range(30):
            slow.send_raw(slow.sent[-1])
            assert client.ask().status == 200
        assert slow.recv_raw(0.01) is None, "it is still waiting"
        faults.set()
        assert slow.handshake().ask().status == 200


def test_a_slow_token_does_not_hold_up_senders_to_dtls(start, on_token, faults):
    """While a peer that starts again waits for a signature, requests to it keep neither workers nor tm's timer waiting.

    They are lost, as datagrams are; nothing is sent in clear text.
    """
    kam = start(on_token.but(listen=("tls", "udp", "dtls"), children=2, script=RELAY))
    deaf = udp_socket()
    with DtlsClient(kam.address("dtls")) as slow, UdpSender(kam.address("udp")) as sender, deaf:
        assert slow.handshake().ask().status == 200
        faults.set(slow=9000)
        signed = faults.count("sign")
        slow.restart()
        slow.session.step()
        slow.session.take(slow.recv_raw(5))     # the hello with its cookie has been sent
        until(lambda: faults.count("sign") > signed, "a signature has begun")
        slow.received.clear()
        for port, name in ((slow.port, "dtls"),) * 6 + ((deaf.getsockname()[1], "udp"),):
            sender.send(method="MESSAGE", headers=(f"X-Next: sip:{LOOPBACK}:{port}",
                                                   f"X-Socket: udp:{LOOPBACK}:{kam.port(name)}"))
        assert [sender.ask().status for _ in range(6)] == [200] * 6, "workers are free"
        deaf.settimeout(8)
        copies = [deaf.recv(1 << 16) for _ in range(3)]
        assert len(set(copies)) == 1, "the same request, retransmitted by tm's timer"
        kam.rpc("tls.list")
        arrived = [slow.recv_raw(0.01) for _ in range(20)]
        assert not any(datagram[0] == 22 for datagram in arrived if datagram), "it is still waiting"
        assert all(is_dtls(datagram) for datagram in arrived if datagram)
        faults.set()
        assert slow.handshake().ask().status == 200
        assert kam.rpc("tls.sessions")["dtls_busy"] >= 6
        assert all(is_dtls(datagram) for datagram in slow.received)


def test_kill_while_a_slow_token_signs(start, on_token, faults):
    """tls.list leaves an association out while another process waits for its signature; tls.kill ends it after that."""
    kam = start(on_token.but(listen=("tls", "dtls"), children=2))
    with DtlsClient(kam.address("dtls")) as slow:
        slow.handshake()
        (entry,) = kam.rpc("tls.list")
        faults.set(slow=6000)
        signed = faults.count("sign")
        slow.restart()
        slow.session.step()
        slow.session.take(slow.recv_raw(5))     # the hello with its cookie has been sent
        until(lambda: faults.count("sign") > signed, "a signature has begun")
        assert not kam.rpc("tls.list")
        assert kam.rpc("tls.kill", entry["id"]) == "OK"
        assert kam.log.find(f"NOTICE: tls .*: connection {entry['id']} is in use, it will be closed: tls.kill")
        assert kam.tls_info()["dtls_connections"] == 1, "not yet"
        until(lambda: kam.tls_info()["dtls_connections"] == 0, "it has ended")
        faults.set()
        while slow.recv_raw() is not None:      # the flight that was signed, and the close_notify
            pass
        slow.restart()
        assert slow.handshake().ask().status == 200


def test_a_slow_token_does_not_hold_up_others(start, on_token, faults):
    """While one worker waits for a signature, the others answer on their connections."""
    kam = start(on_token)
    clients = [TlsClient(kam.address(), client_context()) for _ in range(12)]
    workers = [client.ask()["X-Worker"] for client in clients]
    assert len(set(workers)) > 1
    faults.set(slow=6000)
    signed = faults.count("sign")
    done = threading.Event()
    slow = threading.Thread(target=lambda: (is_served(kam), done.set()))
    slow.start()
    until(lambda: faults.count("sign") > signed, "a signature has begun")
    busy = faults.pids("sign")[-1]
    answered = [client.ask().status == 200 for client, worker in zip(clients, workers)
                if int(worker) != busy]
    assert answered and all(answered)
    assert not done.is_set()
    faults.set()
    slow.join(30)
    for client in clients:
        client.close()


# -- sessions and tokens that are gone --------------------------------------------------------

@pytest.mark.parametrize("version", ("TLSv1.2", "TLSv1.3"))
def test_session_that_is_gone_is_opened_again(start, on_token, faults, version):
    kam = start(on_token)
    for epoch in range(1, 5):
        faults.set(epoch=epoch)
        for _ in range(8):
            assert asks(kam, version=version) == "server-ec"
    assert not kam.log.at_level("ERROR")


@pytest.mark.parametrize("fault", (
    {"gone": CKR_DEVICE_REMOVED}, {"gone": CKR_SESSION_HANDLE_INVALID},
    {"gone": CKR_TOKEN_NOT_PRESENT}, {"gone": CKR_DEVICE_ERROR}, {"gone": CKR_GENERAL_ERROR},
    {"absent": 1, "gone": CKR_DEVICE_REMOVED},
), ids=str)
def test_token_goes_and_comes_back(start, on_token, faults, fault):
    kam = start(on_token)
    for _ in range(8):
        assert is_served(kam)
    with TlsClient(kam.address(), client_context()) as open_one:
        assert open_one.ask().status == 200
        faults.set(**fault)
        mark = kam.log.mark()
        assert [is_served(kam) for _ in range(6)] == [False] * 6
        until(lambda: len(errors(kam, mark)) >= 6, "one line for each handshake")
        lines = errors(kam, mark)
        assert len(lines) == 6
        assert all("pkcs11:token=sip;object=server-ec;type=private" in text for text in lines)
        assert open_one.ask().status == 200
        assert int(kam.rpc("tls.sessions")["handshakes_failed_local"]) == 6
    faults.set()
    _is_used_again(kam)
    assert not kam.log.find(PIN)


def test_token_that_no_longer_signs(start, on_token, faults):
    """Login works, but signatures fail: the line still names the object."""
    kam = start(on_token)
    assert is_served(kam)
    faults.set(sign=CKR_GENERAL_ERROR)
    mark = kam.log.mark()
    assert [is_served(kam) for _ in range(6)] == [False] * 6
    until(lambda: len(errors(kam, mark)) >= 6, "one line for each handshake")
    assert all("pkcs11:token=sip;object=server-ec;type=private" in text for text in errors(kam, mark))
    faults.set()
    _is_used_again(kam)


def test_tokens_are_taken_away_and_put_back(start, settings, pki, tmp_path, monkeypatch):
    """By moving the files of SoftHSM itself."""
    hsm = tokens.SoftHsm(tmp_path / "plain", monkeypatch)
    token = hsm.token("sip", PIN)
    token.add_key("server-ec", pki.key("server-ec"))
    kam = start(settings.but(modparams={"private_key": token.uri("server-ec")}))
    for _ in range(6):
        assert is_served(kam)
    hsm.hide()
    mark = kam.log.mark()
    assert not is_served(kam)
    assert kam.log.wait("ERROR.*pkcs11:token=sip;object=server-ec", mark)
    hsm.show()
    _is_used_again(kam)


def test_another_profile_works_while_a_token_is_gone(start, on_token, faults, pki, tmp_path, faulty_token):
    config = tmp_path / "tls.cfg"
    config.write_text(
        "[server:default]\nmethod = TLSv1.2+\n"
        f"certificate = {pki.cert('server-ec')}\nprivate_key = \"{faulty_token.uri('server-ec')}\"\n"
        "[server:any]\nmethod = TLSv1.2+\nserver_name = file.example.org\n"
        f"certificate = {pki.cert('server-rsa')}\nprivate_key = {pki.key('server-rsa')}\n")
    kam = start(on_token.but(modparams={"config": str(config)}))
    assert is_served(kam)
    faults.set(gone=CKR_DEVICE_REMOVED)
    assert not is_served(kam)
    for _ in range(8):
        with TlsClient(kam.address(), client_context(), name="file.example.org") as client:
            assert client.ask().status == 200
            assert client.shown() == "server-rsa"


# -- PINs: never tried twice ------------------------------------------------------------------

def test_wrong_pin_is_tried_once(on_token, faults):
    faults.set(login=CKR_PIN_INCORRECT)
    assert "the PIN is wrong" in _refusal(on_token)
    assert faults.count("login") == 1


def test_wrong_pin_is_tried_once_by_all_workers_together(start, on_token, faults):
    """The PIN is right at start and wrong later. Only tls.reload makes a process try again."""
    kam = start(on_token.but(tcp_children=8))
    logins = faults.count("login")
    faults.set(login=CKR_PIN_INCORRECT)
    with ThreadPoolExecutor(16) as pool:
        assert not any(pool.map(lambda _: is_served(kam), range(48)))
    assert faults.count("login") == logins + 1
    assert kam.log.wait("ERROR.*the PIN is wrong; it is not tried again until the next tls.reload")
    faults.set()
    assert not is_served(kam)
    assert kam.rpc("tls.reload").startswith("Ok")
    for _ in range(12):
        assert is_served(kam)


def test_wrong_pin_is_known_for_the_whole_token(settings, faulty_token, pki):
    """With SoftHSM's own error, and two keys on one token."""
    log = _refusal(settings.but(modparams={"private_key": faulty_token.uri("server-ec", pin="no-such-pin")}))
    assert "the PIN is wrong" in log
    assert "no-such-pin" not in log


@pytest.mark.parametrize("flags,words", (
    (CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY, "another failure would lock the token"),
    (CKF_USER_PIN_LOCKED, "the token has locked its PIN"),
))
def test_pin_that_could_lock_the_token_is_not_tried(on_token, faults, flags, words):
    faults.set(flags=flags)
    assert words in _refusal(on_token)
    assert faults.count("login") == 0


def test_locked_pin_is_reported(on_token, faults):
    faults.set(login=CKR_PIN_LOCKED)
    assert "the token has locked its PIN" in _refusal(on_token)


def test_final_try_in_workers(start, on_token, faults):
    kam = start(on_token)
    logins = faults.count("login")
    faults.set(flags=CKF_USER_PIN_FINAL_TRY)
    assert not any(is_served(kam) for _ in range(6))
    assert faults.count("login") == logins
    assert kam.log.wait("ERROR.*another failure would lock the token")
    faults.set()
    until(lambda: is_served(kam), "the token is used again")


# -- modules that crash or hang ---------------------------------------------------------------

@pytest.mark.parametrize("how,words", (
    ("crash", 'module crashed (signal 11), loading the module "'),
    ("fail", "cannot be initialised"),
))
def test_module_that_fails_at_start(on_token, faults, how, words):
    faults.set(init=how)
    assert words in _refusal(on_token)


def test_module_that_needs_threads(start, on_token, faults):
    """It starts even if the GnuTLS in use forbids threads, and again after a reload."""
    faults.set(threads=1)
    kam = start(on_token)
    assert is_served(kam)
    _reloads(kam)


@pytest.mark.long
def test_module_that_hangs_on_reload(start, on_token, faults):
    """The reload gives up after 30 s; connections are served all the time."""
    kam = start(on_token)
    with ThreadPoolExecutor(48) as pool:        # so that each worker has loaded the module
        assert all(pool.map(lambda _: is_served(kam), range(96)))
    faults.set(init="hang")
    with ThreadPoolExecutor(1) as pool:
        reload = pool.submit(kam.rpc, "tls.reload", timeout_s=60)
        while not reload.done():
            assert is_served(kam)
        with pytest.raises(RuntimeError):
            reload.result()
    assert kam.log.find("module hangs: no answer within 30 s, loading the module")
    faults.set()
    _reloads(kam)


def test_module_that_crashes_on_reload(start, on_token, faults):
    """The process that reloads survives, and the active configuration stays."""
    kam = start(on_token)
    assert is_served(kam)
    faults.set(init="crash")
    with pytest.raises(RuntimeError):
        kam.rpc("tls.reload")
    assert kam.log.find("module crashed")
    faults.set()
    for _ in range(8):
        assert is_served(kam)
    _reloads(kam)


# -- what the token cannot do -----------------------------------------------------------------

def test_without_pss_tls13_is_not_offered(start, on_token, faults, pki, faulty_token):
    faulty_token.add_key("server-rsa", pki.key("server-rsa"))
    faults.set(nopss=1)
    rsa = on_token.but(modparams={"certificate": pki.cert("server-rsa"),
                                  "private_key": faulty_token.uri("server-rsa")})
    kam = start(rsa.but(debug=3))
    assert kam.log.find(r"signs with RSA PKCS#1, and decrypts")
    assert kam.log.find(r"TLS 1.3 is left out")
    for _ in range(8):
        with TlsClient(kam.address(), client_context()) as client:
            assert client.version == "TLSv1.2"
            assert client.ask().status == 200
    with pytest.raises(ssl.SSLError):
        asks(kam, version="TLSv1.3")
    assert "tls_method allows nothing else" in _refusal(
        rsa.but(modparams={"tls_method": "TLSv1.3"}))


def test_without_pss_the_other_pair_serves_tls13(start, on_token, faults, pki, faulty_token):
    faulty_token.add_key("server-rsa", pki.key("server-rsa"))
    faults.set(nopss=1)
    kam = start(on_token.but(modparams={
        "certificate": pki.cert("server-rsa"), "private_key": faulty_token.uri("server-rsa"),
        "certificate2": pki.cert("server-ec"), "private_key2": pki.key("server-ec")}))
    for version in ("TLSv1.2", "TLSv1.3"):
        assert asks(kam, version=version) == "server-ec"
