/*
 * tls_gnutls - life cycle of a connection, entering and leaving its session
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: one arena (shm) per connection.  Lock: write_lock, held by the caller.
 */
#include "transport/conn.h"

#include "base/scope.h"
#include "transport/conn_priv.h"
#include "transport/stats.h"

/* Payload of the first chunk: the connection, and what an established session of GnuTLS 3.7 and 3.8 keeps. */
#define HOME_BYTES 13312

static enum tlsg_ret copy_name(struct tlsg_conn *c, const str *name, str *to, struct tlsg_err *err)
{
	if(name->s == NULL || name->len <= 0)
		return TLSG_OK;
	to->s = tlsg_arena_keep_copy(c->arena, name->s, (size_t)name->len);
	if(to->s == NULL)
		return tlsg_err_set(err, TLSG_E_RESOURCE, "shared memory exhausted");
	to->len = name->len;
	return TLSG_OK;
}

/* Whom a client expects: whom it asks for, else whom its profile names. */
static enum tlsg_ret set_expected(struct tlsg_conn *c, const struct tlsg_conn_params *p, struct tlsg_err *err)
{
	if(c->sni.len > 0) {
		c->expected = c->sni;
		return TLSG_OK;
	}
	return copy_name(
			c, p->query.server_name.len > 0 ? &p->query.server_name : &c->ref.prof->s.server_name, &c->expected, err);
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
	c->created = time(NULL);
	c->idle_since = get_ticks_raw();
	if(p->deadline_s > 0) {
		c->stall_ticks = S_TO_TICKS((ticks_t)p->deadline_s);
		c->deadline = get_ticks_raw() + c->stall_ticks;
	}
	c->ref.prof = tlsg_match_find(p->set, &p->query);
	ret = copy_name(c, &p->sni, &c->sni, err);
	if(ret == TLSG_OK && p->query.role == TLSG_CLIENT)
		ret = set_expected(c, p, err);
	if(ret != TLSG_OK)
		return ret;
	ret = tlsg_arena_reserve(c->arena, TLSG_HEADROOM_INIT);
	if(ret != TLSG_OK)
		return tlsg_err_set(err, ret, "shared memory exhausted");
	previous = tlsg_scope_enter(c->arena);
	ret = tlsg_conn_session_init(c, err);
	tlsg_scope_leave(previous);
	if(ret == TLSG_OK && tlsg_arena_is_poisoned(c->arena))
		ret = tlsg_err_set(err, TLSG_E_RESOURCE, "shared memory exhausted");
	tlsg_arena_trim(c->arena);
	return ret;
}

/* What the connection holds while its handshake is unfinished; nothing is counted any more when it is done. */
static void slot_note(struct tlsg_conn *c)
{
	if(!c->slot.taken)
		return;
	if(c->established)
		tlsg_slots_give(&c->slot);
	else
		tlsg_slots_note(&c->slot, tlsg_arena_held(c->arena));
}

struct tlsg_conn *tlsg_conn_new(const struct tlsg_conn_params *p, struct tlsg_err *err)
{
	struct tlsg_arena *a = tlsg_arena_new(HOME_BYTES);
	struct tlsg_conn *c = a != NULL ? tlsg_arena_keep(a, sizeof(*c)) : NULL;
	struct tlsg_slot slot = p->slot;

	if(c == NULL) {
		tlsg_slots_give(&slot);
		tlsg_err_set(err, TLSG_E_RESOURCE, "shared memory exhausted");
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
	slot_note(c);
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
	/* Only counts down: the snapshot has a reference of its own. Without it the count would wrap after 2^32 connections. */
	if(c->priority != NULL)
		gnutls_priority_deinit(c->priority);
	tlsg_arena_drop(c->arena); /* c lies in it */
	tlsg_set_put(set);
}

enum tlsg_ret tlsg_conn_bind(struct tlsg_conn *c, struct tlsg_err *err)
{
	gnutls_certificate_credentials_t cred = tlsg_creds_get(c->ref.prof);
	int rc;

	if(cred == NULL)
		return tlsg_err_set(
				err, TLSG_E_RESOURCE, "no memory for the credentials of %.*s", c->ref.prof->id.len, c->ref.prof->id.s);
	rc = gnutls_credentials_set(c->session, GNUTLS_CRD_CERTIFICATE, cred);
	if(rc < 0)
		return tlsg_err_gnutls(err, rc, "binding credentials");
	c->cred_process = tlsg_host_process();
	return TLSG_OK;
}

enum tlsg_ret tlsg_conn_enter(
		struct tlsg_conn *c, struct tlsg_io *io, size_t headroom, struct tlsg_arena **previous, struct tlsg_err *err)
{
	enum tlsg_ret ret;

	if(c->entered || c->state == TLSG_CONN_FAILED)
		return tlsg_err_set(err, TLSG_E_INTERNAL, c->entered ? "session entered twice" : "session has failed before");
	ret = tlsg_arena_reserve(c->arena, headroom);
	if(ret != TLSG_OK) {
		tlsg_conn_count_failure(c, TLSG_FAIL_MEMORY);
		return tlsg_err_set(err, ret, "not enough shared memory for a TLS step");
	}
	c->entered = true;
	c->io = io;
	*previous = tlsg_scope_enter(c->arena);
	if(c->state != TLSG_CONN_HANDSHAKING || c->cred_process == tlsg_host_process())
		return TLSG_OK;
	ret = tlsg_conn_bind(c, err);
	return ret == TLSG_OK ? TLSG_OK : tlsg_conn_leave(c, *previous, ret, err);
}

enum tlsg_ret tlsg_conn_leave(struct tlsg_conn *c, struct tlsg_arena *previous, enum tlsg_ret ret, struct tlsg_err *err)
{
	tlsg_scope_leave(previous);
	c->io = NULL;
	c->entered = false;
	if(tlsg_arena_is_poisoned(c->arena)) {
		tlsg_arena_overflow_free(c->arena);
		tlsg_conn_count_failure(c, TLSG_FAIL_MEMORY);
		ret = tlsg_err_set(err, TLSG_E_RESOURCE, "shared memory ran out inside a TLS step");
	}
	if(ret < 0)
		c->state = TLSG_CONN_FAILED;
	tlsg_arena_trim(c->arena);
	slot_note(c);
	return ret;
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
		tlsg_conn_count_failure(c, TLSG_FAIL_MEMORY);
		c->state = TLSG_CONN_FAILED;
		return tlsg_err_set(err, TLSG_E_RESOURCE, "not enough shared memory to keep received bytes");
	}
	if(old > 0)
		memcpy(p, c->kept + c->kept_rd, old);
	tlsg_arena_free(c->kept);
	tlsg_buf_take(in, p + old, left);
	c->kept = p;
	c->kept_rd = 0;
	c->kept_len = (unsigned)(old + left);
	slot_note(c);
	return TLSG_OK;
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
	return __atomic_load_n(&c->peer, __ATOMIC_ACQUIRE) != NULL;
}

bool tlsg_conn_is_late(const struct tlsg_conn *c)
{
	return c->deadline != 0 && !tlsg_conn_is_established(c) && TICKS_GE(get_ticks_raw(), c->deadline);
}

bool tlsg_conn_has_queued(const struct tlsg_conn *c)
{
	return c->queue.bytes > 0;
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

void tlsg_conn_count_failure(struct tlsg_conn *c, enum tlsg_stats_failure why)
{
	if(!tlsg_conn_is_established(c) && __atomic_exchange_n(&c->failed, 1, __ATOMIC_RELAXED) == 0)
		tlsg_stats_handshake_failed(why);
}

enum tlsg_role tlsg_conn_role(const struct tlsg_conn *c)
{
	return (enum tlsg_role)c->role;
}
