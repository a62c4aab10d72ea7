# tls_gnutls - end to end: the walk-through of doc/hsm.md, command by command
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""Every block marked `sh` is run as it stands, in order, in one shell for each section; only ports, the duration of a
measurement and the user of a server differ. The tokens are those of lib/real_tokens.py."""

import contextlib
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from .lib import real_tokens
from .lib import token as tokens
from .lib.kamailio import Kamailio
from .lib.shell import Shell, commands
from .lib.tls import TlsClient, client_context

DOC = Path(__file__).resolve().parents[2] / "doc" / "hsm.md"
NEEDED = ("certtool", "openssl", "kamcmd")

pytestmark = [
    pytest.mark.ours_only("keys on tokens need an engine there"),
    pytest.mark.skipif(not tokens.available() or not all(map(shutil.which, NEEDED)),
                       reason="softhsm2, opensc or gnutls-bin is not installed"),
]


def _section(heading):
    """The blocks of commands below a heading."""
    text = DOC.read_text(encoding="utf-8").split(f"\n{heading}\n", 1)[1]
    text = re.split(r"^##+ ", text, maxsplit=1, flags=re.M)[0]
    return re.findall(r"^```sh\n(.*?)^```$", text, re.M | re.S)


def test_every_block_is_run():
    """The sections below have all blocks of the document."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", DOC.read_text(encoding="utf-8"), re.M | re.S)
    assert blocks == [block for heading in (
        "## Walk-through with SoftHSM", "## Tokens that were tried", "### TPM 2.0", "### openCryptoki",
        "### NSS, through p11-kit's server") for block in _section(heading)]


def test_walk_through(start, settings, tmp_path, monkeypatch):
    blocks = _section("## Walk-through with SoftHSM") + _section("## Tokens that were tried")
    before = [block for block in blocks if "5061" not in block]
    after = [block for block in blocks if "5061" in block]
    assert len(before) >= 7 and len(after) >= 2
    assert blocks == before + after
    shell = Shell(tmp_path)
    try:
        for block in before:
            for command in commands(block):
                shell.run(command)
        monkeypatch.setenv("SOFTHSM2_CONF", str(tmp_path / "softhsm2.conf"))
        kam = start(settings.but(modparams={"config": str(tmp_path / "tls.cfg")}, debug=3))
        shell.run(f"kamcmd() {{ command kamcmd -s unix:{kam.folder}/ctl \"$@\"; }}")
        for block in after:
            for command in commands(block):
                assert shell.run(command.replace(":5061", f":{kam.port()}").replace(
                    "-time 10", "-time 1")) or "echo" in command
    finally:
        shell.close()
    for pin in ("7261", "9912"):
        assert not kam.log.find(f"(value|pin)[^0-9]{{1,3}}{pin}")


@contextlib.contextmanager
def _token(kind, folder):
    """A token that is prepared and has no key."""
    reason = kind.missing()
    if reason:
        pytest.skip(reason)
    folder.mkdir()
    with contextlib.closing(kind(folder, {})) as token:
        yield token


def _run_section(heading, shell):
    """Run the commands below a heading; returns their output."""
    output = ""
    try:
        for block in _section(heading):
            for command in commands(block):
                output += shell.run(command)
    finally:
        shell.close()
    return output


def _asks(kam):
    with TlsClient(kam.address(), client_context()) as client:
        return client.ask().status


def test_tpm(settings, tmp_path, monkeypatch):
    """The store and the token are new; the TPM is that of the test."""
    with _token(real_tokens.Tpm, tmp_path / "tpm") as token:
        output = _run_section("### TPM 2.0", Shell(tmp_path, env=token.env))
        assert "id=%30%32;object=proxy;type=private" in output
        assert re.search("model=[^;]*%00", output)
        assert "TPM2_PT_LOCKOUT_COUNTER: 0x0" in output
        for name, value in {**token.env, "TPM2_PKCS11_STORE": str(tmp_path / "store")}.items():
            monkeypatch.setenv(name, value)
        query = f"?module-path={token.MODULE}&pin-source=file:{tmp_path}/tpm.pin"
        for certificate in (str(tmp_path / "proxy.pem"), "pkcs11:token=sip;object=proxy;type=cert" + query):
            key = "pkcs11:token=sip;id=%30%32;type=private" + query
            with Kamailio(settings.but(modparams={"certificate": certificate, "private_key": key})) as kam:
                assert _asks(kam) == 200
        (printed,) = re.findall(r"URL: (pkcs11:.*id=%30%32;object=proxy;type=private)", output)
        with Kamailio(settings.but(modparams={
                "certificate": str(tmp_path / "proxy.pem"), "private_key": printed + query})) as kam:
            assert _asks(kam) == 200


def test_opencryptoki(tmp_path):
    """In a slot that is as Debian delivers it."""
    with _token(real_tokens.OpenCryptoki, tmp_path / "ock") as token:
        token.daemons.stop()
        shutil.rmtree(tmp_path / "ock" / "lib" / "swtok")
        (tmp_path / "ock" / "lib" / "swtok" / "TOK_OBJ").mkdir(parents=True)
        token.share()
        token.hide()
        token.show()
        output = _run_section("### openCryptoki", Shell(tmp_path, token.launcher))
        _, generated, listed = output.split("Private Key Object")
        for part in (generated, listed):
            assert re.search(r"^\s+label:\s+proxy$", part, re.M)


def test_nss(tmp_path):
    """The server and its client run as two users, neither of them root."""
    reason = real_tokens.Nss.missing()
    if reason:
        pytest.skip(reason)
    folder = tmp_path / "nss"
    folder.mkdir()
    shutil.chown(folder, "nobody")
    for parent in folder.parents:
        if str(parent).startswith("/tmp/"):
            parent.chmod(parent.stat().st_mode | 0o011)

    def shell(*user, home=folder):
        return Shell(folder, ("setpriv", *user, "--clear-groups") if user else (), {"HOME": str(home)})

    def run(one, block):
        return "".join(one.run(command) for command in commands(block))

    serve, allow, use = _section("### NSS, through p11-kit's server")
    server, root = shell("--reuid", "nobody"), shell()
    client = shell("--reuid", "daemon", "--regid", "daemon", home="/nonexistent")
    try:
        run(server, serve)
        server.run(". ./server.env")
        refused = client.run(f"({use}) 2>&1 || true")
        run(root, allow.replace("kamailio", "daemon"))
        output = run(client, use)
        server.run("kill $P11_KIT_SERVER_PID")
    finally:
        for one in (server, root, client):
            one.close()
    assert "object=proxy;type=private" not in refused
    assert "object=proxy;type=private" in output


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_override_of_the_unit(tmp_path):
    """systemd takes the settings as printed, for a unit such as Debian's."""
    (block,) = re.findall(r"^```ini\n(.*?)^```$", DOC.read_text(encoding="utf-8"), re.M | re.S)
    unit = tmp_path / "kamailio.service"
    unit.write_text("[Service]\nType=forking\nExecStart=/bin/true\nPIDFile=/run/kamailio/kamailio.pid\n"
                    "Restart=on-failure\nRuntimeDirectory=kamailio\n")
    folder = tmp_path / "kamailio.service.d"
    folder.mkdir()

    def complaints(settings):
        (folder / "tokens.conf").write_text(settings)
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True,
                              env={**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"}, timeout=60, check=False)
        return [line for line in (done.stdout + done.stderr).splitlines() if "tokens.conf" in line]

    assert "RuntimeDirectoryPreserve=yes" in block
    assert not complaints(block)
    assert complaints(block.replace("RuntimeDirectoryPreserve=yes", "RuntimeDirectoryPreserve=perhaps"))


def test_messages_of_the_table_exist():
    """Each message quoted in the table is in the sources."""
    root = DOC.parents[1]
    sources = "".join(path.read_text(encoding="utf-8") for folder in ("pkcs11", "profiles", "gnutls_mod")
                      for path in sorted((root / folder).rglob("*.c")))
    sources = re.sub(r'"\s*\n\s*"', "", sources)
    table = (DOC.parent / "troubleshooting.md").read_text(encoding="utf-8").partition("\n## Keys on tokens\n")[2]
    table = table.partition("\n## ")[0]
    quoted = [text for line in table.splitlines() if line.startswith("| `")
              for text in re.findall(r"`([^`]+)`", line.split("|")[1])]
    assert len(quoted) > 15
    for text in quoted:
        for part in re.split(r"…|\b[NM]\b|\"|CKR_\w*", text):     # what a line has in the place of these varies
            part = part.strip(" :;")
            assert part in sources or part.rstrip("s") in sources, part
