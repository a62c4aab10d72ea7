#!/bin/sh
# tls_gnutls - version and flags strings equal those of the installed Kamailio; check-version names a difference
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
set -eu

. tests/lib/strings.sh

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

# An installed module decides: the same edits of what it carries, and what -V says otherwise is a note.
carrying "$version" "$flags"
KAMAILIO_MODULE=$TMPDIR/sl.so scripts/check-version "$MODULE" >"$TMPDIR/out" 2>&1 || fail "its own strings are refused"
grep -q "^version and flags equal those of $TMPDIR/sl.so: " "$TMPDIR/out" || fail "not compared with the module"

# -V names a flag that modules lack: it would be wrong to compare with that, in both directions.
printf '#!/bin/sh\n"%s" "$@" | sed "s/^flags: /&DBG_F_MALLOC, /"\n' "$kamailio" >"$TMPDIR/kamailio"
chmod +x "$TMPDIR/kamailio"
KAMAILIO_BIN=$TMPDIR/kamailio scripts/check-version "$MODULE" >"$TMPDIR/out" 2>&1 ||
	fail "a flag that only -V has is taken for a difference"
grep -q "^note: .*only in -V: DBG_F_MALLOC; " "$TMPDIR/out" || fail "the flag that only -V has is not named"
carrying "$version" "DBG_F_MALLOC, $flags"
for wrong in "$TMPDIR/kamailio" "$kamailio"; do
	if KAMAILIO_MODULE=$TMPDIR/sl.so KAMAILIO_BIN=$wrong scripts/check-version "$MODULE" >"$TMPDIR/out" 2>&1; then
		fail "a flag that modules carry and the module lacks is not found"
	fi
	grep -q 'only in Kamailio: DBG_F_MALLOC' "$TMPDIR/out" || fail "the flag is not named"
done
carrying "kamailio 4.4.4 (x86_64/Linux)" "$flags"
if KAMAILIO_MODULE=$TMPDIR/sl.so scripts/check-version "$MODULE" >"$TMPDIR/out" 2>&1; then
	fail "a module of another version is not found"
fi
grep -q 'note: .*4.4.4 (x86_64/Linux)' "$TMPDIR/out" || fail "two versions are installed, and nothing says so"

KAMAILIO_BIN=$TMPDIR/nowhere scripts/check-version "$MODULE" >"$TMPDIR/out" ||
	fail "a machine without kamailio cannot build"
grep -q '^note: no kamailio binary' "$TMPDIR/out" || fail "no note that nothing was compared"
if scripts/check-version "$TMPDIR/nowhere.so" 2>/dev/null; then
	fail "check-version accepts a module that does not exist"
fi
