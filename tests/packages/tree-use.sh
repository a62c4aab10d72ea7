#!/bin/sh
# tls_gnutls - run by test_in_tree.sh: a Kamailio of that tree serves SIP over TLS, is reloaded, and stops
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
#
# Usage: tree-use.sh KAMAILIO KAMCMD MODULES MODULE FOLDER LOG [PARAMETER=NUMBER]
# MODULES is a folder, or several separated by colons; MODULE the file of tls_gnutls; FOLDER has the tls.cfg and the
# certificate that the tree's rules have installed, below the directory that they would have without it. LOG is what
# Kamailio writes, at debug level 2; PARAMETER one of the module.
set -eu

kamailio=$1
kamcmd=$2
modules=$3
module=$4
installed=$5
log=$6
more=
[ -z "${7:-}" ] || more="modparam(\"tls\", \"${7%=*}\", ${7#*=})"
dir=$(mktemp -d)
pid=
held=
cleanup()
{
	[ -z "$held" ] || kill "$held" 2>/dev/null || true
	if [ -n "$pid" ]; then
		kill -KILL "-$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	fi
	rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fail()
{
	tail -n 40 "$log" 2>/dev/null || true
	echo "tree-use: $*"
	exit 1
}

# until_true WHAT COMMAND...: tries a command for 20 s.
until_true()
{
	what=$1
	shift
	tries=0
	until "$@" >/dev/null 2>&1; do
		kill -0 "$pid" 2>/dev/null || fail "Kamailio has ended"
		tries=$((tries + 1))
		[ $tries -lt 200 ] || fail "$what: not within 20 s"
		sleep 0.1
	done
}

# ask VERSION CLIENT...: one OPTIONS; the reply goes to $dir/reply. The client's input stays open until the reply is
# there or the client has ended.
ask()
{
	version=$1
	shift
	rm -f "$dir/reply" "$dir/over"
	{
		sed "s/BRANCH/$version-$1/" "$dir/options"
		tries=0
		until grep -qs '^SIP/2.0 ' "$dir/reply" || [ -e "$dir/over" ] || [ $tries -ge 100 ]; do
			sleep 0.1
			tries=$((tries + 1))
		done
	} | {
		timeout 20 "$@" >"$dir/reply" 2>&1 || true
		touch "$dir/over"
	}
}

# with_openssl VERSION, with_gnutls VERSION: both verify the certificate and its name.
with_openssl()
{
	ask "$1" openssl s_client -connect "127.0.0.1:$port" "-tls$(echo "$1" | tr . _)" -CAfile "$certificate" \
		-verify_return_error -verify_hostname "$host" -servername "$host"
}
with_gnutls()
{
	ask "$1" gnutls-cli --x509cafile "$certificate" --verify-hostname "$host" --sni-hostname "$host" --port "$port" \
		--priority "NORMAL:-VERS-ALL:+VERS-TLS$1" 127.0.0.1
}

# ---- what the tree's rules have installed, with the folder that it is in now
sed "s#/usr/local/etc/kamailio/#$installed/#" "$installed/tls.cfg" >"$dir/tls.cfg"
certificate=$installed/kamailio-selfsigned.pem
host=$(certtool --certificate-info --infile "$certificate" | sed -n 's/^[[:space:]]*DNSname: //p' | head -n 1)
[ -n "$host" ] || fail "no name in $certificate"

port=15061
while grep -q ":$(printf '%04X' $port) " /proc/net/tcp; do
	port=$((port + 1))
done
cat >"$dir/kamailio.cfg" <<END
#!KAMAILIO
debug=2
log_stderror=yes
children=1
tcp_children=2
enable_tls=yes
listen=tls:127.0.0.1:$port
mpath="$modules"
loadmodule "$module"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "kex.so"
loadmodule "ctl.so"
modparam("tls", "config", "$dir/tls.cfg")
$more
modparam("ctl", "binrpc", "unix:$dir/ctl")
request_route {
	append_to_reply("X-TLS: \$tls_version\\r\\n");
	sl_send_reply("200", "OK");
}
END
sed 's/$/\r/' >"$dir/options" <<END
OPTIONS sip:$host;transport=tls SIP/2.0
Via: SIP/2.0/TLS localhost;branch=z9hG4bKBRANCH;rport
From: <sip:a@localhost>;tag=1
To: <sip:localhost>
Call-ID: BRANCH@localhost
CSeq: 1 OPTIONS
Max-Forwards: 70
Content-Length: 0

END

# ---- start
"$kamailio" -v | head -n 1
setsid "$kamailio" -f "$dir/kamailio.cfg" -DD -E -w "$dir" -Y "$dir" -P "$dir/pid" -m 64 -M 8 >"$log" 2>&1 &
pid=$!
rpc()
{
	"$kamcmd" -s "unix:$dir/ctl" "$@"
}
until_true "Kamailio answers" rpc core.uptime
rpc tls.version >"$dir/version"
grep -q 'module: tls_gnutls' "$dir/version" || fail "tls.version names another module"

# ---- requests, with two clients and two versions, and one that is refused
for version in 1.2 1.3; do
	for client in openssl gnutls; do
		"with_$client" $version
		grep -q '^SIP/2.0 200 OK' "$dir/reply" && grep -q "^X-TLS: TLSv$version.\$" "$dir/reply" || {
			cat "$dir/reply"
			fail "$client, TLS $version: no reply"
		}
		echo "200 OK over TLS $version with $client"
	done
done
with_gnutls 1.1
! grep -q '^SIP/2.0 ' "$dir/reply" || fail "TLS 1.1 is accepted, although tls.cfg has TLSv1.2+"
grep -q 'protocol level error: TLS accept' "$log" || fail "the refused handshake is not in the log"

# ---- a connection that stays: it is listed, and a reload leaves it alone
mkfifo "$dir/input"
gnutls-cli --x509cafile "$certificate" --verify-hostname "$host" --sni-hostname "$host" --port "$port" 127.0.0.1 \
	<"$dir/input" >"$dir/held" 2>&1 &
held=$!
exec 3>"$dir/input"
listed()
{
	rpc tls.list >"$dir/list" && grep -q 'state: established' "$dir/list"
}
until_true "tls.list shows the connection" listed
grep -q "sni: $host" "$dir/list" || fail "tls.list has no server name"

cp "$dir/tls.cfg" "$dir/good"
sed -i 's#^certificate = .*#certificate = /nonexistent.pem#' "$dir/tls.cfg"
rpc tls.reload >"$dir/answer" 2>&1 || true
grep -q 'error: 500' "$dir/answer" && grep -q 'nonexistent.pem' "$log" || {
	cat "$dir/answer"
	fail "a reload with a missing certificate is not refused"
}
cp "$dir/good" "$dir/tls.cfg"
sed -i 's/^method = TLSv1.2+$/method = TLSv1.3/' "$dir/tls.cfg"
rpc tls.reload >"$dir/answer" 2>&1 || true
grep -q '^Ok. TLS configuration reloaded' "$dir/answer" || {
	cat "$dir/answer"
	fail "a reload is refused"
}
with_openssl 1.2
! grep -q '^SIP/2.0 ' "$dir/reply" || fail "the reload has no effect"
with_openssl 1.3
grep -q '^SIP/2.0 200 OK' "$dir/reply" || fail "no reply after the reload"
sed 's/BRANCH/held/' "$dir/options" >&3
until_true "a reply on the connection from before the reload" grep -q '^SIP/2.0 200 OK' "$dir/held"
echo "tls.list, tls.reload"

# ---- stop
kill -TERM "$pid"
status=0
wait "$pid" || status=$?
pid=
exec 3>&-
[ $status -eq 0 ] || fail "Kamailio ends with status $status"
# At its stop, a process of the core may find that another one has already ended: receive_fd(): EOF.
! grep -v 'CRITICAL: <core> .*receive_fd(): EOF on' "$log" | grep -E '\<(BUG|CRITICAL):|exited by a signal' ||
	fail "a defect in the log"
echo "stopped"
