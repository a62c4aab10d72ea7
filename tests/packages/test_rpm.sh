#!/bin/sh
# tls_gnutls - rpmlint finds no error in the RPM specification, and rpmbuild builds it; the version is the one version
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
#
# Debian's rpmbuild knows no RPM packages: dependencies are not looked up (--nodeps), and macros of a distribution, like
# its compiler flags, are those of Debian's rpm. The unit tests are left to `make check-unit`.
set -eu

fail()
{
	[ ! -f "$TMPDIR/log" ] || tail -n 40 "$TMPDIR/log"
	echo "$*"
	exit 1
}
spec=packaging/rpm/kamailio-tls-gnutls.spec
version=$(sed -n 's/^#define TLSG_VERSION "\(.*\)"/\1/p' base/version.h)
grep -q "^Version: *$version\$" $spec || fail "$spec has another version than base/version.h"
for tool in rpmbuild rpmlint; do
	command -v $tool >/dev/null || {
		echo "$tool is not installed"
		exit 77
	}
done
scripts/make-docbook --check 2>"$TMPDIR/log" || {
	cat "$TMPDIR/log"
	exit 77
}
rpmlint $spec >"$TMPDIR/log" 2>&1 || true
grep -q ' 0 errors' "$TMPDIR/log" || fail "rpmlint finds errors"

tree=$(scripts/kamailio-src.sh build | tail -n 1)
kamailio=$(basename "$tree" | sed 's/^kamailio-//')
mkdir -p "$TMPDIR/rpm/SOURCES"
scripts/make-dist.sh "$TMPDIR/rpm/SOURCES" "$version" >/dev/null
tar -cz -f "$TMPDIR/rpm/SOURCES/kamailio-$kamailio.tar.gz" --exclude='*.o' --exclude='*.so' --exclude='*.d' \
	-C "$(dirname "$tree")" "$(basename "$tree")"
env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u MAKEOVERRIDES -u CC -u CFLAGS -u CPPFLAGS -u LDFLAGS -u DESTDIR nice \
	rpmbuild -ba --nodeps --without check --define "_topdir $TMPDIR/rpm" --define "kamailio_version $kamailio" $spec \
	>"$TMPDIR/log" 2>&1 || fail "rpmbuild fails"
rpm=$(find "$TMPDIR/rpm/RPMS" -name "kamailio-tls-gnutls-$version-1*.rpm")
[ -f "$rpm" ] || fail "rpmbuild has made no package"
rpm -qlp "$rpm" >"$TMPDIR/files" 2>/dev/null
for file in kamailio/modules/tls_gnutls.so kamailio/tls-gnutls-check/record.so kamailio/tls-gnutls-check/load.so \
	kamailio/tls-gnutls-check/preload.so bin/tls-gnutls-ciphers bin/tls-gnutls-cert bin/tls-gnutls-check \
	man1/tls-gnutls-ciphers.1 man1/tls-gnutls-cert.1 man1/tls-gnutls-check.1 man7/tls_gnutls.7 \
	completions/tls-gnutls-cert README CHANGELOG.md doc/manual.md doc/docbook/tls_gnutls.html doc/pictures/where.svg \
	samples/kamailio.cfg doc/monitoring/fail2ban; do
	grep -q "/$file\(\.gz\)\?\$" "$TMPDIR/files" || fail "the package lacks $file"
done
! grep -F '(but unpackaged)' "$TMPDIR/log" || fail "files are installed and not packaged"
! grep '^/etc' "$TMPDIR/files" || fail "the package has files in /etc"
rpm -qp --requires "$rpm" >"$TMPDIR/requires" 2>/dev/null
grep -q "^kamailio = $kamailio" "$TMPDIR/requires" || fail "the package does not depend on its Kamailio"
grep -q '^libgnutls.so' "$TMPDIR/requires" || fail "the package does not depend on GnuTLS"
! grep -iE 'libssl|libcrypto|openssl' "$TMPDIR/requires" || fail "the package depends on OpenSSL"
# A signature and the tags Packager and Group come from the distribution, if it uses them.
rpmlint "$rpm" >"$TMPDIR/log" 2>&1 || true
grep -q ' has taken ' "$TMPDIR/log" || fail "rpmlint does not run"
! grep ': E: ' "$TMPDIR/log" | grep -vE 'no-signature|no-packager-tag|no-group-tag' ||
	fail "rpmlint finds errors in the package"
