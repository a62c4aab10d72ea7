/*
 * tls_gnutls - builds the peer record and the verdict about the peer's certificate
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the process that ends the handshake.  Memory: the connection's arena (shm).  Lock: write_lock.
 */
#include "transport/peer.h"

#include "base/scope.h"
#include "profiles/priority.h"
#include "transport/conn_priv.h"
#include "transport/stats.h"

const struct tlsg_peer *tlsg_peer_get(const struct tlsg_conn *c)
{
	return c != NULL ? __atomic_load_n(&c->peer, __ATOMIC_ACQUIRE) : NULL;
}

/* Copies certificates into the keep zone. */
static struct tlsg_der *keep_chain(struct tlsg_arena *a, const gnutls_datum_t *list, unsigned n)
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

/* The peer's own certificate: that of the chain that verification built, when there is one. */
static struct tlsg_der *keep_leaf(struct tlsg_conn *c, const gnutls_datum_t *leaf)
{
	struct tlsg_der *built = c->verdict.built;

	if(c->verdict.built_len > 0 && built[0].size == leaf->size && memcmp(built[0].data, leaf->data, leaf->size) == 0)
		return built;
	return keep_chain(c->arena, leaf, 1);
}

/* Takes over the chain that verification built. @return false when shared memory is exhausted. */
static bool keep_verdict(struct tlsg_conn *c, const struct tlsg_verify_result *r)
{
	gnutls_datum_t list[TLSG_CHAIN_MAX];
	unsigned i;

	c->verdict.code = r->code;
	c->verdict.alert = r->alert;
	if(r->built_len == 0)
		return true;
	for(i = 0; i < r->built_len; i++) {
		list[i].data = r->built[i].data;
		list[i].size = r->built[i].size;
	}
	c->verdict.built = keep_chain(c->arena, list, r->built_len);
	c->verdict.built_len = c->verdict.built != NULL ? r->built_len : 0;
	return c->verdict.built != NULL;
}

/* A certificate that ends the handshake whether verification is enforced or not. */
static int refuse(struct tlsg_conn *c)
{
	c->verdict.code = TLSG_V_REJECTED;
	c->verdict.alert = GNUTLS_A_BAD_CERTIFICATE;
	tlsg_stats_verify_failed(c->verdict.code);
	return GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR;
}

/* The leaf's key is used by GnuTLS right after the verification, whatever that has found. */
static bool is_leaf_usable(const gnutls_datum_t *leaf)
{
	struct tlsg_arena *previous = tlsg_scope_enter(NULL);
	struct tlsg_der der = {leaf->data, leaf->size};
	bool good = tlsg_verify_key_is_usable(&der);

	tlsg_scope_leave(previous);
	return good;
}

int tlsg_conn_check_leaf(struct tlsg_conn *c)
{
	unsigned n = 0;
	const gnutls_datum_t *sent = gnutls_certificate_get_peers(c->session, &n);

	return sent == NULL || n == 0 || is_leaf_usable(&sent[0]) ? 0 : refuse(c);
}

static bool is_enforced(const struct tlsg_prof *p)
{
	return p->verify_mode != TLSG_VERIFY_NONE && !p->verify_no_ca;
}

int tlsg_conn_verify(struct tlsg_conn *c)
{
	const struct tlsg_prof *p = c->ref.prof;
	struct tlsg_der chain[TLSG_CHAIN_MAX];
	struct tlsg_verify_result result = {0};
	struct tlsg_verify_input in = {0};
	struct tlsg_arena *previous;
	const gnutls_datum_t *sent;
	unsigned n = 0;
	unsigned i;
	bool kept;
	enum tlsg_ret ret;

	sent = gnutls_certificate_get_peers(c->session, &n);
	if(sent == NULL || n == 0) /* whether one must come is for GnuTLS: gnutls_certificate_server_set_request() */
		return 0;
	if(n > TLSG_CHAIN_MAX) {
		if(!is_leaf_usable(&sent[0]))
			return refuse(c);
		c->verdict.code = TLSG_V_CHAIN_TOO_LONG;
		c->verdict.alert = GNUTLS_A_UNKNOWN_CA;
		tlsg_stats_verify_failed(c->verdict.code);
		return is_enforced(p) ? GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR : 0;
	}
	for(i = 0; i < n; i++) {
		chain[i].data = sent[i].data;
		chain[i].size = sent[i].size;
	}
	previous = tlsg_scope_enter(NULL);
	in.chain = chain;
	in.chain_len = n;
	in.list = tlsg_creds_trust(p);
	in.trust = p->trust;
	in.check_crl = p->trust != NULL && p->trust->has_crl;
	in.depth = p->s.verify_depth;
	in.role = (enum tlsg_role)c->role;
	in.keep_going = p->verify_no_ca;
	in.profile = tlsg_cipher_list_profile(&p->priority->list);
	in.verify_name = c->role == TLSG_CLIENT ? p->s.verify_name : 0;
	in.name = c->expected;
	in.now = time(NULL);
	ret = tlsg_verify_chain(&in, &result);
	tlsg_scope_leave(previous);
	if(ret != TLSG_OK && result.code == TLSG_V_OK)
		result.code = TLSG_V_APPLICATION;
	kept = keep_verdict(c, &result);
	previous = tlsg_scope_enter(NULL);
	tlsg_verify_result_free(&result);
	tlsg_scope_leave(previous);
	if(result.refuse)
		return refuse(c);
	if(!kept)
		return GNUTLS_E_MEMORY_ERROR;
	tlsg_stats_verify_failed(c->verdict.code);
	if(c->verdict.code != TLSG_V_OK && is_enforced(p))
		return GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR;
	return 0;
}

/* The row of the table for what was negotiated; NULL for a suite that the table does not have. */
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

const struct tlsg_suite *tlsg_conn_suite(const struct tlsg_conn *c)
{
	return find_suite(c->session, gnutls_protocol_get_version(c->session));
}

/* The pair whose leaf was sent. A resumed session sends none: then the profile's first, as OpenSSL answers. */
static const struct tlsg_pair *find_own(const struct tlsg_conn *c)
{
	const gnutls_datum_t *ours = gnutls_certificate_get_ours(c->session);
	const struct tlsg_prof *p = c->ref.prof;
	unsigned i;

	for(i = 0; ours != NULL && i < p->pairs_len; i++)
		if(p->pairs[i].chain[0].cert.data == ours->data)
			return &p->pairs[i];
	return c->role == TLSG_SERVER && p->pairs_len > 0 ? &p->pairs[0] : NULL;
}

enum tlsg_ret tlsg_peer_publish(struct tlsg_conn *c, struct tlsg_err *err)
{
	struct tlsg_peer *r = tlsg_arena_keep(c->arena, sizeof(*r));
	const gnutls_datum_t *sent;
	unsigned n = 0;

	if(r == NULL)
		return tlsg_err_set(err, TLSG_E_RESOURCE, "shared memory exhausted");
	r->prof = c->ref.prof;
	r->version = (int)gnutls_protocol_get_version(c->session);
	r->suite = tlsg_conn_suite(c);
	if(r->suite != NULL)
		r->suite_id = (uint16_t)(r->suite->id[0] << 8 | r->suite->id[1]);
	r->own = find_own(c);
	r->resumed = gnutls_session_is_resumed(c->session) != 0;
	r->is_client = c->role == TLSG_CLIENT;
	r->sni = c->sni;
	r->since = time(NULL);
	sent = gnutls_certificate_get_peers(c->session, &n);
	if(sent != NULL && n > 0) {
		r->chain = keep_leaf(c, &sent[0]);
		if(r->chain == NULL)
			return tlsg_err_set(err, TLSG_E_RESOURCE, "shared memory exhausted");
		r->chain_len = n;
		r->verify = c->verdict.code;
	}
	r->built = c->verdict.built;
	r->built_len = c->verdict.built_len;
	__atomic_store_n(&c->peer, r, __ATOMIC_RELEASE);
	return TLSG_OK;
}
