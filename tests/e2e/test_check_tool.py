# tls_gnutls - end to end: tools/tls-gnutls-check on configurations that exist
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import json
import os
import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from .lib.kamailio import BINARY, STOCK_MODULES
from .lib.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / "tools" / "tls-gnutls-check"
HELPERS = ROOT / "build" / "check"
DEBIAN = Path("/etc/kamailio/kamailio.cfg")
MAIN = """#!KAMAILIO
enable_tls=yes
listen=tls:127.0.0.1:{port}
mpath="{modules}"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "xlog.so"
#!ifdef WITH_TLS
include_file "tls-part.cfg"
#!endif
request_route {{
	if (is_peer_verified()) xlog("$tls_peer_subject $tls(version)\\n");
	sl_send_reply("200", "OK");
}}
"""

pytestmark = pytest.mark.ours_only("it is about this module")


def run(settings, folder, *arguments, status):
    command = [TOOL, "--kamailio", BINARY, "--module", settings.module, "--helpers", HELPERS,
               "-f", folder / "kamailio.cfg", *arguments]
    env = {**os.environ, "TMPDIR": str(folder)} if folder.is_dir() else None
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def findings(settings, folder, *arguments, status=0):
    rows = json.loads(run(settings, folder, "-A", "WITH_TLS", "--json", *arguments, status=status))["findings"]
    return [(row["kind"], Path(row["file"]).name, row["line"], row["text"]) for row in rows]


@pytest.fixture
def folder(tmp_path, pki):
    for name in ("ec", "rsa"):
        shutil.copy(pki.cert(f"server-{name}"), tmp_path / f"{name}.pem")
        shutil.copy(pki.key(f"server-{name}"), tmp_path / f"{name}.key")
    shutil.copy(pki.path("ca.pem"), tmp_path / "ca.pem")
    return tmp_path


def write(folder, part, profiles=None):
    (folder / "kamailio.cfg").write_text(MAIN.format(port=free_port(), modules=STOCK_MODULES))
    (folder / "tls-part.cfg").write_text(part)
    if profiles:
        (folder / "tls.cfg").write_text(profiles)


def test_ready(settings, folder):
    write(folder, 'loadmodule "tls.so"\nmodparam("tls", "certificate", "ec.pem")\n'
          'modparam("tls", "private_key", "ec.key")\nmodparam("tls", "tls_method", "TLSv1.2+")\n'
          'modparam("tls", "session_cache", 1)\n')
    rows = findings(settings, folder)
    assert ("change", "tls-part.cfg", 1, 'loadmodule "tls.so" becomes loadmodule "tls_gnutls.so"') in rows
    assert ("stays", "tls-part.cfg", 2, 'modparam "certificate" ec.pem') in rows
    assert not [row for row in rows if row[0] in ("error", "warning", "weak", "cost", "obsolete")]
    assert "Ready" in run(settings, folder, "-A", "WITH_TLS", status=0)


def test_as_built(folder):
    """The copy in the folder of make finds module and helpers there, before make install."""
    write(folder, 'loadmodule "tls.so"\nmodparam("tls", "certificate", "ec.pem")\n'
          'modparam("tls", "private_key", "ec.key")\nmodparam("tls", "tls_method", "TLSv1.2+")\n')
    tool, module = ROOT / "build" / "tls-gnutls-check", ROOT / "build" / "tls_gnutls.so"
    if not (tool.exists() and module.exists()):
        pytest.skip("build/ has no tools")
    command = ["--kamailio", BINARY, "-A", "WITH_TLS", "-f", folder / "kamailio.cfg"]
    for options in ([], ["--helpers", os.path.relpath(HELPERS)], ["--module", os.path.relpath(module)]):
        done = subprocess.run([tool, *command, *options], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_as_the_user_of_the_service(settings, folder):
    """Debian's service has -u on the command line: a key that only root can read would stop the start."""
    write(folder, 'loadmodule "tls.so"\nmodparam("tls", "certificate", "ec.pem")\n'
          'modparam("tls", "private_key", "ec.key")\nmodparam("tls", "tls_method", "TLSv1.2+")\n')
    (folder / "ec.key").chmod(0o600)
    run(settings, folder, "-A", "WITH_TLS", status=0)
    assert "as user nobody" in run(settings, folder, "-A", "WITH_TLS", "-u", "nobody", status=2)


def test_user_that_does_not_exist(settings, folder):
    write(folder, 'loadmodule "tls.so"\nmodparam("tls", "certificate", "ec.pem")\n'
          'modparam("tls", "private_key", "ec.key")\n')
    for option, kind in (("-u", "user"), ("-g", "group")):
        said = run(settings, folder, "-A", "WITH_TLS", option, "nobody-at-all", status=3)
        assert said == f"tls-gnutls-check: {option} nobody-at-all: this system has no such {kind}\n"
    for kind in ("user", "group"):
        write(folder, f'{kind}="nobody-at-all"\n' 'loadmodule "tls.so"\n')
        said = run(settings, folder, "-A", "WITH_TLS", status=3)
        assert said == (f'tls-gnutls-check: {folder}/kamailio.cfg: {kind}="nobody-at-all": '
                        f'this system has no such {kind}\n')


def test_one_line(settings, folder):
    write(folder, 'loadmodule "tls_gnutls.so"\n')
    assert "; 1 line stays as it is.\n" in run(settings, folder, "-A", "WITH_TLS", status=2)
    (folder / "tls-part.cfg").write_text('loadmodule "tls_gnutls.so"\nmodparam("tls", "session_cache", 1)\n')
    assert "; 2 lines stay as they are.\n" in run(settings, folder, "-A", "WITH_TLS", status=2)


def test_relative_path(settings, folder):
    """Every line names the files by their absolute paths, however -f names the configuration."""
    write(folder, 'loadmodule "tls.so"\nmodparam("tls", "config", "tls.cfg")\n',
          "[server:default]\nmethod = TLSv1+\ncertificate = rsa.pem\nprivate_key = rsa.key\n")
    *lines, _ = run(settings, folder, "-A", "WITH_TLS", "-f", os.path.relpath(folder / "kamailio.cfg"),
                    status=1).splitlines()
    assert f"{folder}/kamailio.cfg: cost: session_cache is off" in "\n".join(lines)
    assert [line for line in lines if not line.startswith(f"{folder}/")] == []
    said = run(settings, folder, "-A", "WITH_TLS", "-f", os.path.relpath(folder / "none.cfg"), status=3)
    assert said == f"tls-gnutls-check: cannot read {folder}/none.cfg\n"


def test_what_is_weak_obsolete_and_costs(settings, folder):
    write(folder, 'loadmodule "tls.so"\nmodparam("tls", "config", "tls.cfg")\nmodparam("tls", "init_mode", 1)\n',
          "[server:default]\nmethod = TLSv1+\ncertificate = rsa.pem\nprivate_key = rsa.key\n"
          "[client:default]\nverify_certificate = yes\nrequire_certificate = yes\n")
    rows = findings(settings, folder, status=1)
    assert [row for row in rows if row[0] == "weak" and "TLSv1+" in row[3] and row[1] == "tls.cfg"]
    assert [row for row in rows if row[0] == "cost" and "RSA" in row[3]]
    assert [row for row in rows if row[0] == "cost" and "session_cache" in row[3]]
    assert [row for row in rows if row[0] == "warning" and "ca_list" in row[3]]
    assert [row for row in rows if row[:3] == ("obsolete", "tls-part.cfg", 3)]


@pytest.mark.parametrize("part, profiles, place, text", [
    ('loadmodule "tls.so"\nmodparam("tls", "certificate", "none.pem")\n', None, ("tls-part.cfg", 2), "none.pem"),
    ('loadmodule "tls.so"\nmodparam("tls", "verify_depth", -3)\n', None, ("tls-part.cfg", 2), "verify_depth"),
    ('loadmodule "tls.so"\nmodparam("tls", "config", "tls.cfg")\n', "[server:default]\ncertifcate = ec.pem\n",
     ("tls.cfg", 2), "certifcate"),
    ('loadmodule "tls.so"\nmodparam("tls", "no_such", 1)\n', None, ("tls-part.cfg", 2), ""),
    ('loadmodule "no_such.so"\nloadmodule "tls.so"\n', None, ("tls-part.cfg", 1), ""),
])
def test_it_would_not_start(settings, folder, part, profiles, place, text):
    write(folder, part, profiles)
    rows = findings(settings, folder, status=2)
    assert [row for row in rows if row[0] == "error" and row[1:3] == place and text in row[3]], rows


def test_tls_that_is_not_enabled(settings, folder):
    write(folder, 'loadmodule "tls.so"\n')
    main = (folder / "kamailio.cfg").read_text().replace("enable_tls=yes\n", "").replace("listen=tls", "listen=udp")
    (folder / "kamailio.cfg").write_text(main)
    assert [row for row in findings(settings, folder, status=2) if row[0] == "error" and "enable_tls" in row[3]]


def test_module_that_is_not_loaded(settings, folder):
    write(folder, 'loadmodule "tls.so"\n')
    assert "add -A WITH_TLS" in run(settings, folder, status=3)
    (folder / "kamailio.cfg").write_text("#!KAMAILIO\n#!define WITH_TLS\n" + (folder / "kamailio.cfg").read_text())
    assert "leave it out" in run(settings, folder, "-A", "WITH_TLS", status=3)
    assert "cannot read" in run(settings, folder / "none", status=3)


def test_module_with_a_path(settings, folder):
    write(folder, f'loadmodule "{STOCK_MODULES}/tls.so"\nmodparam("tls", "certificate", "ec.pem")\n'
          'modparam("tls", "private_key", "ec.key")\n')
    rows = findings(settings, folder, status=1)
    assert [row for row in rows if row[0] == "change" and row[1:3] == ("tls-part.cfg", 1)
            and f'"{STOCK_MODULES}/tls_gnutls.so"' in row[3]]
    assert ("stays", "tls-part.cfg", 2, 'modparam "certificate" ec.pem') in [
        row for row in rows if row[1:3] == ("tls-part.cfg", 2)]


@pytest.mark.parametrize("where", ["parameter", "tls.cfg"])
@pytest.mark.parametrize("password", ["right", "wrong"])
def test_passwords_are_not_shown(settings, folder, pki, where, password):
    secret = {"right": "wonderland-7", "wrong": "looking-glass-8"}[password]
    subprocess.run(["openssl", "pkcs8", "-topk8", "-in", pki.key("server-ec"), "-out", folder / "locked.key",
                    "-passout", "pass:wonderland-7"], check=True)
    if where == "parameter":
        write(folder, 'loadmodule "tls.so"\nmodparam("tls", "certificate", "ec.pem")\n'
              f'modparam("tls", "private_key", "locked.key")\nmodparam("tls", "private_key_password", "{secret}")\n')
    else:
        write(folder, 'loadmodule "tls.so"\nmodparam("tls", "config", "tls.cfg")\n',
              f"[server:default]\ncertificate = ec.pem\nprivate_key = locked.key\nprivate_key_password = {secret}\n"
              "method = TLSv1.2+\n")
        (folder / "tls.cfg").chmod(0o600)
    status = 2 if password == "wrong" else 1 if where == "parameter" else 0
    for arguments in (("-v",), ("--json",)):
        output = run(settings, folder, "-A", "WITH_TLS", *arguments, status=status)
        assert secret not in output
    assert not list(folder.glob("tls-gnutls-check-*"))


def test_key_before_the_first_section(settings, folder):
    write(folder, 'loadmodule "tls.so"\nmodparam("tls", "config", "tls.cfg")\n', "server_name = a\n[server:default]\n")
    assert ("error", "tls.cfg", 1, "Unsupported option 'server_name' before the first section") in \
        findings(settings, folder, status=2)


def test_folder_with_more_than_files(settings, folder):
    """What is not a regular file in a folder that `config` names is not read: of a FIFO, reading would have no end."""
    write(folder, 'loadmodule "tls.so"\nmodparam("tls", "config", "parts")\n')
    (folder / "parts").mkdir()
    (folder / "parts" / "1").write_text("[server:default]\nmethod = TLSv1.2+\n"
                                        f"certificate = {folder}/ec.pem\nprivate_key = {folder}/ec.key\n")
    (folder / "parts" / "2").mkdir()
    os.mkfifo(folder / "parts" / "3")
    assert not [row for row in findings(settings, folder) if row[0] in ("error", "warning", "weak")]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run the tool as another user")
def test_configuration_that_may_not_be_read(settings, folder):
    """A user who may not look into the folder of tls.cfg is told so."""
    write(folder, 'loadmodule "tls.so"\nmodparam("tls", "config", "closed/tls.cfg")\n')
    (folder / "closed").mkdir(mode=0o700)
    (folder / "closed" / "tls.cfg").write_text("[server:default]\n")
    for above in (folder, *folder.parents):      # those of pytest
        if above.owner() == "root" and above.stat().st_mode & 0o055 != 0o055:
            above.chmod(above.stat().st_mode | 0o055)
    command = [TOOL, "--kamailio", BINARY, "--module", settings.module, "--helpers", HELPERS, "-A", "WITH_TLS",
               "-f", folder / "kamailio.cfg"]
    done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *command],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert "closed/tls.cfg" in done.stdout and "Traceback" not in done.stderr


def test_nothing_is_bound(settings, folder):
    """The port of the configuration may be in use, by the Kamailio that is to be migrated for example."""
    write(folder, 'loadmodule "tls.so"\nmodparam("tls", "config", "tls.cfg")\n', "")
    port = re.search(r"tls:127.0.0.1:(\d+)", (folder / "kamailio.cfg").read_text()).group(1)
    (folder / "tls.cfg").write_text(f"[server:127.0.0.1:{port}]\ncertificate = ec.pem\nprivate_key = ec.key\n"
                                    "method = TLSv1.2+\n[server:default]\ncertificate = ec.pem\nprivate_key = ec.key\n"
                                    "method = TLSv1.2+\n")
    with socket.create_server(("127.0.0.1", int(port))):
        findings(settings, folder)


@pytest.mark.skipif(not DEBIAN.exists(), reason="Debian's configuration is not there")
def test_configuration_of_debian(settings, folder):
    text = DEBIAN.read_text()
    for printed in ("/etc/kamailio/tls.cfg",):
        text = text.replace(printed, f"{folder}/tls.cfg")
    (folder / "kamailio.cfg").write_text(text)
    (folder / "tls.cfg").write_text(Path("/etc/kamailio/tls.cfg").read_text().replace(
        "/etc/kamailio/kamailio-selfsigned.pem", f"{folder}/rsa.pem").replace(
        "/etc/kamailio/kamailio-selfsigned.key", f"{folder}/rsa.key"))
    rows = findings(settings, folder, status=1)
    assert [row for row in rows if row[0] == "change"]
    assert [row for row in rows if row[0] == "warning" and "ca_list" in row[3]]     # its client profile verifies
