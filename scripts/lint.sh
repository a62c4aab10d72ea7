#!/bin/sh
# tls_gnutls - all checks on the sources that do not run the module
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
#
# Usage: scripts/lint.sh [PART...]     (called by `make lint`; default: all parts)
# Parts: text includes docs format headers gcc_build clang_build symbols dead tidy cppcheck_run shells size
# All parts are run, also after one has failed.
set -eu

cd "$(dirname "$0")/.."
make=${MAKE:-make}
defs=build/kamailio.defs
jobs=${JOBS:-2}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
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

docs()
{
	scripts/check-docs
}

format()
{
	clang-format --dry-run -Werror --ferror-limit=3 $own_c $own_h $test_ch
}

# Every header compiles alone, with both compilers, against the core and (below rpc) against the stand-in for it.
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

# strict COMPILER TARGET...: builds in a folder of its own, because objects that are there already were compiled without
# WERROR. One section for each function: check-dead reads it.
strict()
{
	compiler=$1
	shift
	$make --no-print-directory -s -j"$jobs" CC="$compiler" O="build/$compiler" WERROR=1 COMPARE=0 \
		CFLAGS="-ffunction-sections -fdata-sections" "$@" >"$scratch/log" 2>&1 || {
		cat "$scratch/log"
		return 1
	}
}

gcc_build()
{
	strict gcc all unit
}

clang_build()
{
	strict clang all unit
}

symbols()
{
	strict gcc all && scripts/check-symbols build/gcc/obj
}

dead()
{
	strict gcc all && scripts/check-dead build/gcc
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

# uninitvar takes a copy of the filled part of an array for a read of all of it; clang-tidy checks the same correctly.
cppcheck_run()
{
	grep '^-D' "$defs" | xargs cppcheck --quiet --std=c11 --error-exitcode=1 --inline-suppr -j "$jobs" \
		--enable=warning,performance,portability -I. --suppress=missingInclude --suppress=uninitvar \
		--suppress=unmatchedSuppression --suppress='*:*kamailio*' $own_dirs
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

# Prints notes and never fails: a reviewer decides whether the length is justified.
size()
{
	ctags --languages=C --c-kinds=f --fields=+ne -o - $own_c | awk -F'\t' '{
		line = end = 0
		for(i = 4; i <= NF; i++) {
			if($i ~ /^line:/) line = substr($i, 6)
			if($i ~ /^end:/) end = substr($i, 5)
		}
		if(end - line >= 60)
			printf "note: %s:%d: %s has %d lines\n", $2, line, $1, end - line + 1
	}'
	for f in $own_c; do
		n=$(wc -l <"$f")
		[ "$n" -le 600 ] || echo "note: $f has $n lines"
	done
}

found=
for part in ${*:-text includes docs format headers gcc_build clang_build symbols dead tidy cppcheck_run shells size}; do
	echo "== $part"
	"$part" || found="$found $part"
done
if [ -n "$found" ]; then
	echo "lint: offences found by:$found" >&2
	exit 1
fi
echo "lint: no offences"
