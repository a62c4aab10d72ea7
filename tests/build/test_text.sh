#!/bin/sh
# tls_gnutls - files follow the rules of scripts/check-text; the script finds each kind of offence
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
set -eu

scripts/check-text

tree=$TMPDIR/tree
head='/*
 * tls_gnutls - an example
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 */'

# verdict FILE CONTENT TEXT: what the script says about a project with that file and nothing else; "-": it must pass.
verdict()
{
	rm -rf "$tree"
	mkdir -p "$tree/scripts" "$tree/$(dirname "$1")"
	cp scripts/check-text "$tree/scripts/"
	printf '%s\n' "$2" >"$tree/$1"
	git -C "$tree" init -q
	status=0
	"$tree/scripts/check-text" >"$TMPDIR/out" 2>&1 || status=$?
	if [ "$3" = - ]; then
		[ $status -eq 0 ] && return
	elif [ $status -ne 0 ] && grep -qF "$3" "$TMPDIR/out"; then
		return
	fi
	cat "$TMPDIR/out"
	echo "expected: $3"
	exit 1
}
verdict base/a.c "$head
int a;" -
verdict base/a.c 'int a;' 'do not say what the file is for'
verdict base/a.c '/* tls_gnutls - an example */' 'no licence'
verdict base/a.h "$head
#ifndef A_H
#define A_H
#endif" 'include guard is not TLSG_BASE_A_H'
verdict base/a.c "$head
void f(char *p) { sprintf(p, \"x\"); }" 'base/a.c:5: '
verdict base/a.c "$head
/* sprintf(p) is not used */ const char *s = \"sprintf(p)\"; void tlsg_a_exit(int); void f(void) { tlsg_a_exit (1); }" -
verdict base/a.c "$head
void f(void) { g(malloc(1)); }" -
verdict transport/a.c "$head
void f(void) { g(malloc(1)); }" 'transport/a.c:5: '
verdict transport/a.c "$head
void f(struct a *a) { a->free(a); }" -
verdict transport/a.c "$head
#if 0
#endif" 'code in #if 0'
verdict doc/a.md "see /wor""k/a" 'doc/a.md'
verdict doc/a.md 'see /var/lib/kamailio' -

# columns N: a line of that many characters.
columns()
{
	printf "%$1s" '' | tr ' ' 'x'
}
verdict base/a.c "$head
/* $(columns 114) */" -
verdict base/a.c "$head
/* $(columns 115) */" 'base/a.c:5: more than 120 columns'
verdict base/a.c "$head
	/* $(columns 110) */" -
verdict base/a.c "$head
	/* $(columns 111) */" 'base/a.c:5: more than 120 columns'
verdict base/a.c "$head
/* $(columns 113)ü */" -
verdict tests/e2e/a.py "# tls_gnutls - an example    SPDX-License-Identifier: BSD-2-Clause
# $(columns 118)" -
verdict tests/e2e/a.py "# tls_gnutls - an example    SPDX-License-Identifier: BSD-2-Clause
# $(columns 119)" 'tests/e2e/a.py:2: more than 120 columns'
verdict doc/a.md "$(columns 100)" -
verdict doc/a.md "
$(columns 101)" 'doc/a.md:2: more than 100 columns of prose'
verdict doc/a.md "see [there]($(columns 100)) or https://example.org/$(columns 100)" -
verdict doc/a.md "see [$(columns 100)](b.md)" 'doc/a.md:1: more than 100 columns'
verdict doc/a.md "| $(columns 100) |" -
verdict doc/a.md "\`\`\`
$(columns 101)
\`\`\`" -
verdict doc/a.md "\`\`\`
text
\`\`\`
$(columns 101)" 'doc/a.md:4: more than 100 columns'
verdict doc/a.md "text

    $(columns 101)
    $(columns 101)" -
verdict doc/a.md "* an item
    $(columns 101)" 'doc/a.md:2: more than 100 columns'

# The quotes keep this file from matching.
verdict doc/a.md 'see spe''c 6.5' 'doc/a.md: a reference to something that is not in this repository'
verdict base/a.c "$head
/* Source: Spe""c 1.4 */" 'base/a.c: a reference to something that is not in this repository'
verdict base/a.c "$head
/* architecture sectio""n 4 */" 'base/a.c: a reference to something that is not in this repository'
verdict base/a.c "$head
/* ../spe""c/interface.md */" 'base/a.c: a reference to something that is not in this repository'
verdict base/a.c "$head
/* RFC 5280 section 4.2; doc/architecture.md#rules; PKCS #11 specification 3.0; inspe""c 4 */" -

verdict scripts/a.sh '#!/bin/sh
# tls_gnutls - an example    SPDX-License-Identifier: BSD-2-Clause
if' 'sh cannot parse it'
verdict scripts/a.sh '#!/bin/sh
# tls_gnutls - an example    SPDX-License-Identifier: BSD-2-Clause
true' 'is not executable'
verdict scripts/a '#!/usr/bin/python3
# tls_gnutls - an example    SPDX-License-Identifier: BSD-2-Clause
pass' 'is not executable'
