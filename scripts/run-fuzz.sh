#!/bin/sh
# tls_gnutls - runs each fuzz target for a limited time, two at once
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
#
# Usage: scripts/run-fuzz.sh TARGET...
# Environment: FUZZ_SECONDS  for each target, default 30; JOBS  targets at once, default 2.
# Seeds are read from tests/fuzz/corpus/<target without fuzz_>/ and not changed; new inputs are kept in
# build/fuzz/corpus/. An input that crashes a target is stored in build/fuzz/crashes/ and named.
set -eu

[ $# -gt 0 ] || {
	echo "run-fuzz: no fuzz targets" >&2
	exit 1
}
export FUZZ_SECONDS="${FUZZ_SECONDS:-30}"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
export scratch
mkdir -p build/fuzz/crashes

printf '%s\n' "$@" | xargs -P "${JOBS:-2}" -I TARGET sh -c '
	name=$(basename TARGET)
	kept=build/fuzz/corpus/${name#fuzz_}
	seeds=tests/fuzz/corpus/${name#fuzz_}
	mkdir -p "$kept" "$scratch/$name.tmp"
	[ -d "$seeds" ] || seeds=
	dict=tests/fuzz/${name#fuzz_}.dict
	if [ -f "$dict" ]; then dict=-dict=$dict; else dict=; fi
	trap "kill \$child 2>/dev/null; exit 130" INT TERM
	status=0
	TMPDIR=$scratch/$name.tmp timeout -k 5 $((FUZZ_SECONDS + 60)) TARGET -max_total_time="$FUZZ_SECONDS" -timeout=10 \
		-rss_limit_mb=1024 -print_final_stats=1 -artifact_prefix=build/fuzz/crashes/$name- $dict "$kept" $seeds \
		>"$scratch/$name.log" 2>&1 </dev/null &
	child=$!
	wait "$child" || status=$?
	runs=$(sed -n "s/^stat::number_of_executed_units: *//p" "$scratch/$name.log")
	if [ "$status" -eq 0 ] && [ "${runs:-0}" -gt 0 ]; then
		echo "$name: $runs inputs in $FUZZ_SECONDS s, no finding"
	else
		touch "$scratch/$name.failed"
		echo "$name: FAILED, exit status $status"
		tail -n 40 "$scratch/$name.log" | sed "s/^/$name| /"
	fi
'
failed=$(find "$scratch" -name '*.failed' | wc -l)
echo "fuzz targets: $(($# - failed)) without a finding, $failed failed"
[ "$failed" -eq 0 ]
