# tls_gnutls - comparison: a listen socket with an IPv6 address
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import re
import socket

import pytest

from e2e.lib import sip
from e2e.lib.kamailio import Kamailio, Settings
from e2e.lib.tls import TlsClient, client_context

from .pair import STOCK
from .test_rpc import SCRIPT, _compare_entry

LOOPBACK = "::1"


def _free_port():
    with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as sock:
        sock.bind((LOOPBACK, 0))
        return sock.getsockname()[1]


def _ask(module, pki, style):
    """(entry of tls.list, lines about the connection) with one client connected."""
    port = _free_port()
    settings = Settings(
        module=module, listen=("udp",), script=SCRIPT,
        core=f'listen=tls:[{LOOPBACK}]:{port}\nipv6_hex_style="{style}"',
        modparams={"tls_method": "TLSv1.2+", "certificate": pki.cert("server-ec"),
                   "private_key": pki.key("server-ec"), "tls_log": 1})
    with Kamailio(settings) as kam:
        mark = kam.log.mark()
        with TlsClient((LOOPBACK, port), client_context()) as client:
            assert client.ask(sip.options(port)).status == 200
            (entry,) = kam.rpc("tls.list")
        kam.wait_connections(0)
        lines = [re.sub(r":\d+( |$)", r":PORT\1", line[line.index("tls_accept: "):])
                 for line in kam.log.find("tls_accept: ", mark)]
    return entry, [line.rstrip() for line in lines]


@pytest.mark.parametrize("style", ("c", "a", "A"))
def test_list_and_log(our_module, pki, style):
    theirs, their_lines = _ask(STOCK, pki, style)
    ours, our_lines = _ask(our_module, pki, style)
    _compare_entry(theirs, ours)
    assert our_lines == their_lines
