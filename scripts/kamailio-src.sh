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

# The archive that has this version: "kamailio | VERSION | URI SUITE/COMPONENT ARCH Packages".
origin=$(apt-cache madison kamailio | awk -F'|' -v v="$pkg_version" '
	{gsub(/ /, "", $2)}
	$2 == v && $3 ~ /Packages/ {print $3; exit}')
[ -n "$origin" ] || die "no archive of apt has kamailio $pkg_version; run apt-get update, or set KAMAILIO_SRC"
set -- $origin
uri=$1
suite=${2%%/*}
component=${2#*/}

apt=$dir/apt
rm -rf "$apt"
mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$apt/sources.list.d"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
option=
if [ -f "$keyring" ]; then
	case "$(apt-get indextargets --format '$(REPO_URI)|$(ORIGIN)' | grep -F "$uri")" in
		*"|Debian"*) option="[signed-by=$keyring] " ;;
	esac
fi
echo "deb-src $option$uri $suite $component" >"$apt/sources.list"

apt_do()
{
	apt-get -q -o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts="$apt/sources.list.d" \
		-o Dir::State::lists="$apt/lists" -o Dir::Cache::archives="$apt/archives" \
		-o Dir::Cache::pkgcache="" -o Dir::Cache::srcpkgcache="" -o APT::Sandbox::User="" "$@"
}
apt_do update >&2 || die "apt-get update of the deb-src list failed (see above)"
rm -rf "$tree"
(cd "$dir" && apt_do source "kamailio=$pkg_version" >&2) ||
	die "apt-get source kamailio=$pkg_version failed (see above)"
[ -d "$tree/src/core" ] || die "the source package did not unpack to $tree"
rm -rf "$apt" "$dir"/kamailio_*
echo "$pkg_version" >"$stamp"
echo "$tree"
