#!/bin/bash
# tls_gnutls - `make run` answers SIP over TLS, its printed commands work, and Ctrl-C leaves nothing behind
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
#
# bash: with its job control, background processes do not ignore SIGINT (Ctrl-C), even without a terminal.
set -eum

first=
second=
cleanup()
{
	[ -z "$first" ] || kill -TERM "$first" 2>/dev/null || true
	[ -z "$second" ] || kill -TERM "$second" 2>/dev/null || true
	wait
}
trap cleanup EXIT

fail()
{
	cat "$TMPDIR"/run.*.log || true
	echo "$*"
	exit 1
}

# started LOG: waits until `make run` has printed its commands.
started()
{
	tries=0
	until grep -q 'Ctrl-C ends it' "$1" 2>/dev/null; do
		tries=$((tries + 1))
		[ $tries -lt 300 ] || fail "scripts/run.sh does not finish its start within 30 s"
		sleep 0.1
	done
}

# command_of LOG WORDS: runs the first printed command that contains the words.
command_of()
{
	line=$(grep '^  ' "$1" | grep -- "$2" | head -n 1)
	[ -n "$line" ] || fail "no command with $2 is printed"
	timeout 20 sh -c "$line" </dev/null 2>"$TMPDIR/err" || true
}

scripts/run.sh >"$TMPDIR/run.1.log" 2>&1 &
first=$!
started "$TMPDIR/run.1.log"
scripts/run.sh >"$TMPDIR/run.2.log" 2>&1 &
second=$!
started "$TMPDIR/run.2.log"

grep -q '^Negotiated:  TLSv1\.[23], [A-Z]' "$TMPDIR/run.1.log" || fail "version and suite are not shown"
grep -q '^  SIP/2.0 200 OK' "$TMPDIR/run.1.log" || fail "the SIP reply is not shown"
! grep -qE '(ERROR|CRITICAL|BUG): ' "$TMPDIR/run.1.log" || fail "errors are logged at start"
one=$(sed -n 's/^Sent OPTIONS to //p' "$TMPDIR/run.1.log")
two=$(sed -n 's/^Sent OPTIONS to //p' "$TMPDIR/run.2.log")
[ -n "$one" ] && [ -n "$two" ] && [ "$one" != "$two" ] || fail "both use the address $one"

log=$TMPDIR/run.1.log
command_of "$log" 's_client -quiet -no_ign_eof -connect' | grep -q '^SIP/2.0 200 OK' ||
		fail "the openssl command gets no reply"
command_of "$log" 's_client -quiet -no_ign_eof -tls1_2' | grep -q '^SIP/2.0 200 OK' ||
		fail "the command for RSA gets no reply"
grep -q 'CN *= *rsa.localhost' "$TMPDIR/err" || fail "the command for RSA gets another certificate"
command_of "$log" gnutls-cli | grep -q '^SIP/2.0 200 OK' || fail "the gnutls-cli command gets no reply"
command_of "$log" tls.info | grep -q 'opened_connections' || fail "kamcmd tls.info prints nothing"

folder=$(sed -n 's/^Ctrl-C ends it and removes \(.*\)\.$/\1/p' "$TMPDIR/run.1.log")
[ -d "$folder" ] || fail "the folder $folder does not exist"
[ "$(find "$folder" -maxdepth 0 -perm 700)" = "$folder" ] || fail "others may read the keys in $folder"
daemon=$(cat "$folder/kamailio.pid")
kill -INT "$first"
wait "$first" || true
first=
[ ! -e "$folder" ] || fail "$folder is still there after Ctrl-C"
[ -z "$(ps -o pid= -g "$daemon")" ] || fail "processes of Kamailio are still there after Ctrl-C"
kill -TERM "$second"
wait "$second" || true
second=
left=$(find "${TMPDIR:-/tmp}" -maxdepth 1 -name 'tls_gnutls.*')
[ -z "$left" ] || fail "left behind: $left"

# A failed start leaves nothing behind either.
if MODULE=$TMPDIR/nowhere.so scripts/run.sh >"$TMPDIR/run.3.log" 2>&1; then
	fail "a module that does not exist is started"
fi
grep -q 'does not exist' "$TMPDIR/run.3.log" || fail "no message about the missing module"
printf 'not a module' >"$TMPDIR/wrong.so"
if MODULE=$TMPDIR/wrong.so scripts/run.sh >"$TMPDIR/run.4.log" 2>&1; then
	fail "a file that is not a module is started"
fi
grep -q 'Kamailio did not start' "$TMPDIR/run.4.log" || fail "no message about the module that cannot be loaded"
left=$(find "${TMPDIR:-/tmp}" -maxdepth 1 -name 'tls_gnutls.*')
[ -z "$left" ] || fail "left behind: $left"
