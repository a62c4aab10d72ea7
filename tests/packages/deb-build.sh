#!/bin/sh
# tls_gnutls - run by test_deb.sh in a fresh Debian: `make deb` from the tarball, a second build, lintian
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
set -eu

. "$(dirname "$0")/deb-lib.sh"
apt_install make ca-certificates
mkdir /build
cd /build
tar -x -f "/share/tls_gnutls-$version.tar.gz"
cd "tls_gnutls-$version"
[ ! -d /share/kamailio ] || KAMAILIO_SRC=/share/kamailio
make deb ${KAMAILIO_SRC:+KAMAILIO_SRC=$KAMAILIO_SRC}
cp build/deb/*.deb build/deb/*.dsc build/deb/*.tar.* build/deb/*.changes build/deb/*.buildinfo /share/
echo "## make deb from the tarball: $(ls build/deb/*-modules_*.deb | sed 's,.*/,,')"

# ---- the source package builds without network, by its own build dependencies, to the same bytes
cd /share
apt-get -q -y --no-install-recommends build-dep "./kamailio-tls-gnutls_$version-1.dsc"
mkdir -p /elsewhere/deeper
cd /elsewhere/deeper
dpkg-source -x "/share/kamailio-tls-gnutls_$version-1.dsc" other
cd other
umask 077
unshare -n env TZ=Pacific/Auckland LANG=C DEB_BUILD_OPTIONS=nocheck dpkg-buildpackage -us -uc -b
for file in /elsewhere/deeper/*.deb; do
	cmp "$file" "/share/$(basename "$file")"
done
echo "## the same bytes from a second build in another folder, without network"

# ---- no OpenSSL among the dependencies
deb=$(ls /share/kamailio-tls-gnutls-modules_*.deb)
dpkg-deb -f "$deb" Pre-Depends Depends Recommends Suggests >/tmp/wanted
sed -n '/^Build-Depends/,/^[A-Z]/p' debian/control >>/tmp/wanted
grep -q libgnutls30 /tmp/wanted && grep -q libgnutls28-dev /tmp/wanted
if grep -iE 'libssl|libcrypto|openssl' /tmp/wanted; then
	echo "the package needs OpenSSL"
	exit 1
fi
dpkg-deb -x "$deb" /tmp/package
find /tmp/package -type f >/tmp/files
while read -r file; do
	! readelf -h "$file" >/dev/null 2>&1 || echo "$file"
done </tmp/files >/tmp/linked
[ "$(wc -l </tmp/linked)" -eq 5 ] || {
	cat /tmp/linked
	echo "not five files are linked: the module, a tool, three files of tls-gnutls-check"
	exit 1
}
if xargs ldd </tmp/linked | grep -E 'libssl|libcrypto'; then
	echo "a file of the package is linked with OpenSSL"
	exit 1
fi
echo "## no OpenSSL among the dependencies: $(dpkg-deb -f "$deb" Depends)"

apt_install lintian devscripts
# Protection of branches is for arm64; newer versions look for it everywhere.
ignored=--nocfprotection
! grep -q nobranchprotection /usr/bin/hardening-check || ignored="$ignored --nobranchprotection"
# Nothing in preload.so has an array on the stack: there is nothing that the compiler would protect.
hardening-check $ignored $(grep -v /preload.so /tmp/linked)
hardening-check $ignored --nostackprotector $(grep /preload.so /tmp/linked)
echo "## hardening-check: all $(wc -l </tmp/linked) files that are linked"
lintian --allow-root --tag-display-limit 0 --fail-on error,warning "/share/kamailio-tls-gnutls_$version-1_"*.changes
echo "## lintian: no errors, no warnings"
