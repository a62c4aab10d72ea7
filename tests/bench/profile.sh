#!/bin/sh
# tls_gnutls - shows where the server's time goes under one kind of load (perf, or valgrind's callgrind)
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
#
# Usage: tests/bench/profile.sh [--help] [--module tls.so|FILE] [--work full13|full12|resumed13|...] [--memory qm|fm]
#        [--count N] [--tool perf|callgrind] [--top N] [--call-graph fp|dwarf] [--callers NAME]
set -eu

here=$(cd "$(dirname "$0")" && pwd)
exec "${PYTHON:-/usr/bin/python3}" "$here/bench_profile.py" "$@"
