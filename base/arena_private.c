/*
 * tls_gnutls - private blocks, allocated when shared memory is exhausted
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: this process's heap.  Lock: lock, for threads of this process; taken only while
 * there are private blocks.
 *
 * A heap address does not tell whether it is a private block, so each block is in a list. It is normally empty.
 */
#include "base/arena_private.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/wipe.h"

struct private_block
{
	struct private_block *next;
	struct tlsg_arena *arena; /**< [shm] borrowed */
	struct tlsg_block block;  /**< payload follows */
};

_Static_assert(sizeof(struct private_block) % TLSG_UNIT == 0, "private blocks must keep the alignment");

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct private_block *blocks; /**< [heap] owned */
static unsigned count;				 /**< written under lock, read without */

/* A child of fork() has one thread; whoever held the lock in the parent does not exist in it. */

static void fork_prepare(void)
{
	pthread_mutex_lock(&lock);
}

static void fork_done(void)
{
	pthread_mutex_unlock(&lock);
}

static void fork_handlers_set(void)
{
	(void)pthread_atfork(fork_prepare, fork_done, fork_done); /* without memory for it there is none for blocks */
}

static bool has_blocks(void)
{
	return __atomic_load_n(&count, __ATOMIC_RELAXED) != 0;
}

void *tlsg_arena_private_new(struct tlsg_arena *a, size_t bytes)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct private_block *b = malloc(sizeof(*b) + bytes);

	if(b == NULL)
		return NULL;
	(void)pthread_once(&once, fork_handlers_set);
	b->arena = a;
	b->block = (struct tlsg_block){.size = (uint32_t)bytes, .tag = TLSG_TAG_PRIVATE};
	b->block.cap = (uint32_t)(bytes / TLSG_UNIT);
	pthread_mutex_lock(&lock);
	b->next = blocks;
	blocks = b;
	__atomic_store_n(&count, count + 1, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&lock);
	a->overflow++;
	a->poisoned = true;
	return tlsg_block_payload(&b->block);
}

/** Finds the pointer that links a block. Caller holds lock. @return NULL: p is not a private block. */
static struct private_block **find_unsafe(const void *p)
{
	struct private_block **at = &blocks;

	while(*at != NULL && tlsg_block_payload(&(*at)->block) != p)
		at = &(*at)->next;
	return *at != NULL ? at : NULL;
}

static void release_unsafe(struct private_block **at)
{
	struct private_block *b = *at;

	*at = b->next;
	__atomic_store_n(&count, count - 1, __ATOMIC_RELAXED);
	if(b->arena->overflow > 0)
		b->arena->overflow--;
	b->arena->in_use -= b->block.size;
	tlsg_wipe(b + 1, b->block.size);
	free(b);
}

struct tlsg_arena *tlsg_arena_private_owner(const void *p)
{
	struct private_block **at;
	struct tlsg_arena *a = NULL;

	if(!has_blocks())
		return NULL;
	pthread_mutex_lock(&lock);
	at = find_unsafe(p);
	if(at != NULL)
		a = (*at)->arena;
	pthread_mutex_unlock(&lock);
	return a;
}

void tlsg_arena_private_free(void *p)
{
	struct private_block **at;

	pthread_mutex_lock(&lock);
	at = find_unsafe(p);
	if(at != NULL)
		release_unsafe(at);
	pthread_mutex_unlock(&lock);
}

void tlsg_arena_private_drop(struct tlsg_arena *a)
{
	struct private_block **at = &blocks;

	if(!has_blocks())
		return;
	pthread_mutex_lock(&lock);
	while(*at != NULL) {
		if((*at)->arena == a)
			release_unsafe(at);
		else
			at = &(*at)->next;
	}
	pthread_mutex_unlock(&lock);
}
