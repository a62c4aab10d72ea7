#!/bin/sh
# tls_gnutls - make dist: the same file twice, what is in it, a tarball of a tarball
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
set -eu

[ -e .git ] || {
	echo "not a checkout: there is no commit to make a tarball of"
	exit 77
}
. tests/lib/build.sh
version=$(sed -n 's/^#define TLSG_VERSION "\(.*\)"/\1/p' base/version.h)

# unpacked TARBALL: the names of its files.
unpacked()
{
	tar -t -f "$1" | sed "s,^$name/,," | grep -v '/$' | grep . | sort
}
name=tls_gnutls-$version

# ---- twice the same file, which has what is committed, and the documents made of it
scripts/make-dist.sh "$TMPDIR/one" "$version" >/dev/null 2>&1
(umask 077 && TZ=Asia/Kolkata scripts/make-dist.sh "$TMPDIR/two" "$version") >/dev/null 2>&1
cmp "$TMPDIR/one/$name.tar.gz" "$TMPDIR/two/$name.tar.gz" || fail "make dist is not reproducible"
unpacked "$TMPDIR/one/$name.tar.gz" >"$TMPDIR/in"
git ls-tree -r --name-only HEAD | sort >"$TMPDIR/committed"
[ -z "$(comm -13 "$TMPDIR/in" "$TMPDIR/committed")" ] || fail "the tarball does not have what is committed"
comm -23 "$TMPDIR/in" "$TMPDIR/committed" >"$TMPDIR/made"
made=none
if scripts/make-docbook --check 2>/dev/null; then
	made='README doc/docbook/tls_gnutls.html doc/man/tls_gnutls.7 doc/docbook/parameters.xml'
	for file in $made; do
		grep -qx "$file" "$TMPDIR/made" || fail "the tarball lacks $file"
	done
else
	echo "note: make-docbook cannot run; README, DocBook, HTML and tls_gnutls(7) are not looked for"
fi
known='README|doc/docbook/([a-z_]+[.]xml|tls_gnutls[.]html)|doc/man/tls_gnutls[.]7'
[ -z "$(grep -vxE "$known" "$TMPDIR/made")" ] || fail "the tarball has files that nobody knows"

# ---- from the unpacked tarball, which is no checkout, with the programs for the documents out of reach
tar -x -C "$TMPDIR" -f "$TMPDIR/one/$name.tar.gz"
mkdir "$TMPDIR/bin"
for tool in pandoc xsltproc lynx xmllint; do
	printf '#!/bin/sh\necho "%s was called"\nexit 1\n' $tool >"$TMPDIR/bin/$tool"
	chmod 755 "$TMPDIR/bin/$tool"
done
(cd "$TMPDIR/$name" && PATH=$TMPDIR/bin:$PATH scripts/make-dist.sh "$TMPDIR/three" "$version") >/dev/null
mkdir "$TMPDIR/unpacked"
tar -x -C "$TMPDIR/unpacked" -f "$TMPDIR/three/$name.tar.gz" >"$TMPDIR/out" 2>&1
[ ! -s "$TMPDIR/out" ] || fail "tar complains about the tarball of a tarball"
unpacked "$TMPDIR/three/$name.tar.gz" | cmp - "$TMPDIR/in" || fail "the tarball of a tarball has other files"

# ---- it installs, with what make has built here
(cd "$TMPDIR/$name" && PATH=$TMPDIR/bin:$PATH make --no-print-directory O="$build" \
	-o all install DESTDIR="$TMPDIR/put" PREFIX=/usr MODULESDIR=/opt/modules) >"$TMPDIR/out" 2>&1 ||
	fail "make install from the tarball fails"
if [ "$made" != none ]; then
	for file in README doc/docbook/tls_gnutls.html; do
		[ -f "$TMPDIR/put/usr/share/doc/tls_gnutls/$file" ] || fail "$file is not installed"
	done
	page=$TMPDIR/put/usr/share/man/man7/tls_gnutls.7
	if command -v man >/dev/null; then
		LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings -E UTF-8 -l "$page" >"$TMPDIR/text" 2>"$TMPDIR/out"
		[ ! -s "$TMPDIR/out" ] || fail "tls_gnutls(7): warnings"
		grep -q verify_depth "$TMPDIR/text" || fail "tls_gnutls(7) does not name verify_depth"
	fi
	! grep -q '\\f\[[CV]' "$page" || fail "tls_gnutls(7) asks for a font that terminals do not have"
fi
