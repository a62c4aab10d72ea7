/*
 * tls_gnutls - what the sources of the arena share among themselves: layout of chunks and blocks, pools, private blocks
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: shm.  Lock: the arena's owner; a pool is used by its process only.
 *
 * Only base/arena*.c and their tests include this. Sizes and positions inside a chunk are counted in units of 16 bytes.
 *
 *   chunk:  | header | (home: the arena) | block header, payload | block header, payload | ... | never used |
 */
#ifndef TLSG_BASE_ARENA_INT_H
#define TLSG_BASE_ARENA_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"

#define TLSG_UNIT 16U

/** Bytes asked from the core for each kind of chunk. GnuTLS takes up to 16.9 KB for one record: a step chunk holds one. */
#define TLSG_CHUNK_STEP_BYTES 17408U
#define TLSG_CHUNK_SMALL_BYTES 2048U

/** What one process keeps at hand, at most. */
#define TLSG_POOL_BYTES (256U * 1024U)
#define TLSG_POOL_SMALL_MAX 8U
#define TLSG_POOL_HOME_MAX 8U
#define TLSG_POOL_HOME_BYTES (16U * 1024U) /**< larger homes go straight back to the core */

/** Size classes of the step zone: one per unit up to 16 units, then four per doubling up to TLSG_BIG_UNITS. */
#define TLSG_CLASSES 36
#define TLSG_BIG_UNITS 512U /**< larger blocks have a chunk for themselves */

/** Sizes that can be learned: below this number of units. */
#define TLSG_LEARN_UNITS 640U
#define TLSG_ORDINAL_MAX 62U /**< allocations of one size after this one are told apart no more */

enum tlsg_chunk_kind
{
	TLSG_CHUNK_HOME,  /**< first chunk of the keep zone, holds the arena */
	TLSG_CHUNK_SMALL, /**< later chunk of the keep zone */
	TLSG_CHUNK_STEP,  /**< chunk of the step zone, all of one size; also of the keep zone when that grows large */
	TLSG_CHUNK_ODD	  /**< made to measure for one block */
};

/** Header of a chunk, at a multiple of 16. */
struct tlsg_chunk
{
	struct tlsg_arena *arena; /**< [shm] owner; undefined while spare */
	struct tlsg_chunk *next;  /**< [shm] list it is in: of its arena, or of a pool */
	struct tlsg_chunk *prev;  /**< [shm] only in lists of an arena's step zone */
	uint32_t total;			  /**< bytes asked from the core */
	uint32_t end;			  /**< units, from the header on */
	uint32_t bump;			  /**< first unit never used since the last reset */
	uint32_t dirty;			  /**< units before this one may hold what large blocks have left, 0 none */
	uint32_t live;			  /**< blocks */
	uint8_t kind;			  /**< enum tlsg_chunk_kind */
	uint8_t skew;			  /**< bytes between the core's address and this header */
	uint8_t zone;			  /**< enum tlsg_zone */
	uint8_t unused;
};

enum tlsg_zone
{
	TLSG_ZONE_KEEP,
	TLSG_ZONE_STEP,
	TLSG_ZONE_BIG /**< step zone, one block fills the chunk */
};

/** What a block is. Values far from zero, so that memory that is no block is recognised. */
enum tlsg_tag
{
	TLSG_TAG_LIVE = 0xA7,	 /**< for GnuTLS */
	TLSG_TAG_OWNER = 0xB3,	 /**< tlsg_arena_keep(): stays in the keep zone when resized */
	TLSG_TAG_PRIVATE = 0xC9, /**< overflow: heap of one process */
	TLSG_TAG_FREE = 0xE5
};

/** Header of a block; the payload follows. A free block holds the link of its list at the start of the payload. */
struct tlsg_block
{
	uint32_t size;	 /**< bytes asked for */
	uint32_t offset; /**< units between the chunk's header and this one; 0 for private blocks */
	uint32_t cap;	 /**< units of payload */
	uint16_t units;	 /**< units asked for when it was allocated, at most TLSG_LEARN_UNITS: what is learned */
	uint8_t ordinal; /**< how many blocks of that size came before; after settling: age in steps */
	uint8_t tag;	 /**< enum tlsg_tag */
};

_Static_assert(sizeof(struct tlsg_chunk) % TLSG_UNIT == 0, "chunk header must keep the alignment");
_Static_assert(sizeof(struct tlsg_block) == TLSG_UNIT, "block header is one unit");

/** Header of a step chunk's free lists: unit of the first free block per class, 0 none. */
struct tlsg_chunk_lists
{
	uint16_t first[TLSG_CLASSES];
	uint16_t unused[4];
};

_Static_assert(sizeof(struct tlsg_chunk_lists) % TLSG_UNIT == 0, "lists must keep the alignment");
_Static_assert(TLSG_CHUNK_STEP_BYTES / TLSG_UNIT <= UINT16_MAX, "units of a step chunk fit 16 bits");

struct tlsg_arena
{
	struct tlsg_chunk *keep; /**< [shm] owned: keep zone, the home is the last one */
	struct tlsg_chunk *step; /**< [shm] owned: step zone, chunks with live blocks */
	struct tlsg_chunk *big;	 /**< [shm] owned: step zone, chunks filled by one block */
	struct tlsg_chunk *idle; /**< [shm] owned: step zone, empty chunks */
	struct tlsg_block *free; /**< free blocks of the keep zone */
	uint8_t *ordinals;		 /**< [shm] owned, a small chunk: allocations per size so far; NULL once settled */
	size_t in_use;
	size_t peak;
	size_t held;
	uint32_t chunks;
	uint32_t overflow : 30; /**< live private blocks, of all processes */
	bool poisoned : 1;
	bool settled : 1; /**< the handshake is over */
};

_Static_assert(sizeof(struct tlsg_arena) % TLSG_UNIT == 0, "blocks follow the arena");

/** First unit after the headers of a chunk. */
static inline uint32_t tlsg_chunk_first_unit(const struct tlsg_chunk *c)
{
	size_t head = sizeof(*c);

	if(c->kind == TLSG_CHUNK_STEP)
		head += sizeof(struct tlsg_chunk_lists);
	return (uint32_t)(head / TLSG_UNIT);
}

static inline struct tlsg_block *tlsg_chunk_block(struct tlsg_chunk *c, uint32_t unit)
{
	return (struct tlsg_block *)((unsigned char *)c + (size_t)unit * TLSG_UNIT);
}

static inline struct tlsg_chunk *tlsg_block_chunk(struct tlsg_block *b)
{
	return (struct tlsg_chunk *)((unsigned char *)b - (size_t)b->offset * TLSG_UNIT);
}

static inline void *tlsg_block_payload(struct tlsg_block *b)
{
	return b + 1;
}

static inline struct tlsg_block *tlsg_block_of(const void *p)
{
	return (struct tlsg_block *)((uintptr_t)p - sizeof(struct tlsg_block));
}

/** Clears memory in a way that no optimiser removes. */
static inline void tlsg_arena_wipe(void *p, size_t bytes)
{
	memset(p, 0, bytes);
	__asm__ volatile("" : : "r"(p) : "memory");
}

/**
 * Takes a chunk out of this process's pool, or from the core. Headers are set up, lists empty, payload undefined.
 * @param kind   kind of chunk.
 * @param bytes  bytes after the headers, for HOME and ODD; ignored for the other kinds.
 * @return the chunk, or NULL when shared memory is exhausted. Counted as held.
 */
struct tlsg_chunk *tlsg_arena_chunk_take(enum tlsg_chunk_kind kind, size_t bytes);

/**
 * Gives chunks without live blocks to this process's pool, or to the core when that is full. No longer held.
 * @param c  list linked by next.
 */
void tlsg_arena_chunks_give(struct tlsg_chunk *c);

/** @return bytes of payload in the spare step chunks of this process. */
size_t tlsg_arena_spare_bytes(void);

/**
 * Fetches one more spare step chunk from the core into this process's pool, above its cap too.
 * @return TLSG_OK; TLSG_FULL: this process has no pool; TLSG_E_RESOURCE: shared memory is exhausted.
 */
enum tlsg_ret tlsg_arena_spare_add(void) TLSG_MUST_CHECK;

/** @return ordinals of that size which outlived a handshake, one bit each; bit 63: seen after a handshake. */
uint64_t tlsg_arena_learned(uint32_t units);

/** Notes that a block outlived its handshake. @param ordinal  0 to 63. */
void tlsg_arena_learn(uint32_t units, unsigned ordinal);

/** Allocates on this process's heap and remembers it. @return payload; NULL when the heap is exhausted. */
void *tlsg_arena_private_new(struct tlsg_arena *a, size_t bytes);

/** Wipes and frees a private block of this process, its accounting too. */
void tlsg_arena_private_free(void *p);

/** @return the arena a private block of this process was handed out for, NULL when p is no such block. */
struct tlsg_arena *tlsg_arena_private_owner(const void *p);

/** Wipes and frees the private blocks of this process that belong to the arena. */
void tlsg_arena_private_drop(struct tlsg_arena *a);

/** Whether this process has private blocks. */
bool tlsg_arena_private_any(void);

/** Takes a block of exactly that many units out of the keep zone. @return block, not handed out yet; NULL: no shared memory. */
struct tlsg_block *tlsg_arena_keep_get(struct tlsg_arena *a, uint32_t cap);

/** Puts a wiped block of the keep zone into the list of free ones. */
void tlsg_arena_keep_put(struct tlsg_arena *a, struct tlsg_block *b);

/** Gives back chunks of the keep zone in which nothing lives; never the home, whose arena counts as a block. */
void tlsg_arena_keep_trim(struct tlsg_arena *a);

/* ---- chunks of an arena ---- */

static inline struct tlsg_chunk *tlsg_arena_chunk_attach(struct tlsg_arena *a, enum tlsg_chunk_kind kind, size_t bytes)
{
	struct tlsg_chunk *c = tlsg_arena_chunk_take(kind, bytes);

	if(c == NULL)
		return NULL;
	c->arena = a;
	a->held += c->total;
	a->chunks++;
	return c;
}

static inline void tlsg_arena_chunk_detach(struct tlsg_chunk *c)
{
	c->arena->held -= c->total;
	c->arena->chunks--;
	c->next = NULL;
	tlsg_arena_chunks_give(c);
}

static inline void tlsg_chunk_push(struct tlsg_chunk **list, struct tlsg_chunk *c)
{
	c->prev = NULL;
	c->next = *list;
	if(*list != NULL)
		(*list)->prev = c;
	*list = c;
}

static inline void tlsg_chunk_remove(struct tlsg_chunk **list, struct tlsg_chunk *c)
{
	if(c->prev != NULL)
		c->prev->next = c->next;
	else
		*list = c->next;
	if(c->next != NULL)
		c->next->prev = c->prev;
}

static inline struct tlsg_block *tlsg_chunk_cut(struct tlsg_chunk *c, uint32_t cap)
{
	struct tlsg_block *b;

	if(c->end - c->bump <= cap)
		return NULL;
	b = tlsg_chunk_block(c, c->bump);
	b->offset = c->bump;
	b->cap = cap;
	c->bump += 1 + cap;
	return b;
}

/** First unit of a block in a chunk of the arena: the home holds the arena first. */
static inline uint32_t tlsg_arena_first_unit(const struct tlsg_arena *a, const struct tlsg_chunk *c)
{
	size_t head = (const void *)(c + 1) == (const void *)a ? sizeof(*a) : 0;

	return tlsg_chunk_first_unit(c) + (uint32_t)(head / TLSG_UNIT);
}

/** Where a free block of the keep zone holds the link to the next one. */
static inline struct tlsg_block **tlsg_block_link(struct tlsg_block *free_block)
{
	return tlsg_block_payload(free_block);
}

#endif
