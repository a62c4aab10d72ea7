#!/bin/sh
# tls_gnutls - tls-gnutls-cert: the files that it makes, and what it refuses
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
set -eu

. tests/lib/build.sh

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
