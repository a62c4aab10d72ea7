#!/bin/sh
# tls_gnutls - run by test_deb.sh in a fresh Debian: `make deb` from the tarball, a second build, lintian
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
set -eu

version=$1
[ -d /share ] || {
	echo "this script is run by test_deb.sh"
	exit 1
}
apt-get -q update
apt-get -q -y --no-install-recommends install make ca-certificates
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
! dpkg-deb -f /share/kamailio-tls-gnutls-modules_*.deb Depends Recommends | grep -iE 'libssl|openssl'
! grep -iE '^ *(libssl|openssl)' debian/control
echo "## no OpenSSL among the dependencies"

apt-get -q -y --no-install-recommends install lintian
lintian --allow-root --no-tag-display-limit --fail-on error,warning "/share/kamailio-tls-gnutls_$version-1_"*.changes
echo "## lintian: no errors, no warnings"
