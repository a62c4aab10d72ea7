/*
 * tls_gnutls - tests of the warning about files with secrets that are world-readable
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: one process.  Memory: the stack.  Lock: none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/host.h"
#include "base/secret_file.h"

static void test_world_readable(void **state)
{
	static const mode_t modes[] = {0100644, 0100444, 0100604, 0100666, 0100777, 04};
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		tlsg_stub_log_clear();
		tlsg_secret_file_warn("/etc/pin", "a PIN", modes[i]);
		assert_int_equal(tlsg_stub_log_count(L_WARN), 1);
		assert_non_null(strstr(tlsg_stub_log_text(), "\"/etc/pin\" holds a PIN and is world-readable: chmod o-r it"));
	}
}

static void test_other_modes(void **state)
{
	static const mode_t modes[] = {0100600, 0100640, 0100660, 0100400, 0100771, 0100773, 0};
	size_t i;

	(void)state;
	tlsg_stub_log_clear();
	for(i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		tlsg_secret_file_warn("/etc/pin", "a PIN", modes[i]);
	assert_int_equal(tlsg_stub_log_count(L_WARN), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_world_readable),
			cmocka_unit_test(test_other_modes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
