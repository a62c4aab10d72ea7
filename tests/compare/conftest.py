# tls_gnutls - fixtures of the comparison with tls.so
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import os
import ssl
from pathlib import Path

import pytest

from e2e.lib.kamailio import host_version
from e2e.lib.pki import Pki

from .odd import Odd

ROOT = Path(__file__).resolve().parents[2]


def pytest_terminal_summary(terminalreporter):
    version = ".".join(map(str, host_version()))
    terminalreporter.write_line(f"compared with tls.so of Kamailio {version}; the clients use {ssl.OPENSSL_VERSION}")


@pytest.fixture(scope="session")
def our_module():
    """Path of the module that is compared with tls.so."""
    path = Path(os.environ.get("TLSG_MODULE") or ROOT / "build" / "tls_gnutls.so").resolve()
    assert path.is_file(), f"no module at {path}: build it first"
    return str(path)


@pytest.fixture(scope="session")
def pki(tmp_path_factory):
    """The usual certificates."""
    return Pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="session")
def odd(tmp_path_factory):
    """Certificates with unusual names."""
    return Odd(tmp_path_factory.mktemp("odd"))
