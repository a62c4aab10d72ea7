#!/bin/sh
# tls_gnutls - runs unit test programs, two at once, and prints the result of each
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
#
# Usage: scripts/run-unit.sh PROGRAM...
# Environment: WRAP  command in front of each program (valgrind ...); UNIT_TIMEOUT  seconds for each, default 300;
# JOBS  programs at once, default 2.
set -eu

[ $# -gt 0 ] || {
	echo "run-unit: no unit tests" >&2
	exit 1
}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
export WRAP="${WRAP:-}" UNIT_TIMEOUT="${UNIT_TIMEOUT:-300}" scratch

# Each program has a TMPDIR of its own, which is removed afterwards. A failed one leaves a file NAME.failed. `timeout`
# gives the program a process group of its own, so Ctrl-C is passed on explicitly.
printf '%s\n' "$@" | xargs -P "${JOBS:-2}" -I PROGRAM sh -c '
	name=$(basename PROGRAM)
	log=$scratch/$name.log
	mkdir "$scratch/$name.tmp"
	trap "kill \$child 2>/dev/null; exit 130" INT TERM
	status=0
	TMPDIR=$scratch/$name.tmp timeout -k 5 "$UNIT_TIMEOUT" $WRAP PROGRAM >"$log" 2>&1 </dev/null &
	child=$!
	wait "$child" || status=$?
	rm -rf "$scratch/$name.tmp"
	echo "$status" >"$scratch/$name.status"
	passed=$(sed -n "s/^\[  PASSED  \] //p" "$log" | awk "{s += \$1} END {print s + 0}")
	echo "$passed" >"$scratch/$name.passed"
	if [ "$status" -eq 0 ] && [ "$passed" -gt 0 ]; then
		echo "$name: $passed passed"
		grep "SKIPPED" "$log" | sed "s/^/$name: /" || true
	else
		touch "$scratch/$name.failed"
		[ "$status" -ne 124 ] || echo "$name: timeout after $UNIT_TIMEOUT s"
		echo "$name: FAILED, exit status $status"
		tail -n 60 "$log" | sed "s/^/$name| /"
	fi
'
failed=$(find "$scratch" -name '*.failed' | wc -l)
passed=$(cat "$scratch"/*.passed | awk '{s += $1} END {print s + 0}')
echo "unit tests: $# programs, $passed tests passed, $failed programs failed"
[ "$failed" -eq 0 ]
