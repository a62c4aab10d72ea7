#!/bin/sh
# tls_gnutls - make install and make uninstall; manual pages and completion; one version
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
set -eu

. tests/lib/build.sh
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
# what is built but not installed would be missed in every package
for file in "$build"/tls-gnutls-* "$build"/check/*.so; do
	[ "$(find "$root" -name "$(basename "$file")" -type f -size +1 | grep -c /)" -ge 1 ] || fail "not installed: $file"
done
echo foreign >"$root/usr/share/doc/tls_gnutls/doc/foreign"
run_make uninstall PREFIX=/usr MODULESDIR=/opt/modules
[ "$(files)" = ./usr/share/doc/tls_gnutls/doc/foreign ] || fail "after make uninstall there is: $(files)"
[ ! -e "$root/opt/tls-gnutls-check" ] || fail "make uninstall leaves the folder of tls-gnutls-check"
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

# ---- one version
"$build/tls-gnutls-ciphers" --version | grep -q "^tls-gnutls-ciphers $version, " || fail "another version in the tool"
strings "$MODULE" | grep -qF "tls_gnutls $version, GnuTLS " || fail "strings does not show the version of the module"
newest=$(sed -n 's/^## \[\([0-9][^]]*\)\].*/\1/p' CHANGELOG.md | head -n 1)
[ -z "$newest" ] || [ "$newest" = "$version" ] || fail "CHANGELOG.md has $newest, base/version.h $version"
grep -qF "Version $version" README.md || fail "README.md names another version"
grep -qx "Version: *$version" packaging/rpm/*.spec || fail "the RPM specification has another version"
grep -qx "pkgver=$version" packaging/alpine/APKBUILD || fail "the APKBUILD has another version"
for page in doc/man/*.1; do
	! grep '^\.TH' "$page" | grep -E '[0-9]+\.[0-9]+\.[0-9]+' || fail "$page has a version of its own"
done
