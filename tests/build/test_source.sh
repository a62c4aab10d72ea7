#!/bin/sh
# tls_gnutls - headers and defines are taken from a given source tree, which is not changed
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
set -eu

. tests/lib/strings.sh

tree=$(sed -n 's/^-isystem \(.*\)\/src$/\1/p' build/kamailio.defs)
[ -d "$tree/src" ] || fail "build/kamailio.defs names no source tree"
given=$TMPDIR/given
mkdir -p "$given/src/modules"
cp -R "$tree/src/core" "$tree/src/lib" "$tree/src/main.c" "$tree"/src/Makefile* "$given/src/"
cp -R "$tree/src/modules/tls" "$given/src/modules/"
rm -f "$given/src/config.mak"
chmod -R a-w "$given"
find "$given" -type f -exec cksum {} + | LC_ALL=C sort >"$TMPDIR/before"

scripts/kamailio-defs.sh "$TMPDIR/build" "$given" || fail "kamailio-defs.sh fails for a given tree"
find "$given" -type f -exec cksum {} + | LC_ALL=C sort >"$TMPDIR/after"
cmp "$TMPDIR/before" "$TMPDIR/after" || fail "the given tree was written to"
grep -v '^-isystem ' build/kamailio.defs >"$TMPDIR/wanted"
grep -v '^-isystem ' "$TMPDIR/build/kamailio.defs" >"$TMPDIR/found"
cmp "$TMPDIR/wanted" "$TMPDIR/found" || fail "the defines of the same tree differ"
grep -qF -- "-DMOD_NAME='\"tls\"'" "$TMPDIR/found" || fail "the module is not called tls"

# Nothing changed: nothing is written, so nothing is built again.
touch -d '2001-01-01 00:00:00' "$TMPDIR/build/kamailio.defs"
scripts/kamailio-defs.sh "$TMPDIR/build" "$given"
[ -z "$(find "$TMPDIR/build/kamailio.defs" -newermt 2001-01-02)" ] ||
	fail "the defines were written again although nothing changed"

# The flags of the installed Kamailio decide, not whether libssl is installed.
PKG_CONFIG_LIBDIR=$TMPDIR scripts/kamailio-defs.sh "$TMPDIR/build3" "$given"
grep -v '^-isystem ' "$TMPDIR/build3/kamailio.defs" >"$TMPDIR/found"
cmp "$TMPDIR/wanted" "$TMPDIR/found" || fail "without libssl the defines differ"
printf '#!/bin/sh\necho "flags: USE_TCP, USE_TLS"\n' >"$TMPDIR/kamailio"
chmod +x "$TMPDIR/kamailio"
KAMAILIO_BIN=$TMPDIR/kamailio scripts/kamailio-defs.sh "$TMPDIR/build3" "$given"
if grep -q KSR_PTHREAD_MUTEX_SHARED "$TMPDIR/build3/kamailio.defs"; then
	fail "mutexes are shared although the installed Kamailio was built without that"
fi

# The defines are those that an installed module carries, whatever -V says.
carrying "$version" "$(echo "$flags" | sed 's/, TLS_PTHREAD_MUTEX_SHARED//')"
KAMAILIO_MODULE=$TMPDIR/sl.so scripts/kamailio-defs.sh "$TMPDIR/build3" "$given"
if grep -q KSR_PTHREAD_MUTEX_SHARED "$TMPDIR/build3/kamailio.defs"; then
	fail "mutexes are shared although the installed modules were built without that"
fi

# A tree with two build systems, as 6.1 has them. This one is the given tree with CMake files that have the form of
# 6.1's, which the test writes: the system's name is "Linux" there, and there is no FAST_LOCK.
both=$TMPDIR/both
cp -R "$given" "$both"
chmod -R u+w "$both"
mkdir "$both/cmake"
number=$(echo "$version" | sed 's/[^ ]* \([0-9.]*\).*/\1/')
cat >"$both/CMakeLists.txt" <<END
cmake_minimum_required(VERSION 3.13)
project(
  kamailio
  VERSION $number
)
include(\${CMAKE_SOURCE_DIR}/cmake/defs.cmake)
add_subdirectory(nowhere)
END
{
	echo 'add_library(common_modules INTERFACE)'
	echo 'target_compile_options(common_modules INTERFACE -fPIC -m64)'
	echo 'target_compile_definitions(common_modules INTERFACE'
	sed -n 's/^-D//p' build/kamailio.defs | sed "s/'//g" | grep -vE '^(MOD_NAME|OS|OS_QUOTED|FAST_LOCK|ADAPTIVE_WAIT)' |
		sed 's/.*[" ].*/[[&]]/'
	echo '[[OS_QUOTED="Linux"]])'
} >"$both/cmake/defs.cmake"
cmake_version=$(echo "$version" | sed 's/linux/Linux/')
cmake_flags=$(echo "$flags" | sed 's/FAST_LOCK-ADAPTIVE_WAIT, //')

# decided VERSION FLAGS VALUE: with these strings installed, OS_QUOTED has that value.
decided()
{
	carrying "$1" "$2"
	rm -rf "$TMPDIR/build4"
	KAMAILIO_MODULE=$TMPDIR/sl.so scripts/kamailio-defs.sh "$TMPDIR/build4" "$both" >"$TMPDIR/out" 2>&1 || {
		cat "$TMPDIR/out"
		fail "no defines for a tree with two build systems"
	}
	grep -qx -- "-DOS_QUOTED='\"$3\"'" "$TMPDIR/build4/kamailio.defs" ||
		fail "for \"$1\", the wrong build system is asked: $(cat "$TMPDIR/out")"
}
decided "$version" "$flags" linux
if command -v cmake >/dev/null; then
	decided "$cmake_version" "$cmake_flags" Linux
	# the version number decides nothing between the two
	decided "$(echo "$cmake_version" | sed "s/ $number/ 9.9.9/")" "$cmake_flags" Linux
	if grep -q 'FAST_LOCK' "$TMPDIR/build4/kamailio.defs"; then
		fail "a define of the other build system is taken over"
	fi
	KAMAILIO_BUILD=make KAMAILIO_MODULE=$TMPDIR/sl.so scripts/kamailio-defs.sh "$TMPDIR/build4" "$both" >"$TMPDIR/out"
	grep -q 'by its make$' "$TMPDIR/out" || fail "KAMAILIO_BUILD=make decides nothing"
else
	carrying "$cmake_version" "$cmake_flags"
	if KAMAILIO_MODULE=$TMPDIR/sl.so scripts/kamailio-defs.sh "$TMPDIR/build5" "$both" >"$TMPDIR/out" 2>&1; then
		fail "without cmake, defines are found that only cmake knows"
	fi
	grep -q 'install the package cmake' "$TMPDIR/out" || fail "nothing says that cmake is needed"
fi
if KAMAILIO_BUILD=cmake scripts/kamailio-defs.sh "$TMPDIR/build5" "$given" >"$TMPDIR/out" 2>&1; then
	fail "a tree without CMake files has defines by cmake"
fi

# A define of the tree is taken over.
chmod -R u+w "$given"
cp "$given/src/Makefile.defs" "$TMPDIR/Makefile.defs"
echo 'C_DEFS += -DTLSG_FROM_THE_TREE' >>"$given/src/Makefile.defs"
scripts/kamailio-defs.sh "$TMPDIR/build" "$given"
grep -qx -- '-DTLSG_FROM_THE_TREE' "$TMPDIR/build/kamailio.defs" || fail "a define of the tree is missing"
cp "$TMPDIR/Makefile.defs" "$given/src/Makefile.defs"

# A configured tree is used as it is.
make -s -C "$given/src" cfg FLAVOUR=kamailio prefix=/opt/kamailio >"$TMPDIR/cfg.log" 2>&1 </dev/null ||
	fail "make cfg failed"
scripts/kamailio-defs.sh "$TMPDIR/build" "$given"
grep -q -- '^-DSHARE_DIR=.*/opt/kamailio' "$TMPDIR/build/kamailio.defs" ||
	fail "the configuration of the tree is not used"

for wrong in "$TMPDIR/nowhere" "$TMPDIR"; do
	if scripts/kamailio-defs.sh "$TMPDIR/build2" "$wrong" >"$TMPDIR/out" 2>&1; then
		fail "$wrong is accepted as a source tree"
	fi
	grep -q 'is not a Kamailio source tree' "$TMPDIR/out" || fail "no message about the wrong folder $wrong"
done
chmod -R u+w "$given"
