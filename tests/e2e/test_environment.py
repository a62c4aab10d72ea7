# tls_gnutls - end to end: what the libraries take from the environment
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""doc/environment.md lists the variables."""

import re
import subprocess
from pathlib import Path

import pytest

from .lib.kamailio import StartFailed, started_with
from .lib.tls import TlsClient, client_context, server_context
from .lib.uas import TlsAgent, UdpSender

TOP = Path(__file__).resolve().parents[2]
VERSIONS = ("TLSv1.2", "TLSv1.3")
WARNING = r"WARNING: tls .*environment variable (\S+) is set: .+; .+"

# variable -> a value that weakens; what comes with a file gets its path
WEAKENING = {
    "GNUTLS_DEBUG_LEVEL": "1",
    "GNUTLS_SYSTEM_PRIORITY_FILE": None,
    "GNUTLS_SYSTEM_PRIORITY_FAIL_ON_INVALID": "1",
    "GNUTLS_FORCE_FIPS_MODE": "0",
    "GNUTLS_SKIP_FIPS_INTEGRITY_CHECKS": "1",
    "GNUTLS_CPUID_OVERRIDE": "0x1",
    "NETTLE_FAT_OVERRIDE": "none",
    "P11_KIT_STRICT": "1",
}


def _both_roles(kam, pki):
    """Connections in and out, in each version."""
    for version in VERSIONS:
        with TlsClient(kam.address(), client_context(version=version)) as client:
            assert client.ask().status == 200
        context = server_context(pki.cert("server-ec"), pki.key("server-ec"), version)
        with TlsAgent(context) as agent, UdpSender(kam.address("udp")) as sender:
            assert sender.ask(uri=f"sip:far@127.0.0.1:{agent.port};transport=tls").status == 200


@pytest.mark.ours_only("OpenSSL does not read it")
def test_sslkeylogfile(settings, pki, tmp_path):
    """No secret is written, and one warning says so."""
    file = tmp_path / "keys"
    with started_with(settings.but(listen=("tls", "udp")), SSLKEYLOGFILE=str(file)) as kam:
        _both_roles(kam, pki)
        assert not file.exists() or file.stat().st_size == 0
        lines = kam.log.find(WARNING)
        assert len(lines) == 1 and "SSLKEYLOGFILE" in lines[0] and "keylog_mode" in lines[0]


@pytest.mark.ours_only("OpenSSL does not read it")
def test_sslkeylogfile_beside_keylog_file(settings, pki, tmp_path):
    """keylog_mode goes on working, and the other file stays empty."""
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    more = {"keylog_mode": 1 + 2 + 4 + 8, "keylog_file": str(ours)}
    with started_with(settings.but(listen=("tls", "udp"), modparams=more), SSLKEYLOGFILE=str(theirs)) as kam:
        _both_roles(kam, pki)
        assert not theirs.exists() or theirs.stat().st_size == 0
        assert ours.stat().st_size > 0


@pytest.mark.ours_only("OpenSSL reads none of them")
@pytest.mark.parametrize("name", WEAKENING)
def test_warning(settings, name, tmp_path):
    """One line that names the variable; TLS goes on working."""
    value = WEAKENING[name]
    if value is None:
        value = str(tmp_path / "config")
        (tmp_path / "config").write_text("[overrides]\n")
    with started_with(settings, **{name: value}) as kam:
        lines = kam.log.find(WARNING)
        assert len(lines) == 1 and f"variable {name} is" in lines[0]
        with TlsClient(kam.address(), client_context()) as client:
            assert client.ask().status == 200


@pytest.mark.ours_only("OpenSSL reads none of them")
def test_no_warning(settings):
    """Variables that the libraries read and that do no harm; and none at all."""
    harmless = {"SSLKEYLOGFILE": "", "GNUTLS_DEBUG_LEVEL": "0", "GNUTLS_NO_IMPLICIT_INIT": "1",
                "GNUTLS_NO_EXPLICIT_INIT": "1", "P11_KIT_NO_USER_CONFIG": "1"}
    for variables in (harmless, {}):
        with started_with(settings, **variables) as kam:
            assert not kam.log.find(WARNING)
            with TlsClient(kam.address(), client_context()) as client:
                assert client.ask().status == 200


@pytest.mark.ours_only("OpenSSL reads none of them")
def test_ktls_in_the_configuration(settings, pki, tmp_path):
    """It has no effect on sessions that send and receive through functions of the module."""
    config = tmp_path / "config"
    config.write_text("[global]\nktls = true\n")
    with started_with(settings.but(listen=("tls", "udp")), GNUTLS_SYSTEM_PRIORITY_FILE=str(config)) as kam:
        _both_roles(kam, pki)


@pytest.mark.ours_only("OpenSSL has no such build")
def test_build_with_af_alg(settings, tls_module, tmp_path):
    """Sessions with descriptors of one process are refused at start."""
    if tls_module.sanitized:
        pytest.skip("what is preloaded is the sanitizers' libraries")
    library = str(tmp_path / "afalg_build.so")
    subprocess.run(["gcc", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC",
                    str(TOP / "tests/e2e/lib/afalg_build.c"), "-o", library], check=True)
    with pytest.raises(StartFailed) as failed, started_with(settings, LD_PRELOAD=library):
        pass
    assert len(re.findall(r"ERROR: tls .*GnuTLS was built with afalg: .+; use a GnuTLS", str(failed.value))) == 1
