#!/bin/sh
# tls_gnutls - documents and sources agree, and links have targets; scripts/check-docs finds each kind of offence
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
set -eu

scripts/check-docs

tree=$TMPDIR/tree

# verdict FILE SED TEXT: what the script says after that change in a copy of the project; "-": it must pass.
verdict()
{
	rm -rf "$tree"
	mkdir "$tree"
	cp -R scripts doc samples gnutls_mod rpc transport profiles pkcs11 base tools tests misc "$tree/"
	cp Makefile ./*.md ./LICENSE "$tree/"
	sed -i "$2" "$tree/$1"
	status=0
	"$tree/scripts/check-docs" >"$TMPDIR/out" 2>&1 || status=$?
	if [ "$3" = - ]; then
		[ $status -eq 0 ] && return
	elif [ $status -ne 0 ] && grep -qF "$3" "$TMPDIR/out"; then
		return
	fi
	cat "$TMPDIR/out"
	echo "expected after $2 in $1: $3"
	exit 1
}
verdict doc/rpc.md '$a one more line' -
verdict doc/rpc.md '$a see [there](nowhere.md)' 'the link nowhere.md does not exist'
verdict doc/rpc.md '$a see [there](reload.md#no-such-part)' 'there is no such heading'
verdict doc/README.md 's/(rpc.md)/(reload.md)/' 'does not name rpc.md'
map=doc/architecture.md
verdict $map '/^| `mod_params` |/d' 'the file gnutls_mod/mod_params is not documented'
verdict $map 's/^| `pin` |/| `pin_code` |/' 'the file profiles/keys/pin_code is documented and does not exist'
verdict $map 's/^| `pin` |/| `pin_code` |/' 'the file profiles/keys/pin is not documented'
verdict $map '/^| `host` |/d' 'the file base/host is not documented'
verdict $map 's/^### `profiles.keys.`/### `profiles\/secrets\/`/' \
	'the map has the folder profiles/secrets, which does not exist'
params=gnutls_mod/mod_params.c
verdict $params 's/{"xavp_cfg",/{"xavp_name",/' 'the parameter xavp_name is not documented'
verdict $params 's/{"xavp_cfg",/{"xavp_name",/' 'the parameter xavp_cfg is documented and does not exist'
verdict gnutls_mod/mod_group.c 's/DEF_INT("log",/DEF_INT("loud",/' \
	'the variable of the group tls loud is not documented'
verdict doc/rpc.md '$a modparam("tls", "certifcate", "a.pem")' 'modparam of certifcate, which does not exist'
verdict profiles/prof.c 's/"pkey_file"/"keyfile"/' 'the key of tls.cfg keyfile is not documented'
verdict rpc/rpc.c 's/{"tls.info",/{"tls.infos",/' 'the command tls.infos is not documented'
verdict doc/rpc.md '$a Run `kamcmd tls.everything`.' 'kamcmd tls.everything, which does not exist'
verdict gnutls_mod/mod_vars.c 's/"tls_peer_expired"/"tls_peer_old"/' 'the variable tls_peer_old is not documented'
verdict doc/variables.md '$a `$tls_peer_colour`' '$tls_peer_colour, which does not exist'
verdict gnutls_mod/mod_selects.c 's/"notAfter"/"lastDay"/' 'the word of selects lastDay is not documented'
verdict doc/variables.md '$a `@tls.peer.colour`' 'the word colour does not exist'
script=gnutls_mod/mod_script.c
verdict $script 's/{"is_peer_verified",/{"is_peer_known",/' 'the function is_peer_known is not documented'
verdict $script 's/KEMI("cget"/KEMI("get"/' 'the KEMI function get is not documented'
verdict doc/threats.md '$a | a | `test_what_nobody_wrote` |' 'the test test_what_nobody_wrote does not exist'
verdict doc/threats.md '$a | a | `test_docs.py` and `test_nothing.c` |' 'the test test_nothing.c does not exist'
verdict doc/threats.md '$a | a | `make check-nothing` |' 'make check-nothing does not exist'
verdict doc/threats.md '$a | a | by hand |' 'no test in'
verdict doc/threats.md '$a | a | `make check-limbo`, `test_forgotten` |' -
table=doc/parameters.md
verdict $table 's/| `"tls"` | name of the xavp/| `tls` | name of the xavp/' \
	'the example of xavp_cfg, tls, is not of the type str'
verdict $table 's/| int 0–100 | 9 | `3` |/| int 0–100 | 9 | `300` |/' \
	'the example of verify_depth, 300, is not within 0–100'
verdict $table 's/| int 0–100 | 9 | `3` |/| int 0–100 | 9 | `9` |/' 'the example of verify_depth, 9, is the default'
verdict $table 's/| `2`, `2` | log levels/| `2` | log levels/' 'not one example for each parameter'
