#!/bin/sh
# tls_gnutls - global symbols are named by the rule; the script that checks it sees offences
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
set -eu

scripts/check-symbols "$OBJ"

# The script looks for the headers beside itself: a small project of our own, with a copy of it.
tree=$TMPDIR/tree
mkdir -p "$tree/scripts" "$tree/obj/base" "$tree/obj/pkcs11" "$tree/base" "$tree/pkcs11"
cp scripts/check-symbols "$tree/scripts/"

# verdict BASE_C BASE_H PKCS11_C PKCS11_H TEXT: what the script says about two files; "-": it must pass.
verdict()
{
	printf '%s\n' "$1" >"$tree/base/b.c"
	printf '%s\n' "$2" >"$tree/base/b.h"
	printf '%s\n' "$3" >"$tree/pkcs11/p.c"
	printf '%s\n' "$4" >"$tree/pkcs11/p.h"
	gcc -w -c "$tree/base/b.c" -o "$tree/obj/base/b.o"
	gcc -w -c "$tree/pkcs11/p.c" -o "$tree/obj/pkcs11/p.o"
	status=0
	"$tree/scripts/check-symbols" "$tree/obj" >"$TMPDIR/out" 2>&1 || status=$?
	if [ "$5" = - ]; then
		[ $status -eq 0 ] && return
	elif [ $status -ne 0 ] && grep -qF "$5" "$TMPDIR/out"; then
		return
	fi
	cat "$TMPDIR/out"
	echo "expected: $5"
	exit 1
}
p='int tlsg_p11_open(void) { return 0; }'
ph='int tlsg_p11_open(void);'
verdict 'int tlsg_buf_len(void) { return 0; }' 'int tlsg_buf_len(void);' "$p" "$ph" -
verdict 'static int helper(void) { return 0; } int tlsg_buf_len(void) { return helper(); }' 'int tlsg_buf_len(void);' "$p" "$ph" -
verdict 'int helper(void) { return 0; }' 'int helper(void);' "$p" "$ph" 'base: helper does not begin with tlsg_'
verdict 'int tlsg_buf_len(void) { return 0; }' '' "$p" "$ph" 'base: tlsg_buf_len is declared in no header'
verdict 'int tlsg_buf_count = 1;' 'extern int tlsg_buf_count;' "$p" "$ph" -
verdict 'int tlsg_buf_count = 1;' 'extern int tlsg_buf_count;' \
	'extern int tlsg_buf_count; int tlsg_p11_open(void) { return tlsg_buf_count; }' "$ph" \
	'base: the variable tlsg_buf_count is used by pkcs11'
verdict 'int tlsg_p11_len(void) { return 0; }' 'int tlsg_p11_len(void);' "$p" "$ph" \
	'tlsg_p11_ is used by more than one folder: base pkcs11'
