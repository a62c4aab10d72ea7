# tls_gnutls - options and fixtures of the end-to-end tests
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""The module under test is build/tls_gnutls.so unless --tls-module or TLSG_MODULE names another one;
the word `stock` selects the tls.so of the installed Kamailio, which checks the suite itself."""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from .lib import token as tokens
from .lib.kamailio import STOCK_MODULES, Kamailio, Settings
from .lib.pki import Pki

ROOT = Path(__file__).resolve().parents[2]
STOCK = f"{STOCK_MODULES}/tls.so"


@dataclass(frozen=True)
class Module:
    """The TLS module under test."""

    path: str
    ours: bool

    @property
    def sanitized(self):
        """Built with AddressSanitizer, which delays frees: figures of private memory mean nothing then."""
        return b"libasan.so" in Path(self.path).read_bytes()


def pytest_addoption(parser):
    parser.addoption("--tls-module", default=os.environ.get("TLSG_MODULE"),
                     help="path of the TLS module under test, or `stock`")
    parser.addoption("--long", action="store_true", help="run the tests marked `long` too")
    parser.addoption("--long-seconds", type=int, default=int(os.environ.get("LONG_SECONDS", "1800")),
                     help="how long those of them go on that have no end of their own")


def pytest_configure(config):
    config.addinivalue_line("markers", "long: takes a minute or more; runs only with --long")
    config.addinivalue_line(
        "markers", "ours_only(reason): the stock tls.so is known to behave differently")
    config.addinivalue_line(
        "markers", "stock_may_crash: under this load the stock tls.so has been seen to crash")


def module_under_test(config):
    named = config.getoption("--tls-module") or str(ROOT / "build" / "tls_gnutls.so")
    path = STOCK if named == "stock" else str(Path(named).resolve())
    return Module(path=path, ours=Path(path).name != "tls.so")


def pytest_collection_modifyitems(config, items):
    module = module_under_test(config)
    if not Path(module.path).is_file():
        raise pytest.UsageError(f"no module at {module.path}: build it, or name one "
                                "with --tls-module or TLSG_MODULE")
    wants_long = config.getoption("--long")
    left_out = [item for item in items if not wants_long and item.get_closest_marker("long")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
    for item in items:
        only = item.get_closest_marker("ours_only")
        if only and not module.ours:
            item.add_marker(pytest.mark.skip(reason=f"stock tls.so: {only.args[0]}"))
        if item.get_closest_marker("stock_may_crash") and not module.ours:
            item.add_marker(pytest.mark.xfail(reason="the stock tls.so may crash", strict=False))


def pytest_report_header(config):
    return f"TLS module under test: {module_under_test(config).path}"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Attach the end of the log of every running Kamailio to the report of a failing test."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for kam in Kamailio.live:
            report.sections.append((f"log of {kam.settings.module}", kam.log.tail(40)))


@pytest.fixture(scope="session")
def tls_module(request):
    """The TLS module under test."""
    return module_under_test(request.config)


@pytest.fixture(scope="session")
def long_seconds(request):
    """How long a test that could go on for ever does so."""
    return request.config.getoption("--long-seconds")


@pytest.fixture(scope="session", autouse=True)
def no_tpm(tmp_path_factory):
    """A search of all registered PKCS#11 modules reaches neither this machine's TPM nor a store in the user's home."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TPM2_PKCS11_STORE", str(tmp_path_factory.mktemp("no-tpm")))
        patch.setenv("TPM2_PKCS11_TCTI", "swtpm:host=127.0.0.1,port=1")
        yield


@pytest.fixture(scope="session")
def pki(tmp_path_factory):
    """The certificates, made once per test process."""
    return Pki(tmp_path_factory.mktemp("pki"))


def _settings(module, pki):
    return Settings(module=module, modparams={
        "tls_method": "TLSv1.2+",
        "certificate": pki.cert("server-ec"),
        "private_key": pki.key("server-ec"),
        "ca_list": pki.path("ca.pem"),
    })


@pytest.fixture(scope="session")
def settings(tls_module, pki):
    """Settings of a Kamailio with the module under test; a test changes them with .but()."""
    return _settings(tls_module.path, pki)


@pytest.fixture(scope="session")
def stock_settings(pki):
    """Settings of a Kamailio with the stock tls.so, the peer in tests that run two."""
    return _settings(STOCK, pki)


@pytest.fixture
def hsm(tmp_path, monkeypatch):
    """A SoftHSM without tokens, which all programs see that a test starts."""
    return tokens.SoftHsm(tmp_path / "hsm", monkeypatch)


@pytest.fixture
def token(hsm):
    """A token without objects."""
    return hsm.token("sip", tokens.PIN)


@pytest.fixture
def faults(tmp_path):
    """A module on top of SoftHSM that fails on demand."""
    return tokens.Faults(tmp_path)


@pytest.fixture
def faulty_token(hsm, token, faults, pki):
    """A token with the key "server-ec", behind the module that fails on demand."""
    token.add_key("server-ec", pki.key("server-ec"))
    hsm.module = faults.module
    return token


@pytest.fixture(params=(0, 1), ids=("workers", "key_isolation"))
def isolation(request):
    """Values of key_isolation, for keys on tokens."""
    if request.param and os.geteuid() != 0:
        pytest.skip("only root can install modules that the token process loads")
    return request.param


@pytest.fixture
def start():
    """start(settings) returns a running Kamailio, which is stopped and checked after the test."""
    running = []

    def begin(settings):
        kam = Kamailio(settings).__enter__()
        running.append(kam)
        return kam

    yield begin
    failures = []
    for kam in reversed(running):
        try:
            kam.__exit__(None, None, None)
        except AssertionError as failure:
            failures.append(str(failure))
    assert not failures, "\n".join(failures)
