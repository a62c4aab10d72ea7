#!/bin/sh
# tls_gnutls - the module exports what the loader looks up and nothing else, and does not need OpenSSL
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
set -eu

scripts/check-exports "$MODULE"

# The check must find each fault of modules built wrong on purpose.
wrong()
{
	name=$1
	what=$2
	shift 2
	gcc -shared -fPIC -o "$TMPDIR/$name.so" "$TMPDIR/m.c" "$@"
	if scripts/check-exports "$TMPDIR/$name.so" >"$TMPDIR/out" 2>&1; then
		echo "check-exports accepts a module that $what"
		exit 1
	fi
	grep -q "$what" "$TMPDIR/out" || {
		cat "$TMPDIR/out"
		echo "check-exports does not say that the module $what"
		exit 1
	}
}
cat >"$TMPDIR/m.c" <<'C'
int exports, module_flags, module_interface_ver, module_version;
extern int gnutls_global_init(void);
int mod_register(void);
int mod_register(void) { return gnutls_global_init(); }
C
good="-Wl,--no-as-needed -lgnutls -Wl,-z,relro,-z,now"
gcc -shared -fPIC -o "$TMPDIR/good.so" "$TMPDIR/m.c" $good
scripts/check-exports "$TMPDIR/good.so"
wrong lazy "is not linked with -z now" -lgnutls -Wl,-z,relro,-z,lazy
wrong nolib "does not need libgnutls" -Wl,-z,relro,-z,now
wrong rpath "has a library search path" $good -Wl,-rpath,/opt/lib
wrong stack "wants an executable stack" $good -Wl,-z,execstack
libssl=$(find /usr/lib -name 'libssl.so.*' 2>/dev/null | head -n 1)
if [ -n "$libssl" ]; then
	wrong ssl "needs libssl" $good "$libssl"
fi
echo 'int one_too_many;' >>"$TMPDIR/m.c"
wrong more "instead of" $good
