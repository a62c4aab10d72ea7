/*
 * tls_gnutls - makes certificates whose keys are too large to compute with
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: unit tests.  Memory: heap.  Lock: none.
 */
#include "tests/lib/costly.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>

#include "profiles/verify/der.h"
#include "tests/lib/certs.h"

#define OK(call) assert_true((call) >= 0)

/* Signs all of them; made at first use. */
static gnutls_x509_privkey_t signer_get(void)
{
	static gnutls_x509_privkey_t signer;

	if(signer == NULL) {
		OK(gnutls_x509_privkey_init(&signer));
		OK(gnutls_x509_privkey_generate(signer, GNUTLS_PK_RSA, 2048, 0));
	}
	return signer;
}

/* A public key of made-up numbers. @param bytes  sizes of modulus and exponent. */
static gnutls_pubkey_t key_make(size_t modulus, size_t exponent)
{
	gnutls_pubkey_t key;
	gnutls_datum_t m = {gnutls_malloc(modulus), (unsigned)modulus};
	gnutls_datum_t e = {gnutls_malloc(exponent), (unsigned)exponent};

	OK(gnutls_rnd(GNUTLS_RND_NONCE, m.data, modulus));
	OK(gnutls_rnd(GNUTLS_RND_NONCE, e.data, exponent));
	m.data[0] = e.data[0] = 0x7F;
	m.data[modulus - 1] |= 1;
	e.data[exponent - 1] |= 1;
	OK(gnutls_pubkey_init(&key));
	OK(gnutls_pubkey_import_rsa_raw(key, &m, &e));
	gnutls_free(m.data);
	gnutls_free(e.data);
	return key;
}

/* Writes a tag and a length of three bytes. @return the position after them. */
static unsigned char *der_head(unsigned char *at, unsigned char tag, size_t size)
{
	*at++ = tag;
	*at++ = 0x82;
	*at++ = (unsigned char)(size >> 8);
	*at++ = (unsigned char)size;
	return at;
}

/* Replaces the signature by a made-up one; one whose size is not that of the key is refused without computing. */
static struct tlsg_der signature_replace(const gnutls_datum_t *der, size_t size)
{
	struct tlsg_der_reader r = tlsg_der_over(der->data, der->size);
	struct tlsg_der_element all = {0}, tbs = {0}, algorithm = {0};
	struct tlsg_der out = {gnutls_malloc(der->size + size + 16), 0};
	unsigned char *at;
	size_t kept;

	assert_true(tlsg_der_read(&r, &all));
	r = tlsg_der_inside(&all);
	assert_true(tlsg_der_read(&r, &tbs) && tlsg_der_read(&r, &algorithm));
	kept = tlsg_der_size(&tbs) + tlsg_der_size(&algorithm);
	at = der_head(out.data, TLSG_DER_SEQUENCE, kept + 4 + 1 + size);
	memcpy(at, tbs.all, kept);
	at = der_head(at + kept, TLSG_DER_BIT_STRING, 1 + size);
	*at++ = 0;
	OK(gnutls_rnd(GNUTLS_RND_NONCE, at, size));
	*at = 0x11;
	out.size = (unsigned)(at + size - out.data);
	return out;
}

struct tlsg_der tlsg_costly_cert(
		const char *cn, const char *issuer_cn, size_t modulus, size_t exponent, bool ca, size_t signature)
{
	static unsigned char serial;
	gnutls_x509_crt_t crt, issuer;
	gnutls_datum_t der;
	struct tlsg_der out;
	char dn[64];
	gnutls_x509_privkey_t signer = signer_get();
	gnutls_pubkey_t key = modulus != 0 ? key_make(modulus, exponent) : NULL;

	OK(gnutls_x509_crt_init(&issuer));
	snprintf(dn, sizeof(dn), "CN=%s", issuer_cn);
	OK(gnutls_x509_crt_set_dn(issuer, dn, NULL));
	OK(gnutls_x509_crt_set_key(issuer, signer));
	OK(gnutls_x509_crt_init(&crt));
	snprintf(dn, sizeof(dn), "CN=%s", cn);
	OK(gnutls_x509_crt_set_dn(crt, dn, NULL));
	OK(gnutls_x509_crt_set_version(crt, 3));
	serial++;
	OK(gnutls_x509_crt_set_serial(crt, &serial, 1));
	OK(gnutls_x509_crt_set_activation_time(crt, TLSG_CERTS_NOW - TLSG_CERTS_DAY));
	OK(gnutls_x509_crt_set_expiration_time(crt, TLSG_CERTS_NOW + TLSG_CERTS_DAY));
	OK(gnutls_x509_crt_set_basic_constraints(crt, ca, -1));
	if(key != NULL)
		OK(gnutls_x509_crt_set_pubkey(crt, key));
	else
		OK(gnutls_x509_crt_set_key(crt, signer));
	OK(gnutls_x509_crt_sign2(crt, issuer, signer, GNUTLS_DIG_SHA256, 0));
	OK(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der));
	gnutls_x509_crt_deinit(crt);
	gnutls_x509_crt_deinit(issuer);
	if(key != NULL)
		gnutls_pubkey_deinit(key);
	out = signature_replace(&der, signature);
	gnutls_free(der.data);
	return out;
}
