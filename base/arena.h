/*
 * tls_gnutls - a region of shared memory with one owner
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: shm.  Lock: none of its own; whoever owns the arena (the connection's
 * write_lock, or the builder of a snapshot) uses it, one process at a time.
 *
 * An arena has two zones. The keep zone holds what lives as long as the owner, densely: its first chunk
 * (the home) is sized by the owner, later ones are small. The step zone holds what one step of GnuTLS allocates
 * and mostly frees again: large chunks out of a pool that each process has at hand, so that steps neither ask the
 * core for memory nor leave memory with idle connections. Which block belongs where is learned by size: blocks that
 * outlive a handshake are seen by tlsg_arena_settle(), and the next arena puts blocks of that size in the keep zone.
 * A wrong guess costs bytes, nothing else.
 *
 * Every block is aligned to 16, is wiped when it is freed, and knows its arena; freeing works on the address alone.
 */
#ifndef TLSG_BASE_ARENA_H
#define TLSG_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct tlsg_arena; /* lies in its own home chunk */

/** Figures of one arena, all in bytes unless said otherwise. */
struct tlsg_arena_stats
{
	size_t in_use;	   /**< asked for by live blocks */
	size_t peak;	   /**< highest in_use so far */
	size_t held;	   /**< taken from shared memory for this arena, keep and step zone */
	unsigned chunks;   /**< number of chunks held */
	unsigned overflow; /**< live private blocks handed out because shared memory was exhausted */
};

/**
 * Sets up what all processes share (learned sizes, counters). Call before the first arena, before any fork.
 * @return TLSG_OK, or TLSG_E_RESOURCE. A second call does nothing and returns TLSG_OK.
 */
enum tlsg_ret tlsg_arena_global_init(void) TLSG_MUST_CHECK;

/**
 * Gives each process a pool of spare chunks (only the table; pools fill on use). Before this call, and in processes
 * numbered outside the table, chunks come straight from shm_malloc.
 * A pool keeps up to 256 KB, less when all of them together would keep more than an eighth of the shared memory.
 * @param processes  get_max_procs(), at least 1. Call once, before the forks that make workers.
 * @return TLSG_OK, or TLSG_E_RESOURCE.
 */
enum tlsg_ret tlsg_arena_pools_init(unsigned processes) TLSG_MUST_CHECK;

/**
 * Returns everything that is not in a live arena to shared memory: all pools, shared tables. Attendant process, at
 * shutdown, when no other process uses arenas. Idempotent. Arenas dropped later give their chunks straight back.
 */
void tlsg_arena_global_deinit(void);

/**
 * Makes an arena.
 * @param home_bytes  bytes of payload for which the first keep chunk has room, 0 for a default.
 * @return the arena, owned by the caller (tlsg_arena_drop); NULL if shared memory is exhausted.
 */
struct tlsg_arena *tlsg_arena_new(size_t home_bytes);

/**
 * Wipes live blocks and returns all chunks; frees private overflow blocks of this process. Any process; never enters
 * GnuTLS.
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

/** Copies bytes into the keep zone and adds a terminating zero. @return as tlsg_arena_keep(). */
void *tlsg_arena_keep_copy(struct tlsg_arena *a, const void *data, size_t bytes);

/**
 * Allocates for GnuTLS: the zone is chosen by the size learned. Never fails while memory of any kind is left: when
 * shared memory is exhausted the block is private to this process, the arena is poisoned, and the block is remembered
 * by this process until tlsg_arena_overflow_free().
 * @return block aligned to 16, not cleared; NULL only when malloc fails too.
 */
void *tlsg_arena_malloc(struct tlsg_arena *a, size_t bytes);

/**
 * Resizes a block of whichever arena owns it; contents kept up to the smaller size, the old place wiped.
 * @param p      block of an arena (tlsg_arena_owns) or overflow block; not NULL.
 * @return the block, possibly moved; NULL as tlsg_arena_malloc, p then stays.
 */
void *tlsg_arena_realloc(void *p, size_t bytes);

/** Wipes and frees a block of whichever arena owns it. @param p  block of an arena or overflow block; NULL allowed. */
void tlsg_arena_free(void *p);

/**
 * Whether tlsg_arena_free() and tlsg_arena_realloc() are the right functions for an address: it lies in shared memory, or is a
 * live overflow block of this process. Cost: one comparison while this process has no overflow blocks.
 */
bool tlsg_arena_owns(const void *p);

/** Bytes asked for when the block was allocated. @param p  block for which tlsg_arena_owns() is true. */
size_t tlsg_arena_block_size(const void *p);

/**
 * Makes sure that the coming step can allocate without asking the core: this process has at hand (step chunks of the arena with
 * room, and spare chunks of the pool) at least that many bytes.
 * @param bytes  headroom of the step.
 * @return TLSG_OK; TLSG_E_RESOURCE when shared memory cannot give it: do not enter GnuTLS.
 */
enum tlsg_ret tlsg_arena_reserve(struct tlsg_arena *a, size_t bytes) TLSG_MUST_CHECK;

/** End of a step: chunks of the step zone that became empty go back to the process's pool, above its cap to the core. */
void tlsg_arena_trim(struct tlsg_arena *a);

/**
 * End of a handshake: like tlsg_arena_trim(), and sizes of blocks that still live in the step zone are learned for later
 * arenas.
 */
void tlsg_arena_settle(struct tlsg_arena *a);

/** Whether a private block was handed out: no other process may use what was allocated since. */
bool tlsg_arena_is_poisoned(const struct tlsg_arena *a);

/** Frees the private overflow blocks that this process handed out for the arena. The arena stays poisoned. */
void tlsg_arena_overflow_free(struct tlsg_arena *a);

/** Reads the figures. @param s [out]. Racy when another process uses the arena: figures only. */
void tlsg_arena_stats_get(const struct tlsg_arena *a, struct tlsg_arena_stats *s);

/** Sum over all arenas of bytes held, and over all pools of spare bytes. @param spare [out] NULL allowed. @return bytes held. */
size_t tlsg_arena_total_held(size_t *spare);

#endif
