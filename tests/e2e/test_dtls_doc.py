# tls_gnutls - end to end: the configuration of doc/dtls.md starts as printed; only ports, folders and control differ
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import re
import subprocess
from pathlib import Path

import pytest

from .lib.dtls import DtlsAgent, DtlsClient
from .lib.kamailio import STOCK_MODULES, Kamailio
from .lib.ports import LOOPBACK
from .lib.tls import TlsClient, client_context
from .lib.uas import UdpSender

pytestmark = pytest.mark.ours_only("it has no DTLS")

DOC = Path(__file__).resolve().parents[2] / "doc" / "dtls.md"
EXAMPLE = re.search(r"^```\n(#!KAMAILIO\n.*?)^```$", DOC.read_text(encoding="utf-8"), re.M | re.S).group(1)
CONTROL = """
loadmodule "ctl.so"
modparam("ctl", "binrpc", "unix:{folder}/ctl")
loadmodule "jsonrpcs.so"
modparam("jsonrpcs", "transport", 4)
modparam("jsonrpcs", "dgram_socket", "{folder}/rpc")
"""


class Printed(Kamailio):
    """A Kamailio with the configuration of the document."""

    def __init__(self, settings, pki):
        super().__init__(settings)
        self._pki = pki

    def _config_text(self):
        text = EXAMPLE.replace("#!KAMAILIO\n", f'#!KAMAILIO\nmpath="{STOCK_MODULES}"\nauto_aliases=no\n')
        for printed, here in (("udp:127.0.0.1:5060", f"udp:{LOOPBACK}:{self.port('udp')}"),
                              ("udp:127.0.0.1:5061", f"udp:{LOOPBACK}:{self.port('dtls')}"),
                              ("tls:127.0.0.1:5061", f"tls:{LOOPBACK}:{self.port('tls')}"),
                              ("$Rp == 5061", f"$Rp == {self.port('dtls')}"),
                              ("/etc/kamailio/server.crt", self._pki.cert("server-ec")),
                              ("/etc/kamailio/server.key", self._pki.key("server-ec")),
                              ("/etc/kamailio/ca.pem", self._pki.path("ca.pem")),
                              ('"tls_gnutls.so"', f'"{self.settings.module}"')):
            assert printed in text, printed
            text = text.replace(printed, str(here))
        return text.replace("request_route {", CONTROL.format(folder=self.folder) + "request_route {", 1)


def test_example(settings, pki):
    with Printed(settings.but(listen=("tls", "udp", "dtls")), pki) as kam:
        lines = kam.log.find("(WARNING|ERROR|CRITICAL): tls ")
        assert not [line for line in lines if "tlsg_low_mem_init" not in line]
        with DtlsClient(kam.address("dtls")) as client:
            assert client.handshake().ask()["X-Carrier"] == "DTLSv1.2"
        with UdpSender(kam.address("udp")) as sender:
            assert sender.ask(uri=f"sip:{LOOPBACK}:{kam.port('udp')}")["X-Carrier"] == "udp"
            with DtlsAgent(pki.cert("server-ec"), pki.key("server-ec")) as agent:
                assert sender.ask(uri=agent.uri).status == 200
                assert agent.received
        with TlsClient(kam.address("tls"), client_context()) as client:
            assert client.ask()["X-Carrier"] == "tls"


def test_gnutls_cli(settings, pki):
    """GnuTLS's own client makes a handshake, with verification of the certificate."""
    with Printed(settings.but(listen=("tls", "udp", "dtls")), pki) as kam:
        done = subprocess.run(
            ["gnutls-cli", "--udp", "--x509cafile", pki.path("ca.pem"), "--verify-hostname", "localhost",
             "-p", str(kam.port("dtls")), LOOPBACK], stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=60, check=False)
        assert "Handshake was completed" in done.stdout, done.stdout + done.stderr
        assert kam.rpc("tls.sessions")["handshakes_done_dtls1_2"] == 1
