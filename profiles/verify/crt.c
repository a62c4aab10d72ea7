/*
 * tls_gnutls - parses certificates
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: what GnuTLS allocates.  Lock: none.
 */
#include "profiles/verify/crt.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define OBJECT_IDENTIFIER 0x06
#define VERSION_TAG TLSG_DER_CONSTRUCTED(0)
#define FIELDS_BEFORE_KEY 5 /* serial number, signature, issuer, validity, subject */

static const unsigned char ec_public_key[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01}; /* 1.2.840.10045.2.1 */

/* Curves that OpenSSL makes keys for and GnuTLS does not know. */
static const struct
{
	const char *oid;
	const char *name;
} curve_names[] = {
		{"1.3.36.3.3.2.8.1.1.7", "brainpoolP256r1"},
		{"1.3.36.3.3.2.8.1.1.11", "brainpoolP384r1"},
		{"1.3.36.3.3.2.8.1.1.13", "brainpoolP512r1"},
		{"1.3.132.0.10", "secp256k1"},
		{"1.3.132.0.33", "secp224r1"},
		{"1.2.840.10045.3.1.1", "secp192r1"},
};

int tlsg_crt_parse(const struct tlsg_der *der, gnutls_x509_crt_t *out)
{
	gnutls_datum_t data = {der->data, der->size};
	gnutls_x509_crt_t crt = NULL;
	int rc = gnutls_x509_crt_init(&crt);

	*out = NULL;
	if(rc < 0)
		return rc;
	rc = gnutls_x509_crt_import(crt, &data, GNUTLS_X509_FMT_DER);
	if(rc < 0) {
		gnutls_x509_crt_deinit(crt);
		return rc;
	}
	*out = crt;
	return 0;
}

/* Writes an identifier with dots. @return false: malformed, or too long. */
static bool oid_print(const struct tlsg_der_element *e, char *buf, size_t size)
{
	unsigned long arc = 0;
	size_t i, len = 0;
	int n;

	for(i = 0; i < e->size; i++) {
		if(arc > UINT32_MAX >> 7)
			return false;
		arc = arc << 7 | (e->contents[i] & 0x7f);
		if(e->contents[i] & 0x80)
			continue;
		if(len == 0) {
			unsigned long first = arc < 80 ? arc / 40 : 2;

			n = snprintf(buf, size, "%lu.%lu", first, arc - first * 40);
		} else
			n = snprintf(buf + len, size - len, ".%lu", arc);
		if(n < 0 || (size_t)n >= size - len)
			return false;
		len += (size_t)n;
		arc = 0;
	}
	return len > 0;
}

/* Finds the parameters of an elliptic-curve key. @return false: another kind of key, or a malformed certificate. */
static bool curve_find(const struct tlsg_der *der, struct tlsg_der_element *curve)
{
	struct tlsg_der_reader r = tlsg_der_over(der->data, der->size);
	struct tlsg_der_element e;
	unsigned i;

	if(!tlsg_der_read_tagged(&r, TLSG_DER_SEQUENCE, &e))
		return false;
	r = tlsg_der_inside(&e);
	if(!tlsg_der_read_tagged(&r, TLSG_DER_SEQUENCE, &e))
		return false;
	r = tlsg_der_inside(&e);
	if(tlsg_der_is_next(&r, VERSION_TAG) && !tlsg_der_read(&r, &e))
		return false;
	for(i = 0; i < FIELDS_BEFORE_KEY; i++)
		if(!tlsg_der_read(&r, &e))
			return false;
	for(i = 0; i < 2; i++) { /* the key, and in it the algorithm */
		if(!tlsg_der_read_tagged(&r, TLSG_DER_SEQUENCE, &e))
			return false;
		r = tlsg_der_inside(&e);
	}
	return tlsg_der_read_tagged(&r, OBJECT_IDENTIFIER, &e) && e.size == sizeof(ec_public_key)
		   && memcmp(e.contents, ec_public_key, e.size) == 0 && tlsg_der_read(&r, curve);
}

bool tlsg_crt_has_unsupported_curve(const struct tlsg_der *der, char buf[TLSG_CRT_CURVE_SIZE])
{
	struct tlsg_der_element curve;
	size_t i;

	if(!curve_find(der, &curve))
		return false;
	if(curve.tag != OBJECT_IDENTIFIER || !oid_print(&curve, buf, TLSG_CRT_CURVE_SIZE)) {
		snprintf(buf, TLSG_CRT_CURVE_SIZE, "without a name");
		return true;
	}
	if(gnutls_oid_to_ecc_curve(buf) != GNUTLS_ECC_CURVE_INVALID)
		return false;
	for(i = 0; i < sizeof(curve_names) / sizeof(curve_names[0]); i++)
		if(strcmp(buf, curve_names[i].oid) == 0)
			snprintf(buf, TLSG_CRT_CURVE_SIZE, "%s", curve_names[i].name);
	return true;
}
