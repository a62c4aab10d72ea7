#!/bin/sh
# tls_gnutls - runs a command in which `kamailio` means Kamailio with the sanitizers' libraries loaded
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
#
# Usage: scripts/with-sanitizers.sh COMMAND...
# A module built with SAN=1 needs these libraries at the start of the process. Only kamailio gets them, so that other
# programs are not checked. Leaks are not detected: Kamailio frees its own memory in one piece.
set -eu

[ $# -gt 0 ] || {
	echo "usage: scripts/with-sanitizers.sh COMMAND..." >&2
	exit 2
}
kamailio=$(command -v kamailio || echo /usr/sbin/kamailio)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
cat >"$scratch/kamailio" <<SCRIPT
#!/bin/sh
LD_PRELOAD="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so)"
ASAN_OPTIONS=detect_leaks=0:abort_on_error=1:disable_coredump=1
UBSAN_OPTIONS=print_stacktrace=1
export LD_PRELOAD ASAN_OPTIONS UBSAN_OPTIONS
exec "$kamailio" "\$@"
SCRIPT
chmod +x "$scratch/kamailio"
PATH=$scratch:$PATH "$@"
