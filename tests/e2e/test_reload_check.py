# tls_gnutls - end to end: what `tls.reload check` finds without changing anything; what tls.reload says has changed
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import re
import subprocess

import pytest

from .lib.tls import TlsClient, client_context
from .lib.tlscfg import MODES, Files, pair, section

pytestmark = pytest.mark.ours_only("tls.so has no check and does not say what has changed")

DONE = "Ok. TLS configuration reloaded."
CHECKED = "Ok. TLS configuration checked, nothing was changed."


@pytest.fixture
def files(pki, tmp_path):
    return Files(tmp_path, pki)


def _served(kam, **more):
    with TlsClient(kam.address(), client_context(), **more) as client:
        assert client.ask().status == 200
        return client.shown()


def _of(pki, row, what):
    """Serial number or end of a certificate, as openssl prints it."""
    text = subprocess.run(["openssl", "x509", "-in", pki.cert(row), "-noout", f"-{what}"],
                          capture_output=True, text=True, check=True).stdout.strip().partition("=")[2]
    return str(int(text, 16)) if what == "serial" else text


def _line(pki, row, what, profile="TLSs<default>"):
    return f"{profile}: {what}, serial {_of(pki, row, 'serial')}, valid until {_of(pki, row, 'enddate')}"


@pytest.mark.parametrize("mode", MODES)
def test_a_check_changes_nothing(start, settings, files, pki, mode):
    kam = start(files.settings(settings, mode))
    assert kam.rpc("tls.reload", "check") == CHECKED
    files.show("server-rsa")
    before = kam.rpc("tls.sessions")["configurations"]
    reply = kam.rpc("tls.reload", "check").splitlines()
    assert reply[:2] == [CHECKED, "A reload would change:"]
    assert _line(pki, "server-rsa", "new certificate") in reply
    assert _served(kam) == "server-ec"
    assert kam.rpc("tls.sessions")["configurations"] == before
    assert not kam.log.find("configuration reloaded")
    assert kam.rpc("tls.reload").splitlines() == [DONE, *reply[2:]]
    assert _served(kam) == "server-rsa"


@pytest.mark.parametrize("mode", MODES)
def test_a_check_finds_what_a_reload_would_refuse(start, settings, files, pki, mode):
    kam = start(files.settings(settings, mode))
    files.put("key.pem", pki.key("server-rsa"))
    faults = []
    for words in (("tls.reload", "check"), ("tls.reload",)):
        with pytest.raises(RuntimeError, match="500.*Error while fixing TLS configuration") as fault:
            kam.rpc(*words)
        faults.append(str(fault.value))  # truncated by Kamailio; the log has the cause
    assert faults[0] == faults[1]
    assert len(kam.log.find("WARNING.*was checked and cannot be loaded: .*does not belong")) == 1
    assert len(kam.log.find("ERROR.*was not reloaded, the current one stays: .*does not belong")) == 1
    assert _served(kam) == "server-ec"


@pytest.mark.parametrize("word", ("chek", "checks", 1, "CHECK"))
def test_another_argument_is_refused_and_reloads_nothing(start, settings, files, word):
    kam = start(files.settings(settings, "file"))
    files.show("server-rsa")
    with pytest.raises(RuntimeError, match="400.*argument is not supported"):
        kam.rpc("tls.reload", word)
    assert "error: 400" in kam.kamcmd("tls.reload", str(word))
    assert _served(kam) == "server-ec"


@pytest.mark.parametrize("mode", MODES)
def test_nothing_has_changed(start, settings, files, mode):
    kam = start(files.settings(settings, mode))
    assert kam.rpc("tls.reload") == DONE
    assert kam.kamcmd("tls.reload") == DONE + "\n"


@pytest.mark.parametrize("mode", MODES)
def test_certificate_authorities_and_revocation_lists(start, settings, files, pki, mode):
    files.put("list.crl", pki.path("expired.crl"))
    kam = start(files.settings(settings, mode, crl=files.path("list.crl")))
    files.show("server-rsa")
    files.put("ca.pem", pki.path("ca-both.pem"))
    files.put("list.crl", pki.path("all.crl"))
    reply = kam.rpc("tls.reload").splitlines()
    assert reply[0] == DONE
    assert _line(pki, "server-rsa", "new certificate") in reply
    assert _line(pki, "server-ec", "no longer used: certificate") in reply
    assert any(re.match(r"TLSs<default>: other CAs: \d+, before \d+$", line) for line in reply)
    assert any(re.match(r"TLSs<default>: other CRLs: \d+, before \d+, next update .* GMT$", line) for line in reply)
    for line in reply[1:]:
        assert kam.log.find("NOTICE.*TLS configuration: " + re.escape(line)), line


def test_profiles_and_settings(start, settings, files, pki):
    one = section("server:any", server_name="one.example", **pair(pki, "server-rsa"))
    two = section("server:any", server_name="two.example", **pair(pki, "server-rsa"))
    kam = start(files.settings(settings, "file"))
    default = (files.folder / "tls.cfg").read_text()
    files.write("tls.cfg", default + one)
    assert kam.rpc("tls.reload").splitlines() == [
        DONE, "TLSs<any:one.example>: added",
        _line(pki, "server-rsa", "new certificate", "TLSs<any:one.example>")]
    files.write("tls.cfg", default + "method = TLSv1.2\nverify_depth = 3\n" + two)
    assert kam.rpc("tls.reload").splitlines() == [
        DONE, "TLSs<any:one.example>: removed", "TLSs<any:two.example>: added",
        _line(pki, "server-rsa", "new certificate", "TLSs<any:two.example>"),
        "TLSs<default>: changed settings: tls_method, verify_depth"]


def test_an_order_of_sections_is_no_change(start, settings, files, pki):
    sections = [section("server:any", server_name=f"{name}.example", **pair(pki, "server-rsa")) for name in "abc"]
    kam = start(files.settings(settings, "file"))
    default = (files.folder / "tls.cfg").read_text()
    files.write("tls.cfg", default + "".join(sections))
    kam.rpc("tls.reload")
    files.write("tls.cfg", "".join(reversed(sections)) + default)
    assert kam.rpc("tls.reload") == DONE


def test_many_changes_are_counted(start, settings, files, pki):
    """The reply has one limited string: kamcmd prints it too."""
    kam = start(files.settings(settings, "file"))
    default = (files.folder / "tls.cfg").read_text()
    files.write("tls.cfg", default + "".join(
        section("server:any", server_name=f"customer-{i}.example", **pair(pki, "server-rsa")) for i in range(200)))
    reply = kam.kamcmd("tls.reload").splitlines()
    shown = [line for line in reply[1:] if line.startswith("TLSs<any:customer-")]
    more = re.fullmatch(r"and (\d+) more", reply[-1])
    assert reply[0] == DONE and len(shown) > 5
    assert len(shown) + int(more.group(1)) == 400       # added, and its certificate


@pytest.mark.parametrize("mode", MODES)
def test_a_check_leaves_the_keys_of_the_key_process_alone(start, settings, files, mode):
    """The process that holds keys reads those of the check too; the current ones must stay."""
    chosen = files.settings(settings, mode)
    kam = start(chosen.but(modparams={**chosen.modparams, "key_isolation": 1}))
    for _ in range(3):
        assert kam.rpc("tls.reload", "check") == CHECKED
        assert _served(kam) == "server-ec"
    files.show("server-rsa")
    kam.rpc("tls.reload", "check")
    assert _served(kam) == "server-ec"
    kam.rpc("tls.reload")
    assert _served(kam) == "server-rsa"
