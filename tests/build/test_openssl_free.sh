#!/bin/sh
# tls_gnutls - neither building nor running needs OpenSSL: libraries, headers, packages
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
#
# Tests may use the openssl command as a peer.
set -eu

fail()
{
	echo "$*"
	exit 1
}
tool=$(dirname "$MODULE")/tls-gnutls-ciphers

# ---- at run time: what the loader maps for module and tool, libraries of libraries included
for file in "$MODULE" "$tool"; do
	ldd "$file" >"$TMPDIR/libraries"
	grep -q libgnutls "$TMPDIR/libraries" || fail "$file is not linked with GnuTLS"
	! grep -E 'libssl|libcrypto' "$TMPDIR/libraries" || fail "$file needs OpenSSL"
done

# ---- at build time: the files that the compiler has read
find "$(dirname "$MODULE")/obj" "$(dirname "$MODULE")/tool" -name '*.d' -exec cat {} + >"$TMPDIR/headers"
grep -q 'gnutls/' "$TMPDIR/headers" || grep -q 'base/host.h' "$TMPDIR/headers" || fail "no dependencies were recorded"
! grep -o '[^ ]*openssl/[^ ]*' "$TMPDIR/headers" || fail "headers of OpenSSL are read"

# ---- the packages
wrong='^ *(lib(ssl|crypto)|openssl)'
if grep -nEi "$wrong" packaging/debian/control packaging/debian/tests/control; then
	fail "a Debian package depends on OpenSSL"
fi
for other in packaging/rpm/*.spec packaging/alpine/APKBUILD; do
	[ ! -f "$other" ] || ! grep -nEi '^(Build)?Requires:.*(openssl|libssl)|^(make)?depends=.*openssl' "$other" ||
		fail "$other depends on OpenSSL"
done
for task in build run deb; do
	list=$(sed -n "s/^$task=\"\(.*\)\"/\1/p" scripts/deps.sh)
	[ -n "$list" ] || fail "scripts/deps.sh has no list $task"
	case " $list " in
		*libssl*) fail "scripts/deps.sh: $task needs OpenSSL" ;;
	esac
done
case $(sed -n 's/^build="\(.*\)"/\1/p' scripts/deps.sh) in
	*openssl*) fail "scripts/deps.sh: building needs OpenSSL" ;;
esac
