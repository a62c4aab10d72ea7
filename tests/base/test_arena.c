/*
 * tls_gnutls - tests of the arena: blocks, zones, chunks, accounting, wiping, private blocks
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: one process, its threads and children.  Memory: the stand-in's region.  Lock: none.
 */
#define _GNU_SOURCE /* memmem() */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/arena_chunk.h"
#include "base/arena_pool.h"
#include "base/host.h"
#include "tests/lib/arena_stats.h"

#define HOME_BYTES 4096
#define PROCESSES 4

static const char secret[] = "attack at dawn, and take the ladders";

static int setup(void **state)
{
	(void)state;
	tlsg_stub_process_set(1, PROCESSES);
	assert_int_equal(tlsg_stub_shm_blocks(), 0);
	assert_int_equal(tlsg_arena_pool_global_init(), TLSG_OK);
	assert_int_equal(tlsg_arena_pool_init(PROCESSES), TLSG_OK);
	return 0;
}

/** After every test nothing is held, and shutdown leaves nothing in shared memory. */
static int teardown(void **state)
{
	(void)state;
	tlsg_stub_shm_fail_after(-1);
	tlsg_stub_shm_limit_set(0);
	tlsg_stub_shm_free_hook(NULL);
	assert_int_equal(tlsg_arena_pool_held(NULL), 0);
	tlsg_arena_pool_global_deinit();
	assert_int_equal(tlsg_stub_shm_blocks(), 0);
	return 0;
}

static struct tlsg_arena_stats stats_of(const struct tlsg_arena *a)
{
	struct tlsg_arena_stats s;

	tlsg_arena_stats_get(a, &s);
	return s;
}

static size_t home_held(void)
{
	struct tlsg_arena *a = tlsg_arena_new(HOME_BYTES);
	size_t held;

	tlsg_arena_settle(a);
	held = stats_of(a).held;
	tlsg_arena_drop(a);
	return held;
}

static bool is_filled(const unsigned char *p, unsigned char value, size_t bytes)
{
	size_t i;

	for(i = 0; i < bytes; i++)
		if(p[i] != value)
			return false;
	return true;
}

static bool contains(const void *memory, size_t bytes, const char *text)
{
	return memmem(memory, bytes, text, strlen(text)) != NULL;
}

/* ---- blocks ---- */

static void test_sizes_do_not_overlap(void **state)
{
	enum
	{
		BLOCKS = 700
	};
	unsigned char *p[BLOCKS];
	size_t size[BLOCKS];
	struct tlsg_arena *a = tlsg_arena_new(HOME_BYTES);
	size_t sum = 0, i;

	(void)state;
	/* Every size up to two units, the edges of all classes, and beyond a step chunk. */
	for(i = 0; i < BLOCKS; i++) {
		size[i] = i < 300 ? i : i * i / 10;
		p[i] = tlsg_arena_malloc(a, size[i]);
		assert_non_null(p[i]);
		assert_int_equal((uintptr_t)p[i] % 16, 0);
		assert_true(tlsg_arena_owns(p[i]));
		assert_int_equal(tlsg_arena_block_size(p[i]), size[i] == 0 ? 1 : size[i]);
		memset(p[i], (int)(i & 0xff), tlsg_arena_block_size(p[i]));
		sum += tlsg_arena_block_size(p[i]);
	}
	assert_int_equal(stats_of(a).in_use, sum);
	for(i = 0; i < BLOCKS; i++)
		assert_true(is_filled(p[i], (unsigned char)i, tlsg_arena_block_size(p[i])));
	for(i = 0; i < BLOCKS; i += 2)
		tlsg_arena_free(p[i]);
	for(i = 1; i < BLOCKS; i += 2)
		assert_true(is_filled(p[i], (unsigned char)i, tlsg_arena_block_size(p[i])));
	for(i = 1; i < BLOCKS; i += 2)
		tlsg_arena_free(p[i]);
	assert_int_equal(stats_of(a).in_use, 0);
	assert_int_equal(stats_of(a).peak, sum);
	tlsg_arena_free(NULL);
	tlsg_arena_drop(a);
}

static void test_freed_block_is_used_again(void **state)
{
	static const size_t sizes[] = {1, 16, 17, 250, 257, 700, 2048, 8192, 8193, 16895, 40000};
	struct tlsg_arena *a = tlsg_arena_new(HOME_BYTES);
	void *other = tlsg_arena_malloc(a, 100); /* keeps the chunk from being reset */
	size_t held = 0, i;
	unsigned n;

	(void)state;
	for(i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for(n = 0; n < 1000; n++) {
			void *p = tlsg_arena_malloc(a, sizes[i]);
			void *q = tlsg_arena_malloc(a, sizes[i]);

			if(n == 0)
				held = stats_of(a).held;
			assert_int_equal(stats_of(a).held, held);
			tlsg_arena_free(n % 2 != 0 ? p : q);
			tlsg_arena_free(n % 2 != 0 ? q : p);
		}
	}
	tlsg_arena_free(other);
	tlsg_arena_drop(a);
}

static void test_impossible_sizes_are_refused(void **state)
{
	struct tlsg_arena *a = tlsg_arena_new(HOME_BYTES);
	void *p = tlsg_arena_malloc(a, 100);
	struct tlsg_arena_stats before = stats_of(a);

	(void)state;
	assert_null(tlsg_arena_malloc(a, SIZE_MAX));
	assert_null(tlsg_arena_malloc(a, SIZE_MAX - 15));
	assert_null(tlsg_arena_malloc(a, (size_t)1 << 32));
	assert_null(tlsg_arena_realloc(p, SIZE_MAX));
	assert_null(tlsg_arena_keep(a, SIZE_MAX));
	assert_null(tlsg_arena_keep_copy(a, secret, SIZE_MAX));
	assert_null(tlsg_arena_new(SIZE_MAX));
	assert_false(tlsg_arena_is_poisoned(a));
	assert_int_equal(stats_of(a).in_use, before.in_use);
	assert_int_equal(stats_of(a).held, before.held);
	tlsg_arena_drop(a);
}

static void test_realloc_keeps_contents(void **state)
{
	static const size_t sizes[] = {1, 15, 16, 17, 400, 399, 5000, 9000, 16000, 60000, 59000, 300, 3, 0, 20000, 1};
	struct tlsg_arena *a = tlsg_arena_new(HOME_BYTES);
	unsigned char *p = tlsg_arena_malloc(a, 1), *neighbour = tlsg_arena_malloc(a, 64);
	size_t old = 1, i, n;

	(void)state;
	memset(neighbour, 0x77, 64);
	p[0] = 0;
	for(i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t size = sizes[i] == 0 ? 1 : sizes[i];

		p = tlsg_arena_realloc(p, sizes[i]);
		assert_non_null(p);
		assert_int_equal((uintptr_t)p % 16, 0);
		assert_int_equal(tlsg_arena_block_size(p), size);
		for(n = 0; n < size && n < old; n++)
			assert_int_equal(p[n], n & 0xff);
		for(n = 0; n < size; n++)
			p[n] = (unsigned char)n;
		assert_int_equal(stats_of(a).in_use, size + 64);
		old = size;
	}
	assert_true(is_filled(neighbour, 0x77, 64));
	tlsg_arena_free(p);
	tlsg_arena_free(neighbour);
	assert_int_equal(stats_of(a).in_use, 0);
	tlsg_arena_drop(a);
}

static void test_realloc_wipes_the_old_place(void **state)
{
	struct tlsg_arena *a = tlsg_arena_new(HOME_BYTES);
	char *p = tlsg_arena_malloc(a, 256), *other = tlsg_arena_malloc(a, 256), *q;

	(void)state;
	memcpy(p + 100, secret, sizeof(secret));
	q = tlsg_arena_realloc(p, 50); /* stays, the end is wiped */
	assert_ptr_equal(p, q);
	assert_true(is_filled((unsigned char *)p + 50, 0, 206));
	memcpy(p + 10, "0123456789", 10);
	q = tlsg_arena_realloc(p, 3000); /* moves */
	assert_ptr_not_equal(p, q);
	assert_memory_equal(q + 10, "0123456789", 10);
	assert_false(contains(p, 256, "0123456789"));
	tlsg_arena_free(q);
	tlsg_arena_free(other);
	tlsg_arena_drop(a);
}

/** Blocks of an owner never leave the keep zone: the chunks of the step zone can be given back while they live. */
static void test_realloc_keeps_the_zone(void **state)
{
	struct tlsg_arena *a = tlsg_arena_new(HOME_BYTES);
	char *p = tlsg_arena_keep(a, 30);

	(void)state;
	tlsg_arena_settle(a);
	memcpy(p, secret, 30);
	p = tlsg_arena_realloc(p, 900);
	assert_memory_equal(p, secret, 30);
	tlsg_arena_trim(a);
	assert_int_equal(stats_of(a).held, home_held());
	tlsg_arena_free(p);
	tlsg_arena_drop(a);
}

static void test_keep_is_zero_filled(void **state)
{
	struct tlsg_arena *a = tlsg_arena_new(HOME_BYTES);
	unsigned char *p = tlsg_arena_keep(a, 500);
	char *copy;

	(void)state;
	assert_true(is_filled(p, 0, 500));
	memset(p, 0xff, 500);
	tlsg_arena_free(p);
	p = tlsg_arena_keep(a, 500);
	assert_true(is_filled(p, 0, 500));
	assert_int_equal(tlsg_arena_block_size(tlsg_arena_keep(a, 0)), 1);
	copy = tlsg_arena_keep_copy(a, secret, 6);
	assert_string_equal(copy, "attack");
	copy = tlsg_arena_keep_copy(a, NULL, 0);
	assert_string_equal(copy, "");
	/* More than the home holds: later chunks. */
	p = tlsg_arena_keep(a, 3 * HOME_BYTES);
	assert_true(is_filled(p, 0, (size_t)3 * HOME_BYTES));
	assert_true(stats_of(a).chunks > 1);
	tlsg_arena_drop(a);
}

/** Memory freed in the keep zone is reused for later blocks, also of other sizes, without new chunks. */
static void test_keep_zone_joins_free_blocks(void **state)
{
	struct tlsg_arena *a = tlsg_arena_new(HOME_BYTES);
	unsigned char *p[40], *big;
	size_t held;
	unsigned i;

	(void)state;
	tlsg_arena_settle(a);
	for(i = 0; i < 40; i++) {
		p[i] = tlsg_arena_keep(a, 64);
		memset(p[i], (int)i, 64);
	}
	held = stats_of(a).held;
	for(i = 0; i < 40; i++)
		if(i % 8 != 0)
			tlsg_arena_free(p[i]);
	big = tlsg_arena_keep(a, HOME_BYTES / 4); /* behind the others */
	memset(big, 0xee, HOME_BYTES / 4);
	for(i = 1; i < 5; i++) { /* seven neighbours of 64 bytes each were freed */
		unsigned char *joined = tlsg_arena_keep(a, 500);

		memset(joined, 0xdd, 500);
	}
	assert_int_equal(stats_of(a).held, held);
	for(i = 0; i < 40; i += 8)
		assert_true(is_filled(p[i], (unsigned char)i, 64));
	assert_true(is_filled(big, 0xee, HOME_BYTES / 4));
	tlsg_arena_drop(a);
}

/* ---- ownership ---- */

static void test_owns_decides_by_address(void **state)
{
	struct tlsg_arena *a = tlsg_arena_new(HOME_BYTES);
	char on_stack[16];
	char *heap = malloc(100);
	char *p = tlsg_arena_malloc(a, 100);

	(void)state;
	assert_true(tlsg_arena_owns(p));
	assert_false(tlsg_arena_owns(heap));
	assert_false(tlsg_arena_owns(on_stack));
	assert_false(tlsg_arena_owns(secret));
	assert_false(tlsg_arena_owns(NULL));
	free(heap);
	tlsg_arena_drop(a);
}

static void test_block_finds_its_arena(void **state)
{
	struct tlsg_arena *a = tlsg_arena_new(HOME_BYTES), *b = tlsg_arena_new(HOME_BYTES);
	char *p = tlsg_arena_malloc(a, 100), *q = tlsg_arena_malloc(b, 200);

	(void)state;
	p = tlsg_arena_realloc(p, 5000);
	assert_int_equal(stats_of(a).in_use, 5000);
	assert_int_equal(stats_of(b).in_use, 200);
	tlsg_arena_free(q);
	assert_int_equal(stats_of(a).in_use, 5000);
	assert_int_equal(stats_of(b).in_use, 0);
	tlsg_arena_free(p);
	assert_int_equal(stats_of(a).in_use, 0);
	tlsg_arena_drop(a);
	tlsg_arena_drop(b);
	tlsg_arena_drop(NULL);
}

static void test_second_free_is_noticed(void **state)
{
	struct tlsg_arena *a = tlsg_arena_new(HOME_BYTES);
	char *other = tlsg_arena_malloc(a, 100), *p = tlsg_arena_malloc(a, 100), *last = tlsg_arena_malloc(a, 100);

	(void)state;
	tlsg_arena_free(p);
	tlsg_stub_log_clear();
	tlsg_arena_free(p);
	assert_int_equal(tlsg_stub_log_count(L_BUG), 1);
	assert_null(tlsg_arena_realloc(p, 10));
	assert_int_equal(tlsg_stub_log_count(L_BUG), 2);
	assert_int_equal(stats_of(a).in_use, 200);
	tlsg_stub_log_clear();
	tlsg_arena_free(other);
	tlsg_arena_free(last);
	assert_int_equal(tlsg_stub_log_count(L_BUG), 0);
	assert_int_equal(stats_of(a).in_use, 0);
	tlsg_arena_drop(a);
}

/* ---- chunks and accounting ---- */

static void test_chunks_return(void **state)
{
	struct tlsg_arena *a = tlsg_arena_new(HOME_BYTES);
	size_t spare, calls, i;
	void *p[200], *last;

	(void)state;
	for(i = 0; i < 200; i++)
		p[i] = tlsg_arena_malloc(a, 700);
	last = tlsg_arena_malloc(a, 40000);
	assert_true(stats_of(a).held > 200 * 700 + 40000);
	assert_int_equal(tlsg_arena_pool_held(NULL), stats_of(a).held);
	for(i = 1; i < 200; i++)
		tlsg_arena_free(p[i]);
	tlsg_arena_free(last);
	tlsg_arena_trim(a);
	/* One block keeps one chunk, the others are given back. */
	assert_true(stats_of(a).held < home_held() + (size_t)2 * TLSG_CHUNK_STEP_BYTES);
	tlsg_arena_free(p[0]);
	tlsg_arena_settle(a);
	assert_int_equal(stats_of(a).held, home_held());
	assert_int_equal(stats_of(a).chunks, 1);
	assert_int_equal(tlsg_arena_pool_held(&spare), stats_of(a).held);
	assert_true(spare > 0);
	assert_true(spare <= TLSG_POOL_BYTES);
	/* Next time they come from the pool. */
	calls = tlsg_stub_shm_calls();
	for(i = 0; i < 200; i++)
		p[i] = tlsg_arena_malloc(a, 700);
	assert_int_equal(tlsg_stub_shm_calls(), calls);
	tlsg_arena_drop(a);
	assert_int_equal(tlsg_arena_pool_held(NULL), 0);
}

static void test_pool_has_a_cap(void **state)
{
	struct tlsg_arena *a = tlsg_arena_new(HOME_BYTES);
	size_t spare, i;

	(void)state;
	for(i = 0; i < 100; i++)
		tlsg_arena_malloc(a, 16000);
	assert_true(stats_of(a).held > 100 * 16000);
	tlsg_arena_drop(a);
	assert_int_equal(tlsg_arena_pool_held(&spare), 0);
	assert_true(spare <= TLSG_POOL_BYTES);
	assert_true(spare > TLSG_POOL_BYTES - TLSG_CHUNK_STEP_BYTES);
	assert_true(tlsg_stub_shm_in_use() < TLSG_POOL_BYTES + 32 * 1024);
}

/** Pools keep less when there is little shared memory. */
static void test_cap_follows_the_size_of_shared_memory(void **state)
{
	struct tlsg_arena *a;
	size_t spare, i;

	(void)state;
	tlsg_arena_pool_global_deinit();
	tlsg_stub_shm_limit_set((size_t)2 * 1024 * 1024);
	assert_int_equal(tlsg_arena_pool_global_init(), TLSG_OK);
	assert_int_equal(tlsg_arena_pool_init(PROCESSES), TLSG_OK);
	a = tlsg_arena_new(HOME_BYTES);
	for(i = 0; i < 20; i++)
		tlsg_arena_malloc(a, 16000);
	tlsg_arena_drop(a);
	(void)tlsg_arena_pool_held(&spare);
	assert_true(spare > 0);
	assert_true(spare <= (size_t)2 * 1024 * 1024 / 8 / PROCESSES);
}

static void test_homes_are_kept_at_hand(void **state)
{
	struct tlsg_arena *a[TLSG_POOL_HOME_MAX], *large;
	size_t calls, spare, i;

	(void)state;
	for(i = 0; i < TLSG_POOL_HOME_MAX; i++)
		a[i] = tlsg_arena_new(13000);
	for(i = 0; i < TLSG_POOL_HOME_MAX; i++)
		tlsg_arena_drop(a[i]);
	calls = tlsg_stub_shm_calls();
	for(i = 0; i < TLSG_POOL_HOME_MAX; i++)
		a[i] = tlsg_arena_new(13000);
	assert_int_equal(tlsg_stub_shm_calls(), calls);
	for(i = 0; i < TLSG_POOL_HOME_MAX; i++)
		tlsg_arena_drop(a[i]);
	/* Another size that is requested repeatedly replaces one, a large one is not kept. */
	for(i = 0; i < TLSG_POOL_HOME_MAX * 2; i++)
		tlsg_arena_drop(tlsg_arena_new(8000));
	calls = tlsg_stub_shm_calls();
	tlsg_arena_drop(tlsg_arena_new(8000));
	assert_int_equal(tlsg_stub_shm_calls(), calls);
	(void)tlsg_arena_pool_held(&spare);
	large = tlsg_arena_new(100000);
	assert_int_equal(stats_of(large).in_use, 0);
	tlsg_arena_drop(large);
	(void)tlsg_arena_pool_held(&calls);
	assert_true(calls <= spare);
}

static void test_accounting_across_processes(void **state)
{
	struct tlsg_arena *a = tlsg_arena_new(HOME_BYTES);
	void *p = tlsg_arena_malloc(a, 3000);
	size_t held = stats_of(a).held;
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	if(pid == 0) {
		/* The child frees a block of the parent and allocates one that the parent frees. */
		tlsg_stub_process_set(2, PROCESSES);
		tlsg_arena_free(p);
		tlsg_arena_trim(a);
		if(tlsg_arena_pool_held(NULL) >= held)
			_exit(1);
		if(tlsg_arena_malloc(a, 50000) == NULL || tlsg_arena_malloc(a, 5000) == NULL)
			_exit(2);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(stats_of(a).in_use, 55000);
	assert_int_equal(tlsg_arena_pool_held(NULL), stats_of(a).held);
	tlsg_arena_drop(a);
	assert_int_equal(tlsg_arena_pool_held(NULL), 0);
}

static void test_process_without_pool(void **state)
{
	struct tlsg_arena *a;
	size_t blocks, in_use, spare_before, spare;

	(void)state;
	(void)tlsg_arena_pool_held(&spare_before);
	tlsg_stub_process_set(PROCESSES + 7, PROCESSES);
	blocks = tlsg_stub_shm_blocks();
	in_use = tlsg_stub_shm_in_use();
	a = tlsg_arena_new(HOME_BYTES);
	assert_non_null(tlsg_arena_malloc(a, 1000));
	assert_int_equal(tlsg_arena_reserve(a, 100000), TLSG_OK);
	assert_int_equal(tlsg_arena_pool_held(&spare), tlsg_stub_shm_in_use() - in_use);
	assert_int_equal(spare, spare_before);
	tlsg_arena_drop(a);
	assert_int_equal(tlsg_stub_shm_blocks(), blocks);
}

static void test_shutdown_frees_all(void **state)
{
	struct tlsg_arena *a = tlsg_arena_new(HOME_BYTES), *b = tlsg_arena_new(HOME_BYTES);
	struct tlsg_arena *late;
	void *p = tlsg_arena_malloc(a, 700);

	(void)state;
	assert_non_null(tlsg_arena_malloc(b, 40000));
	tlsg_arena_drop(b);
	tlsg_arena_pool_global_deinit();
	tlsg_arena_pool_global_deinit();
	/* Live arenas still work, and give their chunks straight back. */
	tlsg_arena_free(p);
	assert_non_null(tlsg_arena_malloc(a, 20000));
	tlsg_arena_trim(a);
	tlsg_arena_settle(a);
	tlsg_arena_drop(a);
	late = tlsg_arena_new(0);
	assert_non_null(late);
	tlsg_arena_drop(late);
	assert_int_equal(tlsg_stub_shm_blocks(), 0);
	assert_int_equal(tlsg_arena_pool_held(NULL), 0);
	assert_int_equal(tlsg_arena_pool_global_init(), TLSG_OK);
	assert_int_equal(tlsg_arena_pool_global_init(), TLSG_OK);
}

static void test_tables_need_memory(void **state)
{
	(void)state;
	tlsg_arena_pool_global_deinit();
	tlsg_stub_shm_fail_after(0);
	assert_int_equal(tlsg_arena_pool_global_init(), TLSG_E_RESOURCE);
	assert_int_equal(tlsg_arena_pool_init(PROCESSES), TLSG_E_INTERNAL);
	tlsg_stub_shm_fail_after(1);
	assert_int_equal(tlsg_arena_pool_global_init(), TLSG_OK);
	assert_int_equal(tlsg_arena_pool_init(PROCESSES), TLSG_E_RESOURCE);
	tlsg_stub_shm_fail_after(-1);
	assert_int_equal(tlsg_arena_pool_init(0), TLSG_E_INTERNAL);
	assert_int_equal(tlsg_arena_pool_init(PROCESSES), TLSG_OK);
	assert_int_equal(tlsg_arena_pool_init(PROCESSES), TLSG_E_INTERNAL);
}

/* ---- wiping ---- */

static bool found_secret;
static size_t looked_at;

static void look_for_secret(const void *p, size_t bytes)
{
	looked_at += bytes;
	if(contains(p, bytes, "take the ladders"))
		found_secret = true;
}

static void test_free_wipes(void **state)
{
	static const size_t sizes[] = {64, 700, 4000};
	struct tlsg_arena *a = tlsg_arena_new(HOME_BYTES);
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		unsigned char *p = tlsg_arena_malloc(a, sizes[i]), *other = tlsg_arena_malloc(a, sizes[i]);
		unsigned char *kept = tlsg_arena_keep(a, sizes[i]);

		memset(p, 0x5a, sizes[i]);
		memset(kept, 0x5a, sizes[i]);
		tlsg_arena_free(p);
		tlsg_arena_free(kept);
		/* The pointer of a free list may be at the start. */
		assert_true(is_filled(p + 16, 0, sizes[i] - 16));
		assert_true(is_filled(kept + 16, 0, sizes[i] - 16));
		tlsg_arena_free(other);
	}
	tlsg_arena_drop(a);
}

/** A block with a chunk of its own is wiped at the end of the step, whatever size was allocated after it. */
static void test_large_blocks_are_wiped_by_trim(void **state)
{
	struct tlsg_arena *a = tlsg_arena_new(HOME_BYTES);
	unsigned char *p = tlsg_arena_malloc(a, 16895), *q, *small;

	(void)state;
	memset(p, 0x5a, 16895);
	tlsg_arena_free(p);
	q = tlsg_arena_malloc(a, 10000);
	assert_ptr_equal(p, q);
	memset(q, 0x6b, 10000);
	tlsg_arena_trim(a); /* q is live: only what is behind it is wiped */
	assert_true(is_filled(q, 0x6b, 10000));
	assert_true(is_filled(q + 10000, 0, 6895));
	tlsg_arena_free(q);
	tlsg_arena_trim(a);
	assert_true(is_filled(p, 0, 16895));
	/* Reused for small blocks before the step ends. */
	p = tlsg_arena_malloc(a, 16895);
	memset(p, 0x5a, 16895);
	tlsg_arena_free(p);
	small = tlsg_arena_malloc(a, 100);
	assert_true(small > p - 256 && small < p + 16895);
	assert_true(is_filled(p + 256, 0, 16895 - 256));
	tlsg_arena_drop(a);
}

static void test_drop_wipes_what_lives(void **state)
{
	static const size_t sizes[] = {64, 700, 4000, 9000, 16895, 40000};
	struct tlsg_arena *a;
	size_t i;

	(void)state;
	tlsg_stub_process_set(PROCESSES, PROCESSES); /* no pool: drop frees */
	found_secret = false;
	looked_at = 0;
	tlsg_stub_shm_free_hook(look_for_secret);
	a = tlsg_arena_new(HOME_BYTES);
	for(i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		memcpy(tlsg_arena_malloc(a, sizes[i]), secret, sizeof(secret));
		memcpy(tlsg_arena_keep(a, sizes[i]), secret, sizeof(secret));
	}
	tlsg_arena_drop(a);
	assert_true(looked_at > 2 * (64 + 700 + 4000 + 9000 + 16895 + 40000));
	assert_false(found_secret);
}

static void test_check_for_secrets_can_fail(void **state)
{
	char *p = shm_malloc(100);

	(void)state;
	memcpy(p, secret, sizeof(secret));
	found_secret = false;
	tlsg_stub_shm_free_hook(look_for_secret);
	shm_free(p);
	assert_true(found_secret);
}

/* ---- headroom ---- */

static void test_reserve_is_enough(void **state)
{
	struct tlsg_arena *a = tlsg_arena_new(HOME_BYTES);
	size_t calls, sum = 0;

	(void)state;
	assert_int_equal(tlsg_arena_reserve(a, 100000), TLSG_OK);
	calls = tlsg_stub_shm_calls();
	while(sum < 80000) {
		assert_non_null(tlsg_arena_malloc(a, 1000));
		sum += 1000;
	}
	assert_int_equal(tlsg_stub_shm_calls(), calls);
	/* More than the limit of a pool is possible. */
	assert_int_equal(tlsg_arena_reserve(a, TLSG_POOL_BYTES * 2), TLSG_OK);
	calls = tlsg_stub_shm_calls();
	for(sum = 0; sum < TLSG_POOL_BYTES; sum += 8000)
		assert_non_null(tlsg_arena_malloc(a, 8000));
	assert_int_equal(tlsg_stub_shm_calls(), calls);
	tlsg_arena_drop(a);
}

static void test_reserve_counts_what_is_there(void **state)
{
	struct tlsg_arena *a = tlsg_arena_new(HOME_BYTES);
	size_t calls;

	(void)state;
	assert_int_equal(tlsg_arena_reserve(a, 100000), TLSG_OK);
	calls = tlsg_stub_shm_calls();
	assert_int_equal(tlsg_arena_reserve(a, 100000), TLSG_OK);
	assert_int_equal(tlsg_arena_reserve(a, 0), TLSG_OK);
	tlsg_arena_free(tlsg_arena_malloc(a, 10000));
	assert_int_equal(tlsg_arena_reserve(a, 100000), TLSG_OK); /* an empty chunk of the arena counts */
	assert_int_equal(tlsg_stub_shm_calls(), calls);
	tlsg_arena_drop(a);
}

static void test_reserve_refused(void **state)
{
	struct tlsg_arena *a = tlsg_arena_new(HOME_BYTES);
	int process;

	(void)state;
	for(process = 1; process <= PROCESSES; process++) { /* the last one has no pool */
		tlsg_stub_process_set(process, PROCESSES);
		tlsg_stub_shm_limit_set(tlsg_stub_shm_in_use() + 50000);
		assert_int_equal(tlsg_arena_reserve(a, 100000), TLSG_E_RESOURCE);
		assert_false(tlsg_arena_is_poisoned(a));
		assert_int_equal(tlsg_arena_reserve(a, 30000), TLSG_OK);
		tlsg_stub_shm_limit_set(0);
		assert_int_equal(tlsg_arena_reserve(a, 100000), TLSG_OK);
		tlsg_arena_trim(a);
	}
	tlsg_stub_process_set(1, PROCESSES);
	tlsg_arena_drop(a);
}

static void test_new_and_keep_refused(void **state)
{
	struct tlsg_arena *a = tlsg_arena_new(HOME_BYTES);
	size_t held = tlsg_arena_pool_held(NULL);

	(void)state;
	tlsg_stub_shm_fail_after(0);
	assert_null(tlsg_arena_new(HOME_BYTES));
	assert_null(tlsg_arena_keep(a, 2 * HOME_BYTES));
	assert_false(tlsg_arena_is_poisoned(a));
	assert_non_null(tlsg_arena_keep(a, HOME_BYTES / 2)); /* the home has room */
	assert_int_equal(tlsg_arena_pool_held(NULL), held);
	tlsg_arena_drop(a);
}

/* ---- private blocks ---- */

static void test_overflow_poisons(void **state)
{
	struct tlsg_arena *a = tlsg_arena_new(HOME_BYTES), *b = tlsg_arena_new(HOME_BYTES);
	char *p, *q, *heap = malloc(10);

	(void)state;
	tlsg_stub_shm_fail_after(0);
	p = tlsg_arena_malloc(a, 5000);
	assert_non_null(p);
	assert_int_equal((uintptr_t)p % 16, 0);
	assert_false(tlsg_host_in_shm(p));
	assert_true(tlsg_arena_owns(p));
	assert_false(tlsg_arena_owns(heap));
	assert_int_equal(tlsg_arena_block_size(p), 5000);
	assert_true(tlsg_arena_is_poisoned(a));
	assert_false(tlsg_arena_is_poisoned(b));
	assert_int_equal(stats_of(a).overflow, 1);
	assert_int_equal(stats_of(a).in_use, 5000);
	memcpy(p, secret, sizeof(secret));
	q = tlsg_arena_realloc(p, 100000);
	assert_string_equal(q, secret);
	assert_int_equal(stats_of(a).overflow, 1);
	assert_int_equal(stats_of(a).in_use, 100000);
	tlsg_arena_free(q);
	assert_false(tlsg_arena_owns(q));
	assert_int_equal(stats_of(a).overflow, 0);
	assert_int_equal(stats_of(a).in_use, 0);
	assert_true(tlsg_arena_is_poisoned(a)); /* for ever */
	free(heap);
	tlsg_arena_drop(a);
	tlsg_arena_drop(b);
}

static void test_overflow_free_and_drop_clean_up(void **state)
{
	struct tlsg_arena *a = tlsg_arena_new(HOME_BYTES), *b = tlsg_arena_new(HOME_BYTES);
	char *of_b, *of_a[50];
	int i;

	(void)state;
	tlsg_stub_shm_fail_after(0);
	of_b = tlsg_arena_malloc(b, 3000);
	for(i = 0; i < 50; i++)
		assert_non_null(tlsg_arena_malloc(a, (size_t)i * 100));
	assert_true(stats_of(a).overflow >= 49);
	tlsg_arena_overflow_free(a);
	assert_int_equal(stats_of(a).overflow, 0);
	assert_true(tlsg_arena_is_poisoned(a));
	assert_true(tlsg_arena_owns(of_b)); /* the other arena's block stays */
	tlsg_arena_overflow_free(a);
	for(i = 0; i < 50; i++) {
		of_a[i] = tlsg_arena_malloc(a, 20000);
		assert_true(tlsg_arena_owns(of_a[i]));
		assert_false(tlsg_host_in_shm(of_a[i]));
	}
	tlsg_arena_drop(a);
	assert_int_equal(stats_of(b).overflow, 1);
	tlsg_arena_drop(b);
	assert_false(tlsg_arena_owns(of_b));
	for(i = 0; i < 50; i++)
		assert_false(tlsg_arena_owns(of_a[i]));
}

/** With free memory again, the arena allocates shared memory, stays poisoned, and can move a private block there. */
static void test_overflow_ends(void **state)
{
	struct tlsg_arena *a = tlsg_arena_new(HOME_BYTES);
	char *p, *q;

	(void)state;
	tlsg_stub_shm_fail_after(0);
	p = tlsg_arena_malloc(a, 5000);
	memcpy(p, secret, sizeof(secret));
	tlsg_stub_shm_fail_after(-1);
	q = tlsg_arena_malloc(a, 5000);
	assert_true(tlsg_host_in_shm(q));
	p = tlsg_arena_realloc(p, 6000);
	assert_true(tlsg_host_in_shm(p));
	assert_string_equal(p, secret);
	assert_int_equal(stats_of(a).overflow, 0);
	assert_true(tlsg_arena_is_poisoned(a));
	tlsg_arena_drop(a);
}

/* ---- learning ---- */

/** A simulated handshake: some blocks of each size are freed, some stay. @return bytes that stay. */
static size_t play(struct tlsg_arena *a)
{
	static const size_t sizes[] = {24, 516, 736, 736, 632, 7304, 11};
	void *dead[sizeof(sizes) / sizeof(sizes[0])], *grown = NULL;
	size_t live = 0, i;

	for(i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		dead[i] = tlsg_arena_malloc(a, sizes[i]);
	for(i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		void *p = tlsg_arena_malloc(a, sizes[i]);

		memset(p, 1, sizes[i]);
		live += sizes[i];
		tlsg_arena_free(dead[i]);
		tlsg_arena_free(tlsg_arena_malloc(a, 16741));
		grown = grown == NULL ? tlsg_arena_malloc(a, 100) : tlsg_arena_realloc(grown, 100 + i * 700);
	}
	tlsg_arena_free(grown);
	return live;
}

static void test_what_lives_on_is_learned(void **state)
{
	struct tlsg_arena *a = tlsg_arena_new(13000);
	size_t calls, live, spare;

	(void)state;
	play(a);
	tlsg_arena_settle(a);
	assert_true(stats_of(a).chunks > 1); /* nothing learned yet */
	tlsg_arena_drop(a);
	calls = tlsg_stub_shm_calls();
	a = tlsg_arena_new(13000);
	live = play(a);
	assert_true(stats_of(a).chunks > 1);
	tlsg_arena_settle(a);
	assert_int_equal(stats_of(a).chunks, 1);
	assert_int_equal(stats_of(a).in_use, live);
	assert_int_equal(tlsg_stub_shm_calls(), calls);
	assert_int_equal(tlsg_arena_pool_held(&spare), stats_of(a).held);
	tlsg_arena_drop(a);
}

/** With a home that is too small, the other blocks go to small chunks, not to large ones. */
static void test_small_home_grows_in_small_steps(void **state)
{
	struct tlsg_arena *a = tlsg_arena_new(13000);
	size_t live;

	(void)state;
	play(a);
	tlsg_arena_settle(a);
	tlsg_arena_drop(a);
	a = tlsg_arena_new(9000);
	live = play(a);
	tlsg_arena_settle(a);
	assert_true(stats_of(a).chunks > 1);
	assert_true(stats_of(a).held < live + 4 * TLSG_CHUNK_SMALL_BYTES);
	tlsg_arena_drop(a);
}

/** Blocks allocated after the handshake that stay are learned too, so that they do not keep a step chunk for ever. */
static void test_late_blocks_are_learned(void **state)
{
	struct tlsg_arena *a = tlsg_arena_new(HOME_BYTES);
	int i;

	(void)state;
	tlsg_arena_settle(a);
	assert_non_null(tlsg_arena_malloc(a, 200));
	for(i = 0; i < 32; i++)
		tlsg_arena_trim(a);
	assert_true(stats_of(a).held > home_held());
	tlsg_arena_drop(a);
	a = tlsg_arena_new(HOME_BYTES);
	tlsg_arena_settle(a);
	assert_non_null(tlsg_arena_malloc(a, 200));
	tlsg_arena_trim(a);
	assert_int_equal(stats_of(a).held, home_held());
	tlsg_arena_drop(a);
}

/** A handshake as play(), after which other blocks live on: those that are freed in all other handshakes. */
static void play_strangely(struct tlsg_arena *a)
{
	static const size_t sizes[] = {24, 516, 736, 736, 632, 7304, 11, 16, 100, 800, 1500, 2200};
	size_t i, k;

	for(i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for(k = 0; k < 8; k++)
			assert_non_null(tlsg_arena_malloc(a, sizes[i]));
}

/** @return bytes that a connection holds after its handshake. */
static size_t held_after(void (*handshake)(struct tlsg_arena *))
{
	struct tlsg_arena *a = tlsg_arena_new(13000);
	size_t held;

	if(handshake != NULL)
		handshake(a);
	else
		play(a);
	tlsg_arena_settle(a);
	held = stats_of(a).held;
	tlsg_arena_drop(a);
	return held;
}

/** One connection that differs from all others changes what they hold for a few handshakes, not for ever. */
static void test_a_stranger_is_forgotten(void **state)
{
	size_t held, more = 0;
	int i;

	(void)state;
	(void)held_after(NULL);
	held = held_after(NULL);
	for(i = 0; i < 100; i++)
		assert_int_equal(held_after(NULL), held);
	(void)held_after(play_strangely);
	for(i = 0; i < 64; i++)
		more += held_after(NULL) - held;
	assert_true(more > 0); /* there was something to forget */
	for(i = 0; i < 100; i++)
		assert_int_equal(held_after(NULL), held);
}

/** However many come together. */
static void test_many_strangers_are_forgotten(void **state)
{
	size_t held;
	int i;

	(void)state;
	(void)held_after(NULL);
	held = held_after(NULL);
	for(i = 0; i < 1000; i++)
		(void)held_after(play_strangely);
	for(i = 0; i < 64; i++)
		(void)held_after(NULL);
	for(i = 0; i < 100; i++)
		assert_int_equal(held_after(NULL), held);
}

static void play_longer(struct tlsg_arena *a)
{
	(void)play(a);
	assert_non_null(tlsg_arena_malloc(a, 3000));
}

/** What few connections allocate at all stays learned: the others do not speak against it. */
static void test_a_rare_kind_stays_learned(void **state)
{
	size_t held;
	int i;

	(void)state;
	(void)held_after(NULL);
	(void)held_after(play_longer);
	held = held_after(play_longer);
	assert_true(held < TLSG_CHUNK_STEP_BYTES + home_held());
	for(i = 0; i < 1000; i++)
		(void)held_after(NULL);
	assert_int_equal(held_after(play_longer), held);
}

static void play_half(struct tlsg_arena *a)
{
	void *p = tlsg_arena_malloc(a, 3000);

	(void)play(a);
	tlsg_arena_free(p);
}

/** Blocks that outlive every eighth handshake stay learned: a wrong guess in the other direction costs more. */
static void test_sometimes_is_often_enough(void **state)
{
	size_t held;
	int i;

	(void)state;
	(void)held_after(play_longer);
	held = held_after(play_longer);
	for(i = 0; i < 1000; i++)
		if(i % 8 != 0)
			(void)held_after(play_half);
		else
			assert_int_equal(held_after(play_longer), held);
}

/** While the home has room, a wrong guess costs nothing and is not counted: learning again would cost. */
/* A block above the limit is refused; the arena goes on, and says so. */
static void test_limit(void **state)
{
	struct tlsg_arena *a = tlsg_arena_new(0);
	unsigned char *p;

	(void)state;
	tlsg_arena_limit(a, (size_t)64 * 1024);
	p = tlsg_arena_malloc(a, (size_t)64 * 1024);
	assert_non_null(p);
	assert_false(tlsg_arena_has_refused(a));
	assert_null(tlsg_arena_malloc(a, (size_t)64 * 1024 + 1));
	assert_true(tlsg_arena_has_refused(a));
	assert_false(tlsg_arena_is_poisoned(a));
	p[0] = 7;
	assert_null(tlsg_arena_realloc(p, 1 << 24));
	assert_int_equal(p[0], 7);
	assert_non_null(tlsg_arena_malloc(a, 100));
	tlsg_arena_drop(a);
	a = tlsg_arena_new(0);
	assert_non_null(tlsg_arena_malloc(a, 1 << 20)); /* others have none */
	tlsg_arena_drop(a);
}

static void test_what_costs_nothing_is_kept(void **state)
{
	struct tlsg_arena *a;
	int i;

	(void)state;
	(void)held_after(play_longer);
	for(i = 0; i < 1000; i++) {
		a = tlsg_arena_new(40000);
		play_half(a);
		tlsg_arena_settle(a);
		assert_int_equal(stats_of(a).chunks, 1);
		tlsg_arena_drop(a);
	}
	a = tlsg_arena_new(40000);
	play_longer(a);
	tlsg_arena_settle(a);
	assert_int_equal(stats_of(a).chunks, 1);
	tlsg_arena_drop(a);
}

/** Sizes that were learned after a handshake are forgotten too, and learned again. */
static void test_late_blocks_are_forgotten(void **state)
{
	struct tlsg_arena *a;
	size_t held[2];
	int i, round;

	(void)state;
	for(round = 0; round < 3; round++) {
		for(i = 0; i < 2; i++) {
			int step;

			a = tlsg_arena_new(HOME_BYTES);
			tlsg_arena_settle(a);
			assert_non_null(tlsg_arena_malloc(a, 200));
			for(step = 0; step < 32; step++)
				tlsg_arena_trim(a);
			held[i] = stats_of(a).held;
			tlsg_arena_drop(a);
		}
		assert_true(held[0] > held[1]); /* the first one did not know, the second did */
		assert_int_equal(held[1], home_held());
		for(i = 0; i < 1024; i++)
			(void)held_after(NULL);
	}
}

/* ---- everything together, compared with a model ---- */

enum
{
	STRESS_ARENAS = 5,
	STRESS_BLOCKS = 300
};

struct model_block
{
	unsigned char *p;
	size_t size;
	int arena;
	unsigned char value;
};

struct model
{
	uint64_t seed;
	struct tlsg_arena *arena[STRESS_ARENAS];
	size_t in_use[STRESS_ARENAS];
	struct model_block block[STRESS_BLOCKS];
	bool failing; /**< shared memory is exhausted at times */
};

static uint64_t next_random(struct model *m)
{
	m->seed ^= m->seed << 13;
	m->seed ^= m->seed >> 7;
	m->seed ^= m->seed << 17;
	return m->seed;
}

static size_t random_size(struct model *m)
{
	static const size_t ranges[] = {40, 300, 3000, 20000, 70000};
	size_t range = ranges[next_random(m) % 16 < 11 ? next_random(m) % 3 : next_random(m) % 5];

	return 1 + next_random(m) % range;
}

static void model_check(const struct model_block *b)
{
	assert_int_equal(tlsg_arena_block_size(b->p), b->size);
	assert_int_equal((uintptr_t)b->p % 16, 0);
	assert_true(tlsg_arena_owns(b->p));
	assert_true(is_filled(b->p, b->value, b->size));
}

static void model_fill(struct model *m, struct model_block *b)
{
	b->value = (unsigned char)next_random(m);
	memset(b->p, b->value, b->size);
}

static void model_new(struct model *m, struct model_block *b)
{
	b->arena = (int)(next_random(m) % STRESS_ARENAS);
	b->size = random_size(m);
	if(next_random(m) % 4 == 0) {
		b->p = tlsg_arena_keep(m->arena[b->arena], b->size);
		if(b->p == NULL) {
			assert_true(m->failing);
			return;
		}
		assert_true(is_filled(b->p, 0, b->size));
	} else {
		b->p = tlsg_arena_malloc(m->arena[b->arena], b->size);
		assert_non_null(b->p);
	}
	m->in_use[b->arena] += b->size;
	model_fill(m, b);
}

static void model_resize(struct model *m, struct model_block *b)
{
	size_t size = random_size(m);
	unsigned char *p = tlsg_arena_realloc(b->p, size);

	if(p == NULL) {
		assert_true(m->failing); /* only blocks of the owner */
		return;
	}
	assert_true(is_filled(p, b->value, size < b->size ? size : b->size));
	m->in_use[b->arena] += size - b->size;
	b->p = p;
	b->size = size;
	model_fill(m, b);
}

static void model_forget(struct model *m, int arena)
{
	int i;

	for(i = 0; i < STRESS_BLOCKS; i++)
		if(m->block[i].p != NULL && m->block[i].arena == arena)
			m->block[i].p = NULL;
	m->in_use[arena] = 0;
}

static void model_arena(struct model *m)
{
	int i = (int)(next_random(m) % STRESS_ARENAS);
	struct tlsg_arena *fresh;

	switch(next_random(m) % 8) {
		case 0:
			fresh = tlsg_arena_new(next_random(m) % 20000);
			if(fresh == NULL) {
				assert_true(m->failing);
				return;
			}
			model_forget(m, i);
			tlsg_arena_drop(m->arena[i]);
			m->arena[i] = fresh;
			return;
		case 1:
			tlsg_arena_settle(m->arena[i]);
			return;
		case 2:
			if(tlsg_arena_reserve(m->arena[i], next_random(m) % 200000) != TLSG_OK)
				assert_true(m->failing);
			return;
		default:
			tlsg_arena_trim(m->arena[i]);
	}
}

static unsigned model_private(const struct model *m, int arena)
{
	unsigned n = 0;
	int i;

	for(i = 0; i < STRESS_BLOCKS; i++)
		if(m->block[i].p != NULL && m->block[i].arena == arena && !tlsg_host_in_shm(m->block[i].p))
			n++;
	return n;
}

static void model_totals(struct model *m)
{
	size_t held = 0;
	int i;

	for(i = 0; i < STRESS_ARENAS; i++) {
		assert_int_equal(stats_of(m->arena[i]).in_use, m->in_use[i]);
		assert_int_equal(stats_of(m->arena[i]).overflow, model_private(m, i));
		held += stats_of(m->arena[i]).held;
	}
	assert_int_equal(tlsg_arena_pool_held(NULL), held);
}

static void model_step(struct model *m)
{
	struct model_block *b = &m->block[next_random(m) % STRESS_BLOCKS];

	if(m->failing && next_random(m) % 64 == 0)
		tlsg_stub_shm_fail_after(next_random(m) % 2 != 0 ? -1 : (long)(next_random(m) % 8));
	if(next_random(m) % 32 == 0) {
		model_arena(m);
		return;
	}
	if(b->p == NULL) {
		model_new(m, b);
		return;
	}
	model_check(b);
	if(next_random(m) % 3 == 0) {
		model_resize(m, b);
		return;
	}
	m->in_use[b->arena] -= b->size;
	tlsg_arena_free(b->p);
	b->p = NULL;
}

static void stress(struct model *m, int steps)
{
	int i;

	for(i = 0; i < STRESS_ARENAS; i++) {
		m->arena[i] = tlsg_arena_new((size_t)i * 3000);
		assert_non_null(m->arena[i]);
	}
	for(i = 0; i < steps; i++) {
		model_step(m);
		if(i % 256 == 0)
			model_totals(m);
	}
	for(i = 0; i < STRESS_BLOCKS; i++)
		if(m->block[i].p != NULL)
			model_check(&m->block[i]);
	tlsg_stub_shm_fail_after(-1);
	model_totals(m);
	for(i = 0; i < STRESS_ARENAS; i++)
		tlsg_arena_drop(m->arena[i]);
	for(i = 0; i < STRESS_BLOCKS; i++)
		assert_true(m->block[i].p == NULL || tlsg_host_in_shm(m->block[i].p) || !tlsg_arena_owns(m->block[i].p));
	assert_int_equal(tlsg_stub_log_count(L_BUG), 0);
}

static void test_stress(void **state)
{
	struct model m = {.seed = 20260101};

	(void)state;
	tlsg_stub_log_clear();
	stress(&m, 60000);
}

static void test_stress_with_exhaustion(void **state)
{
	struct model m = {.seed = 777, .failing = true};

	(void)state;
	tlsg_stub_log_clear();
	stress(&m, 60000);
}

/* ---- threads: not intended, but must not break anything ---- */

static void *thread_play(void *unused)
{
	struct tlsg_arena *a;
	void *bad = NULL;
	int i;

	(void)unused;
	for(i = 0; i < 300; i++) {
		a = tlsg_arena_new(13000);
		if(a == NULL || play(a) != stats_of(a).in_use)
			bad = a;
		tlsg_arena_settle(a);
		tlsg_arena_drop(a);
	}
	return bad;
}

static void test_threads_with_arenas_of_their_own(void **state)
{
	pthread_t thread[4];
	void *bad;
	int i;

	(void)state;
	for(i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, thread_play, NULL), 0);
	for(i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(thread[i], &bad), 0);
		assert_null(bad);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
			TEST(test_sizes_do_not_overlap),
			TEST(test_freed_block_is_used_again),
			TEST(test_impossible_sizes_are_refused),
			TEST(test_realloc_keeps_contents),
			TEST(test_realloc_wipes_the_old_place),
			TEST(test_realloc_keeps_the_zone),
			TEST(test_keep_is_zero_filled),
			TEST(test_keep_zone_joins_free_blocks),
			TEST(test_owns_decides_by_address),
			TEST(test_block_finds_its_arena),
			TEST(test_second_free_is_noticed),
			TEST(test_chunks_return),
			TEST(test_pool_has_a_cap),
			TEST(test_cap_follows_the_size_of_shared_memory),
			TEST(test_homes_are_kept_at_hand),
			TEST(test_accounting_across_processes),
			TEST(test_process_without_pool),
			TEST(test_shutdown_frees_all),
			TEST(test_tables_need_memory),
			TEST(test_free_wipes),
			TEST(test_large_blocks_are_wiped_by_trim),
			TEST(test_drop_wipes_what_lives),
			TEST(test_check_for_secrets_can_fail),
			TEST(test_reserve_is_enough),
			TEST(test_reserve_counts_what_is_there),
			TEST(test_reserve_refused),
			TEST(test_new_and_keep_refused),
			TEST(test_overflow_poisons),
			TEST(test_overflow_free_and_drop_clean_up),
			TEST(test_overflow_ends),
			TEST(test_what_lives_on_is_learned),
			TEST(test_small_home_grows_in_small_steps),
			TEST(test_late_blocks_are_learned),
			TEST(test_a_stranger_is_forgotten),
			TEST(test_many_strangers_are_forgotten),
			TEST(test_a_rare_kind_stays_learned),
			TEST(test_sometimes_is_often_enough),
			TEST(test_limit),
			TEST(test_what_costs_nothing_is_kept),
			TEST(test_late_blocks_are_forgotten),
			TEST(test_stress),
			TEST(test_stress_with_exhaustion),
			TEST(test_threads_with_arenas_of_their_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
