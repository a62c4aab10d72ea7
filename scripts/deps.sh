#!/bin/sh
# tls_gnutls - finds or installs the Debian packages that a task needs
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
#
# Usage: scripts/deps.sh check|install|list build|run|core|check|lint|bench|deb|dist|hosts|trees
# check:   names the missing packages and how to install them; exit status 1 if there are any. Changes nothing.
# install: installs them as root; otherwise as check.
# list:    prints the names of all packages of the task.
# Without dpkg nothing is checked: other systems have other package names.
set -eu

build="gcc make libc6-dev libgnutls28-dev libgmp-dev libp11-kit-dev pkg-config dpkg-dev kamailio binutils"

usage()
{
	echo "usage: scripts/deps.sh check|install|list build|run|core|check|lint|bench|deb|dist|hosts|trees" >&2
	exit 2
}
[ $# -eq 2 ] || usage
action=$1
task=$2
case $action in
	check | install | list) ;;
	*) usage ;;
esac
if command -v dpkg-query >/dev/null; then
	# From 6.1 on Kamailio is packaged with CMake, and only that tells the defines of such a package.
	version=$(dpkg-query -W -f '${Version}' kamailio 2>/dev/null) || version=
	[ -n "$version" ] || version=$(apt-cache policy kamailio 2>/dev/null | sed -n 's/^ *Candidate: //p')
	if [ -n "$version" ] && dpkg --compare-versions "$version" ge 6.1~; then
		build="$build cmake"
	fi
fi
# netbase: without /etc/protocols the core logs an error at start
run="$build gnutls-bin openssl netbase"
# core: for the unit tests and the end-to-end tests that scripts/check-hosts --core runs
core="$run kamailio-tls-modules kamailio-websocket-modules libcmocka-dev python3 python3-pytest python3-pytest-xdist
	python3-cryptography python3-openssl softhsm2 opensc p11-kit-modules sip-tester sipsak curl procps elfutils"
check="$core kamailio-lua-modules kamailio-python3-modules ca-certificates git
	clang libclang-rt-dev llvm valgrind python3-cryptography-vectors tshark sslscan testssl.sh python3-ecdsa
	kamcli devscripts man-db python3-openssl sip-tester
	swtpm tpm2-abrmd libtss2-tcti-tabrmd0 dbus-daemon tpm2-tools libtpm2-pkcs11-1 libtpm2-pkcs11-tools
	opencryptoki p11-kit libnss3 libnss3-tools"
lint="$check clang-format clang-tidy cppcheck universal-ctags"
bench="$run kamailio-tls-modules libssl-dev python3 python3-cryptography python3-openssl valgrind"
deb="$build build-essential cmake debhelper fakeroot libcmocka-dev xz-utils git"
case $task in
	build) wanted=$build ;;
	run) wanted=$run ;;
	core) wanted=$core ;;
	check) wanted=$check ;;
	lint) wanted=$lint ;;
	bench) wanted=$bench ;;
	hosts) wanted="debootstrap debian-archive-keyring util-linux" ;;
	trees) wanted="$core bison flex cmake libssl-dev" ;;
	deb) wanted=$deb ;;
	dist) wanted="git pandoc xsltproc docbook-xsl docbook-xml lynx libxml2-utils" ;;
	*) usage ;;
esac

if [ "$action" = list ]; then
	echo $wanted
	exit 0
fi
command -v dpkg-query >/dev/null || exit 0

# A source tree given by the user replaces the packaged Kamailio.
if [ "$task" = build ] && [ -n "${KAMAILIO_SRC:-}" ]; then
	wanted=$(echo " $wanted " | sed 's/ kamailio / /; s/ dpkg-dev / /')
fi

compiles()
{
	echo "#include <$1>" | ${CC:-gcc} ${CPPFLAGS:-} -E -x c - >/dev/null 2>&1
}

# usable PACKAGE: whether what the build needs of a package is there, installed by other means.
usable()
{
	case $1 in
		gcc) command -v ${CC:-gcc} ;;
		make) command -v make ;;
		binutils) command -v readelf ;;
		pkg-config) command -v pkg-config ;;
		cmake) command -v cmake ;;
		dpkg-dev) command -v dpkg-source ;;
		netbase) [ -f /etc/protocols ] ;;
		libc6-dev) compiles stdlib.h ;;
		libgmp-dev) compiles gmp.h ;;
		libgnutls28-dev) pkg-config --exists gnutls ;;
		libp11-kit-dev) pkg-config --exists p11-kit-1 ;;
		*) false ;;
	esac >/dev/null 2>&1
}

installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' $wanted 2>/dev/null |
	sed -n 's/ installed$//p' | tr '\n' ' ') || true
missing=
for package in $wanted; do
	case " $installed" in *" $package "*) continue ;; esac
	usable "$package" || missing="$missing $package"
done
missing=${missing# }
[ -n "$missing" ] || exit 0

if [ "$action" = check ] || [ "$(id -u)" -ne 0 ]; then
	echo "Missing Debian packages: $missing" >&2
	if [ "$task" = build ]; then
		echo "Install them with \"make deps\" as root, or with: sudo apt-get install $missing" >&2
	else
		echo "Install them with: sudo apt-get install $missing" >&2
	fi
	case " $missing " in
		*" kamailio "*) [ "$task" != build ] || echo "Or name Kamailio's source tree: make KAMAILIO_SRC=DIR" >&2 ;;
	esac
	exit 1
fi

echo "Installing: $missing"
log=$(mktemp)
# A Kamailio that is installed here must not be started as a service.
policy=/usr/sbin/policy-rc.d
made_policy=
cleanup()
{
	rm -f "$log"
	[ -z "$made_policy" ] || rm -f "$policy"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
if [ ! -e "$policy" ]; then
	made_policy=1
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod +x "$policy"
fi

# dpkg cannot ask: a file that is in /etc already, such as /etc/kamailio/tls.cfg of tls-gnutls-cert, is kept.
install()
{
	DEBIAN_FRONTEND=noninteractive apt-get -y -q --no-install-recommends -o Dpkg::Options::=--force-confold \
		install $missing >"$log" 2>&1 </dev/null
}
# The package lists may be missing or too old: refresh them once and try again.
install || {
	apt-get -q update >"$log" 2>&1 || {
		cat "$log" >&2
		echo "deps: apt-get update failed (see above)" >&2
		exit 1
	}
	install || {
		cat "$log" >&2
		echo "deps: could not install: $missing (see above)" >&2
		exit 1
	}
}
