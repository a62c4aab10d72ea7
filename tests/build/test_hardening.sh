#!/bin/sh
# tls_gnutls - module and tool are protected as hardening-check sees it, and by the processor's features
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
set -eu

tool=$(dirname "$MODULE")/tls-gnutls-ciphers
# The linker marks a file for control flow integrity if all its parts are; those of Debian 12's C library are not.
hardening-check --nocfprotection "$MODULE" "$tool" >"$TMPDIR/out" || {
	cat "$TMPDIR/out"
	exit 1
}
for want in 'Stack protected: yes' 'Fortify Source functions: yes' 'Read-only relocations: yes' \
	'Immediate binding: yes'; do
	[ "$(grep -c "$want" "$TMPDIR/out")" -eq 2 ] || {
		cat "$TMPDIR/out"
		echo "not in both files: $want"
		exit 1
	}
done
grep -q 'Position Independent Executable: yes' "$TMPDIR/out" || {
	echo "the tool is not position independent"
	exit 1
}

# Objects are compiled with what this compiler and processor have.
object=$(dirname "$MODULE")/obj/base/err.o
if [ "$(uname -m)" = x86_64 ]; then
	readelf -n "$object" | grep -q 'IBT, SHSTK' || {
		echo "$object is not compiled with -fcf-protection"
		exit 1
	}
fi

# The check finds what is not protected.
printf '#include <stdio.h>\n#include <string.h>\n%s\n' \
	'int main(int n, char **v) { char b[9]; strcpy(b, v[n - 1]); return puts(b); }' >"$TMPDIR/weak.c"
gcc -w -O2 -no-pie -fno-stack-protector -U_FORTIFY_SOURCE -Wl,-z,norelro -o "$TMPDIR/weak" "$TMPDIR/weak.c"
if hardening-check --nocfprotection "$TMPDIR/weak" >"$TMPDIR/out"; then
	echo "hardening-check passes a program without protection"
	exit 1
fi
