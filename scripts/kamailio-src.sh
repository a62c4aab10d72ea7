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
[ -n "$origin" ] ||
	die "no archive of apt has kamailio $pkg_version; run apt-get update, or make KAMAILIO_SRC=DIR with its source" \
		"(upstream's tag $upstream)"
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
what_to_do="run make KAMAILIO_SRC=DIR with the source of Kamailio $upstream (upstream's tag $upstream)"
apt_do update >&2 || die "apt-get update of the deb-src list failed (see above); or $what_to_do"
rm -rf "$tree" "$dir"/kamailio_*

# unsigned: whether only upstream's signature (*.asc) is missing. Nothing needs it: the archive's signed index has the
# checksums of all files, the .dsc among them, and they must hold. Then dsc is a .dsc without the lines of that file.
unsigned()
{
	apt_do source --print-uris "kamailio=$pkg_version" 2>/dev/null |
		sed -n "s/^'[^']*' \([^ /]*\) [0-9]* SHA256:\([0-9a-f]*\)$/\2  \1/p" | grep -v '\.asc$' >"$apt/sums" || return 1
	grep -q '\.dsc$' "$apt/sums" || return 1
	(cd "$dir" && sha256sum --check --strict --quiet "$apt/sums" >&2) || return 1
	dsc=$(sed -n 's/^[0-9a-f]*  \(.*\.dsc\)$/\1/p' "$apt/sums")
	sed -n '/^-----BEGIN PGP SIGNATURE/q; /^-----BEGIN PGP\|^Hash: /d; /\.asc$/d; p' "$dir/$dsc" |
		sed '/./,$!d' >"$apt/dsc"
	mv "$apt/dsc" "$dir/$dsc"
}

if ! (cd "$dir" && apt_do source --download-only "kamailio=$pkg_version" >&2); then
	unsigned ||
		die "the archive does not have all files of the source of kamailio $pkg_version (see above); $what_to_do"
	echo "kamailio-src: the archive lacks upstream's signature file; the checksums of all other files hold" >&2
else
	dsc=$(cd "$dir" && ls kamailio_*.dsc)
fi
(cd "$dir" && dpkg-source --no-copy -x "$dsc" "$tree" >&2) || die "dpkg-source cannot unpack $dsc (see above)"
[ -d "$tree/src/core" ] || die "the source package did not unpack to $tree"
rm -rf "$apt" "$dir"/kamailio_*
echo "$pkg_version" >"$stamp"
echo "$tree"
