# tls_gnutls - comparison: outgoing connections, what the route of the reply sees and what is logged
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import re

import pytest

from e2e.lib.tls import server_context
from e2e.lib.uas import TlsAgent

from . import differences, probes
from .odd import ROWS as ODD_ROWS
from .odd import UNTRUSTED
from .pair import Pair, relay

VERSIONS = ("TLSv1.2", "TLSv1.3")
USUAL = ("server-ec", "server-rsa", "server-deep", "server-expired", "server-notyet",
         "server-revoked", "server-stranger", "server-selfsigned", "server-clientonly")
LINES = re.compile(r"(?:WARNING: )?tls_connect: .*|verification failure: .*")
PORT = re.compile(r":\d+( |$)")


def _pair(our_module, pki, odd, **more):
    both = odd.folder / "both.pem"
    both.write_bytes(open(pki.path("ca.pem"), "rb").read() + open(odd.path("ca.pem"), "rb").read())
    params = {"tls_method": "TLSv1.2+", "certificate": pki.cert("client-ok"), "tls_log": 1,
              "private_key": pki.key("client-ok"), "ca_list": str(both), **more}
    return Pair(our_module, listen=("tls", "udp"), modparams=params, script=probes.relay_script())


@pytest.fixture(scope="module")
def tolerant(our_module, pki, odd):
    with _pair(our_module, pki, odd) as pair:
        yield pair


@pytest.fixture(scope="module")
def strict(our_module, pki, odd):
    with _pair(our_module, pki, odd, verify_certificate=1) as pair:
        yield pair


@pytest.fixture(scope="module")
def revoking(our_module, pki, odd):
    with _pair(our_module, pki, odd, crl=pki.path("all.crl"), verify_certificate=1) as pair:
        yield pair


def _ask(kam, agent):
    """(what the script saw, lines of interest without port numbers) of one outgoing connection."""
    mark = kam.log.mark()
    answer = relay(kam, agent)
    found = (LINES.search(line) for line in kam.log.lines(mark))
    return answer, [PORT.sub(r":PORT\1", match[0]).strip() for match in found if match]


def _compare(pair, case, context, lines=True):
    with TlsAgent(context) as agent:
        (theirs, their_lines), (ours, our_lines) = pair.both(lambda kam: _ask(kam, agent))
    differences.check(case, theirs, ours)
    if lines and not theirs.refused:
        assert their_lines, "no lines"
        assert our_lines == their_lines
    pair.both(lambda kam: kam.wait_connections(0))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("row", USUAL)
def test_usual_servers(tolerant, pki, row, version):
    _compare(tolerant, row, server_context(pki.cert(row), pki.key(row), version))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("row", (*ODD_ROWS, *UNTRUSTED))
def test_odd_servers(tolerant, odd, row, version):
    # the rows whose lines differ are listed in differences.py
    _compare(tolerant, row, server_context(odd.cert(row), odd.key(row), version),
             lines=row not in ("selfsigned-notyet", "longest"))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("row", USUAL)
def test_which_servers_are_accepted(strict, pki, row, version):
    _compare(strict, row, server_context(pki.cert(row), pki.key(row), version))


@pytest.mark.parametrize("row", ("server-ec", "server-revoked"))
def test_with_revocation_lists(revoking, pki, row):
    _compare(revoking, f"crl {row}", server_context(pki.cert(row), pki.key(row)))


@pytest.mark.parametrize("trust", ("ca.pem", "ca-stranger.pem"))
@pytest.mark.parametrize("version", VERSIONS)
def test_servers_that_ask_for_a_certificate(tolerant, pki, trust, version):
    """The second one refuses ours: with TLS 1.3 after the handshake has completed on the client's side."""
    context = server_context(pki.cert("server-ec"), pki.key("server-ec"), version,
                             client_trust=pki.path(trust))
    _compare(tolerant, f"asks {trust}", context, lines=trust == "ca.pem")
