# tls_gnutls - what the scripts that test_deb.sh runs in a fresh Debian begin with
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
#
# Sourced by them, with their parameter, the version; sets $version.

version=$1
[ -d /share ] || {
	echo "this script is run by test_deb.sh"
	exit 1
}

# apt_install PACKAGE...: with what they depend on, and no more. Options of apt-get may stand in front.
apt_install()
{
	apt-get -q -y --no-install-recommends install "$@"
}
apt-get -q update
