/*
 * tls_gnutls - verifies the peer's certificate during a handshake
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process, inside a step.  Memory: the connection's arena (shm).
 * Lock: write_lock, held by the step's caller.
 */
#include "transport/conn_verify.h"

#include "base/scope.h"
#include "profiles/priority.h"
#include "profiles/verify/verify.h"
#include "transport/conn_state.h"
#include "transport/peer.h"
#include "transport/stats.h"

/* Keeps the result and the chain that verification built. @return false: out of shared memory. */
static bool keep_verdict(struct tlsg_conn *c, const struct tlsg_verify_result *r)
{
	c->verdict.code = r->code;
	c->verdict.alert = r->alert;
	if(r->built_len == 0)
		return true;
	c->verdict.built = tlsg_peer_chain_copy(c->arena, r->built, r->built_len);
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

/* GnuTLS uses the leaf's key right after the verification, whatever its result. */
static bool is_leaf_usable(const gnutls_datum_t *leaf)
{
	struct tlsg_arena *previous = tlsg_scope_enter(NULL);
	struct tlsg_der der = {leaf->data, leaf->size};
	bool good = tlsg_verify_key_is_usable(&der);

	tlsg_scope_leave(previous);
	return good;
}

int tlsg_conn_verify_leaf(struct tlsg_conn *c)
{
	unsigned n = 0;
	const gnutls_datum_t *sent = gnutls_certificate_get_peers(c->session, &n);

	return sent == NULL || n == 0 || is_leaf_usable(&sent[0]) ? 0 : refuse(c);
}

static bool is_enforced(const struct tlsg_prof *p)
{
	return p->verify_mode != TLSG_VERIFY_NONE && !p->verify_no_ca;
}

/* More certificates than are looked at: fails, unless verification is not enforced. */
static int chain_too_long(struct tlsg_conn *c, const gnutls_datum_t *sent)
{
	if(!is_leaf_usable(&sent[0]))
		return refuse(c);
	c->verdict.code = TLSG_V_CHAIN_TOO_LONG;
	c->verdict.alert = GNUTLS_A_UNKNOWN_CA;
	tlsg_stats_verify_failed(c->verdict.code);
	return is_enforced(c->ref.prof) ? GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR : 0;
}

/*
 * Verifies a chain as the profile wants it, on the heap of this process.
 * @param result  [out] tlsg_verify_result_free().
 */
static void verify_chain(
		const struct tlsg_conn *c, const gnutls_datum_t *sent, unsigned n, struct tlsg_verify_result *result)
{
	const struct tlsg_prof *p = c->ref.prof;
	struct tlsg_der chain[TLSG_CHAIN_MAX];
	struct tlsg_verify_input in = {0};
	struct tlsg_arena *previous;
	enum tlsg_ret ret;
	unsigned i;

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
	ret = tlsg_verify_chain(&in, result);
	tlsg_scope_leave(previous);
	if(ret != TLSG_OK && result->code == TLSG_V_OK)
		result->code = TLSG_V_APPLICATION;
}

int tlsg_conn_verify_peer(struct tlsg_conn *c)
{
	struct tlsg_verify_result result = {0};
	struct tlsg_arena *previous;
	const gnutls_datum_t *sent;
	unsigned n = 0;
	bool kept;

	sent = gnutls_certificate_get_peers(c->session, &n);
	if(sent == NULL || n == 0) /* GnuTLS refuses that if one is required: gnutls_certificate_server_set_request() */
		return 0;
	if(n > TLSG_CHAIN_MAX)
		return chain_too_long(c, sent);
	verify_chain(c, sent, n, &result);
	kept = keep_verdict(c, &result);
	previous = tlsg_scope_enter(NULL);
	tlsg_verify_result_free(&result);
	tlsg_scope_leave(previous);
	if(result.refuse)
		return refuse(c);
	if(!kept)
		return GNUTLS_E_MEMORY_ERROR;
	tlsg_stats_verify_failed(c->verdict.code);
	if(c->verdict.code != TLSG_V_OK && is_enforced(c->ref.prof))
		return GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR;
	return 0;
}

int tlsg_conn_verify_resumed(struct tlsg_conn *c)
{
	bool is_client =
			c->role == TLSG_CLIENT; /* servers always send one, and the result is recorded without verification */
	unsigned n = 0;

	if(!is_client && c->ref.prof->verify_mode == TLSG_VERIFY_NONE)
		return 0;
	if((is_client || c->ref.prof->verify_mode == TLSG_VERIFY_PEER_FAIL)
			&& (gnutls_certificate_get_peers(c->session, &n) == NULL || n == 0))
		return GNUTLS_E_NO_CERTIFICATE_FOUND;
	return tlsg_conn_verify_peer(c);
}
