/*
 * tls_gnutls - what the arenas of all processes share: spare chunks, learned sizes, totals
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: shm.  Lock: none; a pool belongs to one process, learned sizes and totals are atomic.
 *
 * Set-up, shutdown and totals are for the module; the rest is for base/arena*.c.
 */
#ifndef TLSG_BASE_ARENA_POOL_H
#define TLSG_BASE_ARENA_POOL_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena_chunk.h"
#include "base/err.h"

/** Upper limits of one process's pool. */
#define TLSG_POOL_BYTES (256U * 1024U)
#define TLSG_POOL_SMALL_MAX 8U
#define TLSG_POOL_HOME_MAX 8U
#define TLSG_POOL_HOME_BYTES (16U * 1024U) /**< larger homes go straight back to the core */

/**
 * Sets up what all processes share (learned sizes, totals). Call before the first arena, before any fork.
 * @return TLSG_OK, or TLSG_E_RESOURCE. A second call does nothing and returns TLSG_OK.
 */
enum tlsg_ret tlsg_arena_pool_global_init(void) TLSG_MUST_CHECK;

/**
 * Gives each process a pool of spare chunks (only the table; pools fill on use). Before this call, and in processes
 * with a number outside the table, chunks come straight from shm_malloc.
 * A pool keeps up to TLSG_POOL_BYTES, less if all pools together would keep more than an eighth of the shared memory.
 * @param processes  get_max_procs(), at least 1. Call once, before the workers are forked.
 * @return TLSG_OK; TLSG_E_RESOURCE; TLSG_E_INTERNAL: called twice, with 0, or before tlsg_arena_pool_global_init().
 */
enum tlsg_ret tlsg_arena_pool_init(unsigned processes) TLSG_MUST_CHECK;

/**
 * Returns everything that is not in a live arena to shared memory: all pools, shared tables. Attendant process, at
 * shutdown, when no other process uses arenas. Idempotent. Arenas dropped later give their chunks straight back.
 */
void tlsg_arena_pool_global_deinit(void);

/**
 * Sums over all processes.
 * @param spare  [out] bytes in all pools; NULL allowed.
 * @return bytes held by all arenas. Not exact while other processes allocate.
 */
size_t tlsg_arena_pool_held(size_t *spare);

/**
 * Takes a chunk from this process's pool, or from the core. Headers are set up, lists empty, payload undefined.
 * @param kind   kind of chunk.
 * @param bytes  bytes after the headers, for HOME and ODD; ignored for the other kinds.
 * @return the chunk, or NULL when shared memory is exhausted. Counted as held.
 */
struct tlsg_chunk *tlsg_arena_pool_take(enum tlsg_chunk_kind kind, size_t bytes);

/**
 * Gives chunks without live blocks to this process's pool, or to the core when the pool is full. No longer held.
 * @param c  list linked by next.
 */
void tlsg_arena_pool_give(struct tlsg_chunk *c);

/**
 * Takes a chunk as tlsg_arena_pool_take() does and accounts it to an arena. The caller puts it into a list.
 * @return the chunk; NULL: shared memory is exhausted.
 */
struct tlsg_chunk *tlsg_arena_pool_attach(struct tlsg_arena *a, enum tlsg_chunk_kind kind, size_t bytes);

/** Gives one chunk of an arena back as tlsg_arena_pool_give() does. @param c  in no list of the arena any more. */
void tlsg_arena_pool_detach(struct tlsg_chunk *c);

/** @return bytes of payload in the spare step chunks of this process. */
size_t tlsg_arena_pool_spare_bytes(void);

/**
 * Allocates one more spare step chunk into this process's pool, even above the pool's limit.
 * @return TLSG_OK; TLSG_FULL: this process has no pool; TLSG_E_RESOURCE: shared memory is exhausted.
 */
enum tlsg_ret tlsg_arena_pool_spare_add(void) TLSG_MUST_CHECK;

/** @return ordinals of that size that outlived a handshake, one bit each; TLSG_LATE_BIT: seen after a handshake. */
uint64_t tlsg_arena_pool_learned(uint32_t units);

/** Notes that a block outlived its handshake. @param ordinal  0 to TLSG_ORDINAL_MAX, or TLSG_LATE_BIT. */
void tlsg_arena_pool_learn(uint32_t units, unsigned ordinal);

/**
 * Compares what was learned with one more handshake, for blocks of one size: an ordinal that was allocated and did not
 * outlive it is forgotten when that happens 64 times in a row. So a connection that differs from all others changes
 * what they hold for a few handshakes only, and what few connections allocate at all stays learned.
 * @param allocated  ordinals that were allocated and count, one bit each.
 * @param live       ordinals that outlived the handshake.
 */
void tlsg_arena_pool_review(uint32_t units, uint64_t allocated, uint64_t live);

/** A handshake is over. What was learned after handshakes is forgotten after each 1024, and learned again on use. */
void tlsg_arena_pool_age(void);

#endif
