/*
 * tls_gnutls - clear text that waits until it can be encrypted
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any sender (fills), TCP reader (empties), the process that frees the connection.
 * Memory: blocks in shm; one shared counter of bytes.  Lock: the TCP connection's write_lock; the counter is atomic.
 */
#ifndef TLSG_TRANSPORT_QUEUE_H
#define TLSG_TRANSPORT_QUEUE_H

#include <stdint.h>

#include "base/err.h"

/** Limits of what is queued, in bytes of clear text. */
struct tlsg_queue_limits
{
	unsigned con_max_bytes; /**< by one connection */
	unsigned max_bytes;		/**< by all connections */
	unsigned block_bytes;	/**< allocation unit */
};

struct tlsg_queue_block;

/** An empty queue is all zero. */
struct tlsg_queue
{
	struct tlsg_queue_block *first; /**< [shm] owned */
	struct tlsg_queue_block *last;
	uint32_t bytes; /**< in all blocks */
};

/** Makes the shared counter. Before the forks. @return TLSG_OK, TLSG_E_RESOURCE. */
enum tlsg_ret tlsg_queue_global_init(void) TLSG_MUST_CHECK;

/** Frees the counter. Attendant, at shutdown; later calls of tlsg_queue_clear() are safe. */
void tlsg_queue_global_deinit(void);

/**
 * Appends all or nothing.
 * @return TLSG_OK; TLSG_E_RESOURCE: a limit would be exceeded (also by the first chunk), or out of shared memory.
 */
enum tlsg_ret tlsg_queue_add(struct tlsg_queue *q, const char *data, unsigned size,
		const struct tlsg_queue_limits *limits, struct tlsg_err *err) TLSG_MUST_CHECK;

/** First contiguous run of bytes. @param size [out] its length. @return NULL and size 0 when empty. */
const char *tlsg_queue_peek(const struct tlsg_queue *q, unsigned *size);

/** Removes bytes of the first run, wiping them. @param size  at most the size that tlsg_queue_peek() returned. */
void tlsg_queue_drop(struct tlsg_queue *q, unsigned size);

/** Wipes and frees everything. */
void tlsg_queue_clear(struct tlsg_queue *q);

/** @return bytes that all connections together have queued. */
uint32_t tlsg_queue_total_bytes(void);

#endif
