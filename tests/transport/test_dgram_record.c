/*
 * tls_gnutls - tests of what is read of records and fragments of DTLS, and of which ones a session may get
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: unit tests.  Memory: none.  Lock: none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "transport/dgram_record.h"

#define LIMIT 4096

/** A record of handshake fragments that are not encrypted. */
struct record
{
	unsigned char bytes[4096];
	size_t size;
	struct tlsg_dgram_record r;
};

static void start(struct record *x)
{
	static const unsigned char head[TLSG_DGRAM_HEAD] = {22, 0xfe, 0xfd};

	memcpy(x->bytes, head, sizeof(head));
	x->size = sizeof(head);
}

static void add(struct record *x, unsigned type, unsigned number, unsigned length, unsigned offset, unsigned size)
{
	unsigned char head[TLSG_DGRAM_MESSAGE_HEAD] = {(unsigned char)type, (unsigned char)(length >> 16),
			(unsigned char)(length >> 8), (unsigned char)length, (unsigned char)(number >> 8), (unsigned char)number,
			(unsigned char)(offset >> 16), (unsigned char)(offset >> 8), (unsigned char)offset,
			(unsigned char)(size >> 16), (unsigned char)(size >> 8), (unsigned char)size};

	memcpy(x->bytes + x->size, head, sizeof(head));
	memset(x->bytes + x->size + sizeof(head), 0xAA, size < 1000 ? size : 0);
	x->size += sizeof(head) + (size < 1000 ? size : 0);
}

static bool admit(struct record *x, struct tlsg_dgram_messages *m)
{
	x->bytes[11] = (unsigned char)((x->size - TLSG_DGRAM_HEAD) >> 8);
	x->bytes[12] = (unsigned char)(x->size - TLSG_DGRAM_HEAD);
	assert_true(tlsg_dgram_record_read(x->bytes, x->size, &x->r));
	return tlsg_dgram_record_admit(m, &x->r, LIMIT);
}

static bool admit_one(
		struct tlsg_dgram_messages *m, unsigned type, unsigned number, unsigned length, unsigned offset, unsigned size)
{
	struct record x;

	start(&x);
	add(&x, type, number, length, offset, size);
	return admit(&x, m);
}

static void test_header(void **state)
{
	static const unsigned char good[] = {21, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 9, 0, 2, 1, 0, 99};
	unsigned char bad[sizeof(good)];
	struct tlsg_dgram_record r;
	size_t n;

	(void)state;
	assert_true(tlsg_dgram_record_read(good, sizeof(good), &r));
	assert_int_equal(r.type, TLSG_DGRAM_ALERT);
	assert_int_equal(r.version, 0xfefd);
	assert_int_equal(r.epoch, 1);
	assert_int_equal(r.size, 2);
	assert_int_equal(r.whole, 15); /* the rest is another record */
	assert_ptr_equal(r.body, good + 13);
	for(n = 0; n < 15; n++)
		assert_false(tlsg_dgram_record_read(good, n, &r));
	memcpy(bad, good, sizeof(bad));
	bad[1] = 3; /* TLS */
	assert_false(tlsg_dgram_record_read(bad, sizeof(bad), &r));
	memcpy(bad, good, sizeof(bad));
	bad[12] = 0; /* empty */
	assert_false(tlsg_dgram_record_read(bad, sizeof(bad), &r));
}

static void test_record_is_not_too_long(void **state)
{
	static unsigned char bytes[13 + 16384 + 2048 + 1] = {23, 0xfe, 0xfd};
	struct tlsg_dgram_record r;

	(void)state;
	bytes[11] = 0x48; /* 18432 */
	assert_true(tlsg_dgram_record_read(bytes, sizeof(bytes), &r));
	bytes[12] = 1;
	assert_false(tlsg_dgram_record_read(bytes, sizeof(bytes), &r));
}

static void test_fragments(void **state)
{
	static const struct
	{
		unsigned length, offset, size;
		bool good;
	} all[] = {
			{100, 0, 100, true},
			{100, 0, 40, true},
			{100, 60, 40, true},
			{0, 0, 0, true},
			{100, 61, 40, false}, /* behind the end */
			{100, 101, 0, false},
			{100, 0, 0, false}, /* a part without bytes */
			{100, 100, 0, false},
			{1000, 0, 1000, false}, /* more than the record has */
			{LIMIT, 0, 10, true},
			{LIMIT + 1, 0, 10, false},
			{0xffffff, 0, 10, false},
			{0xffffff, 0xfffff0, 10, false},
	};
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct tlsg_dgram_messages m = {0}, before = m;

		assert_int_equal(admit_one(&m, 11, 0, all[i].length, all[i].offset, all[i].size), all[i].good);
		if(!all[i].good)
			assert_memory_equal(&m, &before, sizeof(m));
	}
}

/* Of a known message, all fragments have its type and its length. */
static void test_fragments_agree(void **state)
{
	struct tlsg_dgram_messages m = {0};

	(void)state;
	assert_true(admit_one(&m, 11, 0, 200, 0, 50));
	assert_true(admit_one(&m, 11, 0, 200, 50, 50));
	assert_true(admit_one(&m, 11, 0, 200, 50, 50)); /* again */
	assert_false(admit_one(&m, 12, 0, 200, 100, 50));
	assert_false(admit_one(&m, 11, 0, 201, 100, 50));
	assert_false(admit_one(&m, 11, 0, 199, 100, 50));
	assert_true(admit_one(&m, 12, 1, 300, 0, 50));
}

static void test_window(void **state)
{
	struct tlsg_dgram_messages m = {.first = 3};
	unsigned i;

	(void)state;
	assert_true(admit_one(&m, 1, 3, 10, 0, 10));
	assert_true(admit_one(&m, 1, 2, 10, 0, 10)); /* older: harmless, it may come with a newer one */
	assert_true(admit_one(&m, 1, 3 + TLSG_DGRAM_WINDOW - 1, 10, 0, 10));
	assert_false(admit_one(&m, 1, 3 + TLSG_DGRAM_WINDOW, 10, 0, 10));
	assert_false(admit_one(&m, 1, 30000, 10, 0, 10));
	for(i = 0; i < TLSG_DGRAM_WINDOW + 5; i++)
		tlsg_dgram_record_done(&m);
	assert_false(admit_one(&m, 1, 3 + TLSG_DGRAM_WINDOW, 10, 0, 10));
}

/* What is begun and not complete is bounded in all, over records and within one. */
static void test_pending_is_bounded(void **state)
{
	struct tlsg_dgram_messages m = {0};
	struct record x;
	unsigned i;

	(void)state;
	assert_true(admit_one(&m, 11, 0, LIMIT / 2, 0, 10));
	assert_true(admit_one(&m, 12, 1, LIMIT / 2, 0, 10));
	assert_false(admit_one(&m, 13, 2, 1, 0, 1));
	tlsg_dgram_record_done(&m); /* GnuTLS has taken message 0 */
	assert_true(admit_one(&m, 13, 2, 1, 0, 1));
	assert_true(admit_one(&m, 14, 3, LIMIT / 2 - 1, 0, 1));
	assert_false(admit_one(&m, 15, 4, 1, 0, 1));
	memset(&m, 0, sizeof(m));
	start(&x);
	for(i = 0; i < 6; i++)
		add(&x, 11, i, LIMIT / 4, 0, 10);
	assert_false(admit(&x, &m));
	assert_int_equal(m.known, 0);
	/* the same with messages that GnuTLS has taken before: it allocates them again */
	for(i = 0; i < 6; i++)
		tlsg_dgram_record_done(&m);
	assert_false(admit(&x, &m));
	start(&x);
	for(i = 0; i < 3; i++)
		add(&x, 11, i, LIMIT / 4, 0, 10);
	assert_true(admit(&x, &m));
}

static void test_other_types(void **state)
{
	struct tlsg_dgram_messages m = {0};
	struct tlsg_dgram_record ccs = {.type = TLSG_DGRAM_CCS, .size = 1}, alert = {.type = TLSG_DGRAM_ALERT, .size = 2};
	struct tlsg_dgram_record data = {.type = TLSG_DGRAM_DATA, .size = 10}, heartbeat = {.type = 24, .size = 19};
	int i;

	(void)state;
	for(i = 0; i < TLSG_DGRAM_CCS_MAX; i++)
		assert_true(tlsg_dgram_record_admit(&m, &ccs, LIMIT));
	assert_false(tlsg_dgram_record_admit(&m, &ccs, LIMIT)); /* GnuTLS keeps 17 KB for each */
	tlsg_dgram_record_done(&m);
	assert_true(tlsg_dgram_record_admit(&m, &ccs, LIMIT));
	ccs.size = 3;
	assert_false(tlsg_dgram_record_admit(&m, &ccs, LIMIT));
	assert_true(tlsg_dgram_record_admit(&m, &alert, LIMIT));
	alert.size = 3;
	assert_false(tlsg_dgram_record_admit(&m, &alert, LIMIT));
	assert_false(tlsg_dgram_record_admit(&m, &data, LIMIT)); /* never in clear text */
	assert_false(tlsg_dgram_record_admit(&m, &heartbeat, LIMIT));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_header),
			cmocka_unit_test(test_record_is_not_too_long),
			cmocka_unit_test(test_fragments),
			cmocka_unit_test(test_fragments_agree),
			cmocka_unit_test(test_window),
			cmocka_unit_test(test_pending_is_bounded),
			cmocka_unit_test(test_other_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
