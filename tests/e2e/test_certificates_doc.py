# tls_gnutls - end to end: the commands of doc/certificates.md, as printed; only folder and control socket differ
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import grp
import os
import pwd
import re
import shutil
import ssl
import tempfile
from pathlib import Path

import pytest
from cryptography import x509

from .lib.shell import Shell, commands
from .lib.tls import TlsClient, client_context
from .lib.wait import until

DOC = Path(__file__).resolve().parents[2] / "doc" / "certificates.md"
TEXT = DOC.read_text(encoding="utf-8")
WAYS = {"certtool": "## With certtool", "openssl": "## With openssl"}
PRINTED = "/etc/kamailio/tls"

pytestmark = pytest.mark.ours_only("tls.reload check is new")


def _blocks(heading, kind):
    part = re.search(rf"^{heading}$(.*?)(?=^## )", TEXT, re.M | re.S).group(1)
    return re.findall(rf"^```{kind}\n(.*?)^```$", part, re.M | re.S)


def _run(shell, blocks, folder):
    return [shell.run(command.replace(PRINTED, str(folder))) for block in blocks for command in commands(block)]


def _served(address, folder):
    """The serial number of the certificate that a client of the own CA is served with."""
    context = client_context(folder / "ca.pem", cert=folder / "client.pem", key=folder / "client.key")
    with TlsClient(address, context, name="sip.example.org") as client:
        assert client.ask().status == 200
        return x509.load_der_x509_certificate(client.sock.getpeercert(binary_form=True)).serial_number


def _refused(address, folder, **identity):
    context = client_context(folder / "ca.pem", **identity)
    with pytest.raises((ssl.SSLError, OSError, EOFError)):
        with TlsClient(address, context, name="sip.example.org") as client:
            client.ask()


@pytest.fixture
def folder():
    """Any user can get into it, as into /etc/kamailio."""
    with tempfile.TemporaryDirectory(prefix="tlsg-") as name:
        Path(name).chmod(0o755)
        yield Path(name) / "tls"


@pytest.mark.parametrize("tool", WAYS)
def test_from_a_ca_to_a_revocation(tool, start, settings, folder):
    if not shutil.which(tool):
        pytest.skip(f"{tool} is not installed")
    user = "nobody" if os.geteuid() == 0 else ""
    shell = Shell(folder.parent)
    try:
        _run(shell, _blocks(WAYS[tool], "sh"), folder)
        assert (folder / "server.key").stat().st_mode & 0o077 == 0
        profiles = re.search(r"^```ini\n(.*?)^```$", TEXT, re.M | re.S).group(1)
        (folder.parent / "tls.cfg").write_text(profiles.replace(PRINTED, str(folder)))
        if user:
            group = grp.getgrgid(pwd.getpwnam(user).pw_gid).gr_name
            for command in re.search(r"^```sh group\n(.*?)^```$", TEXT, re.M | re.S).group(1).splitlines():
                shell.run(command.replace("chgrp kamailio", f"chgrp {group}"))
        kam = start(settings.but(modparams={"config": str(folder.parent / "tls.cfg")}, user=user))
        shell.run(f"kamcmd() {{ command kamcmd -s unix:{kam.folder}/ctl \"$@\"; }}")
        before = _served(kam.address(), folder)
        _refused(kam.address(), folder)
        replies = _run(shell, _blocks(WAYS[tool], "sh renew"), folder)
        assert "reloaded" in replies[-1]
        assert _served(kam.address(), folder) != before
        replies = _run(shell, _blocks(WAYS[tool], "sh revoke"), folder)
        assert "reloaded" in replies[-1]
        _refused(kam.address(), folder, cert=folder / "client.pem", key=folder / "client.key")
        until(lambda: kam.log.find("revoked"), "the line about the refused client")
        assert not kam.log.find("WARNING.*(issuer|expire|key)")
    finally:
        shell.close()
