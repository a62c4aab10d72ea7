/*
 * tls_gnutls - builds a chain from what a peer sent up to a trusted CA
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that steps a handshake.  Memory: this process's heap while it runs.  Lock: none.
 *
 * Names decide what can be an issuer, so a peer can make up any number of candidates: steps, candidates at each step,
 * and signatures that are checked to choose between candidates are all limited.
 */
#include "profiles/verify/chain.h"

#include "profiles/verify/crt.h"
#include "profiles/verify/der.h"
#include "profiles/verify/trust.h"
#include "profiles/verify/usage.h"

#define OID_AUTHORITY_KEY_ID "2.5.29.35"
#define STEPS_MAX 64
#define CANDIDATES_MAX 8
#define TRIALS_MAX 8 /* signature checks to choose between candidates, in one build */

/* A possible issuer of the last certificate. */
struct candidate
{
	struct tlsg_chain_cert cert;
	unsigned sent; /* index in what was sent, unless cert.is_trusted */
	int score;
};

struct builder
{
	const struct tlsg_chain_input *in;
	struct tlsg_chain *chain;
	struct tlsg_chain_cert first[TLSG_CHAIN_MAX]; /* first dead end */
	unsigned first_len;
	enum tlsg_verify_code first_why;
	unsigned steps;
	unsigned trials;
	bool used[TLSG_CHAIN_MAX]; /* by index in what was sent */
};

/* Whether a GeneralName is the directory name of a certificate's issuer. */
static bool is_issuer_name(const struct tlsg_der_element *general, gnutls_x509_crt_t crt)
{
	gnutls_datum_t dn = {NULL, 0};
	bool equal;

	if(general->tag != TLSG_DER_CONSTRUCTED(4) || gnutls_x509_crt_get_raw_issuer_dn(crt, &dn) < 0)
		return false;
	equal = general->size == dn.size && memcmp(general->contents, dn.data, dn.size) == 0;
	gnutls_free(dn.data);
	return equal;
}

static bool is_serial(const struct tlsg_der_element *e, gnutls_x509_crt_t crt)
{
	unsigned char serial[128];
	size_t size = sizeof(serial);

	return gnutls_x509_crt_get_serial(crt, serial, &size) >= 0 && size == e->size
		   && memcmp(serial, e->contents, size) == 0;
}

/* Whether an authority key identifier that names a certificate by issuer and serial number means this one.
 * GnuTLS compares key identifiers only. */
static bool is_authority(gnutls_x509_crt_t issuer, gnutls_x509_crt_t crt)
{
	gnutls_datum_t ext = {NULL, 0};
	struct tlsg_der_element list, e, name;
	struct tlsg_der_reader r;
	bool good;

	if(gnutls_x509_crt_get_extension_by_oid2(crt, OID_AUTHORITY_KEY_ID, 0, &ext, NULL) < 0)
		return true;
	r = tlsg_der_over(ext.data, ext.size);
	good = tlsg_der_read_tagged(&r, TLSG_DER_SEQUENCE, &list);
	r = good ? tlsg_der_inside(&list) : r;
	while(good && !tlsg_der_is_end(&r)) {
		good = tlsg_der_read(&r, &e);
		if(good && e.tag == TLSG_DER_CONSTRUCTED(1)) {
			struct tlsg_der_reader names = tlsg_der_inside(&e);

			good = tlsg_der_read(&names, &name) && is_issuer_name(&name, issuer);
		} else if(good && e.tag == TLSG_DER_CONTEXT(2))
			good = is_serial(&e, issuer);
	}
	gnutls_free(ext.data);
	return good;
}

/* Whether a certificate can have issued another: names, key identifiers, and a key that can make such a signature. */
static bool can_have_issued(gnutls_x509_crt_t issuer, gnutls_x509_crt_t crt)
{
	int algo, pk;

	if(!gnutls_x509_crt_check_issuer(crt, issuer) || !is_authority(issuer, crt))
		return false;
	algo = gnutls_x509_crt_get_signature_algorithm(crt);
	pk = gnutls_x509_crt_get_pk_algorithm(issuer, NULL);
	return algo >= 0 && pk >= 0
		   && gnutls_sign_supports_pk_algorithm((gnutls_sign_algorithm_t)algo, (gnutls_pk_algorithm_t)pk) != 0;
}

/* Whether a certificate names itself as its issuer, its key identifiers agree, and its key can have made its
 * signature. */
static bool is_self_signed(gnutls_x509_crt_t crt)
{
	return can_have_issued(crt, crt);
}

static bool is_valid_at(gnutls_x509_crt_t crt, time_t now)
{
	return now >= gnutls_x509_crt_get_activation_time(crt) && now <= gnutls_x509_crt_get_expiration_time(crt);
}

static bool is_in_chain(const struct tlsg_chain *c, const struct tlsg_der *der)
{
	unsigned i;

	for(i = 0; i < c->len; i++)
		if(tlsg_der_is_same(c->certs[i].der, der))
			return true;
	return false;
}

/* Parses a configured CA for this chain. NULL: no memory, or too many. */
static gnutls_x509_crt_t parse_trusted(struct tlsg_chain *c, const struct tlsg_der *der)
{
	if(c->parsed_len == TLSG_CHAIN_PARSED_MAX || tlsg_crt_parse(der, &c->parsed[c->parsed_len]) < 0)
		return NULL;
	return c->parsed[c->parsed_len++];
}

static void candidate_add(struct candidate *list, unsigned *len, struct candidate c)
{
	if(*len < CANDIDATES_MAX)
		list[(*len)++] = c;
}

/* The configured CAs that can have issued a certificate. */
static void find_trusted(struct builder *b, gnutls_x509_crt_t crt, struct candidate *list, unsigned *len)
{
	const struct tlsg_trust *trust = b->in->trust;
	gnutls_datum_t dn = {NULL, 0};
	gnutls_x509_crt_t issuer;
	unsigned first = 0, n, i;

	if(trust == NULL || gnutls_x509_crt_get_raw_issuer_dn(crt, &dn) < 0)
		return;
	n = tlsg_trust_find(trust, &dn, &first);
	gnutls_free(dn.data);
	for(i = 0; i < n && *len < CANDIDATES_MAX; i++) {
		const struct tlsg_der *der = &trust->cas[trust->names[first + i].ca];

		if(is_in_chain(b->chain, der))
			continue;
		/* the process's list finds one CA for a name: where there is only one, it need not be parsed */
		issuer = NULL;
		if(n > 1 || b->in->list == NULL)
			issuer = parse_trusted(b->chain, der);
		else if(gnutls_x509_trust_list_get_issuer(b->in->list, crt, &issuer, 0) < 0)
			continue;
		if(issuer != NULL && can_have_issued(issuer, crt))
			candidate_add(list, len, (struct candidate){.cert = {issuer, der, true}});
	}
}

/* The certificates sent and not used yet that can have issued a certificate. */
static void find_sent(struct builder *b, gnutls_x509_crt_t crt, struct candidate *list, unsigned *len)
{
	unsigned i;

	for(i = 0; i < b->chain->sent_len; i++) {
		const struct tlsg_der *der = &b->in->chain[i];

		if(b->used[i] || !can_have_issued(b->chain->sent[i], crt) || is_in_chain(b->chain, der))
			continue;
		candidate_add(list, len, (struct candidate){.cert = {b->chain->sent[i], der, false}, .sent = i});
	}
}

/* Whether the key of an issuer made the signature of a certificate; nothing else is checked. */
static bool is_signed_by(gnutls_x509_crt_t crt, gnutls_x509_crt_t issuer)
{
	unsigned status = 0;
	const unsigned flags = GNUTLS_VERIFY_DO_NOT_ALLOW_SAME | GNUTLS_VERIFY_DISABLE_CA_SIGN
						   | GNUTLS_VERIFY_DISABLE_TIME_CHECKS | GNUTLS_VERIFY_DISABLE_TRUSTED_TIME_CHECKS;

	return gnutls_x509_crt_verify(crt, &issuer, 1, flags, &status) >= 0 && !(status & GNUTLS_CERT_SIGNATURE_FAILURE);
}

/* Best first: those whose key made the signature, then those that are valid now. Equals stay in order. */
static void candidates_sort(struct builder *b, gnutls_x509_crt_t crt, struct candidate *list, unsigned len)
{
	unsigned i, j;

	if(len < 2)
		return;
	for(i = 0; i < len; i++) {
		list[i].score = is_valid_at(list[i].cert.crt, b->in->now) ? 1 : 0;
		if(b->trials < TRIALS_MAX) {
			b->trials++;
			list[i].score += is_signed_by(crt, list[i].cert.crt) ? 2 : 0;
		}
	}
	for(i = 1; i < len; i++) {
		struct candidate c = list[i];

		for(j = i; j > 0 && list[j - 1].score < c.score; j--)
			list[j] = list[j - 1];
		list[j] = c;
	}
}

/* Whether a self-signed certificate equals one of the trust byte by byte. */
static bool is_anchor(const struct builder *b, const struct tlsg_chain_cert *cert)
{
	const struct tlsg_trust *trust = b->in->trust;
	gnutls_datum_t dn = {NULL, 0};
	unsigned first = 0, n, i;
	bool found = false;

	if(trust == NULL || gnutls_x509_crt_get_raw_dn(cert->crt, &dn) < 0)
		return false;
	n = tlsg_trust_find(trust, &dn, &first);
	gnutls_free(dn.data);
	for(i = 0; i < n && !found; i++)
		found = tlsg_der_is_same(cert->der, &trust->cas[trust->names[first + i].ca]);
	return found;
}

/* Records the chain and why it ends here, the first time. @return false, for the caller to return. */
static bool dead_end(struct builder *b, enum tlsg_verify_code why)
{
	if(b->first_len == 0) {
		for(; b->first_len < b->chain->len; b->first_len++)
			b->first[b->first_len] = b->chain->certs[b->first_len];
		b->first_why = why;
	}
	return false;
}

static enum tlsg_verify_code why_no_issuer(
		const struct tlsg_chain *c, const struct tlsg_chain_cert *top, bool self_signed)
{
	if(self_signed)
		return c->len == 1 ? TLSG_V_SELF_SIGNED : TLSG_V_SELF_SIGNED_IN_CHAIN;
	return top->is_trusted ? TLSG_V_NO_ISSUER : TLSG_V_NO_LOCAL_ISSUER;
}

static bool extend(struct builder *b);

/* Tries candidates in order. */
static bool try_candidates(struct builder *b, const struct candidate *list, unsigned len)
{
	struct tlsg_chain *c = b->chain;
	unsigned i;

	for(i = 0; i < len && b->steps < STEPS_MAX; i++) {
		b->steps++;
		c->certs[c->len++] = list[i].cert;
		if(!list[i].cert.is_trusted)
			b->used[list[i].sent] = true;
		if(extend(b))
			return true;
		if(!list[i].cert.is_trusted)
			b->used[list[i].sent] = false;
		c->len--;
	}
	return false;
}

/* Continues the chain from its last certificate. Recursion ends with the chain's length. @return true: anchored. */
static bool extend(struct builder *b)
{
	struct tlsg_chain *c = b->chain;
	struct tlsg_chain_cert *top = &c->certs[c->len - 1];
	struct candidate list[CANDIDATES_MAX];
	bool self_signed = is_self_signed(top->crt);
	unsigned depth = b->in->depth > 0 ? (unsigned)b->in->depth : 0;
	unsigned trusted = 0, sent = 0;

	if(self_signed && (top->is_trusted || (c->len <= depth + 1 && is_anchor(b, top)))) {
		c->is_anchored = true;
		return true;
	}
	if(c->len > depth + 1 || c->len == TLSG_CHAIN_MAX)
		return dead_end(b, TLSG_V_CHAIN_TOO_LONG);
	if(self_signed)
		return dead_end(b, why_no_issuer(c, top, true));
	find_trusted(b, top->crt, list, &trusted);
	candidates_sort(b, top->crt, list, trusted);
	if(try_candidates(b, list, trusted))
		return true;
	/* above a configured CA only configured ones count */
	if(!top->is_trusted) {
		find_sent(b, top->crt, list, &sent);
		candidates_sort(b, top->crt, list, sent);
		if(try_candidates(b, list, sent))
			return true;
	}
	return dead_end(b, why_no_issuer(c, top, false));
}

static enum tlsg_ret parse_sent(const struct tlsg_chain_input *in, struct tlsg_chain *out)
{
	unsigned i;
	int rc;

	for(i = 0; i < in->chain_len; i++) {
		rc = tlsg_crt_parse(&in->chain[i], &out->sent[i]);
		if(rc < 0)
			return rc == GNUTLS_E_MEMORY_ERROR ? TLSG_E_RESOURCE : TLSG_E_PEER;
		out->sent_len = i + 1;
		if(!tlsg_usage_has_usable_key(out->sent[i])) {
			out->has_costly_key = true;
			return TLSG_E_PEER;
		}
	}
	return TLSG_OK;
}

enum tlsg_ret tlsg_chain_build(const struct tlsg_chain_input *in, struct tlsg_chain *out)
{
	struct builder b = {.in = in, .chain = out};
	enum tlsg_ret ret;

	memset(out, 0, sizeof(*out));
	ret = parse_sent(in, out);
	if(ret != TLSG_OK)
		return ret;
	out->certs[0] = (struct tlsg_chain_cert){out->sent[0], &in->chain[0], false};
	out->len = 1;
	b.used[0] = true;
	if(extend(&b))
		return TLSG_OK;
	for(out->len = 0; out->len < b.first_len; out->len++)
		out->certs[out->len] = b.first[out->len];
	out->why = b.first_why;
	return TLSG_OK;
}

void tlsg_chain_free(struct tlsg_chain *c)
{
	while(c->sent_len > 0)
		gnutls_x509_crt_deinit(c->sent[--c->sent_len]);
	while(c->parsed_len > 0)
		gnutls_x509_crt_deinit(c->parsed[--c->parsed_len]);
}
