#!/bin/sh
# tls_gnutls - runs test scripts one after the other
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
#
# Usage: scripts/run-scripts.sh SCRIPT...
# Exit status 0 of a script: passed; 77: skipped, its last line says why. Lines "note: ..." say what it has left out.
# Environment: SCRIPT_TIMEOUT  seconds that each may take, default 300.
set -eu

[ $# -gt 0 ] || {
	echo "run-scripts: no test scripts" >&2
	exit 1
}
scratch=$(mktemp -d)
child=
# timeout gives each script a process group of its own, so it must be ended explicitly.
cleanup()
{
	[ -z "$child" ] || kill "$child" 2>/dev/null || true
	[ -z "$child" ] || wait "$child" || true
	rm -rf "$scratch"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
ok=0
failed=0
skipped=0
for script in "$@"; do
	mkdir "$scratch/tmp"
	status=0
	TMPDIR=$scratch/tmp timeout -k 5 "${SCRIPT_TIMEOUT:-300}" "$script" >"$scratch/log" 2>&1 </dev/null &
	child=$!
	wait "$child" || status=$?
	child=
	rm -rf "$scratch/tmp"
	name=$(basename "$script" .sh)
	case $status in
		0)
			ok=$((ok + 1))
			echo "$name: ok"
			sed -n "s/^note: /$name: note: /p" "$scratch/log"
			;;
		77)
			skipped=$((skipped + 1))
			echo "$name: SKIPPED: $(tail -n 1 "$scratch/log")"
			;;
		*)
			failed=$((failed + 1))
			echo "$name: FAILED, exit status $status"
			tail -n 60 "$scratch/log" | sed "s/^/$name| /"
			;;
	esac
done
echo "script tests: $ok ok, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
