#!/bin/sh
# tls_gnutls - every symbol the module leaves open is one that Kamailio or a needed library has
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
#
# dlopen with RTLD_NOW fails on a symbol that nobody has; the linker does not tell, since the core is not there to link with.
set -eu

kamailio=$(command -v kamailio || echo /usr/sbin/kamailio)
[ -x "$kamailio" ] || {
	echo "no kamailio binary here"
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
nm -D --undefined-only "$MODULE" | awk '$(NF - 1) == "U" {print $NF}' | sed 's/@.*//' | LC_ALL=C sort -u >"$TMPDIR/wanted"
[ -s "$TMPDIR/wanted" ] || {
	echo "$MODULE leaves no symbol open: that cannot be"
	exit 1
}
LC_ALL=C comm -23 "$TMPDIR/wanted" "$TMPDIR/defined" >"$TMPDIR/missing"
[ ! -s "$TMPDIR/missing" ] || {
	echo "neither Kamailio nor a library has:"
	cat "$TMPDIR/missing"
	exit 1
}
echo "$(wc -l <"$TMPDIR/wanted") open symbols are found in $kamailio or in a needed library"
