/*
 * tls_gnutls - tests the table of cipher suites against the installed OpenSSL and GnuTLS
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: a test process.   Memory: heap, stack.   Lock: none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <gnutls/gnutls.h>

#include "profiles/cipher/suites.h"

static const char every_suite[] = "'ALL:COMPLEMENTOFALL:@SECLEVEL=0'";

/* Starts `openssl ciphers FLAGS` for all its suites. Skips the test without OpenSSL 3. */
static FILE *openssl_ciphers(const char *flags)
{
	char command[160];
	char line[80] = "";
	FILE *f = popen("openssl version 2>/dev/null", "r");

	assert_non_null(f);
	if(fgets(line, sizeof(line), f) == NULL || strncmp(line, "OpenSSL 3.0", 11) != 0) {
		pclose(f);
		print_message("SKIPPED: the table follows OpenSSL 3.0, here is '%s'\n", line);
		skip();
	}
	pclose(f);
	snprintf(command, sizeof(command), "openssl ciphers %s %s 2>&1", flags, every_suite);
	f = popen(command, "r");
	assert_non_null(f);
	return f;
}

/* Every line of `openssl ciphers -V` has a number and a description, which must equal the table's, in the table's
 * order. */
static void test_openssl_describes_the_same(void **state)
{
	char line[256];
	size_t count;
	size_t last = 0;
	size_t lines = 0;
	const struct tlsg_suite *table = tlsg_suite_table(&count);
	FILE *f = openssl_ciphers("-V");

	(void)state;
	while(fgets(line, sizeof(line), f) != NULL) {
		unsigned high, low;
		int at = 0;
		char ours[128];
		const struct tlsg_suite *s;

		assert_int_equal(sscanf(line, " 0x%x,0x%x - %n", &high, &low, &at), 2);
		s = tlsg_suite_by_id((uint8_t)high, (uint8_t)low);
		if(s == NULL)
			fail_msg("not in the table: %s", line);
		assert_int_equal(tlsg_suite_describe(s, ours, sizeof(ours)), TLSG_OK);
		assert_string_equal(ours, line + at);
		assert_true(lines == 0 || tlsg_suite_index(s) == last + 1);
		assert_true(s->flags & (TLSG_SUITE_RULES | TLSG_SUITE_DEFAULT13));
		last = tlsg_suite_index(s);
		lines++;
	}
	assert_int_equal(pclose(f), 0);
	/* no other row is marked as OpenSSL's */
	for(size_t i = 0; i < count; i++)
		lines -= (table[i].flags & (TLSG_SUITE_RULES | TLSG_SUITE_DEFAULT13)) != 0;
	assert_int_equal(lines, 0);
}

static void test_openssl_has_the_same_standard_names(void **state)
{
	char line[256];
	FILE *f = openssl_ciphers("-stdname");

	(void)state;
	while(fgets(line, sizeof(line), f) != NULL) {
		char iana[80], name[80];
		const struct tlsg_suite *s;

		assert_int_equal(sscanf(line, "%79s - %79s", iana, name), 2);
		s = tlsg_suite_by_name(name, strlen(name));
		assert_non_null(s);
		assert_string_equal(s->iana, iana);
		assert_string_equal(s->openssl, name);
		assert_ptr_equal(s, tlsg_suite_by_name(iana, strlen(iana)));
	}
	assert_int_equal(pclose(f), 0);
}

/* A flag is set for exactly those suites that OpenSSL's keyword selects; none of these keywords selects unencrypted
 * ones. */
static void test_openssl_has_the_same_classes(void **state)
{
	static const struct
	{
		const char *keyword;
		unsigned flag;
	} rows[] = {
			{"HIGH", TLSG_SUITE_HIGH},
			{"FIPS", TLSG_SUITE_FIPS},
			{"COMPLEMENTOFDEFAULT", TLSG_SUITE_NOT_DEFAULT},
	};
	size_t count;
	const struct tlsg_suite *table = tlsg_suite_table(&count);

	(void)state;
	pclose(openssl_ciphers(""));
	for(size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
		char command[80], line[16384], name[80];
		uint8_t listed[TLSG_SUITES_MAX] = {0};
		FILE *f;

		snprintf(command, sizeof(command), "openssl ciphers %s", rows[r].keyword);
		f = popen(command, "r");
		assert_non_null(f);
		assert_non_null(fgets(line, sizeof(line), f));
		assert_int_equal(pclose(f), 0);
		for(const char *p = line; sscanf(p, "%79[^:\n]", name) == 1; p += strlen(name) + 1) {
			const struct tlsg_suite *s = tlsg_suite_by_name(name, strlen(name));

			assert_non_null(s);
			listed[tlsg_suite_index(s)] = 1;
		}
		for(size_t i = 0; i < count; i++)
			if(table[i].flags & TLSG_SUITE_RULES && table[i].enc != TLSG_ENC_NULL
					&& listed[i] != ((table[i].flags & rows[r].flag) != 0))
				fail_msg("%s and %s", table[i].openssl, rows[r].keyword);
	}
}

/* Derives IANA's name from GnuTLS's, which has no WITH, and SHA1 and ARCFOUR for SHA and RC4. */
static void standard_name(const char *gnutls_name, char *out, size_t size)
{
	static const char *const kx[] = {"TLS_ECDHE_ECDSA_", "TLS_ECDHE_RSA_", "TLS_ECDHE_PSK_", "TLS_ECDH_ANON_",
			"TLS_DHE_RSA_", "TLS_DHE_DSS_", "TLS_DHE_PSK_", "TLS_DH_ANON_", "TLS_RSA_PSK_", "TLS_RSA_", "TLS_PSK_",
			"TLS_SRP_SHA_RSA_", "TLS_SRP_SHA_DSS_", "TLS_SRP_SHA_", "TLS_GOSTR341112_256_"};
	static const struct
	{
		const char *from;
		const char *to;
	} words[] = {
			{"ANON", "anon"},
			{"ARCFOUR_128", "RC4_128"},
			{"SHA1", "SHA"},
			/* RFC 7905: the hash is in the name */
			{"CHACHA20_POLY1305", "CHACHA20_POLY1305_SHA256"},
	};
	size_t i = 0;
	size_t used = 0;
	const char *p = gnutls_name;

	/* RFC 6655: two names have another order of words */
	if(strncmp(gnutls_name, "TLS_DHE_PSK_AES_", 16) == 0 && strstr(gnutls_name, "_CCM_8") != NULL) {
		snprintf(out, size, "TLS_PSK_DHE_WITH_AES_%s", gnutls_name + 16);
		return;
	}
	while(i < sizeof(kx) / sizeof(kx[0]) && strncmp(gnutls_name, kx[i], strlen(kx[i])) != 0)
		i++;
	while(*p != '\0') {
		size_t w = 0;

		assert_true(used + 32 < size);
		if(i < sizeof(kx) / sizeof(kx[0]) && p == gnutls_name + strlen(kx[i])
				&& strcmp(gnutls_name, "TLS_DHE_DSS_ARCFOUR_128_SHA1") != 0)
			used += (size_t)snprintf(out + used, size - used, "WITH_");
		while(w < sizeof(words) / sizeof(words[0]) && strncmp(p, words[w].from, strlen(words[w].from)) != 0)
			w++;
		if(w < sizeof(words) / sizeof(words[0])
				&& !(w == 3 && p[strlen(words[w].from)] == '_') /* TLS 1.3 has the hash already */) {
			used += (size_t)snprintf(out + used, size - used, "%s", words[w].to);
			p += strlen(words[w].from);
		} else {
			out[used++] = *p++;
		}
	}
	out[used] = '\0';
}

/* Suites without certificates that OpenSSL has no name for: not in the table, since no session can use them. */
static bool is_left_out(gnutls_kx_algorithm_t kx, gnutls_cipher_algorithm_t cipher)
{
	return (cipher == GNUTLS_CIPHER_CAMELLIA_128_GCM || cipher == GNUTLS_CIPHER_CAMELLIA_256_GCM)
		   && (kx == GNUTLS_KX_PSK || kx == GNUTLS_KX_RSA_PSK || kx == GNUTLS_KX_DHE_PSK || kx == GNUTLS_KX_ANON_DH);
}

/* All other suites of GnuTLS are in the table with GnuTLS's algorithms. */
static void test_gnutls_has_the_same_algorithms(void **state)
{
	unsigned char id[2];
	gnutls_kx_algorithm_t kx;
	gnutls_cipher_algorithm_t cipher;
	gnutls_mac_algorithm_t mac;
	gnutls_protocol_t version;
	const char *name;
	size_t i;

	(void)state;
	for(i = 0; (name = gnutls_cipher_suite_info(i, id, &kx, &cipher, &mac, &version)) != NULL; i++) {
		const struct tlsg_suite *s = tlsg_suite_by_id(id[0], id[1]);
		char iana[128];

		if(is_left_out(kx, cipher)) {
			assert_null(s);
			continue;
		}
		if(s == NULL)
			fail_msg("GnuTLS has %s, which is not in the table", name);
		standard_name(name, iana, sizeof(iana));
		assert_string_equal(s->iana, iana);
		assert_int_equal(tlsg_suite_gnutls_kx(s), kx);
		assert_int_equal(tlsg_suite_gnutls_cipher(s), cipher);
		assert_int_equal(tlsg_suite_gnutls_mac(s), mac);
		assert_true(tlsg_suite_is_known(s));
		if(tlsg_suite_is_cert(s)) {
			bool has12 = version >= GNUTLS_TLS1_2 && version < GNUTLS_TLS1_3;

			assert_int_equal(s->min_version == TLSG_TLS1_3, version == GNUTLS_TLS1_3);
			assert_int_equal(s->min_version == TLSG_TLS1_2, has12);
			assert_true(
					tlsg_suite_bits(s) == 112 || tlsg_suite_bits(s) == (int)(8 * gnutls_cipher_get_key_size(cipher)));
		}
	}
	assert_true(i > 100);
}

static void test_rows_are_unique(void **state)
{
	size_t count;
	const struct tlsg_suite *table = tlsg_suite_table(&count);

	(void)state;
	assert_true(count <= TLSG_SUITES_MAX);
	for(size_t i = 0; i < count; i++) {
		assert_ptr_equal(tlsg_suite_by_id(table[i].id[0], table[i].id[1]), &table[i]);
		assert_ptr_equal(tlsg_suite_by_name(table[i].iana, strlen(table[i].iana)), &table[i]);
		assert_int_equal(tlsg_suite_index(&table[i]), i);
		if(table[i].openssl != NULL)
			assert_ptr_equal(tlsg_suite_by_name(table[i].openssl, strlen(table[i].openssl)), &table[i]);
	}
}

static void test_lookup_by_name(void **state)
{
	static const struct
	{
		const char *name;
		int high, low; /* -1: unknown */
	} rows[] = {
			{"ECDHE-RSA-AES256-GCM-SHA384", 0xc0, 0x30},
			{"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", 0xc0, 0x30},
			{"TLS_AES_128_GCM_SHA256", 0x13, 0x01},
			{"DES-CBC3-SHA", 0x00, 0x0a},
			{"DHE-RSA-DES-CBC3-SHA", 0x00, 0x16},
			{"EDH-RSA-DES-CBC3-SHA", 0x00, 0x16},	 /* the old spelling */
			{"ecdhe-rsa-aes256-gcm-sha384", -1, -1}, /* case counts */
			{"ECDHE-RSA-AES256-GCM-SHA38", -1, -1},
			{"ECDHE-RSA-AES256-GCM-SHA3844", -1, -1},
			{"", -1, -1},
	};

	(void)state;
	for(size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct tlsg_suite *s = tlsg_suite_by_name(rows[i].name, strlen(rows[i].name));

		if(rows[i].high < 0)
			assert_null(s);
		else
			assert_ptr_equal(s, tlsg_suite_by_id((uint8_t)rows[i].high, (uint8_t)rows[i].low));
	}
	assert_non_null(tlsg_suite_by_name("AES128-SHA:AES256-SHA", 10)); /* by length, not by terminator */
	assert_null(tlsg_suite_by_id(0x00, 0xff));						  /* the renegotiation signal is not a suite */
	assert_null(tlsg_suite_by_id(0x0a, 0x0a));						  /* GREASE */
}

static void test_description_that_does_not_fit(void **state)
{
	const struct tlsg_suite *s = tlsg_suite_by_id(0xc0, 0x30);
	char buf[128];
	size_t len;

	(void)state;
	assert_int_equal(tlsg_suite_describe(s, buf, sizeof(buf)), TLSG_OK);
	len = strlen(buf);
	assert_int_equal(buf[len - 1], '\n');
	memset(buf, 'x', sizeof(buf));
	assert_int_equal(tlsg_suite_describe(s, buf, len), TLSG_E_RESOURCE);
	assert_int_equal(strlen(buf), len - 1);
	assert_int_equal(tlsg_suite_describe(s, buf, len + 1), TLSG_OK);
}

static void test_facts(void **state)
{
	const struct tlsg_suite *des = tlsg_suite_by_id(0x00, 0x0a);
	const struct tlsg_suite *null = tlsg_suite_by_id(0x00, 0x02);
	const struct tlsg_suite *tls13 = tlsg_suite_by_id(0x13, 0x02);
	const struct tlsg_suite *camellia = tlsg_suite_by_id(0xc0, 0x8a);
	const struct tlsg_suite *old = tlsg_suite_by_id(0x00, 0x2f);
	const struct tlsg_suite *aria = tlsg_suite_by_name("ARIA256-GCM-SHA384", 18);

	(void)state;
	assert_int_equal(tlsg_suite_bits(des), 112);
	assert_int_equal(tlsg_suite_bits(null), 0);
	assert_false(tlsg_suite_is_cert(null));
	assert_false(tlsg_suite_is_cert(tlsg_suite_by_name("ADH-AES128-SHA", 14)));
	assert_false(tlsg_suite_is_cert(tlsg_suite_by_name("RSA-PSK-AES128-CBC-SHA", 22)));
	assert_false(tlsg_suite_is_cert(tlsg_suite_by_name("SRP-RSA-AES-128-CBC-SHA", 23)));
	assert_true(tlsg_suite_is_cert(tls13));
	assert_true(tlsg_suite_is_cert(old));
	assert_string_equal(tlsg_suite_name(camellia), "TLS_ECDHE_RSA_WITH_CAMELLIA_128_GCM_SHA256");
	assert_true(tlsg_suite_in_version(old, TLSG_TLS1_0));
	assert_true(tlsg_suite_in_version(old, TLSG_TLS1_2));
	assert_false(tlsg_suite_in_version(old, TLSG_TLS1_3));
	assert_true(tlsg_suite_in_version(tls13, TLSG_TLS1_3));
	assert_false(tlsg_suite_in_version(tls13, TLSG_TLS1_2));
	assert_false(tlsg_suite_is_known(aria));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_openssl_describes_the_same),
			cmocka_unit_test(test_openssl_has_the_same_standard_names),
			cmocka_unit_test(test_openssl_has_the_same_classes),
			cmocka_unit_test(test_gnutls_has_the_same_algorithms),
			cmocka_unit_test(test_rows_are_unique),
			cmocka_unit_test(test_lookup_by_name),
			cmocka_unit_test(test_description_that_does_not_fit),
			cmocka_unit_test(test_facts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
