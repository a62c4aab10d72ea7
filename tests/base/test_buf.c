/*
 * tls_gnutls - tests of the byte buffer
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: one process.  Memory: the stack.  Lock: none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"

static void test_put_and_take(void **state)
{
	unsigned char memory[10], out[10];
	struct tlsg_buf b;

	(void)state;
	tlsg_buf_init(&b, memory, sizeof(memory));
	assert_int_equal(tlsg_buf_filled(&b), 0);
	assert_int_equal(tlsg_buf_room(&b), 10);
	assert_int_equal(tlsg_buf_take(&b, out, sizeof(out)), 0);
	assert_true(tlsg_buf_put(&b, "abcdef", 6));
	assert_int_equal(tlsg_buf_filled(&b), 6);
	assert_int_equal(tlsg_buf_room(&b), 4);
	assert_int_equal(tlsg_buf_take(&b, out, 4), 4);
	assert_memory_equal(out, "abcd", 4);
	assert_int_equal(tlsg_buf_take(&b, out, sizeof(out)), 2);
	assert_memory_equal(out, "ef", 2);
	assert_int_equal(tlsg_buf_filled(&b), 0);
}

static void test_put_is_all_or_nothing(void **state)
{
	unsigned char memory[4];
	volatile size_t huge = SIZE_MAX; /* not a constant: the compiler would warn about a branch that is never taken */
	struct tlsg_buf b;

	(void)state;
	tlsg_buf_init(&b, memory, sizeof(memory));
	assert_true(tlsg_buf_put(&b, "ab", 2));
	assert_false(tlsg_buf_put(&b, "cde", 3));
	assert_int_equal(tlsg_buf_filled(&b), 2);
	assert_false(tlsg_buf_put(&b, "x", huge));
	assert_true(tlsg_buf_put(&b, "cd", 2));
	assert_int_equal(tlsg_buf_room(&b), 0);
	assert_false(tlsg_buf_put(&b, "e", 1));
	assert_true(tlsg_buf_put(&b, NULL, 0));
	assert_memory_equal(memory, "abcd", 4);
}

static void test_filled_and_empty(void **state)
{
	struct tlsg_buf b;
	char out[8];

	(void)state;
	tlsg_buf_init_filled(&b, "text", 4);
	assert_int_equal(tlsg_buf_room(&b), 0);
	assert_int_equal(tlsg_buf_take(&b, out, sizeof(out)), 4);
	assert_memory_equal(out, "text", 4);
	tlsg_buf_init(&b, NULL, 0);
	assert_false(tlsg_buf_put(&b, "a", 1));
	assert_int_equal(tlsg_buf_take(&b, out, sizeof(out)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_put_and_take),
			cmocka_unit_test(test_put_is_all_or_nothing),
			cmocka_unit_test(test_filled_and_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
