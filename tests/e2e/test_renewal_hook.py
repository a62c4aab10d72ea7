# tls_gnutls - end to end: the renewal hook of doc/manual.md, as printed; only its two folders differ
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import os
import pwd
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from .lib.kamailio import KAMCMD
from .lib.tls import TlsClient, client_context
from .lib.tlscfg import MODES, Files


def _has_user():
    try:
        return os.geteuid() == 0 and bool(pwd.getpwnam("kamailio"))
    except KeyError:
        return False


pytestmark = [
    pytest.mark.ours_only("tls.so reads nothing without a file, and frees late"),
    pytest.mark.skipif(not _has_user(), reason="not root, or there is no user kamailio"),
]

MANUAL = Path(__file__).resolve().parents[2] / "doc" / "manual.md"
LIVE = "/etc/letsencrypt/live/sip.example.org"


class Renewal:
    """The hook, the folder of the ACME client and a kamcmd in the PATH that finds this Kamailio."""

    def __init__(self, folder, files, pki):
        self.lineage = folder / "live"
        self.lineage.mkdir()
        self._bin = folder / "bin"
        self._bin.mkdir()
        self._files = files
        self._pki = pki
        (block,) = [text for text in re.findall(r"^```sh\n(.*?)^```$", MANUAL.read_text(encoding="utf-8"), re.M | re.S)
                    if "RENEWED_LINEAGE" in text]
        assert block.count(LIVE) == 1 and block.count("to=/etc/kamailio/tls\n") == 1
        self._hook = folder / "hook"
        self._hook.write_text(block.replace(LIVE, str(self.lineage)).replace(
            "to=/etc/kamailio/tls\n", f"to={files.folder}\n"))
        self._hook.chmod(0o755)

    def renew(self, certificate, key):
        shutil.copy(self._pki.cert(certificate), self.lineage / "fullchain.pem")
        shutil.copy(self._pki.key(key), self.lineage / "privkey.pem")

    def run(self, kam, lineage=None):
        """Run the hook; returns its status and what it wrote."""
        kamcmd = self._bin / "kamcmd"
        kamcmd.write_text(f'#!/bin/sh\nexec {shutil.which(KAMCMD)} -s unix:{kam.folder if kam else "/nonexistent"}'
                          '/ctl "$@"\n')
        kamcmd.chmod(0o755)
        done = subprocess.run([self._hook], env={"PATH": f"{self._bin}:{os.environ['PATH']}",
                                                 "RENEWED_LINEAGE": str(lineage or self.lineage)},
                              capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stderr

    def files(self):
        """What is in the folder that Kamailio reads."""
        return {name: (self._files.folder / name).read_bytes() for name in ("cert.pem", "key.pem")}


@pytest.fixture
def files(pki, tmp_path):
    (tmp_path / "tls").mkdir()
    return Files(tmp_path / "tls", pki)


@pytest.fixture
def renewal(files, pki, tmp_path):
    return Renewal(tmp_path, files, pki)


def _served(kam):
    with TlsClient(kam.address(), client_context()) as client:
        assert client.ask().status == 200
        return client.shown()


@pytest.mark.parametrize("mode", MODES)
def test_a_renewed_pair_is_used(start, settings, files, renewal, mode):
    kam = start(files.settings(settings, mode))
    renewal.renew("server-rsa", "server-rsa")
    status, text = renewal.run(kam)
    assert status == 0 and "new certificate, serial " in text
    assert _served(kam) == "server-rsa"
    assert renewal.files()["cert.pem"] == (renewal.lineage / "fullchain.pem").read_bytes()
    key = files.folder / "key.pem"
    assert (key.stat().st_mode & 0o777, key.owner()) == (0o600, "kamailio")
    assert not list(files.folder.glob("*.new"))


def test_a_wrong_pair_is_taken_back(start, settings, files, renewal):
    kam = start(files.settings(settings, "file"))
    before = renewal.files()
    renewal.renew("server-ec", "server-rsa")
    status, text = renewal.run(kam)
    assert status == 1
    assert "does not belong to" in text or "error: 500" in text
    assert "the old certificate stays" in text
    assert renewal.files() == before
    assert kam.rpc("tls.reload") == "Ok. TLS configuration reloaded."
    renewal.renew("server-rsa", "server-rsa")
    assert renewal.run(kam)[0] == 0 and _served(kam) == "server-rsa"


@pytest.mark.parametrize("missing", ("fullchain.pem", "privkey.pem"))
def test_a_missing_file_changes_nothing(start, settings, files, renewal, missing):
    kam = start(files.settings(settings, "file"))
    before = renewal.files()
    renewal.renew("server-rsa", "server-rsa")
    (renewal.lineage / missing).unlink()
    assert renewal.run(kam)[0] == 1
    assert renewal.files() == before and not list(files.folder.glob("*.new"))
    assert _served(kam) == "server-ec"


def test_without_a_running_kamailio_the_old_pair_stays(files, renewal):
    before = renewal.files()
    renewal.renew("server-rsa", "server-rsa")
    assert renewal.run(None)[0] == 1
    assert renewal.files() == before
    assert files.folder.exists()


def test_another_lineage_is_left_alone(start, settings, files, renewal, tmp_path):
    kam = start(files.settings(settings, "file"))
    before = renewal.files()
    assert renewal.run(kam, tmp_path / "other") == (0, "")
    assert renewal.files() == before
