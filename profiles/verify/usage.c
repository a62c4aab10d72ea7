/*
 * tls_gnutls - what a certificate says about itself: purposes, key usage, critical extensions, names
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that steps a handshake.  Memory: this process's heap while it runs.  Lock: none.
 */
#include "profiles/verify/usage.h"

#include <gnutls/abstract.h>
#include <gnutls/x509-ext.h>

#define OID_EXTENDED_KEY_USAGE "2.5.29.37"
#define OID_NETSCAPE_SGC "2.16.840.1.113730.4.1"
#define OID_MICROSOFT_SGC "1.3.6.1.4.1.311.10.3.3"
#define RSA_BITS_MAX 16384
#define RSA_BITS_ANY_EXPONENT 3072 /* up to this size the exponent may be as long as the modulus */
#define RSA_EXPONENT_BITS_MAX 64
#define DSA_BITS_MAX 4096
#define EXTENSIONS_MAX 64 /* a certificate with more is refused */

/* Extensions that may be critical: those that both GnuTLS and OpenSSL process, but for some that only limit
 * policies. */
static const char *const known_extensions[] = {
		"2.5.29.15",			/* key usage */
		"2.5.29.17",			/* subject alternative name */
		"2.5.29.19",			/* basic constraints */
		"2.5.29.30",			/* name constraints */
		"2.5.29.31",			/* CRL distribution points */
		"2.5.29.32",			/* certificate policies */
		OID_EXTENDED_KEY_USAGE, /* extended key usage */
		"2.5.29.54"				/* inhibit any policy */
};

bool tlsg_usage_has_purpose(gnutls_x509_crt_t crt, enum tlsg_role role)
{
	gnutls_x509_key_purposes_t list = NULL;
	gnutls_datum_t ext = {NULL, 0}, oid = {NULL, 0};
	bool good = false;
	unsigned i;
	int rc = gnutls_x509_crt_get_extension_by_oid2(crt, OID_EXTENDED_KEY_USAGE, 0, &ext, NULL);

	if(rc == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
		return true;
	if(rc < 0)
		return false;
	if(gnutls_x509_key_purpose_init(&list) < 0)
		goto done;
	if(gnutls_x509_ext_import_key_purposes(&ext, list, 0) < 0)
		goto done;
	for(i = 0; !good && gnutls_x509_key_purpose_get(list, i, &oid) >= 0; i++) {
		const char *text = (const char *)oid.data;

		if(role == TLSG_SERVER)
			good = strcmp(text, GNUTLS_KP_TLS_WWW_CLIENT) == 0;
		else
			good = strcmp(text, GNUTLS_KP_TLS_WWW_SERVER) == 0 || strcmp(text, OID_NETSCAPE_SGC) == 0
				   || strcmp(text, OID_MICROSOFT_SGC) == 0;
	}
done:
	if(list != NULL)
		gnutls_x509_key_purpose_deinit(list);
	gnutls_free(ext.data);
	return good;
}

bool tlsg_usage_has_bits(gnutls_x509_crt_t crt, unsigned bits)
{
	unsigned usage = 0;
	int rc = gnutls_x509_crt_get_key_usage(crt, &usage, NULL);

	if(rc == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
		return true;
	return rc >= 0 && (usage & bits) != 0;
}

bool tlsg_usage_has_subject(gnutls_x509_crt_t crt, const gnutls_datum_t *dn)
{
	gnutls_datum_t subject = {NULL, 0};
	bool equal;

	if(gnutls_x509_crt_get_raw_dn(crt, &subject) < 0)
		return false;
	equal = subject.size == dn->size && memcmp(subject.data, dn->data, dn->size) == 0;
	gnutls_free(subject.data);
	return equal;
}

bool tlsg_usage_is_self_issued(gnutls_x509_crt_t crt)
{
	gnutls_datum_t issuer = {NULL, 0};
	bool equal;

	if(gnutls_x509_crt_get_raw_issuer_dn(crt, &issuer) < 0)
		return false;
	equal = tlsg_usage_has_subject(crt, &issuer);
	gnutls_free(issuer.data);
	return equal;
}

bool tlsg_usage_has_unknown_critical(gnutls_x509_crt_t crt)
{
	char oid[128];
	size_t size;
	unsigned i, k, critical;
	int rc = 0;

	for(i = 0; i < EXTENSIONS_MAX; i++) {
		size = sizeof(oid);
		critical = 1;
		rc = gnutls_x509_crt_get_extension_info(crt, i, oid, &size, &critical);
		if(rc < 0)
			break;
		for(k = 0; critical && k < sizeof(known_extensions) / sizeof(known_extensions[0]); k++)
			if(strcmp(oid, known_extensions[k]) == 0)
				break;
		if(critical && k == sizeof(known_extensions) / sizeof(known_extensions[0]))
			return true;
	}
	return rc != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE;
}

/* Bits of a big-endian number. */
static size_t bits_of(const gnutls_datum_t *n)
{
	size_t at = 0;

	while(at < n->size && n->data[at] == 0)
		at++;
	if(at == n->size)
		return 0;
	return (n->size - at) * 8 - (size_t)(__builtin_clz(n->data[at]) - 24);
}

static bool is_usable_rsa(gnutls_x509_crt_t crt)
{
	gnutls_datum_t modulus = {NULL, 0}, exponent = {NULL, 0};
	gnutls_pubkey_t key = NULL;
	bool good = false;

	if(gnutls_pubkey_init(&key) < 0)
		return false;
	if(gnutls_pubkey_import_x509(key, crt, 0) >= 0 && gnutls_pubkey_export_rsa_raw(key, &modulus, &exponent) >= 0)
		good = bits_of(&modulus) <= RSA_BITS_MAX
			   && (bits_of(&modulus) <= RSA_BITS_ANY_EXPONENT || bits_of(&exponent) <= RSA_EXPONENT_BITS_MAX)
			   && bits_of(&exponent) <= bits_of(&modulus);
	gnutls_free(modulus.data);
	gnutls_free(exponent.data);
	gnutls_pubkey_deinit(key);
	return good;
}

bool tlsg_usage_has_usable_key(gnutls_x509_crt_t crt)
{
	unsigned bits = 0;

	switch(gnutls_x509_crt_get_pk_algorithm(crt, &bits)) {
		case GNUTLS_PK_RSA:
		case GNUTLS_PK_RSA_PSS:
			return is_usable_rsa(crt);
		case GNUTLS_PK_DSA:
			return bits <= DSA_BITS_MAX;
		default: /* curves have fixed sizes, and GnuTLS does not use keys of kinds that it does not know */
			return true;
	}
}
