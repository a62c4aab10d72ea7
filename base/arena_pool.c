/*
 * tls_gnutls - what arenas of all processes share: pools of spare chunks, learned sizes, counters
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: shm.  Lock: a pool belongs to one process. Its try-lock guards against an unexpected
 * thread or fork, which then goes without the pool; nothing ever waits for it.
 */
#include "base/arena_pool.h"

#include <string.h>

#include "base/host.h"

#define CACHE_LINE 64
#define STRIKE_BITS 6U		  /* what was wrong 64 times in a row is forgotten */
#define LATE_GENERATION 1024U /* handshakes after which what was learned late is forgotten */

struct pool
{
	uint32_t busy;			  /**< try-lock */
	uint32_t small_count;	  /**< chunks in small */
	uint32_t home_count;	  /**< chunks in home */
	struct tlsg_chunk *step;  /**< [shm] owned */
	struct tlsg_chunk *small; /**< [shm] owned */
	struct tlsg_chunk *home;  /**< [shm] owned, of any size */
	size_t step_count;
	size_t spare; /**< bytes in all lists */
	int64_t held; /**< bytes this process took for arenas minus bytes it gave back; only the sum of all is meaningful */
} __attribute__((aligned(CACHE_LINE)));

struct shared
{
	uint64_t learned[TLSG_LEARN_UNITS]; /**< relaxed atomics */
	/** How often each was wrong in a row: STRIKE_BITS bits for each bit of learned; bit i of them in strikes[i]. */
	uint64_t strikes[STRIKE_BITS][TLSG_LEARN_UNITS]; /**< relaxed; a lost update costs nothing but time */
	uint32_t settled;								 /**< handshakes, for the age of what was learned after them */
	int64_t held;									 /**< as in a pool, for processes without a pool */
	uint32_t pools;
	size_t pool_bytes; /**< what each pool may keep */
	void *pools_raw;   /**< [shm] owned: address from the core */
	struct pool *pool; /**< [shm] in pools_raw */
};

static struct shared *shared; /**< [shm] same address in all processes */

static struct pool *pool_lock(void)
{
	uint32_t number = (uint32_t)tlsg_host_process();
	struct pool *p;

	if(shared == NULL || number >= shared->pools)
		return NULL;
	p = &shared->pool[number];
	if(__atomic_exchange_n(&p->busy, 1, __ATOMIC_ACQUIRE) != 0)
		return NULL;
	return p;
}

static void pool_unlock(struct pool *p)
{
	if(p != NULL)
		__atomic_store_n(&p->busy, 0, __ATOMIC_RELEASE);
}

/** @param p  locked pool, or NULL. */
static void held_add(struct pool *p, int64_t bytes)
{
	if(p != NULL)
		__atomic_store_n(&p->held, p->held + bytes, __ATOMIC_RELAXED);
	else if(shared != NULL)
		__atomic_fetch_add(&shared->held, bytes, __ATOMIC_RELAXED);
}

static size_t chunk_total(enum tlsg_chunk_kind kind, size_t bytes)
{
	if(kind == TLSG_CHUNK_STEP)
		return TLSG_CHUNK_STEP_BYTES;
	if(kind == TLSG_CHUNK_SMALL)
		return TLSG_CHUNK_SMALL_BYTES;
	/* The core aligns to 8 only. */
	return sizeof(struct tlsg_chunk) + ((bytes + TLSG_UNIT - 1) & ~(size_t)(TLSG_UNIT - 1)) + TLSG_UNIT / 2;
}

static struct tlsg_chunk *chunk_new(enum tlsg_chunk_kind kind, size_t total)
{
	unsigned char *raw = shm_malloc(total);
	struct tlsg_chunk *c;
	uint8_t skew;

	if(raw == NULL)
		return NULL;
	skew = (uint8_t)(-(uintptr_t)raw & (TLSG_UNIT - 1));
	c = (struct tlsg_chunk *)(raw + skew);
	*c = (struct tlsg_chunk){.total = (uint32_t)total, .kind = (uint8_t)kind, .skew = skew};
	c->end = (uint32_t)((total - skew) / TLSG_UNIT);
	c->bump = tlsg_chunk_first_unit(c);
	if(kind == TLSG_CHUNK_STEP)
		memset(c + 1, 0, sizeof(struct tlsg_chunk_lists));
	return c;
}

static void chunk_delete(struct tlsg_chunk *c)
{
	shm_free((unsigned char *)c - c->skew);
}

static struct tlsg_chunk *home_find(struct pool *p, size_t total)
{
	struct tlsg_chunk **at = &p->home, *c;

	while((c = *at) != NULL && c->total != total)
		at = &c->next;
	if(c == NULL && p->home != NULL && p->home_count == TLSG_POOL_HOME_MAX) {
		/* Full of sizes that are no longer used: make room for one that is. */
		c = p->home;
		p->home = c->next;
		p->home_count--;
		p->spare -= c->total;
		chunk_delete(c);
		return NULL;
	}
	if(c != NULL) {
		*at = c->next;
		p->home_count--;
	}
	return c;
}

static struct tlsg_chunk *pool_find(struct pool *p, enum tlsg_chunk_kind kind, size_t total)
{
	struct tlsg_chunk *c = NULL;

	switch(kind) {
		case TLSG_CHUNK_STEP:
			c = p->step;
			if(c != NULL) {
				p->step = c->next;
				p->step_count--;
			}
			break;
		case TLSG_CHUNK_SMALL:
			c = p->small;
			if(c != NULL) {
				p->small = c->next;
				p->small_count--;
			}
			break;
		case TLSG_CHUNK_HOME:
			c = home_find(p, total);
			break;
		case TLSG_CHUNK_ODD:
			break;
	}
	if(c != NULL)
		p->spare -= c->total;
	return c;
}

struct tlsg_chunk *tlsg_arena_pool_take(enum tlsg_chunk_kind kind, size_t bytes)
{
	size_t total = chunk_total(kind, bytes);
	struct pool *p;
	struct tlsg_chunk *c;

	if(total > UINT32_MAX)
		return NULL;
	p = pool_lock();
	c = p != NULL ? pool_find(p, kind, total) : NULL;
	if(c == NULL)
		c = chunk_new(kind, total);
	if(c != NULL) {
		c->next = NULL;
		c->prev = NULL;
		held_add(p, (int64_t)c->total);
	}
	pool_unlock(p);
	return c;
}

static void push(struct tlsg_chunk **list, struct tlsg_chunk *c)
{
	c->next = *list;
	*list = c;
}

/** @return whether the pool keeps the chunk. */
static bool pool_keeps(struct pool *p, struct tlsg_chunk *c)
{
	if(p->spare + c->total > shared->pool_bytes)
		return false;
	switch((enum tlsg_chunk_kind)c->kind) {
		case TLSG_CHUNK_STEP:
			push(&p->step, c);
			p->step_count++;
			break;
		case TLSG_CHUNK_SMALL:
			if(p->small_count == TLSG_POOL_SMALL_MAX)
				return false;
			push(&p->small, c);
			p->small_count++;
			break;
		case TLSG_CHUNK_HOME:
			if(p->home_count == TLSG_POOL_HOME_MAX || c->total > TLSG_POOL_HOME_BYTES)
				return false;
			push(&p->home, c);
			p->home_count++;
			break;
		case TLSG_CHUNK_ODD:
			return false;
	}
	p->spare += c->total;
	return true;
}

void tlsg_arena_pool_give(struct tlsg_chunk *c)
{
	struct pool *p = pool_lock();
	struct tlsg_chunk *next;

	for(; c != NULL; c = next) {
		next = c->next;
		held_add(p, -(int64_t)c->total);
		c->bump = tlsg_chunk_first_unit(c);
		c->live = 0;
		if(p == NULL || !pool_keeps(p, c))
			chunk_delete(c);
	}
	pool_unlock(p);
}

struct tlsg_chunk *tlsg_arena_pool_attach(struct tlsg_arena *a, enum tlsg_chunk_kind kind, size_t bytes)
{
	struct tlsg_chunk *c = tlsg_arena_pool_take(kind, bytes);

	if(c == NULL)
		return NULL;
	c->arena = a;
	a->held += c->total;
	a->chunks++;
	return c;
}

void tlsg_arena_pool_detach(struct tlsg_chunk *c)
{
	c->arena->held -= c->total;
	c->arena->chunks--;
	c->next = NULL;
	tlsg_arena_pool_give(c);
}

/** Bytes of payload that a step chunk offers. */
static size_t step_payload(void)
{
	return TLSG_CHUNK_STEP_BYTES - TLSG_UNIT - sizeof(struct tlsg_chunk) - sizeof(struct tlsg_chunk_lists);
}

size_t tlsg_arena_pool_spare_bytes(void)
{
	struct pool *p = pool_lock();
	size_t bytes = p != NULL ? p->step_count * step_payload() : 0;

	pool_unlock(p);
	return bytes;
}

enum tlsg_ret tlsg_arena_pool_spare_add(void)
{
	struct pool *p = pool_lock();
	struct tlsg_chunk *c;
	enum tlsg_ret ret = TLSG_E_RESOURCE;

	if(p == NULL)
		return TLSG_FULL;
	c = chunk_new(TLSG_CHUNK_STEP, TLSG_CHUNK_STEP_BYTES);
	if(c != NULL) {
		push(&p->step, c);
		p->step_count++;
		p->spare += c->total;
		ret = TLSG_OK;
	}
	pool_unlock(p);
	return ret;
}

uint64_t tlsg_arena_pool_learned(uint32_t units)
{
	if(shared == NULL || units >= TLSG_LEARN_UNITS)
		return 0;
	return __atomic_load_n(&shared->learned[units], __ATOMIC_RELAXED);
}

void tlsg_arena_pool_learn(uint32_t units, unsigned ordinal)
{
	if(shared == NULL || units >= TLSG_LEARN_UNITS)
		return;
	__atomic_fetch_or(&shared->learned[units], UINT64_C(1) << ordinal, __ATOMIC_RELAXED);
}

void tlsg_arena_pool_review(uint32_t units, uint64_t allocated, uint64_t live)
{
	uint64_t right, wrong, forgotten, plane[STRIKE_BITS];
	unsigned i;

	if(shared == NULL || units >= TLSG_LEARN_UNITS)
		return;
	allocated &= __atomic_load_n(&shared->learned[units], __ATOMIC_RELAXED) & ~(UINT64_C(1) << TLSG_LATE_BIT);
	if(allocated == 0)
		return;
	right = allocated & live;
	wrong = allocated & ~live;
	forgotten = wrong; /* the carry of adding one to each number */
	for(i = 0; i < STRIKE_BITS; i++) {
		uint64_t old = __atomic_load_n(&shared->strikes[i][units], __ATOMIC_RELAXED);

		plane[i] = old ^ forgotten;
		forgotten &= old;
	}
	for(i = 0; i < STRIKE_BITS; i++) {
		plane[i] &= ~(right | forgotten);
		if(plane[i]
				!= __atomic_load_n(&shared->strikes[i][units], __ATOMIC_RELAXED)) /* other processes have it cached */
			__atomic_store_n(&shared->strikes[i][units], plane[i], __ATOMIC_RELAXED);
	}
	if(forgotten != 0)
		__atomic_fetch_and(&shared->learned[units], ~forgotten, __ATOMIC_RELAXED);
}

void tlsg_arena_pool_age(void)
{
	uint32_t units;

	if(shared == NULL || __atomic_add_fetch(&shared->settled, 1, __ATOMIC_RELAXED) % LATE_GENERATION != 0)
		return;
	for(units = 0; units < TLSG_LEARN_UNITS; units++)
		__atomic_fetch_and(&shared->learned[units], ~(UINT64_C(1) << TLSG_LATE_BIT), __ATOMIC_RELAXED);
}

enum tlsg_ret tlsg_arena_pool_global_init(void)
{
	if(shared != NULL)
		return TLSG_OK;
	shared = shm_malloc(sizeof(*shared));
	if(shared == NULL)
		return TLSG_E_RESOURCE;
	memset(shared, 0, sizeof(*shared));
	return TLSG_OK;
}

/** All pools together may keep an eighth of the shared memory, and none more than TLSG_POOL_BYTES. */
static size_t pool_bytes_for(unsigned processes)
{
	size_t bytes = shm_available() / 8 / processes;

	return bytes < TLSG_POOL_BYTES ? bytes : TLSG_POOL_BYTES;
}

enum tlsg_ret tlsg_arena_pool_init(unsigned processes)
{
	size_t bytes = (size_t)processes * sizeof(struct pool);

	if(shared == NULL || shared->pool != NULL || processes == 0)
		return TLSG_E_INTERNAL;
	shared->pools_raw = shm_malloc(bytes + CACHE_LINE);
	if(shared->pools_raw == NULL)
		return TLSG_E_RESOURCE;
	shared->pool = (struct pool *)(((uintptr_t)shared->pools_raw + CACHE_LINE - 1) & ~(uintptr_t)(CACHE_LINE - 1));
	memset(shared->pool, 0, bytes);
	shared->pool_bytes = pool_bytes_for(processes);
	__atomic_store_n(&shared->pools, processes, __ATOMIC_RELEASE);
	return TLSG_OK;
}

static void list_delete(struct tlsg_chunk *c)
{
	struct tlsg_chunk *next;

	for(; c != NULL; c = next) {
		next = c->next;
		chunk_delete(c);
	}
}

void tlsg_arena_pool_global_deinit(void)
{
	uint32_t i;

	if(shared == NULL)
		return;
	for(i = 0; i < shared->pools; i++) {
		list_delete(shared->pool[i].step);
		list_delete(shared->pool[i].small);
		list_delete(shared->pool[i].home);
	}
	if(shared->pools_raw != NULL)
		shm_free(shared->pools_raw);
	shm_free(shared);
	shared = NULL;
}

size_t tlsg_arena_pool_held(size_t *spare)
{
	int64_t held = 0;
	size_t bytes = 0;
	uint32_t i;

	if(shared != NULL) {
		held = __atomic_load_n(&shared->held, __ATOMIC_RELAXED);
		for(i = 0; i < shared->pools; i++) {
			held += __atomic_load_n(&shared->pool[i].held, __ATOMIC_RELAXED);
			bytes += __atomic_load_n(&shared->pool[i].spare, __ATOMIC_RELAXED);
		}
	}
	if(spare != NULL)
		*spare = bytes;
	return held > 0 ? (size_t)held : 0;
}
