# tls_gnutls - end to end: parameters of DTLS, and modules that it does not work with
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import subprocess
from pathlib import Path

import pytest

from .lib.kamailio import Kamailio, StartFailed
from .lib.ports import LOOPBACK, free_port

TOP = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.ours_only("it has no DTLS")


def _fails(settings):
    """The log of a Kamailio that must not start."""
    kam = Kamailio(settings)
    try:
        with pytest.raises(StartFailed) as failure:
            kam.start()
        return "\n".join(failure.value.log.lines())
    finally:
        kam.kill()
        kam.remove()


def _listen(value):
    return f'modparam("tls", "dtls_listen", "{value}")'


@pytest.mark.parametrize("value", ("", "udp", "udp:", "udp:127.0.0.1", "udp:127.0.0.1:", "udp:127.0.0.1:0",
                                   "udp:127.0.0.1:65536", "udp:127.0.0.1:5061x", "tls:127.0.0.1:5061",
                                   "127.0.0.1:5061", "udp:localhost:5061", "udp::5061"))
def test_malformed(settings, value):
    log = _fails(settings.but(listen=("tls", "udp"), config=_listen(value)))
    assert f'parameter "dtls_listen": "{value}" is not allowed (allowed: udp:ip:port' in log


def test_no_such_socket(settings):
    port = free_port()
    log = _fails(settings.but(listen=("tls", "udp", "udp2"), config=_listen(f"udp:{LOOPBACK}:{port}")))
    assert f"no listen= line is for udp:{LOOPBACK}:{port}; the UDP sockets are: udp:{LOOPBACK}:" in log
    assert log.count(f", udp:{LOOPBACK}:") >= 1, "both sockets are named"


def test_only_tcp(settings):
    """A TLS socket of that port is not meant."""
    log = _fails(settings.but(core=f"listen=tcp:{LOOPBACK}:5999\nlisten=udp:{LOOPBACK}:5998",
                              config=_listen(f"udp:{LOOPBACK}:5999")))
    assert f"no listen= line is for udp:{LOOPBACK}:5999; the UDP sockets are: udp:{LOOPBACK}:5998" in log


def test_twice(settings):
    log = _fails(settings.but(listen=("tls", "udp"), config=_listen("udp:127.0.0.1:5") * 2))
    assert '"udp:127.0.0.1:5" is given twice' in log


def test_tls_disabled(settings):
    log = _fails(settings.but(listen=("dtls",), enable_tls=False))
    assert "tls support is disabled" in log


@pytest.mark.parametrize("name, value, text", (
    ("dtls_mtu", 100, "dtls_mtu"), ("dtls_lifetime", 0, "dtls_lifetime"),
    ("dtls_max_connections", -2, "dtls_max_connections"), ("dtls_max_per_address", -2, "dtls_max_per_address")))
def test_out_of_range(settings, name, value, text):
    assert text in _fails(settings.but(listen=("tls", "dtls"), modparams={name: value}))


def test_sipcapture(settings):
    log = _fails(settings.but(listen=("tls", "udp", "dtls"), modules=("db_text", "sipcapture"), config=(
        'modparam("sipcapture", "db_url", "text:///tmp")\nmodparam("sipcapture", "hep_capture_on", 1)')))
    assert "DTLS: sipcapture's hep_capture_on uses the core's event for datagrams" in log


def test_natping_socket(settings):
    """A ping from a raw socket would carry the address of the socket of dtls_listen."""
    port = free_port()
    log = _fails(settings.but(listen=("tls", "udp"), core=f"listen=udp:{LOOPBACK}:{port}",
                              modules=("usrloc", "nathelper"), config=(
        f'{_listen(f"udp:{LOOPBACK}:{port}")}\nmodparam("nathelper", "natping_socket", "{LOOPBACK}:{port}")')))
    assert f'nathelper\'s natping_socket "{LOOPBACK}:{port}" is a socket of dtls_listen' in log


@pytest.fixture(scope="module")
def early(tmp_path_factory):
    library = str(tmp_path_factory.mktemp("early") / "early_event.so")
    subprocess.run(["gcc", "-shared", "-fPIC", "-O2", str(TOP / "tests/e2e/lib/early_event.c"), "-o", library, "-ldl"],
                   check=True)
    return library


@pytest.mark.parametrize("event, text", (
    (2, "another module takes outgoing messages already, it could send clear text"),
    (7, "another module takes datagrams already")))
def test_another_module_was_faster(settings, early, monkeypatch, event, text):
    monkeypatch.setenv("LD_PRELOAD", early)
    monkeypatch.setenv("EARLY_EVENT", str(event))
    assert text in _fails(settings.but(listen=("tls", "udp", "dtls")))


def test_calls_that_cannot_be_redirected(settings, early, monkeypatch):
    monkeypatch.setenv("LD_PRELOAD", early)
    monkeypatch.setenv("EARLY_EVENT", "corex.so")
    log = _fails(settings.but(listen=("tls", "udp", "dtls"), modules=("corex",)))
    assert 'the calls of udp_send() in "' in log and "/corex.so\" cannot be redirected" in log
    with Kamailio(settings.but(listen=("tls", "udp"), modules=("corex",))) as kam:     # without DTLS it does not matter
        kam.assert_healthy()


def test_profile_of_a_dtls_socket(settings, pki, tmp_path):
    """[server:ip:port] may name a socket of dtls_listen, but no other UDP socket."""
    config = tmp_path / "tls.cfg"
    port = free_port()
    config.write_text(f"[server:default]\ncertificate={pki.cert('server-ec')}\nprivate_key={pki.key('server-ec')}\n"
                      f"[server:{LOOPBACK}:{port}]\ncertificate={pki.cert('server-ec')}\n"
                      f"private_key={pki.key('server-ec')}\n[client:default]\n")
    changed = settings.but(listen=("tls",), core=f"listen=udp:{LOOPBACK}:{port}", modparams={
        "config": config, "certificate": None, "private_key": None, "ca_list": None})
    assert f"no TLS socket listens on {LOOPBACK}:{port}" in _fails(changed)
    with Kamailio(changed.but(config=_listen(f"udp:{LOOPBACK}:{port}"))) as kam:
        kam.assert_healthy()


def test_off(settings):
    """Without dtls_listen there is no timer process, and nothing is said about DTLS."""
    with Kamailio(settings.but(listen=("tls", "udp"))) as kam:
        assert not kam.pids("DTLS")
        assert not kam.log.find("DTLS")


def test_on(settings):
    with Kamailio(settings.but(listen=("tls", "udp", "dtls", "dtls2"))) as kam:
        assert len(kam.pids("tls: timer of DTLS")) == 1
        assert kam.log.find("NOTICE.*DTLS is on for 2 sockets; it is experimental")
        assert not kam.log.at_level("WARNING")
