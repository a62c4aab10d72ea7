# tls_gnutls - comparison: log lines about connections at the level tls_log
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import re

import pytest

from e2e.lib.tls import TlsClient, client_context

from .odd import ROWS as ODD_ROWS
from .odd import UNTRUSTED
from .pair import Pair

SCRIPT = 'request_route { sl_send_reply("200", "OK"); }'
LINES = re.compile(r"(?:WARNING: )?tls_accept: .*|verification failure: .*")
PORT = re.compile(r"(127\.0\.0\.1):\d+")
USUAL = ("client-ok", "client-expired", "client-notyet", "client-stranger", "client-selfsigned",
         "client-serveronly")


def _pair(our_module, pki, **more):
    params = {"tls_method": "TLSv1.2+", "certificate": pki.cert("server-ec"), "tls_log": 1,
              "private_key": pki.key("server-ec"), "ca_list": pki.path("ca.pem"),
              "verify_client": "optional_no_ca", **more}
    return Pair(our_module, modparams=params, script=SCRIPT)


@pytest.fixture(scope="module")
def pair(our_module, pki):
    with _pair(our_module, pki) as both:
        yield both


@pytest.fixture(scope="module")
def revoking(our_module, pki):
    with _pair(our_module, pki, crl=pki.path("all.crl")) as both:
        yield both


def _lines(kam, context):
    """The lines of interest about one client, without port numbers."""
    mark = kam.log.mark()
    with TlsClient(kam.address(), context) as client:
        assert client.ask().status == 200
    found = (LINES.search(line) for line in kam.log.lines(mark))
    return [PORT.sub(r"\1:PORT", match[0]).strip() for match in found if match]


def _compare(pair, context):
    theirs, ours = pair.both(lambda kam: _lines(kam, context))
    assert theirs, "no lines"
    assert ours == theirs


@pytest.mark.parametrize("version", ("TLSv1.2", "TLSv1.3"))
@pytest.mark.parametrize("row", (None, *USUAL))
def test_usual_clients(pair, pki, row, version):
    cert = (pki.cert(row), pki.key(row)) if row else (None, None)
    _compare(pair, client_context(version=version, cert=cert[0], key=cert[1]))


@pytest.mark.parametrize("row", ("client-ok", "client-revoked", "client-stranger"))
def test_with_revocation_lists(revoking, pki, row):
    _compare(revoking, client_context(cert=pki.cert(row), key=pki.key(row)))


# the rows whose lines differ are listed in differences.py
@pytest.mark.parametrize("row", sorted(set(UNTRUSTED) - {"selfsigned-notyet"}))
def test_untrusted_clients(pair, odd, row):
    _compare(pair, client_context(cert=odd.cert(row), key=odd.key(row)))


@pytest.mark.parametrize("version", ("TLSv1.2", "TLSv1.3"))
@pytest.mark.parametrize("row", sorted(set(ODD_ROWS) - {"longest"}))
def test_odd_clients(pair, odd, row, version):
    _compare(pair, client_context(version=version, cert=odd.cert(row), key=odd.key(row)))


# at debug level, in both logs; the rest of a line may differ
PHRASES = tuple(map(re.escape, (
    "TLSs<default>: No CRL configured", "completing tls connection initialization",
    "Using initial TLS domain TLSs<default> (", "SSL handshake started",
    "received server_name (TLS extension): 'name.example'",
    "TLS cfg domain selected for received server name [name.example]:", "SSL handshake done",
    "TLS accept successful", "Closing SSL connection ", "tls_accept: client did not present a certificate",
    "peer did not present a certificate",
))) + (r"TLSs<default>: Key '.*server-ec\.key' successfully loaded",
       # with 0.0.0.0 in later versions
       r"registered server_name callback handler for socket \[(0\.0\.0\.0)?:0\], server_name='<default>' \.\.\.")
CLOSED = "First phase of 2-way handshake completed succes+ful+y|TLS shutdown successful"    # 6.0 spells it right
VERIFYING = 'request_route { is_peer_verified(); sl_send_reply("200", "OK"); }'


def test_debug_lines(our_module, pki):
    with Pair(our_module, debug=3, script=VERIFYING, modparams={
            "tls_method": "TLSv1.2", "certificate": pki.cert("server-ec"), "private_key": pki.key("server-ec"),
            "server_name": "name.example", "send_close_notify": 1}) as pair:
        for kam in (pair.theirs, pair.ours):
            with TlsClient(kam.address(), client_context(), name="name.example") as client:
                assert client.ask().status == 200
            kam.wait_connections(0)
            kam.log.wait(CLOSED)
            missing = [phrase for phrase in (*PHRASES, CLOSED) if not kam.log.find(f"tls .*({phrase})")]
            assert not missing, kam.settings.module
        # the same words in each version; which of two lines tells the end of a connection is a race
        for start in ("registered server_name callback", "First phase of 2-way"):
            theirs, ours = ({line[line.index(start):] for line in kam.log.find(start)}
                            for kam in (pair.theirs, pair.ours))
            assert ours == theirs or not (ours and theirs)
