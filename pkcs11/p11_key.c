/*
 * tls_gnutls - private keys on tokens: opened by each process that uses them, and what they can do
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that steps a handshake.  Memory: keys on this process's heap.  Lock: the gate, around a login.
 */
#include "pkcs11/p11_key.h"

#include <stdio.h>
#include <string.h>

#include <gnutls/pkcs11.h>

#include "pkcs11/p11_match.h"
#include "pkcs11/p11_module.h"
#include "pkcs11/p11_pin.h"

static enum tlsg_ret sentence(int code, struct tlsg_err *err)
{
	const char *why = tlsg_p11_pin_reason(tlsg_p11_pin_verdict(code));

	if(why != NULL)
		return tlsg_err_set(err, TLSG_E_CONFIG, "%s", why);
	if(code == GNUTLS_E_PKCS11_PIN_LOCKED)
		return tlsg_err_set(err, TLSG_E_CONFIG, "the token has locked its PIN");
	if(code == GNUTLS_E_PKCS11_REQUESTED_OBJECT_NOT_AVAILBLE)
		return tlsg_err_set(
				err, TLSG_E_CONFIG, "the token was not found: check that it is plugged in and that its module sees it");
	if(code == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
		return tlsg_err_set(err, TLSG_E_CONFIG, "the object is not on the token");
	if(code == GNUTLS_E_PKCS11_SESSION_ERROR)
		return tlsg_err_set(err, TLSG_E_CONFIG,
				"the token has no session left: lower tcp_children, or set key_isolation=1, which needs one for each "
				"key "
				"and one more to load the configuration");
	return tlsg_err_set(err, TLSG_E_CONFIG, "%s", gnutls_strerror(code));
}

enum tlsg_ret tlsg_p11_key_explain(int code, struct tlsg_err *err)
{
	enum tlsg_ret ret = sentence(code, err);

	err->gnutls_code = code;
	return ret;
}

/* Finds the object, with a login. The gate remembers for all processes that a PIN was wrong. */
static int login_unsafe(gnutls_pkcs11_privkey_t key, const struct tlsg_p11_object *o)
{
	enum tlsg_p11_pin_verdict verdict;
	int rc;

	tlsg_p11_pin_begin();
	if(tlsg_p11_gate_is_refused(o->gate)) {
		tlsg_p11_pin_set_wrong(); /* another process has just tried it */
		return GNUTLS_E_PKCS11_PIN_ERROR;
	}
	if(o->gate != NULL)
		tlsg_p11_pin_set_accepted(&o->gate->passed); /* by tlsg_p11_look_key() */
	gnutls_pkcs11_privkey_set_pin_function(key, tlsg_p11_pin_cb, (void *)&o->pin);
	rc = gnutls_pkcs11_privkey_import_url(key, o->uri, GNUTLS_PKCS11_OBJ_FLAG_LOGIN);
	verdict = tlsg_p11_pin_verdict(rc);
	if(verdict == TLSG_P11_PIN_WRONG || verdict == TLSG_P11_PIN_REFUSED)
		tlsg_p11_gate_refuse(o->gate);
	return rc;
}

int tlsg_p11_key_import(const struct tlsg_p11_object *o, gnutls_privkey_t *out)
{
	gnutls_pkcs11_privkey_t key = NULL;
	gnutls_privkey_t made = NULL;
	int rc = gnutls_pkcs11_privkey_init(&key);

	if(rc >= 0)
		rc = login_unsafe(key, o);
	if(rc >= 0)
		rc = gnutls_privkey_init(&made);
	if(rc >= 0)
		rc = gnutls_privkey_import_pkcs11(made, key, GNUTLS_PRIVKEY_IMPORT_AUTO_RELEASE);
	if(rc >= 0) {
		*out = made;
		return 0;
	}
	if(made != NULL)
		gnutls_privkey_deinit(made);
	if(key != NULL)
		gnutls_pkcs11_privkey_deinit(key);
	return rc;
}

bool tlsg_p11_key_is_refused(const struct tlsg_p11_object *o)
{
	return tlsg_p11_gate_is_refused(o->gate);
}

/* A kind of signature that the key can make and the certificate can verify. */
static gnutls_sign_algorithm_t trial_of(unsigned can, int pk)
{
	bool restricted = pk == GNUTLS_PK_RSA_PSS;

	if(pk == GNUTLS_PK_EDDSA_ED25519 || pk == GNUTLS_PK_EDDSA_ED448)
		return pk == GNUTLS_PK_EDDSA_ED25519 ? GNUTLS_SIGN_EDDSA_ED25519 : GNUTLS_SIGN_EDDSA_ED448;
	if(pk == GNUTLS_PK_ECDSA)
		return GNUTLS_SIGN_ECDSA_SHA256;
	if(can & TLSG_P11_CAN_PKCS1 && !restricted)
		return GNUTLS_SIGN_RSA_SHA256;
	if(can & TLSG_P11_CAN_PSS_SHA256)
		return restricted ? GNUTLS_SIGN_RSA_PSS_SHA256 : GNUTLS_SIGN_RSA_PSS_RSAE_SHA256;
	if(can & TLSG_P11_CAN_PSS_SHA384)
		return restricted ? GNUTLS_SIGN_RSA_PSS_SHA384 : GNUTLS_SIGN_RSA_PSS_RSAE_SHA384;
	return restricted ? GNUTLS_SIGN_RSA_PSS_SHA512 : GNUTLS_SIGN_RSA_PSS_RSAE_SHA512;
}

enum tlsg_ret tlsg_p11_key_prove(const struct tlsg_p11_object *o, gnutls_privkey_t key, int *code, struct tlsg_err *err)
{
	enum tlsg_p11_match_result result;
	gnutls_pubkey_t pub = NULL;
	enum tlsg_ret ret = tlsg_p11_match_public(&o->certificate, &pub, err);
	int pk;

	*code = 0;
	if(ret != TLSG_OK)
		return ret;
	pk = gnutls_pubkey_get_pk_algorithm(pub, NULL);
	result = tlsg_p11_match_sign(key, pub, trial_of(o->can, pk), code);
	if(result == TLSG_P11_MATCH_UNKNOWN)
		result = tlsg_p11_match_compare(key, pub);
	else
		*code = 0;
	gnutls_pubkey_deinit(pub);
	if(result == TLSG_P11_MATCH_OTHER)
		return tlsg_p11_match_refuse(key, &o->certificate, err);
	return *code < 0 ? tlsg_p11_key_explain(*code, err) : TLSG_OK;
}

static enum tlsg_ret open_unsafe(const struct tlsg_p11_object *o, gnutls_privkey_t *out, struct tlsg_err *err)
{
	enum tlsg_ret ret = tlsg_p11_module_use(o->module, err);
	int rc;

	if(ret != TLSG_OK)
		return ret;
	rc = tlsg_p11_key_import(o, out);
	if(rc < 0)
		return tlsg_p11_key_explain(rc, err);
	ret = tlsg_p11_key_prove(o, *out, &rc, err);
	if(ret == TLSG_OK)
		return TLSG_OK;
	gnutls_privkey_deinit(*out);
	*out = NULL;
	return ret;
}

enum tlsg_ret tlsg_p11_key_open(const struct tlsg_p11_object *o, gnutls_privkey_t *out, struct tlsg_err *err)
{
	enum tlsg_ret ret;

	*out = NULL;
	if(tlsg_p11_key_is_refused(o))
		return tlsg_err_set(err, TLSG_E_CONFIG, "%s", tlsg_p11_pin_reason(TLSG_P11_PIN_WRONG));
	if(!tlsg_p11_gate_enter(o->gate))
		return tlsg_err_set(
				err, TLSG_E_RESOURCE, "another process has been logging in to the token for 10 s: the token may hang");
	ret = open_unsafe(o, out, err);
	tlsg_p11_gate_leave(o->gate);
	return ret;
}

static unsigned pss_bit(gnutls_digest_algorithm_t hash)
{
	switch(hash) {
		case GNUTLS_DIG_SHA256:
			return TLSG_P11_CAN_PSS_SHA256;
		case GNUTLS_DIG_SHA384:
			return TLSG_P11_CAN_PSS_SHA384;
		case GNUTLS_DIG_SHA512:
			return TLSG_P11_CAN_PSS_SHA512;
		default:
			return 0;
	}
}

bool tlsg_p11_key_can(unsigned can, gnutls_sign_algorithm_t algo)
{
	if(algo == GNUTLS_SIGN_RSA_RAW)
		return (can & TLSG_P11_CAN_PKCS1) != 0;
	switch(gnutls_sign_get_pk_algorithm(algo)) {
		case GNUTLS_PK_RSA:
			return (can & TLSG_P11_CAN_PKCS1) != 0;
		case GNUTLS_PK_RSA_PSS:
			return (can & pss_bit(gnutls_sign_get_hash_algorithm(algo))) != 0;
		case GNUTLS_PK_ECDSA:
			return (can & TLSG_P11_CAN_ECDSA) != 0;
		case GNUTLS_PK_EDDSA_ED25519:
		case GNUTLS_PK_EDDSA_ED448:
			return (can & TLSG_P11_CAN_EDDSA) != 0;
		default:
			return false;
	}
}

const char *tlsg_p11_key_describe(unsigned can, char *out, size_t size)
{
	static const struct
	{
		unsigned bit;
		const char *name;
	} names[] = {
			{TLSG_P11_CAN_PKCS1, "RSA PKCS#1"},
			{TLSG_P11_CAN_PSS_SHA256, "RSA-PSS SHA-256"},
			{TLSG_P11_CAN_PSS_SHA384, "RSA-PSS SHA-384"},
			{TLSG_P11_CAN_PSS_SHA512, "RSA-PSS SHA-512"},
			{TLSG_P11_CAN_ECDSA, "ECDSA"},
			{TLSG_P11_CAN_EDDSA, "EdDSA"},
	};
	size_t i, at = 0;

	out[0] = '\0';
	for(i = 0; i < sizeof(names) / sizeof(names[0]) && at < size; i++)
		if(can & names[i].bit)
			at += (size_t)snprintf(out + at, size - at, "%s%s", at > 0 ? ", " : "", names[i].name);
	if(at == 0)
		snprintf(out, size, "nothing");
	return out;
}
