#!/bin/sh
# tls_gnutls - all that is linked is protected as hardening-check sees it, and by the processor's features
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
set -eu

. tests/lib/build.sh
# Nothing in preload.so has an array on the stack: there is nothing that the compiler would protect.
set -- "$MODULE" "$build/tls-gnutls-ciphers" "$build/check/load.so" "$build/check/record.so"
all="$* $build/check/preload.so"

# The linker marks a file for control flow integrity if all its parts are; those of Debian 12's C library are not.
# Protection of branches is for arm64; newer versions of hardening-check look for it everywhere.
ignored=--nocfprotection
! grep -q nobranchprotection "$(command -v hardening-check)" || ignored="$ignored --nobranchprotection"
hardening-check $ignored "$@" >"$TMPDIR/out" || fail "not protected"
for want in 'Stack protected: yes' 'Fortify Source functions: yes' 'Read-only relocations: yes' \
	'Immediate binding: yes'; do
	[ "$(grep -c "$want" "$TMPDIR/out")" -eq $# ] || fail "not in all files: $want"
done
grep -q 'Position Independent Executable: yes' "$TMPDIR/out" || fail "the tool is not position independent"
hardening-check $ignored --nostackprotector $all >"$TMPDIR/out" || fail "not protected"

# These are all files that are linked and installed.
for file in $(find "$build" -maxdepth 2 \( -path "$build/check/*" -o -path "$build/tls*" \) -type f); do
	if readelf -h "$file" >/dev/null 2>&1; then
		case " $all " in *" $file "*) ;; *) fail "not looked at: $file" ;; esac
	fi
done

# Objects are compiled with what this compiler and processor have.
object=$build/obj/base/err.o
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
if hardening-check $ignored "$TMPDIR/weak" >"$TMPDIR/out"; then
	echo "hardening-check passes a program without protection"
	exit 1
fi
