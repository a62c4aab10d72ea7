/*
 * tls_gnutls - tests of profiles/keys/op.c: each signature that is made verifies, and a damaged one does not
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: one process.  Memory: heap.  Lock: none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <gnutls/crypto.h>

#include "profiles/keys/op.h"

static gnutls_privkey_t make(gnutls_pk_algorithm_t pk, unsigned bits, gnutls_pubkey_t *pub)
{
	gnutls_privkey_t key;

	assert_true(gnutls_privkey_init(&key) >= 0 && gnutls_privkey_generate(key, pk, bits, 0) >= 0);
	assert_true(gnutls_pubkey_init(pub) >= 0 && gnutls_pubkey_import_privkey(*pub, key, 0, 0) >= 0);
	return key;
}

/* Signs what TLS signs in each version; the last row of a hash is MD5 and SHA-1 of TLS 1.0 and 1.1. */
static void test_signatures(void **state)
{
	static const struct
	{
		gnutls_pk_algorithm_t pk;
		unsigned bits;
		enum tlsg_op op;
		gnutls_sign_algorithm_t algo;
		unsigned size; /* of the hash */
	} rows[] = {
			{GNUTLS_PK_RSA, 2048, TLSG_OP_SIGN_DATA, GNUTLS_SIGN_RSA_SHA256, 100},
			{GNUTLS_PK_RSA, 2048, TLSG_OP_SIGN_DATA, GNUTLS_SIGN_RSA_SHA1, 100},
			{GNUTLS_PK_RSA, 2048, TLSG_OP_SIGN_DATA, GNUTLS_SIGN_RSA_PSS_RSAE_SHA384, 100},
			{GNUTLS_PK_RSA, 2048, TLSG_OP_SIGN_HASH, GNUTLS_SIGN_RSA_SHA256, 32},
			{GNUTLS_PK_RSA, 2048, TLSG_OP_SIGN_HASH, GNUTLS_SIGN_RSA_PSS_RSAE_SHA256, 32},
			{GNUTLS_PK_RSA, 2048, TLSG_OP_SIGN_HASH, GNUTLS_SIGN_RSA_RAW, 36},
			{GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), TLSG_OP_SIGN_DATA,
					GNUTLS_SIGN_ECDSA_SECP256R1_SHA256, 100},
			{GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), TLSG_OP_SIGN_HASH,
					GNUTLS_SIGN_ECDSA_SHA1, 20},
			{GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP384R1), TLSG_OP_SIGN_HASH,
					GNUTLS_SIGN_ECDSA_SHA384, 48},
			{GNUTLS_PK_EDDSA_ED25519, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_ED25519), TLSG_OP_SIGN_DATA,
					GNUTLS_SIGN_EDDSA_ED25519, 100},
	};
	unsigned char bytes[100];
	size_t i;

	(void)state;
	memset(bytes, 7, sizeof(bytes));
	for(i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const gnutls_datum_t in = {bytes, rows[i].size};
		gnutls_pubkey_t pub, other;
		gnutls_privkey_t key = make(rows[i].pk, rows[i].bits, &pub);
		gnutls_privkey_t other_key = make(rows[i].pk, rows[i].bits, &other);
		struct tlsg_op_job j = {rows[i].op, rows[i].algo, &in, {NULL, 0}};

		if(tlsg_op_sign(key, j.op, j.algo, j.in, &j.made) < 0 || tlsg_op_verify(pub, &j) < 0)
			fail_msg("row %zu: a good signature", i);
		if(tlsg_op_verify(other, &j) >= 0)
			fail_msg("row %zu: another key", i);
		j.made.data[j.made.size / 2] ^= 1;
		if(tlsg_op_verify(pub, &j) >= 0)
			fail_msg("row %zu: a damaged signature", i);
		gnutls_free(j.made.data);
		gnutls_privkey_deinit(key);
		gnutls_privkey_deinit(other_key);
		gnutls_pubkey_deinit(pub);
		gnutls_pubkey_deinit(other);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_signatures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
