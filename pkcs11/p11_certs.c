/*
 * tls_gnutls - fetches certificate chains and trust anchors from tokens for the builder of a snapshot
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot; the work itself in a child that ends with it, and whose memory nobody frees.
 * Memory: results on this process's heap.  Lock: none.
 */
#include "pkcs11/p11_certs.h"

#include <string.h>

#include <gnutls/x509.h>
#include <p11-kit/p11-kit.h>

#include "pkcs11/p11_key.h"
#include "pkcs11/p11_probe.h"

#define CHAIN_MAX 16

/* Certificates are usually seen without a login; when there are none and there is a PIN, with one. */
static int list_certificates(const struct tlsg_p11_find *f, unsigned flags, struct tlsg_p11_find_objects *o)
{
	int rc = tlsg_p11_find_list(f, GNUTLS_PKCS11_OBJ_FLAG_CRT | flags, o);

	if((rc < 0 || o->len == 0) && f->q->pin.is_set)
		rc = tlsg_p11_find_list(f, GNUTLS_PKCS11_OBJ_FLAG_CRT | GNUTLS_PKCS11_OBJ_FLAG_LOGIN | flags, o);
	return rc;
}

static enum tlsg_ret append_pem(gnutls_datum_t *to, const gnutls_datum_t *der, struct tlsg_err *err)
{
	gnutls_datum_t pem = {NULL, 0};
	unsigned char *more;

	if(gnutls_pem_base64_encode2("CERTIFICATE", der, &pem) < 0)
		return tlsg_err_set(err, TLSG_E_RESOURCE, "out of memory");
	if(to->size + pem.size >= TLSG_P11_PROBE_MAX)
		return tlsg_err_set(err, TLSG_E_CONFIG, "the token has more than 16 MiB of certificates");
	more = gnutls_realloc(to->data, (size_t)to->size + pem.size + 1);
	if(more == NULL)
		return tlsg_err_set(err, TLSG_E_RESOURCE, "out of memory");
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

/* Appends the issuers that are on the token. */
static enum tlsg_ret append_issuers(
		const struct tlsg_p11_find *f, gnutls_x509_crt_t crt, gnutls_datum_t *out, struct tlsg_err *err)
{
	unsigned i;

	for(i = 0; i < CHAIN_MAX && !gnutls_x509_crt_check_issuer(crt, crt); i++) {
		gnutls_datum_t der = {NULL, 0};
		gnutls_x509_crt_t issuer = NULL;
		enum tlsg_ret ret;

		if(gnutls_pkcs11_get_raw_issuer(f->token, crt, &der, GNUTLS_X509_FMT_DER, GNUTLS_PKCS11_OBJ_FLAG_RETRIEVE_ANY)
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

static enum tlsg_ret chain_fetch(struct tlsg_p11_find *f, gnutls_datum_t *out, struct tlsg_err *err)
{
	gnutls_x509_crt_t crt = NULL;
	gnutls_datum_t der = {NULL, 0};
	struct tlsg_p11_find_objects found, others;
	enum tlsg_ret ret = tlsg_p11_find_token(f, err);
	int rc;

	if(ret != TLSG_OK)
		return ret;
	tlsg_p11_probe_stage("looking for the certificate", NULL);
	rc = list_certificates(f, 0, &found);
	if(rc < 0)
		return tlsg_p11_key_explain(rc, err);
	if(found.len > 1)
		return tlsg_err_set(err, TLSG_E_CONFIG, "%u certificates match the URI: add id= or object= to it", found.len);
	if(found.len == 0) {
		if(tlsg_p11_find_list(f, 0, &others) >= 0 && others.len > 0)
			return tlsg_err_set(err, TLSG_E_CONFIG, "the object is not a certificate");
		return tlsg_err_set(err, TLSG_E_CONFIG, "the token has no such certificate");
	}
	ret = import_object(found.list[0], &crt, &der, err);
	if(ret == TLSG_OK)
		ret = append_pem(out, &der, err);
	tlsg_p11_probe_stage("looking for the issuers of the certificate", NULL);
	return ret == TLSG_OK ? append_issuers(f, crt, out, err) : ret;
}

enum tlsg_ret tlsg_p11_certs_chain(const struct tlsg_p11_query *q, gnutls_datum_t *pem, struct tlsg_err *err)
{
	struct tlsg_p11_find f = {.q = q, .type = "cert", .attempt = chain_fetch};

	return tlsg_p11_find_run(&f, pem, err);
}

/*
 * Whether the token belongs to a module for trust, like p11-kit's: what such a module does not mark as trusted is not.
 */
static bool is_trust_store(const struct tlsg_p11_find *f)
{
	void *module = NULL;

	return gnutls_pkcs11_token_get_ptr(f->token, &module, NULL, 0) >= 0
		   && (p11_kit_module_get_flags(module) & P11_KIT_MODULE_TRUSTED) != 0;
}

static enum tlsg_ret append_anchors(
		const struct tlsg_p11_find_objects *found, bool only_ca, gnutls_datum_t *out, struct tlsg_err *err)
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

static enum tlsg_ret anchors_fetch(struct tlsg_p11_find *f, gnutls_datum_t *out, struct tlsg_err *err)
{
	struct tlsg_p11_find_objects found;
	enum tlsg_ret ret = tlsg_p11_find_token(f, err);
	int rc;

	if(ret != TLSG_OK)
		return ret;
	tlsg_p11_probe_stage("looking for trusted certificates", NULL);
	rc = list_certificates(f, GNUTLS_PKCS11_OBJ_FLAG_MARK_TRUSTED, &found);
	if(rc >= 0 && found.len > 0)
		ret = append_anchors(&found, true, out, err);
	else if(!is_trust_store(f)) {
		rc = list_certificates(f, 0, &found);
		if(rc >= 0)
			ret = append_anchors(&found, true, out, err);
	}
	if(rc < 0)
		return tlsg_p11_key_explain(rc, err);
	if(ret == TLSG_OK && out->size == 0)
		ret = tlsg_err_set(err, TLSG_E_CONFIG, "the token has no CA certificate that matches the URI");
	return ret;
}

enum tlsg_ret tlsg_p11_certs_anchors(const struct tlsg_p11_query *q, gnutls_datum_t *pem, struct tlsg_err *err)
{
	struct tlsg_p11_find f = {.q = q, .type = "cert", .attempt = anchors_fetch};

	return tlsg_p11_find_run(&f, pem, err);
}
