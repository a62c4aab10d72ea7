/*
 * tls_gnutls - records: clear text in and out, the end of a session
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: TCP reader (read), any sender (write), tcp_main (close).  Memory: the connection's arena (shm).
 * Lock: write_lock, held by the caller.
 */
#include "transport/conn_priv.h"
#include "transport/stats.h"

/* Largest payload of a record, and room that one sent record needs beside its payload (header, IV, MAC, padding, an
 * inserted key update). */
#define RECORD_MAX 16384
#define RECORD_EXTRA 512

static size_t record_size(const struct tlsg_io *io, size_t size)
{
	size_t max = RECORD_MAX;

	if(io->limits->record_max_bytes > 0 && io->limits->record_max_bytes < RECORD_MAX)
		max = (size_t)io->limits->record_max_bytes;
	return size < max ? size : max;
}

/* Encrypts as much as out has room for. */
static enum tlsg_ret send_some(struct tlsg_conn *c, const char *data, size_t size, size_t *used, struct tlsg_err *err)
{
	*used = 0;
	while(*used < size) {
		size_t n = record_size(c->io, size - *used);
		ssize_t rc;

		if(tlsg_buf_room(c->io->out) < n + RECORD_EXTRA)
			return TLSG_FULL;
		rc = gnutls_record_send(c->session, data + *used, n);
		if(rc <= 0) /* out has room: there is no reason to wait */
			return rc == GNUTLS_E_AGAIN || rc == 0
						   ? tlsg_err_set(err, TLSG_E_INTERNAL, "a record was neither sent nor refused")
						   : tlsg_err_gnutls(err, (int)rc, NULL);
		*used += (size_t)rc;
	}
	return TLSG_OK;
}

/* Encrypts what was queued during the handshake. */
static enum tlsg_ret flush_queue(struct tlsg_conn *c, struct tlsg_err *err)
{
	enum tlsg_ret ret = TLSG_OK;

	while(ret == TLSG_OK && c->queue.bytes > 0) {
		unsigned size;
		const char *data = tlsg_queue_peek(&c->queue, &size);
		size_t used;

		ret = send_some(c, data, size, &used, err);
		if(used > 0)
			tlsg_queue_drop(&c->queue, (unsigned)used);
	}
	return ret;
}

enum tlsg_ret tlsg_conn_again(struct tlsg_conn *c, size_t before, struct tlsg_err *err)
{
	bool stuck = c->stuck;

	c->stuck = false;
	if(c->stop != TLSG_STOP_NONE || !tlsg_carrier_has_record(c))
		return TLSG_AGAIN;
	if(tlsg_carrier_input_left(c) < before)
		return TLSG_OK;
	if(stuck)
		return tlsg_err_set(err, TLSG_E_INTERNAL, "the session makes no progress");
	c->stuck = true; /* it may have worked on what it had */
	return TLSG_OK;
}

enum tlsg_ret tlsg_conn_idle_record(struct tlsg_conn *c, struct tlsg_err *err)
{
	if(c->idle >= TLSG_IDLE_RECORDS_MAX)
		return tlsg_conn_bound_idle(c, err);
	c->idle++;
	return TLSG_OK;
}

/* The peer asks for a renegotiation (TLS 1.2 and older). */
static enum tlsg_ret renegotiate(struct tlsg_conn *c, struct tlsg_err *err)
{
	if(!c->io->limits->renegotiation) {
		c->state = TLSG_CONN_CLOSING;
		return TLSG_EOF;
	}
	/* the step was entered to read a record */
	if(tlsg_arena_reserve(c->arena, TLSG_HEADROOM_HANDSHAKE) != TLSG_OK)
		return tlsg_err_set(err, TLSG_E_RESOURCE, "not enough shared memory for a renegotiation");
	c->state = TLSG_CONN_HANDSHAKING;
	c->renegotiating = true;
	tlsg_conn_bound_message(c);
	return tlsg_conn_bind(c, err);
}

/* One call of gnutls_record_recv(). @return TLSG_OK: something happened, go on. */
static enum tlsg_ret recv_once(struct tlsg_conn *c, struct tlsg_buf *clear, struct tlsg_err *err)
{
	size_t before = tlsg_carrier_input_left(c);
	ssize_t n = gnutls_record_recv(c->session, clear->data + clear->wr, tlsg_buf_room(clear));

	if(n > 0) {
		tlsg_conn_bound_data(c);
		clear->wr += (size_t)n;
		return TLSG_OK;
	}
	switch(n) {
		case 0: /* close_notify closes one direction only */
			c->peer_closed = true;
			return TLSG_EOF;
		case GNUTLS_E_AGAIN: /* also after tickets and key updates: there may be more */
		case GNUTLS_E_INTERRUPTED:
			return tlsg_conn_again(c, before, err);
		case GNUTLS_E_REHANDSHAKE:
			return renegotiate(c, err);
		case GNUTLS_E_WARNING_ALERT_RECEIVED:
			tlsg_stats_alert(false, (unsigned)gnutls_alert_get(c->session));
			return TLSG_OK;
		case GNUTLS_E_FATAL_ALERT_RECEIVED:
			return tlsg_conn_alerted((int)gnutls_alert_get(c->session), err);
		default:
			tlsg_conn_alert_for(c, (int)n);
			return tlsg_err_gnutls(err, (int)n, NULL);
	}
}

/* Runs the handshake; during a renegotiation application data may come in between. @return TLSG_OK: go on. */
static enum tlsg_ret advance_handshake(struct tlsg_conn *c, struct tlsg_buf *clear, struct tlsg_err *err)
{
	enum tlsg_ret ret = tlsg_conn_handshake(c, err);

	if(ret != TLSG_EOF)
		return ret;
	return recv_once(c, clear, err);
}

static enum tlsg_ret read_steps(struct tlsg_conn *c, struct tlsg_buf *clear, struct tlsg_err *err)
{
	enum tlsg_ret ret = TLSG_OK;

	while(ret == TLSG_OK) {
		if(c->state == TLSG_CONN_HANDSHAKING) {
			ret = advance_handshake(c, clear, err);
			continue;
		}
		if(c->queue.bytes > 0 && !c->hold_queue) {
			ret = flush_queue(c, err);
			if(ret != TLSG_OK)
				break;
		}
		if(tlsg_buf_room(clear) == 0)
			return TLSG_FULL;
		if(tlsg_buf_room(c->io->out) < RECORD_EXTRA) /* an answer to a key update must fit */
			return TLSG_FULL;
		ret = recv_once(c, clear, err);
	}
	return ret;
}

/* The time for the handshake, or for what began after it, is over. */
static enum tlsg_ret end_late(struct tlsg_conn *c, struct tlsg_err *err)
{
	c->state = TLSG_CONN_FAILED;
	if(c->established) {
		tlsg_stats_limit(TLSG_LIMIT_STALLED);
		return tlsg_err_set(
				err, TLSG_E_PEER, "a record or message that began was not complete within handshake_timeout");
	}
	tlsg_conn_count_failure(c, TLSG_FAIL_TIMEOUT);
	return tlsg_err_set(err, TLSG_E_PEER, "handshake not finished within handshake_timeout");
}

enum tlsg_ret tlsg_conn_read(struct tlsg_conn *c, struct tlsg_io *io, struct tlsg_buf *clear, struct tlsg_err *err)
{
	struct tlsg_arena *previous;
	enum tlsg_ret ret;

	if(c->state == TLSG_CONN_CLOSING || c->peer_closed) {
		if(io->in != NULL)
			io->in->rd = io->in->wr;
		return TLSG_EOF;
	}
	if(tlsg_conn_is_late(c) || tlsg_conn_is_stalled(c))
		return end_late(c, err);
	ret = tlsg_conn_enter(
			c, io, c->state == TLSG_CONN_HANDSHAKING ? TLSG_HEADROOM_HANDSHAKE : TLSG_HEADROOM_RECORD, &previous, err);
	if(ret != TLSG_OK)
		return ret;
	ret = tlsg_conn_bound_check(c, read_steps(c, clear, err), err);
	ret = tlsg_conn_leave(c, previous, ret, err);
	c->partial = ret == TLSG_AGAIN;
	if(ret == TLSG_AGAIN && io->in != NULL && tlsg_conn_keep(c, io->in, err) != TLSG_OK)
		return TLSG_E_RESOURCE;
	tlsg_conn_bound_stall(c);
	return ret;
}

/* Starts the handshake of an outgoing connection; what the peer must answer first is queued. */
static enum tlsg_ret write_early(
		struct tlsg_conn *c, struct tlsg_io *io, const char *data, size_t size, size_t *used, struct tlsg_err *err)
{
	struct tlsg_arena *previous;
	enum tlsg_ret ret = TLSG_AGAIN;

	if(c->role == TLSG_CLIENT && !c->hello_seen) {
		ret = tlsg_conn_enter(c, io, TLSG_HEADROOM_HANDSHAKE, &previous, err);
		if(ret != TLSG_OK)
			return ret;
		c->hello_seen = true;
		ret = tlsg_conn_leave(c, previous, tlsg_conn_handshake(c, err), err);
	}
	if(ret < 0)
		return ret;
	ret = tlsg_queue_add(&c->queue, data, (unsigned)size, io->limits, err);
	if(ret != TLSG_OK)
		return ret;
	*used = size;
	return TLSG_AGAIN;
}

enum tlsg_ret tlsg_conn_write(
		struct tlsg_conn *c, struct tlsg_io *io, const char *data, size_t size, size_t *used, struct tlsg_err *err)
{
	struct tlsg_arena *previous;
	enum tlsg_ret ret;

	*used = 0;
	if(c->state == TLSG_CONN_CLOSING)
		return TLSG_EOF;
	if(c->state == TLSG_CONN_HANDSHAKING && tlsg_conn_is_late(c))
		return end_late(c, err);
	if(c->state == TLSG_CONN_HANDSHAKING || (c->state == TLSG_CONN_ESTABLISHED && c->queue.bytes > 0))
		return write_early(c, io, data, size, used, err);
	ret = tlsg_conn_enter(c, io, TLSG_HEADROOM_RECORD, &previous, err);
	if(ret != TLSG_OK)
		return ret;
	return tlsg_conn_leave(c, previous, send_some(c, data, size, used, err), err);
}

void tlsg_conn_close_notify(struct tlsg_conn *c, struct tlsg_io *io)
{
	struct tlsg_arena *previous;

	if(!c->established || c->close_sent || (c->state != TLSG_CONN_ESTABLISHED && c->state != TLSG_CONN_CLOSING))
		return;
	if(tlsg_conn_enter(c, io, TLSG_HEADROOM_RECORD, &previous, NULL) != TLSG_OK)
		return;
	if(gnutls_bye(c->session, GNUTLS_SHUT_WR) == 0)
		tlsg_stats_alert(true, GNUTLS_A_CLOSE_NOTIFY);
	c->close_sent = true;
	c->state = TLSG_CONN_CLOSING;
	(void)tlsg_conn_leave(c, previous, TLSG_OK, NULL);
}
