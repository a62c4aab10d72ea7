/*
 * tls_gnutls - loads the certificate chains of profiles with their keys
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot.  Memory: the snapshot's arena (shm).  Lock: none.
 */
#include "profiles/load_pair.h"

#include <strings.h>

#include <gnutls/x509.h>

#include "base/arena.h"
#include "base/plural.h"
#include "base/scope.h"
#include "profiles/isolate/client.h"
#include "profiles/keys/file.h"
#include "profiles/keys/key_file.h"
#include "profiles/pair_chain.h"
#include "profiles/pair_check.h"
#include "profiles/load_key.h"
#include "profiles/list.h"
#include "profiles/load_token.h"
#include "profiles/pem.h"
#include "profiles/source.h"
#include "profiles/value.h"
#include "profiles/verify/crt.h"

/* The settings of one pair. */
struct pair_settings
{
	const char *cert_name;
	const char *key_name;
	const str *cert;
	const str *key;
	const str *password;
};

/* ---- the chain ---- */

static enum tlsg_ret chain_result(const struct pair_settings *s, int rc, struct tlsg_err *err)
{
	if(rc >= 0)
		return TLSG_OK;
	if(rc == GNUTLS_E_MEMORY_ERROR)
		return tlsg_err_no_shm(err, s->cert_name, 0);
	return tlsg_err_set(err, TLSG_E_CONFIG, "%s: \"%s\" contains no usable certificate: %s", s->cert_name, s->cert->s,
			gnutls_strerror(rc));
}

/* Parses one certificate into the snapshot's arena. */
static enum tlsg_ret chain_add(struct tlsg_set *set, const struct pair_settings *s, const gnutls_datum_t *der,
		struct tlsg_pair *pair, struct tlsg_err *err)
{
	const struct tlsg_der bytes = {der->data, der->size};
	struct tlsg_arena *previous = tlsg_scope_enter(set->arena);
	int rc = gnutls_pcert_import_x509_raw(&pair->chain[pair->chain_len], der, GNUTLS_X509_FMT_DER, 0);
	char curve[TLSG_CRT_CURVE_SIZE];

	tlsg_scope_leave(previous);
	if(rc >= 0)
		pair->chain_len++;
	else if(rc != GNUTLS_E_MEMORY_ERROR && tlsg_crt_has_unsupported_curve(&bytes, curve))
		return tlsg_err_set(err, TLSG_E_CONFIG,
				"%s: certificate %u in \"%s\" has a key on the elliptic curve %s, which GnuTLS does not support; use "
				"secp256r1, secp384r1 or RSA",
				s->cert_name, pair->chain_len + 1, s->cert->s, curve);
	return chain_result(s, rc, err);
}

/* Reads all certificates of a file. */
static enum tlsg_ret chain_parse(struct tlsg_set *set, const struct pair_settings *s, const gnutls_datum_t *data,
		struct tlsg_pair *pair, struct tlsg_err *err)
{
	struct tlsg_pem_block b;
	struct tlsg_pem pem;
	enum tlsg_ret ret;

	pair->chain_len = 0;
	pair->chain = tlsg_arena_keep(set->arena, TLSG_KEY_FILE_CERTS_MAX * sizeof(*pair->chain));
	if(pair->chain == NULL)
		return chain_result(s, GNUTLS_E_MEMORY_ERROR, err);
	tlsg_pem_open(&pem, s->cert_name, s->cert->s, data);
	while((ret = tlsg_pem_next(&pem, &b, err)) == TLSG_OK && b.der.size > 0) {
		if(b.kind == TLSG_PEM_CERTIFICATE && pair->chain_len < TLSG_KEY_FILE_CERTS_MAX)
			ret = chain_add(set, s, &b.der, pair, err);
		else if(b.kind == TLSG_PEM_CERTIFICATE)
			LM_WARN("%s: \"%s\" has more than %d certificates; one too many is not sent\n", s->cert_name, s->cert->s,
					TLSG_KEY_FILE_CERTS_MAX);
		tlsg_pem_free(&b);
		if(ret != TLSG_OK)
			return ret;
	}
	if(ret == TLSG_OK && pair->chain_len == 0)
		return chain_result(s, GNUTLS_E_NO_CERTIFICATE_FOUND, err);
	return ret;
}

/* Parses the certificates that came with a PKCS#12 file. */
static int chain_parse_pkcs12(struct tlsg_set *set, const struct tlsg_key *k, struct tlsg_pair *pair)
{
	struct tlsg_arena *previous = tlsg_scope_enter(set->arena);
	gnutls_pcert_st *list = gnutls_calloc(TLSG_KEY_FILE_CERTS_MAX, sizeof(*list));
	int rc = list != NULL ? 0 : GNUTLS_E_MEMORY_ERROR;
	unsigned i;

	for(i = 0; rc >= 0 && i < k->certs_len; i++) {
		gnutls_datum_t der = {k->certs[i].data, k->certs[i].size};

		rc = gnutls_pcert_import_x509_raw(&list[i], &der, GNUTLS_X509_FMT_DER, 0);
	}
	tlsg_scope_leave(previous);
	if(rc < 0)
		return rc;
	pair->chain = list;
	pair->chain_len = k->certs_len;
	return pair->chain_len > 0 ? 0 : GNUTLS_E_NO_CERTIFICATE_FOUND;
}

static enum tlsg_ret chain_from_pkcs12(
		struct tlsg_prof *p, const struct pair_settings *s, struct tlsg_pair *pair, struct tlsg_err *err)
{
	struct tlsg_key_file_request r = {s->cert_name, s->cert, s->password};
	struct tlsg_key *k;
	enum tlsg_ret ret = tlsg_load_key(p->set, &r, &k, err);

	if(ret != TLSG_OK)
		return ret;
	return chain_result(s, chain_parse_pkcs12(p->set, k, pair), err);
}

static enum tlsg_ret chain_load(
		struct tlsg_prof *p, const struct pair_settings *s, struct tlsg_pair *pair, struct tlsg_err *err)
{
	const struct tlsg_key_file_request r = {s->cert_name, s->cert, s->password};
	gnutls_datum_t data = {NULL, 0};
	bool is_pkcs12;
	enum tlsg_ret ret;

	if(tlsg_key_file_name_is_pkcs12(s->cert))
		return chain_from_pkcs12(p, s, pair, err);
	if(tlsg_load_token_is_uri(s->cert)) {
		ret = tlsg_load_token_chain(p->set, &r, &data, err);
	} else {
		tlsg_source_note(p->set, s->cert->s, false);
		ret = tlsg_file_read(s->cert_name, s->cert->s, &data, err);
	}
	if(ret != TLSG_OK)
		return ret;
	is_pkcs12 = tlsg_key_file_data_is_pkcs12(&data);
	if(!is_pkcs12)
		ret = chain_parse(p->set, s, &data, pair, err);
	tlsg_file_free(&data); /* wiped: the file may hold the key too */
	return is_pkcs12 ? chain_from_pkcs12(p, s, pair, err) : ret;
}

/* ---- the pair ---- */

/*
 * GnuTLS uses its own certificate only for what the key usage says, OpenSSL for whatever is negotiated: peers decide.
 * Source: RFC 5280 section 4.2.1.3; there was a warning.
 */
static void key_usage_lift(struct tlsg_pair *pair)
{
	(void)gnutls_pubkey_set_key_usage(pair->chain[0].pubkey,
			GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_KEY_ENCIPHERMENT | GNUTLS_KEY_KEY_AGREEMENT);
}

/* Whether a pair was loaded for these settings. If its key needed a password, it must be the same one. */
static bool pair_is_for(const struct tlsg_pair *pair, const struct pair_settings *s)
{
	return tlsg_value_is_same(&pair->source, s->cert) && tlsg_value_is_same(&pair->key->source, s->key)
		   && (!pair->key->is_encrypted || pair->key->is_asked
				   || tlsg_value_is_same(&pair->key->password, s->password));
}

static const struct tlsg_prof *find_in_list(
		const struct tlsg_prof *p, const struct pair_settings *s, const struct tlsg_pair **pair)
{
	unsigned i;

	for(; p != NULL; p = p->next)
		for(i = 0; i < p->pairs_len; i++)
			if(pair_is_for(&p->pairs[i], s)) {
				*pair = &p->pairs[i];
				return p;
			}
	return NULL;
}

/* Finds the profile of the snapshot that has loaded the same settings: a file is read once. */
static const struct tlsg_prof *find_loaded(
		const struct tlsg_set *set, const struct pair_settings *s, const struct tlsg_pair **pair)
{
	const struct tlsg_prof *p = NULL;
	int role;

	for(role = 0; role < TLSG_ROLES && p == NULL; role++) {
		p = find_in_list(set->defaults[role], s, pair);
		if(p == NULL)
			p = find_in_list(set->list[role], s, pair);
	}
	return p;
}

/*
 * Copies the pair of another profile. One with the same role and CAs has had the warnings already; one with other CAs
 * has completed the chain in another way.
 */
static enum tlsg_ret pair_copy(struct tlsg_prof *p, const struct tlsg_prof *from, const struct tlsg_pair *loaded,
		const struct pair_settings *s, struct tlsg_err *err)
{
	struct tlsg_pair *pair = &p->pairs[p->pairs_len];
	bool is_checked = from->role == p->role;
	enum tlsg_ret ret;

	*pair = *loaded;
	if(from->trust != p->trust) {
		pair->chain_len = pair->own_len;
		ret = tlsg_pair_chain_complete(p, s->cert, pair, err);
		if(ret != TLSG_OK)
			return ret;
		is_checked = is_checked && pair->chain_len == pair->own_len;
	}
	return is_checked ? tlsg_pair_check_strength(p, s->cert, pair, err) : tlsg_pair_check(p, s->cert, pair, err);
}

static enum tlsg_ret key_load(
		struct tlsg_prof *p, const struct pair_settings *s, struct tlsg_pair *pair, struct tlsg_err *err)
{
	struct tlsg_key_file_request r = {s->key_name, s->key, s->password};
	enum tlsg_ret ret = tlsg_load_token_is_uri(s->key)
								? tlsg_load_token_key(p, &r, &pair->chain[0].cert, &pair->key, err)
								: tlsg_load_key(p->set, &r, &pair->key, err);

	if(ret != TLSG_OK)
		return ret;
	if(!tlsg_key_is_on_token(pair->key))
		ret = tlsg_pair_check_fit(s->key_name, s->cert, pair, err);
	if(ret == TLSG_OK)
		pair->source = *s->cert;
	return ret;
}

static enum tlsg_ret load_one(struct tlsg_prof *p, const struct pair_settings *s, struct tlsg_err *err)
{
	struct tlsg_pair *pair = &p->pairs[p->pairs_len];
	const struct tlsg_pair *loaded = NULL;
	const struct tlsg_prof *from;
	enum tlsg_ret ret;

	if(p->pairs_len == TLSG_PAIRS_MAX)
		return tlsg_err_set(err, TLSG_E_CONFIG, "%s: more than %d certificates", s->cert_name, TLSG_PAIRS_MAX);
	from = find_loaded(p->set, s, &loaded);
	if(from != NULL) {
		ret = pair_copy(p, from, loaded, s, err);
	} else {
		ret = chain_load(p, s, pair, err);
		if(ret == TLSG_OK)
			ret = tlsg_pair_chain_complete(p, s->cert, pair, err);
		if(ret == TLSG_OK)
			ret = tlsg_pair_check(p, s->cert, pair, err);
		if(ret == TLSG_OK)
			key_usage_lift(pair);
		if(ret == TLSG_OK)
			ret = key_load(p, s, pair, err);
	}
	if(ret == TLSG_OK)
		p->pairs_len++;
	return ret;
}

/* One setting may name several files, the keys in the order of the certificates. */
static enum tlsg_ret load_list(struct tlsg_prof *p, const struct pair_settings *s, struct tlsg_err *err)
{
	str certs[TLSG_PAIRS_MAX], keys[TLSG_PAIRS_MAX];
	int i, certs_len = 0, keys_len = 0;
	enum tlsg_ret ret = tlsg_list_split(p->set, s->cert_name, s->cert, certs, &certs_len, err);

	if(ret == TLSG_OK)
		ret = tlsg_list_split(p->set, s->key_name, s->key, keys, &keys_len, err);
	if(ret == TLSG_OK && certs_len != keys_len)
		ret = tlsg_err_set(err, TLSG_E_CONFIG, "%s names %d file%s and %s %d: each certificate needs its key",
				s->cert_name, certs_len, tlsg_plural_s((unsigned)certs_len), s->key_name, keys_len);
	for(i = 0; i < certs_len && ret == TLSG_OK; i++) {
		struct pair_settings one = *s;

		one.cert = &certs[i];
		one.key = &keys[i];
		ret = load_one(p, &one, err);
	}
	return ret;
}

enum tlsg_ret tlsg_load_pair(struct tlsg_prof *p, struct tlsg_err *err)
{
	const struct pair_settings all[] = {
			{"certificate", "private_key", &p->s.certificate, &p->s.private_key, &p->s.private_key_password},
			{"certificate2", "private_key2", &p->s.certificate2, &p->s.private_key2, &p->s.private_key_password2},
	};
	unsigned i;

	p->pairs = tlsg_arena_keep(p->set->arena, sizeof(*p->pairs) * TLSG_PAIRS_MAX);
	if(p->pairs == NULL)
		return tlsg_err_no_shm(err, "certificate", sizeof(*p->pairs) * TLSG_PAIRS_MAX);
	for(i = 0; i < 2; i++) {
		struct pair_settings s = all[i];
		enum tlsg_ret ret;

		if(!tlsg_value_is_set(s.cert) && !tlsg_value_is_set(s.key))
			continue;
		if(!tlsg_value_is_set(s.cert))
			return tlsg_err_set(err, TLSG_E_CONFIG, "%s \"%.*s\" is set without a %s", s.key_name, s.key->len, s.key->s,
					s.cert_name);
		if(!tlsg_value_is_set(s.key))
			s.key = s.cert;
		ret = load_list(p, &s, err);
		if(ret != TLSG_OK)
			return ret;
	}
	return TLSG_OK;
}
