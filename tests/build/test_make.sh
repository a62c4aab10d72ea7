#!/bin/sh
# tls_gnutls - plain make installs nothing, warnings stop only a strict build, a packager's flags are used
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
set -eu

. tests/lib/build.sh
unset WERROR CFLAGS CPPFLAGS LDFLAGS CC KAMAILIO_SRC

# commands TARGET...: what make would run, in a build folder that is empty.
commands()
{
	make --no-print-directory -n V=1 O="$TMPDIR/o" "$@" >"$TMPDIR/out" 2>&1 || fail "make -n $* fails"
}
object=$TMPDIR/o/obj/base/err.o
test_object=$TMPDIR/o/test/base/err.o
module=$TMPDIR/o/tls_gnutls.so

# ---- a system on which no package is installed, and with an apt-get that says what it was asked
bin=$TMPDIR/bin
mkdir "$bin"
printf '#!/bin/sh\nexit 1\n' >"$bin/dpkg-query"
printf '#!/bin/sh\necho "apt-get $*" >>"%s/asked"\n' "$TMPDIR" >"$bin/apt-get"
printf '#!/bin/sh\necho 1000\n' >"$bin/id"
chmod +x "$bin"/*

# without_packages COMMAND...: must fail there, and install nothing.
without_packages()
{
	if PATH=$bin:$PATH "$@" >"$TMPDIR/out" 2>&1; then
		fail "$* succeeds without the packages it needs"
	fi
	[ ! -e "$TMPDIR/asked" ] || fail "$* calls $(cat "$TMPDIR/asked")"
}
without_packages make --no-print-directory O="$TMPDIR/o"
grep -q '^Missing Debian packages: .*kamailio' "$TMPDIR/out" || fail "make does not name the missing packages"
grep -q '"make deps" as root' "$TMPDIR/out" || fail "make does not say how to get them"
grep -q 'KAMAILIO_SRC=DIR' "$TMPDIR/out" || fail "make does not say that a source tree is enough"
[ ! -e "$TMPDIR/o" ] || fail "make begins to build without the packages"
rm "$bin/id"
without_packages scripts/deps.sh check build
printf '#!/bin/sh\necho 1000\n' >"$bin/id"
chmod +x "$bin/id"
without_packages scripts/deps.sh install run
grep -q '^Install them with: sudo apt-get install .*gnutls-bin' "$TMPDIR/out" || fail "the packages are not named"
# what was installed by other means is not missing
without_packages scripts/deps.sh check build
! grep -q '^Missing.*libgnutls28-dev' "$TMPDIR/out" || fail "GnuTLS is usable, but is called missing"
PATH=$bin:$PATH KAMAILIO_SRC=$TMPDIR scripts/deps.sh check build >"$TMPDIR/out" 2>&1 ||
	fail "with a source tree of Kamailio more than a compiler and libraries is wanted"
for wrong in '' build 'check nothing' 'install' 'remove build'; do
	status=0
	scripts/deps.sh $wrong >"$TMPDIR/out" 2>&1 || status=$?
	[ $status -eq 2 ] || fail "scripts/deps.sh $wrong ends with $status"
done

# dpkg has no terminal there: it must not ask whether a file of /etc is kept
if [ "$(/usr/bin/id -u)" -eq 0 ]; then
	rm "$bin/id"
	PATH=$bin:$PATH scripts/deps.sh install run >"$TMPDIR/out" 2>&1 || fail "scripts/deps.sh install run fails"
	grep -q 'force-confold.* install .*gnutls-bin' "$TMPDIR/asked" || fail "dpkg may ask a question"
fi

# ---- only these targets install
commands all
! grep -q 'deps.sh install' "$TMPDIR/out" || fail "plain make installs packages"
for target in deps run check lint bench; do
	commands $target
	grep -q 'deps.sh install' "$TMPDIR/out" || fail "make $target does not install what it needs"
done

# ---- warnings are errors only in a strict build
for target in "$object" "$test_object"; do
	commands "$target"
	grep -q -- ' -c base/err.c ' "$TMPDIR/out" || fail "make does not compile base/err.c"
	! grep -q -- '-Werror' "$TMPDIR/out" || fail "warnings are errors for everybody"
	commands WERROR=1 "$target"
	grep -q -- ' -Werror .* -c base/err.c ' "$TMPDIR/out" || fail "WERROR=1 does not make warnings errors"
done
for target in check check-long; do
	commands $target
	grep -q "WERROR=1 check" "$TMPDIR/out" || fail "make $target is not strict"
done
grep -q 'WERROR=1' scripts/lint.sh || fail "make lint is not strict"
grep -q 'WERROR=1' .ci/run || fail "continuous integration is not strict"

# ---- flags from the environment and from the command line come after the project's own
CFLAGS='-O3 -DFROM_CFLAGS' CPPFLAGS=-DFROM_CPPFLAGS LDFLAGS=-Wl,-z,from commands "$object" "$test_object" "$module"
for file in base/err.c; do
	grep -q -- " -O2 .* -DFROM_CPPFLAGS -O3 -DFROM_CFLAGS .* -c $file " "$TMPDIR/out" ||
		fail "flags of the environment are not used"
done
grep -q -- ' -shared .* -O3 -DFROM_CFLAGS -Wl,-z,from .*/base/err.o' "$TMPDIR/out" || fail "LDFLAGS are not used"
commands CFLAGS=-DFROM_CFLAGS CPPFLAGS=-DFROM_CPPFLAGS LDFLAGS=-Wl,-z,from "$object" "$module"
grep -q -- ' -O2 .* -DFROM_CPPFLAGS -DFROM_CFLAGS .* -c base/err.c ' "$TMPDIR/out" ||
	fail "flags on the command line are not used"
grep -q -- ' -shared .* -Wl,-z,from .*/base/err.o' "$TMPDIR/out" || fail "LDFLAGS on the command line are not used"
CPPFLAGS=-D_FORTIFY_SOURCE=3 commands "$object"
! grep -q -- '-D_FORTIFY_SOURCE=2' "$TMPDIR/out" || fail "_FORTIFY_SOURCE is defined twice"
commands "$object"
grep -q -- '-D_FORTIFY_SOURCE=2' "$TMPDIR/out" || fail "_FORTIFY_SOURCE is not defined"
CC=some-compiler commands "$object"
grep -q '^some-compiler ' "$TMPDIR/out" || fail "CC from the environment is not used"
