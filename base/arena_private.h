/*
 * tls_gnutls - private blocks, allocated when shared memory is exhausted. Only for base/arena*.c
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: this process's heap.  Lock: its own, for threads of this process; taken only while
 * there are private blocks.
 */
#ifndef TLSG_BASE_ARENA_PRIVATE_H
#define TLSG_BASE_ARENA_PRIVATE_H

#include <stddef.h>

#include "base/arena_chunk.h"

/**
 * Allocates on this process's heap, records the block and poisons the arena.
 * @param bytes  payload, at least 1.
 * @return payload aligned to 16, not cleared; NULL when the heap is exhausted.
 */
void *tlsg_arena_private_new(struct tlsg_arena *a, size_t bytes);

/** Wipes and frees a private block of this process. @param p  other addresses are ignored. */
void tlsg_arena_private_free(void *p);

/** @return the arena that a private block of this process belongs to; NULL: p is not such a block. */
struct tlsg_arena *tlsg_arena_private_owner(const void *p);

/** Wipes and frees the private blocks of this process that belong to the arena. */
void tlsg_arena_private_drop(struct tlsg_arena *a);

#endif
