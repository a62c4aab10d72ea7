# tls_gnutls - end to end: auto_reload, which reloads when the files of the configuration have changed and fit together
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import os
import shutil
import tempfile
import time
from pathlib import Path

import pytest

from .lib.pki import PASSPHRASE
from .lib.tls import TlsClient, client_context
from .lib.tlscfg import MODES, Files, reading, section
from .lib.wait import until
from .lib.watch import OpenCounter

pytestmark = pytest.mark.ours_only("tls.so has no auto_reload")

RELOADED = "NOTICE.*TLS configuration reloaded"
REFUSED = "WARNING.*auto_reload: .*changed, but the TLS configuration was not reloaded, the current one stays"
TRIED = r"INFO.*auto_reload: (\d+) files? changed"
BACK = "NOTICE.*auto_reload: the files are those of the current TLS configuration again"


@pytest.fixture
def files(pki, tmp_path):
    return Files(tmp_path, pki)


@pytest.fixture(name="settings")
def settings_with_auto_reload(settings):
    return settings.but(modparams={"auto_reload": 1})


def _served(kam):
    with TlsClient(kam.address(), client_context()) as client:
        assert client.ask().status == 200
        return client.shown()


def _accepted(kam, pki, row):
    try:
        with TlsClient(kam.address(), client_context(cert=pki.cert(row), key=pki.key(row))) as client:
            return client.ask().status == 200
    except (OSError, EOFError):
        return False


def _wait_reload(kam, since):
    """Wait for the first reload after a mark of the log."""
    kam.log.wait(RELOADED, since)


def _wait_looks(kam, files, name):
    """Wait until the process has looked at a touched file, twice: a touched file is read once for each change."""
    for _ in range(2):
        with OpenCounter(files.folder) as counter:
            os.utime(files.path(name))
            until(lambda: counter.opened().get(name), f"a look at {name}")      # pylint: disable=cell-var-from-loop
    assert kam.log.find("auto_reload: looks at .* every 1 s")


# ---- off and on ------------------------------------------------------------------------------------------------------

def test_off_by_default(start, settings, files):
    kam = start(files.settings(settings.but(modparams={"auto_reload": None}), "file"))
    assert not kam.pids("tls auto reload")
    assert not kam.log.find("auto_reload")


@pytest.mark.parametrize("mode", MODES)
def test_a_healthy_start_has_one_line_and_no_warning(start, settings, files, mode):
    kam = start(files.settings(settings, mode))
    assert len(kam.pids("tls auto reload")) == 1
    assert len(kam.log.find("INFO.*auto_reload: looks at [0-9]+ files? every 1 s")) == 1
    assert not kam.log.find("(WARNING|ERROR|NOTICE).*auto_reload")


# ---- what is noticed -------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("mode", MODES)
def test_a_renewed_certificate_is_served(start, settings, files, mode):
    kam = start(files.settings(settings, mode))
    assert _served(kam) == "server-ec"
    mark = kam.log.mark()
    files.show("server-rsa")
    _wait_reload(kam, mark)
    assert _served(kam) == "server-rsa"
    assert kam.log.find(r"NOTICE.*TLS configuration: TLSs<default>: new certificate, serial \d+, valid until", mark)
    assert kam.log.find(r"NOTICE.*TLS configuration: TLSs<default>: no longer used: certificate", mark)
    assert len(kam.log.find(RELOADED)) == 1
    assert not kam.log.find("WARNING.*auto_reload")


def test_a_link_that_points_elsewhere_is_noticed(start, settings, files, pki, tmp_path):
    """As certbot does it: live/NAME/fullchain.pem is a link into archive/NAME."""
    archive, live = tmp_path / "archive", tmp_path / "live"
    for folder in (archive, live):
        folder.mkdir()
    for number, row in ((1, "server-ec"), (2, "server-rsa")):
        shutil.copy(pki.cert(row), archive / f"cert{number}.pem")
        shutil.copy(pki.key(row), archive / f"key{number}.pem")
    for name in ("cert", "key"):
        (live / f"{name}.pem").symlink_to(archive / f"{name}1.pem")
    kam = start(files.settings(settings, "file", certificate=str(live / "cert.pem"), private_key=str(live / "key.pem")))
    assert _served(kam) == "server-ec"
    mark = kam.log.mark()
    for name in ("cert", "key"):
        (live / "new").symlink_to(archive / f"{name}2.pem")
        (live / "new").rename(live / f"{name}.pem")
    _wait_reload(kam, mark)
    assert _served(kam) == "server-rsa"


def test_a_file_written_in_place_is_noticed(start, settings, files, pki):
    kam = start(files.settings(settings, "parameters"))
    mark = kam.log.mark()
    for name, source in (("cert.pem", pki.cert("server-rsa")), ("key.pem", pki.key("server-rsa"))):
        shutil.copyfile(source, files.path(name))
    _wait_reload(kam, mark)
    assert _served(kam) == "server-rsa"


def test_tls_cfg_is_noticed(start, settings, files):
    kam = start(files.settings(settings, "file"))
    mark = kam.log.mark()
    files.write("tls.cfg", section("server:default", **files.keys()) + section("client:192.0.2.9:5061"))
    _wait_reload(kam, mark)
    assert kam.log.find("NOTICE.*TLS configuration: TLSc<192.0.2.9:5061>: added", mark)


def test_a_new_file_in_a_directory_of_profiles_is_noticed(start, settings, files, tmp_path):
    folder = tmp_path / "tls.d"
    folder.mkdir()
    (folder / "10-server.cfg").write_text(section("server:default", **files.keys()))
    kam = start(reading(settings, folder))
    mark = kam.log.mark()
    (tmp_path / "new").write_text(section("client:192.0.2.9:5061"))
    (tmp_path / "new").rename(folder / "20-trunk.cfg")
    _wait_reload(kam, mark)
    assert kam.log.find("NOTICE.*TLS configuration: TLSc<192.0.2.9:5061>: added", mark)
    mark = kam.log.mark()
    (folder / "20-trunk.cfg").unlink()
    _wait_reload(kam, mark)
    assert kam.log.find("NOTICE.*TLS configuration: TLSc<192.0.2.9:5061>: removed", mark)


@pytest.mark.parametrize("mode", MODES)
def test_authorities_and_revocation_lists_are_noticed(start, settings, files, pki, mode):
    files.put("list.crl", pki.path("expired.crl"))
    kam = start(files.settings(settings, mode, verify_client="on", crl=files.path("list.crl")))
    assert not _accepted(kam, pki, "client-ok")
    mark = kam.log.mark()
    files.put("list.crl", pki.path("all.crl"))
    _wait_reload(kam, mark)
    assert _accepted(kam, pki, "client-ok")
    mark = kam.log.mark()
    files.put("ca.pem", pki.path("ca-stranger.pem"))
    _wait_reload(kam, mark)
    assert not _accepted(kam, pki, "client-ok")


def test_a_new_file_in_ca_path_is_noticed(start, settings, files, pki, tmp_path):
    folder = tmp_path / "ca.d"
    folder.mkdir()
    shutil.copy(pki.path("ca.pem"), folder)
    kam = start(files.settings(settings, "file", verify_client="on", ca_list=None, ca_path=str(folder)))
    assert not _accepted(kam, pki, "client-stranger")
    mark = kam.log.mark()
    shutil.copy(pki.path("ca-stranger.pem"), folder)
    _wait_reload(kam, mark)
    assert _accepted(kam, pki, "client-stranger")


def test_the_file_of_a_password_is_noticed(start, settings, files, pki):
    files.write("password", "wrong\n")
    kam = start(files.settings(settings, "file", private_key_password="file:" + files.path("password")))
    files.put("key.pem", pki.path("server-ec.enc.key"))
    kam.log.wait(REFUSED)
    mark = kam.log.mark()
    files.write("password", PASSPHRASE.decode() + "\n")
    _wait_reload(kam, mark)
    assert _served(kam) == "server-ec"


# ---- what is no change -----------------------------------------------------------------------------------------------

def test_a_file_that_is_only_touched_is_no_change(start, settings, files):
    kam = start(files.settings(settings, "file"))
    _wait_looks(kam, files, "cert.pem")
    files.put("key.pem", files.path("key.pem"))         # the same content in another file
    _wait_looks(kam, files, "key.pem")
    mark = kam.log.mark()
    files.put("ca.pem", files.path("cert.pem"))
    _wait_reload(kam, mark)
    assert len(kam.log.find(RELOADED)) == 1
    assert [line for line in kam.log.find(TRIED) if "1 file changed" in line] == kam.log.find(TRIED)


def test_a_reload_by_hand_is_not_repeated(start, settings, files, pki):
    kam = start(files.settings(settings, "file"))
    files.show("server-rsa")
    assert kam.rpc("tls.reload").startswith("Ok.")
    _wait_looks(kam, files, "cert.pem")
    mark = kam.log.mark()
    files.put("ca.pem", pki.path("ca-both.pem"))
    _wait_reload(kam, mark)
    assert len(kam.log.find(RELOADED)) == 2
    assert len(kam.log.find(TRIED)) == 1


# ---- what does not fit together --------------------------------------------------------------------------------------

@pytest.mark.parametrize("mode", MODES)
def test_a_pair_that_does_not_fit_leaves_the_old_one(start, settings, files, pki, mode):
    kam = start(files.settings(settings, mode))
    files.put("cert.pem", pki.cert("server-rsa"))
    kam.log.wait(REFUSED + ".*does not belong to the certificate")
    assert _served(kam) == "server-ec"
    _wait_looks(kam, files, "cert.pem")                 # touched: is not tried again
    assert len(kam.log.find(TRIED)) == 1
    mark = kam.log.mark()
    files.put("key.pem", pki.key("server-rsa"))
    _wait_reload(kam, mark)
    assert _served(kam) == "server-rsa"
    assert len(kam.log.find(REFUSED)) == 1


def test_the_same_refusal_is_logged_once(start, settings, files, pki):
    kam = start(files.settings(settings, "file"))
    for name in ("server-rsa", "server-rsa-2", "server-rsa"):
        mark = kam.log.mark()
        shutil.copyfile(pki.cert("server-rsa"), files.path("cert.pem"))
        with open(files.path("cert.pem"), "a", encoding="ascii") as cert:
            cert.write(f"# {name} {time.monotonic_ns()}\n")
        kam.log.wait(TRIED, mark)
        _wait_looks(kam, files, "cert.pem")             # the files have been read: the next change is news
    files.put("cert.pem", pki.cert("server-ec"))
    kam.log.wait(BACK)
    assert len(kam.log.find(REFUSED)) == 1
    assert not kam.log.find(RELOADED)


def test_files_that_are_put_back_are_no_reload(start, settings, files, pki):
    kam = start(files.settings(settings, "file"))
    files.write("tls.cfg", "[server:default\n")
    kam.log.wait(REFUSED + ".*tls.cfg:")
    files.settings(settings, "file")
    kam.log.wait(BACK)
    assert not kam.log.find(RELOADED)
    mark = kam.log.mark()
    files.put("cert.pem", pki.cert("server-rsa"))       # the next refusal is news again
    kam.log.wait(REFUSED, mark)


@pytest.mark.parametrize("name", ("cert.pem", "key.pem", "ca.pem", "tls.cfg"))
def test_a_file_that_vanishes_ends_nothing(start, settings, files, name):
    kam = start(files.settings(settings, "file"))
    os.rename(files.path(name), files.path("aside"))
    kam.log.wait(REFUSED + f".*{name}.*No such file")
    assert _served(kam) == "server-ec"
    os.rename(files.path("aside"), files.path(name))
    kam.log.wait(BACK)
    assert not kam.log.find(RELOADED)
    kam.assert_healthy()


@pytest.mark.parametrize("kind", ("empty", "cut", "directory", "fifo"))
def test_a_file_that_is_not_whole_ends_nothing(start, settings, files, pki, kind):
    kam = start(files.settings(settings, "file"))
    os.unlink(files.path("cert.pem"))
    if kind == "directory":
        os.mkdir(files.path("cert.pem"))
    elif kind == "fifo":
        os.mkfifo(files.path("cert.pem"))
    else:
        text = "" if kind == "empty" else open(pki.cert("server-ec"), encoding="ascii").read()[:200]
        files.write("cert.pem", text)
    kam.log.wait(REFUSED + ".*cert.pem")
    assert _served(kam) == "server-ec"
    if kind == "directory":
        os.rmdir(files.path("cert.pem"))
    mark = kam.log.mark()
    files.show("server-rsa")
    _wait_reload(kam, mark)
    assert _served(kam) == "server-rsa"


# ---- privileges ------------------------------------------------------------------------------------------------------

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="not root")


@pytest.fixture
def public(pki):
    """Files in a folder that every user may read."""
    with tempfile.TemporaryDirectory(prefix="tlsg-auto-") as folder:
        os.chmod(folder, 0o755)
        yield Files(Path(folder), pki)


def _show(files, name, source):
    """Replace a file by a copy that every user may read."""
    shutil.copyfile(source, files.path("new"))
    os.chmod(files.path("new"), 0o644)
    os.rename(files.path("new"), files.path(name))


@as_root
def test_keys_of_root_with_key_isolation(start, settings, public, pki):
    """The process cannot see that the key was replaced; it sees the certificate, and the key process reads the key."""
    secret = public.folder / "secret"
    secret.mkdir(mode=0o700)
    key = secret / "key.pem"
    os.rename(public.path("key.pem"), key)
    kam = start(public.settings(settings.but(user="nobody", modparams={"key_isolation": 1}), "file",
                                private_key=str(key)))
    assert len(kam.log.find(f'NOTICE.*auto_reload: changes of "{key}" are not noticed, user .*Permission denied')) == 1
    mark = kam.log.mark()
    shutil.copyfile(pki.key("server-rsa"), key)
    _show(public, "cert.pem", pki.cert("server-rsa"))
    _wait_reload(kam, mark)
    assert _served(kam) == "server-rsa"
    assert not kam.log.find("WARNING.*auto_reload")


@as_root
def test_a_tls_cfg_of_root_is_told_at_start(start, settings, public, pki):
    _show(public, "key.pem", pki.key("server-ec"))
    wanted = public.settings(settings.but(user="nobody"), "file")
    os.chmod(public.path("tls.cfg"), 0o600)
    kam = start(wanted)
    assert len(kam.log.find("WARNING.*was read as root, and user .*: tls.reload and auto_reload will fail")) == 1
    _show(public, "cert.pem", pki.cert("server-rsa"))
    kam.log.wait(REFUSED + ".*tls.cfg.*Permission denied")
    assert _served(kam) == "server-ec"
    kam.assert_healthy()
