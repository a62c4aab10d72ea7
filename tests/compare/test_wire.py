# tls_gnutls - comparison: the certificates that are sent, in both roles
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""A root may be sent or left out: a peer needs its own copy of it. All else must be the same."""

import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from e2e.lib.tls import TlsClient, chain_of, client_context, server_context
from e2e.lib.uas import TlsAgent, UdpSender

from .pair import Pair

VERSIONS = ("TLSv1.2", "TLSv1.3")

# what is in the file behind the leaf, what is in ca_list, what is in ca_path
FILES = {
    "leaf alone": ((), (), ()),
    "leaf alone, issuers in ca_list": ((), ("root", "inter", "inter2"), ()),
    "leaf alone, issuers in ca_list from the leaf to the root": ((), ("inter2", "inter", "root"), ()),
    "leaf alone, the issuers without the root": ((), ("inter", "inter2"), ()),
    "leaf alone, the first issuer": ((), ("inter2",), ()),
    "leaf alone, a gap": ((), ("root", "inter"), ()),
    "leaf alone, root alone": ((), ("root",), ()),
    "leaf alone, other CAs": ((), ("stranger", "inter-old"), ()),
    "leaf alone, issuers in ca_path": ((), (), ("root", "inter", "inter2")),
    "leaf alone, issuers in both": ((), ("inter2",), ("root", "inter")),
    "leaf and its issuer": (("inter2",), ("root", "inter", "inter2"), ()),
    "leaf and all issuers": (("inter2", "inter"), ("root",), ()),
    "leaf and root": (("root",), ("root", "inter", "inter2"), ()),
    "leaf and all with the root": (("inter2", "inter", "root"), (), ()),
    "leaf and another CA": (("stranger",), ("root", "inter", "inter2"), ()),
}


def _write(path, pki, rows):
    path.write_bytes(b"".join(pki.pair_of(row)[0].public_bytes(Encoding.PEM) for row in rows))
    return str(path)


def _write_folder(folder, pki, rows):
    """A folder in which OpenSSL finds CAs."""
    folder.mkdir()
    for row in rows:
        path = _write(folder / "new", pki, (row,))
        done = subprocess.run(["openssl", "x509", "-subject_hash", "-noout", "-in", path],
                              capture_output=True, text=True, check=True)
        (folder / "new").rename(folder / f"{done.stdout.strip()}.0")
    return str(folder)


def _section(pki, folder, leaf, case):
    behind, ca_list, ca_path = FILES[case]
    lines = [f"certificate = {_write(folder / f'{leaf}.pem', pki, (leaf, *behind))}",
             f"private_key = {pki.key(leaf)}", "method = TLSv1.2+"]
    if ca_list:
        lines.append(f"ca_list = {_write(folder / f'{leaf}-cas.pem', pki, ca_list)}")
    if ca_path:
        lines.append(f"ca_path = {_write_folder(folder / f'{leaf}-cas', pki, ca_path)}")
    return lines


@pytest.fixture(scope="module", params=FILES)
def pair(request, our_module, pki, tmp_path_factory):
    folder = tmp_path_factory.mktemp("wire")
    config = folder / "tls.cfg"
    config.write_text("\n".join([
        "[server:default]", *_section(pki, folder, "server-deep", request.param),
        "[client:default]", *_section(pki, folder, "client-deep", request.param)]) + "\n")
    with Pair(our_module, listen=("tls", "udp"), modparams={"config": str(config)},
              script="request_route { t_relay(); }") as both:
        yield both


def _without_root(chain):
    names = [(cert.subject, cert.issuer) for cert in map(x509.load_der_x509_certificate, chain[1:])]
    return chain[:1] + [der for der, (subject, issuer) in zip(chain[1:], names) if subject != issuer]


@pytest.mark.parametrize("version", VERSIONS)
def test_what_a_server_sends(pair, version):
    def sent(kam):
        with TlsClient(kam.address(), client_context(version=version)) as client:
            return _without_root(chain_of(client.sock))
    theirs, ours = pair.both(sent)
    assert len(theirs) > 0 and ours == theirs


@pytest.mark.parametrize("version", VERSIONS)
def test_what_a_client_sends(pair, pki, tmp_path, version):
    # a server that has all the CAs, so that it takes whatever is sent
    trust = _write(tmp_path / "all.pem", pki, ("root", "inter", "inter2"))
    context = server_context(pki.cert("server-ec"), pki.key("server-ec"), version, client_trust=trust)

    def sent(kam):
        with TlsAgent(context) as agent, UdpSender(kam.address("udp")) as sender:
            assert sender.ask(uri=f"sip:far@127.0.0.1:{agent.port};transport=tls").status == 200
            (chain,) = agent.chains
            return _without_root(chain)
    theirs, ours = pair.both(sent)
    assert len(theirs) > 0 and ours == theirs
