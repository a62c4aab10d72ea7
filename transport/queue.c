/*
 * tls_gnutls - clear text that waits until it can be encrypted
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any sender (fills), TCP reader (empties), the process that frees the connection.
 * Memory: blocks in shm; one shared counter of bytes.  Lock: the TCP connection's write_lock; the counter is atomic.
 */
#include "transport/queue.h"

#include <gnutls/gnutls.h>

#include "base/host.h"

struct tlsg_queue_block
{
	struct tlsg_queue_block *next;
	uint32_t size; /* bytes that data has room for */
	uint32_t rd;
	uint32_t wr;
	char data[];
};

static uint32_t *total; /* [shm] bytes queued by all connections */

enum tlsg_ret tlsg_queue_global_init(void)
{
	if(total != NULL)
		return TLSG_OK;
	total = shm_malloc(sizeof(*total));
	if(total == NULL)
		return TLSG_E_RESOURCE;
	*total = 0;
	return TLSG_OK;
}

void tlsg_queue_global_deinit(void)
{
	if(total != NULL)
		shm_free(total);
	total = NULL;
}

static void total_sub(uint32_t bytes)
{
	if(total != NULL)
		__atomic_sub_fetch(total, bytes, __ATOMIC_RELAXED);
}

/* Counts bytes, unless that would exceed the limit of all connections. */
static bool total_add(uint32_t bytes, unsigned limit)
{
	if((uint64_t)__atomic_add_fetch(total, bytes, __ATOMIC_RELAXED) <= limit)
		return true;
	total_sub(bytes);
	return false;
}

static struct tlsg_queue_block *block_new(unsigned size)
{
	struct tlsg_queue_block *b = shm_malloc(sizeof(*b) + size);

	if(b == NULL)
		return NULL;
	b->next = NULL;
	b->size = size;
	b->rd = b->wr = 0;
	return b;
}

enum tlsg_ret tlsg_queue_add(struct tlsg_queue *q, const char *data, unsigned size,
		const struct tlsg_queue_limits *limits, struct tlsg_err *err)
{
	struct tlsg_queue_block *b = NULL;
	unsigned in_last = q->last != NULL ? q->last->size - q->last->wr : 0;

	if(size == 0)
		return TLSG_OK;
	if(in_last > size)
		in_last = size;
	if((uint64_t)q->bytes + size > limits->con_max_bytes)
		return tlsg_err_set(err, TLSG_E_RESOURCE,
				"ct write buffer full for this connection (%u bytes queued, %u more, con_ct_wq_max %u)", q->bytes, size,
				limits->con_max_bytes);
	if(!total_add(size, limits->max_bytes))
		return tlsg_err_set(err, TLSG_E_RESOURCE,
				"ct write buffer full (%u bytes queued by all connections, ct_wq_max %u)", tlsg_queue_total_bytes(),
				limits->max_bytes);
	if(size > in_last) {
		unsigned rest = size - in_last;

		b = block_new(rest > limits->block_bytes ? rest : limits->block_bytes);
		if(b == NULL) {
			total_sub(size);
			return tlsg_err_no_shm(err, "ct write buffer", size);
		}
	}
	if(in_last > 0) {
		memcpy(q->last->data + q->last->wr, data, in_last);
		q->last->wr += in_last;
	}
	if(b != NULL) {
		memcpy(b->data, data + in_last, size - in_last);
		b->wr = size - in_last;
		if(q->last != NULL)
			q->last->next = b;
		else
			q->first = b;
		q->last = b;
	}
	q->bytes += size;
	return TLSG_OK;
}

const char *tlsg_queue_peek(const struct tlsg_queue *q, unsigned *size)
{
	*size = 0;
	if(q->first == NULL)
		return NULL;
	*size = q->first->wr - q->first->rd;
	return q->first->data + q->first->rd;
}

static void first_free(struct tlsg_queue *q)
{
	struct tlsg_queue_block *b = q->first;

	q->first = b->next;
	if(q->first == NULL)
		q->last = NULL;
	gnutls_memset(b->data, 0, b->wr);
	shm_free(b);
}

void tlsg_queue_drop(struct tlsg_queue *q, unsigned size)
{
	q->first->rd += size;
	q->bytes -= size;
	total_sub(size);
	if(q->first->rd == q->first->wr)
		first_free(q);
}

void tlsg_queue_clear(struct tlsg_queue *q)
{
	total_sub(q->bytes);
	while(q->first != NULL)
		first_free(q);
	q->bytes = 0;
}

uint32_t tlsg_queue_total_bytes(void)
{
	return total != NULL ? __atomic_load_n(total, __ATOMIC_RELAXED) : 0;
}
