#!/bin/sh
# tls_gnutls - installs the Debian packages a task needs, or names them to a user who may not install.
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
#
# Usage: scripts/deps.sh build|run|check|lint|bench
# Root: missing packages are installed. Others: they are named and the exit status is 1.
# On systems without dpkg nothing is checked: whoever builds there has to know their packages' names.
set -eu

build="gcc make libc6-dev libgnutls28-dev libgmp-dev libp11-kit-dev pkg-config dpkg-dev kamailio binutils"
run="$build gnutls-bin openssl"
check="$run kamailio-tls-modules kamailio-websocket-modules kamailio-lua-modules kamailio-python3-modules
	libcmocka-dev clang libclang-rt-dev llvm valgrind python3 python3-pytest python3-pytest-xdist python3-cryptography
	python3-cryptography-vectors softhsm2 opensc p11-kit-modules sipsak curl procps tshark"
lint="$check clang-format clang-tidy cppcheck universal-ctags"
bench="$run kamailio-tls-modules libssl-dev python3 python3-cryptography"

case "${1:-}" in
	build) wanted=$build ;;
	run) wanted=$run ;;
	check) wanted=$check ;;
	lint) wanted=$lint ;;
	bench) wanted=$bench ;;
	*)
		echo "usage: scripts/deps.sh build|run|check|lint|bench" >&2
		exit 2
		;;
esac

command -v dpkg-query >/dev/null || exit 0

# A source tree of the user's own stands for the packaged Kamailio.
if [ "$1" = build ] && [ -n "${KAMAILIO_SRC:-}" ]; then
	wanted=$(echo " $wanted " | sed 's/ kamailio / /; s/ dpkg-dev / /')
fi

installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' $wanted 2>/dev/null | sed -n 's/ installed$//p' | tr '\n' ' ') || true
missing=
for package in $wanted; do
	case " $installed" in *" $package "*) ;; *) missing="$missing $package" ;; esac
done
missing=${missing# }
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
	echo "These Debian packages are missing: $missing" >&2
	echo "Install them with: sudo apt-get install $missing" >&2
	exit 1
fi

echo "Installing: $missing"
log=$(mktemp)
# A Kamailio that is installed for this must not start serving on the machine.
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
# The package lists may be absent or too old: one refresh, then once more.
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
