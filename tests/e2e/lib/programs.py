# tls_gnutls - compiles the C programs of the end-to-end tests
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parents[3]


def ticket_storm(folder):
    """Path of the client of lib/ticket_storm.c."""
    program = str(folder / "ticket_storm")
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "gnutls"], check=True,
                           capture_output=True, text=True).stdout.split()
    subprocess.run(["gcc", "-Wall", "-Wextra", "-Werror", "-O1", f"-I{TOP}", str(TOP / "tests/e2e/lib/ticket_storm.c"),
                    str(TOP / "tests/lib/ticket.c"), "-o", program, *flags], check=True)
    return program
