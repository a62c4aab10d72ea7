/*
 * tls_gnutls - looks at tokens for the builder: keys, certificate chains, trust anchors
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot; the work itself in a child that ends with it, and whose memory nobody frees.
 * Memory: answers on this process's heap.  Lock: none.
 */
#include "pkcs11/p11_look.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/pkcs11.h>
#include <gnutls/x509.h>
#include <p11-kit/p11-kit.h>
#include <p11-kit/uri.h>

#include "pkcs11/p11_module.h"
#include "pkcs11/p11_probe.h"
#include "pkcs11/p11_retry.h"

#define CHAIN_MAX 16

/* What the child gets. */
struct task
{
	const struct tlsg_p11_query *q;
	const gnutls_datum_t *certificate; /* of a key */
	const char *wanted;				   /* value of type= that the URI may have */
	char uri[TLSG_P11_URI_SIZE];	   /* q->uri.uri, with the token filled in where it names none */
	char token[TLSG_P11_URI_SIZE];	   /* the token that it is on, or the first of several */
};

static void *pin_of(const struct task *t)
{
	return (void *)&t->q->pin;
}

/* ---- where the token is ---- */

static enum tlsg_ret load_module(const struct task *t, struct tlsg_err *err)
{
	const struct tlsg_p11_query *q = t->q;
	const char *name = q->uri.module_path[0] != '\0' ? q->uri.module_path : q->uri.module_name;
	char path[TLSG_P11_PATH_SIZE];

	if(name[0] == '\0')
		name = q->module;
	tlsg_p11_probe_stage("loading the module", name[0] != '\0' ? name : "(all that are registered)");
	if(name[0] == '\0')
		return tlsg_p11_module_use_registered(err);
	if(strchr(name, '/') == NULL) {
		enum tlsg_ret ret = tlsg_p11_module_find(name, path, err);

		if(ret != TLSG_OK)
			return ret;
		name = path;
	}
	return tlsg_p11_module_use(name, err);
}

/* Puts the token's own attributes into a URI, so that it means that token and no other. */
static bool merge_token(struct task *t, const char *token_url)
{
	P11KitUri *uri = p11_kit_uri_new();
	P11KitUri *token = p11_kit_uri_new();
	char *text = NULL;
	bool done = false;

	if(uri == NULL || token == NULL || p11_kit_uri_parse(t->uri, P11_KIT_URI_FOR_ANY, uri) != P11_KIT_URI_OK
			|| p11_kit_uri_parse(token_url, P11_KIT_URI_FOR_TOKEN, token) != P11_KIT_URI_OK)
		goto out;
	memcpy(p11_kit_uri_get_token_info(uri), p11_kit_uri_get_token_info(token), sizeof(CK_TOKEN_INFO));
	p11_kit_uri_set_slot_id(uri, (CK_SLOT_ID)-1);
	if(p11_kit_uri_format(uri, P11_KIT_URI_FOR_ANY, &text) == P11_KIT_URI_OK && strlen(text) < sizeof(t->uri)) {
		memcpy(t->uri, text, strlen(text) + 1);
		done = true;
	}
out:
	p11_kit_uri_free(uri);
	p11_kit_uri_free(token);
	free(text);
	return done;
}

/* Finds the token in the slot that was named. GnuTLS looks for tokens by their attributes only. */
static enum tlsg_ret resolve_slot(struct task *t, struct tlsg_err *err)
{
	unsigned i;

	for(i = 0;; i++) {
		unsigned long slot = 0;
		char *url = NULL;

		if(gnutls_pkcs11_token_get_url(i, GNUTLS_PKCS11_URL_GENERIC, &url) < 0)
			return tlsg_err_set(err, TLSG_E_CONFIG, "there is no token in slot %lu", t->q->uri.slot);
		if(gnutls_pkcs11_token_get_ptr(url, NULL, &slot, 0) >= 0 && slot == t->q->uri.slot)
			return merge_token(t, url)
						   ? TLSG_OK
						   : tlsg_err_set(err, TLSG_E_CONFIG, "the token in slot %lu has no proper name", slot);
		gnutls_free(url);
	}
}

static bool is_match(P11KitUri *uri, const char *token_url)
{
	P11KitUri *token = p11_kit_uri_new();
	bool match = token != NULL && p11_kit_uri_parse(token_url, P11_KIT_URI_FOR_TOKEN, token) == P11_KIT_URI_OK
				 && p11_kit_uri_match_token_info(uri, p11_kit_uri_get_token_info(token)) != 0;

	p11_kit_uri_free(token);
	return match;
}

/* Counts the tokens that a URI means. @param first  [out] URL of the first one. */
static unsigned count_tokens(const char *text, char *first)
{
	P11KitUri *uri = p11_kit_uri_new();
	char *url = NULL;
	unsigned n = 0, i;

	first[0] = '\0';
	if(uri == NULL || p11_kit_uri_parse(text, P11_KIT_URI_FOR_ANY, uri) != P11_KIT_URI_OK)
		return 0;
	for(i = 0; gnutls_pkcs11_token_get_url(i, GNUTLS_PKCS11_URL_GENERIC, &url) >= 0; i++) {
		unsigned flags = 0;

		if(is_match(uri, url) && gnutls_pkcs11_token_get_flags(url, &flags) >= 0
				&& (flags & GNUTLS_PKCS11_TOKEN_INITIALIZED) && n++ == 0 && strlen(url) < TLSG_P11_URI_SIZE)
			memcpy(first, url, strlen(url) + 1);
	}
	p11_kit_uri_free(uri);
	return n;
}

/* A PIN must not be tried on a token that it is not for: with a PIN there must be one token, and it is named from now on. */
static enum tlsg_ret settle_token(struct task *t, struct tlsg_err *err)
{
	unsigned n = count_tokens(t->uri, t->token);
	unsigned flags = 0;

	if(n == 0)
		return tlsg_err_set(err, TLSG_E_CONFIG, "there is no such token");
	if(n > 1 && (t->certificate != NULL || t->q->pin.is_set))
		return tlsg_err_set(err, TLSG_E_CONFIG, "%u tokens go by that name: add token= or serial= to the URI", n);
	if(n == 1 && !t->q->uri.has_token && !merge_token(t, t->token))
		return tlsg_err_set(err, TLSG_E_CONFIG, "the token has no proper name");
	if(gnutls_pkcs11_token_get_flags(t->token, &flags) >= 0 && (flags & GNUTLS_PKCS11_TOKEN_USER_PIN_LOCKED))
		return tlsg_err_set(err, TLSG_E_CONFIG, "the token has locked its PIN");
	return TLSG_OK;
}

static enum tlsg_ret find_token(struct task *t, struct tlsg_err *err)
{
	enum tlsg_ret ret;

	if(t->q->uri.type[0] != '\0' && strcmp(t->q->uri.type, t->wanted) != 0)
		return tlsg_err_set(err, TLSG_E_CONFIG, "type=%s is wrong here: type=%s is needed", t->q->uri.type, t->wanted);
	ret = load_module(t, err);
	memcpy(t->uri, t->q->uri.uri, sizeof(t->uri));
	if(ret == TLSG_OK && t->q->uri.has_slot)
		ret = resolve_slot(t, err);
	if(ret != TLSG_OK)
		return ret;
	tlsg_p11_probe_stage("looking for the token", NULL);
	gnutls_pkcs11_set_pin_function(tlsg_p11_pin_cb, pin_of(t));
	return settle_token(t, err);
}

/* Works as pkcs11/p11_retry.h says, unless the PIN was at fault. */
static enum tlsg_ret retry(struct task *t, tlsg_p11_probe_work attempt, gnutls_datum_t *out, struct tlsg_err *err)
{
	struct tlsg_p11_retry r;
	struct tlsg_err why;
	enum tlsg_ret ret;

	tlsg_p11_retry_begin(&r);
	for(;;) {
		tlsg_err_clear(&why);
		tlsg_p11_pin_begin();
		ret = attempt(t, out, &why);
		if(ret == TLSG_OK || tlsg_p11_pin_is_final() || !tlsg_p11_retry_is_worth_it(&r))
			break;
		gnutls_free(out->data);
		out->size = 0;
		tlsg_p11_retry_restart(&r, TLSG_P11_RETRY_BUILDER_MS);
	}
	return ret == TLSG_OK ? ret : tlsg_err_set(err, ret, "%s", why.text);
}

/* The library that has the token. */
static enum tlsg_ret module_of(const struct task *t, char *out, struct tlsg_err *err)
{
	void *module = NULL;
	char *file = NULL;

	if(gnutls_pkcs11_token_get_ptr(t->token, &module, NULL, 0) >= 0)
		file = p11_kit_module_get_filename(module);
	if(file == NULL || strlen(file) >= TLSG_P11_PATH_SIZE)
		return tlsg_err_set(err, TLSG_E_CONFIG, "the module of the token has no path");
	snprintf(out, TLSG_P11_PATH_SIZE, "%s", file);
	return TLSG_OK;
}

/* ---- objects ---- */

struct objects
{
	gnutls_pkcs11_obj_t *list;
	unsigned len;
};

static int list_objects(const struct task *t, unsigned flags, struct objects *o)
{
	int rc;

	o->list = NULL;
	o->len = 0;
	rc = gnutls_pkcs11_obj_list_import_url4(&o->list, &o->len, t->uri, flags);
	return rc == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE ? 0 : rc;
}

/* Certificates are usually seen without a login; when there are none and there is a PIN, with one. */
static int list_certificates(const struct task *t, unsigned flags, struct objects *o)
{
	int rc = list_objects(t, GNUTLS_PKCS11_OBJ_FLAG_CRT | flags, o);

	if((rc < 0 || o->len == 0) && t->q->pin.is_set)
		rc = list_objects(t, GNUTLS_PKCS11_OBJ_FLAG_CRT | GNUTLS_PKCS11_OBJ_FLAG_LOGIN | flags, o);
	return rc;
}

/* ---- a key ---- */

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

/* Signs with each algorithm and checks with the certificate. @return how many signatures the certificate did not verify. */
static unsigned try_signing(
		gnutls_privkey_t key, gnutls_pubkey_t pub, gnutls_pk_algorithm_t pk, unsigned *can, int *why)
{
	gnutls_datum_t text = {(unsigned char *)"tls_gnutls tries a key", 22};
	bool restricted = gnutls_pubkey_get_pk_algorithm(pub, NULL) == GNUTLS_PK_RSA_PSS;
	unsigned wrong = 0;
	size_t i;

	for(i = 0; i < sizeof(trials) / sizeof(trials[0]); i++) {
		gnutls_sign_algorithm_t algo = restricted ? trials[i].pss_algo : trials[i].algo;
		gnutls_datum_t signature = {NULL, 0};
		int rc;

		if(trials[i].pk != pk || algo == GNUTLS_SIGN_UNKNOWN)
			continue;
		tlsg_p11_probe_stage("signing with", gnutls_sign_get_name(algo));
		rc = gnutls_privkey_sign_data2(key, algo, 0, &text, &signature);
		if(rc < 0)
			*why = rc;
		else if(gnutls_pubkey_verify_data2(pub, algo, 0, &text, &signature) < 0)
			wrong++;
		else
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

/* @return 1 the key is another one than the certificate's, 0 the same, -1 the token does not show it. */
static int compare_public(gnutls_privkey_t key, gnutls_pubkey_t of_cert)
{
	unsigned char a[64], b[64];
	size_t a_size = sizeof(a), b_size = sizeof(b);
	gnutls_pubkey_t pub = NULL;

	tlsg_p11_probe_stage("reading the public key", NULL);
	if(gnutls_pubkey_init(&pub) < 0 || gnutls_pubkey_import_privkey(pub, key, 0, 0) < 0
			|| gnutls_pubkey_get_pk_algorithm(of_cert, NULL) == GNUTLS_PK_RSA_PSS /* the token calls it RSA */
			|| gnutls_pubkey_get_key_id(pub, GNUTLS_KEYID_USE_SHA256, a, &a_size) < 0
			|| gnutls_pubkey_get_key_id(of_cert, GNUTLS_KEYID_USE_SHA256, b, &b_size) < 0)
		return -1;
	return a_size != b_size || memcmp(a, b, a_size) != 0;
}

static enum tlsg_ret certificate_key(const gnutls_datum_t *der, gnutls_pubkey_t *out, struct tlsg_err *err)
{
	gnutls_x509_crt_t crt = NULL;
	int rc = gnutls_x509_crt_init(&crt);

	if(rc >= 0)
		rc = gnutls_x509_crt_import(crt, der, GNUTLS_X509_FMT_DER);
	if(rc >= 0)
		rc = gnutls_pubkey_init(out);
	if(rc >= 0)
		rc = gnutls_pubkey_import_x509(*out, crt, 0);
	return rc < 0 ? tlsg_err_gnutls(err, rc, "the certificate of the key") : TLSG_OK;
}

/* Exactly one private key must go by the URI. */
static enum tlsg_ret one_key(struct task *t, struct tlsg_err *err)
{
	struct objects keys, others;
	char *url = NULL;
	int rc;

	tlsg_p11_probe_stage("logging in and looking for the key", NULL);
	rc = list_objects(t, GNUTLS_PKCS11_OBJ_FLAG_PRIVKEY | GNUTLS_PKCS11_OBJ_FLAG_LOGIN, &keys);
	if(rc < 0)
		return tlsg_p11_key_refuse(rc, err);
	if(keys.len > 1)
		return tlsg_err_set(
				err, TLSG_E_CONFIG, "%u private keys go by that name: add id= or object= to the URI", keys.len);
	if(keys.len == 0) {
		if(list_objects(t, 0, &others) >= 0 && others.len > 0)
			return tlsg_err_set(err, TLSG_E_CONFIG, "the object is no private key");
		return tlsg_err_set(err, TLSG_E_CONFIG, "the token has no such private key");
	}
	if(t->q->uri.has_object)
		return TLSG_OK;
	if(gnutls_pkcs11_obj_export_url(keys.list[0], GNUTLS_PKCS11_URL_GENERIC, &url) < 0 || strlen(url) >= sizeof(t->uri))
		return tlsg_err_set(err, TLSG_E_CONFIG, "the private key has neither an id nor a label");
	memcpy(t->uri, url, strlen(url) + 1);
	return TLSG_OK;
}

static enum tlsg_ret examine(gnutls_privkey_t key, gnutls_pubkey_t pub, struct tlsg_p11_facts *f, struct tlsg_err *err)
{
	unsigned wrong;
	int differs = compare_public(key, pub);
	int why = 0;

	f->pk = (gnutls_pk_algorithm_t)gnutls_privkey_get_pk_algorithm(key, &f->bits);
	if(differs == 1)
		return tlsg_err_set(err, TLSG_E_CONFIG, "the key does not belong to the certificate");
	wrong = try_signing(key, pub, f->pk, &f->can, &why);
	if(f->can == 0 && wrong > 0)
		return tlsg_err_set(
				err, TLSG_E_CONFIG, "the key does not belong to the certificate: its signatures do not verify");
	if(f->can == 0)
		return tlsg_err_set(
				err, TLSG_E_CONFIG, "the key makes no signature that TLS can use: %s", gnutls_strerror(why));
	if(f->pk == GNUTLS_PK_RSA)
		try_decrypting(key, pub, &f->can);
	if(gnutls_pubkey_get_pk_algorithm(pub, &f->bits) == GNUTLS_PK_RSA_PSS)
		f->pk = GNUTLS_PK_RSA_PSS;
	return TLSG_OK;
}

static enum tlsg_ret key_once(void *arg, gnutls_datum_t *out, struct tlsg_err *err)
{
	struct task *t = arg;
	struct tlsg_p11_facts *f = gnutls_calloc(1, sizeof(*f));
	struct tlsg_p11_object o = {.pin = t->q->pin};
	gnutls_privkey_t key = NULL;
	gnutls_pubkey_t pub = NULL;
	enum tlsg_ret ret = find_token(t, err);
	int rc;

	if(f == NULL)
		return tlsg_err_set(err, TLSG_E_RESOURCE, "memory exhausted");
	if(ret == TLSG_OK)
		ret = one_key(t, err);
	if(ret == TLSG_OK)
		ret = module_of(t, f->module, err);
	if(ret == TLSG_OK)
		ret = certificate_key(t->certificate, &pub, err);
	if(ret != TLSG_OK)
		return ret;
	memcpy(o.uri, t->uri, sizeof(o.uri));
	memcpy(f->uri, t->uri, sizeof(f->uri));
	memcpy(f->token, t->token, sizeof(f->token));
	tlsg_p11_probe_stage("opening the key", NULL);
	rc = tlsg_p11_key_import(&o, &key);
	if(rc < 0)
		return tlsg_p11_key_refuse(rc, err);
	ret = examine(key, pub, f, err);
	out->data = (unsigned char *)f;
	out->size = sizeof(*f);
	return ret;
}

static enum tlsg_ret key_work(void *arg, gnutls_datum_t *out, struct tlsg_err *err)
{
	return retry(arg, key_once, out, err);
}

static enum tlsg_ret run(struct task *t, tlsg_p11_probe_work work, gnutls_datum_t *out, struct tlsg_err *err)
{
	return tlsg_p11_probe_run(work, t, TLSG_P11_PROBE_SECONDS, out, err);
}

enum tlsg_ret tlsg_p11_look_key(const struct tlsg_p11_query *q, const gnutls_datum_t *certificate,
		struct tlsg_p11_facts *facts, struct tlsg_err *err)
{
	struct task t = {.q = q, .certificate = certificate, .wanted = "private"};
	gnutls_datum_t out = {NULL, 0};
	enum tlsg_ret ret = run(&t, key_work, &out, err);

	if(ret != TLSG_OK)
		return ret;
	if(out.size != sizeof(*facts))
		ret = tlsg_err_set(err, TLSG_E_INTERNAL, "the answer about a key has %u bytes", out.size);
	else
		memcpy(facts, out.data, sizeof(*facts));
	gnutls_free(out.data);
	return ret;
}

/* ---- certificates ---- */

static enum tlsg_ret append_pem(gnutls_datum_t *to, const gnutls_datum_t *der, struct tlsg_err *err)
{
	gnutls_datum_t pem = {NULL, 0};
	unsigned char *more;

	if(gnutls_pem_base64_encode2("CERTIFICATE", der, &pem) < 0)
		return tlsg_err_set(err, TLSG_E_RESOURCE, "memory exhausted");
	if(to->size + pem.size >= TLSG_P11_PROBE_MAX)
		return tlsg_err_set(err, TLSG_E_CONFIG, "the token has more than 16 MiB of certificates");
	more = gnutls_realloc(to->data, (size_t)to->size + pem.size + 1);
	if(more == NULL)
		return tlsg_err_set(err, TLSG_E_RESOURCE, "memory exhausted");
	memcpy(more + to->size, pem.data, pem.size);
	to->data = more;
	to->size += pem.size;
	to->data[to->size] = '\0';
	gnutls_free(pem.data);
	return TLSG_OK;
}

static enum tlsg_ret import_object(
		gnutls_pkcs11_obj_t obj, gnutls_x509_crt_t *crt, gnutls_datum_t *der, struct tlsg_err *err)
{
	int rc = gnutls_x509_crt_init(crt);

	if(rc >= 0)
		rc = gnutls_x509_crt_import_pkcs11(*crt, obj);
	if(rc >= 0)
		rc = gnutls_x509_crt_export2(*crt, GNUTLS_X509_FMT_DER, der);
	return rc < 0 ? tlsg_err_set(err, TLSG_E_CONFIG, "a certificate on the token is damaged: %s", gnutls_strerror(rc))
				  : TLSG_OK;
}

/* Appends the issuers that the token has. */
static enum tlsg_ret append_issuers(
		const struct task *t, gnutls_x509_crt_t crt, gnutls_datum_t *out, struct tlsg_err *err)
{
	unsigned i;

	for(i = 0; i < CHAIN_MAX && !gnutls_x509_crt_check_issuer(crt, crt); i++) {
		gnutls_datum_t der = {NULL, 0};
		gnutls_x509_crt_t issuer = NULL;
		enum tlsg_ret ret;

		if(gnutls_pkcs11_get_raw_issuer(t->token, crt, &der, GNUTLS_X509_FMT_DER, GNUTLS_PKCS11_OBJ_FLAG_RETRIEVE_ANY)
				< 0)
			return TLSG_OK;
		if(gnutls_x509_crt_init(&issuer) < 0 || gnutls_x509_crt_import(issuer, &der, GNUTLS_X509_FMT_DER) < 0
				|| gnutls_x509_crt_check_issuer(issuer, issuer))
			return TLSG_OK;
		ret = append_pem(out, &der, err);
		if(ret != TLSG_OK)
			return ret;
		crt = issuer;
	}
	return TLSG_OK;
}

static enum tlsg_ret chain_once(void *arg, gnutls_datum_t *out, struct tlsg_err *err)
{
	struct task *t = arg;
	gnutls_x509_crt_t crt = NULL;
	gnutls_datum_t der = {NULL, 0};
	struct objects found, others;
	enum tlsg_ret ret = find_token(t, err);
	int rc;

	if(ret != TLSG_OK)
		return ret;
	tlsg_p11_probe_stage("looking for the certificate", NULL);
	rc = list_certificates(t, 0, &found);
	if(rc < 0)
		return tlsg_p11_key_refuse(rc, err);
	if(found.len > 1)
		return tlsg_err_set(
				err, TLSG_E_CONFIG, "%u certificates go by that name: add id= or object= to the URI", found.len);
	if(found.len == 0) {
		if(list_objects(t, 0, &others) >= 0 && others.len > 0)
			return tlsg_err_set(err, TLSG_E_CONFIG, "the object is no certificate");
		return tlsg_err_set(err, TLSG_E_CONFIG, "the token has no such certificate");
	}
	ret = import_object(found.list[0], &crt, &der, err);
	if(ret == TLSG_OK)
		ret = append_pem(out, &der, err);
	tlsg_p11_probe_stage("looking for the issuers of the certificate", NULL);
	return ret == TLSG_OK ? append_issuers(t, crt, out, err) : ret;
}

static enum tlsg_ret chain_work(void *arg, gnutls_datum_t *out, struct tlsg_err *err)
{
	return retry(arg, chain_once, out, err);
}

enum tlsg_ret tlsg_p11_look_chain(const struct tlsg_p11_query *q, gnutls_datum_t *pem, struct tlsg_err *err)
{
	struct task t = {.q = q, .wanted = "cert"};

	return run(&t, chain_work, pem, err);
}

/* Whether the token belongs to a module that keeps trust, like p11-kit's: what it does not mark, it does not trust. */
static bool is_trust_store(const struct task *t)
{
	void *module = NULL;

	return gnutls_pkcs11_token_get_ptr(t->token, &module, NULL, 0) >= 0
		   && (p11_kit_module_get_flags(module) & P11_KIT_MODULE_TRUSTED) != 0;
}

static enum tlsg_ret append_anchors(
		const struct objects *found, bool only_ca, gnutls_datum_t *out, struct tlsg_err *err)
{
	enum tlsg_ret ret = TLSG_OK;
	unsigned i;

	for(i = 0; i < found->len && ret == TLSG_OK; i++) {
		gnutls_x509_crt_t crt = NULL;
		gnutls_datum_t der = {NULL, 0};

		ret = import_object(found->list[i], &crt, &der, err);
		if(ret == TLSG_OK && (!only_ca || gnutls_x509_crt_get_ca_status(crt, NULL) > 0))
			ret = append_pem(out, &der, err);
	}
	return ret;
}

static enum tlsg_ret anchors_once(void *arg, gnutls_datum_t *out, struct tlsg_err *err)
{
	struct task *t = arg;
	struct objects found;
	enum tlsg_ret ret = find_token(t, err);
	int rc;

	if(ret != TLSG_OK)
		return ret;
	tlsg_p11_probe_stage("looking for trusted certificates", NULL);
	rc = list_certificates(t, GNUTLS_PKCS11_OBJ_FLAG_MARK_TRUSTED, &found);
	if(rc >= 0 && found.len > 0)
		ret = append_anchors(&found, true, out, err);
	else if(!is_trust_store(t)) {
		rc = list_certificates(t, 0, &found);
		if(rc >= 0)
			ret = append_anchors(&found, true, out, err);
	}
	if(rc < 0)
		return tlsg_p11_key_refuse(rc, err);
	if(ret == TLSG_OK && out->size == 0)
		ret = tlsg_err_set(err, TLSG_E_CONFIG, "the token has no CA certificate by that name");
	return ret;
}

static enum tlsg_ret anchors_work(void *arg, gnutls_datum_t *out, struct tlsg_err *err)
{
	return retry(arg, anchors_once, out, err);
}

enum tlsg_ret tlsg_p11_look_anchors(const struct tlsg_p11_query *q, gnutls_datum_t *pem, struct tlsg_err *err)
{
	struct task t = {.q = q, .wanted = "cert"};

	return run(&t, anchors_work, pem, err);
}
