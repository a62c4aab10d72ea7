#!/bin/sh
# tls_gnutls - copies a source tree of Kamailio, with this project as one of its modules
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
#
# Usage: scripts/unpack-tree.sh TREE TO
# TO is made anew: the clean sources of TREE, and in src/modules/tls_gnutls the files of this project, without build/.
set -eu

[ $# -eq 2 ] && [ -f "$1/src/Makefile.defs" ] || {
	echo "usage: scripts/unpack-tree.sh TREE TO, where TREE has the sources of Kamailio" >&2
	exit 2
}
rm -rf "$2"
mkdir -p "$2"
(cd "$1" && tar -c --exclude='*.o' --exclude='*.so' --exclude='*.d' --exclude=.git --exclude=config.mak \
	--exclude=makecfg.lst --exclude=./build .) | tar -x -C "$2"
module=$2/src/modules/tls_gnutls
rm -rf "$module"
mkdir "$module"
(cd "$(dirname "$0")/.." && if git rev-parse --git-dir >/dev/null 2>&1; then
	git ls-files --cached --others --exclude-standard
else
	find . -path ./build -prune -o -type f -print
fi | tar -c -T -) | tar -x -C "$module"
