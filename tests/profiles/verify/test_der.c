/*
 * tls_gnutls - tests of profiles/verify/der.h: elements, lengths, truncated input
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: unit tests.  Memory: heap, exactly as large as the bytes read.  Lock: none.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "profiles/verify/der.h"

static const struct
{
	const char *bytes;
	size_t size;
	bool good;
	size_t contents; /* size of the contents */
	size_t left;	 /* bytes after the element */
} cases[] = {
		{"\x05\x00", 2, true, 0, 0},
		{"\x02\x01\x07", 3, true, 1, 0},
		{"\x02\x01\x07\x05\x00", 5, true, 1, 2},
		{"\x04\x81\x02zz", 5, true, 2, 0},
		{"\x04\x82\x00\x02zz", 6, true, 2, 0},
		{"\x04\x84\x00\x00\x00\x02zz", 8, true, 2, 0},
		{"", 0, false, 0, 0},
		{"\x05", 1, false, 0, 0},
		{"\x02\x01", 2, false, 0, 0},
		{"\x02\x02\x07", 3, false, 0, 0},
		{"\x04\x80zz", 4, false, 0, 0}, /* indefinite */
		{"\x04\x81", 2, false, 0, 0},
		{"\x04\x82\x01", 3, false, 0, 0},
		{"\x04\x81\x03zz", 5, false, 0, 0},
		{"\x04\x85\x00\x00\x00\x00\x02zz", 9, false, 0, 0},
		{"\x04\xff\xff\xff\xff\xff\xff", 7, false, 0, 0},
		{"\x04\x84\xff\xff\xff\xff", 6, false, 0, 0},
		{"\x04\x84\x7f\xff\xff\xffz", 7, false, 0, 0},
};

/* Bytes on the heap, so that a sanitizer reports every read beyond them. */
static unsigned char *copy(const char *bytes, size_t size)
{
	unsigned char *p = malloc(size);

	assert_true(p != NULL || size == 0);
	if(size > 0)
		memcpy(p, bytes, size);
	return p;
}

static void test_elements(void **state)
{
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned char *p = copy(cases[i].bytes, cases[i].size);
		struct tlsg_der_reader r = tlsg_der_over(p, cases[i].size);
		struct tlsg_der_element e = {.size = 0};

		if(tlsg_der_read(&r, &e) != cases[i].good)
			fail_msg("case %zu", i);
		if(cases[i].good) {
			assert_int_equal(e.size, cases[i].contents);
			assert_int_equal(r.end - r.at, cases[i].left);
			assert_int_equal(tlsg_der_size(&e) + cases[i].left, cases[i].size);
			assert_ptr_equal(e.all, p);
		}
		free(p);
	}
}

static void test_nesting(void **state)
{
	struct tlsg_der_reader r = tlsg_der_over("\x30\x06\x02\x01\x07\x02\x01\x07\x05\x00", 10), in;
	struct tlsg_der_element list, a, b, c = {.size = 0};

	(void)state;
	assert_true(tlsg_der_is_next(&r, TLSG_DER_SEQUENCE));
	assert_false(tlsg_der_is_next(&r, TLSG_DER_SET));
	assert_true(tlsg_der_read_tagged(&r, TLSG_DER_SEQUENCE, &list));
	in = tlsg_der_inside(&list);
	assert_true(tlsg_der_read_tagged(&in, TLSG_DER_INTEGER, &a));
	assert_true(tlsg_der_read_tagged(&in, TLSG_DER_INTEGER, &b));
	assert_true(tlsg_der_is_end(&in));
	assert_false(tlsg_der_read(&in, &c));
	assert_false(tlsg_der_is_next(&in, TLSG_DER_INTEGER));
	assert_true(tlsg_der_equals(&a, &b));
	assert_false(tlsg_der_is_end(&r));
	assert_false(tlsg_der_read_tagged(&r, TLSG_DER_INTEGER, &c));
	assert_false(tlsg_der_equals(&a, &c));
	r = tlsg_der_over(NULL, 0);
	assert_true(tlsg_der_is_end(&r));
	assert_false(tlsg_der_read(&r, &c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_elements),
			cmocka_unit_test(test_nesting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
