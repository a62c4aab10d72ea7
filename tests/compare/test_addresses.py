# tls_gnutls - comparison: a listen socket with an IPv6 address
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import re
import socket

import pytest

from e2e.lib import sip
from e2e.lib.kamailio import Kamailio, Settings
from e2e.lib.tls import TlsClient, client_context, server_context
from e2e.lib.uas import TlsAgent, UdpSender

from .pair import STOCK
from .test_rpc import SCRIPT, _compare_entry

LOOPBACK = "::1"


def _free_port():
    with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as sock:
        sock.bind((LOOPBACK, 0))
        return sock.getsockname()[1]


def _settings(module, pki, port, style, script):
    return Settings(
        module=module, listen=("udp",), script=script,
        core=f'listen=tls:[{LOOPBACK}]:{port}\nipv6_hex_style="{style}"',
        modparams={"tls_method": "TLSv1.2+", "certificate": pki.cert("server-ec"),
                   "private_key": pki.key("server-ec"), "tls_log": 1})


def _lines(kam, mark, what):
    """The lines about a connection, without port numbers."""
    found = (line[line.index(what):] for line in kam.log.find(what, mark))
    return [re.sub(r":\d+( |$)", r":PORT\1", line).rstrip() for line in found]


def _ask(module, pki, style):
    """(entry of tls.list, lines about the connection) with one client connected."""
    port = _free_port()
    with Kamailio(_settings(module, pki, port, style, SCRIPT)) as kam:
        mark = kam.log.mark()
        with TlsClient((LOOPBACK, port), client_context()) as client:
            assert client.ask(sip.options(port)).status == 200
            (entry,) = kam.rpc("tls.list")
        kam.wait_connections(0)
        return entry, _lines(kam, mark, "tls_accept: ")


@pytest.mark.parametrize("style", ("c", "a", "A"))
def test_list_and_log(our_module, pki, style):
    theirs, their_lines = _ask(STOCK, pki, style)
    ours, our_lines = _ask(our_module, pki, style)
    _compare_entry(theirs, ours)
    assert our_lines == their_lines


def _go_out(module, pki, style):
    """(entry of tls.list, lines about the connection) of an outgoing connection."""
    context = server_context(pki.cert("server-rsa"), pki.key("server-rsa"))
    with Kamailio(_settings(module, pki, _free_port(), style, "request_route { t_relay(); }")) as kam, \
            TlsAgent(context, host=LOOPBACK) as agent, UdpSender(kam.address("udp")) as sender:
        mark = kam.log.mark()
        assert sender.ask(uri=f"sip:far@[{LOOPBACK}]:{agent.port};transport=tls").status == 200
        (entry,) = kam.rpc("tls.list")
        return entry, _lines(kam, mark, "tls_connect: ")


@pytest.mark.parametrize("style", ("c", "A"))
def test_outgoing_list_and_log(our_module, pki, style):
    theirs, their_lines = _go_out(STOCK, pki, style)
    ours, our_lines = _go_out(our_module, pki, style)
    _compare_entry(theirs, ours)
    assert our_lines == their_lines and len(our_lines) >= 4
