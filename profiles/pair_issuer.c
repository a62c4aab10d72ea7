/*
 * tls_gnutls - tells which of our own certificates are sent without their issuer
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot.  Memory: this process's heap while it runs.  Lock: none.
 */
#include "profiles/pair_issuer.h"

#include <gnutls/x509.h>

#include "profiles/prof.h"
#include "profiles/verify/crt.h"
#include "profiles/verify/trust.h"
#include "profiles/verify/usage.h"

#define NAME_SIZE 256

/* The profile after p; NULL: begins. @return NULL: p is the last one. */
static const struct tlsg_prof *prof_next(const struct tlsg_set *set, const struct tlsg_prof *p)
{
	const struct tlsg_prof *next;

	if(p == NULL)
		return set->defaults[0];
	next = p->kind == TLSG_PROF_DEFAULT ? set->list[p->role] : p->next;
	if(next == NULL && p->role + 1 < TLSG_ROLES)
		next = set->defaults[p->role + 1];
	return next;
}

/* The first pair of a snapshot with a certificate. @param leaf  DER. @return NULL: none. */
static const struct tlsg_pair *pair_find(const struct tlsg_set *set, const gnutls_datum_t *leaf)
{
	const struct tlsg_prof *p = NULL;
	unsigned i;

	while((p = prof_next(set, p)) != NULL)
		for(i = 0; i < p->pairs_len; i++) {
			const gnutls_datum_t *other = &p->pairs[i].chain[0].cert;

			if(other->size == leaf->size && memcmp(other->data, leaf->data, leaf->size) == 0)
				return &p->pairs[i];
		}
	return NULL;
}

/* Whether a trust has a root with a name. */
static bool has_root(const struct tlsg_trust *t, const gnutls_datum_t *dn)
{
	unsigned first, n, i;
	bool found = false;

	n = tlsg_trust_find(t, dn, &first);
	for(i = 0; i < n && !found; i++) {
		gnutls_x509_crt_t crt;

		if(tlsg_crt_parse(&t->cas[t->names[first + i].ca], &crt) < 0)
			break;
		found = tlsg_usage_is_self_issued(crt);
		gnutls_x509_crt_deinit(crt);
	}
	return found;
}

/* Whether the issuer of a certificate may be an intermediate, which peers do not have. */
static bool is_issuer_missing(const struct tlsg_set *set, gnutls_x509_crt_t crt)
{
	const struct tlsg_trust *t = set->trusts;
	gnutls_datum_t dn = {NULL, 0};

	if(tlsg_usage_is_self_issued(crt) || gnutls_x509_crt_get_raw_issuer_dn(crt, &dn) < 0)
		return false;
	while(t != NULL && !has_root(t, &dn))
		t = t->next;
	gnutls_free(dn.data);
	return t == NULL;
}

/* Whether the snapshot in force has told it. @param current  NULL: there is none. */
static bool is_told(const struct tlsg_set *current, const struct tlsg_pair *pair, gnutls_x509_crt_t crt)
{
	const struct tlsg_pair *known = current != NULL ? pair_find(current, &pair->chain[0].cert) : NULL;

	return known != NULL && known->chain_len == 1 && is_issuer_missing(current, crt);
}

static void pair_tell(const struct tlsg_set *current, const struct tlsg_prof *p, const struct tlsg_pair *pair)
{
	const struct tlsg_der der = {pair->chain[0].cert.data, pair->chain[0].cert.size};
	char name[NAME_SIZE];
	size_t size = sizeof(name);
	gnutls_x509_crt_t crt;
	int rc;

	if(tlsg_crt_parse(&der, &crt) < 0)
		return;
	rc = gnutls_x509_crt_get_issuer_dn(crt, name, &size);
	if(is_issuer_missing(p->set, crt) && !is_told(current, pair, crt))
		LM_NOTICE("%.*s: \"%.*s\" has no certificate of the issuer \"%s\"; if that is an intermediate, append it, or "
				  "peers that do not have it will refuse ours\n",
				p->id.len, p->id.s, pair->source.len, pair->source.s, rc >= 0 ? name : "?");
	gnutls_x509_crt_deinit(crt);
}

void tlsg_pair_issuer_tell(const struct tlsg_set *set)
{
	struct tlsg_set *current = tlsg_set_get();
	const struct tlsg_prof *p = NULL;
	unsigned i;

	while((p = prof_next(set, p)) != NULL)
		for(i = 0; i < p->pairs_len; i++)
			if(p->pairs[i].chain_len == 1 && pair_find(set, &p->pairs[i].chain[0].cert) == &p->pairs[i])
				pair_tell(current, p, &p->pairs[i]);
	if(current != NULL)
		tlsg_set_put(current);
}
