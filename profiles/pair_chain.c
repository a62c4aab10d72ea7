/*
 * tls_gnutls - completes the chain of a certificate file from the CAs of its profile
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot.  Memory: the snapshot's arena (shm); GnuTLS allocates and frees on this process's
 * heap.  Lock: none.
 */
#include "profiles/pair_chain.h"

#include <time.h>

#include <gnutls/x509.h>

#include "base/arena.h"
#include "base/plural.h"
#include "base/scope.h"
#include "profiles/verify/crt.h"
#include "profiles/verify/trust.h"
#include "profiles/verify/usage.h"

#define CHAIN_MAX 10 /* certificates that are sent, with the leaf */

/* Whether a CA made the signature. Its dates and the strength of the signature are not looked at here. */
static bool is_issued_by(gnutls_x509_crt_t crt, gnutls_x509_crt_t ca)
{
	unsigned flags = GNUTLS_VERIFY_DISABLE_TIME_CHECKS | GNUTLS_VERIFY_ALLOW_BROKEN
					 | GNUTLS_VERIFY_ALLOW_ANY_X509_V1_CA_CRT | GNUTLS_VERIFY_DISABLE_CRL_CHECKS;
	unsigned status = 0;

	return gnutls_x509_crt_check_issuer(crt, ca) && gnutls_x509_crt_verify(crt, &ca, 1, flags, &status) >= 0
		   && !(status & (GNUTLS_CERT_SIGNATURE_FAILURE | GNUTLS_CERT_SIGNER_NOT_FOUND | GNUTLS_CERT_SIGNER_NOT_CA));
}

static bool is_current(gnutls_x509_crt_t crt)
{
	time_t now = time(NULL);

	return gnutls_x509_crt_get_activation_time(crt) <= now && gnutls_x509_crt_get_expiration_time(crt) >= now;
}

/* How well a CA suits as the next certificate of a chain: a root ends it, and a current one is better than another. */
static int suitability(gnutls_x509_crt_t ca)
{
	return (tlsg_usage_is_self_issued(ca) ? 1 : 0) + (is_current(ca) ? 2 : 0);
}

/*
 * Finds the issuer of a certificate among the CAs.
 * @return its index in t->cas, and *ca is to be freed; -1: there is none.
 */
static int issuer_find(const struct tlsg_trust *t, gnutls_x509_crt_t crt, gnutls_x509_crt_t *ca)
{
	gnutls_datum_t dn = {NULL, 0};
	unsigned first, n, i;
	int best = -1;

	*ca = NULL;
	if(gnutls_x509_crt_get_raw_issuer_dn(crt, &dn) < 0)
		return -1;
	n = tlsg_trust_find(t, &dn, &first);
	gnutls_free(dn.data);
	for(i = 0; i < n; i++) {
		unsigned at = t->names[first + i].ca;
		gnutls_x509_crt_t next;

		if(tlsg_crt_parse(&t->cas[at], &next) < 0)
			continue;
		if(is_issued_by(crt, next) && (*ca == NULL || suitability(next) > suitability(*ca))) {
			gnutls_x509_crt_t worse = *ca;

			*ca = next;
			next = worse;
			best = (int)at;
		}
		if(next != NULL)
			gnutls_x509_crt_deinit(next);
	}
	return best;
}

static bool is_in(const int *cas, unsigned len, int ca)
{
	unsigned i;

	for(i = 0; i < len; i++)
		if(cas[i] == ca)
			return true;
	return false;
}

/*
 * Finds the issuers of a leaf up to the root, which is left out. CAs may sign each other: none is taken twice.
 * @param crt  freed.
 * @param cas  [out] indexes in t->cas, CHAIN_MAX - 1 at most.
 * @return how many.
 */
static unsigned issuers_find(const struct tlsg_trust *t, gnutls_x509_crt_t crt, int cas[CHAIN_MAX - 1])
{
	unsigned n = 0;

	while(n < CHAIN_MAX - 1 && !tlsg_usage_is_self_issued(crt)) {
		gnutls_x509_crt_t ca;
		int at = issuer_find(t, crt, &ca);

		if(at < 0)
			break;
		gnutls_x509_crt_deinit(crt);
		crt = ca;
		if(tlsg_usage_is_self_issued(ca) || is_in(cas, n, at))
			break;
		cas[n++] = at;
	}
	gnutls_x509_crt_deinit(crt);
	return n;
}

/* Replaces the chain by one with n CAs behind the leaf, which stays shared with the chain before. */
static int chain_extend(const struct tlsg_prof *p, struct tlsg_pair *pair, const int *cas, unsigned n)
{
	struct tlsg_arena *previous = tlsg_scope_enter(p->set->arena);
	gnutls_pcert_st *list = gnutls_calloc(n + 1, sizeof(*list));
	int rc = list != NULL ? 0 : GNUTLS_E_MEMORY_ERROR;
	unsigned i;

	for(i = 0; i < n && rc >= 0; i++) {
		const gnutls_datum_t der = {p->trust->cas[cas[i]].data, (unsigned)p->trust->cas[cas[i]].size};

		rc = gnutls_pcert_import_x509_raw(&list[i + 1], &der, GNUTLS_X509_FMT_DER, 0);
	}
	tlsg_scope_leave(previous);
	if(rc < 0)
		return rc;
	list[0] = pair->chain[0];
	pair->chain = list;
	pair->chain_len = n + 1;
	return 0;
}

enum tlsg_ret tlsg_pair_chain_complete(
		const struct tlsg_prof *p, const str *file, struct tlsg_pair *pair, struct tlsg_err *err)
{
	const struct tlsg_der leaf = {pair->chain[0].cert.data, pair->chain[0].cert.size};
	gnutls_x509_crt_t crt;
	int cas[CHAIN_MAX - 1];
	unsigned n;
	int rc;

	pair->own_len = pair->chain_len;
	if(pair->chain_len != 1 || p->trust == NULL)
		return TLSG_OK;
	rc = tlsg_crt_parse(&leaf, &crt);
	if(rc < 0)
		return tlsg_err_set(err, TLSG_E_CONFIG, "%.*s: certificate: \"%.*s\" cannot be parsed: %s", p->id.len, p->id.s,
				file->len, file->s, gnutls_strerror(rc));
	n = issuers_find(p->trust, crt, cas);
	if(n == 0)
		return TLSG_OK;
	if(chain_extend(p, pair, cas, n) < 0)
		return tlsg_err_no_shm(err, file->s, 0);
	LM_INFO("%.*s: \"%.*s\" has the leaf alone; it is sent with %u certificate%s of its issuers from ca_list and "
			"ca_path\n",
			p->id.len, p->id.s, file->len, file->s, (unsigned)n, tlsg_plural_s((unsigned)n));
	return TLSG_OK;
}
