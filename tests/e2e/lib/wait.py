# tls_gnutls - waiting for a condition with a deadline
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import time


def until(condition, what, timeout_s=20.0, step_s=0.05):
    """Call condition() until it returns something true, and return that.

    Raises AssertionError naming `what` and the last value when the deadline passes.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {timeout_s:g} s (last value: {value!r})")
        time.sleep(step_s)
