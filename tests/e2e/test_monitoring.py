# tls_gnutls - end to end: the files in doc/monitoring fit what Kamailio exports and logs; days left as statistics
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import json
import re
import shutil
import socket
import ssl
import subprocess
import urllib.request
from pathlib import Path

import pytest

from .lib import hostile
from .lib.tls import BioClient, TlsClient, client_context
from .lib.tlscfg import Files
from .lib.wait import until

pytestmark = pytest.mark.ours_only("statistics and log lines of this module")

FOLDER = Path(__file__).resolve().parents[2] / "doc" / "monitoring"
RULES = FOLDER / "prometheus" / "kamailio-tls.rules.yml"
DASHBOARD = FOLDER / "grafana" / "kamailio-tls.json"
FILTER = FOLDER / "fail2ban" / "filter.d" / "kamailio-tls.conf"
NEVER = 36500


def _days(kam):
    figures = dict(line.split(" = ") for line in kam.rpc("stats.get_statistics", "tls:"))
    return tuple(int(figures[f"tls:{kind}_days_left"]) for kind in ("certificate", "crl"))


@pytest.fixture
def files(pki, tmp_path):
    return Files(tmp_path, pki)


def test_days_left(start, settings, files, pki):
    kam = start(files.settings(settings, "file"))
    assert _days(kam) == (29, NEVER)
    files.write("tls.cfg", (files.folder / "tls.cfg").read_text() + f'crl = "{pki.path("all.crl")}"\n')
    kam.rpc("tls.reload")
    assert _days(kam) == (29, 29)
    files.show("server-expired")
    kam.rpc("tls.reload")
    assert _days(kam) == (0, 29)
    files.write("tls.cfg", "[client:default]\n")
    kam.rpc("tls.reload")
    assert _days(kam) == (NEVER, NEVER)


PROMETHEUS = r"""
request_route {
	sl_send_reply("200", "OK");
}
event_route[xhttp:request] {
	prom_dispatch();
}
"""


def test_rules_and_dashboard_name_what_is_exported(start, settings):
    kam = start(settings.but(
        listen=("tls", "tcp"), modules=("xhttp", "xhttp_prom"), core="tcp_accept_no_cl=yes",
        config='modparam("xhttp_prom", "xhttp_prom_stats", "tls:")\n', script=PROMETHEUS))
    with urllib.request.urlopen(f"http://127.0.0.1:{kam.port('tcp')}/metrics", timeout=20) as answer:
        exported = set(re.findall(r"^(kamailio_tls_\w+)", answer.read().decode(), re.M))
    for path in (RULES, DASHBOARD):
        named = set(re.findall(r"kamailio_tls_\w+", path.read_text()))
        assert len(named) > 8 and named <= exported, named - exported
    panels = json.loads(DASHBOARD.read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) == 8


def test_rules_are_well_formed():
    yaml = pytest.importorskip("yaml", reason="python3-yaml is not installed")
    (group,) = yaml.safe_load(RULES.read_text())["groups"]
    assert all(set(rule) <= {"alert", "expr", "for", "labels", "annotations"} and rule["expr"] and rule["alert"]
               for rule in group["rules"])


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool (package prometheus) is not installed")
def test_promtool_accepts_the_rules():
    subprocess.run(["promtool", "check", "rules", RULES], check=True, timeout=60)


def _matched(lines, folder):
    """The addresses that the filter finds in lines of syslog."""
    log = folder / "kamailio.log"
    log.write_text("".join(f"Nov 28 17:00:00 sip kamailio[7]: {line}\n" for line in lines))
    done = subprocess.run(["fail2ban-regex", "--out", "ip", str(log), str(FILTER)],
                          capture_output=True, text=True, timeout=60, check=False)
    return done.stdout.split()


needs_fail2ban = pytest.mark.skipif(not shutil.which("fail2ban-regex"), reason="fail2ban is not installed")
LINE = ("WARNING: tls [gnutls_mod/mod_log.c:78]: tlsg_log_failure(): protocol level error: TLS {where}:{what} "
        "(sni: {sni}) src addr: {src} dst addr: 192.0.2.1:5061 connection: 7 profile: TLSs<default>")
BAD = {"where": "accept", "what": "An unexpected TLS packet was received.", "sni": "", "src": "198.51.100.1:4711"}
WRONG = {
    "outgoing": {"where": "connect"},
    "they refuse us": {"what": "A TLS fatal alert has been received.: CA is unknown"},
    "they refuse us later": {"where": "read", "what": "A TLS fatal alert has been received.: CA is unknown"},
    "left": {"what": "The TLS connection was non-properly terminated."},
}


@needs_fail2ban
def test_the_filter_finds_lines_of_a_real_log(start, settings, tmp_path):
    kam = start(settings)
    with TlsClient(kam.address(), client_context()) as client:
        assert client.ask().status == 200
    with BioClient(kam.address(), client_context()) as client:
        client.sock.sendall(hostile.WRONG["plain SIP"])
        until(lambda: kam.log.find("src addr: "), "the line")
    with socket.create_connection(kam.address()):
        pass
    lines = [re.sub(r"^ *\d+\(\d+\) ", "", line) for line in kam.log.lines()]
    assert _matched(lines, tmp_path) == ["127.0.0.1"]


@needs_fail2ban
@pytest.mark.parametrize("version", ("TLSv1.2", "TLSv1.3"))
def test_the_filter_leaves_clients_of_a_real_log_alone(start, settings, pki, tmp_path, version):
    """Clients that refuse the certificate of this host, or leave during the handshake."""
    kam = start(settings)
    with pytest.raises(ssl.SSLCertVerificationError):
        TlsClient(kam.address(), client_context(trust=pki.path("ca-stranger.pem"), version=version))
    kam.log.wait("CA is unknown")
    with BioClient(kam.address(), client_context(version=version)) as client:
        client.step()
        client.sock.sendall(client.outgoing())
        client.pump()
    until(lambda: int(kam.rpc("tls.sessions")["handshakes_failed_closed"]) == 1, "the client that left")
    kam.wait_connections(0)
    lines = [re.sub(r"^ *\d+\(\d+\) ", "", line) for line in kam.log.lines()]
    assert _matched(lines, tmp_path) == []


@needs_fail2ban
def test_the_filter_takes_the_address_of_the_connection(tmp_path):
    forged = "x) src addr: 203.0.113.9:1 dst addr: 1:1 connection: 1 profile: x"
    ignored = "no: protocol level error: TLS accept:" + WRONG["they refuse us"]["what"]
    lines = [LINE.format(**BAD), LINE.format(**{**BAD, "src": "[2001:db8::7]:4711"}),
             LINE.format(**{**BAD, "what": forged, "src": "198.51.100.2:1"}),
             LINE.format(**{**BAD, "what": ignored, "src": "198.51.100.4:1"}),
             "WARNING: tls [gnutls_mod/mod_log.c:50]: tlsg_log_refused(): connection from 198.51.100.3:4711 refused, "
             "too many unfinished handshakes from this address: handshakes_per_address (3 in all, 9 bytes of shared "
             "memory; 0 more refused since the last such line)"]
    assert _matched(lines, tmp_path) == ["198.51.100.1", "2001:db8::7", "198.51.100.2", "198.51.100.4",
                                         "198.51.100.3"]


@needs_fail2ban
@pytest.mark.parametrize("case", WRONG)
def test_the_filter_leaves_others_alone(tmp_path, case):
    assert _matched([LINE.format(**{**BAD, **WRONG[case]})], tmp_path) == []


@needs_fail2ban
def test_the_filter_needs_the_line_of_this_module(tmp_path):
    text = LINE.format(**BAD).replace("tls [gnutls_mod/mod_log.c:78]: tlsg_log_failure()", "<script>: ")
    assert _matched([text], tmp_path) == []
