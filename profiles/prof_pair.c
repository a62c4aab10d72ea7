/*
 * tls_gnutls - loads certificate chains with their keys and checks that they can be used
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot.  Memory: the snapshot's arena (shm).  Lock: none.
 */
#include "profiles/prof_pair.h"

#include <time.h>

#include <gnutls/x509.h>

#include "base/arena.h"
#include "base/scope.h"
#include "profiles/prof_key.h"
#include "profiles/prof_priority.h"

#define CHAIN_MAX 32

/* Parses PEM (or a single DER certificate) into the snapshot's arena. */
static int import_chain(struct tlsg_set *set, const gnutls_datum_t *data, struct tlsg_pair *pair)
{
	struct tlsg_arena *previous = tlsg_scope_enter(set->arena);
	gnutls_pcert_st *list = gnutls_calloc(CHAIN_MAX, sizeof(*list));
	unsigned n = CHAIN_MAX;
	int rc = GNUTLS_E_MEMORY_ERROR;

	if(list != NULL)
		rc = gnutls_pcert_list_import_x509_raw(list, &n, data, GNUTLS_X509_FMT_PEM, 0);
	if(list != NULL && rc < 0) {
		n = CHAIN_MAX;
		rc = gnutls_pcert_list_import_x509_raw(list, &n, data, GNUTLS_X509_FMT_DER, 0);
	}
	tlsg_scope_leave(previous);
	if(rc < 0)
		return rc;
	pair->chain = list;
	pair->chain_len = n;
	return n > 0 ? 0 : GNUTLS_E_NO_CERTIFICATE_FOUND;
}

static void warn_dates(const struct tlsg_prof *p, const str *file, gnutls_x509_crt_t crt, struct tlsg_pair *pair)
{
	time_t now = time(NULL);

	pair->not_before = gnutls_x509_crt_get_activation_time(crt);
	pair->not_after = gnutls_x509_crt_get_expiration_time(crt);
	if(pair->not_after < now)
		LM_WARN("%.*s: the certificate \"%.*s\" has expired\n", p->id.len, p->id.s, file->len, file->s);
	else if(pair->not_before > now)
		LM_WARN("%.*s: the certificate \"%.*s\" is not valid yet\n", p->id.len, p->id.s, file->len, file->s);
}

static void warn_usage(const struct tlsg_prof *p, const str *file, gnutls_x509_crt_t crt)
{
	unsigned usage = 0;
	unsigned critical;

	if(gnutls_x509_crt_get_key_usage(crt, &usage, &critical) < 0)
		return;
	if(!(usage & (GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_KEY_ENCIPHERMENT)))
		LM_WARN("%.*s: the key usage of \"%.*s\" allows neither signatures nor key encipherment; peers will refuse "
				"it\n",
				p->id.len, p->id.s, file->len, file->s);
}

static void warn_order(const struct tlsg_prof *p, const str *file, gnutls_x509_crt_t *crts, unsigned n)
{
	unsigned i;

	for(i = 0; i + 1 < n; i++)
		if(!gnutls_x509_crt_check_issuer(crts[i], crts[i + 1])) {
			LM_WARN("%.*s: in \"%.*s\" certificate %u is not issued by the one after it; the order must be leaf, "
					"then its issuers\n",
					p->id.len, p->id.s, file->len, file->s, i + 1);
			return;
		}
	if(n == 1 && !gnutls_x509_crt_check_issuer(crts[0], crts[0]))
		LM_DBG("%.*s: \"%.*s\" holds no intermediate certificates\n", p->id.len, p->id.s, file->len, file->s);
}

/* OpenSSL refuses a key of our own that is weaker than the security level. */
static enum tlsg_ret check_strength(
		const struct tlsg_prof *p, const str *file, const struct tlsg_pair *pair, struct tlsg_err *err)
{
	int level = p->priority->list.sec_level;
	unsigned has = gnutls_sec_param_to_symmetric_bits(gnutls_pk_bits_to_sec_param(pair->pk, pair->bits));
	unsigned wants = (unsigned)tlsg_rules_level_bits(level);

	if(has >= wants)
		return TLSG_OK;
	return tlsg_err_set(err, TLSG_E_CONFIG,
			"%.*s: certificate: the key of \"%.*s\" (%s, %u bits) is too weak for security level %d; use a larger key, "
			"or "
			"@SECLEVEL=n in cipher_list",
			p->id.len, p->id.s, file->len, file->s, gnutls_pk_get_name(pair->pk), pair->bits, level);
}

/* Looks at the chain as a peer would, with private objects. */
static enum tlsg_ret inspect(struct tlsg_prof *p, const str *file, struct tlsg_pair *pair, struct tlsg_err *err)
{
	gnutls_x509_crt_t crts[CHAIN_MAX] = {NULL};
	enum tlsg_ret ret = TLSG_OK;
	unsigned i;
	int rc = 0;

	for(i = 0; i < pair->chain_len && rc >= 0; i++) {
		rc = gnutls_x509_crt_init(&crts[i]);
		if(rc >= 0)
			rc = gnutls_x509_crt_import(crts[i], &pair->chain[i].cert, GNUTLS_X509_FMT_DER);
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
	warn_dates(p, file, crts[0], pair);
	warn_usage(p, file, crts[0]);
	warn_order(p, file, crts, pair->chain_len);
	ret = check_strength(p, file, pair, err);
done:
	for(i = 0; i < CHAIN_MAX && crts[i] != NULL; i++)
		gnutls_x509_crt_deinit(crts[i]);
	return ret;
}

/* Whether the key belongs to the leaf: compares public key identifiers. */
static enum tlsg_ret check_fit(
		struct tlsg_prof *p, const str *cert_file, const struct tlsg_pair *pair, struct tlsg_err *err)
{
	unsigned char of_key[64];
	unsigned char of_cert[64];
	size_t key_size = sizeof(of_key);
	size_t cert_size = sizeof(of_cert);
	gnutls_pubkey_t pub = NULL;
	gnutls_privkey_t key = tlsg_key_open(pair->key);
	enum tlsg_ret ret;
	int rc = key != NULL ? gnutls_pubkey_init(&pub) : GNUTLS_E_INVALID_REQUEST;

	if(rc >= 0)
		rc = gnutls_pubkey_import_privkey(pub, key, 0, 0);
	if(rc >= 0)
		rc = gnutls_pubkey_get_key_id(pub, GNUTLS_KEYID_USE_SHA256, of_key, &key_size);
	if(rc >= 0)
		rc = gnutls_pubkey_get_key_id(pair->chain[0].pubkey, GNUTLS_KEYID_USE_SHA256, of_cert, &cert_size);
	if(rc < 0)
		ret = tlsg_err_set(err, TLSG_E_CONFIG, "%.*s: private_key: \"%s\" cannot be used: %s", p->id.len, p->id.s,
				pair->key->source.s, gnutls_strerror(rc));
	else if(key_size != cert_size || memcmp(of_key, of_cert, key_size) != 0)
		ret = tlsg_err_set(err, TLSG_E_CONFIG,
				"%.*s: private_key: \"%s\" does not belong to the certificate in \"%.*s\"", p->id.len, p->id.s,
				pair->key->source.s, cert_file->len, cert_file->s);
	else
		ret = TLSG_OK;
	if(pub != NULL)
		gnutls_pubkey_deinit(pub);
	if(key != NULL)
		gnutls_privkey_deinit(key);
	return ret;
}

/* The settings of one pair. */
struct pair_settings
{
	const char *cert_name;
	const str *cert;
	const str *key;
	const str *password;
};

static bool is_equal(const str *a, const str *b)
{
	return a->len == b->len && memcmp(a->s, b->s, (size_t)a->len) == 0;
}

static const struct tlsg_pair *find_in_list(const struct tlsg_prof *p, const struct pair_settings *s)
{
	unsigned i;

	for(; p != NULL; p = p->next)
		for(i = 0; i < p->pairs_len; i++)
			if(is_equal(&p->pairs[i].source, s->cert) && is_equal(&p->pairs[i].key->setting, s->key))
				return &p->pairs[i];
	return NULL;
}

/* What another profile of the snapshot has loaded for the same settings: a file is read once. */
static const struct tlsg_pair *find_loaded(const struct tlsg_set *set, const struct pair_settings *s)
{
	const struct tlsg_pair *pair = NULL;
	int role;

	for(role = 0; role < TLSG_ROLES && pair == NULL; role++) {
		pair = find_in_list(set->defaults[role], s);
		if(pair == NULL)
			pair = find_in_list(set->list[role], s);
	}
	return pair;
}

static enum tlsg_ret load_one(
		struct tlsg_prof *p, const struct pair_settings *s, struct tlsg_pair *pair, struct tlsg_err *err)
{
	const struct tlsg_pair *loaded = find_loaded(p->set, s);
	gnutls_datum_t data = {NULL, 0};
	enum tlsg_ret ret;
	int rc;

	if(loaded != NULL) {
		*pair = *loaded;
		return check_strength(p, s->cert, pair, err);
	}
	ret = tlsg_file_read(s->cert_name, s->cert->s, &data, err);
	if(ret != TLSG_OK)
		return ret;
	rc = import_chain(p->set, &data, pair);
	gnutls_memset(data.data, 0, data.size); /* the file may hold the key too */
	gnutls_free(data.data);
	if(rc == GNUTLS_E_MEMORY_ERROR)
		return tlsg_err_set(err, TLSG_E_RESOURCE, "%s: shared memory exhausted", s->cert_name);
	if(rc < 0)
		return tlsg_err_set(err, TLSG_E_CONFIG, "%.*s: %s: \"%s\" holds no certificate that can be used: %s", p->id.len,
				p->id.s, s->cert_name, s->cert->s, gnutls_strerror(rc));
	ret = inspect(p, s->cert, pair, err);
	if(ret == TLSG_OK)
		ret = tlsg_key_load(p->set, s->key, s->password, &pair->key, err);
	if(ret == TLSG_OK)
		ret = check_fit(p, s->cert, pair, err);
	if(ret == TLSG_OK) {
		pair->privkey = pair->key->ext;
		pair->source = *s->cert;
	}
	return ret;
}

static bool is_set(const str *s)
{
	return s->s != NULL && s->len > 0;
}

enum tlsg_ret tlsg_pair_load(struct tlsg_prof *p, struct tlsg_err *err)
{
	const struct pair_settings all[] = {
			{"certificate", &p->s.certificate, &p->s.private_key, &p->s.private_key_password},
			{"certificate2", &p->s.certificate2, &p->s.private_key2, &p->s.private_key_password2},
	};
	unsigned i;

	p->pairs = tlsg_arena_keep(p->set->arena, sizeof(*p->pairs) * 2);
	if(p->pairs == NULL)
		return tlsg_err_set(err, TLSG_E_RESOURCE, "shared memory exhausted");
	for(i = 0; i < 2; i++) {
		struct pair_settings s = all[i];
		enum tlsg_ret ret;

		if(!is_set(s.cert) && !is_set(s.key))
			continue;
		if(!is_set(s.cert))
			return tlsg_err_set(err, TLSG_E_CONFIG, "%.*s: private_key \"%.*s\" is set without a %s", p->id.len,
					p->id.s, s.key->len, s.key->s, s.cert_name);
		if(!is_set(s.key))
			s.key = s.cert;
		ret = load_one(p, &s, &p->pairs[p->pairs_len], err);
		if(ret != TLSG_OK)
			return ret;
		p->pairs_len++;
	}
	return TLSG_OK;
}
