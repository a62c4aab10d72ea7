#!/bin/sh
# tls_gnutls - version and flags strings equal those of the installed Kamailio; check-version names a difference
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
set -eu

fail()
{
	echo "$*"
	exit 1
}

kamailio=$(command -v kamailio || echo /usr/sbin/kamailio)
scripts/check-version "$MODULE" | tee "$TMPDIR/out"
grep -q '^version and flags equal those of ' "$TMPDIR/out" || fail "nothing was compared"

# told EDIT TEXT: with that edit of the output of kamailio -V, check-version must fail with that text.
told()
{
	"$kamailio" -V | sed "$1" >"$TMPDIR/version"
	printf '#!/bin/sh\ncat "%s"\n' "$TMPDIR/version" >"$TMPDIR/kamailio"
	chmod +x "$TMPDIR/kamailio"
	if KAMAILIO_BIN=$TMPDIR/kamailio scripts/check-version "$MODULE" >"$TMPDIR/out" 2>&1; then
		fail "check-version does not find the edit $1"
	fi
	grep -qF "$2" "$TMPDIR/out" || {
		cat "$TMPDIR/out"
		fail "check-version does not say: $2"
	}
	COMPARE=0 KAMAILIO_BIN=$TMPDIR/kamailio scripts/check-version "$MODULE" >"$TMPDIR/out" ||
		fail "COMPARE=0 does not turn the difference into a note"
	grep -q '^note: ' "$TMPDIR/out" || fail "COMPARE=0 prints no note"
}
told '1s/kamailio [0-9.]*/kamailio 4.4.4/' 'is "kamailio 4.4.4 ('
told '2s/USE_TCP, //' 'only in the module: USE_TCP.'
told '2s/USE_TCP, /USE_TCP, USE_NONSENSE, /' 'only in Kamailio: USE_NONSENSE.'
told '2s/USE_TCP, USE_TLS/USE_TLS, USE_TCP/' 'in another order'

KAMAILIO_BIN=$TMPDIR/nowhere scripts/check-version "$MODULE" >"$TMPDIR/out" ||
	fail "a machine without kamailio cannot build"
grep -q '^note: no kamailio binary' "$TMPDIR/out" || fail "no note that nothing was compared"
if scripts/check-version "$TMPDIR/nowhere.so" 2>/dev/null; then
	fail "check-version accepts a module that does not exist"
fi
