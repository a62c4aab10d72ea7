/*
 * tls_gnutls - tests of profiles/verify/constraints.c: which names a CA may certify
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: unit tests.  Memory: heap.  Lock: none.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "profiles/verify/constraints.h"
#include "tests/lib/certs.h"

/* nameConstraints as bytes: [0] permitted or [1] excluded, each a list of subtrees. */
#define NC(bytes) .flags = TLSG_CERT_CA, .extra_oid = "2.5.29.30", .extra = bytes, .extra_size = sizeof(bytes) - 1
#define URI(text)                              \
	{                                          \
		GNUTLS_SAN_URI, text, sizeof(text) - 1 \
	}
#define DNS(text)                                  \
	{                                              \
		GNUTLS_SAN_DNSNAME, text, sizeof(text) - 1 \
	}

/* O=tls_gnutls tests, with which the subjects of all test certificates begin; the same in other case; other names */
#define O_OURS "\x31\x19\x30\x17\x06\x03\x55\x04\x0a\x0c\x10tls_gnutls tests"
#define O_SHOUTED "\x31\x1b\x30\x19\x06\x03\x55\x04\x0a\x13\x12 TLS_GNUTLS  TESTS"
#define O_OTHER "\x31\x19\x30\x17\x06\x03\x55\x04\x0a\x0c\x10tls_gnutls tesst"
#define O_SHORT "\x31\x18\x30\x16\x06\x03\x55\x04\x0a\x0c\x0ftls_gnutls test"
#define CN_LEAF "\x31\x0d\x30\x0b\x06\x03\x55\x04\x03\x0c\x04leaf"

static const struct tlsg_cert_row rows[] = {
		{"none", .flags = TLSG_CERT_CA},
		{"uri", NC("\x30\x11\xa0\x0f\x30\x0d\x86\x0b"
				   "example.org")},
		{"uri-below", NC("\x30\x12\xa0\x10\x30\x0e\x86\x0c"
						 ".example.org")},
		{"uri-not", NC("\x30\x11\xa1\x0f\x30\x0d\x86\x0b"
					   "example.org")},
		{"ours", NC("\x30\x23\xa0\x21\x30\x1f\xa4\x1d\x30\x1b" O_OURS)},
		{"shouted", NC("\x30\x25\xa0\x23\x30\x21\xa4\x1f\x30\x1d" O_SHOUTED)},
		{"other", NC("\x30\x23\xa0\x21\x30\x1f\xa4\x1d\x30\x1b" O_OTHER)},
		{"short", NC("\x30\x22\xa0\x20\x30\x1e\xa4\x1c\x30\x1a" O_SHORT)},
		{"longer", NC("\x30\x32\xa0\x30\x30\x2e\xa4\x2c\x30\x2a" O_OURS CN_LEAF)},
		{"everybody", NC("\x30\x08\xa0\x06\x30\x04\xa4\x02\x30\x00")},
		{"not-ours", NC("\x30\x23\xa1\x21\x30\x1f\xa4\x1d\x30\x1b" O_OURS)},
		{"not-shouted", NC("\x30\x25\xa1\x23\x30\x21\xa4\x1f\x30\x1d" O_SHOUTED)},
		{"not-other", NC("\x30\x23\xa1\x21\x30\x1f\xa4\x1d\x30\x1b" O_OTHER)},
		{"dns", .flags = TLSG_CERT_CA, .permitted_dns = "example.org"},
		{"not-id", NC("\x30\x09\xa1\x07\x30\x05\x88\x03\x2a\x03\x04")},
		{"damaged", NC("\x30\x23\xa0\x21\x30\x1f\xa4\x1d\x30")},
		{"empty", NC("")},
		/* certificates that are checked */
		{"leaf", .issuer = "none"},
		{"no-cn", .issuer = "none", .flags = TLSG_CERT_NO_CN},
		{"u", .issuer = "none", .sans = {URI("https://example.org/x")}},
		{"u-shouted", .issuer = "none", .sans = {URI("HTTPS://EXAMPLE.ORG:443")}},
		{"u-below", .issuer = "none", .sans = {URI("https://sip.example.org?x")}},
		{"u-else", .issuer = "none", .sans = {URI("https://badexample.org/")}},
		{"u-trick", .issuer = "none", .sans = {URI("https://example.org@example.com/")}},
		{"u-trick2", .issuer = "none", .sans = {URI("https://example.com#https://example.org/")}},
		{"u-trick3", .issuer = "none", .sans = {URI("x:https://example.org/")}},
		{"u-sip", .issuer = "none", .sans = {URI("sip:example.org")}},
		{"u-both", .issuer = "none", .sans = {URI("https://example.org/"), URI("https://example.com/")}},
		{"d-in", .issuer = "none", .sans = {DNS("sip.example.org")}},
		{"d-out", .issuer = "none", .sans = {DNS("sip.example.com")}},
		{"id", .issuer = "none", .raw_san = "\x30\x05\x88\x03\x2a\x03\x05", .raw_san_size = 7},
		{"dir-in", .issuer = "none", .raw_san = "\x30\x1f\xa4\x1d\x30\x1b" O_OURS, .raw_san_size = 33},
		{"dir-out", .issuer = "none", .raw_san = "\x30\x1f\xa4\x1d\x30\x1b" O_OTHER, .raw_san_size = 33},
};

static const struct
{
	const char *ca;
	const char *crt;
	bool holds;
	bool ca_below; /* crt is not the leaf */
} cases[] = {
		{"none", "leaf", true, false},
		{"none", "u-else", true, false},
		/* URIs */
		{"uri", "leaf", true, false},
		{"uri", "u", true, false},
		{"uri", "u-shouted", true, false},
		{"uri", "u-below", false, false},
		{"uri", "u-else", false, false},
		{"uri", "u-trick", false, false},
		{"uri", "u-trick2", false, false},
		{"uri", "u-trick3", false, false},
		{"uri", "u-sip", false, false},
		{"uri", "u-both", false, false},
		{"uri", "d-out", true, false},
		{"uri-below", "u-below", true, false},
		{"uri-below", "u", false, false},
		{"uri-not", "u", false, false},
		{"uri-not", "u-shouted", false, false},
		{"uri-not", "u-else", true, false},
		{"uri-not", "u-sip", false, false},
		{"uri-not", "u-both", false, false},
		/* directory names */
		{"ours", "leaf", true, false},
		{"shouted", "leaf", true, false},
		{"other", "leaf", false, false},
		{"short", "leaf", false, false},
		{"longer", "leaf", true, false},
		{"longer", "no-cn", false, false},
		{"longer", "u", false, false},
		{"everybody", "leaf", true, false},
		{"not-ours", "leaf", false, false},
		{"not-shouted", "leaf", false, false},
		{"not-other", "leaf", true, false},
		{"ours", "dir-in", true, false},
		{"ours", "dir-out", false, false},
		{"not-other", "dir-out", false, false},
		{"not-other", "dir-in", true, false},
		/* DNS names: GnuTLS; a common name counts for a leaf only */
		{"dns", "d-in", true, false},
		{"dns", "d-out", false, false},
		{"dns", "leaf", false, false},
		{"dns", "leaf", true, true},
		{"dns", "d-out", false, true},
		/* unsupported kinds, malformed extensions */
		{"not-id", "id", false, false},
		{"not-id", "leaf", false, false}, /* GnuTLS does not support constraints of that kind */
		{"damaged", "leaf", false, false},
		{"damaged", "u", false, false},
		{"empty", "leaf", false, false},
};

static struct tlsg_certs certs;

static void test_constraints(void **state)
{
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if(tlsg_constraints_hold(tlsg_certs_get(&certs, cases[i].ca)->crt, tlsg_certs_get(&certs, cases[i].crt)->crt,
				   !cases[i].ca_below)
				!= cases[i].holds)
			fail_msg("%s and %s: %s", cases[i].ca, cases[i].crt, cases[i].holds ? "does not hold" : "holds");
}

static void test_exist(void **state)
{
	(void)state;
	assert_false(tlsg_constraints_exist(tlsg_certs_get(&certs, "none")->crt));
	assert_false(tlsg_constraints_exist(tlsg_certs_get(&certs, "leaf")->crt));
	assert_true(tlsg_constraints_exist(tlsg_certs_get(&certs, "uri")->crt));
	assert_true(tlsg_constraints_exist(tlsg_certs_get(&certs, "dns")->crt));
	assert_true(tlsg_constraints_exist(tlsg_certs_get(&certs, "empty")->crt));
}

static int setup(void **state)
{
	(void)state;
	tlsg_certs_make(&certs, rows, sizeof(rows) / sizeof(rows[0]));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tlsg_certs_free(&certs);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_constraints),
			cmocka_unit_test(test_exist),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
