#!/bin/sh
# tls_gnutls - finds out how a Kamailio source tree compiles a module and stores that as compiler arguments
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
#
# Usage: scripts/kamailio-defs.sh BUILD_DIR [KAMAILIO_SRC]
# Writes BUILD_DIR/kamailio.defs, a response file for gcc and clang ("@file"): the header folder as -isystem, every
# -D and the machine flags that the tree's own make prints for the module `tls`. Without KAMAILIO_SRC the source of
# the installed Debian package is fetched first. A given KAMAILIO_SRC is copied, never written to; if it has been
# configured (src/config.mak), it is used as it is, otherwise it is configured with the variables of Debian's package.
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

# What the stored answer depends on: the tree and the installed package.
identity()
{
	if [ -n "$given" ]; then
		echo "tree $given $(cat "$given/src/Makefile.defs" "$given/src/config.mak" 2>/dev/null | cksum)"
	else
		echo "package $(dpkg-query -W -f '${Version}' kamailio 2>/dev/null || echo none)"
	fi
	cksum <"$scripts/kamailio-defs.sh"
	[ ! -x "$kamailio" ] || "$kamailio" -V | sed -n 's/^flags: //p' | cksum
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

# The variables of Debian's package. The tree's make must not see the variables of the calling make.
log=$build/kamailio-cfg.log
tree_make()
{
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u MAKEOVERRIDES -u CC -u CFLAGS -u CPPFLAGS -u LDFLAGS -u KAMAILIO_SRC \
		make --no-print-directory "$@" </dev/null
}
if [ -z "$given" ] || [ ! -f "$tree/src/config.mak" ]; then
	# Where libssl is installed, the core is built with mutexes shared between processes, and its flags say so. That was
	# so on the machine that built the package, but need not be here: the flags of the installed binary decide.
	if [ -x "$kamailio" ] && ! "$kamailio" -V | grep -q 'TLS_PTHREAD_MUTEX_SHARED'; then
		shared=LIBSSL_PKGCONFIG=
	else
		shared=LIBSSL_SET_MUTEX_SHARED=1
	fi
	tree_make -C "$tree/src" cfg "$shared" prefix=/usr cfg_target=/etc/kamailio/ FLAVOUR=kamailio >"$log" 2>&1 ||
		die "\"make cfg\" in $tree/src failed; see $log"
fi
line=$(tree_make -C "$tree/src/modules/tls" quiet=verbose -n 2>>"$log" | grep -- ' -c [a-z_]*\.c' | head -n 1) || true
[ -n "$line" ] || die "make in $tree/src/modules/tls prints no compile line; see $log"

# The words of that line with their quotes, because a -D may contain blanks; of other options those that change the ABI.
words=$(printf '%s\n' "$line" | sed "s/ \(-[A-Za-z]\)/\n\1/g")
abi='^-(D|U)|^-m(64|32|x32|arch=|cpu=|abi=|fpu=|float-abi=|thumb|arm|soft-float|hard-float)|^-pthread$'
flags=$(printf '%s\n' "$words" | sed 's/[[:space:]]*$//' | grep -E "$abi" | grep -v '^-DMOD_NAME=' || true)
printf '%s\n' "$flags" | grep -q '^-DVERSIONVAL=' || die "no -DVERSIONVAL in the compile line of $tree/src/modules/tls"
{
	echo "-isystem $tree/src"
	printf '%s\n' "$flags"
	echo "-DMOD_NAME='\"tls\"'"
} >"$defs.new"
if cmp -s "$defs.new" "$defs"; then
	rm -f "$defs.new"
else
	mv "$defs.new" "$defs"
fi
echo "$now" >"$stamp"
echo "headers and defines of $(sed -n "s/^-DVERSION='\"\(.*\)\"'/Kamailio \1/p" "$defs") from $tree"
