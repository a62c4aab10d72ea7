#!/bin/sh
# tls_gnutls - runs the parts of `make check` and prints a summary
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
#
# Usage: scripts/run-check.sh PART...     (a part is a target of the Makefile: check-unit ...)
# All parts are run, also after one has failed. The last lines are the result of each.
set -eu

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
bad=0
begin=$(date +%s)
for part in "$@"; do
	echo "== $part"
	start=$(date +%s)
	if "${MAKE:-make}" --no-print-directory -j2 "$part" >"$scratch/log" 2>&1; then
		result=ok
	else
		result=FAILED
		bad=1
	fi
	# The compiler's lines are printed only after a failure.
	if [ "$result" = ok ]; then
		grep -vE '^  (CC|LINK) ' "$scratch/log" || true
	else
		cat "$scratch/log"
	fi
	last=$(grep -v '^make' "$scratch/log" | tail -n 1)
	echo "$part: $result after $(($(date +%s) - start)) s: $last" >>"$scratch/sum"
done
echo "== summary after $(($(date +%s) - begin)) s"
cat "$scratch/sum"
exit $bad
