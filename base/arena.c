/*
 * tls_gnutls - a region of shared memory with one owner: blocks, step zone, learning
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: shm.  Lock: none of its own, see arena.h.
 *
 * Step zone: each chunk has free lists by size class; when its last block is freed, the chunk is reset. A large block
 * has a step chunk to itself. GnuTLS allocates and frees five of 17 KB for each message; they get the same chunk one
 * after the other, which is wiped once at the end of the step instead of five times (`dirty`).
 */
#include "base/arena.h"

#include <string.h>

#include "base/arena_chunk.h"
#include "base/arena_keep.h"
#include "base/arena_pool.h"
#include "base/arena_private.h"
#include "base/host.h"
#include "base/wipe.h"

#define SIZE_MAX_BYTES ((size_t)1 << 30)	  /* a larger request is a bug of the caller */
#define LATE_UNITS_MAX 120U					  /* largest block learned after a handshake: fits a small chunk */
#define LATE_AGE 16							  /* steps that such a block must have survived */
#define HOME_DEFAULT_BYTES ((size_t)4 * 1024) /* a few structures of an owner */

static uint32_t units_of(size_t bytes)
{
	return bytes == 0 ? 1 : (uint32_t)((bytes + TLSG_UNIT - 1) / TLSG_UNIT);
}

static struct tlsg_chunk *home_of(struct tlsg_arena *a)
{
	return (struct tlsg_chunk *)((unsigned char *)a - sizeof(struct tlsg_chunk));
}

/* ---- step zone ---- */

/** Size class of a block, and the capacity all blocks of that class have. */
static unsigned class_of(uint32_t units, uint32_t *cap)
{
	uint32_t k = units - 1;
	unsigned top, shift;

	if(units <= 16) {
		*cap = units;
		return k;
	}
	top = 31U - (unsigned)__builtin_clz(k);
	shift = top - 2;
	*cap = ((k >> shift) + 1) << shift;
	return 16 + (top - 4) * 4 + ((k >> shift) - 4);
}

static struct tlsg_chunk_lists *lists_of(struct tlsg_chunk *c)
{
	return (struct tlsg_chunk_lists *)(c + 1);
}

static struct tlsg_block *chunk_get(struct tlsg_chunk *c, unsigned class, uint32_t cap)
{
	uint16_t *first = &lists_of(c)->first[class];
	struct tlsg_block *b;

	if(*first == 0)
		return tlsg_chunk_cut(c, cap);
	b = tlsg_chunk_block(c, *first);
	memcpy(first, tlsg_block_payload(b), sizeof(*first));
	return b;
}

static void chunk_put(struct tlsg_chunk *c, struct tlsg_block *b)
{
	uint32_t cap;
	uint16_t *first;
	uint16_t unit = (uint16_t)b->offset;

	b->tag = TLSG_TAG_FREE;
	if(b->offset + 1 + b->cap == c->bump) {
		c->bump = b->offset;
		return;
	}
	first = &lists_of(c)->first[class_of(b->cap, &cap)];
	memcpy(tlsg_block_payload(b), first, sizeof(*first));
	*first = unit;
}

static void chunk_reset(struct tlsg_chunk *c)
{
	c->bump = tlsg_chunk_first_unit(c);
	memset(lists_of(c), 0, sizeof(struct tlsg_chunk_lists));
}

/** Wipes what large blocks left in an empty chunk. */
static void chunk_clean(struct tlsg_chunk *c)
{
	uint32_t first = tlsg_chunk_first_unit(c);

	if(c->dirty > first)
		tlsg_wipe(tlsg_chunk_block(c, first), (size_t)(c->dirty - first) * TLSG_UNIT);
	c->dirty = 0;
}

static struct tlsg_chunk *step_chunk(struct tlsg_arena *a)
{
	struct tlsg_chunk *c = a->idle;

	if(c != NULL)
		tlsg_chunk_remove(&a->idle, c);
	else
		c = tlsg_arena_pool_attach(a, TLSG_CHUNK_STEP, 0);
	return c;
}

/** Allocates a block that has a chunk to itself. */
static struct tlsg_block *big_get(struct tlsg_arena *a, uint32_t units)
{
	struct tlsg_chunk *c;
	size_t need = ((size_t)units + 2) * TLSG_UNIT + sizeof(*c);

	if(need + sizeof(struct tlsg_chunk_lists) <= TLSG_CHUNK_STEP_BYTES)
		c = step_chunk(a);
	else
		c = tlsg_arena_pool_attach(a, TLSG_CHUNK_ODD, need - sizeof(*c));
	if(c == NULL)
		return NULL;
	c->zone = TLSG_ZONE_BIG;
	tlsg_chunk_push(&a->big, c);
	return tlsg_chunk_cut(c, units);
}

static struct tlsg_block *step_get(struct tlsg_arena *a, uint32_t units)
{
	struct tlsg_block *b = NULL;
	struct tlsg_chunk *c;
	uint32_t cap;
	unsigned class;

	if(units > TLSG_BIG_UNITS)
		return big_get(a, units);
	class = class_of(units, &cap);
	for(c = a->step; c != NULL && b == NULL; c = c->next)
		b = chunk_get(c, class, cap);
	if(b != NULL)
		return b;
	c = step_chunk(a);
	if(c == NULL)
		return NULL;
	chunk_clean(c);
	c->zone = TLSG_ZONE_STEP;
	tlsg_chunk_push(&a->step, c);
	return chunk_get(c, class, cap);
}

static void big_free(struct tlsg_arena *a, struct tlsg_chunk *c, struct tlsg_block *b)
{
	c->live = 0;
	tlsg_chunk_remove(&a->big, c);
	if(c->kind == TLSG_CHUNK_ODD) {
		tlsg_wipe(tlsg_block_payload(b), b->size);
		tlsg_arena_pool_detach(c);
		return;
	}
	if(c->dirty < c->bump)
		c->dirty = c->bump;
	c->bump = tlsg_chunk_first_unit(c);
	tlsg_chunk_push(&a->idle, c);
}

static void step_free(struct tlsg_arena *a, struct tlsg_chunk *c, struct tlsg_block *b)
{
	if(c->zone == TLSG_ZONE_BIG) {
		big_free(a, c, b);
		return;
	}
	tlsg_wipe(tlsg_block_payload(b), b->size);
	if(--c->live > 0) {
		chunk_put(c, b);
		return;
	}
	tlsg_chunk_remove(&a->step, c);
	chunk_reset(c);
	tlsg_chunk_push(&a->idle, c);
}

static void step_trim(struct tlsg_arena *a)
{
	struct tlsg_chunk *c;

	for(c = a->big; c != NULL; c = c->next) {
		if(c->dirty > c->bump)
			tlsg_wipe(tlsg_chunk_block(c, c->bump), (size_t)(c->dirty - c->bump) * TLSG_UNIT);
		c->dirty = 0; /* the live block covers the rest */
	}
	for(c = a->idle; c != NULL; c = c->next) {
		chunk_clean(c);
		a->held -= c->total;
		a->chunks--;
	}
	if(a->idle != NULL)
		tlsg_arena_pool_give(a->idle);
	a->idle = NULL;
}

/* ---- learning ---- */

static void chunk_learn(struct tlsg_chunk *c)
{
	struct tlsg_block *b;
	uint32_t at = tlsg_chunk_first_unit(c);

	for(; at < c->bump; at += 1 + b->cap) {
		b = tlsg_chunk_block(c, at);
		if(b->tag == TLSG_TAG_LIVE)
			tlsg_arena_pool_learn(b->units, b->ordinal);
	}
}

/** After the handshake no block should stay in the step zone for long: the size of one that does is learned too. */
static void chunk_learn_late(struct tlsg_chunk *c)
{
	struct tlsg_block *b;
	uint32_t at = tlsg_chunk_first_unit(c);

	for(; at < c->bump; at += 1 + b->cap) {
		b = tlsg_chunk_block(c, at);
		if(b->tag == TLSG_TAG_LIVE && b->units <= LATE_UNITS_MAX && ++b->ordinal == LATE_AGE)
			tlsg_arena_pool_learn(b->units, TLSG_LATE_BIT);
	}
}

/** Ordinals of a size that were allocated in a handshake. @param count  blocks, at most TLSG_ORDINAL_MAX. */
static uint64_t ordinals_of(uint8_t count)
{
	return (UINT64_C(1) << count) - 1 + (count == TLSG_ORDINAL_MAX ? UINT64_C(1) << TLSG_ORDINAL_MAX : 0);
}

/** Whether the keep zone is larger than its home: only then does a wrong guess cost anything. */
static bool keep_has_grown(struct tlsg_arena *a)
{
	struct tlsg_chunk *c;

	for(c = a->keep; c != NULL; c = c->next)
		if(c != home_of(a) && c->live > 0)
			return true;
	return false;
}

/** Compares what was learned before with what is in the keep zone at the end of this handshake. */
static void keep_review(struct tlsg_arena *a)
{
	bool costs = keep_has_grown(a);
	uint64_t live[TLSG_LEARN_UNITS] = {0};
	struct tlsg_chunk *c;
	struct tlsg_block *b;
	uint32_t at;

	for(c = a->keep; c != NULL; c = c->next)
		for(at = tlsg_arena_first_unit(a, c); at < c->bump; at += 1 + b->cap) {
			b = tlsg_chunk_block(c, at);
			if(b->tag == TLSG_TAG_LIVE && b->units < TLSG_LEARN_UNITS)
				live[b->units] |= UINT64_C(1) << b->ordinal;
		}
	for(at = 0; at < TLSG_LEARN_UNITS; at++)
		if(a->ordinals[at] != 0)
			tlsg_arena_pool_review(at, costs ? ordinals_of(a->ordinals[at]) : live[at], live[at]);
}

static void ordinals_new(struct tlsg_arena *a)
{
	struct tlsg_chunk *c = tlsg_arena_pool_attach(a, TLSG_CHUNK_SMALL, 0);

	_Static_assert(TLSG_LEARN_UNITS + sizeof(*c) + TLSG_UNIT <= TLSG_CHUNK_SMALL_BYTES, "ordinals fit");
	if(c == NULL)
		return;
	a->ordinals = (uint8_t *)(c + 1);
	memset(a->ordinals, 0, TLSG_LEARN_UNITS);
}

static void ordinals_drop(struct tlsg_arena *a)
{
	if(a->ordinals == NULL)
		return;
	tlsg_arena_pool_detach((struct tlsg_chunk *)(void *)a->ordinals - 1);
	a->ordinals = NULL;
}

/** Whether a new block belongs in the keep zone. @param ordinal  [out] its number among the blocks of its size. */
static bool is_keeper(struct tlsg_arena *a, uint32_t units, uint8_t *ordinal)
{
	uint64_t learned;

	*ordinal = 0;
	if(units >= TLSG_LEARN_UNITS)
		return false;
	learned = tlsg_arena_pool_learned(units);
	if(a->settled)
		return units <= LATE_UNITS_MAX && learned != 0;
	if(a->ordinals == NULL)
		return false;
	*ordinal = a->ordinals[units];
	if(*ordinal < TLSG_ORDINAL_MAX)
		a->ordinals[units]++;
	return (learned >> *ordinal & 1) != 0;
}

/* ---- blocks ---- */

static void *block_activate(struct tlsg_arena *a, struct tlsg_block *b, size_t bytes, enum tlsg_tag tag)
{
	b->size = (uint32_t)bytes;
	b->tag = (uint8_t)tag;
	tlsg_block_chunk(b)->live++;
	a->in_use += bytes;
	if(a->in_use > a->peak)
		a->peak = a->in_use;
	return tlsg_block_payload(b);
}

void tlsg_arena_limit(struct tlsg_arena *a, size_t bytes)
{
	a->block_max = (bytes + TLSG_LIMIT_UNIT - 1) / TLSG_LIMIT_UNIT & 0x1ff;
}

bool tlsg_arena_has_refused(const struct tlsg_arena *a)
{
	return a->refused;
}

void *tlsg_arena_malloc(struct tlsg_arena *a, size_t bytes)
{
	uint32_t units;
	uint8_t ordinal;
	struct tlsg_block *b = NULL;
	void *p;

	if(bytes == 0)
		bytes = 1;
	if(bytes > SIZE_MAX_BYTES)
		return NULL;
	if(a->block_max != 0 && bytes > (size_t)a->block_max * TLSG_LIMIT_UNIT) {
		a->refused = true;
		return NULL;
	}
	units = units_of(bytes);
	if(is_keeper(a, units, &ordinal))
		b = tlsg_arena_keep_get(a, units);
	if(b == NULL)
		b = step_get(a, units);
	if(b != NULL) {
		b->units = (uint16_t)(units < TLSG_LEARN_UNITS ? units : TLSG_LEARN_UNITS);
		b->ordinal = a->settled ? 0 : ordinal;
		return block_activate(a, b, bytes, TLSG_TAG_LIVE);
	}
	p = tlsg_arena_private_new(a, bytes);
	if(p != NULL)
		a->in_use += bytes;
	if(a->in_use > a->peak)
		a->peak = a->in_use;
	return p;
}

void *tlsg_arena_keep(struct tlsg_arena *a, size_t bytes)
{
	struct tlsg_block *b;

	if(bytes == 0)
		bytes = 1;
	if(bytes > SIZE_MAX_BYTES)
		return NULL;
	b = tlsg_arena_keep_get(a, units_of(bytes));
	if(b == NULL)
		return NULL;
	b->units = TLSG_LEARN_UNITS;
	b->ordinal = 0;
	memset(tlsg_block_payload(b), 0, bytes);
	return block_activate(a, b, bytes, TLSG_TAG_OWNER);
}

void *tlsg_arena_keep_copy(struct tlsg_arena *a, const void *data, size_t bytes)
{
	unsigned char *p;

	if(bytes >= SIZE_MAX_BYTES)
		return NULL;
	p = tlsg_arena_keep(a, bytes + 1);
	if(p != NULL && bytes > 0)
		memcpy(p, data, bytes);
	return p;
}

static bool block_is_live(const struct tlsg_block *b)
{
	return b->tag == TLSG_TAG_LIVE || b->tag == TLSG_TAG_OWNER;
}

void tlsg_arena_free(void *p)
{
	struct tlsg_block *b;
	struct tlsg_chunk *c;
	struct tlsg_arena *a;

	if(p == NULL)
		return;
	if(!tlsg_host_in_shm(p)) {
		tlsg_arena_private_free(p);
		return;
	}
	b = tlsg_block_of(p);
	if(!block_is_live(b)) {
		LM_BUG("%p is not a live block of an arena\n", p);
		return;
	}
	c = tlsg_block_chunk(b);
	a = c->arena;
	a->in_use -= b->size;
	if(c->zone != TLSG_ZONE_KEEP) {
		step_free(a, c, b);
		return;
	}
	tlsg_wipe(p, b->size);
	c->live--;
	tlsg_arena_keep_put(a, b);
}

/** Changes the size of a block where it is. @return false when it does not fit. */
static bool block_resize(struct tlsg_block *b, size_t bytes)
{
	struct tlsg_chunk *c = tlsg_block_chunk(b);
	uint32_t units = units_of(bytes);

	if(units > b->cap)
		return false;
	if(bytes < b->size)
		tlsg_wipe((unsigned char *)tlsg_block_payload(b) + bytes, b->size - bytes);
	c->arena->in_use += bytes;
	c->arena->in_use -= b->size;
	b->size = (uint32_t)bytes;
	if(c->arena->in_use > c->arena->peak)
		c->arena->peak = c->arena->in_use;
	return true;
}

void *tlsg_arena_realloc(void *p, size_t bytes)
{
	struct tlsg_block *b = tlsg_block_of(p);
	struct tlsg_arena *a = tlsg_host_in_shm(p) ? NULL : tlsg_arena_private_owner(p);
	void *q;

	if(bytes == 0)
		bytes = 1;
	if(bytes > SIZE_MAX_BYTES)
		return NULL;
	if(a == NULL) {
		if(!block_is_live(b)) {
			LM_BUG("%p is not a live block of an arena\n", p);
			return NULL;
		}
		if(block_resize(b, bytes))
			return p;
		a = tlsg_block_chunk(b)->arena;
	}
	q = b->tag == TLSG_TAG_OWNER ? tlsg_arena_keep(a, bytes) : tlsg_arena_malloc(a, bytes);
	if(q == NULL)
		return NULL;
	memcpy(q, p, b->size < bytes ? b->size : bytes);
	tlsg_arena_free(p);
	return q;
}

bool tlsg_arena_owns(const void *p)
{
	return tlsg_host_in_shm(p) || tlsg_arena_private_owner(p) != NULL;
}

/* ---- arenas ---- */

struct tlsg_arena *tlsg_arena_new(size_t home_bytes)
{
	struct tlsg_chunk *c;
	struct tlsg_arena *a;

	if(home_bytes == 0)
		home_bytes = HOME_DEFAULT_BYTES;
	if(home_bytes > SIZE_MAX_BYTES)
		return NULL;
	c = tlsg_arena_pool_take(TLSG_CHUNK_HOME, sizeof(*a) + home_bytes);
	if(c == NULL)
		return NULL;
	a = (struct tlsg_arena *)(c + 1);
	*a = (struct tlsg_arena){.keep = c, .held = c->total, .chunks = 1};
	c->arena = a;
	c->zone = TLSG_ZONE_KEEP;
	c->live = 1; /* the arena */
	c->bump = tlsg_arena_first_unit(a, c);
	ordinals_new(a);
	return a;
}

/** Wipes the live blocks of a chunk; free blocks are wiped already. */
static void chunk_wipe(struct tlsg_chunk *c, uint32_t first)
{
	struct tlsg_block *b;
	uint32_t at;

	for(at = first; at < c->bump; at += 1 + b->cap) {
		b = tlsg_chunk_block(c, at);
		if(block_is_live(b))
			tlsg_wipe(tlsg_block_payload(b), b->size);
	}
}

static void list_drop(struct tlsg_arena *a, struct tlsg_chunk *list)
{
	struct tlsg_chunk *c, *next;

	for(c = list; c != NULL; c = next) {
		next = c->next;
		chunk_wipe(c, tlsg_arena_first_unit(a, c));
		chunk_clean(c);
		if(c->kind == TLSG_CHUNK_STEP)
			chunk_reset(c);
		if(c != home_of(a))
			tlsg_arena_pool_detach(c);
	}
}

void tlsg_arena_drop(struct tlsg_arena *a)
{
	if(a == NULL)
		return;
	tlsg_arena_private_drop(a);
	ordinals_drop(a);
	list_drop(a, a->step);
	list_drop(a, a->big);
	list_drop(a, a->idle);
	list_drop(a, a->keep);
	home_of(a)->next = NULL;
	tlsg_arena_pool_give(home_of(a));
}

enum tlsg_ret tlsg_arena_reserve(struct tlsg_arena *a, size_t bytes)
{
	size_t have = tlsg_arena_pool_spare_bytes();
	struct tlsg_chunk *c;
	enum tlsg_ret ret;

	for(c = a->idle; c != NULL; c = c->next)
		have += (size_t)(c->end - c->bump - 1) * TLSG_UNIT;
	for(c = a->step; c != NULL; c = c->next)
		have += (size_t)(c->end - c->bump) * TLSG_UNIT;
	while(have < bytes) {
		ret = tlsg_arena_pool_spare_add();
		if(ret == TLSG_FULL) {
			c = tlsg_arena_pool_attach(a, TLSG_CHUNK_STEP, 0);
			if(c != NULL)
				tlsg_chunk_push(&a->idle, c);
			ret = c != NULL ? TLSG_OK : TLSG_E_RESOURCE;
		}
		if(ret != TLSG_OK)
			return ret;
		have += TLSG_CHUNK_STEP_BYTES - 2 * TLSG_UNIT - sizeof(*c) - sizeof(struct tlsg_chunk_lists);
	}
	return TLSG_OK;
}

void tlsg_arena_trim(struct tlsg_arena *a)
{
	struct tlsg_chunk *c;

	if(a->settled)
		for(c = a->step; c != NULL; c = c->next)
			chunk_learn_late(c);
	step_trim(a);
	tlsg_arena_keep_trim(a);
}

void tlsg_arena_settle(struct tlsg_arena *a)
{
	struct tlsg_chunk *c;

	if(!a->settled && a->ordinals != NULL) {
		keep_review(a);
		tlsg_arena_pool_age();
		for(c = a->step; c != NULL; c = c->next)
			chunk_learn(c);
		for(c = a->big; c != NULL; c = c->next)
			chunk_learn(c);
	}
	ordinals_drop(a);
	a->settled = true;
	tlsg_arena_trim(a);
}

size_t tlsg_arena_in_use(const struct tlsg_arena *a)
{
	return a->in_use;
}

size_t tlsg_arena_held(const struct tlsg_arena *a)
{
	return a->held;
}

bool tlsg_arena_is_poisoned(const struct tlsg_arena *a)
{
	return a->poisoned;
}

void tlsg_arena_overflow_free(struct tlsg_arena *a)
{
	tlsg_arena_private_drop(a);
}
