/*
 * tls_gnutls - two ends of a connection in memory, for tests of GnuTLS sessions
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: unit tests.  Memory: the caller's.  Lock: none, one process at a time.
 */
#include "tests/lib/tls_pair.h"

#include <errno.h>
#include <string.h>
#include <sys/types.h>

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
