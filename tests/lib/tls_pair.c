/*
 * tls_gnutls - two ends of a connection in memory, for tests of GnuTLS sessions
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: unit tests.  Memory: the caller's.  Lock: none, one process at a time.
 */
#include "tests/lib/tls_pair.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/types.h>

#include <gnutls/dtls.h>

void tlsg_test_pipe_init(struct tlsg_test_pipe *p)
{
	p->rd = 0;
	p->wr = 0;
}

static ssize_t end_push(gnutls_transport_ptr_t ptr, const void *data, size_t size)
{
	struct tlsg_test_pipe *p = ((struct tlsg_test_end *)ptr)->out;

	if(p->rd > 0) {
		memmove(p->data, p->data + p->rd, p->wr - p->rd);
		p->wr -= p->rd;
		p->rd = 0;
	}
	if(size > sizeof(p->data) - p->wr)
		size = sizeof(p->data) - p->wr;
	if(size == 0) {
		errno = EAGAIN;
		return -1;
	}
	memcpy(p->data + p->wr, data, size);
	p->wr += size;
	return (ssize_t)size;
}

static ssize_t end_pull(gnutls_transport_ptr_t ptr, void *data, size_t size)
{
	struct tlsg_test_end *end = ptr;
	struct tlsg_test_pipe *p = end->in;

	if(size > p->wr - p->rd)
		size = p->wr - p->rd;
	if(end->most > 0 && size > end->most)
		size = end->most;
	if(size == 0) {
		errno = EAGAIN;
		return -1;
	}
	memcpy(data, p->data + p->rd, size);
	p->rd += size;
	return (ssize_t)size;
}

void tlsg_test_end_attach(struct tlsg_test_end *end, gnutls_session_t session)
{
	gnutls_transport_set_ptr(session, end);
	gnutls_transport_set_push_function(session, end_push);
	gnutls_transport_set_pull_function(session, end_pull);
	gnutls_handshake_set_timeout(session, 0);
}

#define LENGTH_BYTES 2

/* GnuTLS drops a flight that cannot be sent, so the pipe must have room for one. */
static ssize_t datagram_push(gnutls_transport_ptr_t ptr, const giovec_t *vec, int count)
{
	const struct tlsg_test_pipe *p = ((struct tlsg_test_end *)ptr)->out;
	unsigned char length[LENGTH_BYTES];
	size_t size = 0;
	int i;

	for(i = 0; i < count; i++)
		size += vec[i].iov_len;
	length[0] = (unsigned char)(size >> 8);
	length[1] = (unsigned char)size;
	if(size + LENGTH_BYTES > sizeof(p->data) - (p->wr - p->rd)) {
		errno = EMSGSIZE;
		return -1;
	}
	(void)end_push(ptr, length, sizeof(length));
	for(i = 0; i < count; i++)
		(void)end_push(ptr, vec[i].iov_base, vec[i].iov_len);
	return (ssize_t)size;
}

static ssize_t datagram_pull(gnutls_transport_ptr_t ptr, void *data, size_t size)
{
	struct tlsg_test_pipe *p = ((struct tlsg_test_end *)ptr)->in;
	size_t length;

	if(p->wr == p->rd) {
		errno = EAGAIN;
		return -1;
	}
	length = (size_t)p->data[p->rd] << 8 | p->data[p->rd + 1];
	memcpy(data, p->data + p->rd + LENGTH_BYTES, length < size ? length : size);
	p->rd += LENGTH_BYTES + length;
	return (ssize_t)(length < size ? length : size);
}

static int datagram_wait(gnutls_transport_ptr_t ptr, unsigned ms)
{
	const struct tlsg_test_pipe *p = ((struct tlsg_test_end *)ptr)->in;

	(void)ms;
	return p->wr > p->rd ? 1 : 0;
}

void tlsg_test_end_attach_datagrams(struct tlsg_test_end *end, gnutls_session_t session)
{
	gnutls_transport_set_ptr(session, end);
	gnutls_transport_set_vec_push_function(session, datagram_push);
	gnutls_transport_set_pull_function(session, datagram_pull);
	gnutls_transport_set_pull_timeout_function(session, datagram_wait);
	gnutls_dtls_set_timeouts(session, 1000, INT_MAX);
}
