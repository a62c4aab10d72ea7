# tls_gnutls - end to end: kamcli's tls commands, and a tls.cfg that it writes from a database
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import os
import re
import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest

from .lib.tls import TlsClient, client_context
from .lib.tlscfg import reading

MANUAL = Path(__file__).resolve().parents[2] / "doc" / "manual.md"
KAMCLI = shutil.which("kamcli")
pytestmark = pytest.mark.skipif(KAMCLI is None, reason="kamcli is not installed")

# What kamcli ends with where a release has one that is older than its libraries.
UNFIT = {
    "'Engine' object has no attribute 'execute'": "this kamcli cannot read databases with SQLAlchemy 2",
    "module 'configparser' has no attribute 'SafeConfigParser'": "this kamcli does not run with Python 3.12 and later",
}
PATHS, CONTENT = 0, 1       # values of file_type
ROWS = ("certificate", "private_key", "ca_list", "crl")


class Tool:
    """kamcli with a database and a configuration of its own; `kam` is set when a Kamailio runs."""

    def __init__(self, folder):
        self.folder = folder
        self.database = folder / "tls.sqlite"
        self.kam = None

    def run(self, *words, cwd=None):
        rpc = f"{self.kam.folder}/rpc" if self.kam else "/nonexistent"
        settings = self.folder / "kamcli.ini"
        settings.write_text(
            f"[db]\nrwurl=sqlite:///{self.database}\nrourl=sqlite:///{self.database}\n"
            "[ctl]\ntype=jsonrpc\nkamgroup=root\n"
            f"[jsonrpc]\ntransport=socket\nsrvaddr={rpc}\nrcvaddr={self.folder}/answer\noutformat=json\n")
        return subprocess.run([KAMCLI, "--no-default-configs", "-c", settings, "tls", *map(str, words)], text=True,
                              capture_output=True, timeout=60, check=False, cwd=cwd or self.folder)

    def ask(self, *words, **more):
        done = self.run(*words, **more)
        for fault, reason in UNFIT.items():
            if fault in done.stderr:
                pytest.skip(reason)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def make_table(self):
        """The schema that kamcli prints is MySQL's; the manual says which words SQLite wants."""
        wrong, right = re.search(r"s/(INT.*?)/(INTEGER.*?)/", MANUAL.read_text(encoding="utf-8")).groups()
        schema = self.ask("sqlprint")
        assert wrong in schema
        with sqlite3.connect(self.database) as db:
            db.executescript(schema.replace(wrong, right))

    def add(self, kind, name, file_type, files, **columns):
        """A profile whose files are given as paths, or as what is in them."""
        values = {key: Path(path).read_text() if file_type == CONTENT else str(path) for key, path in files.items()}
        row = {"profile_type": kind, "profile_name": name, "file_type": file_type, **values, **columns}
        with sqlite3.connect(self.database) as db:
            db.execute(f"insert into tlscfg ({', '.join(row)}) values ({', '.join('?' * len(row))})",
                       tuple(row.values()))


@pytest.fixture
def tool(tmp_path):
    return Tool(tmp_path)


@pytest.fixture
def filled(tool, pki, request):
    """A database with three profiles, and its kind."""
    kind = request.param
    tool.make_table()
    authority = {"ca_list": pki.path("ca.pem")}
    tool.add("server", "default", kind, method="TLSv1.2+", server_id="first", cipher_list="HIGH:!aNULL",
             files={"certificate": pki.cert("server-ec"), "private_key": pki.key("server-ec"), **authority})
    tool.add("server", "any", kind, method="TLSv1.3", server_name="server-rsa.example.org", server_name_mode=0,
             verify_certificate=1, verify_depth=5,
             files={"certificate": pki.cert("server-rsa"), "private_key": pki.key("server-rsa"), **authority})
    tool.add("client", "default", kind, verify_certificate=1, require_certificate=1,
             files={**authority, "crl": pki.path("all.crl")})
    return tool, kind


def _serves(kam, pki, name, subject):
    with TlsClient(kam.address(), client_context(pki.path("ca.pem")), name=name) as client:
        assert client.ask().status == 200
        assert client.shown() == subject


@pytest.mark.parametrize("filled", (PATHS, CONTENT), ids=("paths", "content"), indirect=True)
def test_configuration_from_a_database(filled, start, settings, pki):
    """kamcli writes it, Kamailio starts with it; a change of the table and cfgreload change what it serves."""
    tool, kind = filled
    config = tool.folder / "tls.cfg"
    assert "done" in tool.ask("cfgprint", "-d", tool.folder, config)
    text = config.read_text()
    assert "[server:default]" in text and "[server:any]" in text and "[client:default]" in text
    written = sorted(p.name for p in tool.folder.glob("*_[0-9].pem"))
    assert written == ([] if kind == PATHS else [
        "ca_list_1.pem", "ca_list_2.pem", "ca_list_3.pem", "certificate_1.pem", "certificate_2.pem", "crl_3.pem",
        "private_key_1.pem", "private_key_2.pem"])
    kam = tool.kam = start(reading(settings, config))
    _serves(kam, pki, "localhost", "server-ec")
    _serves(kam, pki, "server-rsa.example.org", "server-rsa")

    profiles = kam.rpc("tls.profiles")
    assert len(profiles) == 3
    with sqlite3.connect(tool.database) as db:
        new = {name: Path(path).read_text() if kind == CONTENT else path for name, path in
               (("certificate", pki.cert("server-ec384")), ("private_key", pki.key("server-ec384")))}
        db.execute("update tlscfg set certificate = ?, private_key = ? where id = 1",
                   (new["certificate"], new["private_key"]))
    tool.ask("cfgprint", "-d", tool.folder, config)
    assert "Ok. TLS configuration reloaded" in tool.ask("cfgreload")
    _serves(kam, pki, "localhost", "server-ec384")

    config.write_text(text.replace("server-ec", "nowhere").replace("certificate_1", "nowhere"))
    assert '"error"' in tool.ask("cfgreload")
    _serves(kam, pki, "localhost", "server-ec384")


def test_commands_of_kamcli(tool, start, settings):
    kam = tool.kam = start(settings)
    with TlsClient(kam.address(), client_context()) as client:
        assert client.ask().status == 200
        listed = tool.ask("conlist")
        assert '"src_ip": "127.0.0.1"' in listed and '"established"' in listed
        assert '"opened_connections": 1' in tool.ask("info")
    options = tool.ask("cfgoptions")
    assert '"method": "TLSv1.2+"' in options and '"certificate"' in options


@pytest.mark.parametrize("filled", (CONTENT,), ids=("content",), indirect=True)
def test_a_relative_folder_is_not_found(filled, start, settings):
    """The names in tls.cfg are those of -d; relative ones are looked up beside kamailio.cfg, not where kamcli ran."""
    tool, _ = filled
    config = tool.folder / "tls.cfg"
    tool.ask("cfgprint", "-d", tool.folder, config)
    kam = tool.kam = start(reading(settings, config))
    (tool.folder / "certs").mkdir()
    tool.ask("cfgprint", "-d", "certs", config)
    assert (tool.folder / "certs" / "certificate_1.pem").is_file()
    assert "certificate=certs/certificate_1.pem" in config.read_text()
    mark = kam.log.mark()
    assert '"error"' in tool.ask("cfgreload")
    assert kam.log.find(r"certs/certificate_1\.pem|certs/ca_list_1\.pem|certs/private_key_1\.pem", mark)


@pytest.mark.parametrize("filled", (CONTENT,), ids=("content",), indirect=True)
def test_rights_that_the_manual_sets(filled):
    """kamcli writes keys with the rights of the shell; the umask of the manual leaves them to their owner."""
    tool, _ = filled
    (umask,) = set(re.findall(r"^umask (\d+)", MANUAL.read_text(encoding="utf-8"), re.M))
    before = os.umask(int(umask, 8))
    try:
        tool.ask("cfgprint", "-d", tool.folder, tool.folder / "tls.cfg")
    finally:
        os.umask(before)
    for path in (*tool.folder.glob("private_key_*.pem"), tool.folder / "tls.cfg"):
        assert path.stat().st_mode & 0o007 == 0, path
