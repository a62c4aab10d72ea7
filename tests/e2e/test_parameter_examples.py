# tls_gnutls - end to end: Kamailio starts with the examples of doc/parameters.md, and takes them as they are printed
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""Folders, addresses and ports differ from what is printed; scripts/check-docs compares types and ranges. Examples that
exclude each other are in different groups; each parameter is in one."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from .lib.kamailio import Kamailio, StartFailed
from .lib.tls import TlsClient, client_context

pytestmark = pytest.mark.ours_only("some parameters are new")

DOC = Path(__file__).resolve().parents[2] / "doc" / "parameters.md"
ROWS = re.findall(r"^\| ([^|]*`) \| (?:int|str)[^|]* \| [^|]* \| ([^|]*) \|",
                  DOC.read_text(encoding="utf-8").split("## Variables at runtime", maxsplit=1)[0], re.M)
EXAMPLES = {name: example for names, examples in ROWS for name, example in zip(
    re.findall(r"`(\w+)`", names), re.findall(r"`([^`]+)`", examples), strict=True)}
# Parameters that need a group of their own; all others are the group "others".
GROUPS = {
    "tls.cfg": ("config",),
    "terminal": ("key_password_mode",),
    "engine": ("engine", "engine_config"),
    "dtls": ("dtls_listen", "dtls_max_connections", "dtls_max_per_address", "dtls_lifetime", "dtls_mtu"),
    "processes": ("key_isolation",),
}
GROUPS["others"] = tuple(sorted(set(EXAMPLES) - {name for group in GROUPS.values() for name in group}))
# The pair that every start needs, where the group does not set it.
PAIR = ("tls_method", "certificate", "private_key")
ENGINE = """kamailio = first
[first]
engines = second
[second]
pkcs11 = third
[third]
"""


class Example(Kamailio):
    """A Kamailio with the examples of a group."""

    def __init__(self, settings, group, pki):
        super().__init__(settings.but(modparams={name: None for name in settings.modparams},
                                      listen=("tls", "udp"), launcher=("env", "RSA_KEY_PASSWORD=unused")))
        self.names = (*(name for name in PAIR if name not in group and "config" not in group), *group)
        self.examples = dict(EXAMPLES)
        folder = self.folder / "tls"
        folder.mkdir()
        for name, source in (("cert.pem", pki.cert("server-ec")), ("key.pem", pki.key("server-ec")),
                             ("rsa-cert.pem", pki.cert("server-rsa")), ("rsa-key.pem", pki.key("server-rsa")),
                             ("crl.pem", pki.path("all.crl"))):
            shutil.copy(source, folder / name)
        shutil.copy(pki.path("ca.pem"), self.folder / "ca.pem")
        (folder / "ca").mkdir()
        shutil.copy(pki.path("ca.pem"), folder / "ca" / "12345678.0")
        (folder / "password").write_text("unused\n")
        (folder / "ticket.key").write_bytes(bytes(range(64)))
        for private in ("password", "ticket.key"):
            (folder / private).chmod(0o600)
        (self.folder / "openssl.cnf").write_text(ENGINE)
        (self.folder / "tls.cfg").write_text("[server:default]\nmethod = TLSv1.2+\ncertificate = tls/cert.pem\n"
                                             "private_key = tls/key.pem\n[client:default]\nmethod = TLSv1.2+\n")

    def here(self, text):
        """An example with this test's folders, address and ports."""
        for printed, here in (("/etc/ssl/certs/ca-certificates.crt", f"{self.folder}/ca.pem"),
                              ("/etc/kamailio/", f"{self.folder}/"), ("/var/log/kamailio/", f"{self.folder}/"),
                              ("192.0.2.10:5061", f"127.0.0.1:{self.port('udp')}")):
            text = text.replace(printed, here)
        return text

    def _config_text(self):
        lines = [self.here(f'modparam("tls", "{name}", {self.examples[name]})') for name in self.names]
        whole = super()._config_text()
        return whole.replace('modparam("ctl"', "\n".join(lines) + '\nmodparam("ctl"', 1)


@pytest.fixture
def example(settings, pki):
    made = []

    def make(group):
        made.append(Example(settings, GROUPS[group], pki))
        return made[-1]

    yield make
    for kam in made:
        kam.kill()
        kam.remove()


def test_every_parameter_has_an_example():
    assert len(EXAMPLES) > 60
    assert sorted(name for group in GROUPS.values() for name in group) == sorted(EXAMPLES)


@pytest.mark.parametrize("group", sorted(GROUPS))
def test_it_starts(example, group, pki):
    kam = example(group)
    kam.start()
    refused = "is not allowed|unknown|out of range|cut to|is ignored|cannot|not readable"
    assert not kam.log.find(f"(WARNING|ERROR|CRITICAL): tls .*({refused})")
    shown = kam.rpc("tls.options")
    for name in set(GROUPS[group]) & set(shown):
        printed = kam.here(EXAMPLES[name]).strip('"')
        if name.startswith("low_mem"):      # shown in bytes
            printed = str(int(printed) * 1024)
        assert str(shown[name]) == printed, name
    if group != "dtls":
        with TlsClient(kam.address(), client_context(cert=pki.cert("client-ok"), key=pki.key("client-ok"))) as client:
            assert client.ask().status == 200
    kam.assert_healthy()
    kam.stop()


@pytest.mark.parametrize("group, name, wrong", [("others", "verify_client", '"maybe"'), ("others", "crl", '"none.pem"'),
                                                ("dtls", "dtls_listen", '"udp:127.0.0.1"')])
def test_a_wrong_example_is_found(example, group, name, wrong):
    kam = example(group)
    kam.examples[name] = wrong
    with pytest.raises(StartFailed):
        kam.start()
