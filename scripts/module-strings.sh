#!/bin/sh
# tls_gnutls - prints the version and flags strings that a Kamailio module carries
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
#
# Usage: scripts/module-strings.sh MODULE.so     prints two lines: "version: ..." and "flags: ..."
#        scripts/module-strings.sh --installed   prints the path of an installed module; nothing if there is none
# These two strings are what Kamailio's core compares before it loads a module. `kamailio -V` prints the flags that the
# core's own files were compiled with, which are not always the same. The installed module is sl.so, in the folder
# that `kamailio -I` names. KAMAILIO_BIN names another binary, KAMAILIO_MODULE another installed module.
set -eu

die()
{
	echo "module-strings: $*" >&2
	exit 1
}

[ $# -eq 1 ] || die "usage: scripts/module-strings.sh MODULE.so | --installed"
if [ "$1" = --installed ]; then
	if [ -n "${KAMAILIO_MODULE:-}" ]; then
		[ -f "$KAMAILIO_MODULE" ] || die "KAMAILIO_MODULE=$KAMAILIO_MODULE does not exist"
		echo "$KAMAILIO_MODULE"
		exit 0
	fi
	bin=${KAMAILIO_BIN:-$(command -v kamailio || echo /usr/sbin/kamailio)}
	[ -x "$bin" ] || exit 0
	"$bin" -I 2>/dev/null | sed -n 's/.*paths to modules: *//p' | tr ':' '\n' | while read -r folder; do
		[ ! -f "$folder/sl.so" ] || echo "$folder/sl.so"
	done | head -n 1
	exit 0
fi
so=$1
[ -f "$so" ] || die "$so does not exist"

# file_offset ADDRESS: where in the file the byte lies that is loaded at that (decimal) address.
file_offset()
{
	readelf -lW "$so" | awk '$1 == "LOAD" {print $2, $3, $5}' | while read -r offset address size; do
		if [ "$1" -ge $((address)) ] && [ "$1" -lt $((address + size)) ]; then
			echo $((offset + $1 - address))
			break
		fi
	done
}

# pointer_at ADDRESS: the pointer stored at that address once relocated to base 0.
pointer_at()
{
	hex=$(printf '%x' "$1")
	addend=$(readelf -rW "$so" | sed 's/^0*//' | awk -v a="$hex" '$1 == a && /RELATIVE/ && NF >= 4 {print $NF; exit}')
	if [ -z "$addend" ]; then
		size=8
		readelf -hW "$so" | grep -q 'ELF32' && size=4
		addend=$(od -An -tx$size -N$size -j"$(file_offset "$1")" "$so" | tr -d ' ')
	fi
	echo $((0x$addend))
}

# string_of SYMBOL: the text that the exported char pointer SYMBOL points to.
string_of()
{
	address=$(readelf -W --dyn-syms "$so" | awk -v s="$1" '$8 == s && $7 != "UND" {print $2; exit}')
	[ -n "$address" ] || die "$so does not export $1"
	at=$(file_offset "$(pointer_at $((0x$address)))")
	[ -n "$at" ] || die "cannot follow the pointer $1 in $so"
	tail -c +$((at + 1)) "$so" | tr '\0\n' '\n ' | head -n 1
}

version=$(string_of module_version)
flags=$(string_of module_flags)
echo "version: $version"
echo "flags: $flags"
