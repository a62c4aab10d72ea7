/*
 * tls_gnutls - builds and publishes the peer record
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the process that ends the handshake.  Memory: the connection's arena (shm).  Lock: write_lock.
 */
#include "transport/peer.h"

#include "profiles/cipher/kx_group.h"
#include "transport/conn_state.h"

const struct tlsg_peer *tlsg_peer_get(const struct tlsg_conn *c)
{
	return c != NULL ? __atomic_load_n(&c->peer, __ATOMIC_ACQUIRE) : NULL;
}

struct tlsg_der *tlsg_peer_chain_copy(struct tlsg_arena *a, const struct tlsg_der *list, unsigned n)
{
	struct tlsg_der *out = tlsg_arena_keep(a, sizeof(*out) * n);
	unsigned i;

	for(i = 0; out != NULL && i < n; i++) {
		out[i].data = tlsg_arena_keep_copy(a, list[i].data, list[i].size);
		out[i].size = list[i].size;
		if(out[i].data == NULL)
			return NULL;
	}
	return out;
}

/* The peer's own certificate: the one in the chain that verification built, or a copy. */
static struct tlsg_der *keep_leaf(struct tlsg_conn *c, const gnutls_datum_t *leaf)
{
	struct tlsg_der *built = c->verdict.built;
	struct tlsg_der der = {leaf->data, leaf->size};

	if(c->verdict.built_len > 0 && built[0].size == leaf->size && memcmp(built[0].data, leaf->data, leaf->size) == 0)
		return built;
	return tlsg_peer_chain_copy(c->arena, &der, 1);
}

static const struct tlsg_suite *find_suite(gnutls_session_t s, gnutls_protocol_t version)
{
	size_t count;
	const struct tlsg_suite *row = tlsg_suite_table(&count);
	gnutls_cipher_algorithm_t cipher = gnutls_cipher_get(s);
	gnutls_mac_algorithm_t mac = gnutls_mac_get(s);
	gnutls_kx_algorithm_t kx = gnutls_kx_get(s);
	size_t i;

	for(i = 0; i < count; i++, row++) {
		if(tlsg_suite_gnutls_cipher(row) != cipher || (row->min_version == TLSG_TLS1_3) != (version == GNUTLS_TLS1_3))
			continue;
		if(version == GNUTLS_TLS1_3 || (tlsg_suite_gnutls_kx(row) == kx && tlsg_suite_gnutls_mac(row) == mac))
			return row;
	}
	return NULL;
}

const struct tlsg_suite *tlsg_peer_suite(const struct tlsg_conn *c)
{
	return find_suite(c->session, gnutls_protocol_get_version(c->session));
}

/*
 * The pair whose leaf was sent. A resumed session sends none: then it is the profile's first, as with OpenSSL; for a
 * client the one that began the session.
 */
static const struct tlsg_pair *find_own(const struct tlsg_conn *c)
{
	const gnutls_datum_t *ours = gnutls_certificate_get_ours(c->session);
	const struct tlsg_prof *p = c->ref.prof;
	unsigned i;

	for(i = 0; ours != NULL && i < p->pairs_len; i++)
		if(p->pairs[i].chain[0].cert.data == ours->data)
			return &p->pairs[i];
	if(c->role == TLSG_CLIENT && gnutls_session_is_resumed(c->session) && c->resume_own >= 0
			&& (unsigned)c->resume_own < p->pairs_len)
		return &p->pairs[c->resume_own];
	return c->role == TLSG_SERVER && p->pairs_len > 0 ? &p->pairs[0] : NULL;
}

/* A ClientHello may have groups in common although RSA keys are exchanged without one. */
static const char *group_name(gnutls_session_t s)
{
	gnutls_kx_algorithm_t kx = gnutls_kx_get(s);

	if(gnutls_protocol_get_version(s) != GNUTLS_TLS1_3 && kx == GNUTLS_KX_RSA)
		return NULL;
	return tlsg_kx_group_name(gnutls_group_get(s));
}

enum tlsg_ret tlsg_peer_publish(struct tlsg_conn *c, struct tlsg_err *err)
{
	struct tlsg_peer *r = tlsg_arena_keep(c->arena, sizeof(*r));
	const gnutls_datum_t *sent;
	unsigned n = 0;

	if(r == NULL)
		return tlsg_err_no_shm(err, "peer record", sizeof(*r));
	r->prof = c->ref.prof;
	r->version = (int)gnutls_protocol_get_version(c->session);
	r->suite = tlsg_peer_suite(c);
	r->group = group_name(c->session);
	r->own = find_own(c);
	r->resumed = gnutls_session_is_resumed(c->session) != 0;
	r->is_client = c->role == TLSG_CLIENT;
	r->sni = c->sni;
	r->since = time(NULL);
	sent = gnutls_certificate_get_peers(c->session, &n);
	if(sent != NULL && n > 0) {
		r->chain = keep_leaf(c, &sent[0]);
		if(r->chain == NULL)
			return tlsg_err_no_shm(err, "certificate of the peer", sent[0].size);
		r->chain_len = n;
		r->verify = c->verdict.code;
	}
	r->built = c->verdict.built;
	r->built_len = c->verdict.built_len;
	__atomic_store_n(&c->peer, r, __ATOMIC_RELEASE);
	return TLSG_OK;
}
