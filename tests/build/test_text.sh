#!/bin/sh
# tls_gnutls - heads, banned functions, paths, scripts; the script that checks them sees offences
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
set -eu

scripts/check-text

tree=$TMPDIR/tree
head='/*
 * tls_gnutls - an example
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 */'

# verdict FILE CONTENT TEXT: what the script says about a project with that one file; "-": it must pass.
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
#endif" 'switched off'
verdict doc/a.md "see /wor""k/a" 'doc/a.md'
verdict doc/a.md 'see /var/lib/kamailio' -
verdict scripts/a.sh '#!/bin/sh
# tls_gnutls - an example    SPDX-License-Identifier: BSD-2-Clause
if' 'sh cannot parse it'
verdict scripts/a.sh '#!/bin/sh
# tls_gnutls - an example    SPDX-License-Identifier: BSD-2-Clause
true' 'is not executable'
