/*
 * tls_gnutls - resumption of outgoing connections: which session is offered, and which is kept
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process, inside a step.  Memory: the connection's arena (shm).
 * Lock: write_lock, held by the step's caller.
 */
#include "transport/conn_resume.h"

#include <gnutls/crypto.h>

#include "base/scope.h"
#include "base/wipe.h"
#include "transport/conn_state.h"
#include "transport/conn_step.h"
#include "transport/peer.h"
#include "transport/resume_store.h"
#include "transport/stats.h"

/* Of one connection: servers send one or two tickets. */
#define KEPT_MAX 4
/* GnuTLS keeps two copies of a session that it takes back, and one while it reads it. */
#define COPIES 4
/* What is kept, so that the session with both of them is within TLSG_RESUME_SIZE_MAX and what a step reserves. */
#define TICKET_MAX (6 * 1024)
#define CHAIN_MAX (9 * 1024)

struct tlsg_conn_resume
{
	unsigned char key[TLSG_RESUME_KEY_SIZE];
	time_t until; /* of the session that was offered */
	bool offered;
	bool arrived; /* a ticket */
	bool large;	  /* what would have to be stored */
	uint8_t kept; /* sessions that were stored */
};

static int hash_part(gnutls_hash_hd_t h, const void *data, size_t size)
{
	uint32_t length = (uint32_t)size;
	int rc = gnutls_hash(h, &length, sizeof(length));

	return rc == 0 && size > 0 ? gnutls_hash(h, data, size) : rc;
}

static int hash_str(gnutls_hash_hd_t h, const str *s)
{
	return hash_part(h, s->s, s->s != NULL && s->len > 0 ? (size_t)s->len : 0);
}

/* What must be equal for a session to be resumed. The names are part of it, although the profile is the same. */
static bool key_make(struct tlsg_conn *c, const struct tlsg_addr *remote, uint16_t port, unsigned char *key)
{
	const struct tlsg_prof *p = c->ref.prof;
	uint8_t datagram = c->datagram != NULL;
	gnutls_hash_hd_t h;
	int rc;

	if(gnutls_hash_init(&h, GNUTLS_DIG_SHA256) < 0)
		return false;
	rc = hash_part(h, p->ticket_context, sizeof(p->ticket_context));
	if(rc == 0)
		rc = hash_str(h, &p->id);
	if(rc == 0)
		rc = hash_str(h, &p->s.server_id);
	if(rc == 0)
		rc = hash_part(h, &datagram, sizeof(datagram));
	if(rc == 0)
		rc = hash_part(h, remote->bytes, remote->len);
	if(rc == 0)
		rc = hash_part(h, &port, sizeof(port));
	if(rc == 0)
		rc = hash_str(h, &c->sni);
	if(rc == 0)
		rc = hash_str(h, &c->expected);
	gnutls_hash_deinit(h, key);
	return rc == 0;
}

void tlsg_conn_resume_offer(struct tlsg_conn *c, const struct tlsg_addr *remote, uint16_t port)
{
	struct tlsg_resume_session *s;
	struct tlsg_conn_resume *r;

	if(c->role != TLSG_CLIENT || !c->set->options.session_cache || remote->len == 0)
		return;
	r = tlsg_arena_keep(c->arena, sizeof(*r));
	if(r == NULL || !key_make(c, remote, port, r->key))
		return;
	c->resume = r;
	s = tlsg_resume_store_take(r->key, time(NULL));
	if(s == NULL)
		return;
	if(tlsg_arena_reserve(c->arena, TLSG_HEADROOM_INIT + COPIES * s->size) == TLSG_OK
			&& gnutls_session_set_data(c->session, s->data, s->size) >= 0) {
		r->offered = true;
		c->resume_own = (int8_t)s->own;
		r->until = s->until;
	}
	tlsg_resume_store_free(s);
}

/* Number of a certificate of this host in its profile. */
static int own_number(const struct tlsg_conn *c)
{
	const struct tlsg_peer *peer = tlsg_peer_get(c);

	return peer != NULL && peer->own != NULL ? (int)(peer->own - c->ref.prof->pairs) : -1;
}

/* When a session ends. One that was resumed does not live longer: the server proves that it has its key until then. */
static time_t end_of(const struct tlsg_conn *c)
{
	time_t until = tlsg_peer_get(c)->since + gnutls_db_get_default_cache_expiration();
	struct tlsg_arena *previous = tlsg_scope_enter(NULL); /* the certificate is parsed and freed */
	time_t leaf = gnutls_certificate_expiration_time_peers(c->session);

	tlsg_scope_leave(previous);
	if(gnutls_session_is_resumed(c->session) && c->resume->until < until)
		until = c->resume->until;
	return leaf != (time_t)-1 && leaf < until ? leaf : until;
}

/* Whether the certificates that the server has sent may be stored. */
static bool is_chain_small(const struct tlsg_conn *c)
{
	const gnutls_datum_t *sent;
	size_t bytes = 0;
	unsigned n = 0, i;

	sent = gnutls_certificate_get_peers(c->session, &n);
	for(i = 0; sent != NULL && i < n; i++)
		bytes += sent[i].size;
	return bytes > 0 && bytes <= CHAIN_MAX;
}

/* Stores what the session can be resumed with. */
static void keep(struct tlsg_conn *c)
{
	struct tlsg_conn_resume *r = c->resume;
	struct tlsg_resume_session *s;
	gnutls_datum_t data = {NULL, 0};

	if(r->kept >= KEPT_MAX || r->large || !is_chain_small(c)
			|| tlsg_arena_reserve(c->arena, TLSG_HEADROOM_RECORD) != TLSG_OK
			|| gnutls_session_get_data2(c->session, &data) < 0)
		return;
	s = tlsg_resume_store_new(data.size);
	if(s != NULL) {
		memcpy(s->data, data.data, data.size);
		memcpy(s->key, r->key, sizeof(s->key));
		s->own = own_number(c);
		s->until = end_of(c);
		tlsg_resume_store_put(s);
		r->kept++;
	}
	tlsg_wipe(data.data, data.size);
	gnutls_free(data.data);
}

void tlsg_conn_resume_arrives(struct tlsg_conn *c, size_t bytes)
{
	if(c->resume == NULL)
		return;
	c->resume->arrived = true;
	c->resume->large = bytes > TICKET_MAX;
}

void tlsg_conn_resume_update(struct tlsg_conn *c)
{
	if(c->resume == NULL || !c->resume->arrived)
		return;
	c->resume->arrived = false;
	if(c->established && gnutls_protocol_get_version(c->session) == GNUTLS_TLS1_3
			&& (gnutls_session_get_flags(c->session) & GNUTLS_SFLAGS_SESSION_TICKET))
		keep(c);
}

/*
 * Up to TLS 1.2. Without an extended master secret a session is not bound to its handshake (RFC 7627): it is resumed
 * only if the server is not verified. GnuTLS does not offer that extension then, see priority.c.
 */
static bool is_resumable(const struct tlsg_conn *c)
{
	const struct tlsg_prof *p = c->ref.prof;
	bool verifies = p->verify_mode != TLSG_VERIFY_NONE && !p->verify_no_ca;
	gnutls_datum_t id = {NULL, 0};

	return gnutls_protocol_get_version(c->session) != GNUTLS_TLS1_3 /* DTLS 1.2 has a higher number */
		   && (!verifies || gnutls_session_ext_master_secret_status(c->session) != 0)
		   && gnutls_session_get_id2(c->session, &id) >= 0 && id.size > 0;
}

void tlsg_conn_resume_done(struct tlsg_conn *c, bool resumed)
{
	if(c->resume == NULL)
		return;
	c->resume->arrived = false;
	if(c->resume->offered && !resumed)
		tlsg_stats_ticket_refused(TLSG_TICKET_BY_SERVER);
	if(is_resumable(c))
		keep(c);
}
