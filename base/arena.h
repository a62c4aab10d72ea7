/*
 * tls_gnutls - a region of shared memory with one owner
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: shm.  Lock: none of its own; the owner's lock (the connection's write_lock), or only
 * the builder of a snapshot knows the arena: one process at a time.
 *
 * An arena has two zones. The keep zone holds what lives as long as the owner, densely packed: the owner chooses the
 * size of its first chunk (the home), later chunks are small. The step zone holds what GnuTLS allocates during one
 * step and mostly frees again: large chunks from a pool of each process, so that steps do not allocate from the core
 * and idle connections hold no such memory. The zone of a block is learned by its size: tlsg_arena_settle() finds the
 * blocks that outlive a handshake, and later arenas put blocks of that size in the keep zone. A wrong guess costs
 * bytes, nothing else; what keeps being wrong is forgotten.
 *
 * Every block is aligned to 16, is wiped when it is freed, and knows its arena; the address alone is enough to free it.
 *
 * Not here: set-up, shutdown and totals of all arenas (arena_pool.h); which arena GnuTLS allocates from (scope.h).
 */
#ifndef TLSG_BASE_ARENA_H
#define TLSG_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct tlsg_arena; /* lies in its own home chunk */

/**
 * Makes an arena.
 * @param home_bytes  payload bytes of the first keep chunk, 0 for a default.
 * @return the arena, owned by the caller (tlsg_arena_drop); NULL if shared memory is exhausted.
 */
struct tlsg_arena *tlsg_arena_new(size_t home_bytes);

/**
 * Wipes live blocks and returns all chunks; frees private blocks of this process. Any process; does not call GnuTLS.
 * @param a  NULL allowed.
 */
void tlsg_arena_drop(struct tlsg_arena *a);

/**
 * Allocates in the keep zone, for the owner's own structures. Zero-filled.
 * @param a      the arena.
 * @param bytes  0 is taken as 1.
 * @return block aligned to 16, owned by the arena; NULL if shared memory is exhausted (never private memory).
 */
void *tlsg_arena_keep(struct tlsg_arena *a, size_t bytes);

/**
 * Copies bytes into the keep zone and adds a terminating zero.
 * @param data   NULL only when bytes is 0.
 * @return as tlsg_arena_keep().
 */
void *tlsg_arena_keep_copy(struct tlsg_arena *a, const void *data, size_t bytes);

/**
 * Allocates for GnuTLS; the learned sizes decide on the zone. Never fails while memory of any kind is left: when
 * shared memory is exhausted, the block is private to this process (an overflow block), the arena is poisoned, and
 * this process records the block until tlsg_arena_overflow_free().
 * @return block aligned to 16, not cleared; NULL only when malloc fails too.
 */
void *tlsg_arena_malloc(struct tlsg_arena *a, size_t bytes);

/**
 * Limits the length of a block. Only for allocations whose failure GnuTLS survives; others never come near.
 * @param bytes  longest block that tlsg_arena_malloc() and tlsg_arena_realloc() give; longer ones fail; 0: no
 *               limit; rounded up to 4 KB, below 2 MB.
 */
void tlsg_arena_limit(struct tlsg_arena *a, size_t bytes);

/** Whether a block was refused because of tlsg_arena_limit(). */
bool tlsg_arena_has_refused(const struct tlsg_arena *a);

/**
 * Resizes a block in the arena that owns it. The contents are kept up to the smaller size; the old block is wiped.
 * @param p      block of an arena (tlsg_arena_owns) or overflow block; not NULL.
 * @param bytes  0 is taken as 1.
 * @return the block, possibly moved; NULL as tlsg_arena_malloc(): p is then unchanged.
 */
void *tlsg_arena_realloc(void *p, size_t bytes);

/** Wipes and frees a block in the arena that owns it. @param p  block of an arena or overflow block; NULL allowed. */
void tlsg_arena_free(void *p);

/**
 * Whether an address is to be passed to tlsg_arena_free() and tlsg_arena_realloc(): it lies in shared memory, or is a
 * live overflow block of this process. Cost: one comparison while this process has no overflow blocks.
 */
bool tlsg_arena_owns(const void *p);

/**
 * Makes sure that the coming step can allocate without the core: free space in step chunks of the arena and spare
 * chunks of this process's pool are at least that many bytes together.
 * @param bytes  headroom of the step.
 * @return TLSG_OK; TLSG_E_RESOURCE: shared memory is exhausted, do not enter GnuTLS.
 */
enum tlsg_ret tlsg_arena_reserve(struct tlsg_arena *a, size_t bytes) TLSG_MUST_CHECK;

/** End of a step: empty chunks of the step zone go to this process's pool, or to the core when the pool is full. */
void tlsg_arena_trim(struct tlsg_arena *a);

/**
 * End of a handshake: like tlsg_arena_trim(), and sizes of blocks that still live in the step zone are learned for
 * later arenas.
 */
void tlsg_arena_settle(struct tlsg_arena *a);

/** @return bytes that live blocks were asked for. */
size_t tlsg_arena_in_use(const struct tlsg_arena *a);

/** @return bytes of shared memory that the arena holds, all its chunks. */
size_t tlsg_arena_held(const struct tlsg_arena *a);

/** Whether an overflow block was allocated: other processes must not enter the owner's session any more. */
bool tlsg_arena_is_poisoned(const struct tlsg_arena *a);

/** Frees the overflow blocks that this process allocated for the arena. The arena stays poisoned. */
void tlsg_arena_overflow_free(struct tlsg_arena *a);

#endif
