/*
 * tls_gnutls - tests of the table of DTLS associations
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: unit tests, with child processes.  Memory: the stand-in's shared region.  Lock: the table's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/host.h"
#include "transport/assoc.h"

#define MANY 3000
#define CHILDREN 4
#define TURNS 3000
#define TURNS_OF_ADDRESS 400000 /* so many, as few of them meet in the middle */
#define BATCH 16

static struct tlsg_assoc_key key_of(unsigned n)
{
	struct tlsg_assoc_key k = {0};

	k.peer = (struct tlsg_addr){4, {10, (unsigned char)(n >> 16), (unsigned char)(n >> 8), (unsigned char)n}};
	k.port = 5060;
	return k;
}

static struct tlsg_assoc *add(unsigned n)
{
	struct tlsg_assoc_key k = key_of(n);
	struct tlsg_assoc *a;

	assert_int_equal(tlsg_assoc_add(&k, true, &a), TLSG_OK);
	assert_non_null(a);
	return a;
}

static struct tlsg_assoc *find(unsigned n)
{
	struct tlsg_assoc_key k = key_of(n);

	return tlsg_assoc_find(&k);
}

static void start(unsigned max)
{
	assert_int_equal(tlsg_assoc_init(max, 0), TLSG_OK);
}

static int finish(void **state)
{
	(void)state;
	tlsg_assoc_deinit();
	tlsg_assoc_deinit();
	return tlsg_stub_shm_blocks() == 0 ? 0 : -1;
}

static void test_add_find_remove(void **state)
{
	struct tlsg_assoc *a;
	struct tlsg_assoc *b;

	(void)state;
	start(10);
	assert_null(find(1));
	a = add(1);
	assert_ptr_equal(find(1), a);
	tlsg_assoc_put(a);
	b = add(1);
	assert_ptr_equal(a, b);
	tlsg_assoc_put(b);
	assert_int_equal(tlsg_assoc_count(), 1);
	assert_true(a->id >= TLSG_ASSOC_ID_FIRST);
	b = tlsg_assoc_find_id(a->id);
	assert_ptr_equal(a, b);
	tlsg_assoc_put(b);
	assert_null(tlsg_assoc_find_id(a->id + 1));
	tlsg_assoc_remove(a);
	tlsg_assoc_remove(a);
	assert_null(find(1));
	assert_int_equal(tlsg_assoc_count(), 1); /* this test uses it */
	tlsg_assoc_put(a);
	assert_int_equal(tlsg_assoc_count(), 0);
	tlsg_assoc_put(NULL);
}

/* Each part of the key tells associations apart. */
static void test_key(void **state)
{
	struct tlsg_assoc_key k = key_of(1);
	struct tlsg_assoc *a = NULL;

	(void)state;
	start(10);
	tlsg_assoc_put(add(1));
	k.socket = 1;
	assert_null(tlsg_assoc_find(&k));
	k = key_of(1);
	k.port++;
	assert_null(tlsg_assoc_find(&k));
	k = key_of(1);
	k.peer.len = 16;
	assert_null(tlsg_assoc_find(&k));
	assert_int_equal(tlsg_assoc_add(&k, true, &a), TLSG_OK);
	tlsg_assoc_put(a);
	assert_int_equal(tlsg_assoc_count(), 2);
}

static void test_limit(void **state)
{
	struct tlsg_assoc_key k = key_of(9);
	struct tlsg_assoc *a;
	struct tlsg_assoc *first;
	unsigned i;

	(void)state;
	start(3);
	for(i = 0; i < 3; i++)
		tlsg_assoc_put(add(i));
	for(i = 0; i < MANY; i++) {
		assert_int_equal(tlsg_assoc_add(&k, true, &a), TLSG_FULL);
		assert_null(a);
	}
	tlsg_assoc_put(add(2)); /* one that exists is found */
	first = find(0);
	tlsg_assoc_remove(first);
	assert_int_equal(tlsg_assoc_add(&k, true, &a), TLSG_FULL); /* it still takes memory */
	tlsg_assoc_put(first);
	a = add(9);
	assert_true(a->id < TLSG_ASSOC_ID_FIRST + 4 * (int)tlsg_assoc_buckets()); /* who was refused has used no number */
	tlsg_assoc_put(a);
}

static unsigned collect(bool all)
{
	struct tlsg_assoc *found[BATCH];
	unsigned sum = 0;
	unsigned bucket;

	for(bucket = 0; bucket < tlsg_assoc_buckets(); bucket++) {
		unsigned from = 0;
		unsigned n;

		do {
			unsigned i;

			n = tlsg_assoc_collect(bucket, all, found, from, BATCH);
			for(i = 0; i < n; i++)
				tlsg_assoc_put(found[i]);
			from += n;
			sum += n;
		} while(n == BATCH);
	}
	return sum;
}

static void test_collect(void **state)
{
	struct tlsg_assoc *a;
	unsigned i;

	(void)state;
	start(MANY);
	for(i = 0; i < MANY; i++)
		tlsg_assoc_put(add(i));
	assert_int_equal(collect(true), MANY);
	assert_int_equal(collect(false), 0);
	a = find(7);
	tlsg_assoc_urgent(a, true);
	tlsg_assoc_urgent(a, true);
	assert_int_equal(collect(false), 1);
	tlsg_assoc_urgent(a, false);
	assert_int_equal(collect(false), 0);
	tlsg_assoc_urgent(a, true);
	tlsg_assoc_remove(a); /* is not visited any more */
	assert_int_equal(collect(false), 0);
	tlsg_assoc_put(a);
	assert_int_equal(collect(true), MANY - 1);
}

/* All numbers behind one, in batches; each batch is in the order of numbers. @return how many. */
static unsigned numbers_after(int after, int *numbers)
{
	struct tlsg_assoc *out[BATCH];
	unsigned count = 0;
	unsigned n;
	unsigned i;

	while((n = tlsg_assoc_collect_after(&after, out, BATCH)) > 0) {
		for(i = 0; i < n; i++) {
			numbers[count++] = out[i]->id;
			assert_true(i == 0 || out[i]->first_id > out[i - 1]->first_id);
			tlsg_assoc_put(out[i]);
		}
	}
	return count;
}

/* The order of numbers stays when associations end, also the one that a page ended with. */
static void test_collect_after(void **state)
{
	static int before[MANY], rest[MANY];
	struct tlsg_assoc *a;
	unsigned i;

	(void)state;
	assert_int_equal(numbers_after(0, rest), 0); /* no table */
	start(MANY / 8);
	assert_int_equal(numbers_after(0, rest), 0);
	for(i = 0; i < MANY / 8; i++)
		tlsg_assoc_put(add(i));
	assert_int_equal(numbers_after(0, before), MANY / 8);
	for(i = 0; i < MANY / 8; i += 7) {
		a = tlsg_assoc_find_id(before[i]);
		assert_non_null(a);
		assert_int_equal(a->id, before[i]);
		tlsg_assoc_remove(a);
		tlsg_assoc_put(a);
		assert_null(tlsg_assoc_find_id(before[i]));
		assert_int_equal(numbers_after(before[i], rest), MANY / 8 - 1 - i);
		assert_memory_equal(rest, before + i + 1, (MANY / 8 - 1 - i) * sizeof(int));
		tlsg_assoc_put(add(MANY + i)); /* may have any place */
		a = find(MANY + i);
		tlsg_assoc_remove(a);
		tlsg_assoc_put(a);
	}
}

static struct tlsg_assoc_key key_at(unsigned char host, uint16_t port)
{
	struct tlsg_assoc_key k = {.peer = {4, {192, 0, 2, host}}, .port = port};

	return k;
}

/* An address has as many as its limit, without those that this host opens; each that ends makes room. */
static void test_limit_of_an_address(void **state)
{
	struct tlsg_assoc *a[3], *b;
	struct tlsg_assoc_key k;
	unsigned i;

	(void)state;
	assert_int_equal(tlsg_assoc_init(10, 2), TLSG_OK);
	for(i = 0; i < 3; i++) { /* the first one is opened by this host */
		k = key_at(1, (uint16_t)i);
		assert_int_equal(tlsg_assoc_add(&k, i > 0, &a[i]), TLSG_OK);
	}
	k = key_at(1, 3);
	assert_int_equal(tlsg_assoc_add(&k, true, &b), TLSG_E_PEER);
	assert_null(b);
	assert_int_equal(tlsg_assoc_count(), 3);
	k = key_at(1, 2);
	assert_int_equal(tlsg_assoc_add(&k, true, &b), TLSG_OK); /* exists */
	assert_ptr_equal(b, a[2]);
	tlsg_assoc_put(b);
	k = key_at(2, 3);
	assert_int_equal(tlsg_assoc_add(&k, true, &b), TLSG_OK);
	tlsg_assoc_put(b);
	tlsg_assoc_remove(a[0]); /* was not counted */
	tlsg_assoc_put(a[0]);
	k = key_at(1, 3);
	assert_int_equal(tlsg_assoc_add(&k, true, &b), TLSG_E_PEER);
	tlsg_assoc_remove(a[1]);
	assert_int_equal(tlsg_assoc_add(&k, true, &b), TLSG_E_PEER); /* it still takes memory */
	tlsg_assoc_put(a[1]);
	assert_int_equal(tlsg_assoc_add(&k, true, &b), TLSG_OK);
	tlsg_assoc_put(b);
	tlsg_assoc_put(a[2]);
}

/* A second worker, with a copy of the same ClientHello. */
static struct tlsg_assoc *added_elsewhere;
static bool is_removed_elsewhere;
static unsigned releases_left;

static void add_elsewhere(void)
{
	struct tlsg_assoc_key k = key_at(1, 1);

	if(--releases_left > 0) {
		tlsg_stub_released_cb = add_elsewhere;
		return;
	}
	assert_int_equal(tlsg_assoc_add(&k, true, &added_elsewhere), TLSG_OK);
	if(!is_removed_elsewhere)
		return;
	tlsg_assoc_remove(added_elsewhere);
	tlsg_assoc_put(added_elsewhere);
}

/* Two workers have copies of one ClientHello, and there is room for one association: both get it, none is refused. */
static void test_added_by_two(void **state)
{
	static const struct
	{
		unsigned max;
		unsigned per_address;
		unsigned releases; /* of locks before the second worker comes: 1 by the look-up, 2 by shm_malloc() */
		bool is_removed;
	} rows[] = {
			{1, 0, 1, false}, {2, 1, 1, false}, {1, 1, 1, true}, {1, 0, 2, false}, {2, 1, 2, false}, {1, 1, 2, true}};
	struct tlsg_assoc_key k = key_at(1, 1);
	struct tlsg_assoc *a;
	unsigned i;

	(void)state;
	for(i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(tlsg_assoc_init(rows[i].max, rows[i].per_address), TLSG_OK);
		is_removed_elsewhere = rows[i].is_removed;
		releases_left = rows[i].releases;
		tlsg_stub_released_cb = add_elsewhere;
		assert_int_equal(tlsg_assoc_add(&k, true, &a), TLSG_OK);
		assert_null(tlsg_stub_released_cb); /* the other one came between */
		if(!rows[i].is_removed) {
			assert_ptr_equal(a, added_elsewhere);
			tlsg_assoc_put(added_elsewhere);
		}
		assert_int_equal(tlsg_assoc_count(), 1);
		tlsg_assoc_remove(a);
		tlsg_assoc_put(a);
		assert_int_equal(tlsg_assoc_count(), 0);
		tlsg_assoc_deinit();
	}
}

/* A number that changes while the table is read, because the peer starts again, does not change the order. */
static void test_collect_renumbered(void **state)
{
	static int before[MANY], rest[MANY];
	struct tlsg_assoc *a;
	unsigned visited = 0, i;
	int after = 0;

	(void)state;
	start(MANY / 8);
	for(i = 0; i < MANY / 8; i++)
		tlsg_assoc_put(add(i));
	while(tlsg_assoc_collect_after(&after, &a, 1) == 1) {
		a->id = tlsg_assoc_number(a);
		assert_true(++visited <= MANY / 8);
		tlsg_assoc_put(a);
	}
	assert_int_equal(visited, MANY / 8);
	assert_int_equal(numbers_after(0, before), MANY / 8);
	for(i = 0; i < MANY / 8; i += 7) { /* a page that ended with it goes on behind it */
		assert_int_equal(numbers_after(before[i], rest), MANY / 8 - 1 - i);
		assert_memory_equal(rest, before + i + 1, (MANY / 8 - 1 - i) * sizeof(int));
	}
}

/* While a process keeps the lock, others do not wait for ever, and wait once for each step. */
static void test_lock(void **state)
{
	struct tlsg_assoc *a;
	unsigned sleeps;
	bool is_urgent;

	(void)state;
	start(8);
	a = add(1);
	for(is_urgent = false;; is_urgent = true) {
		tlsg_assoc_urgent(a, is_urgent);
		assert_true(tlsg_assoc_lock(a));
		assert_false(tlsg_assoc_try(a));
		assert_int_equal(a->slow, 0);
		assert_false(tlsg_assoc_lock(a));
		assert_int_not_equal(a->slow, 0);
		sleeps = tlsg_stub_sleeps();
		assert_false(tlsg_assoc_lock(a));
		assert_int_equal(tlsg_stub_sleeps(), sleeps);
		tlsg_assoc_unlock(a);
		assert_int_equal(a->slow, 0);
		if(is_urgent)
			break;
	}
	assert_true(tlsg_assoc_try(a));
	tlsg_assoc_unlock(a);
	tlsg_assoc_put(a);
}

static void child(unsigned seed)
{
	unsigned i;

	srandom(seed);
	for(i = 0; i < TURNS; i++) {
		struct tlsg_assoc_key k = key_of((unsigned)random() % 32);
		struct tlsg_assoc *a;

		if(tlsg_assoc_add(&k, true, &a) != TLSG_OK)
			continue;
		if(!tlsg_assoc_lock(a))
			_exit(1);
		tlsg_assoc_urgent(a, (random() & 1) != 0);
		tlsg_assoc_unlock(a);
		if((random() & 3) == 0)
			tlsg_assoc_remove(a);
		tlsg_assoc_put(a);
	}
	_exit(0);
}

static void test_processes(void **state)
{
	struct tlsg_assoc *a;
	unsigned i;
	int status;

	(void)state;
	start(24);
	for(i = 0; i < CHILDREN; i++)
		if(fork() == 0)
			child(i);
	for(i = 0; i < CHILDREN; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_int_equal(tlsg_assoc_count(), collect(true));
	for(i = 0; i < 32; i++) {
		a = find(i);
		if(a == NULL)
			continue;
		tlsg_assoc_remove(a);
		tlsg_assoc_put(a);
	}
	assert_int_equal(tlsg_assoc_count(), 0);
	assert_int_equal(collect(false), 0);
}

/* Makes and removes the only association of an address. @return with 1: refused as if the address had others. */
static void child_of_address(unsigned char host)
{
	struct tlsg_assoc_key k = key_at(host, 5061);
	struct tlsg_assoc *a;
	unsigned i;

	for(i = 0; i < TURNS_OF_ADDRESS; i++) {
		enum tlsg_ret ret = tlsg_assoc_add(&k, true, &a);

		if(ret == TLSG_FULL)
			continue;
		if(ret != TLSG_OK)
			_exit(1);
		tlsg_assoc_remove(a);
		tlsg_assoc_put(a);
	}
	_exit(0);
}

/* More addresses than associations are allowed: what is refused is refused for that, and for no limit of an address. */
static void test_processes_of_addresses(void **state)
{
	unsigned failed = 0;
	unsigned i;
	int status;

	(void)state;
	assert_int_equal(tlsg_assoc_init(2, 1), TLSG_OK);
	for(i = 0; i < CHILDREN; i++)
		if(fork() == 0)
			child_of_address((unsigned char)(i + 1));
	for(i = 0; i < CHILDREN; i++) {
		assert_true(wait(&status) > 0);
		failed += status != 0;
	}
	assert_int_equal(failed, 0); /* all have ended */
	assert_int_equal(tlsg_assoc_count(), 0);
}

/* A process that ends with the lock of a bucket keeps nobody waiting at shutdown. */
static void test_lock_of_a_dead_process(void **state)
{
	int status = 0;
	pid_t pid;

	(void)state;
	tlsg_assoc_table_unlock(); /* no table */
	start(8);
	tlsg_assoc_put(add(1));
	pid = fork();
	if(pid == 0) {
		tlsg_stub_lock_is_last = true;
		(void)find(1);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	alarm(20);
	tlsg_assoc_table_unlock();
	assert_int_equal(collect(true), 1);
	tlsg_assoc_table_unlock();
	assert_int_equal(collect(true), 1);
	alarm(0);
}

/* What the table takes at start: the figures of doc/parameters.md, dtls_max_connections. */
static void test_bytes_at_start(void **state)
{
	static const struct
	{
		unsigned max;
		size_t bytes;
	} rows[] = {{10000, 600000}, {1048576, 20000000}, {1025, 1025 * 70}, {4097, 4097 * 70}, {65536, 65536 * 70}};
	unsigned i;

	(void)state;
	for(i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t before = tlsg_stub_shm_in_use();
		size_t bytes;

		assert_int_equal(tlsg_assoc_init(rows[i].max, rows[i].max / 2), TLSG_OK);
		bytes = tlsg_stub_shm_in_use() - before;
		assert_true(bytes <= rows[i].bytes);
		tlsg_assoc_deinit();
	}
}

static void test_no_memory(void **state)
{
	struct tlsg_assoc_key k = key_of(1);
	struct tlsg_assoc *a;

	(void)state;
	tlsg_stub_shm_fail_after(0);
	assert_int_equal(tlsg_assoc_init(8, 0), TLSG_E_RESOURCE);
	tlsg_stub_shm_fail_after(-1);
	start(8);
	tlsg_stub_shm_fail_after(0);
	assert_int_equal(tlsg_assoc_add(&k, true, &a), TLSG_E_RESOURCE);
	assert_null(a);
	tlsg_stub_shm_fail_after(-1);
	assert_int_equal(tlsg_assoc_count(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test_teardown(test_add_find_remove, finish),
			cmocka_unit_test_teardown(test_key, finish),
			cmocka_unit_test_teardown(test_limit, finish),
			cmocka_unit_test_teardown(test_limit_of_an_address, finish),
			cmocka_unit_test_teardown(test_added_by_two, finish),
			cmocka_unit_test_teardown(test_collect, finish),
			cmocka_unit_test_teardown(test_collect_after, finish),
			cmocka_unit_test_teardown(test_collect_renumbered, finish),
			cmocka_unit_test_teardown(test_lock, finish),
			cmocka_unit_test_teardown(test_processes, finish),
			cmocka_unit_test_teardown(test_processes_of_addresses, finish),
			cmocka_unit_test_teardown(test_lock_of_a_dead_process, finish),
			cmocka_unit_test_teardown(test_bytes_at_start, finish),
			cmocka_unit_test_teardown(test_no_memory, finish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
