#!/bin/sh
# tls_gnutls - finds or installs the Debian packages that a task needs
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
#
# Usage: scripts/deps.sh check|install build|run|check|lint|bench
# check:   names the missing packages and how to install them; exit status 1 if there are any. Changes nothing.
# install: installs them as root; otherwise as check.
# Without dpkg nothing is checked: other systems have other package names.
set -eu

build="gcc make libc6-dev libgnutls28-dev libgmp-dev libp11-kit-dev pkg-config dpkg-dev kamailio binutils"
run="$build gnutls-bin openssl"
check="$run kamailio-tls-modules kamailio-websocket-modules kamailio-lua-modules kamailio-python3-modules
	libcmocka-dev clang libclang-rt-dev llvm valgrind python3 python3-pytest python3-pytest-xdist python3-cryptography
	python3-openssl python3-cryptography-vectors softhsm2 opensc p11-kit-modules sip-tester sipsak curl procps tshark
	sslscan testssl.sh python3-ecdsa"
lint="$check clang-format clang-tidy cppcheck universal-ctags"
bench="$run kamailio-tls-modules libssl-dev python3 python3-cryptography python3-openssl"

usage()
{
	echo "usage: scripts/deps.sh check|install build|run|check|lint|bench" >&2
	exit 2
}
[ $# -eq 2 ] || usage
action=$1
task=$2
case $action in
	check | install) ;;
	*) usage ;;
esac
case $task in
	build) wanted=$build ;;
	run) wanted=$run ;;
	check) wanted=$check ;;
	lint) wanted=$lint ;;
	bench) wanted=$bench ;;
	*) usage ;;
esac

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
		dpkg-dev) command -v dpkg-source ;;
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

install()
{
	DEBIAN_FRONTEND=noninteractive apt-get -y -q --no-install-recommends install $missing >"$log" 2>&1 </dev/null
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
