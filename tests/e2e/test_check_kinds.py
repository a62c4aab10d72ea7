# tls_gnutls - end to end: tools/tls-gnutls-check on the kinds of configurations that operators have
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""Each folder of kinds/ is what would be in /etc/kamailio; its folder etc/, if there is one, what would be in /etc.
Only folders, the address 192.0.2.10 and ports differ from what is printed. KINDS says what the tool must find, and
that is all it may find. Then Kamailio is started with that configuration and the module: the verdict must be true."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from .lib.kamailio import BINARY, STOCK_MODULES, Kamailio, StartFailed
from .lib.ports import LOOPBACK, free_port
from .lib.tls import TlsClient, client_context

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / "tools" / "tls-gnutls-check"
HELPERS = ROOT / "build" / "check"
FOLDER = Path(__file__).parent / "kinds"
MODULES = "/usr/lib/x86_64-linux-gnu/kamailio/modules"      # in the printed configurations
CONTROL = """
loadmodule "jsonrpcs.so"
modparam("jsonrpcs", "transport", 4)
modparam("jsonrpcs", "dgram_socket", "{folder}/rpc")
"""
SECRETS = ("open-sesame-1", "open-sesame-2", "open-sesame-3", "98765431", "98765432")

# Files that a configuration names: which ones of the PKI they are.
PLAIN = {"cert.pem": "server-ec.crt", "key.pem": "server-ec.key", "ca.pem": "ca.pem"}


def files(folder, names=PLAIN):
    return {f"etc/{folder}/{name}": source for name, source in names.items()}


# What the tool finds: kind, file, part of the line ("": no line), part of the text.
CHANGE = ("change", "kamailio.cfg", 'loadmodule "tls.so"', 'loadmodule "tls_gnutls.so"')
NO_CACHE = ("cost", "kamailio.cfg", "", "session_cache is off")
UNVERIFIED = ("note", "kamailio.cfg", "", "TLSc<default>: the certificates of servers are not verified")
OLD = "allows versions before TLS 1.2"

# Name: files, exit status, findings.
KINDS = {
    "direct-routing": (files("kamailio/tls"), 0, [
        CHANGE, ("note", "tls.cfg", "[client:default]", "not verified")]),
    "enabled-late": (files("kamailio/tls"), 2, [
        CHANGE, ("error", "kamailio.cfg", 'loadmodule "tls.so"', "enable_tls=yes")]),
    "engine": (files("kamailio/tls"), 2, [
        CHANGE, ("error", "tls.cfg", "private_key", "no-such-hsm.so"),
        ("warning", "openssl.cnf", "", "holds a PIN"),
        ("obsolete", "kamailio.cfg", '"engine_config"', "engine_id"),
        ("obsolete", "kamailio.cfg", '"engine_config"', "init"),
        ("obsolete", "kamailio.cfg", '"engine_algorithms"', "no effect")]),
    "expressions": (files("kamailio/tls"), 0, [
        ("change", "kamailio.cfg", "loadmodulex", "let it load tls_gnutls.so"), UNVERIFIED]),
    "generated": (files("kamailio/tls"), 0, [CHANGE]),
    "ims": (files("kamailio/tls"), 0, [
        ("change", "kamailio.cfg", 'loadmodule "tls"', '"tls_gnutls.so"'), NO_CACHE,
        ("note", "tls.cfg", "", OLD), ("note", "tls.cfg", "", "not verified")]),
    "includes": (files("kamailio/tls"), 0, [
        ("change", "modules.cfg", 'loadmodule "tls.so"', '"tls_gnutls.so"'), NO_CACHE, UNVERIFIED,
        ("obsolete", "tls.cfg", "ssl_read_ahead", "no effect")]),
    "interconnect": (files("kamailio/tls", {**PLAIN, "crl.pem": "all.crl"}), 0, [CHANGE, NO_CACHE]),
    "interface": (files("kamailio/tls"), 1, [
        CHANGE, ("weak", "tls.cfg", "method = TLSv1.1+", OLD),
        ("note", "tls.cfg", "verify_certificate = no", "TLSc<192.0.2.20:0>"),
        ("note", "tls.cfg", "[client:192.0.2.20:", "not verified")]),
    "ipv6": (files("kamailio/tls"), 0, [
        CHANGE, ("note", "tls.cfg", "", OLD), ("note", "tls.cfg", "", "not verified")]),
    "kemi-lua": (files("kamailio/tls"), 0, [CHANGE]),
    "kemi-python": (files("kamailio/tls"), 0, [CHANGE]),
    "lets-encrypt": ({
        **files("letsencrypt/live/sip.example.org", {"fullchain.pem": "server-ec.crt", "privkey.pem": "server-ec.key"}),
        "etc/ssl/certs/ca-certificates.crt": "ca-both.pem"}, 0, [CHANGE]),
    "loadpath": (files("kamailio/tls"), 0, [
        ("change", "kamailio.cfg", "loadmodule 'tls'", '"tls_gnutls.so"'), UNVERIFIED]),
    "logging": (files("kamailio/tls"), 2, [
        CHANGE, UNVERIFIED, ("error", "kamailio.cfg", "", "verify_dept"), ("error", "kamailio.cfg", "", "refuses"),
        ("error", "kamailio.cfg", "verify_dept", "module parameter")]),
    "long-strings": (files("kamailio/tls"), 0, [CHANGE, UNVERIFIED]),
    "many-names": ({**files("kamailio/customers"), **files("kamailio", {"ca.pem": "ca.pem"})}, 0, [CHANGE]),
    "mistakes": (files("kamailio/tls", {**PLAIN, "other.key": "server-rsa.key"}), 2, [
        CHANGE, ("error", "tls.cfg", "other.key", "does not belong")]),
    "no-socket": (files("kamailio/tls"), 2, [
        CHANGE, ("error", "tls.cfg", "[server:192.0.2.99:", "no TLS socket listens")]),
    "old-phones": (files("kamailio/tls", {**PLAIN, "cert.pem": "server-rsa.crt", "key.pem": "server-rsa.key"}), 1, [
        CHANGE, ("weak", "tls.cfg", "SSLv23", OLD), ("cost", "tls.cfg", "certificate =", "RSA"),
        ("cost", "kamailio.cfg", "session_cache", "off"), ("note", "tls.cfg", "[client:default]", "not verified"),
        ("note", "tls.cfg", "TLSv1.1", OLD), ("obsolete", "kamailio.cfg", "ssl_freelist_max_len", "no effect"),
        ("obsolete", "kamailio.cfg", "ssl_release_buffers", "no effect"),
        ("obsolete", "kamailio.cfg", "send_timeout", "no effect")]),
    "package": (files("kamailio", {
        "kamailio-selfsigned.pem": "server-selfsigned.crt", "kamailio-selfsigned.key": "server-selfsigned.key"}), 1, [
            CHANGE, NO_CACHE, ("note", "tls.cfg", "[client:default]", OLD),
            ("warning", "tls.cfg", "[client:default]", "ca_list")]),
    "parameters": (files("kamailio/tls"), 0, [
        ("change", "kamailio.cfg", 'loadmodule "tls"', '"tls_gnutls.so"'), UNVERIFIED]),
    "password": (files("kamailio/tls", {"cert.pem": "server-ec.crt", "locked.key": "server-ec.enc.key"}), 2, [
        CHANGE, ("error", "tls.cfg", "private_key", "the password given does not open it"),
        ("warning", "tls.cfg", "", "holds a password")]),
    "path": (files("kamailio/tls"), 0, [
        ("change", "kamailio.cfg", 'modules/tls.so"', f'becomes loadmodule "{STOCK_MODULES}/tls_gnutls.so"')]),
    "substitutions": (files("platform/certs", {
        "fullchain.pem": "server-ec.crt", "privkey.pem": "server-ec.key", "ca-list.pem": "ca.pem"}), 0, [
            CHANGE, ("obsolete", "kamailio.cfg", "tls_force_run", "no effect")]),
    "switched-off": ({}, 3, []),
    "user": (files("kamailio/tls"), 2, [
        CHANGE, ("error", "tls.cfg", "private_key", "as user nobody")]),
    "websocket": (files("pki/CA", {
        "ser1_cert.pem": "server-ec.crt", "privkey.pem": "server-ec.key", "calist.pem": "ca.pem"}), 1, [
            CHANGE, NO_CACHE, UNVERIFIED, ("weak", "kamailio.cfg", "tls_method", OLD),
            ("note", "kamailio.cfg", "tls_method", OLD)]),
    "wolfssl": (files("kamailio/tls"), 3, []),
}
STARTS_WITHOUT_TLS = "enabled-late"

pytestmark = pytest.mark.ours_only("it is about this module")


class Kind(Kamailio):
    """A Kamailio with the configuration of a kind; the module is loaded in the place of tls.so, as the tool does it."""

    def __init__(self, settings, name, pki):
        super().__init__(settings.but(listen=("tls", "udp"), launcher=(
            "env", f"LD_PRELOAD={HELPERS}/preload.so", f"TLS_GNUTLS_CHECK_RECORD={settings.module}",
            "TLS_CONTEXT=edge-1")))
        self.folder.chmod(0o755)
        self.config = self.folder / "etc" / "kamailio" / "kamailio.cfg"
        self.printed = {}
        for source in sorted(path for path in (FOLDER / name).rglob("*") if path.is_file()):
            inside = source.relative_to(FOLDER / name)
            target = self.folder / inside if inside.parts[0] == "etc" else self.config.parent / inside
            self.printed[target] = source.read_bytes().decode()
        for target, source in KINDS[name][0].items():
            (self.folder / target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(pki.path(source), self.folder / target)

    def write_config(self):
        """The files as they are printed, with this test's folder, address and ports."""
        for target, text in self.printed.items():
            for printed, here in (("/etc/", f"{self.folder}/etc/"), ("192.0.2.10", LOOPBACK),
                                  ("5061", str(self._ports["tls"])), ("5060", str(self._ports["udp"])),
                                  (MODULES, STOCK_MODULES)):
                text = text.replace(printed, here)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text.encode())
        return self.config

    def findings(self):
        """Exit status of the tool and its findings, from its JSON; no form of its output shows a secret."""
        self._ports = {name: free_port() for name in self.settings.listen}
        self.write_config()
        for arguments in (["-v"], ["--json"]):
            command = [TOOL, "--kamailio", BINARY, "--module", self.settings.module, "--helpers", HELPERS,
                       "-f", self.config, *arguments]
            done = subprocess.run(command, env={**os.environ, "TLS_CONTEXT": "edge-1"}, capture_output=True, text=True,
                                  check=False)
            output = done.stdout + done.stderr
            assert not [secret for secret in SECRETS if secret in output], output
        return done.returncode, json.loads(done.stdout)["findings"] if done.returncode < 3 else done.stderr


@pytest.fixture(params=sorted(KINDS))
def kind(request, settings, pki):
    if request.param == "user" and os.geteuid() != 0:
        pytest.skip("only root can become another user")
    kam = Kind(settings, request.param, pki)
    kam.name = request.param
    yield kam
    kam.kill()
    kam.remove()


def fits(row, wanted):
    kind, name, part, text = wanted
    file = Path(row["file"])
    line = file.read_text().splitlines()[row["line"] - 1] if row["line"] else ""
    return ((row["kind"], file.name) == (kind, name) and part in line and bool(part) == bool(line)
            and text in row["text"])


def test_every_folder_is_tried():
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted(KINDS)
    assert len(KINDS) >= 24


def test_findings_and_verdict(kind, pki):
    _, status, wanted = KINDS[kind.name]
    got, rows = kind.findings()
    assert got == status, rows
    if status == 3:
        assert "does not load tls.so" in rows
        return
    rows = [row for row in rows if row["kind"] != "stays"]
    for row in rows:
        row["file"] = row["file"] or str(kind.config)
    for each in wanted:
        assert [row for row in rows if fits(row, each)], "\n".join(map(str, ("no", each, "among", *rows)))
    assert len(rows) == len(wanted), rows
    kind.printed[kind.config] += CONTROL.format(folder=kind.folder)
    if status == 2 and kind.name != STARTS_WITHOUT_TLS:
        with pytest.raises(StartFailed):
            kind.start()
        return
    kind.start()
    if status == 2:
        with pytest.raises(OSError):
            TlsClient(kind.address(), client_context())
        return
    with TlsClient(kind.address(), client_context(cert=pki.cert("client-ok"), key=pki.key("client-ok"))) as client:
        assert client.ask().status == 200
    kind.assert_healthy()
    kind.stop()
