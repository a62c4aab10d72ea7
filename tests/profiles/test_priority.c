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

#include "profiles/cipher/cipher_string.h"
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

/*
 * A client whose first group in common is a hybrid gets a priority with hybrids alone, since GnuTLS would not choose
 * the hybrid otherwise; others get that with all groups. Only in TLS 1.3.
 */
static void test_hybrid(void **state)
{
	static const struct
	{
		const char *groups; /* of the client, two bytes each */
		size_t groups_len;
		unsigned versions; /* of the client */
		bool without;	   /* the library has no hybrids */
		bool hybrid;
	} rows[] = {
			{"\x11\xec\x00\x1d", 2, TLSG_VERSION_BIT(TLSG_TLS1_3), false, true},
			{"\x11\xec\x00\x1d", 2, TLSG_VERSION_BIT(TLSG_TLS1_3), true, false},
			{"\x11\xec\x00\x1d", 2, TLSG_VERSION_BIT(TLSG_TLS1_2), false, false},
			{"\x11\xec", 1, TLSG_VERSION_BIT(TLSG_TLS1_3), false, true},
			{"\x00\x1d\x11\xec", 2, TLSG_VERSION_BIT(TLSG_TLS1_3), false, false}, /* the client's order */
			{"\x01\x01\x11\xec", 2, TLSG_VERSION_BIT(TLSG_TLS1_3), false, false},
			{"\x11\xeb\x00\x1d", 2, TLSG_VERSION_BIT(TLSG_TLS1_3), false, false}, /* a hybrid that the list lacks */
			{"\x11\xeb\x11\xec\x00\x1d", 3, TLSG_VERSION_BIT(TLSG_TLS1_3), false, true},
			{"\x00\x19\x7f\x7f\x11\xec\x00\x1d", 4, TLSG_VERSION_BIT(TLSG_TLS1_3), false,
					true}, /* unknown ones first */
			{"\x00\x1d\x00\x17", 2, TLSG_VERSION_BIT(TLSG_TLS1_3), false, false},
			{"", 0, TLSG_VERSION_BIT(TLSG_TLS1_3), false, false},
	};
	static const uint8_t suites[] = {0x13, 0x02, 0xc0, 0x30};
	static char single[TLSG_CIPHER_MAX], hybrid[TLSG_CIPHER_MAX]; /* addresses that stand for compiled priorities */
	gnutls_priority_t singles[TLSG_CIPHER_MAX], hybrids[TLSG_CIPHER_MAX];
	struct tlsg_pair pair = {.pk = GNUTLS_PK_RSA, .bits = 2048};
	struct tlsg_priority x = {.curves = P256 | X25519, .dh_groups = TLSG_CIPHER_DH_GROUP(257)};
	struct tlsg_prof p = {.priority = &x, .pairs = &pair, .pairs_len = 1};
	const struct tlsg_method *m = tlsg_method_by_id(TLSG_METHOD_TLSV1_2_PLUS);
	gnutls_priority_t got;
	size_t i;

	(void)state;
	assert_int_equal(tlsg_cipher_string_eval("HIGH", m, NULL, &x.list, NULL), TLSG_OK);
	for(i = 0; i < x.list.suites_len; i++) {
		bool is_13 = tlsg_suite_at(x.list.suites[i])->min_version == TLSG_TLS1_3;

		singles[i] = (gnutls_priority_t)(void *)&single[i];
		hybrids[i] = is_13 ? (gnutls_priority_t)(void *)&hybrid[i] : NULL;
	}
	x.single = singles;
	for(i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tlsg_cipher_offer offer = {.ids = suites,
				.ids_bytes = sizeof(suites),
				.versions = rows[i].versions,
				.keys = TLSG_CIPHER_KEY_ALL,
				.group_numbers = (const uint8_t *)rows[i].groups,
				.group_numbers_len = rows[i].groups_len};

		x.hybrid = rows[i].without ? NULL : hybrids;
		x.hybrids = rows[i].without ? 0 : TLSG_CIPHER_HYBRID(0x11ec);
		assert_int_equal(tlsg_priority_for_offer(&p, false, &offer, &got), TLSG_OK);
		if(((char *)(void *)got >= hybrid && (char *)(void *)got < hybrid + sizeof(hybrid)) != rows[i].hybrid)
			fail_msg("row %zu", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_curve_fits), cmocka_unit_test(test_without), cmocka_unit_test(test_hybrid)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
