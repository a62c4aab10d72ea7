# tls_gnutls - for tests of the build: a module that carries the version and flags strings that a test wants
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
#
# Sourced by tests that have the module in $MODULE and a folder of their own in $TMPDIR. Sets $version and $flags, the
# module's strings.

fail()
{
	echo "$*"
	exit 1
}

# carrying VERSION FLAGS: makes $TMPDIR/sl.so, which stands for an installed module with these strings.
carrying()
{
	cat >"$TMPDIR/strings.c" <<-END
		char *module_version = "$1";
		char *module_flags = "$2";
	END
	gcc -shared -fPIC "$TMPDIR/strings.c" -o "$TMPDIR/sl.so"
}

strings=$(scripts/module-strings.sh "$MODULE")
version=$(echo "$strings" | sed -n 's/^version: //p')
flags=$(echo "$strings" | sed -n 's/^flags: //p')
[ -n "$version" ] && [ -n "$flags" ] || fail "module-strings prints no strings: $strings"
