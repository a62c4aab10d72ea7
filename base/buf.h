/*
 * tls_gnutls - a byte buffer with a read and a write cursor over memory of the caller
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: the caller's.  Lock: the owner's.
 */
#ifndef TLSG_BASE_BUF_H
#define TLSG_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/** Bytes [rd, wr) of data are filled, [wr, size) are free. Invariant: rd <= wr <= size. */
struct tlsg_buf
{
	unsigned char *data; /**< borrowed */
	size_t size;
	size_t rd;
	size_t wr;
};

/** Makes an empty buffer of the caller's memory. @param data  borrowed; NULL only when size is 0. */
static inline void tlsg_buf_init(struct tlsg_buf *b, void *data, size_t size)
{
	b->data = data;
	b->size = size;
	b->rd = 0;
	b->wr = 0;
}

/** Makes a full buffer of the caller's bytes, to read from. @param data  borrowed, not written to. */
static inline void tlsg_buf_init_filled(struct tlsg_buf *b, const void *data, size_t size)
{
	b->data = (unsigned char *)data;
	b->size = size;
	b->rd = 0;
	b->wr = size;
}

/** @return bytes that can be read. */
static inline size_t tlsg_buf_filled(const struct tlsg_buf *b)
{
	return b->wr - b->rd;
}

/** @return bytes that can be written. */
static inline size_t tlsg_buf_room(const struct tlsg_buf *b)
{
	return b->size - b->wr;
}

/** Copies at most size bytes out and consumes them. @return bytes copied, 0 when empty. */
static inline size_t tlsg_buf_take(struct tlsg_buf *b, void *to, size_t size)
{
	size_t n = tlsg_buf_filled(b);

	if(n > size)
		n = size;
	if(n > 0)
		memcpy(to, b->data + b->rd, n);
	b->rd += n;
	return n;
}

/** Appends all bytes or none. @return false: not enough room, nothing appended. */
static inline bool tlsg_buf_put(struct tlsg_buf *b, const void *from, size_t size)
{
	if(size > tlsg_buf_room(b))
		return false;
	if(size > 0)
		memcpy(b->data + b->wr, from, size);
	b->wr += size;
	return true;
}

#endif
