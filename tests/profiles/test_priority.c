/*
 * tls_gnutls - tests of profiles/priority.c: keys on curves that a client has listed
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: one process.  Memory: none.  Lock: none.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "profiles/priority.h"

#define SENT TLSG_CIPHER_GROUP_SENT
#define P256 TLSG_CIPHER_GROUP(23)
#define P384 TLSG_CIPHER_GROUP(24)
#define P521 TLSG_CIPHER_GROUP(25)
#define X25519 TLSG_CIPHER_GROUP(29)

static void test_curve_fits(void **state)
{
	static const struct
	{
		gnutls_pk_algorithm_t pk;
		unsigned bits;
		unsigned groups;
		bool fits;
	} rows[] = {
			{GNUTLS_PK_ECDSA, 256, 0, true}, /* not sent, or TLS 1.3 */
			{GNUTLS_PK_ECDSA, 256, SENT | P256, true},
			{GNUTLS_PK_ECDSA, 256, SENT | P384 | P256, true},
			{GNUTLS_PK_ECDSA, 256, SENT | P384, false},
			{GNUTLS_PK_ECDSA, 256, SENT | X25519, false},
			{GNUTLS_PK_ECDSA, 256, SENT, false}, /* no curve that is known */
			{GNUTLS_PK_ECDSA, 384, SENT | P384, true},
			{GNUTLS_PK_ECDSA, 384, SENT | P256 | P521, false},
			{GNUTLS_PK_ECDSA, 521, SENT | P521, true},
			{GNUTLS_PK_ECDSA, 528, SENT | P521, true},
			{GNUTLS_PK_ECDSA, 528, SENT | P256 | P384, false},
			{GNUTLS_PK_ECDSA, 224, SENT | TLSG_CIPHER_GROUP(21), true},
			{GNUTLS_PK_ECDSA, 224, SENT | P256, false},
			{GNUTLS_PK_ECDSA, 192, SENT | TLSG_CIPHER_GROUP(19), true},
			{GNUTLS_PK_ECDSA, 300, ~0u, false},
			{GNUTLS_PK_RSA, 2048, SENT | P384, true},
			{GNUTLS_PK_RSA, 2048, SENT, true},
			{GNUTLS_PK_RSA_PSS, 2048, SENT, true},
			{GNUTLS_PK_EDDSA_ED25519, 256, SENT | P384, true},
			{GNUTLS_PK_EDDSA_ED448, 456, SENT, true},
	};
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct tlsg_pair pair = {.pk = rows[i].pk, .bits = rows[i].bits};

		if(tlsg_priority_curve_fits(&pair, rows[i].groups) != rows[i].fits)
			fail_msg("row %zu", i);
	}
}

/* A key exchange is left out if the client lists groups for it and none of them is among those of the list. */
static void test_without(void **state)
{
	const unsigned sent = TLSG_CIPHER_DH_SENT;
	const unsigned ff2048 = TLSG_CIPHER_DH_GROUP(256), ff3072 = TLSG_CIPHER_DH_GROUP(257);
	const struct
	{
		unsigned curves, dh_groups; /* of the list */
		unsigned client_curves, client_dh_groups;
		unsigned without;
	} rows[] = {
			{P256 | X25519, ff2048, SENT | P256, 0, 0},
			{P256 | X25519, ff2048, 0, 0, 0}, /* nothing sent: P-256 and any */
			{P384 | P521, ff2048, 0, 0, TLSG_KX_ECDHE},
			{P384 | P521, ff2048, SENT | P256 | X25519, 0, TLSG_KX_ECDHE}, /* level 4 */
			{P384 | P521, ff2048, SENT | P256 | P384, 0, 0},
			{P256, ff2048, SENT, 0, TLSG_KX_ECDHE},
			{P256, ff3072, SENT | P256, sent | ff2048, TLSG_KX_DHE}, /* level 3 */
			{P256, ff3072, SENT | P256, sent | ff2048 | ff3072, 0},
			{P256, ff3072, SENT | P256, sent, TLSG_KX_DHE},
			{P384, ff3072, SENT | P256, sent | ff2048, TLSG_KX_ECDHE | TLSG_KX_DHE},
			{P256, 0, SENT | P256, 0, 0},
	};
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct tlsg_priority x = {.curves = rows[i].curves, .dh_groups = rows[i].dh_groups};
		const struct tlsg_cipher_offer offer = {.curves = rows[i].client_curves, .dh_groups = rows[i].client_dh_groups};

		if(tlsg_priority_without(&x, &offer) != rows[i].without)
			fail_msg("row %zu: %#x", i, tlsg_priority_without(&x, &offer));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_curve_fits), cmocka_unit_test(test_without)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
