/*
 * tls_gnutls - examines a private key on a token for the builder of a snapshot
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot; the work itself in a child that ends with it, and whose memory nobody frees.
 * Memory: the result on this process's heap.  Lock: none.
 */
#include "pkcs11/p11_look.h"

#include <string.h>

#include "pkcs11/p11_key.h"
#include "pkcs11/p11_match.h"
#include "pkcs11/p11_probe.h"

/* What is tried, and what it shows that the key can do. */
static const struct
{
	unsigned bit;
	gnutls_pk_algorithm_t pk;
	gnutls_sign_algorithm_t algo;
	gnutls_sign_algorithm_t pss_algo; /* for certificates whose key is restricted to PSS */
} trials[] = {
		{TLSG_P11_CAN_PKCS1, GNUTLS_PK_RSA, GNUTLS_SIGN_RSA_SHA256, GNUTLS_SIGN_UNKNOWN},
		{TLSG_P11_CAN_PSS_SHA256, GNUTLS_PK_RSA, GNUTLS_SIGN_RSA_PSS_RSAE_SHA256, GNUTLS_SIGN_RSA_PSS_SHA256},
		{TLSG_P11_CAN_PSS_SHA384, GNUTLS_PK_RSA, GNUTLS_SIGN_RSA_PSS_RSAE_SHA384, GNUTLS_SIGN_RSA_PSS_SHA384},
		{TLSG_P11_CAN_PSS_SHA512, GNUTLS_PK_RSA, GNUTLS_SIGN_RSA_PSS_RSAE_SHA512, GNUTLS_SIGN_RSA_PSS_SHA512},
		{TLSG_P11_CAN_ECDSA, GNUTLS_PK_ECDSA, GNUTLS_SIGN_ECDSA_SHA256, GNUTLS_SIGN_UNKNOWN},
		{TLSG_P11_CAN_EDDSA, GNUTLS_PK_EDDSA_ED25519, GNUTLS_SIGN_EDDSA_ED25519, GNUTLS_SIGN_UNKNOWN},
		{TLSG_P11_CAN_EDDSA, GNUTLS_PK_EDDSA_ED448, GNUTLS_SIGN_EDDSA_ED448, GNUTLS_SIGN_UNKNOWN},
};

/*
 * Signs with each algorithm and verifies with the certificate.
 * @param why  [out] last error.
 * @return signatures that did not verify.
 */
static unsigned try_signing(
		gnutls_privkey_t key, gnutls_pubkey_t pub, gnutls_pk_algorithm_t pk, unsigned *can, int *why)
{
	bool restricted = gnutls_pubkey_get_pk_algorithm(pub, NULL) == GNUTLS_PK_RSA_PSS;
	unsigned wrong = 0;
	size_t i;

	for(i = 0; i < sizeof(trials) / sizeof(trials[0]); i++) {
		gnutls_sign_algorithm_t algo = restricted ? trials[i].pss_algo : trials[i].algo;
		enum tlsg_p11_match_result result;
		int code;

		if(trials[i].pk != pk || algo == GNUTLS_SIGN_UNKNOWN)
			continue;
		tlsg_p11_probe_stage("signing with", gnutls_sign_get_name(algo));
		result = tlsg_p11_match_sign(key, pub, algo, &code);
		if(code < 0)
			*why = code;
		if(result == TLSG_P11_MATCH_OTHER)
			wrong++;
		else if(result == TLSG_P11_MATCH_SAME)
			*can |= trials[i].bit;
	}
	return wrong;
}

static void try_decrypting(gnutls_privkey_t key, gnutls_pubkey_t pub, unsigned *can)
{
	gnutls_datum_t text = {(unsigned char *)"tls_gnutls tries a key", 22};
	gnutls_datum_t secret = {NULL, 0}, back = {NULL, 0};

	tlsg_p11_probe_stage("decrypting", NULL);
	if(gnutls_pubkey_get_pk_algorithm(pub, NULL) != GNUTLS_PK_RSA
			|| gnutls_pubkey_encrypt_data(pub, 0, &text, &secret) < 0)
		return;
	if(gnutls_privkey_decrypt_data(key, 0, &secret, &back) >= 0 && back.size == text.size
			&& memcmp(back.data, text.data, text.size) == 0)
		*can |= TLSG_P11_CAN_DECRYPT;
}

/* Exactly one private key must match the URI, which names it from now on. */
static enum tlsg_ret one_key(struct tlsg_p11_find *f, struct tlsg_err *err)
{
	struct tlsg_p11_find_objects keys, others;
	char *url = NULL;
	int rc;

	tlsg_p11_probe_stage("logging in and looking for the key", NULL);
	rc = tlsg_p11_find_list(f, GNUTLS_PKCS11_OBJ_FLAG_PRIVKEY | GNUTLS_PKCS11_OBJ_FLAG_LOGIN, &keys);
	if(rc < 0)
		return tlsg_p11_key_explain(rc, err);
	if(keys.len > 1)
		return tlsg_err_set(err, TLSG_E_CONFIG, "%u private keys match the URI: add id= or object= to it", keys.len);
	if(keys.len == 0) {
		if(tlsg_p11_find_list(f, 0, &others) >= 0 && others.len > 0)
			return tlsg_err_set(err, TLSG_E_CONFIG, "the object is not a private key");
		return tlsg_err_set(err, TLSG_E_CONFIG, "the token has no such private key");
	}
	if(gnutls_pkcs11_obj_export_url(keys.list[0], GNUTLS_PKCS11_URL_LIB, &url) >= 0 && strlen(url) < sizeof(f->uri)
			&& (strstr(url, "id=") != NULL || strstr(url, "object=") != NULL)) {
		memcpy(f->uri, url, strlen(url) + 1);
		return TLSG_OK;
	}
	return f->q->uri.has_object ? TLSG_OK
								: tlsg_err_set(err, TLSG_E_CONFIG, "the private key has neither an id nor a label");
}

/* Finds out what an open key can do, and whether it matches the certificate. */
static enum tlsg_ret examine(const gnutls_datum_t *certificate, gnutls_privkey_t key, gnutls_pubkey_t pub,
		struct tlsg_p11_facts *f, struct tlsg_err *err)
{
	unsigned wrong;
	int why = 0;

	f->pk = (gnutls_pk_algorithm_t)gnutls_privkey_get_pk_algorithm(key, &f->bits);
	tlsg_p11_probe_stage("reading the public key", NULL);
	if(tlsg_p11_match_compare(key, pub) == TLSG_P11_MATCH_OTHER)
		return tlsg_p11_match_refuse(key, certificate, err);
	wrong = try_signing(key, pub, f->pk, &f->can, &why);
	if(f->can == 0 && wrong > 0)
		return tlsg_p11_match_refuse(key, certificate, err);
	if(f->can == 0)
		return tlsg_err_set(
				err, TLSG_E_CONFIG, "the key makes no signature that TLS can use: %s", gnutls_strerror(why));
	if(f->pk == GNUTLS_PK_RSA)
		try_decrypting(key, pub, &f->can);
	if(gnutls_pubkey_get_pk_algorithm(pub, &f->bits) == GNUTLS_PK_RSA_PSS)
		f->pk = GNUTLS_PK_RSA_PSS;
	return TLSG_OK;
}

/* An attempt as tlsg_p11_find_run() makes them. @param out  [out] struct tlsg_p11_facts. */
static enum tlsg_ret key_examine(struct tlsg_p11_find *f, gnutls_datum_t *out, struct tlsg_err *err)
{
	struct tlsg_p11_facts *facts = gnutls_calloc(1, sizeof(*facts));
	struct tlsg_p11_object o = {.pin = f->q->pin};
	gnutls_privkey_t key = NULL;
	gnutls_pubkey_t pub = NULL;
	enum tlsg_ret ret = tlsg_p11_find_token(f, err);
	int rc;

	if(facts == NULL)
		return tlsg_err_set(err, TLSG_E_RESOURCE, "out of memory");
	if(ret == TLSG_OK)
		ret = one_key(f, err);
	if(ret == TLSG_OK)
		ret = tlsg_p11_find_module(f, facts->module, err);
	if(ret == TLSG_OK)
		ret = tlsg_p11_match_public(f->leaf, &pub, err);
	if(ret != TLSG_OK)
		return ret;
	memcpy(o.uri, f->uri, sizeof(o.uri));
	memcpy(facts->uri, f->uri, sizeof(facts->uri));
	memcpy(facts->token, f->token, sizeof(facts->token));
	facts->sessions = tlsg_p11_find_sessions(f);
	tlsg_p11_probe_stage("opening the key", NULL);
	rc = tlsg_p11_key_import(&o, &key);
	if(rc < 0)
		return tlsg_p11_key_explain(rc, err);
	ret = examine(f->leaf, key, pub, facts, err);
	out->data = (unsigned char *)facts;
	out->size = sizeof(*facts);
	return ret;
}

enum tlsg_ret tlsg_p11_look_key(const struct tlsg_p11_query *q, const gnutls_datum_t *certificate,
		struct tlsg_p11_facts *facts, struct tlsg_err *err)
{
	struct tlsg_p11_find f = {.q = q, .leaf = certificate, .type = "private", .attempt = key_examine};
	gnutls_datum_t out = {NULL, 0};
	enum tlsg_ret ret = tlsg_p11_find_run(&f, &out, err);

	if(ret != TLSG_OK)
		return ret;
	if(out.size != sizeof(*facts))
		ret = tlsg_err_set(
				err, TLSG_E_INTERNAL, "the child's report about a key has %u bytes, not %zu", out.size, sizeof(*facts));
	else
		memcpy(facts, out.data, sizeof(*facts));
	gnutls_free(out.data);
	return ret;
}
