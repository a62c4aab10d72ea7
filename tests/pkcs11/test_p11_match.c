/*
 * tls_gnutls - tests of pkcs11/p11_match.c: whether a key belongs to a certificate
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: one process.  Memory: heap.  Lock: none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <gnutls/x509.h>

#include "pkcs11/p11_match.h"

/* A key in software: to these functions it is like one on a token that shows its public key. */
struct pair
{
	gnutls_privkey_t key;
	gnutls_datum_t certificate;
	gnutls_pubkey_t pub;
	gnutls_sign_algorithm_t algo;
};

static struct pair rsa, rsa_other, ec, ec_other;

static void make(struct pair *p, gnutls_pk_algorithm_t pk, unsigned bits, const char *name)
{
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t crt;
	struct tlsg_err err;

	assert_true(gnutls_x509_privkey_init(&key) >= 0 && gnutls_x509_privkey_generate(key, pk, bits, 0) >= 0);
	assert_true(gnutls_x509_crt_init(&crt) >= 0 && gnutls_x509_crt_set_key(crt, key) >= 0
				&& gnutls_x509_crt_set_version(crt, 3) >= 0 && gnutls_x509_crt_set_serial(crt, "\1", 1) >= 0
				&& gnutls_x509_crt_set_activation_time(crt, time(NULL)) >= 0
				&& gnutls_x509_crt_set_expiration_time(crt, time(NULL) + 3600) >= 0
				&& gnutls_x509_crt_set_dn(crt, name, NULL) >= 0
				&& gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0) >= 0
				&& gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &p->certificate) >= 0);
	gnutls_x509_crt_deinit(crt);
	assert_true(gnutls_privkey_init(&p->key) >= 0
				&& gnutls_privkey_import_x509(p->key, key, GNUTLS_PRIVKEY_IMPORT_AUTO_RELEASE) >= 0);
	tlsg_err_clear(&err);
	assert_int_equal(tlsg_p11_match_public(&p->certificate, &p->pub, &err), TLSG_OK);
	p->algo = pk == GNUTLS_PK_RSA ? GNUTLS_SIGN_RSA_SHA256 : GNUTLS_SIGN_ECDSA_SHA256;
}

static int setup(void **state)
{
	(void)state;
	make(&rsa, GNUTLS_PK_RSA, 2048, "CN=rsa");
	make(&rsa_other, GNUTLS_PK_RSA, 2048, "CN=rsa-other");
	make(&ec, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), "CN=ec");
	make(&ec_other, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), "CN=one \xc3\xa9");
	return 0;
}

static void drop(struct pair *p)
{
	gnutls_privkey_deinit(p->key);
	gnutls_pubkey_deinit(p->pub);
	gnutls_free(p->certificate.data);
}

static int teardown(void **state)
{
	(void)state;
	drop(&rsa);
	drop(&rsa_other);
	drop(&ec);
	drop(&ec_other);
	return 0;
}

static void test_results(void **state)
{
	const struct
	{
		const struct pair *key;
		const struct pair *certificate;
		enum tlsg_p11_match_result compare;
		enum tlsg_p11_match_result sign;
	} rows[] = {
			{&rsa, &rsa, TLSG_P11_MATCH_SAME, TLSG_P11_MATCH_SAME},
			{&ec, &ec, TLSG_P11_MATCH_SAME, TLSG_P11_MATCH_SAME},
			{&rsa, &rsa_other, TLSG_P11_MATCH_OTHER, TLSG_P11_MATCH_OTHER},
			{&ec, &ec_other, TLSG_P11_MATCH_OTHER, TLSG_P11_MATCH_OTHER},
			{&ec, &rsa, TLSG_P11_MATCH_OTHER, TLSG_P11_MATCH_UNKNOWN}, /* the key does not make such a signature */
			{&rsa, &ec, TLSG_P11_MATCH_OTHER, TLSG_P11_MATCH_UNKNOWN},
	};
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int code = 1;

		if(tlsg_p11_match_compare(rows[i].key->key, rows[i].certificate->pub) != rows[i].compare
				|| tlsg_p11_match_sign(rows[i].key->key, rows[i].certificate->pub, rows[i].certificate->algo, &code)
						   != rows[i].sign
				|| (code < 0) != (rows[i].sign == TLSG_P11_MATCH_UNKNOWN))
			fail_msg("row %zu, code %d", i, code);
	}
}

/* The sentence has the subject and the beginning of both public keys. */
static void test_sentence(void **state)
{
	unsigned char id[2][32];
	char expected[300];
	size_t size = sizeof(id[0]);
	struct tlsg_err err;

	(void)state;
	assert_true(gnutls_pubkey_get_key_id(rsa.pub, GNUTLS_KEYID_USE_SHA256, id[0], &size) >= 0
				&& gnutls_pubkey_get_key_id(rsa_other.pub, GNUTLS_KEYID_USE_SHA256, id[1], &size) >= 0);
	snprintf(expected, sizeof(expected),
			"the key does not belong to the certificate \"CN=rsa-other\": its public key is "
			"sha256:%02x%02x%02x%02x%02x%02x%02x%02x..., that of the certificate "
			"sha256:%02x%02x%02x%02x%02x%02x%02x%02x...",
			id[0][0], id[0][1], id[0][2], id[0][3], id[0][4], id[0][5], id[0][6], id[0][7], id[1][0], id[1][1],
			id[1][2], id[1][3], id[1][4], id[1][5], id[1][6], id[1][7]);
	tlsg_err_clear(&err);
	assert_int_equal(tlsg_p11_match_refuse(rsa.key, &rsa_other.certificate, &err), TLSG_E_CONFIG);
	assert_string_equal(err.text, expected);
	tlsg_err_clear(&err);
	assert_int_equal(tlsg_p11_match_refuse(ec.key, &ec_other.certificate, &err), TLSG_E_CONFIG);
	assert_non_null(strstr(err.text, "\"CN=one ..\""));
}

static void test_certificate_that_is_none(void **state)
{
	const gnutls_datum_t none = {(unsigned char *)"none", 4};
	gnutls_pubkey_t pub = rsa.pub;
	struct tlsg_err err;

	(void)state;
	tlsg_err_clear(&err);
	assert_int_equal(tlsg_p11_match_public(&none, &pub, &err), TLSG_E_CONFIG);
	assert_null(pub);
	assert_non_null(strstr(err.text, "the certificate of the key"));
	tlsg_err_clear(&err);
	assert_int_equal(tlsg_p11_match_refuse(rsa.key, &none, &err), TLSG_E_CONFIG);
	assert_non_null(strstr(err.text, "that of the certificate sha256:?"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_results),
			cmocka_unit_test(test_sentence),
			cmocka_unit_test(test_certificate_that_is_none),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
