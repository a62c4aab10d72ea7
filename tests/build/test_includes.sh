#!/bin/sh
# tls_gnutls - includes point down the list of folders; the script that checks it sees offences
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
set -eu

scripts/check-includes

# offence FILE INCLUDE TEXT: a tree with that line must be refused with that text; "-" for the text: must pass.
offence()
{
	rm -rf "$TMPDIR/tree"
	mkdir -p "$TMPDIR/tree/base" "$TMPDIR/tree/$(dirname "$1")"
	echo '#include "core/str.h"' >"$TMPDIR/tree/base/host.h"
	printf '#include <stdio.h>\n#include %s\n' "$2" >"$TMPDIR/tree/$1"
	status=0
	scripts/check-includes "$TMPDIR/tree" >"$TMPDIR/out" 2>&1 || status=$?
	if [ "$3" = - ]; then
		[ $status -eq 0 ] || {
			cat "$TMPDIR/out"
			echo "$1 may include $2, but check-includes refuses it"
			exit 1
		}
		return
	fi
	[ $status -ne 0 ] && grep -qF "$1:2: " "$TMPDIR/out" && grep -qF "$3" "$TMPDIR/out" || {
		cat "$TMPDIR/out"
		echo "check-includes does not say \"$3\" about $2 in $1"
		exit 1
	}
}
offence base/arena.c '"profiles/prof.h"' "points up"
offence transport/conn.c '"gnutls_mod/mod_hooks.h"' "points up"
offence transport/conn.c '"rpc/rpc_list.h"' "points up"
offence transport/conn.c '"base/arena.h"' -
offence transport/conn.c '"transport/queue.h"' -
offence gnutls_mod/mod_main.c '"core/sr_module.h"' -
offence gnutls_mod/mod_main.c '"rpc/rpc_list.h"' -
offence gnutls_mod/mod_main.c '<gnutls/gnutls.h>' "not in gnutls_mod"
offence transport/conn.c '"core/tcp_conn.h"' "reached through base/host.h"
offence profiles/tlscfg.c '"core/cfg_parser.h"' -
offence profiles/set.c '"core/cfg_parser.h"' "reached through base/host.h"
offence profiles/set.c '<gnutls/pkcs11.h>' "not in profiles"
offence pkcs11/p11_key.c '<gnutls/pkcs11.h>' -
offence rpc/rpc_info.c '"core/tcp_conn.h"' "reached through base/host.h"
offence rpc/rpc_list.c '"core/tcp_conn.h"' -
offence profiles/prof.c '<gmp.h>' "only in base"
offence profiles/prof.c '"../base/err.h"' "from the root"
offence profiles/prof.c '"err.h"' "named from the root"
offence profiles/prof.c '"tests/lib/pki.h"' "does not know its tests"

mkdir -p "$TMPDIR/tree/pkcs11"
rm -rf "$TMPDIR/tree/profiles"
echo '#include <stdio.h>' >"$TMPDIR/tree/base/same.c"
cp "$TMPDIR/tree/base/same.c" "$TMPDIR/tree/pkcs11/same.c"
if scripts/check-includes "$TMPDIR/tree" >"$TMPDIR/out" 2>&1 || ! grep -q 'used in two folders: same.c' "$TMPDIR/out"; then
	echo "check-includes does not see that a file name is used twice"
	exit 1
fi
