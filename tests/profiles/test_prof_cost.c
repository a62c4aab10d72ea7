/*
 * tls_gnutls - tests that a peer's certificates cannot make a verification take for ever
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: unit tests.  Memory: heap, the stand-in's shared region.  Lock: none.
 *
 * A public key is numbers that the peer writes down: with a modulus and an exponent of a hundred thousand bits one signature takes
 * hours to check. Where that happened these tests do not end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>

#include "base/arena.h"
#include "profiles/prof_der.h"
#include "profiles/prof_verify.h"
#include "tests/lib/certs.h"

#define OK(call) assert_true((call) >= 0)

static gnutls_x509_privkey_t signer; /* RSA */

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

/* Writes a tag and a length of three bytes. @return behind it. */
static unsigned char *head(unsigned char *at, unsigned char tag, size_t size)
{
	*at++ = tag;
	*at++ = 0x82;
	*at++ = (unsigned char)(size >> 8);
	*at++ = (unsigned char)size;
	return at;
}

/* Puts a made-up signature of some size in: one of another size than the key's is refused without work. */
static struct tlsg_der sign_anew(const gnutls_datum_t *der, size_t size)
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
	at = head(out.data, TLSG_DER_SEQUENCE, kept + 4 + 1 + size);
	memcpy(at, tbs.all, kept);
	at = head(at + kept, TLSG_DER_BIT_STRING, 1 + size);
	*at++ = 0;
	OK(gnutls_rnd(GNUTLS_RND_NONCE, at, size));
	*at = 0x11;
	out.size = (unsigned)(at + size - out.data);
	return out;
}

/* A certificate whose issuer is a name only. @param key  NULL: the signer's. @param signature  its size. */
static struct tlsg_der cert_make(const char *cn, const char *issuer_cn, gnutls_pubkey_t key, bool ca, size_t signature)
{
	static unsigned char serial;
	gnutls_x509_crt_t crt, issuer;
	gnutls_datum_t der;
	struct tlsg_der out;
	char dn[64];

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
	out = sign_anew(&der, signature);
	gnutls_free(der.data);
	return out;
}

static void check(struct tlsg_der *sent, unsigned n, bool keep_going, bool refused)
{
	struct tlsg_verify_input in = {
			.chain = sent, .chain_len = n, .depth = 9, .keep_going = keep_going, .now = TLSG_CERTS_NOW};
	struct tlsg_verify_result r;
	enum tlsg_ret ret = tlsg_verify_chain(&in, &r);
	unsigned i;

	assert_int_equal(r.refuse, refused);
	assert_int_equal(ret, refused ? TLSG_E_PEER : TLSG_OK);
	assert_int_not_equal(r.code, TLSG_V_OK);
	assert_true(r.alert >= 0);
	tlsg_verify_result_free(&r);
	for(i = 0; i < n; i++)
		gnutls_free(sent[i].data);
}

/* Two possible issuers: signatures are tried to choose between them. */
static void test_keys_of_issuers(void **state)
{
	int keep_going;

	(void)state;
	for(keep_going = 0; keep_going < 2; keep_going++) {
		struct tlsg_der sent[] = {cert_make("leaf", "big", NULL, false, 12000),
				cert_make("big", "nobody", key_make(12000, 12000), true, 256),
				cert_make("big", "nobody", key_make(12000, 12000), true, 256)};

		check(sent, 3, keep_going != 0, true);
	}
}

/* The leaf's key checks what the peer signs in the handshake. */
static void test_key_of_the_leaf(void **state)
{
	static const struct
	{
		size_t modulus;
		size_t exponent;
		bool refused;
	} all[] = {{12000, 12000, true}, {12000, 3, true}, {2049, 3, true}, {2048, 3, false}, {2048, 8, false},
			{2048, 9, true}, {385, 9, true}, {384, 384, false}, {256, 3, false}};
	size_t i;
	int keep_going;

	(void)state;
	for(i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		for(keep_going = 0; keep_going < 2; keep_going++) {
			struct tlsg_der sent[] = {
					cert_make("leaf", "nobody", key_make(all[i].modulus, all[i].exponent), false, 256)};

			check(sent, 1, keep_going != 0, all[i].refused);
		}
}

static int setup(void **state)
{
	(void)state;
	if(tlsg_arena_global_init() != TLSG_OK || gnutls_x509_privkey_init(&signer) < 0)
		return -1;
	return gnutls_x509_privkey_generate(signer, GNUTLS_PK_RSA, 2048, 0);
}

static int teardown(void **state)
{
	(void)state;
	gnutls_x509_privkey_deinit(signer);
	tlsg_arena_global_deinit();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_keys_of_issuers),
			cmocka_unit_test(test_key_of_the_leaf),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
