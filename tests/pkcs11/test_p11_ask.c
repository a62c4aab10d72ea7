/*
 * tls_gnutls - tests of pkcs11/p11_ask.c: what is known about a module that does not start
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: one process.  Memory: static.  Lock: none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "pkcs11/p11_ask.h"

static void test_library_that_is_none(void **state)
{
	struct stat before, after;
	const char *why, *again;

	(void)state;
	assert_int_equal(fstat(STDERR_FILENO, &before), 0);
	why = tlsg_p11_ask_why("/nowhere/p11.so");
	assert_non_null(why);
	assert_non_null(strstr(why, "CKR_LIBRARY_LOAD_FAILED; run as user id "));
	assert_non_null(strstr(why, ": p11tool --provider /nowhere/p11.so --list-tokens; it printed"));
	again = tlsg_p11_ask_why("/nowhere/p11.so");
	assert_ptr_equal(again, why);
	assert_non_null(strstr(tlsg_p11_ask_why("/nowhere/other.so"), "/nowhere/other.so"));
	assert_int_equal(fstat(STDERR_FILENO, &after), 0); /* it is back */
	assert_int_equal(after.st_ino, before.st_ino);
}

static void test_long_path(void **state)
{
	char path[2 * TLSG_P11_PATH_SIZE];

	(void)state;
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	assert_null(tlsg_p11_ask_why(path));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_library_that_is_none),
			cmocka_unit_test(test_long_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
