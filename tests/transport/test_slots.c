/*
 * tls_gnutls - tests of the limits on unfinished handshakes
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: unit tests, with child processes.  Memory: the stand-in's shared region.  Lock: none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/host.h"
#include "tests/lib/stats_value.h"
#include "transport/slots.h"
#include "transport/stats.h"

#define MANY 2000

static struct tlsg_addr v4(unsigned n)
{
	return (struct tlsg_addr){4, {10, (unsigned char)(n >> 16), (unsigned char)(n >> 8), (unsigned char)n}};
}

/* Network and host part of an IPv6 address. */
static struct tlsg_addr v6(unsigned char network, unsigned char host)
{
	struct tlsg_addr a = {16, {0x20, 0x01, 0x0d, 0xb8}};

	a.bytes[7] = network;
	a.bytes[15] = host;
	return a;
}

static void start(unsigned handshakes, size_t bytes, unsigned per_address, unsigned addresses)
{
	struct tlsg_slots_limits l = {handshakes, bytes, per_address, addresses};

	assert_int_equal(tlsg_slots_init(&l), TLSG_OK);
}

static int finish(void **state)
{
	(void)state;
	tlsg_slots_deinit();
	tlsg_slots_deinit();
	return tlsg_stub_shm_blocks() == 1 ? 0 : -1; /* the counters */
}

static void test_without_limits(void **state)
{
	struct tlsg_addr a = v4(1);
	struct tlsg_slot slot;

	(void)state;
	assert_int_equal(tlsg_slots_take(&a, &slot), TLSG_SLOT_TAKEN); /* no table at all */
	assert_false(slot.taken);
	tlsg_slots_note(&slot, 1000);
	tlsg_slots_give(&slot);
	assert_int_equal(tlsg_slots_used(NULL), 0);
	start(0, 0, 0, 0);
	assert_int_equal(tlsg_slots_take(&a, &slot), TLSG_SLOT_TAKEN);
	assert_int_equal(tlsg_slots_used(NULL), 1);
	tlsg_slots_give(&slot);
	tlsg_slots_give(&slot); /* once */
	assert_int_equal(tlsg_slots_used(NULL), 0);
}

static void test_in_total(void **state)
{
	uint64_t refused = tlsg_stats_value_of("limit_handshakes");
	struct tlsg_addr none = {0};
	struct tlsg_slot slot[3], more;
	unsigned i;

	(void)state;
	start(3, 0, 0, 0);
	for(i = 0; i < 3; i++)
		assert_int_equal(tlsg_slots_take(&none, &slot[i]), TLSG_SLOT_TAKEN);
	assert_int_equal(tlsg_slots_take(&none, &more), TLSG_SLOT_HANDSHAKES);
	assert_false(more.taken);
	tlsg_slots_give(&more);
	assert_int_equal(tlsg_slots_used(NULL), 3);
	assert_int_equal(tlsg_stats_value_of("limit_handshakes"), refused + 1);
	tlsg_slots_give(&slot[1]);
	assert_int_equal(tlsg_slots_take(&none, &more), TLSG_SLOT_TAKEN);
	tlsg_slots_give(&more);
	tlsg_slots_give(&slot[0]);
	tlsg_slots_give(&slot[2]);
	assert_int_equal(tlsg_slots_used(NULL), 0);
}

static void test_by_memory(void **state)
{
	struct tlsg_addr a = v4(1);
	struct tlsg_slot slot[3], more;
	uint64_t bytes;

	(void)state;
	start(0, 100000, 0, 0);
	assert_int_equal(tlsg_slots_take(&a, &slot[0]), TLSG_SLOT_TAKEN);
	assert_int_equal(tlsg_slots_take(&a, &slot[1]), TLSG_SLOT_TAKEN);
	tlsg_slots_note(&slot[0], 40000);
	tlsg_slots_note(&slot[1], 70000);
	assert_int_equal(tlsg_slots_take(&a, &more), TLSG_SLOT_HANDSHAKES);
	tlsg_slots_note(&slot[1], 20000); /* smaller again */
	assert_int_equal(tlsg_slots_used(&bytes), 2);
	assert_int_equal(bytes, 60000);
	assert_int_equal(tlsg_slots_take(&a, &slot[2]), TLSG_SLOT_TAKEN);
	tlsg_slots_give(&slot[2]);
	tlsg_slots_give(&slot[0]);
	tlsg_slots_give(&slot[1]);
	assert_int_equal(tlsg_slots_used(&bytes), 0);
	assert_int_equal(bytes, 0);
}

static void test_per_address(void **state)
{
	uint64_t refused = tlsg_stats_value_of("limit_handshakes_per_address");
	struct tlsg_addr mapped = {16, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1}};
	struct tlsg_addr alike = {16, {0, 0, 0, 0, 10, 0, 0, 1}};
	struct tlsg_addr a = v4(1), b = v4(2), one = v6(1, 1), same = v6(1, 2), other = v6(2, 1), none = {0};
	struct tlsg_slot slot[6], more;

	(void)state;
	start(0, 0, 2, 8);
	assert_int_equal(tlsg_slots_take(&a, &slot[0]), TLSG_SLOT_TAKEN);
	assert_int_equal(tlsg_slots_take(&mapped, &slot[1]), TLSG_SLOT_TAKEN);
	assert_int_equal(tlsg_slots_take(&a, &more), TLSG_SLOT_ADDRESS);
	assert_int_equal(tlsg_slots_take(&b, &slot[2]), TLSG_SLOT_TAKEN);
	assert_int_equal(tlsg_slots_take(&one, &slot[3]), TLSG_SLOT_TAKEN);
	assert_int_equal(tlsg_slots_take(&same, &slot[4]), TLSG_SLOT_TAKEN);
	assert_int_equal(tlsg_slots_take(&one, &more), TLSG_SLOT_ADDRESS);
	assert_int_equal(tlsg_slots_take(&other, &slot[5]), TLSG_SLOT_TAKEN);
	assert_int_equal(tlsg_slots_take(&none, &more), TLSG_SLOT_TAKEN); /* no address: not counted by address */
	tlsg_slots_give(&more);
	assert_int_equal(tlsg_slots_take(&alike, &more), TLSG_SLOT_TAKEN); /* not that of IPv4 with the same bytes */
	tlsg_slots_give(&more);
	assert_int_equal(tlsg_stats_value_of("limit_handshakes_per_address"), refused + 2);
	assert_int_equal(tlsg_slots_used(NULL), 6);
	tlsg_slots_give(&slot[0]);
	assert_int_equal(tlsg_slots_take(&mapped, &slot[0]), TLSG_SLOT_TAKEN);
	assert_int_equal(tlsg_slots_take(&mapped, &more), TLSG_SLOT_ADDRESS);
	for(unsigned i = 0; i < 6; i++)
		tlsg_slots_give(&slot[i]);
	assert_int_equal(tlsg_slots_used(NULL), 0);
}

/* The table has a fixed size, and entries can be freed in any order. */
static void test_many_addresses(void **state)
{
	static struct tlsg_slot slot[MANY];
	struct tlsg_addr a;
	struct tlsg_slot more;
	unsigned i, round;

	(void)state;
	start(0, 0, 1, MANY);
	srand(1);
	for(round = 0; round < 20; round++) {
		for(i = 0; i < MANY; i++) {
			a = v4(i * 7 + round);
			assert_int_equal(tlsg_slots_take(&a, &slot[i]), TLSG_SLOT_TAKEN);
		}
		a = v4(MANY * 8);
		assert_int_equal(tlsg_slots_take(&a, &more), TLSG_SLOT_ADDRESS); /* the table is full */
		for(i = MANY - 1; i > 0; i--) {
			unsigned k = (unsigned)rand() % (i + 1);
			struct tlsg_slot t = slot[i];

			slot[i] = slot[k];
			slot[k] = t;
		}
		for(i = 0; i < MANY; i++)
			tlsg_slots_give(&slot[i]);
		assert_int_equal(tlsg_slots_used(NULL), 0);
	}
}

/* What the table takes at start: the figure of doc/parameters.md, handshakes_per_address. */
static void test_bytes_at_start(void **state)
{
	size_t before = tlsg_stub_shm_in_use();
	size_t without;

	(void)state;
	start(MANY, 0, 0, MANY);
	without = tlsg_stub_shm_in_use() - before;
	tlsg_slots_deinit();
	start(MANY, 0, 100, MANY);
	assert_true(tlsg_stub_shm_in_use() - before - without <= 17 * MANY + 64);
}

static void child(unsigned seed)
{
	struct tlsg_slot slot[8] = {{0}};
	unsigned i;

	srand(seed);
	for(i = 0; i < 20000; i++) {
		struct tlsg_slot *s = &slot[(unsigned)rand() % 8];
		struct tlsg_addr a = v4((unsigned)rand() % 16);

		if(s->taken)
			tlsg_slots_give(s);
		else if(tlsg_slots_take(&a, s) == TLSG_SLOT_TAKEN)
			tlsg_slots_note(s, (unsigned)rand() % 50000);
	}
	for(i = 0; i < 8; i++)
		tlsg_slots_give(&slot[i]);
	_exit(0);
}

static void test_processes(void **state)
{
	struct tlsg_slot slot[4];
	struct tlsg_addr a = v4(3);
	uint64_t bytes;
	unsigned i;
	int status;

	(void)state;
	start(20, 1000000, 4, 20);
	for(i = 0; i < 4; i++)
		if(fork() == 0)
			child(i);
	for(i = 0; i < 4; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_int_equal(tlsg_slots_used(&bytes), 0);
	assert_int_equal(bytes, 0);
	for(i = 0; i < 4; i++) /* no entry is left behind */
		assert_int_equal(tlsg_slots_take(&a, &slot[i]), TLSG_SLOT_TAKEN);
}

/* A process that ends with the lock keeps nobody waiting at shutdown. */
static void test_lock_of_a_dead_process(void **state)
{
	struct tlsg_addr a = v4(1);
	struct tlsg_slot slot;
	int status = 0;
	pid_t pid;

	(void)state;
	tlsg_slots_unlock(); /* no table */
	start(8, 0, 2, 8);
	pid = fork();
	if(pid == 0) {
		tlsg_stub_lock_is_last = true;
		if(tlsg_slots_take(&a, &slot) != TLSG_SLOT_TAKEN)
			_exit(2);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	alarm(20);
	tlsg_slots_unlock();
	assert_int_equal(tlsg_slots_take(&a, &slot), TLSG_SLOT_TAKEN);
	tlsg_slots_unlock();
	tlsg_slots_give(&slot);
	alarm(0);
}

static void test_no_memory(void **state)
{
	struct tlsg_slots_limits l = {1, 0, 1, 1};

	(void)state;
	tlsg_stub_shm_fail_after(0);
	assert_int_equal(tlsg_slots_init(&l), TLSG_E_RESOURCE);
	tlsg_stub_shm_fail_after(-1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test_teardown(test_without_limits, finish),
			cmocka_unit_test_teardown(test_in_total, finish),
			cmocka_unit_test_teardown(test_by_memory, finish),
			cmocka_unit_test_teardown(test_per_address, finish),
			cmocka_unit_test_teardown(test_many_addresses, finish),
			cmocka_unit_test_teardown(test_bytes_at_start, finish),
			cmocka_unit_test_teardown(test_processes, finish),
			cmocka_unit_test_teardown(test_lock_of_a_dead_process, finish),
			cmocka_unit_test_teardown(test_no_memory, finish),
	};
	int failed;

	if(tlsg_stats_init() != TLSG_OK)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	tlsg_stats_deinit();
	return failed;
}
