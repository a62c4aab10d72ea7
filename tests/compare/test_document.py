# tls_gnutls - comparison: the printed list of differences is the list of the suite
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
from . import print_differences
from .conftest import ROOT


def test_document_is_up_to_date():
    printed = (ROOT / "doc" / "differences.md").read_text()
    assert printed == print_differences.text(), "run tests/compare/print_differences.py"
