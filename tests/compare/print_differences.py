#!/usr/bin/python3
# tls_gnutls - prints doc/differences.md from the list of the comparison
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import importlib.util
import sys
import textwrap
from pathlib import Path

HEAD = """# Differences from tls.so

<!-- printed by tests/compare/print_differences.py: change the list there -->

The suite in `tests/compare` runs the same script, certificates and clients against Kamailio with
`tls.so` and with `tls_gnutls.so` and compares all variables, selects, functions, RPC replies and
the log lines about connections. It fails for every difference that is not in this list. Versions:
the `tls.so` of the installed Kamailio 5.6.3 with OpenSSL 3.0.
"""


def _load():
    path = Path(__file__).with_name("differences.py")
    spec = importlib.util.spec_from_file_location("differences", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["differences"] = module
    spec.loader.exec_module(module)
    return module


def _wrapped(text, indent=""):
    return textwrap.fill(text, width=100, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _section(entry):
    about = ", ".join(f"`{subject}`" for subject in entry.subjects)
    items = (f"* `tls.so`: {entry.theirs}", f"* `tls_gnutls.so`: {entry.ours}", f"* Why ({entry.kind}): {entry.reason}")
    return (f"\n## {entry.title}\n\n{_wrapped(f'About: {about}')}\n\n"
            + "".join(_wrapped(item, "  ") + "\n" for item in items))


def text():
    """The whole document."""
    return HEAD + "".join(_section(entry) for entry in _load().LIST)


if __name__ == "__main__":
    sys.stdout.write(text())
