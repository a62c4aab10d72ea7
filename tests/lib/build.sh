# tls_gnutls - for tests of the build: what they begin with
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
#
# Sourced by tests that have the module in $MODULE and a folder of their own in $TMPDIR. Sets $build, the folder that
# the module was built in.

# fail MESSAGE: ends the test, after the output in $TMPDIR/out, if there is any; run-scripts.sh prints the last lines.
fail()
{
	[ ! -f "$TMPDIR/out" ] || cat "$TMPDIR/out"
	echo "$*"
	exit 1
}

# The test may itself be run by a make.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES DESTDIR
build=$(dirname "$MODULE")
