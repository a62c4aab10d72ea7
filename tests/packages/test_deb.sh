#!/bin/sh
# tls_gnutls - `make deb` in fresh Debian systems: builds reproducibly, passes lintian, installs, serves, is purged
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
#
# Environment: DEB_RELEASES  code names of Debian's releases, default: the one of this machine; KAMAILIO_SRC_<name>  the
# source of that release's kamailio, where its archive does not have it; DEB_BUILD_OPTIONS, for example nocheck.
# Needs root, debootstrap, the network.
# The systems are unpacked to build/packages/<name>/root and kept, as are the packages that apt fetches, in archives
# beside it; each step works on a copy of the system of its own, in memory.
set -eu

cd "$(dirname "$0")/../.."
top=$(pwd)

# ---- inside the new namespaces: the folder, with a layer over it that is gone afterwards
if [ "${1:-}" = --inside ]; then
	base=$2
	share=$3
	script=$4
	shift 4
	mount -t tmpfs -o mode=755 tmpfs "$base/layer"
	mkdir "$base/layer/upper" "$base/layer/work" "$base/layer/merged"
	mount -t overlay overlay -o "lowerdir=$base/root,upperdir=$base/layer/upper,workdir=$base/layer/work" \
		"$base/layer/merged"
	root=$base/layer/merged
	mkdir -p "$root/share"
	mount --bind "$share" "$root/share"
	mount --bind "$base/archives" "$root/var/cache/apt/archives"
	mount -t proc proc "$root/proc"
	mount --rbind /dev "$root/dev"
	mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
	cp -L /etc/resolv.conf /etc/hosts "$root/etc/" 2>/dev/null || true
	printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
	chmod 755 "$root/usr/sbin/policy-rc.d"
	exec chroot "$root" /usr/bin/env -i HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
		DEB_BUILD_OPTIONS="${DEB_BUILD_OPTIONS:-}" PATH=/usr/sbin:/usr/bin:/sbin:/bin sh -eu "/share/$script" "$@"
fi

skip()
{
	echo "$*"
	exit 77
}
[ "$(id -u)" -eq 0 ] || skip "only root can unpack a Debian system"
command -v debootstrap >/dev/null || skip "debootstrap is not installed"
unshare --mount --pid --fork true 2>/dev/null || skip "unshare does not work here"

child=
cleanup()
{
	[ -z "$child" ] || kill -KILL "$child" 2>/dev/null || true
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# inside SCRIPT ARGUMENT...: runs a script of $share in a fresh copy of the system; the output goes to a log.
inside()
{
	unshare --mount --propagation private --pid --fork --kill-child --mount-proc \
		"$top/tests/packages/test_deb.sh" --inside "$base" "$share" "$@" >"$share/$1.log" 2>&1 </dev/null &
	child=$!
	status=0
	wait "$child" || status=$?
	child=
	if [ $status -ne 0 ]; then
		tail -n 50 "$share/$1.log"
		echo "$release: $1 fails"
		exit 1
	fi
	grep '^## ' "$share/$1.log" | sed "s/^## /$release: /"
}

here=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
version=$(sed -n 's/^#define TLSG_VERSION "\(.*\)"/\1/p' base/version.h)
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' 2>/dev/null | grep -v security | head -n 1)
[ -n "$mirror" ] || skip "apt knows no archive of Debian"
for release in ${DEB_RELEASES:-$here}; do
	base=$top/build/packages/$release
	share=$base/share
	rm -rf "$share"
	mkdir -p "$base/layer" "$base/archives/partial" "$share"
	if [ ! -e "$base/complete" ]; then
		rm -rf "$base/root"
		debootstrap --variant=minbase "$release" "$base/root" "$mirror" >"$base/bootstrap.log" 2>&1 || {
			tail -n 3 "$base/bootstrap.log"
			skip "$release: the archive cannot give the system at the moment"
		}
		touch "$base/complete"
	fi
	eval "source=\${KAMAILIO_SRC_$release:-}"
	if [ -n "$source" ]; then
		mkdir "$share/kamailio"
		tar -c -C "$source" --exclude=.git --exclude='*.o' --exclude='*.so' . | tar -x -C "$share/kamailio"
	fi
	scripts/make-dist.sh "$share" "$version" >/dev/null
	cp tests/packages/deb-*.sh packaging/debian/tests/serve packaging/debian/tests/neighbours "$share/"
	inside deb-build.sh "$version"
	inside deb-test.sh "$version"
	inside deb-use.sh "$version"
	rm -rf "$share"
done
