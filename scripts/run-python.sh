#!/bin/sh
# tls_gnutls - runs a test that is a Python program with Debian's Python.
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
#
# Usage: scripts/run-python.sh PROGRAM [ARGUMENTS]
# Environment: PYTHON  the interpreter, default /usr/bin/python3. A program that ends with 77 is printed as skipped.
set -eu

status=0
"${PYTHON:-/usr/bin/python3}" "$@" || status=$?
if [ $status -eq 77 ]; then
	echo "SKIPPED: $*"
	exit 0
fi
exit $status
