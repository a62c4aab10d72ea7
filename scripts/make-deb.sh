#!/bin/sh
# tls_gnutls - `make deb`: Debian packages for the Kamailio of this distribution, or for that of a source tree
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
#
# Usage: scripts/make-deb.sh DIR VERSION [KAMAILIO_SRC]
# Leaves a source package and what is built of it in DIR/deb. The source package has two parts: the tarball of
# `make dist`, and the headers and rules of Kamailio, which has no package of its headers: it builds without network.
# Without KAMAILIO_SRC the source of the installed package is fetched.
# Environment: DEBFULLNAME, DEBEMAIL  the maintainer; DEB_BUILD_OPTIONS as always.
set -eu

die()
{
	echo "make-deb: $*" >&2
	exit 1
}

[ $# -ge 2 ] || die "usage: scripts/make-deb.sh DIR VERSION [KAMAILIO_SRC]"
mkdir -p "$1"
build=$(cd "$1" && pwd)
version=$2
kamailio=${3:-}
out=$build/deb
source=kamailio-tls-gnutls
maintainer="${DEBFULLNAME:-tls_gnutls contributors} <${DEBEMAIL:-contributors@tls-gnutls.invalid}>"
[ -n "$kamailio" ] || kamailio=$(scripts/kamailio-src.sh "$build" | tail -n 1)
[ -f "$kamailio/src/core/sr_module.h" ] || die "$kamailio is not a Kamailio source tree"

rm -rf "$out"
mkdir -p "$out/kamailio"
cp "$(scripts/make-dist.sh "$build" "$version")" "$out/${source}_$version.orig.tar.gz"
date=$(if [ -e .git ]; then git log -1 --format=%aD; else date -R -r CHANGELOG.md; fi)

# What scripts/kamailio-defs.sh reads of a tree.
for part in Makefile CMakeLists.txt cmake src/Makefile* src/CMakeLists.txt src/core src/lib src/main.c src/modules/tls \
	src/modules/Makefile COPYING; do
	(cd "$kamailio" && for file in $part; do
		[ ! -e "$file" ] || find "$file" -type f ! -name '*.o' ! -name '*.d' ! -name '*.so' ! -name makecfg.lst
	done)
done | sort -u | tar -c -C "$kamailio" --owner=0 --group=0 --numeric-owner --mtime="$date" -T - \
	--transform='s,^,kamailio/,' | xz -T1 >"$out/${source}_$version.orig-kamailio.tar.xz"

tree=$out/$source-$version
tar -x -C "$out" -f "$out/${source}_$version.orig.tar.gz"
mv "$out/tls_gnutls-$version" "$tree"
tar -x -C "$tree" -f "$out/${source}_$version.orig-kamailio.tar.xz"
cp -R packaging/debian "$tree/debian"
sed 's/^$/ ./; s/^\([^ ]\)/ \1/' LICENSE | sed '1,2d' >"$out/licence"
sed -i "s/@VERSION@/$version/; s/@MAINTAINER@/$maintainer/; s/@DATE@/$date/" "$tree/debian/control" \
	"$tree/debian/changelog"
sed -i -e "/@LICENCE@/{r $out/licence" -e 'd}' "$tree/debian/copyright"
rmdir "$out/kamailio"
rm "$out/licence"

# The variables of the calling make are not those of the package's.
(cd "$tree" && env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u MAKEOVERRIDES -u CC -u CFLAGS -u CPPFLAGS -u LDFLAGS \
	-u KAMAILIO_SRC -u DESTDIR dpkg-buildpackage -us -uc) >"$out/log" 2>&1 || {
	tail -n 60 "$out/log" >&2
	grep -nE 'FAILED|: error:' "$out/log" | tail -n 20 >&2 || true
	die "dpkg-buildpackage failed; the whole output is in $out/log"
}
rm -rf "$tree"
ls "$out"/*.deb
