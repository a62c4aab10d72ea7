#!/bin/sh
# tls_gnutls - headers and defines are taken from a given source tree, which is not changed
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
set -eu

fail()
{
	echo "$*"
	exit 1
}

tree=$(sed -n 's/^-isystem \(.*\)\/src$/\1/p' build/kamailio.defs)
[ -d "$tree/src" ] || fail "build/kamailio.defs names no source tree"
given=$TMPDIR/given
mkdir -p "$given/src/modules"
cp -R "$tree/src/core" "$tree/src/lib" "$tree/src/main.c" "$tree"/src/Makefile* "$given/src/"
cp -R "$tree/src/modules/tls" "$given/src/modules/"
rm -f "$given/src/config.mak"
chmod -R a-w "$given"
find "$given" -type f -exec cksum {} + | LC_ALL=C sort >"$TMPDIR/before"

scripts/kamailio-defs.sh "$TMPDIR/build" "$given" || fail "kamailio-defs.sh fails for a given tree"
find "$given" -type f -exec cksum {} + | LC_ALL=C sort >"$TMPDIR/after"
cmp "$TMPDIR/before" "$TMPDIR/after" || fail "the given tree was written to"
grep -v '^-isystem ' build/kamailio.defs >"$TMPDIR/wanted"
grep -v '^-isystem ' "$TMPDIR/build/kamailio.defs" >"$TMPDIR/found"
cmp "$TMPDIR/wanted" "$TMPDIR/found" || fail "the defines of the same tree differ"
grep -qF -- "-DMOD_NAME='\"tls\"'" "$TMPDIR/found" || fail "the module is not called tls"

# Nothing changed: nothing is written, so nothing is built again.
touch -d '2001-01-01 00:00:00' "$TMPDIR/build/kamailio.defs"
scripts/kamailio-defs.sh "$TMPDIR/build" "$given"
[ -z "$(find "$TMPDIR/build/kamailio.defs" -newermt 2001-01-02)" ] ||
	fail "the defines were written again although nothing changed"

# The flags of the installed Kamailio decide, not whether libssl is installed.
PKG_CONFIG_LIBDIR=$TMPDIR scripts/kamailio-defs.sh "$TMPDIR/build3" "$given"
grep -v '^-isystem ' "$TMPDIR/build3/kamailio.defs" >"$TMPDIR/found"
cmp "$TMPDIR/wanted" "$TMPDIR/found" || fail "without libssl the defines differ"
printf '#!/bin/sh\necho "flags: USE_TCP, USE_TLS"\n' >"$TMPDIR/kamailio"
chmod +x "$TMPDIR/kamailio"
KAMAILIO_BIN=$TMPDIR/kamailio scripts/kamailio-defs.sh "$TMPDIR/build3" "$given"
if grep -q KSR_PTHREAD_MUTEX_SHARED "$TMPDIR/build3/kamailio.defs"; then
	fail "mutexes are shared although the installed Kamailio was built without that"
fi

# A define of the tree is taken over.
chmod -R u+w "$given"
cp "$given/src/Makefile.defs" "$TMPDIR/Makefile.defs"
echo 'C_DEFS += -DTLSG_FROM_THE_TREE' >>"$given/src/Makefile.defs"
scripts/kamailio-defs.sh "$TMPDIR/build" "$given"
grep -qx -- '-DTLSG_FROM_THE_TREE' "$TMPDIR/build/kamailio.defs" || fail "a define of the tree is missing"
cp "$TMPDIR/Makefile.defs" "$given/src/Makefile.defs"

# A configured tree is used as it is.
make -s -C "$given/src" cfg FLAVOUR=kamailio prefix=/opt/kamailio >"$TMPDIR/cfg.log" 2>&1 </dev/null ||
	fail "make cfg failed"
scripts/kamailio-defs.sh "$TMPDIR/build" "$given"
grep -q -- '^-DSHARE_DIR=.*/opt/kamailio' "$TMPDIR/build/kamailio.defs" ||
	fail "the configuration of the tree is not used"

for wrong in "$TMPDIR/nowhere" "$TMPDIR"; do
	if scripts/kamailio-defs.sh "$TMPDIR/build2" "$wrong" >"$TMPDIR/out" 2>&1; then
		fail "$wrong is accepted as a source tree"
	fi
	grep -q 'is not a Kamailio source tree' "$TMPDIR/out" || fail "no message about the wrong folder $wrong"
done
chmod -R u+w "$given"
