#!/bin/sh
# tls_gnutls - every undefined symbol of the module is defined in Kamailio or in a library the module needs
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
#
# dlopen() with RTLD_NOW fails on an undefined symbol; the linker cannot find it, because the core is not linked.
set -eu

kamailio=$(command -v kamailio || echo /usr/sbin/kamailio)
[ -x "$kamailio" ] || {
	echo "no kamailio binary"
	exit 77
}

# defined FILE...: names of dynamic symbols, without their versions.
defined()
{
	for file in "$@"; do
		nm -D --defined-only "$file" | awk '{print $NF}' | sed 's/@.*//'
	done
}

libraries=$(ldd "$MODULE" | awk '/=> \// {print $3} $1 ~ /^\// {print $1}')
defined "$kamailio" $libraries | LC_ALL=C sort -u >"$TMPDIR/defined"
nm -D --undefined-only "$MODULE" | awk '$(NF - 1) == "U" {print $NF}' | sed 's/@.*//' |
	LC_ALL=C sort -u >"$TMPDIR/wanted"
[ -s "$TMPDIR/wanted" ] || {
	echo "$MODULE has no undefined symbols, which is impossible"
	exit 1
}
LC_ALL=C comm -23 "$TMPDIR/wanted" "$TMPDIR/defined" >"$TMPDIR/missing"
[ ! -s "$TMPDIR/missing" ] || {
	echo "neither Kamailio nor a library defines:"
	cat "$TMPDIR/missing"
	exit 1
}
echo "$(wc -l <"$TMPDIR/wanted") undefined symbols are defined in $kamailio or in a needed library"
