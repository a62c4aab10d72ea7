#!/bin/sh
# tls_gnutls - `make dist`: the tarball that packages start from
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
#
# Usage: scripts/make-dist.sh DIR VERSION
# Leaves DIR/tls_gnutls-VERSION.tar.gz and prints its name. In a checkout it has what is committed, elsewhere all files
# but build/. Times, owners and order do not depend on the machine.
set -eu

[ $# -eq 2 ] || {
	echo "usage: scripts/make-dist.sh DIR VERSION" >&2
	exit 2
}
mkdir -p "$1"
name=tls_gnutls-$2
file=$1/$name.tar.gz
if [ -e .git ]; then
	[ -z "$(git status --porcelain)" ] || echo "make-dist: not committed, and not in the tarball:" \
		"$(git status --porcelain | sed 's/^...//' | tr '\n' ' ')" >&2
	git archive --format=tar --prefix="$name/" HEAD >"$file.new"
else
	tar -c --sort=name --owner=0 --group=0 --numeric-owner --mtime=./CHANGELOG.md --exclude=./build \
		--transform="s,^\.,$name," . >"$file.new"
fi
gzip -9n <"$file.new" >"$file"
rm -f "$file.new"
echo "$file"
