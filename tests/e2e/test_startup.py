# tls_gnutls - end to end: what keeps Kamailio from starting, and how it is reported
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""Bad certificates, keys and parameters refuse the start; one line at the level ERROR names
the parameter, the file and the reason."""

import os
import re
import shutil

import pytest

from .lib.kamailio import Kamailio, StartFailed
from .lib.tls import TlsClient, client_context
from .conftest import STOCK

GARBAGE = b"\x00\x01\xfe\xff this is neither PEM nor DER \r\n" * 20
BROKEN_PEM = (b"-----BEGIN CERTIFICATE-----\nMIIBszCCAVqgAwIBAgIU!!not base64!!\n"
              b"-----END CERTIFICATE-----\n")
BROKEN_KEY = b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"

MISSING = r"(?i)no such file|does not exist"
UNREADABLE = r"(?i)permission denied"
FOLDER = r"(?i)directory|folder|not a (regular )?file"
EMPTY = r"(?i)empty|holds no|contains no|no certificate|no key|no private key"
UNUSABLE = (r"(?i)holds no|contains no|no certificate|no CRL|no .*key|base64|PEM|DER|ASN\.?1|parse|decod"
            r"|header|not an? ")
MISMATCH = r"(?i)match|fit|belong"
ENCRYPTED = r"(?i)encrypt|password|passphrase"


def _file(name, content):
    """Returns a function (folder, PKI) that makes a file with that content and returns its path."""
    def make(folder, _pki):
        path = folder / name
        path.write_bytes(content)
        return str(path)
    return make


def _row(method, row):
    return lambda _folder, pki: getattr(pki, method)(row)


def _missing(folder, _pki):
    return str(folder / "nowhere.pem")


def _folder(folder, _pki):
    path = folder / "folder.pem"
    path.mkdir()
    return str(path)


# parameter, what it is set to, what the message must say
BAD_FILES = {
    "certificate missing": ("certificate", _missing, MISSING),
    "certificate is a folder": ("certificate", _folder, FOLDER),
    "certificate empty": ("certificate", _file("empty.pem", b""), EMPTY),
    "certificate garbage": ("certificate", _file("garbage.pem", GARBAGE), UNUSABLE),
    "certificate broken PEM": ("certificate", _file("broken.pem", BROKEN_PEM), UNUSABLE),
    "certificate is a key": ("certificate", _row("key", "server-ec"), UNUSABLE),
    "private_key missing": ("private_key", _missing, MISSING),
    "private_key is a folder": ("private_key", _folder, FOLDER),
    "private_key empty": ("private_key", _file("empty.key", b""), EMPTY),
    "private_key garbage": ("private_key", _file("garbage.key", GARBAGE), UNUSABLE),
    "private_key broken PEM": ("private_key", _file("broken.key", BROKEN_KEY), UNUSABLE),
    "private_key is a certificate": ("private_key", _row("cert", "server-ec"), UNUSABLE),
    "private_key of another algorithm": ("private_key", _row("key", "server-rsa"), MISMATCH),
    "private_key of another certificate": ("private_key", _row("key", "client-ok"), MISMATCH),
    "private_key encrypted": ("private_key", _row("key", "server-ec.enc"), ENCRYPTED),
    "ca_list missing": ("ca_list", _missing, MISSING),
    "ca_list garbage": ("ca_list", _file("garbage.ca", GARBAGE), UNUSABLE),
    "crl missing": ("crl", _missing, MISSING),
    "crl garbage": ("crl", _file("garbage.crl", GARBAGE), UNUSABLE),
}
BAD_VALUES = {
    "tls_method unknown": ("tls_method", "TLSv9"),
    "tls_method SSLv2": ("tls_method", "SSLv2"),
    "tls_method SSLv3": ("tls_method", "SSLv3"),
    "verify_client unknown": ("verify_client", "perhaps"),
    "cipher_list unknown word": ("cipher_list", "NO-SUCH-CIPHER"),
    "cipher_list broken priority string": ("cipher_list", "NORMAL:+NO-SUCH-THING"),
}


def _refused(settings):
    """The log of a start that fails with an exit status that says so."""
    kam = Kamailio(settings)
    try:
        with pytest.raises(StartFailed) as failure:
            kam.start()
        assert failure.value.status != 0
        return _complaints(failure.value.log)
    finally:
        kam.kill()
        kam.remove()


def _complaints(log):
    return log.at_level("ERROR") + log.at_level("CRITICAL")


def _assert_named(errors, *wanted):
    """One line of the TLS module contains everything in `wanted`."""
    logged = [text for module, text in errors if module != "<core>"]
    assert any(all(re.search(want, text) for want in wanted) for text in logged), \
        f"no line with all of {wanted} among {logged}"


@pytest.mark.parametrize("case", BAD_FILES)
def test_bad_file(settings, pki, tls_module, tmp_path, case):
    parameter, make, reason = BAD_FILES[case]
    path = make(tmp_path, pki)
    errors = _refused(settings.but(modparams={parameter: path}))
    if tls_module.ours:
        _assert_named(errors, rf"\b{parameter}\b", re.escape(path), reason)


@pytest.mark.parametrize("case", BAD_VALUES)
def test_bad_value(settings, tls_module, case):
    parameter, value = BAD_VALUES[case]
    errors = _refused(settings.but(modparams={parameter: value}))
    if tls_module.ours:
        _assert_named(errors, rf"\b{parameter}\b", re.escape(value))


@pytest.mark.parametrize("parameter", ("certificate", "private_key", "ca_list", "crl"))
def test_file_without_permission(settings, pki, tls_module, tmp_path, parameter):
    """Kamailio runs as another user, who may read everything but the one file."""
    if os.geteuid() != 0:
        pytest.skip("only root can start Kamailio as another user")
    kam = Kamailio(settings)
    files = {
        "certificate": pki.cert("server-ec"), "private_key": pki.key("server-ec"),
        "ca_list": pki.path("ca.pem"), "crl": pki.path("all.crl"),
    }
    for name, path in files.items():
        copy = kam.folder / f"{name}.pem"
        shutil.copy(path, copy)
        copy.chmod(0o600 if name == parameter else 0o644)
        files[name] = str(copy)
    kam.settings = settings.but(user="nobody", modparams=files)
    try:
        with pytest.raises(StartFailed) as failure:
            kam.start()
        assert failure.value.status != 0
        if tls_module.ours:
            _assert_named(_complaints(failure.value.log), rf"\b{parameter}\b",
                          re.escape(files[parameter]), UNREADABLE)
        (kam.folder / f"{parameter}.pem").chmod(0o644)
        kam.start()
        with TlsClient(kam.address(), client_context()) as client:
            assert client.ask().status == 200
        kam.stop()
    finally:
        kam.kill()
        kam.remove()


@pytest.mark.parametrize("row", ("server-expired", "server-notyet"))
def test_certificate_outside_its_validity_causes_a_warning(start, settings, pki, tls_module, row):
    path = pki.cert(row)
    kam = start(settings.but(modparams={"certificate": path, "private_key": pki.key(row)}))
    if tls_module.ours:
        warnings = [text for _, text in kam.log.at_level("WARNING") if path in text]
        assert warnings, kam.log.tail(20)
        reason = "expired" if row == "server-expired" else "not (yet|valid)"
        assert any(re.search(reason, text) for text in warnings), warnings
    with TlsClient(kam.address(), client_context()) as client:
        assert client.ask().status == 200


def test_valid_certificate_causes_no_warning(start, settings, pki):
    kam = start(settings)
    path = pki.cert("server-ec")
    assert not [text for _, text in kam.log.at_level("WARNING") if path in text]


def test_valid_cipher_list(start, settings, tls_module):
    value = "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-256-GCM" if tls_module.ours \
        else "ECDHE-ECDSA-AES256-GCM-SHA384"
    kam = start(settings.but(modparams={"cipher_list": value}))
    with TlsClient(kam.address(), client_context(version="TLSv1.2")) as client:
        assert client.ask().status == 200
        assert client.cipher == "ECDHE-ECDSA-AES256-GCM-SHA384"


# every parameter of the stock module of 5.6.3 with its type
STOCK_PARAMETERS = {
    "tls_method": "TLSv1.2+", "verify_certificate": 0, "verify_depth": 9,
    "require_certificate": 0, "verify_client": "off", "cipher_list": None, "server_name": "a",
    "connection_timeout": 600, "session_cache": 0, "session_id": "kamailio-tls-5.x.y",
    "tls_log": 3, "tls_debug": 3, "send_close_notify": 0, "con_ct_wq_max": 65536,
    "ct_wq_max": 10485760, "ct_wq_blk_size": 4096, "tls_force_run": 0, "low_mem_threshold1": -1,
    "low_mem_threshold2": -1, "renegotiation": 0, "xavp_cfg": "tls", "rand_engine": "fastrand",
    "tls_disable_compression": 1, "ssl_release_buffers": 1, "ssl_freelist_max_len": 0,
    "ssl_max_send_fragment": -1, "ssl_read_ahead": 0, "engine": "NONE",
    "engine_config": "NONE", "engine_algorithms": "ALL", "event_callback": None,
}
# of later versions of the stock module, and our own
LATER_PARAMETERS = {
    "private_key_password": "none", "key_password_mode": 0, "provider_quirks": 0,
    "provider_quirks_config": "", "init_mode": 0, "keylog_mode": 0, "handshake_timeout": 10,
}


def test_every_parameter_is_accepted(start, settings, tls_module):
    params = dict(STOCK_PARAMETERS)
    if tls_module.ours:
        params.update(LATER_PARAMETERS)
    kam = start(settings.but(modparams=params))
    with TlsClient(kam.address(), client_context()) as client:
        assert client.ask().status == 200


@pytest.mark.parametrize("params", ({"no_such_parameter": 1}, {"verify_depth": "nine"},
                                    {"certificate": 1}))
def test_unknown_parameter_or_wrong_type(settings, params):
    _refused(settings.but(modparams=params))


@pytest.mark.ours_only("both modules are loaded")
def test_after_tls_so(settings):
    """tls.so is loaded already: our module says what is wrong."""
    _assert_named(_refused(settings.but(load_before=(STOCK,))), r"tls\.so", r"already|beside|both")


@pytest.mark.ours_only("both modules are loaded")
def test_before_tls_so(settings):
    """tls.so comes second: there the core refuses the second module of that name."""
    errors = _refused(settings.but(load_after=(STOCK,)))
    assert any(re.search(r"module: tls\b|tls\.so", text) for _, text in errors), errors


def test_tls_disabled(settings, tls_module):
    """Without enable_tls the module loads, warns, and Kamailio runs without TLS."""
    with Kamailio(settings.but(enable_tls=False, listen=("udp", "tcp"))) as kam:
        warned = [text for module, text in kam.log.at_level("WARNING") if module == "tls"]
        assert warned, kam.log.tail(20)


def test_config_check(settings):
    """kamailio -c: a good configuration passes, a bad one does not."""
    kam = Kamailio(settings)
    try:
        status, output = kam.check_config()
        assert status == 0, output
        assert "config file ok" in output
        kam.settings = settings.but(modparams={"no_such_parameter": 1})
        status, output = kam.check_config()
        assert status != 0
        assert "no_such_parameter" in output
        kam.settings = settings.but(script="request_route { no_such_function(); }\n")
        status, output = kam.check_config()
        assert status != 0
    finally:
        kam.remove()
