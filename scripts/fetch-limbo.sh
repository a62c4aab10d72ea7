#!/bin/sh
# tls_gnutls - finds or fetches limbo.json of x509-limbo, a public suite of certificate chains.
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
#
# Usage: scripts/fetch-limbo.sh FOLDER
# Prints the path of limbo.json: LIMBO_JSON if that is set, otherwise FOLDER/limbo.json, which is fetched if it does not
# exist. Prints nothing if it cannot be fetched.
set -eu

url=https://github.com/C2SP/x509-limbo
[ -z "${LIMBO_JSON:-}" ] || {
	echo "$LIMBO_JSON"
	exit 0
}
file=$1/limbo.json
if [ ! -s "$file" ]; then
	mkdir -p "$1"
	rm -rf "$1/repository"
	if ! timeout 120 git clone -q --depth 1 "$url" "$1/repository" >&2; then
		echo "fetch-limbo: cannot fetch $url; set LIMBO_JSON to a copy of limbo.json" >&2
		exit 0
	fi
	mv "$1/repository/limbo.json" "$file"
	rm -rf "$1/repository"
fi
echo "$file"
