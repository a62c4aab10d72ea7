/*
 * tls_gnutls - whether a private key on a token belongs to a certificate
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that opens a key.  Memory: this process's heap, without a scope.  Lock: none.
 */
#include "pkcs11/p11_match.h"

#include <stdio.h>
#include <string.h>

#include <gnutls/x509.h>

#define ID_BYTES 32		/* SHA-256 */
#define ID_BYTES_TEXT 8 /* of those in a message */
#define ID_TEXT (2 * ID_BYTES_TEXT + 1)

static int public_of(const gnutls_datum_t *certificate, gnutls_x509_crt_t *crt, gnutls_pubkey_t *out)
{
	int rc = gnutls_x509_crt_init(crt);

	if(rc >= 0)
		rc = gnutls_x509_crt_import(*crt, certificate, GNUTLS_X509_FMT_DER);
	if(rc >= 0)
		rc = gnutls_pubkey_init(out);
	if(rc >= 0)
		rc = gnutls_pubkey_import_x509(*out, *crt, 0);
	return rc;
}

enum tlsg_ret tlsg_p11_match_public(const gnutls_datum_t *certificate, gnutls_pubkey_t *out, struct tlsg_err *err)
{
	gnutls_x509_crt_t crt = NULL;
	int rc;

	*out = NULL;
	rc = public_of(certificate, &crt, out);
	gnutls_x509_crt_deinit(crt);
	if(rc >= 0)
		return TLSG_OK;
	gnutls_pubkey_deinit(*out);
	*out = NULL;
	return tlsg_err_set(err, rc == GNUTLS_E_MEMORY_ERROR ? TLSG_E_RESOURCE : TLSG_E_CONFIG,
			"the certificate of the key cannot be used: %s", gnutls_strerror(rc));
}

enum tlsg_p11_match_result tlsg_p11_match_sign(
		gnutls_privkey_t key, gnutls_pubkey_t pub, gnutls_sign_algorithm_t algo, int *code)
{
	gnutls_datum_t text = {(unsigned char *)"tls_gnutls tries a key", 22};
	gnutls_datum_t signature = {NULL, 0};
	int rc = gnutls_privkey_sign_data2(key, algo, 0, &text, &signature);

	*code = rc < 0 ? rc : 0;
	if(rc < 0)
		return TLSG_P11_MATCH_UNKNOWN;
	rc = gnutls_pubkey_verify_data2(pub, algo, 0, &text, &signature);
	gnutls_free(signature.data);
	return rc < 0 ? TLSG_P11_MATCH_OTHER : TLSG_P11_MATCH_SAME;
}

/* Tokens call a key that a certificate restricts to RSA-PSS an RSA key. */
static int kind_of(int pk)
{
	return pk == GNUTLS_PK_RSA_PSS ? GNUTLS_PK_RSA : pk;
}

enum tlsg_p11_match_result tlsg_p11_match_compare(gnutls_privkey_t key, gnutls_pubkey_t pub)
{
	unsigned char a[ID_BYTES], b[ID_BYTES];
	size_t a_size = sizeof(a), b_size = sizeof(b);
	int of_cert = gnutls_pubkey_get_pk_algorithm(pub, NULL);
	gnutls_pubkey_t shown = NULL;
	bool is_known;

	if(kind_of(gnutls_privkey_get_pk_algorithm(key, NULL)) != kind_of(of_cert))
		return TLSG_P11_MATCH_OTHER;
	if(of_cert == GNUTLS_PK_RSA_PSS) /* the identifier in the public keys differs */
		return TLSG_P11_MATCH_UNKNOWN;
	is_known = gnutls_pubkey_init(&shown) >= 0 && gnutls_pubkey_import_privkey(shown, key, 0, 0) >= 0
			   && gnutls_pubkey_get_key_id(shown, GNUTLS_KEYID_USE_SHA256, a, &a_size) >= 0
			   && gnutls_pubkey_get_key_id(pub, GNUTLS_KEYID_USE_SHA256, b, &b_size) >= 0;
	gnutls_pubkey_deinit(shown);
	if(!is_known)
		return TLSG_P11_MATCH_UNKNOWN;
	return a_size == b_size && memcmp(a, b, a_size) == 0 ? TLSG_P11_MATCH_SAME : TLSG_P11_MATCH_OTHER;
}

/* Writes what identifies a public key. @param out  [out] ID_TEXT bytes; "?": not known. */
static const char *id_of(gnutls_pubkey_t pub, char *out)
{
	unsigned char id[ID_BYTES];
	size_t size = sizeof(id), i;

	snprintf(out, ID_TEXT, "?");
	if(pub == NULL || gnutls_pubkey_get_key_id(pub, GNUTLS_KEYID_USE_SHA256, id, &size) < 0)
		return out;
	for(i = 0; i < ID_BYTES_TEXT; i++)
		snprintf(out + 2 * i, 3, "%02x", id[i]);
	return out;
}

/* Writes printable characters only, and no quotation marks. */
static void subject_of(gnutls_x509_crt_t crt, char *out, size_t size)
{
	gnutls_datum_t dn = {NULL, 0};
	size_t i;

	out[0] = '\0';
	if(crt == NULL || gnutls_x509_crt_get_dn3(crt, &dn, 0) < 0)
		return;
	for(i = 0; i < dn.size && i + 1 < size; i++)
		out[i] = dn.data[i] < ' ' || dn.data[i] > '~' || dn.data[i] == '"' ? '.' : (char)dn.data[i];
	out[i] = '\0';
	gnutls_free(dn.data);
}

enum tlsg_ret tlsg_p11_match_refuse(gnutls_privkey_t key, const gnutls_datum_t *certificate, struct tlsg_err *err)
{
	char on_token[ID_TEXT], in_certificate[ID_TEXT], subject[80];
	gnutls_pubkey_t shown = NULL, pub = NULL;
	gnutls_x509_crt_t crt = NULL;
	enum tlsg_ret ret;

	(void)public_of(certificate, &crt, &pub);
	if(gnutls_pubkey_init(&shown) >= 0 && gnutls_pubkey_import_privkey(shown, key, 0, 0) < 0) {
		gnutls_pubkey_deinit(shown);
		shown = NULL;
	}
	subject_of(crt, subject, sizeof(subject));
	ret = tlsg_err_set(err, TLSG_E_CONFIG,
			"the key does not belong to the certificate \"%s\": its public key is sha256:%s..., that of the "
			"certificate "
			"sha256:%s...",
			subject, id_of(shown, on_token), id_of(pub, in_certificate));
	gnutls_pubkey_deinit(shown);
	gnutls_pubkey_deinit(pub);
	gnutls_x509_crt_deinit(crt);
	return ret;
}
