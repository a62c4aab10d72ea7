/*
 * tls_gnutls - the keep zone of an arena: what lives as long as the owner, densely
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: shm.  Lock: none of its own, see arena.h.
 *
 * Blocks are cut one after the other from the home, later from small chunks. Freed ones are in a list for reuse by a
 * block of the same size; they are joined with their neighbours when no other space is left. The list is short and
 * rarely used.
 */
#include "base/arena_keep.h"

#include <stdbool.h>
#include <stddef.h>

#include "base/arena_pool.h"

#define SMALL_CHUNKS_MAX 8U /* with more chunks than that the zone grows by larger ones */
#define SPLIT_UNITS_MIN 3U	/* smallest remainder worth a block: header and two units */

void tlsg_arena_keep_put(struct tlsg_arena *a, struct tlsg_block *b)
{
	b->tag = TLSG_TAG_FREE;
	*tlsg_block_link(b) = a->free;
	a->free = b;
}

/** Takes a free block of that capacity, or (exact false) at least that; what is left over becomes a free block. */
static struct tlsg_block *keep_reuse(struct tlsg_arena *a, uint32_t cap, bool exact)
{
	struct tlsg_block **at = &a->free, *b, *rest;

	while((b = *at) != NULL && (exact ? b->cap != cap : b->cap < cap))
		at = tlsg_block_link(b);
	if(b == NULL)
		return NULL;
	*at = *tlsg_block_link(b);
	if(b->cap - cap >= SPLIT_UNITS_MIN) {
		rest = b + 1 + cap;
		rest->offset = b->offset + 1 + cap;
		rest->cap = b->cap - cap - 1;
		b->cap = cap;
		tlsg_arena_keep_put(a, rest);
	}
	return b;
}

/** Joins free neighbours in a chunk of the keep zone and puts the joined blocks into the list. */
static void keep_join_chunk(struct tlsg_arena *a, struct tlsg_chunk *c, uint32_t first)
{
	struct tlsg_block *b, *last = NULL;
	uint32_t at = first, next;

	while(at < c->bump) {
		b = tlsg_chunk_block(c, at);
		next = at + 1 + b->cap;
		if(b->tag != TLSG_TAG_FREE) {
			last = NULL;
		} else if(last != NULL) {
			last->cap += 1 + b->cap;
		} else {
			last = b;
			tlsg_arena_keep_put(a, b);
		}
		at = next;
	}
	if(last != NULL) {
		a->free = *tlsg_block_link(last);
		c->bump = last->offset;
	}
}

static void keep_join(struct tlsg_arena *a)
{
	struct tlsg_chunk *c;

	a->free = NULL;
	for(c = a->keep; c != NULL; c = c->next)
		keep_join_chunk(a, c, tlsg_arena_first_unit(a, c));
}

static struct tlsg_block *keep_cut(struct tlsg_arena *a, uint32_t cap)
{
	struct tlsg_chunk *c;
	struct tlsg_block *b = NULL;

	for(c = a->keep; c != NULL && b == NULL; c = c->next)
		b = tlsg_chunk_cut(c, cap);
	return b;
}

static struct tlsg_block *keep_grow(struct tlsg_arena *a, uint32_t cap)
{
	enum tlsg_chunk_kind kind = TLSG_CHUNK_ODD;
	struct tlsg_chunk *c;
	size_t need = ((size_t)cap + 2) * TLSG_UNIT + sizeof(*c);

	if(a->chunks <= SMALL_CHUNKS_MAX && need <= TLSG_CHUNK_SMALL_BYTES)
		kind = TLSG_CHUNK_SMALL;
	else if(a->chunks > SMALL_CHUNKS_MAX && need + sizeof(struct tlsg_chunk_lists) <= TLSG_CHUNK_STEP_BYTES)
		kind = TLSG_CHUNK_STEP;
	c = tlsg_arena_pool_attach(a, kind, need - sizeof(*c));
	if(c == NULL)
		return NULL;
	c->zone = TLSG_ZONE_KEEP;
	tlsg_chunk_push(&a->keep, c);
	return tlsg_chunk_cut(c, cap);
}

struct tlsg_block *tlsg_arena_keep_get(struct tlsg_arena *a, uint32_t cap)
{
	struct tlsg_block *b = NULL;

	if(a->free != NULL)
		b = keep_reuse(a, cap, true);
	if(b == NULL)
		b = keep_cut(a, cap);
	if(b == NULL && a->free != NULL) {
		b = keep_reuse(a, cap, false);
		if(b == NULL) {
			keep_join(a);
			b = keep_reuse(a, cap, false);
		}
		if(b == NULL)
			b = keep_cut(a, cap);
	}
	if(b == NULL)
		b = keep_grow(a, cap);
	return b;
}

void tlsg_arena_keep_trim(struct tlsg_arena *a)
{
	struct tlsg_chunk *c, *next;
	bool joined = false;

	for(c = a->keep; c != NULL; c = next) {
		next = c->next;
		if(c->live != 0)
			continue;
		if(!joined)
			keep_join(a);
		joined = true;
		tlsg_chunk_remove(&a->keep, c);
		tlsg_arena_pool_detach(c);
	}
}
