#!/bin/sh
# tls_gnutls - run by test_deb.sh in a fresh Debian: autopkgtest runs the tests of the package
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
set -eu

. "$(dirname "$0")/deb-lib.sh"
apt_install autopkgtest dpkg-dev
status=0
autopkgtest --no-built-binaries /share/*.deb "/share/kamailio-tls-gnutls_$version-1.dsc" -- null \
	>/tmp/out 2>&1 || status=$?
cat /tmp/out
# 0: all passed; 2: one was skipped
[ $status -eq 0 ]
for test in serve neighbours; do
	grep -q "^\(autopkgtest .*: \)\?$test *PASS" /tmp/out || {
		echo "autopkgtest has not run $test"
		exit 1
	}
done
echo "## autopkgtest: serve and neighbours pass"
