#!/bin/sh
# tls_gnutls - finds out how a Kamailio source tree compiles a module and stores that as compiler arguments
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
#
# Usage: scripts/kamailio-defs.sh BUILD_DIR [KAMAILIO_SRC]
# Writes BUILD_DIR/kamailio.defs, a response file for gcc and clang ("@file"): the header folder as -isystem, every
# -D and the machine flags with which the tree's own build system compiles a module. Without KAMAILIO_SRC the source of
# the installed Debian package is fetched first. A given KAMAILIO_SRC is copied, never written to; if it has been
# configured (src/config.mak), it is used as it is, otherwise it is configured with the variables of Debian's package.
# A tree of 6.0 and later has two build systems, make and CMake, whose defines differ. The one whose defines give the
# version and flags strings that an installed module carries is taken; without an installed module CMake from 6.1 on,
# make before. KAMAILIO_BUILD=make or KAMAILIO_BUILD=cmake decides instead.
# The file is not written when nothing has changed, so that make does not rebuild everything.
set -eu

die()
{
	echo "kamailio-defs: $*" >&2
	exit 1
}

[ $# -ge 1 ] || die "usage: scripts/kamailio-defs.sh BUILD_DIR [KAMAILIO_SRC]"
scripts=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
build=$1
given=${2:-}
defs=$build/kamailio.defs
stamp=$build/.kamailio-defs
kamailio=${KAMAILIO_BIN:-$(command -v kamailio || echo /usr/sbin/kamailio)}
installed=$("$scripts/module-strings.sh" --installed)
forced=${KAMAILIO_BUILD:-}
case $forced in
	"" | make | cmake) ;;
	*) die "KAMAILIO_BUILD=$forced is neither make nor cmake" ;;
esac

# What the stored answer depends on: the tree and the installed package.
identity()
{
	if [ -n "$given" ]; then
		echo "tree $given $(cd "$given" && cat src/Makefile.defs src/config.mak CMakeLists.txt 2>/dev/null | cksum)"
	else
		echo "package $(dpkg-query -W -f '${Version}' kamailio 2>/dev/null || echo none)"
	fi
	echo "build system ${forced:-by the installed module}"
	cksum <"$scripts/kamailio-defs.sh"
	[ ! -x "$kamailio" ] || "$kamailio" -V | sed -n 's/^flags: //p' | cksum
	[ -z "$installed" ] || cksum <"$installed"
}

# copy_tree FROM TO: what the headers and the make rules of the module tls need, in a place of our own.
copy_tree()
{
	rm -rf "$2"
	mkdir -p "$2/src/modules"
	for part in Makefile config.mak core lib main.c; do
		[ ! -e "$1/src/$part" ] || cp -Rp "$1/src/$part" "$2/src/"
	done
	cp -p "$1"/src/Makefile.* "$2/src/"
	cp -Rp "$1/src/modules/tls" "$2/src/modules/"
	[ ! -f "$1/src/modules/Makefile" ] || cp "$1/src/modules/Makefile" "$2/src/modules/"
	[ ! -f "$1/Makefile" ] || cp "$1/Makefile" "$2/"
	[ ! -f "$1/CMakeLists.txt" ] || cp -Rp "$1/CMakeLists.txt" "$1/cmake" "$2/"
	chmod -R u+w "$2"
	find "$2" \( -name '*.o' -o -name '*.d' -o -name '*.so' \) -exec rm -f {} +
}

if [ -n "$given" ]; then
	[ -f "$given/src/core/sr_module.h" ] ||
		die "KAMAILIO_SRC=$given is not a Kamailio source tree (src/core/sr_module.h does not exist)"
	[ -f "$given/src/Makefile.defs" ] ||
		die "KAMAILIO_SRC=$given has no src/Makefile.defs; Kamailio 5.6 to 6.1 are supported"
	given=$(cd "$given" && pwd)
fi
now=$(identity)
if [ -f "$defs" ] && [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$now" ]; then
	exit 0
fi

if [ -n "$given" ]; then
	tree=$build/kamailio-given
	echo "copying the headers and make rules of $given"
	copy_tree "$given" "$tree"
else
	tree=$build/$(basename "$("$scripts/kamailio-src.sh" "$build" | tail -n 1)")
fi
[ -d "$tree/src/core" ] || die "$tree is not a Kamailio source tree"

# What the installed Kamailio's modules carry, or, where there is none, what its binary says: two lines, or nothing.
if [ -n "$installed" ]; then
	wanted=$("$scripts/module-strings.sh" "$installed")
elif [ -x "$kamailio" ]; then
	wanted=$("$kamailio" -V | sed -n 's/^\(version: .*)\).*/\1/p; s/^\(flags: .*[^ ]\) *$/\1/p')
else
	wanted=
fi
# Where libssl is installed, a core before 6.0 is built with mutexes shared between processes, and its flags say so.
# That was so on the machine that built the package, but need not be here: the installed flags decide.
shared=1
case $wanted in
	"" | *TLS_PTHREAD_MUTEX_SHARED*) ;;
	*) shared=0 ;;
esac

# store FILE FLAGS: the response file with the include folder, those arguments and the module's name.
store()
{
	{
		echo "-isystem $tree/src"
		printf '%s\n' "$2"
		echo "-DMOD_NAME='\"tls\"'"
	} >"$1"
}

# The variables of Debian's package. The tree's make must not see the variables of the calling make.
log=$build/kamailio-cfg.log
: >"$log"
tree_make()
{
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u MAKEOVERRIDES -u CC -u CFLAGS -u CPPFLAGS -u LDFLAGS -u KAMAILIO_SRC \
		make --no-print-directory "$@" </dev/null
}

# by_make FILE: the defines of the tree's make.
by_make()
{
	if [ -z "$given" ] || [ ! -f "$tree/src/config.mak" ]; then
		mutex=LIBSSL_SET_MUTEX_SHARED=1
		[ $shared = 1 ] || mutex="LIBSSL_SET_MUTEX_SHARED=0 LIBSSL_PKGCONFIG="
		tree_make -C "$tree/src" cfg $mutex prefix=/usr cfg_target=/etc/kamailio/ FLAVOUR=kamailio >>"$log" 2>&1 ||
			die "\"make cfg\" in $tree/src failed; see $log"
	fi
	line=$(tree_make -C "$tree/src/modules/tls" quiet=verbose -n 2>>"$log" | grep -- ' -c [a-z_]*\.c' | head -n 1) ||
		true
	[ -n "$line" ] || die "make in $tree/src/modules/tls prints no compile line; see $log"

	# The words of that line with their quotes, because a -D may contain blanks; of other options those that change the
	# ABI.
	words=$(printf '%s\n' "$line" | sed "s/ \(-[A-Za-z]\)/\n\1/g")
	flags=$(printf '%s\n' "$words" | sed 's/[[:space:]]*$//' | grep -E "$abi" | grep -v '^-DMOD_NAME=' || true)
	printf '%s\n' "$flags" | grep -q '^-DVERSIONVAL=' ||
		die "no -DVERSIONVAL in the compile line of $tree/src/modules/tls"
	store "$1" "$flags"
}
abi='^-(D|U)|^-m(64|32|x32|arch=|cpu=|abi=|fpu=|float-abi=|thumb|arm|soft-float|hard-float)|^-pthread$'

# by_cmake FILE: the defines of the tree's CMake files. Only the part that defines the target of all modules is
# configured: the head of the tree's own CMakeLists.txt and what that includes, with one module that has no source.
by_cmake()
{
	command -v cmake >/dev/null ||
		die "the program cmake is missing, and the installed Kamailio was built with it: install the package cmake"
	project=$build/kamailio-cmake
	rm -rf "$project"
	mkdir -p "$project/out"
	cp -Rp "$tree/cmake" "$project/"
	sed '/cmake\/defs.cmake/q' "$tree/CMakeLists.txt" >"$project/CMakeLists.txt"
	cat >>"$project/CMakeLists.txt" <<'END'
file(WRITE "${CMAKE_BINARY_DIR}/empty.c" "")
add_library(module SHARED "${CMAKE_BINARY_DIR}/empty.c")
target_link_libraries(module PRIVATE common_modules)
file(GENERATE OUTPUT "${CMAKE_BINARY_DIR}/defines"
     CONTENT "$<JOIN:$<TARGET_PROPERTY:module,COMPILE_DEFINITIONS>,\n>\n")
file(GENERATE OUTPUT "${CMAKE_BINARY_DIR}/options"
     CONTENT "$<JOIN:$<TARGET_PROPERTY:module,COMPILE_OPTIONS>,\n>\n")
END
	mutex=-DLIBSSL_SET_MUTEX_SHARED=ON
	[ $shared = 1 ] || mutex="-DLIBSSL_SET_MUTEX_SHARED=OFF -DCMAKE_DISABLE_FIND_PACKAGE_OpenSSL=ON"
	# No C++ compiler is needed, although the tree does not say so.
	env -u CFLAGS -u CPPFLAGS -u LDFLAGS CC="${CC:-gcc}" cmake -S "$project" -B "$project/out" \
		-DCMAKE_INSTALL_PREFIX=/usr -DCMAKE_CXX_COMPILER=/bin/true -DCMAKE_CXX_COMPILER_FORCED=TRUE $mutex \
		>>"$log" 2>&1 || die "cmake cannot configure the defines of $tree; see $log"
	flags=$(
		sed "/^$/d; s/^/-D/; s/=\(\".*\)/='\1'/" "$project/out/defines"
		grep -E "$abi" "$project/out/options" || true
	)
	printf '%s\n' "$flags" | grep -q '^-DVERSIONVAL=' || die "no VERSIONVAL among the defines of $tree; see $log"
	store "$1" "$flags"
}

# carried FILE: the version and flags strings that a module compiled with these arguments carries.
carried()
{
	printf '%s\n' '#include "core/ver_defs.h"' \
		'char *module_version = SER_FULL_VERSION;' 'char *module_flags = SER_COMPILE_FLAGS;' |
		${CC:-gcc} "@$1" -fPIC -shared -x c -o "$build/.strings.so" - >>"$log" 2>&1 ||
		die "core/ver_defs.h of $tree cannot be compiled; see $log"
	"$scripts/module-strings.sh" "$build/.strings.so"
	rm -f "$build/.strings.so"
}

# unnumbered: two such lines without the version number, which decides nothing between the build systems of one tree.
unnumbered()
{
	sed 's/^\(version: [^ ]*\) [^ ]*/\1/'
}

# matches FILE: whether these arguments give what is installed.
matches()
{
	[ "$(carried "$1" | unnumbered)" = "$(echo "$wanted" | unnumbered)" ]
}

with=${forced:-make}
if [ ! -f "$tree/CMakeLists.txt" ]; then
	[ "$with" = make ] || die "$tree has no CMakeLists.txt, but KAMAILIO_BUILD=cmake"
elif [ -z "$forced" ] && [ -n "$wanted" ]; then
	by_make "$defs.make"
	# Where neither matches, the name of the system decides; scripts/check-version then names the difference.
	matches "$defs.make" || ! echo "$wanted" | grep -q '^version: .*/[A-Z][a-zA-Z]*)' || with=cmake
elif [ -z "$forced" ] && [ ! -f "$tree/src/config.mak" ]; then
	grep -Eq '^ *VERSION ([0-5]|6\.0)\.' "$tree/CMakeLists.txt" || with=cmake
fi
"by_$with" "$defs.new"
rm -f "$defs.make"
if cmp -s "$defs.new" "$defs"; then
	rm -f "$defs.new"
else
	mv "$defs.new" "$defs"
fi
echo "$now" >"$stamp"
echo "headers and defines of Kamailio $(sed -n "s/^-DVERSION='\"\(.*\)\"'/\1/p" "$defs") from $tree, by its $with"
