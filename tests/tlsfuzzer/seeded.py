#!/usr/bin/python3
# tls_gnutls - runs one script of tlsfuzzer with a fixed choice of its conversations, and requests that Kamailio answers
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
#
# Usage: tests/tlsfuzzer/seeded.py SCRIPT [ARGUMENTS]
# A script runs a random sample of its conversations (-n). To compare servers, the sample must be the same for each.
# The requests of the scripts have no header, which Kamailio refuses.
"""A script with a seed."""

import random
import re
import runpy
import sys

from tlsfuzzer.messages import ApplicationDataGenerator

REQUEST = re.compile(rb"^(GET / HTTP/1\.\d)\r?\n\r?\n$")
HEADERS = rb"\1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"


def _with_headers(original):
    def init(self, payload):
        original(self, bytearray(REQUEST.sub(HEADERS, bytes(payload))))
    return init


ApplicationDataGenerator.__init__ = _with_headers(ApplicationDataGenerator.__init__)
random.seed(20260101)
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
