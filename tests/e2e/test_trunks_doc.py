# tls_gnutls - end to end: each configuration of doc/trunks.md starts as printed; only addresses and folders differ
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import re
import shutil
from pathlib import Path

import pytest

from .lib.kamailio import STOCK_MODULES, Kamailio, StartFailed
from .lib.tls import TlsClient, client_context

pytestmark = pytest.mark.ours_only("verify_name and certificate_warn_days are new")

DOC = Path(__file__).resolve().parents[2] / "doc" / "trunks.md"
SECTIONS = {title: re.findall(r"^```\n(.*?)^```$", text, re.M | re.S) for title, text in re.findall(
    r"^## (.*?)\n(.*?)(?=^## |\Z)", DOC.read_text(encoding="utf-8"), re.M | re.S)}
CONTROL = """
loadmodule "jsonrpcs.so"
modparam("jsonrpcs", "transport", 4)
modparam("jsonrpcs", "dgram_socket", "{folder}/rpc")
"""


class Printed(Kamailio):
    """A Kamailio with the two blocks of a section."""

    def __init__(self, settings, blocks, pki):
        super().__init__(settings)
        self._blocks = blocks
        shutil.copy(pki.cert("server-ec"), self.folder / "cert.pem")
        shutil.copy(pki.key("server-ec"), self.folder / "key.pem")
        shutil.copy(pki.path("ca.pem"), self.folder / "ca.pem")

    def _here(self, text):
        for printed, here in (("/etc/kamailio/tls/", f"{self.folder}/"), ("/etc/kamailio/", f"{self.folder}/"),
                              ("/etc/ssl/certs/ca-certificates.crt", f"{self.folder}/ca.pem"),
                              ("advertise sip.example.org", "advertise localhost"),     # the core resolves it
                              ("192.0.2.10:5061", f"127.0.0.1:{self.port()}"),
                              ('"tls_gnutls.so"', f'"{self.settings.module}"')):
            text = text.replace(printed, here)
        return text

    def _config_text(self):
        main, profiles = self._blocks
        (self.folder / "tls.cfg").write_text(self._here(profiles))
        main = self._here(main).replace("request_route {", CONTROL.format(folder=self.folder) + "request_route {", 1)
        if "ctl.so" in main:
            main = main.replace('loadmodule "ctl.so"',
                                f'loadmodule "ctl.so"\nmodparam("ctl", "binrpc", "unix:{self.folder}/ctl")')
        return (f'#!KAMAILIO\nlog_stderror=yes\nauto_aliases=no\ndns=no\nchildren=2\ntcp_children=2\n'
                f'mpath="{STOCK_MODULES}"\n{main}')


def test_each_section_has_two_blocks():
    assert len(SECTIONS) == 3
    assert all(len(blocks) == 2 for blocks in SECTIONS.values())


@pytest.mark.parametrize("title", SECTIONS)
def test_it_starts_and_answers(settings, pki, title):
    with Printed(settings, SECTIONS[title], pki) as kam:
        lines = kam.log.find("(WARNING|ERROR|CRITICAL): tls ")
        assert not [line for line in lines if "tlsg_low_mem_init" not in line]
        assert {"TLSs<default>", "TLSc<default>"} <= {profile["id"] for profile in kam.rpc("tls.profiles")}
        with TlsClient(kam.address(), client_context()) as client:
            if "OPTIONS" not in SECTIONS[title][0] or "52.112" not in SECTIONS[title][0]:
                assert client.ask().status == 200
            assert client.shown() == "server-ec"


def test_a_mistake_in_a_block_is_found(settings, pki):
    """The test above would fail for a configuration that does not start."""
    main, profiles = next(iter(SECTIONS.values()))
    kam = Printed(settings, (main, profiles.replace("method", "metod", 1)), pki)
    try:
        with pytest.raises(StartFailed):
            kam.start()
    finally:
        kam.kill()
        kam.remove()
