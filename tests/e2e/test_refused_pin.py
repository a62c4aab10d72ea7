# tls_gnutls - end to end: a PIN that a token has refused is not tried again by restarts
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""SoftHSM behind a module that counts logins (lib/p11_fault.c), and a TPM, which counts failed ones itself."""

import contextlib
import os
import shutil
import stat

import pytest

from .lib import real_tokens
from .lib import token as tokens
from .lib.kamailio import Kamailio, StartFailed
from .lib.tls import TlsClient, client_context
from .lib.wait import until

pytestmark = [
    pytest.mark.ours_only("keys on tokens need an engine there"),
    pytest.mark.skipif(not tokens.available() or not shutil.which("gcc"),
                       reason="softhsm2, opensc or gcc is not installed"),
]

PIN = tokens.PIN
WRONG = "pin-0000000"
CKR_DEVICE_REMOVED = 0x32
CKR_PIN_INCORRECT = 0xA0
CKF_USER_PIN_COUNT_LOW = 0x10000
CKF_USER_PIN_FINAL_TRY = 0x20000


@pytest.fixture
def pin_file(tmp_path):
    path = tmp_path / "pin"
    path.write_text(WRONG)
    path.chmod(0o600)
    return path


@pytest.fixture
def on_token(settings, faulty_token, pin_file):
    """Settings with the key on the token and the PIN in a file, which is wrong."""
    return settings.but(modparams={"private_key": faulty_token.uri("server-ec", pin=False, pin_source=pin_file)})


@contextlib.contextmanager
def host(settings):
    """A Kamailio that may be started again and again, with one folder for files at runtime."""
    kam = Kamailio(settings)
    try:
        yield kam
    finally:
        kam.kill()
        kam.remove()


def _refusal(kam):
    """The line of a start that fails."""
    with pytest.raises(StartFailed):
        kam.start()
    (line,) = [text for module, text in kam.log.at_level("ERROR") if module == "tls"]
    assert PIN not in line and WRONG not in line
    return line


def _records(kam):
    return list(kam.folder.glob("tls_refused_pin.*"))


def _asks(kam):
    with TlsClient(kam.address(), client_context()) as client:
        return client.ask().status


def _is_served(kam):
    try:
        return _asks(kam) == 200
    except (OSError, EOFError):
        return False


def _starts(kam):
    kam.start()
    assert _asks(kam) == 200
    kam.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can start Kamailio as another user, and install modules")
@pytest.mark.parametrize("isolation,user", ((0, ""), (1, ""), (0, "nobody")))
def test_ten_restarts(on_token, faults, faulty_token, pin_file, isolation, user):
    """One login, whichever process looks at the token; the right PIN is used at once."""
    settings = on_token.but(modparams={"key_isolation": isolation}, user=user)
    with host(settings) as kam:
        if user:
            _give_to(user, kam, pin_file, faulty_token, faults)
        first = _refusal(kam)
        (record,) = _records(kam)
        assert f"nor by a restart until it changes or {record} is removed (tries so far: 1" in first
        for _ in range(9):
            assert (f"the PIN was not tried: the token has refused it before (tries so far: 1); correct it; if it is "
                    f"right now, remove {record}, or run tls.reload if Kamailio is running") in _refusal(kam)
        assert faults.count("login") == 1
        status = record.stat()
        assert stat.S_IMODE(status.st_mode) == 0o600
        assert record.owner() == (user or "root")
        assert WRONG not in record.read_text()
        pin_file.write_text(PIN)
        _starts(kam)
        assert not _records(kam)


def test_two_pins(settings, pki, faults, faulty_token, pin_file, isolation):
    """The PIN of one key is right, that of the next is wrong: that the token accepts the one clears nothing.

    How often the right PIN is used depends on how early the processes of a start that is given up end."""
    faulty_token.add_key("server-rsa", pki.key("server-rsa"))
    both = settings.but(modparams={
        "key_isolation": isolation,
        "certificate": f"{pki.cert('server-ec')},{pki.cert('server-rsa')}",
        "private_key": f"{faulty_token.uri('server-ec')},"
                       f"{faulty_token.uri('server-rsa', pin=False, pin_source=pin_file)}"})
    with host(both) as kam:
        for starts in range(4):
            right = faults.pins().count(PIN)
            assert ("the PIN was not tried: the token has refused it before" if starts else "the PIN is wrong"
                    ) in _refusal(kam)
            assert faults.pins().count(PIN) > right
            assert faults.pins().count(WRONG) == 1
            assert len(_records(kam)) == 1
        pin_file.write_text(PIN)
        _starts(kam)
        assert not _records(kam)
        assert faults.pins().count(WRONG) == 1


def _give_to(user, kam, pin_file, token, faults):
    """Make everything that a Kamailio of another user needs readable for it."""
    files = {}
    for name in ("certificate", "ca_list"):
        files[name] = str(shutil.copy(kam.settings.modparams[name], kam.folder / f"{name}.pem"))
        os.chmod(files[name], 0o644)
    kam.settings = kam.settings.but(modparams=files)
    for path in (token.hsm.folder, *token.hsm.folder.rglob("*"), pin_file, faults.control.parent):
        shutil.chown(path, user)
    for folder in token.hsm.folder.parents:
        if str(folder).startswith("/tmp/"):
            folder.chmod(folder.stat().st_mode | 0o011)


def test_operator_says_so(on_token, faults, pin_file):
    """tls.reload tries the PIN once more, and so does a start after the record was removed."""
    pin_file.write_text(PIN)
    with host(on_token) as kam:
        kam.start()
        pin_file.write_text(WRONG)
        logins = faults.count("login")
        for tries in (1, 2):
            with pytest.raises(RuntimeError):
                kam.rpc("tls.reload")
            assert kam.log.find(rf"ERROR.*\(tries so far: {tries};")
        assert faults.count("login") == logins + 2
        assert _asks(kam) == 200
        kam.stop()
        logins = faults.count("login")
        assert "(tries so far: 2)" in _refusal(kam)
        assert faults.count("login") == logins
        (record,) = _records(kam)
        record.unlink()
        assert "(tries so far: 1;" in _refusal(kam)
        assert faults.count("login") == logins + 1


def test_refused_pin_that_became_right(on_token, faulty_token, pin_file):
    """The PIN is changed on the token, not in the file: a reload finds out, and the record goes."""
    pin_file.write_text(PIN)
    with host(on_token) as kam:
        kam.start()
        pin_file.write_text(WRONG)
        with pytest.raises(RuntimeError):
            kam.rpc("tls.reload")
        assert len(_records(kam)) == 1
        faulty_token.set_pin(WRONG)
        assert kam.rpc("tls.reload").startswith("Ok")
        assert not _records(kam)
        kam.stop()
        _starts(kam)


def test_refused_in_a_worker(on_token, faults, pin_file):
    """The PIN is changed on the token while Kamailio runs: a worker finds out, and the next start knows."""
    pin_file.write_text(PIN)
    with host(on_token.but(tcp_children=4)) as kam:
        kam.start()
        faults.set(login=CKR_PIN_INCORRECT)
        logins = faults.count("login")
        for _ in range(8):
            with pytest.raises((OSError, EOFError)):
                _asks(kam)
        assert faults.count("login") == logins + 1
        (record,) = _records(kam)
        assert kam.log.wait("ERROR.*the PIN is wrong; it is not tried again until the next tls.reload, nor by a "
                            f"restart until it changes or {record} is removed")
        kam.stop()
        logins = faults.count("login")
        assert "the PIN was not tried: the token has refused it before" in _refusal(kam)
        assert faults.count("login") == logins


@pytest.mark.parametrize("isolation", (0, 1))
def test_auto_reload(on_token, faults, pin_file, isolation):
    """A reload that no operator asked for does not try a refused PIN, however often a file changes. Another PIN is
    tried, and tls.reload tries any."""
    pin_file.write_text(PIN)
    with host(on_token.but(debug=3, modparams={"auto_reload": 1, "key_isolation": isolation})) as kam:
        kam.start()
        logins = faults.count("login")
        for number in range(3):                 # the first line of the file is the PIN
            mark = kam.log.mark()
            pin_file.write_text(f"{WRONG}\n{number}\n")
            kam.log.wait("auto_reload: .*(not reloaded, the current one stays|still refused): .*the PIN "
                         + ("was not tried: the token has refused it before" if number else "is wrong"), mark)
        assert faults.count("login") == logins + 1
        assert _asks(kam) == 200
        logins = faults.count("login")
        with pytest.raises(RuntimeError):
            kam.rpc("tls.reload")
        assert kam.log.find(r"ERROR.*the PIN is wrong.*\(tries so far: 2;")
        assert faults.count("login") == logins + 1
        mark = kam.log.mark()
        pin_file.write_text(PIN)
        assert until(lambda: kam.log.find("auto_reload: the files are those of the current|"
                                          "TLS configuration reloaded", mark), "the right PIN is taken")
        assert _asks(kam) == 200


@pytest.mark.parametrize("isolation", (0, 1))
def test_opening_a_key_again(on_token, faults, pin_file, isolation):
    """A process that has to log in again does not try a PIN that a reload has found to be wrong."""
    pin_file.write_text(PIN)
    with host(on_token.but(tcp_children=4, modparams={"key_isolation": isolation})) as kam:
        kam.start()
        faults.set(gone=CKR_DEVICE_REMOVED, absent=1)
        with pytest.raises((OSError, EOFError)):
            _asks(kam)
        faults.set(login=CKR_PIN_INCORRECT)
        logins = faults.count("login")
        with pytest.raises(RuntimeError):
            kam.rpc("tls.reload")
        assert faults.count("login") == logins + 1
        assert until(lambda: not _is_served(kam)
                     and kam.log.find("ERROR.*the PIN was not tried: the token has refused it before"), "it is told")
        for _ in range(4):
            assert not _is_served(kam)
        assert faults.count("login") == logins + 1
        faults.set()
        assert kam.rpc("tls.reload").startswith("Ok")
        assert _asks(kam) == 200


def test_what_the_token_tells(on_token, faults):
    """SoftHSM reports that there were failed logins. A token that announces the last try is not even asked."""
    with host(on_token) as kam:
        assert "(tries so far: 1; the token reports failed logins)" in _refusal(kam)
    faults.set(flags=CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY)
    with host(on_token) as kam:
        assert "the PIN was not tried: another failure would lock the token" in _refusal(kam)
        assert faults.count("login") == 1


def _damage(record):
    record.write_text(record.read_text()[:-9])


def _link(record):
    record.rename(record.with_suffix(".away"))
    record.symlink_to(record.with_suffix(".away"))


def _folder(record):
    record.unlink()
    record.mkdir()


def _world(record):
    record.chmod(0o666)


@pytest.mark.parametrize("meddle", (_damage, _link, _folder, _world))
def test_record_that_was_meddled_with(on_token, faults, pin_file, meddle):
    """What is not a record does not let a PIN pass; the line names it. A reload works, and removes or keeps nothing."""
    with host(on_token) as kam:
        _refusal(kam)
        (record,) = _records(kam)
        meddle(record)
        pin_file.write_text(PIN)
        assert f"the PIN was not tried: {record} is damaged, remove it" in _refusal(kam)
        assert faults.count("login") == 1
        if record.is_dir():
            record.rmdir()
        else:
            record.unlink()
        _starts(kam)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to another user")
def test_record_of_another_user(on_token, faults):
    """It is ignored with a warning: whoever may write to that folder must not decide what Kamailio does."""
    with host(on_token) as kam:
        _refusal(kam)
        (record,) = _records(kam)
        shutil.chown(record, "nobody")
        assert "(tries so far: 1;" in _refusal(kam)
        assert kam.log.find(f"WARNING.*{record}. belongs to user id [0-9]+ and is ignored: remove it")
        assert faults.count("login") == 2
        assert record.owner() == "root"
        assert "the PIN was not tried" in _refusal(kam)


def test_record_that_cannot_be_written(on_token, faults, pin_file):
    """The line says that restarts will try the PIN."""
    pin_file.write_text(PIN)
    with host(on_token) as kam:
        kam.start()
        pin_file.write_text(WRONG)
        with pytest.raises(RuntimeError):
            kam.rpc("tls.reload")
        (record,) = _records(kam)
        _folder(record)
        with pytest.raises(RuntimeError):
            kam.rpc("tls.reload")
        assert kam.log.find(rf"ERROR.*but by each restart and by auto_reload: {record}: Is a directory "
                            r"\(tries so far: 1;")
        assert _asks(kam) == 200


def test_tpm(settings, pki, tmp_path, monkeypatch):
    """It locks after three failures and announces none of them; ten restarts cost one."""
    reason = real_tokens.Tpm.missing()
    if reason:
        pytest.skip(reason)
    (tmp_path / "tpm").mkdir()
    tpm = real_tokens.Tpm(tmp_path / "tpm", {"server-ec": (pki.key("server-ec"), pki.cert("server-ec"))})
    for name, value in tpm.env.items():
        monkeypatch.setenv(name, value)
    with contextlib.closing(tpm), host(settings.but(
            modparams={"private_key": tpm.uri("server-ec", pin="wrong-26")})) as kam:
        assert "(tries so far: 1)" in _refusal(kam)
        for _ in range(9):
            assert "the PIN was not tried" in _refusal(kam)
        assert tpm.failures() == 1
        kam.settings = settings.but(modparams={"private_key": tpm.uri("server-ec")})
        kam.start()
        assert until(lambda: _asks(kam) == 200, "it is served")
        kam.stop()
