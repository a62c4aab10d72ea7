/*
 * tls_gnutls - layout of an arena in memory: chunks, blocks, lists of chunks
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: shm.  Lock: the arena's owner; spare chunks belong to one process (arena_pool.h).
 *
 * Only for base/arena*.c and their tests. Sizes and positions inside a chunk are counted in units of 16 bytes.
 *
 *   chunk:  | header | (home: the arena) | block header, payload | block header, payload | ... | never used |
 *
 * Not here: where chunks come from (arena_pool.c), which zone a block goes to (arena.c).
 */
#ifndef TLSG_BASE_ARENA_CHUNK_H
#define TLSG_BASE_ARENA_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TLSG_UNIT 16U
#define TLSG_LIMIT_UNIT 4096U

/** Bytes requested from the core for a chunk. GnuTLS allocates up to 16.9 KB for one record: a step chunk holds it. */
#define TLSG_CHUNK_STEP_BYTES 17408U
#define TLSG_CHUNK_SMALL_BYTES 2048U

/** Size classes of the step zone: one per unit up to 16 units, then four per doubling up to TLSG_BIG_UNITS. */
#define TLSG_CLASSES 36
#define TLSG_BIG_UNITS 512U /**< a larger block has a chunk to itself */

/** Only sizes below this number of units are learned. */
#define TLSG_LEARN_UNITS 640U
#define TLSG_ORDINAL_MAX 62U /**< later allocations of the same size share this ordinal */
#define TLSG_LATE_BIT 63U	 /**< in the set of learned ordinals: blocks allocated after a handshake */

enum tlsg_chunk_kind
{
	TLSG_CHUNK_HOME,  /**< first chunk of the keep zone, holds the arena */
	TLSG_CHUNK_SMALL, /**< later chunk of the keep zone */
	TLSG_CHUNK_STEP,  /**< chunk of the step zone, all of one size; also of the keep zone when that grows large */
	TLSG_CHUNK_ODD	  /**< sized for one block */
};

/** Header of a chunk, at a multiple of 16. */
struct tlsg_chunk
{
	struct tlsg_arena *arena; /**< [shm] owner; undefined while spare */
	struct tlsg_chunk *next;  /**< [shm] list it is in: of its arena, or of a pool */
	struct tlsg_chunk *prev;  /**< [shm] only in lists of an arena's step zone */
	uint32_t total;			  /**< bytes requested from the core */
	uint32_t end;			  /**< units, from the header on */
	uint32_t bump;			  /**< first unit never used since the last reset */
	uint32_t dirty;			  /**< units before this one may hold remains of large blocks, 0: none */
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

/** State of a block. The values are unlikely in other memory, so that an address that is not a block is recognised. */
enum tlsg_tag
{
	TLSG_TAG_LIVE = 0xA7,	 /**< for GnuTLS */
	TLSG_TAG_OWNER = 0xB3,	 /**< from tlsg_arena_keep(): stays in the keep zone when resized */
	TLSG_TAG_PRIVATE = 0xC9, /**< overflow: heap of one process */
	TLSG_TAG_FREE = 0xE5
};

/** Header of a block; the payload follows. A free block holds the link of its list at the start of the payload. */
struct tlsg_block
{
	uint32_t size;	 /**< bytes requested */
	uint32_t offset; /**< units between the chunk's header and this one; 0 for private blocks */
	uint32_t cap;	 /**< units of payload */
	uint16_t units;	 /**< units requested at allocation, at most TLSG_LEARN_UNITS: the size that is learned */
	uint8_t ordinal; /**< number of earlier blocks of that size; after settling: age in steps */
	uint8_t tag;	 /**< enum tlsg_tag */
};

_Static_assert(sizeof(struct tlsg_chunk) % TLSG_UNIT == 0, "chunk header must keep the alignment");
_Static_assert(sizeof(struct tlsg_block) == TLSG_UNIT, "block header is one unit");

/** Free lists at the start of a step chunk: unit of the first free block of each class, 0: none. */
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
	size_t in_use;			 /**< bytes requested by live blocks */
	size_t peak;			 /**< highest in_use so far */
	size_t held;			 /**< bytes of all chunks */
	uint32_t chunks;		 /**< number of chunks */
	uint32_t block_max : 9;	 /**< longest block, in units of TLSG_LIMIT_UNIT, 0: no limit */
	uint32_t overflow : 20;	 /**< live private blocks, of all processes */
	bool poisoned : 1;
	bool settled : 1; /**< the handshake is over */
	bool refused : 1; /**< a block longer than block_max was asked for */
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

/* ---- lists of chunks, and cutting blocks out of a chunk ---- */

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

/** Takes a block of that many units from the part never used. @return NULL: too little is left of it. */
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

/** Where a free block of the keep zone stores the pointer to the next one. */
static inline struct tlsg_block **tlsg_block_link(struct tlsg_block *free_block)
{
	return tlsg_block_payload(free_block);
}

#endif
