#!/bin/sh
# tls_gnutls - `make run`: a Kamailio in the foreground that answers SIP over TLS with this module and throw-away
# certificates
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
#
# Usage: MODULE=/path/to/tls_gnutls.so scripts/run.sh
# Environment: MODULE  the module, absolute path, default build/tls_gnutls.so; PORT  the port tried first, default 5061;
# KAMAILIO_BIN  the binary, default kamailio; KAMAILIO_ARGS  more arguments for it; RUN_SECONDS  end after that many
# seconds (default: on Ctrl-C).
# All files are in one temporary folder, which is removed at the end.
set -eu

die()
{
	echo "run: $*" >&2
	exit 1
}

top=$(cd "$(dirname "$0")/.." && pwd)
module=${MODULE:-$top/build/tls_gnutls.so}
kamailio=${KAMAILIO_BIN:-$(command -v kamailio || echo /usr/sbin/kamailio)}
kamcmd=$(command -v kamcmd || echo /usr/sbin/kamcmd)
[ -f "$module" ] || die "$module does not exist; run make first"
[ -x "$kamailio" ] || die "no kamailio binary; install the package kamailio, or set KAMAILIO_BIN"

pid=
nap=
shown=
dir=$(mktemp -d "${TMPDIR:-/tmp}/tls_gnutls.XXXXXX")
# Kamailio has a process group of its own, which is killed if it does not end within 10 s.
cleanup()
{
	trap '' INT TERM HUP
	[ -z "$nap" ] || kill "$nap" 2>/dev/null || true
	if [ -n "$pid" ]; then
		kill -TERM "$pid" 2>/dev/null || true
		tries=0
		while kill -0 "$pid" 2>/dev/null && [ $tries -lt 100 ]; do
			sleep 0.1
			tries=$((tries + 1))
		done
		kill -KILL "-$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	fi
	rm -rf "$dir"
	[ -z "$shown" ] || echo "Kamailio has ended; $dir has been removed."
}
trap cleanup EXIT
trap 'exit 0' INT TERM HUP

# port_taken PORT: whether a process listens on that TCP port. Column 2: address:port, column 4: state (0A is LISTEN).
port_taken()
{
	cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
		awk -v port=":$(printf '%04X' "$1")\$" '$4 == "0A" && $2 ~ port {found = 1} END {exit !found}'
}

# certificate NAME KEY_OPTIONS...: a key and a certificate signed by the throw-away CA.
certificate()
{
	name=$1
	shift
	certtool --generate-privkey "$@" --outfile "$dir/$name.key"
	cat >"$dir/$name.template" <<TEMPLATE
cn = "$name.localhost"
dns_name = "localhost"
dns_name = "$name.localhost"
ip_address = "127.0.0.1"
signing_key
encryption_key
tls_www_server
tls_www_client
expiration_days = 60
TEMPLATE
	certtool --generate-certificate --load-privkey "$dir/$name.key" --load-ca-certificate "$dir/ca.pem" \
		--load-ca-privkey "$dir/ca.key" --template "$dir/$name.template" --outfile "$dir/$name.pem"
}

make_certificates()
{
	certtool --generate-privkey --key-type=ecdsa --curve=secp256r1 --outfile "$dir/ca.key"
	printf 'cn = "tls_gnutls throw-away CA"\nca\ncert_signing_key\nexpiration_days = 60\n' >"$dir/ca.template"
	certtool --generate-self-signed --load-privkey "$dir/ca.key" --template "$dir/ca.template" --outfile "$dir/ca.pem"
	certificate ecdsa --key-type=ecdsa --curve=secp256r1
	certificate rsa --key-type=rsa --bits=2048
}

# One OPTIONS over TLS. openssl's input stays open until the reply is there, or 10 s are over.
send_options()
{
	{
		cat "$dir/options.sip"
		tries=0
		while ! grep -q '^SIP/2.0 ' "$dir/reply" 2>/dev/null && [ $tries -lt 100 ]; do
			sleep 0.1
			tries=$((tries + 1))
		done
	} | timeout 15 openssl s_client -connect "127.0.0.1:$port" -CAfile "$dir/ca.pem" -verify_return_error \
		-verify_hostname localhost >"$dir/reply" 2>"$dir/client.log" || true
}

port=${PORT:-5061}
while port_taken "$port"; do
	port=$((port + 1))
	[ "$port" -lt 65536 ] || die "no free TCP port from ${PORT:-5061} upwards"
done

make_certificates >"$dir/certtool.log" 2>&1 || {
	cat "$dir/certtool.log" >&2
	die "certtool could not make the certificates (see above)"
}
cp "$top/samples/kamailio.cfg" "$top/samples/tls.cfg" "$dir/"
ctl=unix:$dir/kamailio_ctl
sed 's/$/\r/' >"$dir/options.sip" <<SIP
OPTIONS sip:127.0.0.1:$port;transport=tls SIP/2.0
Via: SIP/2.0/TLS 127.0.0.1:9;branch=z9hG4bK$$;rport
Max-Forwards: 70
From: <sip:run@localhost>;tag=$$
To: <sip:127.0.0.1>
Call-ID: $$@localhost
CSeq: 1 OPTIONS
Content-Length: 0

SIP

# The profiles name their files as ./file, relative to the working directory.
cd "$dir"
setsid "$kamailio" -f "$dir/kamailio.cfg" -DD -E -w "$dir" -m 64 -M 8 -Y "$dir" -P "$dir/kamailio.pid" \
	-A "TLS_MODULE=\"$module\"" -A "TLS_LISTEN=tls:127.0.0.1:$port" -A "TLS_CONFIG=\"$dir/tls.cfg\"" \
	-A "CTL_SOCKET=\"$ctl\"" ${KAMAILIO_ARGS:-} </dev/null &
pid=$!
tries=0
until port_taken "$port" && [ -S "$dir/kamailio_ctl" ]; do
	kill -0 "$pid" 2>/dev/null || {
		pid=
		die "Kamailio did not start (its messages are above)"
	}
	tries=$((tries + 1))
	[ $tries -lt 200 ] || die "Kamailio does not listen on port $port after 20 s"
	sleep 0.1
done

send_options
status=$(sed -n 's/^\(SIP\/2.0 .*\)\r$/\1/p' "$dir/reply" | head -n 1)
negotiated=$(sed -n 's/^New, \([^,]*\), Cipher is \(.*\)$/\1, \2/p' "$dir/reply" | head -n 1)
if [ -z "$status" ]; then
	cat "$dir/client.log" >&2
	die "no SIP reply over TLS (the output of openssl is above)"
fi

send="(cat $dir/options.sip; sleep 1)"
s_client="openssl s_client -quiet -no_ign_eof"
cat <<TEXT

Sent OPTIONS to tls:127.0.0.1:$port
Negotiated:  $negotiated
SIP reply:
$(sed -n '/^SIP\/2.0 /,/^\r$/p' "$dir/reply" | tr -d '\r' | sed '/^$/d; s/^/  /')

Kamailio serves SIP over TLS on 127.0.0.1:$port with $module.
Certificates: ECDSA, and RSA for clients that name rsa.localhost; CA in $dir/ca.pem

To try in another terminal:

  $send | $s_client -connect 127.0.0.1:$port -CAfile $dir/ca.pem
  $send | $s_client -tls1_2 -servername rsa.localhost -connect 127.0.0.1:$port -CAfile $dir/ca.pem
  $send | gnutls-cli --x509cafile $dir/ca.pem --verify-hostname localhost --port $port 127.0.0.1
  $kamcmd -s $ctl tls.info
  $kamcmd -s $ctl tls.list

Ctrl-C ends it and removes $dir.
TEXT

shown=1
if [ -n "${RUN_SECONDS:-}" ]; then
	sleep "$RUN_SECONDS" &
	nap=$!
	wait "$nap" || true
	nap=
	exit 0
fi
status=0
wait "$pid" || status=$?
pid=
die "Kamailio ended by itself with status $status (its messages are above)"
