#!/bin/sh
# tls_gnutls - scripts/check-dead finds what nothing uses
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
set -eu

# The script looks for the sources beside itself: a small project with a copy of it.
tree=$TMPDIR/tree
mkdir -p "$tree/scripts" "$tree/misc" "$tree/base" "$tree/tools"
cp scripts/check-dead "$tree/scripts/"
cp misc/tls.map "$tree/misc/"

compile()
{
	mkdir -p "$(dirname "$tree/build/$1/$2")"
	gcc -w -O2 -fPIC -ffunction-sections -fdata-sections -c "$tree/$2.c" -o "$tree/build/$1/$2.o"
}

# verdict MAIN OTHER TOOL TEXT...: what the script says about base/main.c and base/other.c in the module, and
# tools/tool.c and base/other.c in the tool; "-": it must pass.
verdict()
{
	rm -rf "$tree/build"
	printf 'int exports;\n%s\n' "$1" >"$tree/base/main.c"
	printf '%s\n' "$2" >"$tree/base/other.c"
	printf '%s\n' "$3" >"$tree/tools/tool.c"
	compile obj base/main
	compile obj base/other
	compile tool tools/tool
	compile tool base/other
	shift 3
	status=0
	"$tree/scripts/check-dead" "$tree/build" >"$TMPDIR/out" 2>&1 || status=$?
	if [ "$1" = - ]; then
		[ $status -eq 0 ] && return
	elif [ $status -eq 1 ]; then
		found=1
		for text in "$@"; do
			grep -qF "$text" "$TMPDIR/out" || found=0
		done
		[ $found -eq 1 ] && return
	fi
	cat "$TMPDIR/out"
	echo "expected: $*"
	exit 1
}
user='int tlsg_other_a(void); int mod_register(void) { return tlsg_other_a(); }'
tool='int tlsg_other_a(void); int main(void) { return tlsg_other_a(); }'
a='int tlsg_other_a(void) { return 1; }'
verdict "$user" "$a" "$tool" -
verdict "$user" "$a int tlsg_other_b(void) { return 2; }" "$tool" 'base/other.c: tlsg_other_b is used by no other file'
verdict "$user" "$a int tlsg_other_count;" "$tool" 'base/other.c: tlsg_other_count is used by no other file'
verdict "$user" 'int tlsg_other_b(void) { return 2; } int tlsg_other_a(void) { return tlsg_other_b(); }' "$tool" \
	'base/other.c: tlsg_other_b is used by no other file'
# used by the tool alone
verdict 'int mod_register(void) { return 0; }' "$a" "$tool" -
# used by a function that nothing uses
verdict "$user int tlsg_other_c(void); int tlsg_main_d(void) { return tlsg_other_c(); }" \
	"$a int tlsg_other_c(void) { return 3; }" "$tool" \
	'base/main.c: tlsg_main_d is used by no other file' 'base/other.c: tlsg_other_c is dropped by the linker'
# two functions that only use each other
verdict "$user int tlsg_other_c(void); int tlsg_main_d(void) { return tlsg_other_c(); }" \
	"$a int tlsg_main_d(void); int tlsg_other_c(void) { return tlsg_main_d(); }" "$tool" \
	'base/main.c: tlsg_main_d is dropped by the linker' 'base/other.c: tlsg_other_c is dropped by the linker'
# an object whose source does not exist any more is neither a user nor an offence
verdict "$user" "$a" "$tool" -
printf 'int tlsg_gone_a(void) { return 1; }\n' >"$tree/base/gone.c"
compile obj base/gone
rm "$tree/base/gone.c"
"$tree/scripts/check-dead" "$tree/build"
if "$tree/scripts/check-dead" "$tree/base" >"$TMPDIR/out" 2>&1; then
	echo "check-dead passes a folder without objects"
	exit 1
fi
