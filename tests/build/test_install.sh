#!/bin/sh
# tls_gnutls - make install and make uninstall; manual pages, completion and tls-gnutls-cert
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
set -eu

fail()
{
	[ ! -f "$TMPDIR/out" ] || tail -n 20 "$TMPDIR/out"
	echo "$*"
	exit 1
}
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES DESTDIR
build=$(dirname "$MODULE")
version=$(sed -n 's/^#define TLSG_VERSION "\(.*\)"/\1/p' base/version.h)

# ---- install and uninstall, to the usual places and to given ones
root=$TMPDIR/root
files()
{
	(cd "$root" && find . ! -type d | sort)
}
run_make()
{
	make --no-print-directory O="$build" "$@" DESTDIR="$root" >"$TMPDIR/out" 2>&1 || fail "make $* fails"
}
run_make install PREFIX=/usr MODULESDIR=/opt/modules
for file in opt/modules/tls_gnutls.so usr/bin/tls-gnutls-ciphers usr/bin/tls-gnutls-cert \
	usr/bin/tls-gnutls-check opt/tls-gnutls-check/record.so opt/tls-gnutls-check/load.so \
	opt/tls-gnutls-check/preload.so \
	usr/share/man/man1/tls-gnutls-check.1 usr/share/man/man1/tls-gnutls-ciphers.1 usr/share/man/man1/tls-gnutls-cert.1 \
	usr/share/doc/tls_gnutls/doc/manual.md usr/share/doc/tls_gnutls/samples/tls.cfg \
	usr/share/doc/tls_gnutls/doc/monitoring/grafana/kamailio-tls.json \
	usr/share/bash-completion/completions/tls-gnutls-ciphers; do
	[ -s "$root/$file" ] || fail "make install does not install $file"
done
docs=$root/usr/share/doc/tls_gnutls
for picture in $(cd "$docs" && sed -n 's/.*!\[[^]]*\](\([^)]*\)).*/\1/p' README.md) \
	$(cd "$docs/doc" && sed -n 's,.*!\[[^]]*\](\([^)]*\)).*,doc/\1,p' ./*.md); do
	[ -s "$docs/$picture" ] || fail "make install does not install $picture, which a document shows"
done
[ -s "$docs/SECURITY.md" ] || fail "make install does not install SECURITY.md, which README.md names"
[ ! -e "$root/etc" ] || fail "make install writes to /etc"
cmp -s "$MODULE" "$root/opt/modules/tls_gnutls.so" || fail "another module was installed"
[ -z "$(find "$root" -type f -perm /022)" ] || fail "others may write to what was installed"
(cd "$root" && "./usr/bin/tls-gnutls-cert" --version) | grep -qx "tls-gnutls-cert $version" ||
	fail "the installed tls-gnutls-cert does not know its version"
(cd "$root" && "./usr/bin/tls-gnutls-check" --version) | grep -qx "tls-gnutls-check $version" ||
	fail "the installed tls-gnutls-check does not know its version"
grep -q '"/opt/modules/tls_gnutls.so"' "$root/usr/bin/tls-gnutls-check" ||
	fail "the installed tls-gnutls-check does not know the module"
"$root/usr/bin/tls-gnutls-ciphers" --version | grep -q "^tls-gnutls-ciphers $version, " ||
	fail "the installed tls-gnutls-ciphers does not know its version"
echo foreign >"$root/usr/share/doc/tls_gnutls/doc/foreign"
run_make uninstall PREFIX=/usr MODULESDIR=/opt/modules
[ "$(files)" = ./usr/share/doc/tls_gnutls/doc/foreign ] || fail "after make uninstall there is: $(files)"
rm -rf "$root"
run_make install
[ -f "$root$(scripts/modules-dir)/tls_gnutls.so" ] || fail "the module is not beside those of Kamailio"
[ -x "$root/usr/local/bin/tls-gnutls-ciphers" ] || fail "PREFIX is not /usr/local"
run_make uninstall
[ -z "$(files)" ] || fail "after make uninstall there is: $(files)"

# ---- each option is in the manual page and in the completion
for tool in tls-gnutls-ciphers tls-gnutls-cert tls-gnutls-check; do
	page=doc/man/$tool.1
	program=$build/$tool
	for option in $("$program" --help | grep -o '^  \(-[a-z], \)\?--[a-z-]*' | grep -o -- '--[a-z-]*' | sort -u); do
		sed 's/\\-/-/g' $page | grep -q -- "$option" || fail "$page lacks $option"
		complete=$(bash -c '. misc/completion.bash
			COMP_WORDS=("$1" "$2") COMP_CWORD=1
			eval "$(complete -p "$1" | sed "s/.*-F \([^ ]*\) .*/\1/")"
			printf "%s\n" "${COMPREPLY[@]}"' - $tool "$option")
		[ "$(echo "$complete" | grep -cx -- "$option")" -eq 1 ] || fail "completion of $tool does not offer $option"
	done
	if command -v man >/dev/null; then
		LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings -E UTF-8 -l $page >/dev/null 2>"$TMPDIR/out"
		[ ! -s "$TMPDIR/out" ] || fail "$page: warnings"
	fi
done

# ---- tls-gnutls-cert: what is right, and what is refused
cert=$build/tls-gnutls-cert
dir=$TMPDIR/etc
mkdir "$dir"
"$cert" --dir "$dir" --config --host a.example --host b.example --days 9 >"$TMPDIR/out" 2>&1 || fail "tls-gnutls-cert"
key=$dir/kamailio-selfsigned.key
pem=$dir/kamailio-selfsigned.pem
certtool --certificate-info --infile "$pem" >"$TMPDIR/out"
for text in 'Subject: CN=a.example' 'DNSname: b.example' 'EC/ECDSA' 'TLS WWW Server'; do
	grep -q "$text" "$TMPDIR/out" || fail "the certificate lacks $text"
done
[ -n "$(find "$key" -perm 600)" ] || fail "others may read the key"
[ -z "$(find "$dir" -name '.*' ! -path "$dir")" ] || fail "tls-gnutls-cert leaves files behind"
cp "$key" "$TMPDIR/key"
cp "$dir/tls.cfg" "$TMPDIR/cfg"
"$cert" --dir "$dir" --config >"$TMPDIR/out" 2>&1 || fail "a second call fails"
cmp -s "$key" "$TMPDIR/key" && cmp -s "$dir/tls.cfg" "$TMPDIR/cfg" || fail "an existing file was changed"
[ -f "$dir/tls.cfg.sample" ] || fail "no tls.cfg.sample"
"$cert" --dir "$dir" --overwrite --rsa --group "$(id -gn)" >"$TMPDIR/out" 2>&1 || fail "--overwrite fails"
certtool --certificate-info --infile "$pem" | grep -q 'Public Key Algorithm: RSA' || fail "--rsa makes no RSA key"
[ -n "$(find "$key" -perm 640)" ] || fail "--group does not let the group read the key"
# a link in the place of a file is replaced, and what it points to stays
echo precious >"$TMPDIR/precious"
ln -sf "$TMPDIR/precious" "$key"
"$cert" --dir "$dir" --overwrite >"$TMPDIR/out" 2>&1 || fail "--overwrite fails with a link"
[ "$(cat "$TMPDIR/precious")" = precious ] && [ ! -L "$key" ] || fail "a link was followed"
DESTDIR=$TMPDIR/stage "$cert" --config --name sip >"$TMPDIR/out" 2>&1 || fail "DESTDIR is not used"
grep -q '^certificate = /etc/kamailio/sip-selfsigned.pem$' "$TMPDIR/stage/etc/kamailio/tls.cfg" ||
	fail "tls.cfg names the folder of the stage"
# refused STATUS ARGUMENT...: fails with that status, makes nothing.
refused()
{
	want=$1
	shift
	mkdir -p "$TMPDIR/empty"
	status=0
	"$cert" --dir "$TMPDIR/empty" "$@" >"$TMPDIR/out" 2>&1 || status=$?
	[ $status -eq "$want" ] || fail "tls-gnutls-cert $*: exit status $status"
	[ -z "$(find "$TMPDIR/empty" -mindepth 1)" ] || fail "tls-gnutls-cert $* leaves files"
}
refused 2 --days x
refused 2 --days
refused 2 --name ../x
refused 2 --nosuch
refused 2 --host 'a"b'
refused 2 --host 'a
ca'
refused 1 --group no-such-group-here
refused 1 --dir "$TMPDIR/nowhere"

# ---- make dist: twice the same file, which has what is committed, and the documents made of it
unpacked()
{
	tar -t -f "$1" | sed "s,^$name/,," | grep -v '/$' | grep . | sort
}
if [ -e .git ]; then
	name=tls_gnutls-$version
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
	# from the unpacked tarball, which is no checkout, with the programs for the documents out of reach
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
	# it installs, with what make has built here
	(cd "$TMPDIR/$name" && PATH=$TMPDIR/bin:$PATH make --no-print-directory O="$build" \
		-o all install DESTDIR="$TMPDIR/put" PREFIX=/usr MODULESDIR=/opt/modules) >"$TMPDIR/out" 2>&1 ||
		fail "make install from the tarball fails"
	if [ "$made" != none ]; then
		for file in README doc/docbook/tls_gnutls.html; do
			[ -f "$TMPDIR/put/usr/share/doc/tls_gnutls/$file" ] || fail "$file is not installed"
		done
		man -l "$TMPDIR/put/usr/share/man/man7/tls_gnutls.7" 2>/dev/null | grep -q 'verify_depth' ||
			fail "tls_gnutls(7) does not name verify_depth"
		! grep -q '\\f\[[CV]' "$TMPDIR/put/usr/share/man/man7/tls_gnutls.7" ||
			fail "tls_gnutls(7) asks for a font that terminals do not have"
	fi
fi

# ---- one version
newest=$(sed -n 's/^## \[\([0-9][^]]*\)\].*/\1/p' CHANGELOG.md | head -n 1)
[ -z "$newest" ] || [ "$newest" = "$version" ] || fail "CHANGELOG.md has $newest, base/version.h $version"
