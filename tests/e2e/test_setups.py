# tls_gnutls - end to end: files and folders as operators have them
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""What tls.so starts with and serves, and what is not dangerous, must start and serve here too."""

import shutil
import ssl

import pytest

from .lib.kamailio import Kamailio, StartFailed
from .lib.tls import TlsClient, client_context
from .lib.tlscfg import pair, reading, section

VERSIONS = ("TLSv1.2", "TLSv1.3")
REFUSED = (ssl.SSLError, OSError, EOFError)


def write(path, *sections):
    path.write_text("".join(sections))
    return path


def asks(kam, pki, row=None, version=None):
    """The status of an answer, with a client certificate if a row is named."""
    cert = (pki.cert(row), pki.key(row)) if row else (None, None)
    with TlsClient(kam.address(), client_context(version=version, cert=cert[0], key=cert[1])) as client:
        return client.ask().status


def refused(settings):
    """The log of a Kamailio whose start must fail."""
    with pytest.raises(StartFailed) as failure:
        with Kamailio(settings):
            pass
    return str(failure.value)


# ---- ca_path ---------------------------------------------------------------------------------------------------------

FOLDERS = ("the same as ca_list", "empty", "missing")


def ca_folder(tmp_path, pki, kind):
    folder = tmp_path / "certs"
    if kind != "missing":
        folder.mkdir()
    if kind == "the same as ca_list":
        shutil.copy(pki.path("ca.pem"), folder / "1a2b3c4d.0")
    return str(folder)


@pytest.mark.parametrize("kind", FOLDERS)
def test_ca_path_beside_ca_list(start, settings, pki, tmp_path, kind):
    keys = {"ca_list": pki.path("ca.pem"), "ca_path": ca_folder(tmp_path, pki, kind), "require_certificate": "yes"}
    config = write(tmp_path / "tls.cfg", section("server:default", **pair(pki, "server-ec"), **keys))
    kam = start(reading(settings, config))
    assert asks(kam, pki, "client-ok") == 200
    with pytest.raises(REFUSED):
        asks(kam, pki, "client-stranger")
    assert len(kam.log.find("WARNING.*ca_path: .*: the setting has no effect")) == (kind != FOLDERS[0])


@pytest.mark.parametrize("kind", FOLDERS)
def test_ca_path_without_verification(start, settings, pki, tmp_path, kind):
    keys = {"ca_path": ca_folder(tmp_path, pki, kind)}
    config = write(tmp_path / "tls.cfg", section("server:default", **pair(pki, "server-ec"), **keys))
    assert asks(start(reading(settings, config)), pki) == 200


@pytest.mark.ours_only("it starts and refuses every client")
@pytest.mark.parametrize("kind", ("empty", "missing"))
def test_ca_path_that_is_all_there_is_to_verify_with(settings, pki, tmp_path, kind):
    keys = {"ca_path": ca_folder(tmp_path, pki, kind), "verify_certificate": "yes"}
    config = write(tmp_path / "tls.cfg", section("server:default", **pair(pki, "server-ec"), **keys))
    assert "ERROR" in refused(reading(settings, config))
