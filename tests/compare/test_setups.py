# tls_gnutls - comparison: values, files and folders as operators have them
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""tls.so starts with each of them and serves a client; so must ours, with the same answers."""

import shutil
from pathlib import Path

import pytest

from e2e.lib.tls import client_context
from e2e.lib.tlscfg import pair as pair_of
from e2e.lib.tlscfg import section

from . import differences
from .pair import Pair, ask

VALUES = (
    ("tls_force_run", 11), ("verify_certificate", 2), ("require_certificate", 3), ("session_cache", 2),
    ("renegotiation", 2), ("send_close_notify", 7), ("con_ct_wq_max", 16777216), ("ct_wq_blk_size", 0),
    ("ct_wq_blk_size", 1 << 20), ("ssl_release_buffers", 2), ("ssl_read_ahead", 2), ("tls_disable_compression", 2),
    ("tls_log", 2000), ("verify_depth", 500), ("ssl_freelist_max_len", -7), ("low_mem_threshold1", -5),
)
OTHER = "-----BEGIN CERTIFICATE REQUEST-----\nMAMCAQE=\n-----END CERTIFICATE REQUEST-----\n"


def _compare(our_module, pki, case, row="client-ok", **settings):
    with Pair(our_module, **settings) as pair:
        context = client_context(cert=pki.cert(row), key=pki.key(row))
        theirs, ours = pair.both(lambda kam: ask(kam, context))
        differences.check(case, theirs, ours)
        return theirs, ours


@pytest.mark.parametrize("name,value", VALUES)
def test_values(our_module, pki, name, value):
    params = {"tls_method": "TLSv1.2+", "certificate": pki.cert("server-ec"), "private_key": pki.key("server-ec"),
              "ca_list": pki.path("ca.pem"), name: value}
    theirs, _ = _compare(our_module, pki, f"{name} {value}", modparams=params)
    assert not theirs.refused


@pytest.mark.parametrize("name", ("verify_certificate", "require_certificate"))
def test_switches_above_1_are_on(our_module, pki, name):
    params = {"tls_method": "TLSv1.2+", "certificate": pki.cert("server-ec"), "private_key": pki.key("server-ec"),
              "ca_list": pki.path("ca.pem"), name: 2}
    theirs, _ = _compare(our_module, pki, f"{name} 2", row="client-stranger", modparams=params)
    assert theirs.refused


@pytest.mark.parametrize("row", ("client-ok", "client-stranger"))
@pytest.mark.parametrize("kind", ("repeated", "empty", "missing"))
def test_ca_path_beside_ca_list(our_module, pki, tmp_path, kind, row):
    folder = tmp_path / "certs"
    if kind != "missing":
        folder.mkdir()
    if kind == "repeated":
        shutil.copy(pki.path("ca.pem"), folder / "1a2b3c4d.0")
    config = tmp_path / "tls.cfg"
    config.write_text(section(
        "server:default", method="TLSv1.2+", **pair_of(pki, "server-ec"), require_certificate="yes",
        ca_list=pki.path("ca.pem"), ca_path=str(folder)))
    _compare(our_module, pki, f"ca_path {kind}", row, modparams={"config": str(config)})


LABELS = [(setting, label) for setting in ("certificate", "ca_list", "crl")
          for label in ("CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE")
          # of these alone tls.so makes no list to announce, and does not start
          if (setting, label) != ("ca_list", "TRUSTED CERTIFICATE")]


@pytest.mark.parametrize("setting,label", LABELS)
def test_labels(our_module, pki, tmp_path, setting, label):
    """The first certificate has that label, and a block of another kind stands before it."""
    params = {"certificate": pki.cert("server-ec"), "ca_list": pki.path("ca.pem"), "crl": pki.path("all.crl")}
    text = Path(params[setting]).read_text(encoding="ascii")
    if setting == "crl":
        text = Path(pki.path("ca.pem")).read_text(encoding="ascii") + text
    (tmp_path / "file.pem").write_text(OTHER + text.replace(" CERTIFICATE", f" {label}", 2))
    params[setting] = str(tmp_path / "file.pem")
    theirs, _ = _compare(our_module, pki, f"{setting} {label}", modparams={
        "tls_method": "TLSv1.2+", "private_key": pki.key("server-ec"), "require_certificate": 1, **params})
    assert not theirs.refused
