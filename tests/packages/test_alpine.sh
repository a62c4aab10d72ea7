#!/bin/sh
# tls_gnutls - the functions build and package of the APKBUILD do what they say, run by a shell on this machine
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
#
# Debian has neither abuild nor apk: no Alpine package is made, and the libraries are those of this machine. The shell
# is busybox's, as on Alpine, or sh. The function check, which runs the unit tests, is left to `make check-unit`.
set -eu

fail()
{
	[ ! -f "$TMPDIR/log" ] || tail -n 40 "$TMPDIR/log"
	echo "$*"
	exit 1
}
apkbuild=$PWD/packaging/alpine/APKBUILD
version=$(sed -n 's/^#define TLSG_VERSION "\(.*\)"/\1/p' base/version.h)
grep -q "^pkgver=$version\$" "$apkbuild" || fail "APKBUILD has another version than base/version.h"
shell=sh
! command -v busybox >/dev/null || shell='busybox ash'
$shell -n "$apkbuild"
# SC2034, SC2154, SC2164: abuild reads the variables, sets others, and stops at the first error
! command -v shellcheck >/dev/null || shellcheck -s dash -e SC2034,SC2154,SC2164 "$apkbuild" >"$TMPDIR/log" 2>&1 ||
	fail "shellcheck finds mistakes in the APKBUILD"
! command -v abuild >/dev/null || echo "note: abuild is here; build the package with it, too"

tree=$(scripts/kamailio-src.sh build | tail -n 1)
kamailio=$(basename "$tree" | sed 's/^kamailio-//')
mkdir "$TMPDIR/src" "$TMPDIR/pkg"
tar -x -C "$TMPDIR/src" -f "$(scripts/make-dist.sh "$TMPDIR" "$version" 2>/dev/null)"
(cd "$tree/.." && tar -c --exclude='*.o' --exclude='*.so' --exclude='*.d' "$(basename "$tree")") |
	tar -x -C "$TMPDIR/src"
# What abuild does: reads the file, changes to builddir, calls the functions.
cat >"$TMPDIR/run" <<'END'
set -e
. "$1"
[ "$_kamailio" = "$2" ] || sed "s/^_kamailio=.*/_kamailio=$2/" "$1" >"$TMPDIR/APKBUILD"
[ "$_kamailio" = "$2" ] || . "$TMPDIR/APKBUILD"
cd "$builddir"
build
package
for file in $source; do echo "source $file"; done
END
env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u MAKEOVERRIDES -u CC -u CFLAGS -u CPPFLAGS -u LDFLAGS -u DESTDIR \
	srcdir="$TMPDIR/src" pkgdir="$TMPDIR/pkg" nice $shell "$TMPDIR/run" "$apkbuild" "$kamailio" >"$TMPDIR/log" 2>&1 ||
	fail "build or package fails"
for source in "tls_gnutls-$version.tar.gz" "kamailio-$kamailio.tar.gz"; do
	grep -qx "source $source" "$TMPDIR/log" || fail "the APKBUILD does not name the source $source"
done
for file in lib/kamailio/modules/tls_gnutls.so bin/tls-gnutls-ciphers bin/tls-gnutls-cert bin/tls-gnutls-check \
	share/doc/kamailio-tls-gnutls/doc/manual.md share/man/man1/tls-gnutls-cert.1 \
	share/bash-completion/completions/tls-gnutls-cert; do
	[ -f "$TMPDIR/pkg/usr/$file" ] || fail "the package lacks usr/$file"
done
[ "$(ls "$TMPDIR/pkg")" = usr ] || fail "the package has files outside of /usr"
readelf -d "$TMPDIR/pkg/usr/lib/kamailio/modules/tls_gnutls.so" >"$TMPDIR/needed"
grep -q 'NEEDED.*libgnutls' "$TMPDIR/needed" || fail "the module does not need GnuTLS"
! grep -E 'NEEDED.*(libssl|libcrypto)' "$TMPDIR/needed" || fail "the module needs OpenSSL"
