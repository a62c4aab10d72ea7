/*
 * tls_gnutls - carries records over a stream: drains received bytes, appends bytes to send
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process, inside a step.  Memory: buffers of the step (this process).
 * Lock: write_lock, held by the step's caller.
 */
#include "transport/carrier_stream.h"

#include <errno.h>

#include "transport/conn_bound.h"
#include "transport/conn_cancel.h"
#include "transport/conn_state.h"

#define MESSAGE_HEAD 4
#define TYPE_CHANGE_CIPHER_SPEC 20
#define TYPE_HANDSHAKE 22
#define TYPE_APPLICATION_DATA 23
#define RECORD_BYTES_MAX (16384 + 2048) /* RFC 5246 section 6.2.3; GnuTLS refuses a longer one by its header */

static size_t kept_left(const struct tlsg_conn *c)
{
	return c->kept_len - c->kept_rd;
}

size_t tlsg_carrier_stream_left(const struct tlsg_conn *c)
{
	return kept_left(c) + (c->io->in != NULL ? tlsg_buf_filled(c->io->in) : 0);
}

static unsigned char input_at(const struct tlsg_conn *c, size_t i)
{
	size_t kept = kept_left(c);

	return i < kept ? c->kept[c->kept_rd + i] : (unsigned char)c->io->in->data[c->io->in->rd + i - kept];
}

/*
 * Moves input to GnuTLS; bytes kept from an earlier step come first.
 * @param size  at most tlsg_carrier_stream_left().
 */
static void take(struct tlsg_conn *c, unsigned char *to, size_t size)
{
	size_t n = kept_left(c) < size ? kept_left(c) : size;

	if(n > 0)
		memcpy(to, c->kept + c->kept_rd, n);
	c->kept_rd += (unsigned)n;
	if(c->kept != NULL && c->kept_rd == c->kept_len) {
		tlsg_arena_free(c->kept);
		c->kept = NULL;
		c->kept_len = c->kept_rd = 0;
	}
	if(n < size)
		tlsg_buf_take(c->io->in, to + n, size - n);
}

/*
 * Bytes that GnuTLS may read now: nothing of an incomplete record, because for each piece of one it would hold 17 KB
 * until the rest arrives, whatever the size of the piece. Input that is not a record is passed on at once, to be
 * refused.
 */
static size_t available(const struct tlsg_conn *c)
{
	size_t left = tlsg_carrier_stream_left(c);
	size_t record;

	if(tlsg_conn_bound_missing(c) > 0)
		return left < tlsg_conn_bound_missing(c) ? left : tlsg_conn_bound_missing(c);
	if(left < TLSG_RECORD_HEAD)
		return 0;
	record = (size_t)(input_at(c, 3) << 8 | input_at(c, 4));
	if(input_at(c, 0) < 20 || input_at(c, 0) > 24 || input_at(c, 1) != 3 || record > RECORD_BYTES_MAX)
		return TLSG_RECORD_HEAD;
	return left >= TLSG_RECORD_HEAD + record ? TLSG_RECORD_HEAD + record : 0;
}

/*
 * Length that the first message announces, which can be read in the record of a ClientHello.
 * @return 0: cannot be read.
 */
static size_t announced(const struct tlsg_conn *c, size_t n)
{
	if(c->role != TLSG_SERVER || c->hello_seen || tlsg_conn_bound_missing(c) > 0 || c->unused > 0
			|| n < TLSG_RECORD_HEAD + MESSAGE_HEAD || input_at(c, 0) != TYPE_HANDSHAKE)
		return 0;
	return (size_t)input_at(c, 6) << 16 | (size_t)input_at(c, 7) << 8 | input_at(c, 8);
}

bool tlsg_carrier_stream_has_record(const struct tlsg_conn *c)
{
	return available(c) > 0;
}

bool tlsg_carrier_stream_has_data(const struct tlsg_conn *c)
{
	return c->renegotiating && tlsg_conn_bound_missing(c) == 0 && available(c) > 0
		   && input_at(c, 0) == TYPE_APPLICATION_DATA;
}

/* Keeps the end of the input, by which an alert is recognised that GnuTLS cannot read. */
static void tail_add(struct tlsg_conn *c, const unsigned char *bytes, size_t n)
{
	size_t kept = n < TLSG_TAIL_BYTES ? TLSG_TAIL_BYTES - n : 0;

	memmove(c->tail, c->tail + TLSG_TAIL_BYTES - kept, kept);
	memcpy(c->tail + kept, bytes + n - (TLSG_TAIL_BYTES - kept), TLSG_TAIL_BYTES - kept);
}

/*
 * In the first handshake a ChangeCipherSpec is not encrypted, and its only content is a byte of value 1 (RFC 5246
 * section 7.1, RFC 8446 section 5). GnuTLS 3.8.9 and later wait for more after another one.
 * @param n  available().
 */
static bool is_wrong_change(const struct tlsg_conn *c, size_t n)
{
	if(n == 0 || c->established || tlsg_conn_bound_missing(c) > 0 || input_at(c, 0) != TYPE_CHANGE_CIPHER_SPEC)
		return false;
	return n != TLSG_RECORD_HEAD + 1 || input_at(c, TLSG_RECORD_HEAD) != 1;
}

/* Bytes that GnuTLS may read now, within the limits of the connection. */
static size_t allowed(struct tlsg_conn *c)
{
	size_t n = c->in_handshake && tlsg_carrier_stream_has_data(c) ? 0 : available(c);

	if(is_wrong_change(c, n) && c->stop == TLSG_STOP_NONE)
		c->stop = TLSG_STOP_CHANGE;
	return n > 0 && tlsg_conn_bound_allows(c, n > announced(c, n) ? n : announced(c, n)) ? n : 0;
}

/* Passes over a record that GnuTLS must not get. @param n  allowed(). @return false: it is for GnuTLS. */
static bool skip_record(struct tlsg_conn *c, size_t n)
{
	unsigned char record[TLSG_CANCEL_RECORD_MAX];
	size_t i;

	if(n == 0 || tlsg_conn_bound_missing(c) > 0 || !tlsg_conn_cancel_fits(c, input_at(c, 0), n))
		return false;
	for(i = 0; i < n; i++)
		record[i] = input_at(c, i);
	if(!tlsg_conn_cancel_skip(c, record, n))
		return false;
	take(c, record, n);
	tlsg_conn_bound_skipped(c, record, n);
	return true;
}

static ssize_t pull_cb(gnutls_transport_ptr_t ptr, void *to, size_t size)
{
	struct tlsg_conn *c = ptr;
	size_t n;

	do
		n = allowed(c);
	while(skip_record(c, n));
	if(n > size)
		n = size;
	if(n == 0) {
		gnutls_transport_set_errno(c->session, EAGAIN);
		return -1;
	}
	take(c, to, n);
	tlsg_conn_bound_fed(c, to, n);
	if(!c->established)
		tail_add(c, to, n);
	return (ssize_t)n;
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
