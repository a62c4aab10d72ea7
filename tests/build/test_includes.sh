#!/bin/sh
# tls_gnutls - includes follow the rules of scripts/check-includes; the script finds each kind of offence
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
set -eu

scripts/check-includes

tree=$TMPDIR/tree

# file NAME LINES: adds a file to the project.
file()
{
	mkdir -p "$tree/$(dirname "$1")"
	printf '%s\n' "$2" >"$tree/$1"
}

# verdict TEXT: what the script says about the project, then removes it; "-": it must pass.
verdict()
{
	status=0
	scripts/check-includes "$tree" >"$TMPDIR/out" 2>&1 || status=$?
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
	rm -rf "$tree"
}

# offence FILE INCLUDE TEXT: a project with that include must be refused with that text; "-": it must pass.
offence()
{
	file base/host.h '#include "core/str.h"'
	file "$1" "#include <stdio.h>
#include $2"
	[ "$3" = - ] || [ "$(scripts/check-includes "$tree" 2>/dev/null | grep -c "^$1:2: ")" = 1 ] || {
		echo "no offence found at $1:2: #include $2"
		exit 1
	}
	verdict "$3"
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
offence rpc/rpc_walk.c '"core/tcp_conn.h"' -
offence profiles/prof.c '<gmp.h>' "only in base"
offence profiles/prof.c '"../base/err.h"' "from the root"
offence profiles/prof.c '"err.h"' "named from the root"
offence profiles/prof.c '"tests/lib/pki.h"' "includes nothing from tests"

# rooms inside profiles
offence profiles/creds.c '"profiles/cipher/rules.h"' -
offence profiles/creds.c '"profiles/isolate/client.h"' -
offence profiles/cipher/rules.c '"profiles/prof.h"' "points up: profiles/cipher does not include from profiles"
offence profiles/cipher/rules.c '"profiles/keys/pin.h"' "points up: profiles/cipher does not include from profiles/keys"
offence profiles/cipher/rules.c '"base/err.h"' -
offence profiles/cipher/rules.c '"pkcs11/p11_key.h"' "points up"
offence profiles/verify/crl.c '"profiles/keys/key_file.h"' -
offence profiles/verify/crl.c '"profiles/set.h"' "points up"
offence profiles/verify/crl.c '"profiles/isolate/client.h"' "points up"
offence profiles/keys/pin.c '"profiles/isolate/client.h"' "points up"
offence profiles/isolate/client.c '"profiles/keys/pin.h"' -
offence profiles/isolate/client.c '"profiles/set.h"' "points up"
offence transport/conn.c '"profiles/verify/verify.h"' -
offence transport/conn.c '"profiles/isolate/client.h"' "points up"
offence transport/conn.c '"profiles/nowhere/x.h"' "profiles/nowhere is not a folder of the module"
offence transport/conn.c 'HEADER' "does not name a file"

# folders that are not in the list
file base/err.c '#include <stdio.h>'
file profiles/extra/x.c '#include <stdio.h>'
verdict 'profiles/extra: a folder that is not in the list'

# circles of files
file base/a.h '#include "base/b.h"'
file base/b.h '#include "base/a.h"'
verdict 'a circle of includes: base/a base/b'
file base/a.h '#include <stdio.h>'
file base/a.c '#include "base/a.h"
#include "base/b.h"'
file base/b.h '#include "base/a.h"'
verdict 'a circle of includes: base/a base/b'
file base/a.h '#include <stdio.h>'
file base/a.c '#include "base/b.h"'
file base/b.h '#include <stdio.h>'
file base/b.c '#include "base/c.h"'
file base/c.h '#include "base/a.h"'
verdict 'a circle of includes: base/a base/b base/c'
file base/a.h '#include <stdio.h>'
file base/a.c '#include "base/a.h"
#include "base/b.h"
#include "base/c.h"'
file base/b.h '#include "base/c.h"'
file base/c.h '#include <stdio.h>'
verdict -

# one name, one file
file base/same.c '#include <stdio.h>'
file pkcs11/same.c '#include <stdio.h>'
verdict 'a file name is used more than once: base/same.c pkcs11/same.c'
file profiles/same.h '#include <stdio.h>'
file profiles/keys/same.h '#include <stdio.h>'
verdict 'a file name is used more than once: profiles/keys/same.h profiles/same.h'

# a header that declares functions has a file with its name
file base/a.h 'int tlsg_a_get(void);'
verdict 'base/a.h: declares functions, but there is no base/a.c'
file base/a.h 'enum tlsg_ret tlsg_a_get(void) TLSG_MUST_CHECK;'
file base/b.c '#include "base/a.h"'
verdict 'base/a.h: declares functions, but there is no base/a.c'
file base/a.h 'int tlsg_a_get(void);'
file base/a.c '#include "base/a.h"'
verdict -
file base/a.h 'struct tlsg_a { int (*get)(void); };
static inline int tlsg_a_get(void)
{
	return tlsg_b_get();
}
typedef int (*tlsg_a_fn)(void);'
verdict -

mkdir "$tree"
verdict 'no sources'
