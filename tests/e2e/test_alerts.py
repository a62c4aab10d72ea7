# tls_gnutls - end to end: the alert that a client gets
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""What cannot be parsed is answered with decode_error; what can be parsed but is not allowed keeps its own alert."""

import pytest

from .lib import malformed
from .lib.kamailio import Kamailio


@pytest.fixture(scope="module")
def kam(settings):
    with Kamailio(settings) as kamailio:
        yield kamailio


@pytest.mark.parametrize("version", malformed.BODIES)
def test_malformed_hello(kam, version):
    """Every truncation, bytes too many, lengths that do not fit."""
    for name, message in malformed.malformed(version).items():
        assert malformed.alert(kam, malformed.records(message)) == malformed.DECODE_ERROR, name
    kam.assert_healthy()


@pytest.mark.ours_only("other alerts, or none")
@pytest.mark.parametrize("version", malformed.BODIES)
def test_hello_with_a_value_that_is_not_allowed(kam, version):
    for name, extension in malformed.NOT_ALLOWED.items():
        message = malformed.hello(version, dict([extension]))
        assert malformed.alert(kam, malformed.records(message)) == malformed.ILLEGAL_PARAMETER, name
    kam.assert_healthy()
