/*
 * tls_gnutls - carries records over a stream: drains received bytes, appends bytes to send
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process, inside a step.  Memory: buffers of the step (this process).  Lock: write_lock, held by the step's caller.
 */
#include <errno.h>

#include "transport/conn_priv.h"

/* Bytes kept from an earlier step come first. */
static size_t take_kept(struct tlsg_conn *c, void *to, size_t size)
{
	size_t n = c->kept_len - c->kept_rd;

	if(n > size)
		n = size;
	memcpy(to, c->kept + c->kept_rd, n);
	c->kept_rd += (unsigned)n;
	if(c->kept_rd == c->kept_len) {
		tlsg_arena_free(c->kept);
		c->kept = NULL;
		c->kept_len = c->kept_rd = 0;
	}
	return n;
}

/* Remembers the end of what was taken: an alert that GnuTLS cannot read is told by it. */
static void tail_add(struct tlsg_conn *c, const unsigned char *bytes, size_t n)
{
	size_t kept = n < TLSG_TAIL_BYTES ? TLSG_TAIL_BYTES - n : 0;

	memmove(c->tail, c->tail + TLSG_TAIL_BYTES - kept, kept);
	memcpy(c->tail + kept, bytes + n - (TLSG_TAIL_BYTES - kept), TLSG_TAIL_BYTES - kept);
}

static ssize_t pull_cb(gnutls_transport_ptr_t ptr, void *to, size_t size)
{
	struct tlsg_conn *c = ptr;
	size_t n = 0;

	if(c->kept != NULL)
		n = take_kept(c, to, size);
	else if(c->io->in != NULL)
		n = tlsg_buf_take(c->io->in, to, size);
	if(n > 0 && !c->established)
		tail_add(c, to, n);
	if(n > 0)
		return (ssize_t)n;
	gnutls_transport_set_errno(c->session, EAGAIN);
	return -1;
}

static ssize_t push_cb(gnutls_transport_ptr_t ptr, const giovec_t *vec, int count)
{
	struct tlsg_conn *c = ptr;
	ssize_t done = 0;
	int i;

	for(i = 0; i < count; i++) {
		if(!tlsg_buf_put(c->io->out, vec[i].iov_base, vec[i].iov_len))
			break;
		done += (ssize_t)vec[i].iov_len;
	}
	if(done > 0 || count == 0)
		return done;
	gnutls_transport_set_errno(c->session, EAGAIN);
	return -1;
}

void tlsg_carrier_stream_init(struct tlsg_conn *c)
{
	gnutls_transport_set_ptr(c->session, c);
	gnutls_transport_set_pull_function(c->session, pull_cb);
	gnutls_transport_set_vec_push_function(c->session, push_cb);
}
