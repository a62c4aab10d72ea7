/*
 * tls_gnutls - the keep zone of an arena: blocks that live as long as the owner. Only for base/arena*.c
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: shm.  Lock: none of its own, see arena.h.
 */
#ifndef TLSG_BASE_ARENA_KEEP_H
#define TLSG_BASE_ARENA_KEEP_H

#include <stdint.h>

#include "base/arena_chunk.h"

/**
 * Takes a block out of the keep zone.
 * @param cap  units of payload, at least 1.
 * @return block with at least that capacity, not yet counted as live; NULL: shared memory is exhausted.
 */
struct tlsg_block *tlsg_arena_keep_get(struct tlsg_arena *a, uint32_t cap);

/** Puts a block into the list of free ones. @param b  wiped, no longer counted as live. */
void tlsg_arena_keep_put(struct tlsg_arena *a, struct tlsg_block *b);

/** Gives back chunks without live blocks; never the home, because the arena itself counts as a block there. */
void tlsg_arena_keep_trim(struct tlsg_arena *a);

#endif
