#!/bin/sh
# tls_gnutls - everything that can be said about the sources without running them.
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
#
# Usage: scripts/lint.sh [PART...]     (called by `make lint`; parts: text includes format headers gcc_build
# clang_build tidy cppcheck_run shells size; default: all of them)
# All parts are run, also after one has found something.
set -eu

cd "$(dirname "$0")/.."
make=${MAKE:-make}
defs=build/kamailio.defs
jobs=${JOBS:-2}
[ -f "$defs" ] || {
	echo "lint: $defs is missing; run make first" >&2
	exit 1
}

own_dirs="base pkcs11 profiles transport rpc gnutls_mod"
own_c=$(find $own_dirs -name '*.c' 2>/dev/null | LC_ALL=C sort)
own_h=$(find $own_dirs -name '*.h' 2>/dev/null | LC_ALL=C sort)
test_ch=$(find tests tools -name '*.[ch]' | LC_ALL=C sort)
gnutls=$(pkg-config --cflags gnutls p11-kit-1)
cflags="-std=gnu11 -Wall -Wextra -Wshadow -Werror -I. $gnutls"

text()
{
	scripts/check-text
}

includes()
{
	scripts/check-includes
}

format()
{
	clang-format --dry-run -Werror --ferror-limit=3 $own_c $own_h $test_ch
}

# Every header compiles alone, with both compilers, against the core and (below rpc) against the stand-in.
headers()
{
	bad=0
	for h in $own_h; do
		for cc in gcc clang; do
			$cc $cflags @$defs -fsyntax-only -x c "$h" -Wno-unused || bad=1
		done
		case $h in
			base/host.h | rpc/* | gnutls_mod/*) continue ;;
		esac
		gcc -Itests/stub $cflags -fsyntax-only -x c "$h" || bad=1
	done
	return $bad
}

gcc_build()
{
	$make --no-print-directory -s -j"$jobs" CC=gcc COMPARE=0 all unit
}

clang_build()
{
	$make --no-print-directory -s -j"$jobs" CC=clang O=build/clang COMPARE=0 all unit
}

# clang-tidy does not read response files; xargs splits one by the same rules of quoting. Two files at a time.
tidy()
{
	printf '%s\n' $own_c | xargs -P "$jobs" -I FILE sh -c '
		out=$(xargs clang-tidy --quiet FILE -- -std=gnu11 -I. '"$gnutls"' <'"$defs"' 2>&1) || {
			printf "%s\n" "$out" | grep -v "warnings generated"
			exit 1
		}'
}

# uninitvar: reads a copy of the filled part of an array as a read of all of it; the analyzer of clang-tidy knows better.
cppcheck_run()
{
	grep '^-D' "$defs" | xargs cppcheck --quiet --std=c11 --error-exitcode=1 --inline-suppr -j "$jobs" \
		--enable=warning,performance,portability -I. --suppress=missingInclude --suppress=uninitvar --suppress=unmatchedSuppression \
		--suppress='*:*kamailio*' $own_dirs
}

shells()
{
	bad=0
	for f in scripts/* tests/build/*.sh; do
		head -n 1 "$f" | grep -q '^#!/bin/sh' || continue
		sh -n "$f" || bad=1
	done
	bash -n .ci/run || bad=1
	return $bad
}

# No gate: what is long wants a reason, and a reader who asks for it.
size()
{
	ctags --languages=C --c-kinds=f --fields=+ne -o - $own_c | awk -F'\t' '{
		line = end = 0
		for(i = 4; i <= NF; i++) {
			if($i ~ /^line:/) line = substr($i, 6)
			if($i ~ /^end:/) end = substr($i, 5)
		}
		if(end - line >= 80)
			printf "note: %s:%d: %s has %d lines\n", $2, line, $1, end - line + 1
	}'
	for f in $own_c; do
		n=$(wc -l <"$f")
		[ "$n" -le 600 ] || echo "note: $f has $n lines"
	done
}

found=
for part in ${*:-text includes format headers gcc_build clang_build tidy cppcheck_run shells size}; do
	echo "== $part"
	"$part" || found="$found $part"
done
if [ -n "$found" ]; then
	echo "lint: something was found by:$found" >&2
	exit 1
fi
echo "lint: nothing found"
