/*
 * tls_gnutls - tests of profiles/pem.c and profiles/verify/trusted.c: blocks of a file, OpenSSL's trust settings
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: unit tests.  Memory: heap.  Lock: none.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "profiles/pem.h"
#include "profiles/verify/trusted.h"

/* SEQUENCE { INTEGER n }, and the same with an empty SEQUENCE behind it */
#define ONE "MAMCAQE="
#define TWO "MAMCAQI="
#define ONE_AND_SETTINGS "MAMCAQEwAA=="

#define BLOCK(label, base64) "-----BEGIN " label "-----\n" base64 "\n-----END " label "-----\n"

static struct tlsg_err err;

/* Reads a file into text: a letter for each block and the integer in it, and `+` for settings. */
static enum tlsg_ret read_file(const char *bytes, size_t size, char *found)
{
	gnutls_datum_t data = {(unsigned char *)bytes, (unsigned)size};
	struct tlsg_pem pem;
	struct tlsg_pem_block b;
	enum tlsg_ret ret;

	tlsg_err_clear(&err);
	tlsg_pem_open(&pem, "certificate", "x.pem", &data);
	while((ret = tlsg_pem_next(&pem, &b, &err)) == TLSG_OK && b.der.size > 0) {
		found += sprintf(found, "%c%d%s", b.kind == TLSG_PEM_CERTIFICATE ? 'c' : 'l', b.der.data[b.der.size - 1],
				b.settings.size > 0 ? "+" : "");
		tlsg_pem_free(&b);
	}
	*found = '\0';
	return ret;
}

static void reads(const char *text, const char *expected)
{
	char found[256];

	assert_int_equal(read_file(text, strlen(text), found), TLSG_OK);
	assert_string_equal(found, expected);
}

static void fails(const char *text, const char *part)
{
	char found[256];

	assert_int_equal(read_file(text, strlen(text), found), TLSG_E_CONFIG);
	assert_non_null(strstr(err.text, "x.pem"));
	if(strstr(err.text, part) == NULL)
		fail_msg("\"%s\" lacks \"%s\"", err.text, part);
}

static void test_labels(void **state)
{
	(void)state;
	reads(BLOCK("CERTIFICATE", ONE) BLOCK("X509 CERTIFICATE", TWO), "c1c2");
	reads(BLOCK("TRUSTED CERTIFICATE", ONE_AND_SETTINGS) BLOCK("TRUSTED CERTIFICATE", TWO), "c1+c2");
	reads(BLOCK("X509 CRL", TWO) BLOCK("CERTIFICATE", ONE), "l2c1");
	reads("", "");
	reads("no block at all\n", "");
}

/* Other blocks and text, before, between and behind, whatever is in them. */
static void test_others(void **state)
{
	(void)state;
	reads(BLOCK("CERTIFICATE REQUEST", TWO) "subject=CN = x\n" BLOCK("CERTIFICATE", ONE) BLOCK("PRIVATE KEY", TWO)
					BLOCK("DH PARAMETERS", "!") BLOCK("CERTIFICATE", TWO) BLOCK("EC PARAMETERS", TWO) "end\n",
			"c1c2");
	reads(BLOCK("PKCS7", ONE) BLOCK("ATTRIBUTE CERTIFICATE", ONE) BLOCK("CERTIFICATES", ONE), "");
	reads("-----BEGIN of a remark\n" BLOCK("CERTIFICATE", ONE), "c1");
	reads("Bag Attributes\r\n-----BEGIN CERTIFICATE-----\r\n" ONE "\r\n-----END CERTIFICATE-----\r\n", "c1");
}

static void test_damaged(void **state)
{
	(void)state;
	fails(BLOCK("CERTIFICATE", ONE) BLOCK("CERTIFICATE", "!!!"), "CERTIFICATE in");
	fails(BLOCK("X509 CERTIFICATE", "!!!"), "X509 CERTIFICATE");
	fails(BLOCK("TRUSTED CERTIFICATE", "MAMC"), "TRUSTED CERTIFICATE");
	fails("-----BEGIN CERTIFICATE-----\n" ONE "\n", "damaged");
	fails(BLOCK("CERTIFICATE", ONE) "-----BEGIN CERT", "ends within the first line");
}

static void test_der(void **state)
{
	static const char der[] = "\x30\x81\x03\x02\x01\x07";
	char found[256];

	(void)state;
	assert_int_equal(read_file(der, 6, found), TLSG_OK);
	assert_string_equal(found, "c7");
}

/* ---- trust settings ---- */

#define SERVER "\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01"
#define CLIENT "\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02"
#define MAIL "\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x04"
#define ANY "\x06\x04\x55\x1d\x25\x00"

static void test_trust_settings(void **state)
{
	static const struct
	{
		const char *bytes;
		size_t size;
		bool allowed;
	} rows[] = {
#define ROW(text, allowed) {text, sizeof(text) - 1, allowed}
			ROW("", true),
			ROW("\x30\x00", true),
			ROW("\x30\x03\x0c\x01x", true), /* a name */
			ROW("\x30\x16\x30\x14" SERVER CLIENT, true),
			ROW("\x30\x08\x30\x06" ANY, true),
			ROW("\x30\x0c\xa0\x0a" MAIL, true),
			/* not for both */
			ROW("\x30\x02\x30\x00", false),
			ROW("\x30\x0c\x30\x0a" SERVER, false),
			ROW("\x30\x0c\x30\x0a" CLIENT, false),
			ROW("\x30\x0c\x30\x0a" MAIL, false),
			/* rejected */
			ROW("\x30\x0c\xa0\x0a" SERVER, false),
			ROW("\x30\x0c\xa0\x0a" CLIENT, false),
			ROW("\x30\x08\xa0\x06" ANY, false),
			ROW("\x30\x1e\x30\x14" SERVER CLIENT "\xa0\x06" ANY, false),
			/* malformed */
			ROW("\x30", false),
			ROW("\x31\x00", false),
			ROW("\x30\x00\x30", false),
			ROW("\x30\x02\xa0\x05", false),
			ROW("\x30\x04\xa0\x02\x02\x00", false),
			ROW("\x30\x04\x30\x02\x06\x05", false),
#undef ROW
	};
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		gnutls_datum_t settings = {(unsigned char *)rows[i].bytes, (unsigned)rows[i].size};

		if(tlsg_trusted_for_tls(&settings) != rows[i].allowed)
			fail_msg("row %zu", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_labels),
			cmocka_unit_test(test_others),
			cmocka_unit_test(test_damaged),
			cmocka_unit_test(test_der),
			cmocka_unit_test(test_trust_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
