/*
 * tls_gnutls - figures of one arena, for tests
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: unit tests.  Memory: the caller's.  Lock: none.
 */
#ifndef TLSG_TESTS_LIB_ARENA_STATS_H
#define TLSG_TESTS_LIB_ARENA_STATS_H

#include <stddef.h>

#include "base/arena_chunk.h"

struct tlsg_arena_stats
{
	size_t in_use;	   /* bytes requested by live blocks */
	size_t peak;	   /* highest in_use so far */
	size_t held;	   /* bytes of all chunks */
	unsigned chunks;   /* number of chunks */
	unsigned overflow; /* live private blocks */
};

static inline void tlsg_arena_stats_get(const struct tlsg_arena *a, struct tlsg_arena_stats *s)
{
	*s = (struct tlsg_arena_stats){a->in_use, a->peak, a->held, a->chunks, a->overflow};
}

/* Bytes requested for a block. */
static inline size_t tlsg_arena_block_size(const void *p)
{
	return tlsg_block_of(p)->size;
}

#endif
