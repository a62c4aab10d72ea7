/*
 * tls_gnutls - life cycle of a connection: creating, reading, writing, closing, freeing
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: one arena (shm) per connection.  Lock: write_lock, held by the caller.
 */
#include "transport/conn.h"

#include "base/scope.h"
#include "profiles/priority.h"
#include "transport/carrier.h"
#include "transport/conn_bound.h"
#include "transport/conn_hs.h"
#include "transport/conn_message.h"
#include "transport/conn_rec.h"
#include "transport/conn_resume.h"
#include "transport/conn_state.h"
#include "transport/conn_step.h"

/* Payload of the first chunk: the connection, and what an established session of GnuTLS 3.7 and 3.8 keeps. */
#define HOME_BYTES 12544

static enum tlsg_ret copy_name(struct tlsg_conn *c, const str *name, str *to, struct tlsg_err *err)
{
	if(name->s == NULL || name->len <= 0)
		return TLSG_OK;
	to->s = tlsg_arena_keep_copy(c->arena, name->s, (size_t)name->len);
	if(to->s == NULL)
		return tlsg_err_no_shm(err, "connection", (size_t)name->len);
	to->len = name->len;
	return TLSG_OK;
}

/*
 * The name that a client expects in the certificate: the SNI that it sends, else the name that it was told, else that
 * of its profile.
 */
static enum tlsg_ret set_expected(struct tlsg_conn *c, const struct tlsg_conn_params *p, struct tlsg_err *err)
{
	if(c->sni.len > 0) {
		c->expected = c->sni;
		return TLSG_OK;
	}
	return copy_name(
			c, p->query.server_name.len > 0 ? &p->query.server_name : &c->ref.prof->s.server_name, &c->expected, err);
}

/* Within the limits: GnuTLS does not check them. */
static unsigned mtu_of(const struct tlsg_conn_params *p)
{
	if(p->mtu == 0)
		return TLSG_DATAGRAM_MTU_DEFAULT;
	if(p->mtu < TLSG_DATAGRAM_MTU_MIN)
		return TLSG_DATAGRAM_MTU_MIN;
	return p->mtu < TLSG_DATAGRAM_MTU_MAX ? p->mtu : TLSG_DATAGRAM_MTU_MAX;
}

static enum tlsg_ret set_datagram(struct tlsg_conn *c, const struct tlsg_conn_params *p, struct tlsg_err *err)
{
	c->datagram = tlsg_arena_keep(c->arena, sizeof(*c->datagram));
	if(c->datagram == NULL)
		return tlsg_err_no_shm(err, "connection", sizeof(*c->datagram));
	c->datagram->mtu = (uint16_t)mtu_of(p);
	tlsg_arena_limit(c->arena, TLSG_BLOCK_BYTES_MAX);
	c->datagram->has_start = p->start != NULL;
	if(p->start != NULL)
		c->datagram->start = *p->start;
	c->datagram->messages.first = (uint16_t)c->datagram->start.hsk_read_seq;
	return tlsg_priority_check_datagram(c->ref.prof, err);
}

static enum tlsg_ret conn_start(struct tlsg_conn *c, const struct tlsg_conn_params *p, struct tlsg_err *err)
{
	struct tlsg_arena *previous;
	enum tlsg_ret ret;

	c->role = (uint8_t)p->query.role;
	c->local = p->query.addr;
	c->local_port = p->query.port;
	c->cred_process = -1;
	c->verdict.alert = -1;
	c->resume_own = -1;
	c->created = time(NULL);
	c->idle_since = get_ticks_raw();
	if(p->deadline_s > 0) {
		c->stall_ticks = S_TO_TICKS((ticks_t)p->deadline_s);
		c->deadline = get_ticks_raw() + c->stall_ticks;
	}
	c->ref.prof = tlsg_match_find(p->set, &p->query);
	ret = p->datagram ? set_datagram(c, p, err) : TLSG_OK;
	if(ret == TLSG_OK)
		ret = copy_name(c, &p->sni, &c->sni, err);
	if(ret == TLSG_OK && p->query.role == TLSG_CLIENT)
		ret = set_expected(c, p, err);
	if(ret != TLSG_OK)
		return ret;
	ret = tlsg_arena_reserve(c->arena, TLSG_HEADROOM_INIT);
	if(ret != TLSG_OK)
		return tlsg_err_no_shm(err, "connection", TLSG_HEADROOM_INIT);
	previous = tlsg_scope_enter(c->arena);
	ret = tlsg_conn_hs_init(c, err);
	if(ret == TLSG_OK)
		tlsg_conn_resume_offer(c, &p->remote, p->remote_port);
	tlsg_scope_leave(previous);
	if(ret == TLSG_OK && tlsg_arena_is_poisoned(c->arena))
		ret = tlsg_err_no_shm(err, "connection", 0);
	tlsg_arena_trim(c->arena);
	return ret;
}

struct tlsg_conn *tlsg_conn_new(const struct tlsg_conn_params *p, struct tlsg_err *err)
{
	struct tlsg_arena *a = tlsg_arena_new(HOME_BYTES);
	struct tlsg_conn *c = a != NULL ? tlsg_arena_keep(a, sizeof(*c)) : NULL;
	struct tlsg_slot slot = p->slot;

	if(c == NULL) {
		tlsg_slots_give(&slot);
		(void)tlsg_err_no_shm(err, "connection", HOME_BYTES);
		tlsg_arena_drop(a);
		tlsg_set_put(p->set);
		return NULL;
	}
	c->arena = a;
	c->set = p->set;
	c->slot = slot;
	if(conn_start(c, p, err) != TLSG_OK) {
		tlsg_conn_free(c);
		return NULL;
	}
	tlsg_conn_step_slot(c);
	return c;
}

void tlsg_conn_free(struct tlsg_conn *c)
{
	struct tlsg_set *set;

	if(c == NULL)
		return;
	set = c->set;
	tlsg_slots_give(&c->slot);
	tlsg_queue_clear(&c->queue);
	/*
	 * Only decrements a count, as the snapshot has a reference too. Without it the count would wrap after 2^32
	 * connections.
	 */
	if(c->priority != NULL)
		gnutls_priority_deinit(c->priority);
	tlsg_arena_drop(c->arena); /* c is in it */
	tlsg_set_put(set);
}

enum tlsg_ret tlsg_conn_keep(struct tlsg_conn *c, struct tlsg_buf *in, struct tlsg_err *err)
{
	size_t left = tlsg_buf_filled(in);
	size_t old = c->kept_len - c->kept_rd;
	unsigned char *p;

	if(left == 0)
		return TLSG_OK;
	p = tlsg_arena_reserve(c->arena, old + left + TLSG_HEADROOM_INIT) == TLSG_OK
				? tlsg_arena_malloc(c->arena, old + left)
				: NULL;
	if(p == NULL || tlsg_arena_is_poisoned(c->arena)) {
		tlsg_arena_overflow_free(c->arena);
		tlsg_conn_failure_count(c, TLSG_FAIL_MEMORY);
		c->state = TLSG_CONN_FAILED;
		return tlsg_err_no_shm(err, "received bytes", old + left);
	}
	if(old > 0)
		memcpy(p, c->kept + c->kept_rd, old);
	tlsg_arena_free(c->kept);
	tlsg_buf_take(in, p + old, left);
	c->kept = p;
	c->kept_rd = 0;
	c->kept_len = (unsigned)(old + left);
	tlsg_conn_step_slot(c);
	return TLSG_OK;
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
	tlsg_conn_failure_count(c, TLSG_FAIL_TIMEOUT);
	return tlsg_err_set(err, TLSG_E_PEER, "handshake not finished within handshake_timeout");
}

/* @param in  NULL allowed. */
static void drain(struct tlsg_buf *in)
{
	if(in != NULL)
		in->rd = in->wr;
}

static enum tlsg_ret read_step(struct tlsg_conn *c, struct tlsg_io *io, struct tlsg_buf *clear, struct tlsg_err *err)
{
	struct tlsg_arena *previous;
	enum tlsg_ret ret;

	if(c->state == TLSG_CONN_CLOSING || c->peer_closed) {
		drain(io->in);
		return TLSG_EOF;
	}
	if(tlsg_conn_is_late(c) || tlsg_conn_stall_is_over(c))
		return end_late(c, err);
	ret = tlsg_conn_step_enter(
			c, io, c->state == TLSG_CONN_HANDSHAKING ? TLSG_HEADROOM_HANDSHAKE : TLSG_HEADROOM_RECORD, &previous, err);
	if(ret != TLSG_OK)
		return ret;
	ret = tlsg_conn_bound_check(c, tlsg_conn_rec_read(c, clear, err), err);
	ret = tlsg_conn_step_leave(c, previous, ret, err);
	c->partial = ret == TLSG_AGAIN;
	if(ret == TLSG_AGAIN && c->datagram == NULL && io->in != NULL && tlsg_conn_keep(c, io->in, err) != TLSG_OK)
		return TLSG_E_RESOURCE;
	tlsg_conn_stall_update(c, tlsg_conn_bound_held(c));
	return ret;
}

enum tlsg_ret tlsg_conn_read(struct tlsg_conn *c, struct tlsg_io *io, struct tlsg_buf *clear, struct tlsg_err *err)
{
	enum tlsg_ret ret = read_step(c, io, clear, err);

	if(c->datagram != NULL && ret != TLSG_OK && ret != TLSG_FULL)
		drain(io->in);
	return ret;
}

/* Starts the handshake of an outgoing connection; the clear text is queued until it is done. */
static enum tlsg_ret write_early(
		struct tlsg_conn *c, struct tlsg_io *io, const char *data, size_t size, size_t *used, struct tlsg_err *err)
{
	struct tlsg_arena *previous;
	enum tlsg_ret ret = TLSG_AGAIN;

	if(c->role == TLSG_CLIENT && !c->hello_seen) {
		ret = tlsg_conn_step_enter(c, io, TLSG_HEADROOM_HANDSHAKE, &previous, err);
		if(ret != TLSG_OK)
			return ret;
		c->hello_seen = true;
		ret = tlsg_conn_step_leave(c, previous, tlsg_conn_hs_run(c, err), err);
	}
	if(ret < 0)
		return ret;
	if(c->datagram != NULL)
		ret = tlsg_conn_message_queue(c, data, size, &io->limits->queue, err);
	else
		ret = tlsg_queue_add(&c->queue, data, (unsigned)size, &io->limits->queue, err);
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
	if(c->datagram != NULL && tlsg_conn_message_fits(c, size, err) != TLSG_OK)
		return TLSG_E_RESOURCE;
	if(c->state == TLSG_CONN_HANDSHAKING
			|| (c->state == TLSG_CONN_ESTABLISHED && (c->hold_queue || c->queue.bytes > 0)))
		return write_early(c, io, data, size, used, err);
	ret = tlsg_conn_step_enter(c, io, TLSG_HEADROOM_RECORD, &previous, err);
	if(ret != TLSG_OK)
		return ret;
	if(c->datagram == NULL)
		return tlsg_conn_step_leave(c, previous, tlsg_conn_rec_send(c, data, size, used, err), err);
	ret = tlsg_conn_message_send(c, data, size, err);
	*used = ret == TLSG_OK ? size : 0;
	return tlsg_conn_step_leave(c, previous, ret, err);
}

void tlsg_conn_close_notify(struct tlsg_conn *c, struct tlsg_io *io)
{
	struct tlsg_arena *previous;

	if(!c->established || c->close_sent || (c->state != TLSG_CONN_ESTABLISHED && c->state != TLSG_CONN_CLOSING))
		return;
	if(tlsg_conn_step_enter(c, io, TLSG_HEADROOM_RECORD, &previous, NULL) != TLSG_OK)
		return;
	if(gnutls_bye(c->session, GNUTLS_SHUT_WR) == 0)
		tlsg_stats_alert(true, GNUTLS_A_CLOSE_NOTIFY);
	c->close_sent = true;
	c->state = TLSG_CONN_CLOSING;
	(void)tlsg_conn_step_leave(c, previous, TLSG_OK, NULL);
}

bool tlsg_conn_has_pending(const struct tlsg_conn *c)
{
	if(c->state == TLSG_CONN_FAILED || c->state == TLSG_CONN_CLOSING || c->peer_closed)
		return false;
	return (c->kept != NULL && !c->partial) || gnutls_record_check_pending(c->session) > 0;
}

enum tlsg_conn_state tlsg_conn_state(const struct tlsg_conn *c)
{
	return (enum tlsg_conn_state)c->state;
}

bool tlsg_conn_is_established(const struct tlsg_conn *c)
{
	return tlsg_peer_get(c) != NULL;
}

bool tlsg_conn_is_late(const struct tlsg_conn *c)
{
	return c->deadline != 0 && !tlsg_conn_is_established(c) && TICKS_GE(get_ticks_raw(), c->deadline);
}

void tlsg_conn_drop_queued(struct tlsg_conn *c)
{
	tlsg_queue_clear(&c->queue);
}

void tlsg_conn_hold_queue(struct tlsg_conn *c, bool hold)
{
	c->hold_queue = hold;
}

void tlsg_conn_set_tcp_eof(struct tlsg_conn *c)
{
	c->tcp_eof = true;
}

bool tlsg_conn_peer_closed(const struct tlsg_conn *c)
{
	return c->peer_closed;
}

bool tlsg_conn_tcp_eof(const struct tlsg_conn *c)
{
	return c->tcp_eof;
}

static const char *state_name(const struct tlsg_conn *c)
{
	switch(c->state) {
		case TLSG_CONN_HANDSHAKING:
			if(c->renegotiating)
				return "established";
			return c->role == TLSG_SERVER ? "tls_accept" : "tls_connect";
		case TLSG_CONN_ESTABLISHED:
		case TLSG_CONN_CLOSING:
			return "established";
		default:
			return "unknown/error";
	}
}

void tlsg_conn_status_get(const struct tlsg_conn *c, struct tlsg_conn_status *s)
{
	s->state = state_name(c);
	s->ct_wq_size = c->queue.bytes;
	s->enc_rd_buf = c->kept_len - c->kept_rd;
	s->flags = (c->queue.bytes > 0 ? 1u : 0u) | (c->established ? 2u : 0u) | (c->renegotiating ? 4u : 0u);
	s->profile = c->ref.prof->id.s;
	s->server_id = c->ref.prof->s.server_id.s;
	s->sni = c->sni.s;
	s->created = c->created;
}

const char *tlsg_conn_sni(const struct tlsg_conn *c)
{
	return c->sni.s != NULL ? c->sni.s : "unknown";
}

enum tlsg_role tlsg_conn_role(const struct tlsg_conn *c)
{
	return (enum tlsg_role)c->role;
}
