#!/bin/sh
# tls_gnutls - run by test_deb.sh in a fresh Debian: the package installs, serves, is upgraded and purged
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
set -eu

. "$(dirname "$0")/deb-lib.sh"
package=kamailio-tls-gnutls-modules
deb=$(ls /share/${package}_*.deb)

# all_files: of the system, without what every installation changes.
all_files()
{
	find / -xdev \( -path /proc -o -path /dev -o -path /tmp -o -path /var/lib/dpkg -o -path /var/lib/apt \
		-o -path /var/cache -o -path /var/log -o -path /share -o -path /run \) -prune -o -print | sort
}
apt_install kamailio gnutls-bin netbase procps
all_files >/tmp/before

# ---- an older version first
dpkg-deb -R "$deb" /tmp/older
sed -i "s/^Version: .*/Version: $version-0/" /tmp/older/DEBIAN/control
dpkg-deb -b /tmp/older "/tmp/${package}_older.deb"
apt_install "/tmp/${package}_older.deb"
mkdir -p /etc/kamailio
tls-gnutls-cert --config --group kamailio
cksum /etc/kamailio/tls.cfg /etc/kamailio/kamailio-selfsigned.* >/tmp/sums
apt_install "$deb"
[ "$(dpkg-query -W -f '${Version}' $package)" = "$version-1" ]
cksum /etc/kamailio/tls.cfg /etc/kamailio/kamailio-selfsigned.* | cmp - /tmp/sums
[ -z "$(dpkg -L $package | grep '^/etc')" ]
dpkg -V $package
echo "## installed, and upgraded from $version-0; the configuration stays"

# ---- the packaged tests
/share/serve
echo "## serves SIP over TLS"
apt_install -o Dpkg::Options::=--force-confold kamailio-tls-modules
/share/neighbours
echo "## kamailio-tls-modules can be installed too; the configuration chooses"
apt-get -q -y purge kamailio-tls-modules
apt-get -q -y autoremove --purge

# ---- with the configuration of the package kamailio and its user: only the line of the module differs
sed 's/^#!KAMAILIO$/#!KAMAILIO\n#!define WITH_TLS/; s/loadmodule "tls.so"/loadmodule "tls_gnutls.so"/' \
	/etc/kamailio/kamailio.cfg >/tmp/kamailio.cfg
grep -q 'tls_gnutls.so' /tmp/kamailio.cfg
[ -f /etc/kamailio/tls.cfg ] || tls-gnutls-cert --config --group kamailio
kamailio -c -f /tmp/kamailio.cfg
echo "## kamailio.cfg of Debian with WITH_TLS is accepted"

# ---- purge leaves what the administrator made, and nothing else
apt-get -q -y purge $package
rm -f /etc/kamailio/tls.cfg /etc/kamailio/tls.cfg.* /etc/kamailio/kamailio-selfsigned.*
all_files >/tmp/after
comm -13 /tmp/before /tmp/after | grep -vE '/__pycache__|\.pyc$|^/usr/share/info|ld.so.cache|^/var/lib/(systemd|ucf)' |
	xargs -r -d '\n' sh -c 'for f; do ! dpkg -S "$f" >/dev/null 2>&1 && echo "$f"; done; true' sh >/tmp/left
[ ! -s /tmp/left ] || {
	cat /tmp/left
	echo "left behind after purge"
	exit 1
}
echo "## purged; nothing is left"
