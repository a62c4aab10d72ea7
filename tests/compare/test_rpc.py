# tls_gnutls - comparison: RPC replies, through binrpc (kamcmd) and JSON
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import json
import socket

import pytest

from e2e.lib.tls import TlsClient, client_context
from e2e.lib.wait import until

from .pair import Pair

SCRIPT = 'request_route { sl_send_reply("200", "OK"); }'
LATE_FIELDS = ["sni", "timestamp", "dom", "group"]
VARYING = ("src_port", "dst_port", "timestamp")     # the ports are chosen by the host of the test
PARAMS = (
    {},
    {"verify_client": "on", "verify_depth": 3, "session_cache": 1, "session_id": "other",
     "connection_timeout": 61, "send_close_notify": 1, "con_ct_wq_max": 70000,
     "ct_wq_max": 800000, "ct_wq_blk_size": 2048, "cipher_list": "HIGH:!aNULL",
     "low_mem_threshold1": 300, "low_mem_threshold2": 200, "tls_log": 2, "tls_debug": 2,
     "ssl_max_send_fragment": 8000, "tls_force_run": 1},
    {"connection_timeout": -1, "low_mem_threshold1": 0, "require_certificate": 1,
     "verify_certificate": 1},
)


def _modparams(pki, more):
    return {"tls_method": "TLSv1.2+", "certificate": pki.cert("server-ec"),
            "private_key": pki.key("server-ec"), "ca_list": pki.path("ca.pem"), **more}


@pytest.fixture(scope="module")
def pair(our_module, pki):
    with Pair(our_module, modparams=_modparams(pki, {}), script=SCRIPT) as both:
        yield both


@pytest.mark.parametrize("more", PARAMS)
def test_options(our_module, pki, more):
    with Pair(our_module, modparams=_modparams(pki, more), script=SCRIPT) as pair:
        theirs, ours = pair.both(lambda kam: kam.kamcmd("tls.options"))
        assert ours == theirs
        theirs, ours = pair.both(lambda kam: json.dumps(kam.rpc("tls.options")))
        assert ours == theirs


def test_info(pair):
    def ask(kam):
        with TlsClient(kam.address(), client_context()) as client:
            assert client.ask().status == 200
            return kam.kamcmd("tls.info"), json.dumps(kam.rpc("tls.info"))

    theirs, ours = pair.both(ask)
    assert ours == theirs
    pair.both(lambda kam: kam.wait_connections(0))


def _compare_entry(theirs, ours):
    """One connection in tls.list: same fields, order, types and values, then those that their version lacks."""
    assert list(ours) == list(theirs) + [name for name in LATE_FIELDS if name not in theirs]
    for name, value in theirs.items():
        assert type(ours[name]) is type(value), name
        if name not in VARYING + ("id", "timeout"):
            assert ours[name] == value, name
    assert abs(int(ours["timeout"]) - int(theirs["timeout"])) <= 2


@pytest.mark.parametrize("version", ("TLSv1.2", "TLSv1.3"))
def test_list(pair, version):
    def ask(kam):
        with TlsClient(kam.address(), client_context(version=version)) as client:
            assert client.ask().status == 200
            entries = kam.rpc("tls.list")
            assert len(entries) == 1
            assert int(entries[0]["src_port"]) == client.local[1]
            assert int(entries[0]["dst_port"]) == kam.port()
        kam.wait_connections(0)
        return entries[0]

    theirs, ours = pair.both(ask)
    _compare_entry(theirs, ours)
    assert ours["sni"] == "localhost"
    assert ours["dom"] == "TLSs<default>"


def test_list_of_a_connection_without_tls(pair):
    """A client that has connected and sends nothing."""
    def ask(kam):
        with socket.create_connection(kam.address()):
            until(lambda: kam.connections() == 1, "one connection")
            entries = kam.rpc("tls.list")
        kam.wait_connections(0)
        return entries[0]

    theirs, ours = pair.both(ask)
    _compare_entry(theirs, ours)
    assert ours["state"] == "pre-init"
    assert [ours[name] for name in LATE_FIELDS] == ["N/A"] * 4


def test_empty_list(pair):
    theirs, ours = pair.both(lambda kam: (kam.kamcmd("tls.list"), kam.rpc("tls.list")))
    assert ours == theirs


TLS_CFG = """[server:default]
method = TLSv1.2+
certificate = {cert}
private_key = {key}
[client:default]
method = TLSv1.2+
certificate = {cert}
private_key = {key}
"""
# what is appended to the file -> beginning of the fault, None: the reload succeeds
RELOADS = {
    "nothing": ("", None),
    "syntax": ("[server:default\n", "Error while loading TLS configuration file (consult server log)"),
    "unknown option": ("[client:any]\nno_such_option = 1\n",
                       "Error while loading TLS configuration file (consult server log)"),
    "missing file": ("[server:any]\nserver_name = x.example.org\ncertificate = /no/such/file\n",
                     "Error while fixing TLS configuration (consult server log)"),
    "no socket": ("[server:127.0.0.1:1]\nmethod = TLSv1.2+\ncertificate = {cert}\n"
                  "private_key = {key}\n",
                  "No server listening socket found for one of TLS domains (consult server log)"),
}


def _reload(kam):
    """(text of the success or of the fault, is it a fault?)"""
    try:
        return kam.rpc("tls.reload"), False
    except RuntimeError as fault:
        return str(fault), True


@pytest.mark.parametrize("case", RELOADS)
def test_reload(our_module, pki, tmp_path, case):
    more, sentence = RELOADS[case]
    files = {"cert": pki.cert("server-ec"), "key": pki.key("server-ec")}
    good = TLS_CFG.format(**files)
    config = tmp_path / "tls.cfg"
    config.write_text(good)
    with Pair(our_module, modparams={"config": str(config)}, script=SCRIPT) as pair:
        config.write_text(good + more.format(**files))
        (theirs, their_fault), (ours, our_fault) = pair.both(_reload)
        assert our_fault == their_fault == (sentence is not None)
        if sentence is None:
            assert ours.splitlines()[0] == theirs
        else:
            assert sentence in theirs
            assert sentence + ": " in ours
            assert "500" in ours and "500" in theirs
        for kam in (pair.theirs, pair.ours):
            with TlsClient(kam.address(), client_context()) as client:
                assert client.ask().status == 200
