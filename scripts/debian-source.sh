#!/bin/sh
# tls_gnutls - fetches a source package from the archive of the Debian that runs, and unpacks it
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
#
# Usage: scripts/debian-source.sh PACKAGE SOURCE VERSION DIR TREE
# PACKAGE  a binary package: the source comes from the archive that has it in this version
# SOURCE   name of the source package; its version is VERSION too
# DIR      a folder of the caller; SOURCE_* in it are removed
# TREE     where the patched source is unpacked to; removed first
# The deb-src list is derived from the archive and written to DIR/apt; the system's lists are not changed. apt checks
# the signatures as usual.
# Exit status: 0; 3 no archive has the version; 4 its list, 5 its files cannot be fetched; 1 another failure.
set -eu

[ $# -eq 5 ] || {
	echo "usage: scripts/debian-source.sh PACKAGE SOURCE VERSION DIR TREE" >&2
	exit 2
}
package=$1
name=$2
version=$3
dir=$4
tree=$5

# The archive that has this version: "PACKAGE | VERSION | URI SUITE/COMPONENT ARCH Packages".
origin=$(apt-cache madison "$package" | awk -F'|' -v v="$version" '
	{gsub(/ /, "", $2)}
	$2 == v && $3 ~ /Packages/ {print $3; exit}')
[ -n "$origin" ] || exit 3
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
apt_do update >&2 || exit 4
rm -rf "$tree" "$dir/${name}"_*

# unsigned: whether only upstream's signature (*.asc) is missing. Nothing needs it: the archive's signed index has the
# checksums of all files, the .dsc among them, and they must hold. Then dsc is a .dsc without the lines of that file.
unsigned()
{
	apt_do source --print-uris "$name=$version" 2>/dev/null |
		sed -n "s/^'[^']*' \([^ /]*\) [0-9]* SHA256:\([0-9a-f]*\)$/\2  \1/p" | grep -v '\.asc$' >"$apt/sums" || return 1
	grep -q '\.dsc$' "$apt/sums" || return 1
	(cd "$dir" && sha256sum --check --strict --quiet "$apt/sums" >&2) || return 1
	dsc=$(sed -n 's/^[0-9a-f]*  \(.*\.dsc\)$/\1/p' "$apt/sums")
	sed -n '/^-----BEGIN PGP SIGNATURE/q; /^-----BEGIN PGP\|^Hash: /d; /\.asc$/d; p' "$dir/$dsc" |
		sed '/./,$!d' >"$apt/dsc"
	mv "$apt/dsc" "$dir/$dsc"
}

if ! (cd "$dir" && apt_do source --download-only "$name=$version" >&2); then
	unsigned || exit 5
	echo "debian-source: the archive lacks upstream's signature file; the checksums of all other files hold" >&2
else
	dsc=$(cd "$dir" && ls "${name}"_*.dsc)
fi
(cd "$dir" && dpkg-source --no-copy -x "$dsc" "$tree" >&2) || {
	echo "debian-source: dpkg-source cannot unpack $dsc (see above)" >&2
	exit 1
}
rm -rf "$apt" "$dir/${name}"_*
