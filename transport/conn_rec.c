/*
 * tls_gnutls - records: clear text in and out, renegotiation, the end of what the peer sends
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process, inside a step.  Memory: the connection's arena (shm).
 * Lock: write_lock, held by the step's caller.
 */
#include "transport/conn_rec.h"

#include "transport/carrier.h"
#include "transport/conn_alert.h"
#include "transport/conn_bound.h"
#include "transport/conn_hs.h"
#include "transport/conn_message.h"
#include "transport/conn_resume.h"
#include "transport/conn_state.h"
#include "transport/conn_step.h"
#include "transport/stats.h"

/*
 * Largest payload of a record, and what a sent record needs beside it: header, IV, MAC, padding, an inserted key
 * update.
 */
#define RECORD_MAX 16384
#define RECORD_EXTRA 512

static size_t record_size(const struct tlsg_io *io, size_t size)
{
	size_t max = RECORD_MAX;

	if(io->limits->record_max_bytes > 0 && io->limits->record_max_bytes < RECORD_MAX)
		max = (size_t)io->limits->record_max_bytes;
	return size < max ? size : max;
}

enum tlsg_ret tlsg_conn_rec_send(struct tlsg_conn *c, const char *data, size_t size, size_t *used, struct tlsg_err *err)
{
	*used = 0;
	while(*used < size) {
		size_t n = record_size(c->io, size - *used);
		ssize_t rc;

		if(tlsg_buf_room(c->io->out) < n + RECORD_EXTRA)
			return TLSG_FULL;
		rc = gnutls_record_send(c->session, data + *used, n);
		if(rc <= 0) /* out has room, so GnuTLS has no reason to wait */
			return rc == GNUTLS_E_AGAIN || rc == 0
						   ? tlsg_err_set(err, TLSG_E_INTERNAL, "GnuTLS neither sent nor refused a record")
						   : tlsg_err_gnutls(err, (int)rc, NULL);
		*used += (size_t)rc;
	}
	return TLSG_OK;
}

/* Encrypts what was queued during the handshake. */
static enum tlsg_ret flush_queue(struct tlsg_conn *c, struct tlsg_err *err)
{
	enum tlsg_ret ret = TLSG_OK;

	if(c->datagram != NULL)
		return tlsg_conn_message_flush(c, err);
	while(ret == TLSG_OK && c->queue.bytes > 0) {
		unsigned size;
		const char *data = tlsg_queue_peek(&c->queue, &size);
		size_t used;

		ret = tlsg_conn_rec_send(c, data, size, &used, err);
		if(used > 0)
			tlsg_queue_drop(&c->queue, (unsigned)used);
	}
	return ret;
}

/* The peer asks for a renegotiation (TLS 1.2 and older). */
static enum tlsg_ret renegotiate(struct tlsg_conn *c, struct tlsg_err *err)
{
	if(!c->io->limits->renegotiation || c->datagram != NULL) {
		c->state = TLSG_CONN_CLOSING;
		return TLSG_EOF;
	}
	/* the step was entered to read a record */
	if(tlsg_arena_reserve(c->arena, TLSG_HEADROOM_HANDSHAKE) != TLSG_OK)
		return tlsg_err_no_shm(err, "renegotiation", TLSG_HEADROOM_HANDSHAKE);
	if(c->role == TLSG_SERVER)
		LM_DBG("SSL renegotiation initiated by client\n");
	c->state = TLSG_CONN_HANDSHAKING;
	c->renegotiating = true;
	tlsg_conn_bound_message(c);
	return tlsg_conn_step_bind(c, err);
}

/* Why a record could not be read. */
static enum tlsg_ret read_failed(struct tlsg_conn *c, int gnutls_code, struct tlsg_err *err)
{
	tlsg_conn_alert_send_for(c, gnutls_code);
	if(gnutls_code == GNUTLS_E_TOO_MANY_HANDSHAKE_PACKETS) /* GnuTLS says "Too many handshake packets" */
		return tlsg_err_set(err, TLSG_E_PEER, "more than 8 key updates within a second, the limit of GnuTLS");
	return tlsg_err_gnutls_peer(err, gnutls_code, NULL);
}

/* One call of gnutls_record_recv(). @return TLSG_OK: it made progress, call again. */
static enum tlsg_ret recv_once(struct tlsg_conn *c, struct tlsg_buf *clear, struct tlsg_err *err)
{
	size_t before = tlsg_carrier_left(c);
	ssize_t n = gnutls_record_recv(c->session, clear->data + clear->wr, tlsg_buf_room(clear));

	tlsg_conn_resume_update(c);
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
		case GNUTLS_E_TIMEDOUT: /* of datagrams: a record that it drops, long after the handshake */
			return tlsg_conn_step_again(c, before, err);
		case GNUTLS_E_REHANDSHAKE:
			return renegotiate(c, err);
		case GNUTLS_E_WARNING_ALERT_RECEIVED:
			tlsg_stats_alert(false, (unsigned)gnutls_alert_get(c->session));
			return TLSG_OK;
		case GNUTLS_E_FATAL_ALERT_RECEIVED:
			return tlsg_conn_alert_fail((int)gnutls_alert_get(c->session), err);
		default:
			return read_failed(c, (int)n, err);
	}
}

/*
 * Runs the handshake. In a renegotiation, data that the peer sent before it knew may arrive between the messages: it is
 * read here. A record of which a part is left in GnuTLS is read to its end first.
 * @return TLSG_OK: call again.
 */
static enum tlsg_ret advance_handshake(struct tlsg_conn *c, struct tlsg_buf *clear, struct tlsg_err *err)
{
	enum tlsg_ret ret;

	if(!c->data_next) {
		ret = tlsg_conn_hs_run(c, err);
		if(ret != TLSG_EOF)
			return ret;
		c->data_next = true;
	}
	if(tlsg_buf_room(clear) == 0)
		return TLSG_FULL;
	ret = recv_once(c, clear, err);
	c->data_next = ret == TLSG_OK && gnutls_record_check_pending(c->session) > 0;
	return ret;
}

/* Whether there is something to read: what GnuTLS holds, or the rest of a datagram. */
static bool has_input(const struct tlsg_conn *c)
{
	return tlsg_carrier_left(c) > 0 || gnutls_record_check_pending(c->session) > 0;
}

/* Room for what one call of GnuTLS may give: any part of a stream, a whole record of a datagram. */
static bool has_room(const struct tlsg_conn *c, const struct tlsg_buf *clear)
{
	return tlsg_buf_room(clear) >= (c->datagram != NULL ? RECORD_MAX : 1);
}

enum tlsg_ret tlsg_conn_rec_read(struct tlsg_conn *c, struct tlsg_buf *clear, struct tlsg_err *err)
{
	enum tlsg_ret ret = TLSG_OK;
	size_t empty = clear->wr;

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
		if(c->datagram != NULL && (clear->wr > empty || !has_input(c)))
			return clear->wr > empty ? TLSG_OK : TLSG_AGAIN;
		if(!has_room(c, clear))
			return TLSG_FULL;
		if(tlsg_buf_room(c->io->out) < RECORD_EXTRA) /* the reply to a key update must fit */
			return TLSG_FULL;
		ret = recv_once(c, clear, err);
	}
	return ret;
}
