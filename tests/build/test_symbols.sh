#!/bin/sh
# tls_gnutls - global symbols follow the rules of scripts/check-symbols; the script finds each kind of offence
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
set -eu

scripts/check-symbols "$OBJ"

# The script looks for the headers beside itself: a small project with a copy of it.
tree=$TMPDIR/tree
mkdir -p "$tree/scripts"
cp scripts/check-symbols "$tree/scripts/"

# file NAME SOURCE HEADER: adds a file and its object to the project.
file()
{
	mkdir -p "$tree/$(dirname "$1")" "$tree/obj/$(dirname "$1")"
	printf '%s\n' "$2" >"$tree/$1.c"
	printf '%s\n' "$3" >"$tree/$1.h"
	gcc -w -c "$tree/$1.c" -o "$tree/obj/$1.o"
}

# verdict TEXT: what the script says about the project, then removes its files; "-": it must pass.
verdict()
{
	status=0
	"$tree/scripts/check-symbols" "$tree/obj" >"$TMPDIR/out" 2>&1 || status=$?
	if [ "$1" = - ]; then
		[ $status -eq 0 ] || status=bad
	else
		[ $status -ne 0 ] && grep -qF "$1" "$TMPDIR/out" || status=bad
	fi
	[ $status != bad ] || {
		cat "$TMPDIR/out"
		echo "expected: $1"
		exit 1
	}
	find "$tree" -mindepth 1 -maxdepth 1 ! -name scripts -exec rm -rf {} +
}

# names: the file's noun, without the prefix of the folder
file base/buf 'int tlsg_buf_len(void) { return 0; }' 'int tlsg_buf_len(void);'
verdict -
file base/buf 'static int helper(void) { return 0; } int tlsg_buf_len(void) { return helper(); }' \
	'int tlsg_buf_len(void);'
verdict -
file base/buf 'int helper(void) { return 0; }' 'int helper(void);'
verdict 'base/buf.c: helper does not begin with tlsg_'
file base/buf 'int tlsg_len(void) { return 0; }' 'int tlsg_len(void);'
verdict 'base/buf.c: tlsg_len is not called tlsg_buf_<verb>'
file base/buf 'int tlsg_buffer_len(void) { return 0; }' 'int tlsg_buffer_len(void);'
verdict 'base/buf.c: tlsg_buffer_len is not called tlsg_buf_<verb>'
file pkcs11/p11_key 'int tlsg_p11_key_open(void) { return 0; } int tlsg_key_close(void) { return 0; }' \
	'int tlsg_p11_key_open(void); int tlsg_key_close(void);'
verdict -
file pkcs11/p11_key 'int tlsg_p11_open(void) { return 0; }' 'int tlsg_p11_open(void);'
verdict 'pkcs11/p11_key.c: tlsg_p11_open is not called tlsg_key_<verb>'
file gnutls_mod/mod_vars 'int tlsg_vars_table[1]; int tlsg_var_get(void) { return 0; }' \
	'extern int tlsg_vars_table[]; int tlsg_var_get(void);'
verdict -
file profiles/cipher/rules 'int tlsg_rules_apply(void) { return 0; }' 'int tlsg_rules_apply(void);'
verdict -
file profiles/cipher/rules 'int tlsg_cipher_rules(void) { return 0; }' 'int tlsg_cipher_rules(void);'
verdict 'profiles/cipher/rules.c: tlsg_cipher_rules is not called tlsg_rules_<verb>'

# headers: the one with the file's own name
file base/buf 'int tlsg_buf_len(void) { return 0; }' ''
verdict 'base/buf.c: tlsg_buf_len is not declared in base/buf.h'
file base/buf 'int tlsg_buf_len(void) { return 0; }' '/* tlsg_buf_length */'
verdict 'base/buf.c: tlsg_buf_len is not declared in base/buf.h'
file base/buf 'int tlsg_buf_len(void) { return 0; }' ''
file base/err 'int tlsg_err_set(void) { return 0; }' 'int tlsg_err_set(void); int tlsg_buf_len(void);'
verdict 'base/buf.c: tlsg_buf_len is not declared in base/buf.h'

# commands: rpc/rpc.h declares those that have no header of their own
file rpc/rpc 'int tlsg_rpc_register(void) { return 0; }' 'int tlsg_rpc_register(void); int tlsg_rpc_list(void);'
file rpc/rpc_list 'int tlsg_rpc_list(void) { return 0; }' ''
rm "$tree/rpc/rpc_list.h"
verdict -
file rpc/rpc 'int tlsg_rpc_register(void) { return 0; }' 'int tlsg_rpc_register(void);'
file rpc/rpc_list 'int tlsg_rpc_list(void) { return 0; }' ''
rm "$tree/rpc/rpc_list.h"
verdict 'rpc/rpc_list.c: tlsg_rpc_list is not declared in rpc/rpc.h'
file rpc/rpc 'int tlsg_rpc_register(void) { return 0; }' 'int tlsg_rpc_register(void); int tlsg_rpc_list(void);'
file rpc/rpc_list 'int tlsg_rpc_list(void) { return 0; }' '/* nothing */'
verdict 'rpc/rpc_list.c: tlsg_rpc_list is not declared in rpc/rpc_list.h'
file gnutls_mod/mod_rpc 'int tlsg_mod_rpc_start(void) { return 0; }' ''
rm "$tree/gnutls_mod/mod_rpc.h"
file rpc/rpc 'int tlsg_rpc_register(void) { return 0; }' 'int tlsg_rpc_register(void); int tlsg_mod_rpc_start(void);'
verdict 'gnutls_mod/mod_rpc.c: tlsg_mod_rpc_start is not declared in gnutls_mod/mod_rpc.h'

# what Kamailio's loader looks up
file gnutls_mod/mod_main \
	'int exports, module_version, module_flags, module_interface_ver; int mod_register(void) { return 0; }
	int tlsg_main_x(void) { return 0; }' 'int tlsg_main_x(void);'
verdict -
file rpc/rpc_list 'int exports;' ''
verdict 'rpc/rpc_list.c: exports does not begin with tlsg_'

# variables: not for other folders
file base/buf 'int tlsg_buf_count = 1;' 'extern int tlsg_buf_count;'
file base/err 'extern int tlsg_buf_count; int tlsg_err_set(void) { return tlsg_buf_count; }' 'int tlsg_err_set(void);'
verdict -
file base/buf 'int tlsg_buf_count = 1;' 'extern int tlsg_buf_count;'
file pkcs11/p11_key 'extern int tlsg_buf_count; int tlsg_key_open(void) { return tlsg_buf_count; }' \
	'int tlsg_key_open(void);'
verdict 'base/buf.c: the variable tlsg_buf_count is used by pkcs11/p11_key.c'

# GnuTLS and p11-kit: not in rpc and gnutls_mod
file transport/conn 'extern int gnutls_bye(void); int tlsg_conn_end(void) { return gnutls_bye(); }' \
	'int tlsg_conn_end(void);'
verdict -
file rpc/rpc_list 'extern int gnutls_bye(void); int tlsg_list_end(void) { return gnutls_bye(); }' \
	'int tlsg_list_end(void);'
verdict 'rpc/rpc_list.c: uses gnutls_bye'
file gnutls_mod/mod_main 'extern void (*gnutls_free)(void *); void tlsg_main_end(void) { gnutls_free(0); }' \
	'void tlsg_main_end(void);'
verdict 'gnutls_mod/mod_main.c: uses gnutls_free'
file gnutls_mod/mod_main 'extern int p11_kit_x(void); int tlsg_main_end(void) { return p11_kit_x(); }' \
	'int tlsg_main_end(void);'
verdict 'gnutls_mod/mod_main.c: uses p11_kit_x'
file gnutls_mod/mod_main 'static int gnutls_own(void) { return 0; } int tlsg_main_end(void) { return gnutls_own(); }' \
	'int tlsg_main_end(void);'
verdict -

# an object without a source does not count, and no object at all is an offence
file base/buf 'int tlsg_buf_len(void) { return 0; }' 'int tlsg_buf_len(void);'
file base/gone 'int wrong(void) { return 0; }' ''
rm "$tree/base/gone.c"
verdict -
mkdir "$tree/obj"
verdict 'no symbols'
