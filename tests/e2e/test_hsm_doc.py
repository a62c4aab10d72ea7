# tls_gnutls - end to end: the walk-through of doc/hsm.md, command by command
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""Every block marked `sh` is run as it stands, in order, in one shell; only the port differs."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from .lib import token as tokens

DOC = Path(__file__).resolve().parents[2] / "doc" / "hsm.md"
NEEDED = ("certtool", "openssl", "kamcmd")

pytestmark = [
    pytest.mark.ours_only("keys on tokens need an engine there"),
    pytest.mark.skipif(not tokens.available() or not all(map(shutil.which, NEEDED)),
                       reason="softhsm2, opensc or gnutls-bin is not installed"),
]


class Shell:
    """One bash that runs all blocks."""

    def __init__(self, folder):
        self._bash = subprocess.Popen(
            ["bash", "-u"], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True)

    def run(self, command):
        """Run one command; fails with its output when its status is not 0."""
        self._bash.stdin.write(f"{command}\necho \"=status $?\"\n")
        self._bash.stdin.flush()
        output = ""
        for line in self._bash.stdout:
            if line.startswith("=status "):
                assert line == "=status 0\n", f"{command}\n{output}"
                return output
            output += line
        raise AssertionError(f"the shell ended: {command}\n{output}")

    def close(self):
        self._bash.stdin.close()
        self._bash.wait(20)
        self._bash.stdout.close()


def _commands(block):
    """The commands of a block: lines, and a line with its here-document."""
    lines = iter(block.splitlines())
    for line in lines:
        command = line
        here = re.search(r"<<(\w+)$", line)
        if here:
            for more in lines:
                command += "\n" + more
                if more == here.group(1):
                    break
        if command.strip():
            yield command


def test_walk_through(start, settings, tmp_path, monkeypatch):
    blocks = re.findall(r"^```sh\n(.*?)^```$", DOC.read_text(encoding="utf-8"), re.M | re.S)
    before = [block for block in blocks if "5061" not in block]
    after = [block for block in blocks if "5061" in block]
    assert len(before) >= 7 and len(after) >= 2
    assert blocks == before + after
    shell = Shell(tmp_path)
    try:
        for block in before:
            for command in _commands(block):
                shell.run(command)
        monkeypatch.setenv("SOFTHSM2_CONF", str(tmp_path / "softhsm2.conf"))
        kam = start(settings.but(modparams={"config": str(tmp_path / "tls.cfg")}, debug=3))
        shell.run(f"kamcmd() {{ command kamcmd -s unix:{kam.folder}/ctl \"$@\"; }}")
        for block in after:
            for command in _commands(block):
                assert shell.run(command.replace(":5061", f":{kam.port()}")) or "echo" in command
    finally:
        shell.close()
    for pin in ("7261", "9912"):
        assert not kam.log.find(f"(value|pin)[^0-9]{{1,3}}{pin}")


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

    assert "RuntimeDirectoryPreserve=restart" in block
    assert not complaints(block)
    assert complaints(block.replace("RuntimeDirectoryPreserve=restart", "RuntimeDirectoryPreserve=perhaps"))


def test_messages_of_the_table_exist():
    """Each message quoted in the table is in the sources."""
    root = DOC.parents[1]
    sources = "".join(path.read_text(encoding="utf-8") for folder in ("pkcs11", "profiles")
                      for path in sorted((root / folder).glob("*.c")))
    sources = re.sub(r'"\s*\n\s*"', "", sources)
    table = DOC.read_text(encoding="utf-8").partition("## Messages")[2]
    quoted = [text for line in table.splitlines() if line.startswith("| `")
              for text in re.findall(r"`([^`]+)`", line.split("|")[1])]
    assert len(quoted) > 15
    for text in quoted:
        for part in re.split(r"…|\bN\b", text):
            part = part.strip(" :;")
            assert part in sources or part.rstrip("s") in sources, part
