#!/bin/sh
# tls_gnutls - fetches the Kamailio source that matches the installed kamailio package.
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
#
# Usage: scripts/kamailio-src.sh DIR
# Leaves the unpacked, patched source tree in DIR/kamailio-<version> and prints that path as the last line.
# The Debian source package is fetched with apt-get source. The deb-src list is derived from the archive of the
# installed package and written to DIR/apt; the system's lists are not changed. apt checks the signatures as usual.
set -eu

die()
{
	echo "kamailio-src: $*" >&2
	exit 1
}

[ $# -eq 1 ] || die "usage: scripts/kamailio-src.sh DIR"
mkdir -p "$1"
dir=$(cd "$1" && pwd)

pkg_version=$(dpkg-query -W -f '${Version}' kamailio 2>/dev/null) ||
	die "the package kamailio is not installed; install it, or run make KAMAILIO_SRC=/path/to/its/source"
[ -n "$pkg_version" ] || die "the package kamailio is not installed"
upstream=$(echo "$pkg_version" | sed 's/^[0-9]*://; s/-[^-]*$//')
tree=$dir/kamailio-$upstream
stamp=$dir/.kamailio-source
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$pkg_version" ] && [ -d "$tree/src/core" ]; then
	echo "$tree"
	exit 0
fi

command -v dpkg-source >/dev/null || die "dpkg-source is missing; install the package dpkg-dev"

what_to_do="run make KAMAILIO_SRC=DIR with the source of Kamailio $upstream (upstream's tag $upstream)"
status=0
scripts=$(cd "$(dirname "$0")" && pwd)
"$scripts/debian-source.sh" kamailio kamailio "$pkg_version" "$dir" "$tree" || status=$?
case $status in
	0) ;;
	3)
		die "no archive of apt has kamailio $pkg_version; run apt-get update, or make KAMAILIO_SRC=DIR with its" \
			"source (upstream's tag $upstream)"
		;;
	4) die "apt-get update of the deb-src list failed (see above); or $what_to_do" ;;
	5) die "the archive does not have all files of the source of kamailio $pkg_version (see above); $what_to_do" ;;
	*) die "the source of kamailio $pkg_version was not unpacked (see above)" ;;
esac
[ -d "$tree/src/core" ] || die "the source package did not unpack to $tree"
echo "$pkg_version" >"$stamp"
echo "$tree"
