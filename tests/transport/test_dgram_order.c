/*
 * tls_gnutls - tests of the order of datagrams
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: one process.  Memory: stack.  Lock: none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "transport/dgram_order.h"
#include "transport/dgram_record.h"

#define RECORD_BYTES (TLSG_DGRAM_HEAD + 1)

/** Writes a record with one byte. @return the bytes behind it. */
static unsigned char *put(unsigned char *to, unsigned char type, unsigned char epoch, unsigned char number)
{
	const unsigned char record[RECORD_BYTES] = {type, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, number, 0, 1, 0};

	memcpy(to, record, sizeof(record));
	return to + sizeof(record);
}

static bool is_turn(const struct tlsg_dgram_order *o, unsigned char epoch, unsigned char number)
{
	unsigned char data[RECORD_BYTES];

	put(data, TLSG_DGRAM_HANDSHAKE, epoch, number);
	return tlsg_dgram_order_is_turn(o, data, sizeof(data));
}

static void note(struct tlsg_dgram_order *o, unsigned char type, unsigned char epoch, unsigned char number, bool begins)
{
	unsigned char data[RECORD_BYTES];

	put(data, type, epoch, number);
	tlsg_dgram_order_note(o, data, sizeof(data), begins);
}

static void test_one_after_the_other(void **state)
{
	struct tlsg_dgram_order o = {0, 0};

	(void)state;
	assert_true(is_turn(&o, 0, 0));
	assert_false(is_turn(&o, 0, 1));
	note(&o, TLSG_DGRAM_HANDSHAKE, 0, 0, false);
	assert_true(is_turn(&o, 0, 1));
	assert_true(is_turn(&o, 0, 0)); /* again: GnuTLS drops it */
	assert_false(is_turn(&o, 0, 2));
	note(&o, TLSG_DGRAM_HANDSHAKE, 0, 4, false); /* those before are lost */
	assert_true(is_turn(&o, 0, 5));
	assert_true(is_turn(&o, 0, 2));
	assert_false(is_turn(&o, 0, 6));
}

static void test_next_epoch_after_change_cipher_spec(void **state)
{
	struct tlsg_dgram_order o = {0, 0};

	(void)state;
	note(&o, TLSG_DGRAM_HANDSHAKE, 0, 7, false);
	assert_false(is_turn(&o, 1, 0));
	note(&o, TLSG_DGRAM_CCS, 0, 8, false);
	assert_true(is_turn(&o, 1, 0));
	assert_false(is_turn(&o, 1, 1));
	note(&o, TLSG_DGRAM_HANDSHAKE, 1, 0, false);
	note(&o, TLSG_DGRAM_HANDSHAKE, 0, 9, false); /* a flight that was repeated does not lead back */
	assert_true(is_turn(&o, 1, 1));
}

static void test_several_records(void **state)
{
	struct tlsg_dgram_order o = {0, 0};
	unsigned char data[3 * RECORD_BYTES];
	unsigned char *end = put(data, TLSG_DGRAM_HANDSHAKE, 0, 0);

	(void)state;
	end = put(end, TLSG_DGRAM_HANDSHAKE, 0, 1);
	end = put(end, TLSG_DGRAM_CCS, 0, 2);
	tlsg_dgram_order_note(&o, data, (size_t)(end - data) - 1, false); /* the last one is cut off */
	assert_true(is_turn(&o, 0, 2));
	assert_false(is_turn(&o, 1, 0));
	tlsg_dgram_order_note(&o, data, (size_t)(end - data), false);
	assert_true(is_turn(&o, 1, 0));
}

static void test_handshake_that_begins_anew(void **state)
{
	struct tlsg_dgram_order o = {0, 0};

	(void)state;
	note(&o, TLSG_DGRAM_DATA, 1, 200, false);
	note(&o, TLSG_DGRAM_HANDSHAKE, 0, 1, true);
	assert_true(is_turn(&o, 0, 2));
	assert_false(is_turn(&o, 0, 3));
}

/** What a peer leaves out on purpose costs a few waits. */
static void test_waits_in_vain(void **state)
{
	struct tlsg_dgram_order o = {0, 0};
	unsigned waits = 0;
	unsigned char i;

	(void)state;
	for(i = 0; i < 100; i++) {
		if(!is_turn(&o, 0, (unsigned char)(2 * i + 1))) {
			tlsg_dgram_order_vain(&o);
			waits++;
		}
		note(&o, TLSG_DGRAM_HANDSHAKE, 0, (unsigned char)(2 * i + 1), false);
	}
	assert_int_equal(waits, 8);
}

static void test_no_record(void **state)
{
	struct tlsg_dgram_order o = {0, 0};
	unsigned char data[RECORD_BYTES];

	(void)state;
	put(data, TLSG_DGRAM_HANDSHAKE, 3, 9);
	assert_false(tlsg_dgram_order_is_turn(&o, data, sizeof(data)));
	assert_true(tlsg_dgram_order_is_turn(&o, data, sizeof(data) - 1));
	assert_true(tlsg_dgram_order_is_turn(&o, data, 0));
	tlsg_dgram_order_note(&o, data, sizeof(data) - 1, false);
	assert_false(is_turn(&o, 0, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_one_after_the_other),
			cmocka_unit_test(test_next_epoch_after_change_cipher_spec),
			cmocka_unit_test(test_several_records),
			cmocka_unit_test(test_handshake_that_begins_anew),
			cmocka_unit_test(test_waits_in_vain),
			cmocka_unit_test(test_no_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
