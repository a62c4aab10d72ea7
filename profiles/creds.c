/*
 * tls_gnutls - what a process makes for itself from a snapshot: credentials and trust lists
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that steps a handshake.  Memory: this process's heap, made without a scope.  Lock: none.
 */
#include "profiles/creds.h"

#include "base/scope.h"
#include "profiles/key_use.h"
#include "profiles/priority.h"

/* The objects of one snapshot in this process; arrays are indexed as in the snapshot. */
struct local
{
	struct local *next;
	uint32_t number;
	unsigned trusts_len;
	gnutls_certificate_credentials_t plain;	 /* for profiles that trust nobody: certificate callback only */
	gnutls_certificate_credentials_t *creds; /* by trust, owns the list in lists */
	gnutls_x509_trust_list_t *lists;
};

static struct local *locals; /* newest first */

static void local_free(struct local *l)
{
	unsigned i;

	for(i = 0; i < l->trusts_len; i++)
		if(l->creds[i] != NULL)
			gnutls_certificate_free_credentials(l->creds[i]);
	if(l->plain != NULL)
		gnutls_certificate_free_credentials(l->plain);
	gnutls_free(l->creds);
	gnutls_free(l->lists);
	gnutls_free(l);
}

/* Frees what belongs to snapshots that are gone. An old one may be in use when newer ones are not. */
static void locals_collect(void)
{
	struct local **at = &locals;

	while(*at != NULL) {
		struct local *l = *at;

		if(tlsg_set_is_alive(l->number)) {
			at = &l->next;
			continue;
		}
		*at = l->next;
		local_free(l);
	}
}

static struct local *local_new(const struct tlsg_set *set)
{
	struct local *l = gnutls_calloc(1, sizeof(*l));

	if(l == NULL)
		return NULL;
	l->number = set->number;
	l->trusts_len = set->trusts_len;
	l->creds = gnutls_calloc(l->trusts_len + 1, sizeof(*l->creds));
	l->lists = gnutls_calloc(l->trusts_len + 1, sizeof(*l->lists));
	if(l->creds == NULL || l->lists == NULL) {
		l->trusts_len = 0;
		local_free(l);
		return NULL;
	}
	return l;
}

static struct local *local_find(uint32_t number)
{
	struct local *l;

	for(l = locals; l != NULL; l = l->next)
		if(l->number == number)
			return l;
	return NULL;
}

static struct local *local_get(const struct tlsg_set *set)
{
	static uint32_t gone; /* snapshots that had gone when this process last looked */
	uint32_t gone_now = tlsg_set_gone();
	struct local *l = local_find(set->number);

	tlsg_key_use_collect(); /* keys of an old configuration do not stay longer than needed */
	if(gone != gone_now) {
		gone = gone_now;
		locals_collect();
	}
	if(l != NULL)
		return l;
	l = local_new(set);
	if(l == NULL)
		return NULL;
	l->next = locals;
	locals = l;
	return l;
}

/* Whether the key of a pair makes signatures with an algorithm, in the version that is negotiated. */
static bool algo_fits(gnutls_sign_algorithm_t algo, const struct tlsg_pair *pair, bool is_tls13)
{
	if(!tlsg_key_can(pair->key, algo))
		return false;
	switch(algo) { /* RFC 8446 section 4.2.3: each of these is for one curve */
		case GNUTLS_SIGN_ECDSA_SECP256R1_SHA256:
			return !is_tls13 || pair->bits == 256;
		case GNUTLS_SIGN_ECDSA_SECP384R1_SHA384:
			return !is_tls13 || pair->bits == 384;
		case GNUTLS_SIGN_ECDSA_SECP521R1_SHA512:
			return !is_tls13 || pair->bits > 512; /* GnuTLS counts whole bytes: 528 */
		case GNUTLS_SIGN_RSA_PSS_RSAE_SHA256:
		case GNUTLS_SIGN_RSA_PSS_RSAE_SHA384:
		case GNUTLS_SIGN_RSA_PSS_RSAE_SHA512:
			return true;
		default: /* RSA without PSS is for certificates only */
			return !is_tls13 || (pair->pk != GNUTLS_PK_RSA && pair->pk != GNUTLS_PK_ECDSA);
	}
}

/* Whether the peer accepts a signature that the key of the pair makes. */
static bool peer_accepts(gnutls_session_t session, const struct tlsg_pair *pair)
{
	bool is_tls13 = gnutls_protocol_get_version(session) == GNUTLS_TLS1_3;
	gnutls_sign_algorithm_t algo;
	size_t i;

	for(i = 0; gnutls_sign_algorithm_get_requested(session, i, &algo) == 0; i++)
		if(algo_fits(algo, pair, is_tls13))
			return true;
	return i == 0; /* TLS 1.1 and older have no list of algorithms */
}

static bool pair_fits(gnutls_session_t session, const struct gnutls_cert_retr_st *info, const struct tlsg_pair *pair)
{
	unsigned i;

	for(i = 0; i < info->pk_algos_length; i++)
		if(info->pk_algos[i] == pair->pk || (info->pk_algos[i] == GNUTLS_PK_RSA_PSS && pair->pk == GNUTLS_PK_RSA))
			break; /* for rsa_pss_rsae_* GnuTLS names RSA-PSS, though it means RSA keys */
	if(info->pk_algos_length > 0 && i == info->pk_algos_length)
		return false;
	return peer_accepts(session, pair);
}

/* Certificate callback: the first pair of the profile that the peer can use, ECDSA and EdDSA before RSA. */
static int retrieve_cb(gnutls_session_t session, const struct gnutls_cert_retr_st *info, gnutls_pcert_st **chain,
		unsigned *chain_len, gnutls_ocsp_data_st **ocsp, unsigned *ocsp_len, gnutls_privkey_t *key, unsigned *flags)
{
	struct tlsg_session_ref *ref = gnutls_session_get_ptr(session);
	const struct tlsg_pair *best = NULL;
	unsigned i;

	*chain = NULL;
	*chain_len = 0;
	*ocsp = NULL;
	*ocsp_len = 0;
	*key = NULL;
	*flags = 0;
	for(i = 0; i < ref->prof->pairs_len; i++) {
		const struct tlsg_pair *pair = &ref->prof->pairs[i];

		if(ref->keys != 0 && !(ref->keys & tlsg_priority_key_of(pair->pk)))
			continue;
		if(!tlsg_priority_curve_fits(pair, ref->groups) || !pair_fits(session, info, pair))
			continue;
		if(best == NULL || (best->pk == GNUTLS_PK_RSA && pair->pk != GNUTLS_PK_RSA))
			best = pair;
	}
	ref->no_pair = best == NULL;
	if(best == NULL)
		return 0;
	*chain = best->chain;
	*chain_len = best->chain_len;
	*key = best->key->ext;
	return 0;
}

static gnutls_certificate_credentials_t creds_new(void)
{
	gnutls_certificate_credentials_t c = NULL;

	if(gnutls_certificate_allocate_credentials(&c) < 0)
		return NULL;
	gnutls_certificate_set_retrieve_function3(c, retrieve_cb);
	/* For clients that offer DHE without a group of RFC 7919. */
	(void)gnutls_certificate_set_known_dh_params(c, GNUTLS_SEC_PARAM_MEDIUM);
	return c;
}

/* Credentials with the CAs of a trust; the list stays reachable for verification and is owned by the credentials. */
static gnutls_certificate_credentials_t creds_for_trust(struct local *l, const struct tlsg_trust *t)
{
	gnutls_certificate_credentials_t c;

	if(l->creds[t->index] != NULL)
		return l->creds[t->index];
	c = creds_new();
	if(c == NULL)
		return NULL;
	l->lists[t->index] = tlsg_trust_parse(t);
	if(l->lists[t->index] == NULL) {
		gnutls_certificate_free_credentials(c);
		return NULL;
	}
	gnutls_certificate_set_trust_list(c, l->lists[t->index], 0);
	l->creds[t->index] = c;
	return c;
}

/*
 * Whether a handshake of the profile needs the CAs, to announce them or to verify: not on a server that requests no
 * certificate.
 */
static bool needs_trust(const struct tlsg_prof *p)
{
	return p->trust != NULL && (p->role == TLSG_CLIENT || p->verify_mode != TLSG_VERIFY_NONE);
}

gnutls_certificate_credentials_t tlsg_creds_get(const struct tlsg_prof *p)
{
	struct tlsg_arena *previous = tlsg_scope_enter(NULL);
	struct local *l = local_get(p->set);
	gnutls_certificate_credentials_t c = NULL;

	if(l != NULL && needs_trust(p))
		c = creds_for_trust(l, p->trust);
	else if(l != NULL) {
		if(l->plain == NULL)
			l->plain = creds_new();
		c = l->plain;
	}
	tlsg_scope_leave(previous);
	return c;
}

gnutls_x509_trust_list_t tlsg_creds_trust(const struct tlsg_prof *p)
{
	struct tlsg_arena *previous;
	struct local *l;
	gnutls_x509_trust_list_t list = NULL;

	if(p->trust == NULL)
		return NULL;
	previous = tlsg_scope_enter(NULL);
	l = local_get(p->set);
	if(l != NULL && creds_for_trust(l, p->trust) != NULL)
		list = l->lists[p->trust->index];
	tlsg_scope_leave(previous);
	return list;
}
