#!/bin/sh
# tls_gnutls - runs pytest suites with Debian's Python, in several processes if pytest-xdist is installed
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
#
# Usage: scripts/run-pytest.sh FOLDER [pytest's options]
# Environment: PYTHON  the interpreter, default /usr/bin/python3; JOBS  number of processes, default 4 (most tests wait
# most of the time); REPEAT_FAILED  1: tests that failed are repeated once, one after the other, and decide.
set -eu

python=${PYTHON:-/usr/bin/python3}
"$python" -c 'import pytest' 2>/dev/null || {
	echo "run-pytest: $python has no pytest; install the package python3-pytest" >&2
	exit 1
}
# Kamailio and kamcmd are in /usr/sbin, which is not in every user's path.
PATH=$PATH:/usr/sbin:/sbin
parallel=
if "$python" -c 'import xdist' 2>/dev/null; then
	parallel="-n ${JOBS:-4} --dist loadfile"
fi
# Skipped tests are named with their reason, failed ones at the end too (-rsfE).
if [ "${REPEAT_FAILED:-0}" != 1 ]; then
	exec "$python" -m pytest -q -rsfE -p no:cacheprovider $parallel "$@"
fi
cache=$(mktemp -d)
trap 'rm -rf "$cache"' EXIT
status=0
"$python" -m pytest -q -rsfE -o cache_dir="$cache" $parallel "$@" || status=$?
if [ "$status" -eq 1 ]; then
	echo "== the tests that failed, once more"
	status=0
	"$python" -m pytest -q -rsfE -o cache_dir="$cache" --last-failed "$@" || status=$?
fi
exit "$status"
