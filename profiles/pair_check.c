/*
 * tls_gnutls - checks our own certificates and keys as a peer would
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot.  Memory: this process's heap while it runs.  Lock: none.
 */
#include "profiles/pair_check.h"

#include <time.h>

#include <gnutls/x509.h>

#include "profiles/keys/key_file.h"
#include "profiles/key.h"
#include "profiles/priority.h"
#include "profiles/verify/crt.h"
#include "profiles/verify/usage.h"

#define NAME_SIZE 256
#define WEAK_BITS 112 /* of a symmetric key as strong: RSA of 2048 bits, NIST SP 800-57 part 1 */

/* What all checks of one chain need. */
struct check
{
	const struct tlsg_prof *p;
	const str *file;
	const gnutls_x509_crt_t *crts;
	unsigned len;
};

static const char *name_of(gnutls_x509_crt_t crt, bool issuer, char buf[NAME_SIZE])
{
	size_t size = NAME_SIZE;
	int rc = issuer ? gnutls_x509_crt_get_issuer_dn(crt, buf, &size) : gnutls_x509_crt_get_dn(crt, buf, &size);

	return rc < 0 ? "?" : buf;
}

static void warn_dates(const struct check *c, const struct tlsg_pair *pair)
{
	const struct tlsg_prof *p = c->p;
	time_t now = time(NULL);
	char name[NAME_SIZE];
	unsigned i;

	if(pair->not_after < now)
		LM_WARN("%.*s: the certificate \"%.*s\" has expired\n", p->id.len, p->id.s, c->file->len, c->file->s);
	else if(pair->not_before > now)
		LM_WARN("%.*s: the certificate \"%.*s\" is not valid yet\n", p->id.len, p->id.s, c->file->len, c->file->s);
	for(i = 1; i < c->len; i++) {
		bool over = gnutls_x509_crt_get_expiration_time(c->crts[i]) < now;

		if(over || gnutls_x509_crt_get_activation_time(c->crts[i]) > now)
			LM_WARN("%.*s: in \"%.*s\" the certificate of the CA \"%s\" %s\n", p->id.len, p->id.s, c->file->len,
					c->file->s, name_of(c->crts[i], false, name), over ? "has expired" : "is not valid yet");
	}
}

static void warn_usage(const struct check *c, const struct tlsg_pair *pair)
{
	const struct tlsg_prof *p = c->p;
	bool is_rsa = pair->pk == GNUTLS_PK_RSA;
	/* the peer is in the other role, and looks for the purpose that it demands of us */
	enum tlsg_role peer = p->role == TLSG_SERVER ? TLSG_CLIENT : TLSG_SERVER;

	if(!tlsg_usage_has_bits(c->crts[0], GNUTLS_KEY_DIGITAL_SIGNATURE)) {
		if(is_rsa && tlsg_usage_has_bits(c->crts[0], GNUTLS_KEY_KEY_ENCIPHERMENT))
			LM_WARN("%.*s: the key usage of \"%.*s\" allows key encipherment but no signatures; peers that look at it "
					"refuse all but static RSA: get a certificate with digitalSignature\n",
					p->id.len, p->id.s, c->file->len, c->file->s);
		else
			LM_WARN("%.*s: the key usage of \"%.*s\" allows neither signatures nor key encipherment; peers that look "
					"at it refuse it: get a certificate with digitalSignature\n",
					p->id.len, p->id.s, c->file->len, c->file->s);
	}
	if(tlsg_usage_has_purpose(c->crts[0], peer))
		return;
	if(p->role == TLSG_SERVER)
		LM_WARN("%.*s: the extended key usage of \"%.*s\" does not name TLS servers; clients will refuse it\n",
				p->id.len, p->id.s, c->file->len, c->file->s);
	else /* in modparam mode the server's certificate serves both roles */
		LM_INFO("%.*s: the extended key usage of \"%.*s\" does not name TLS clients; servers that ask for a "
				"certificate will refuse it\n",
				p->id.len, p->id.s, c->file->len, c->file->s);
}

static void warn_chain(const struct check *c)
{
	const struct tlsg_prof *p = c->p;
	unsigned i;

	for(i = 0; i + 1 < c->len; i++)
		if(!gnutls_x509_crt_check_issuer(c->crts[i], c->crts[i + 1])) {
			LM_WARN("%.*s: in \"%.*s\" certificate %u is not issued by the one after it; the order must be leaf, "
					"then its issuers\n",
					p->id.len, p->id.s, c->file->len, c->file->s, i + 1);
			return;
		}
}

static void warn_signatures(const struct check *c)
{
	const struct tlsg_prof *p = c->p;
	char name[NAME_SIZE];
	unsigned i;

	for(i = 0; i < c->len; i++) {
		int algo = gnutls_x509_crt_get_signature_algorithm(c->crts[i]);

		/* peers do not check the signature of a root */
		if(tlsg_usage_is_self_issued(c->crts[i]) || algo < 0)
			continue;
		if(!gnutls_sign_is_secure2((gnutls_sign_algorithm_t)algo, GNUTLS_SIGN_FLAG_SECURE_FOR_CERTS))
			LM_WARN("%.*s: in \"%.*s\" the certificate \"%s\" is signed with %s, which peers refuse\n", p->id.len,
					p->id.s, c->file->len, c->file->s, name_of(c->crts[i], false, name),
					gnutls_sign_get_name((gnutls_sign_algorithm_t)algo));
	}
}

/* As OpenSSL does: a key weaker than the security level is refused for our own certificates too. */
enum tlsg_ret tlsg_pair_check_strength(
		const struct tlsg_prof *p, const str *file, const struct tlsg_pair *pair, struct tlsg_err *err)
{
	int level = p->priority->list.sec_level;
	unsigned has = gnutls_sec_param_to_symmetric_bits(gnutls_pk_bits_to_sec_param(pair->pk, pair->bits));
	unsigned wants = (unsigned)tlsg_rules_level_bits(level);

	if(has < wants)
		return tlsg_err_set(err, TLSG_E_CONFIG,
				"%.*s: certificate: the key of \"%.*s\" (%s, %u bits) is too weak for security level %d; use a larger "
				"key, or @SECLEVEL=n in cipher_list",
				p->id.len, p->id.s, file->len, file->s, gnutls_pk_get_name(pair->pk), pair->bits, level);
	if(has < WEAK_BITS)
		LM_WARN("%.*s: the key of \"%.*s\" (%s, %u bits) is weak; many peers refuse it\n", p->id.len, p->id.s,
				file->len, file->s, gnutls_pk_get_name(pair->pk), pair->bits);
	return TLSG_OK;
}

enum tlsg_ret tlsg_pair_check(const struct tlsg_prof *p, const str *file, struct tlsg_pair *pair, struct tlsg_err *err)
{
	gnutls_x509_crt_t crts[TLSG_KEY_FILE_CERTS_MAX] = {NULL};
	struct check c = {p, file, crts, pair->chain_len};
	enum tlsg_ret ret;
	unsigned i;
	int rc = 0;

	for(i = 0; i < c.len && rc >= 0; i++) {
		const struct tlsg_der der = {pair->chain[i].cert.data, pair->chain[i].cert.size};

		rc = tlsg_crt_parse(&der, &crts[i]);
	}
	if(rc >= 0) {
		rc = gnutls_x509_crt_get_pk_algorithm(crts[0], &pair->bits);
		pair->pk = (gnutls_pk_algorithm_t)(rc >= 0 ? rc : GNUTLS_PK_UNKNOWN);
	}
	if(rc < 0) {
		ret = tlsg_err_set(err, TLSG_E_CONFIG, "%.*s: certificate: \"%.*s\" cannot be parsed: %s", p->id.len, p->id.s,
				file->len, file->s, gnutls_strerror(rc));
		goto done;
	}
	pair->not_before = gnutls_x509_crt_get_activation_time(crts[0]);
	pair->not_after = gnutls_x509_crt_get_expiration_time(crts[0]);
	warn_dates(&c, pair);
	warn_usage(&c, pair);
	warn_chain(&c);
	warn_signatures(&c);
	ret = tlsg_pair_check_strength(p, file, pair, err);
done:
	for(i = 0; i < TLSG_KEY_FILE_CERTS_MAX && crts[i] != NULL; i++)
		gnutls_x509_crt_deinit(crts[i]);
	return ret;
}

/* ---- certificate and key ---- */

static bool is_same_pubkey(gnutls_pubkey_t a, gnutls_pubkey_t b)
{
	unsigned char of_a[64], of_b[64];
	size_t a_size = sizeof(of_a), b_size = sizeof(of_b);

	return gnutls_pubkey_get_key_id(a, GNUTLS_KEYID_USE_SHA256, of_a, &a_size) >= 0
		   && gnutls_pubkey_get_key_id(b, GNUTLS_KEYID_USE_SHA256, of_b, &b_size) >= 0 && a_size == b_size
		   && memcmp(of_a, of_b, a_size) == 0;
}

enum tlsg_ret tlsg_pair_check_fit(
		const char *setting, const str *cert_file, const struct tlsg_pair *pair, struct tlsg_err *err)
{
	gnutls_pubkey_t pub = NULL;
	enum tlsg_ret ret = TLSG_OK;
	unsigned i = 0;
	gnutls_datum_t spki = {pair->key->spki.data, pair->key->spki.size};
	int rc = gnutls_pubkey_init(&pub);

	if(rc >= 0)
		rc = gnutls_pubkey_import(pub, &spki, GNUTLS_X509_FMT_DER);
	if(rc < 0)
		ret = tlsg_err_set(
				err, TLSG_E_CONFIG, "%s: \"%s\" cannot be used: %s", setting, pair->key->source.s, gnutls_strerror(rc));
	while(rc >= 0 && i < pair->chain_len && !is_same_pubkey(pub, pair->chain[i].pubkey))
		i++;
	if(rc >= 0 && i == pair->chain_len)
		ret = tlsg_err_set(err, TLSG_E_CONFIG, "%s: \"%s\" does not belong to the certificate in \"%.*s\"", setting,
				pair->key->source.s, cert_file->len, cert_file->s);
	else if(rc >= 0 && i > 0)
		ret = tlsg_err_set(err, TLSG_E_CONFIG,
				"%s: \"%s\" does not belong to the first certificate in \"%.*s\" but to number %u; the leaf must be "
				"the first",
				setting, pair->key->source.s, cert_file->len, cert_file->s, i + 1);
	if(pub != NULL)
		gnutls_pubkey_deinit(pub);
	return ret;
}
