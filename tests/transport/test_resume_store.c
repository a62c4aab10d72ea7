/*
 * tls_gnutls - tests of the store of sessions that can be resumed
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: unit tests.  Memory: the stand-in's shared region.  Lock: none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/host.h"
#include "transport/resume_store.h"

#define NOW 1000
#define BYTES_MAX (64 * 1024)

/** Stores a session with a key that begins with two bytes, and with data of one byte value. */
static void put(unsigned row, unsigned which, unsigned value, size_t size, time_t until)
{
	struct tlsg_resume_session *s = tlsg_resume_store_new(size);

	assert_non_null(s);
	s->key[0] = (unsigned char)row;
	s->key[1] = (unsigned char)which;
	memset(s->data, (int)value, size);
	s->until = until;
	s->own = (int)value;
	tlsg_resume_store_put(s);
}

/** @return the value that put() was given; -1: none. */
static int take(unsigned row, unsigned which)
{
	unsigned char key[TLSG_RESUME_KEY_SIZE] = {(unsigned char)row, (unsigned char)which};
	struct tlsg_resume_session *s = tlsg_resume_store_take(key, NOW);
	int value;

	if(s == NULL)
		return -1;
	value = s->data[s->size - 1];
	assert_int_equal(s->own, value);
	tlsg_resume_store_free(s);
	return value;
}

static unsigned len(void)
{
	size_t bytes;

	return tlsg_resume_store_len(&bytes);
}

static int setup(void **state)
{
	(void)state;
	return tlsg_resume_store_init(BYTES_MAX) == TLSG_OK ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	tlsg_resume_store_deinit();
	tlsg_resume_store_deinit();
	return tlsg_stub_shm_blocks() == 0 ? 0 : -1;
}

/** The newest first, each once. */
static void test_take(void **state)
{
	(void)state;
	put(1, 1, 10, 100, NOW + 1);
	put(1, 1, 11, 100, NOW + 1);
	put(1, 2, 12, 100, NOW + 1);
	assert_int_equal(len(), 3);
	assert_int_equal(take(1, 1), 11);
	assert_int_equal(take(1, 1), 10);
	assert_int_equal(take(1, 1), -1);
	assert_int_equal(take(1, 3), -1);
	assert_int_equal(take(2, 2), -1);
	assert_int_equal(take(1, 2), 12);
	assert_int_equal(len(), 0);
}

/** A session whose time is over is not returned, and is gone. */
static void test_over(void **state)
{
	(void)state;
	put(1, 1, 10, 100, NOW);
	assert_int_equal(take(1, 1), -1);
	assert_int_equal(len(), 0);
}

/** A row keeps the four sessions that came last; other rows are not touched. */
static void test_row(void **state)
{
	unsigned i;

	(void)state;
	put(9, 0, 99, 10, NOW + 1);
	for(i = 0; i < 7; i++)
		put(1, i, 10 + i, 10, NOW + 1);
	assert_int_equal(len(), 5);
	for(i = 0; i < 7; i++)
		assert_int_equal(take(1, i), i < 3 ? -1 : (int)(10 + i));
	assert_int_equal(take(9, 0), 99);
}

/** Too many bytes: those that were stored first go, of the whole store. */
static void test_bytes(void **state)
{
	const size_t size = 8 * 1024;
	size_t bytes;
	unsigned i;

	(void)state;
	for(i = 0; i < 40; i++) {
		put(i, 0, i, size, NOW + 1);
		assert_true(tlsg_resume_store_len(&bytes) <= BYTES_MAX / size);
		assert_true(bytes <= BYTES_MAX);
	}
	for(i = 0; i < 40; i++)
		assert_int_equal(take(i, 0), i < 33 ? -1 : (int)i);
	(void)tlsg_resume_store_len(&bytes);
	assert_int_equal(bytes, 0);
}

static void test_sizes(void **state)
{
	(void)state;
	assert_null(tlsg_resume_store_new(0));
	assert_null(tlsg_resume_store_new(TLSG_RESUME_SIZE_MAX + 1));
	tlsg_resume_store_free(tlsg_resume_store_new(TLSG_RESUME_SIZE_MAX));
	tlsg_resume_store_free(NULL);
}

/** Without the store nothing is kept and nothing found. */
static void test_without_store(void **state)
{
	(void)state;
	tlsg_resume_store_deinit();
	assert_null(tlsg_resume_store_new(10));
	assert_int_equal(take(1, 1), -1);
	assert_int_equal(len(), 0);
	assert_int_equal(tlsg_resume_store_init(BYTES_MAX), TLSG_OK);
	assert_int_equal(tlsg_resume_store_init(BYTES_MAX), TLSG_OK);
	put(1, 1, 1, 10, NOW + 1); /* freed by the teardown */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test_setup_teardown(test_take, setup, teardown),
			cmocka_unit_test_setup_teardown(test_over, setup, teardown),
			cmocka_unit_test_setup_teardown(test_row, setup, teardown),
			cmocka_unit_test_setup_teardown(test_bytes, setup, teardown),
			cmocka_unit_test_setup_teardown(test_sizes, setup, teardown),
			cmocka_unit_test_setup_teardown(test_without_store, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
