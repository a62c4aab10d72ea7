#!/bin/sh
# tls_gnutls - builds Debian's GnuTLS with leancrypto, which has post-quantum hybrids; for tests alone
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
#
# Usage: scripts/gnutls-hybrids.sh DIR [PREFIX]      (as root, in a folder of scripts/check-hosts)
# DIR     gets libgnutls.so.30; nothing is done if it is there, of the installed version and not older than leancrypto
# PREFIX  where leancrypto 1.2 or later is installed; without it that of the package libleancrypto-dev
# The system's GnuTLS is not touched. Exit status 77: the archive does not give something, the last line says what.
set -eu

die()
{
	echo "gnutls-hybrids: $2" >&2
	exit "$1"
}

[ $# -ge 1 ] || die 2 "usage: scripts/gnutls-hybrids.sh DIR [PREFIX]"
mkdir -p "$1"
dir=$(cd "$1" && pwd)
prefix=${2:-}
install="apt-get -q -y --no-install-recommends install"
$install dpkg-dev gcc make pkg-config libgnutls28-dev libtasn1-6-dev libidn2-dev libunistring-dev nettle-dev \
	libp11-kit-dev libgmp-dev || die 77 "the archive does not give what building GnuTLS needs"
if [ -z "$prefix" ]; then
	$install libleancrypto-dev || die 77 "the archive has no leancrypto"
fi
version=$(dpkg-query -W -f '${Version}' libgnutls28-dev)
dpkg --compare-versions "$version" ge 3.8.9 || die 77 "GnuTLS $version has no support for leancrypto, 3.8.9 has"
if [ -e "$dir/libgnutls.so.30" ] && [ "$(cat "$dir/version" 2>/dev/null)" = "$version $prefix" ]; then
	exit 0
fi

status=0
"$(dirname "$0")/debian-source.sh" libgnutls28-dev gnutls28 "$version" "$dir" "$dir/source" || status=$?
case $status in
	0) ;;
	[345]) die 77 "the archive does not have the source of gnutls28 $version" ;;
	*) die 1 "the source of gnutls28 $version was not unpacked" ;;
esac
cd "$dir/source"
# The release has its configure script and Makefiles; Debian's patches of what they are made from define one macro.
find . \( -name aclocal.m4 -o -name configure -o -name config.h.in -o -name Makefile.in \) -exec touch -d now {} +
if [ -n "$prefix" ]; then
	export LEANCRYPTO_CFLAGS="-I$prefix/include" LEANCRYPTO_LIBS="-L$prefix/lib -lleancrypto"
	export LDFLAGS="-Wl,-rpath,$prefix/lib"
fi
./configure --prefix=/usr --sysconfdir=/etc --with-leancrypto --disable-doc --disable-tests --disable-tools \
	--disable-cxx --disable-libdane --without-tpm --without-tpm2 --disable-static \
	--with-default-trust-store-file=/etc/ssl/certs/ca-certificates.crt CPPFLAGS='-DGNUTLSDOMAIN=\"gnutls30\"'
make -j2 -C gl
make -j2 -C lib
cp "$(readlink -f lib/.libs/libgnutls.so.30)" "$dir/libgnutls.so.30"
cd "$dir"
rm -rf source
echo "$version $prefix" >version
