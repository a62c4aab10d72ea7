#!/bin/sh
# tls_gnutls - builds, installs and runs the module as src/modules/tls_gnutls of clean source trees of Kamailio
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
#
# Environment: KAMAILIO_TREES  folders with sources of Kamailio, unpacked; default: that of the installed package, which
# `make` has fetched. Trees are copied. From 6.1 on both the tree's CMake and its Makefiles are used. The core, kamcmd
# and a few modules are built too: a Kamailio of that tree does what tree-use.sh says.
set -eu

top=$PWD
offline='unshare -n'
if ! $offline true 2>/dev/null; then
	offline=
	echo "note: unshare does not work here: builds are not cut off from the network"
fi
fail()
{
	[ ! -f "$TMPDIR/log" ] || tail -n 40 "$TMPDIR/log"
	echo "$name: $*"
	exit 1
}

# quietly COMMAND...: without network and without the variables of a calling make; the output goes to a log.
quietly()
{
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u MAKEOVERRIDES -u CC -u CFLAGS -u CPPFLAGS -u LDFLAGS -u DESTDIR \
		nice $offline "$@" >"$TMPDIR/log" 2>&1 </dev/null || fail "$* fails"
}

# unpack TREE: a clean copy, with this project as one of its modules.
unpack()
{
	tree=$TMPDIR/tree
	"$top/scripts/unpack-tree.sh" "$1" "$tree"
	cd "$tree"
}

# check_module FILE: exports, and the libraries that it needs.
check_module()
{
	[ -f "$1" ] || fail "$1 was not installed"
	(cd "$top" && scripts/check-exports "$1") >"$TMPDIR/log" 2>&1 || {
		# Kamailio's CMake gives all modules the folder of its libraries
		grep -v 'has a library search path' "$TMPDIR/log" && fail "check-exports"
		readelf -d "$1" | grep -qE 'R(UN)?PATH.*\[/usr/local/lib(64)?/kamailio\]' || fail "check-exports"
	}
	strings "$1" | grep -q "tls_gnutls $version" || fail "$1 does not tell its version"
}

# serve KAMAILIO KAMCMD MODULES MODULE [PARAMETER]: see tree-use.sh; $log is what Kamailio has written.
log=$TMPDIR/kamailio.log
serve()
{
	"$top/tests/packages/tree-use.sh" "$1" "$2" "$3" "$4" "$folder" "$log" "${5:-}" >"$TMPDIR/log" 2>&1 </dev/null ||
		fail "the module does not serve"
	sed "s/^/$name: /" "$TMPDIR/log"
}

# debug_lines WHAT: whether Kamailio has written such lines.
debug_lines()
{
	grep -q "TLS_${1}_DEBUG: connection [0-9]*: " "$log"
}

# check_debug ARGUMENT...: as for serve, with a module that has the defines of the manual, whose lines have tls_debug as
# their level.
check_debug()
{
	serve "$@" tls_debug=2
	for what in WR RD BIO; do
		debug_lines $what || fail "no line of TLS_${what}_DEBUG"
	done
	serve "$@" tls_debug=3
	! debug_lines '[A-Z]*' || fail "lines of debugging above the debug level"
}

# check_folder FOLDER: what install-tls-cert and the installation of the module leave in the folder of configurations.
check_folder()
{
	folder=$1
	grep -q '^private_key = /usr/local/etc/kamailio/kamailio-selfsigned.key$' "$1/tls.cfg" ||
		fail "$1/tls.cfg does not name the key"
	certtool --certificate-info --infile "$1/kamailio-selfsigned.pem" | grep -q 'TLS WWW Server' ||
		fail "no certificate in $1"
	[ -n "$(find "$1/kamailio-selfsigned.key" -perm 600)" ] || fail "others may read the key in $1"
}
others='tm sl pv textops kex ctl'
debug='-DTLS_WR_DEBUG -DTLS_RD_DEBUG -DTLS_BIO_DEBUG'
version=$(sed -n 's/^#define TLSG_VERSION "\(.*\)"/\1/p' base/version.h)

with_make()
{
	module=src/modules/tls_gnutls
	# in a clean tree, with the defines of the manual and more libraries
	quietly make -j2 -C $module extra_defs="$debug" TLS_EXTRA_LIBS='-Wl,--no-as-needed -lm'
	grep -q 'base/arena.o' "$TMPDIR/log" || fail "make -C does not build the module"
	! grep -q 'warning:' "$TMPDIR/log" || fail "the compiler warns"
	readelf -d $module/tls_gnutls.so | grep -q 'NEEDED.*libm\.' || fail "TLS_EXTRA_LIBS are not used"
	mkdir "$TMPDIR/debug"
	cp $module/tls_gnutls.so "$TMPDIR/debug/"
	quietly make -C $module clean
	[ -z "$(find $module -type f '(' -name '*.o' -o -name '*.so' ')')" ] || fail "make clean leaves objects"

	# The tree has kept the defines in src/config.mak.
	unpack "$given"
	quietly make -j2 modules modules=$module
	grep -q 'base/arena.o' "$TMPDIR/log" || fail "the module was not built"
	! grep -q 'warning:' "$TMPDIR/log" || fail "the compiler warns"
	quietly make install-modules modules=$module basedir="$TMPDIR/root"
	quietly make -C $module install-tls-cert basedir="$TMPDIR/root"
	installed=$(find "$TMPDIR/root" -name tls_gnutls.so)
	check_module "$installed"
	check_folder "$TMPDIR/root/usr/local/etc/kamailio"
	quietly make -C $module
	! grep -q 'base/arena.o' "$TMPDIR/log" || fail "a second make builds everything again"

	quietly make -j2 -C src kamailio
	quietly make -C utils/kamcmd
	for other in $others; do
		quietly make -j2 modules modules=src/modules/$other
	done
	set -- "$tree/src/kamailio" "$tree/utils/kamcmd/kamcmd" "$tree/src/modules"
	serve "$@" "$installed" tls_debug=2
	! debug_lines '[A-Z]*' || fail "lines of debugging without the defines"
	check_debug "$@" "$TMPDIR/debug/tls_gnutls.so"
	rm -rf "$TMPDIR/debug"
	rm -rf "$TMPDIR/root"
}

with_cmake()
{
	# DESTDIR takes effect when things are installed, not when they are configured.
	quietly cmake -B build -DINCLUDE_MODULES=tls_gnutls -DMODULE_GROUP_NAME=DEFAULT
	quietly cmake --build build -j2 --target tls_gnutls
	! grep -q 'warning:' "$TMPDIR/log" || fail "the compiler warns"
	sources=$(find build -path '*tls_gnutls.dir*' -name '*.c.o' | sed 's#.*tls_gnutls.dir/##; s/\.c\.o$//' | sort)
	listed=$(make -s -C "$top" print-sources | sed 's/\.c$//' | sort)
	[ "$sources" = "$listed" ] || fail "CMake and the Makefile build different sources"
	quietly env DESTDIR="$TMPDIR/root" cmake --install build --component user_specified_list
	for target in tls-install-cfg tls-install-cert; do
		quietly env DESTDIR="$TMPDIR/root" cmake --build build --target $target
	done
	check_module "$(find "$TMPDIR/root" -name tls_gnutls.so)"
	check_folder "$TMPDIR/root/usr/local/etc/kamailio"
	[ -f "$TMPDIR/root/usr/local/etc/kamailio/tls.cfg.sample" ] || fail "tls-install-cfg writes no tls.cfg.sample"
	quietly cmake --build build -j2 --target kamailio kamcmd $others
	mkdir "$TMPDIR/modules"
	for other in $others; do
		cp "build/src/modules/$other/$other.so" "$TMPDIR/modules/"
	done
	set -- "$(find "$tree/build" -type f -name kamailio -perm -100)" \
		"$(find "$tree/build" -type f -name kamcmd -perm -100)" "$TMPDIR/modules"
	serve "$@" "$(find "$TMPDIR/root" -name tls_gnutls.so)" tls_debug=2
	! debug_lines '[A-Z]*' || fail "lines of debugging without the defines"
	quietly cmake -B build -DCMAKE_C_FLAGS="$debug"
	quietly cmake --build build -j2 --target tls_gnutls
	check_debug "$@" "$(find build/src/modules -name tls_gnutls.so)"
	for both in 'tls tls_gnutls' 'tls_gnutls tls'; do
		quietly cmake -B both -DINCLUDE_MODULES="$both"
		rm -rf both
	done
	rm -rf "$TMPDIR/root" "$TMPDIR/modules"
}

for program in bison flex; do
	command -v $program >/dev/null || {
		echo "$program is missing"
		exit 1
	}
done
trees=${KAMAILIO_TREES:-$(scripts/kamailio-src.sh build | tail -n 1)}
for given in $trees; do
	given=$(cd "$given" && pwd)
	name=$(basename "$given")
	if [ -f "$given/src/modules/tls/CMakeLists.txt" ]; then
		command -v cmake >/dev/null || {
			echo "cmake is missing"
			exit 1
		}
		unpack "$given"
		with_cmake
		echo "$name: built, installed and run with CMake"
	fi
	if [ -f "$given/src/Makefile.modules" ]; then
		unpack "$given"
		with_make
		echo "$name: built, installed and run with make"
	fi
	cd "$top"
	rm -rf "$TMPDIR/tree"
done
