#!/bin/sh
# tls_gnutls - `make dist`: the tarball that packages start from
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
#
# Usage: scripts/make-dist.sh DIR VERSION
# Leaves DIR/tls_gnutls-VERSION.tar.gz and prints its name. In a checkout it has what is committed, and what
# scripts/make-docbook makes of that: README, doc/docbook/*.xml, doc/docbook/tls_gnutls.html, doc/man/tls_gnutls.7.
# Without the programs for that a note says so, and they are left out. Elsewhere it has all files but build/.
# Times, owners, modes and order do not depend on the machine.
set -eu

[ $# -eq 2 ] || {
	echo "usage: scripts/make-dist.sh DIR VERSION" >&2
	exit 2
}
mkdir -p "$1"
name=tls_gnutls-$2
file=$1/$name.tar.gz
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
tree=$scratch/$name
mkdir "$tree"
if [ -e .git ]; then
	[ -z "$(git status --porcelain)" ] || echo "make-dist: not committed, and not in the tarball:" \
		"$(git status --porcelain | sed 's/^...//' | tr '\n' ' ')" >&2
	git archive --format=tar HEAD | tar -x -C "$tree"
	date=$(git log -1 --format=%cI)
	if "$tree/scripts/make-docbook" --check; then
		"$tree/scripts/make-docbook" "$scratch/doc"
		mv "$scratch/doc/README" "$tree/"
		mv "$scratch/doc/docbook"/*.xml "$scratch/doc/tls_gnutls.html" "$tree/doc/docbook/"
		mv "$scratch/doc/tls_gnutls.7" "$tree/doc/man/"
	else
		echo "make-dist: the tarball has no README, DocBook, HTML and tls_gnutls(7)" >&2
	fi
else
	tar -c --exclude=./build . | tar -x -C "$tree"
	date=$(date -R -r CHANGELOG.md)
fi
tar -c -C "$scratch" --format=ustar --sort=name --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX --mtime="$date" \
	"$name" | gzip -9n >"$file.new"
mv "$file.new" "$file"
echo "$file"
