/*
 * tls_gnutls - tests of profiles/verify/name.c: the SIP identities of a certificate
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: unit tests.  Memory: heap.  Lock: none.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "profiles/verify/crt.h"
#include "profiles/verify/name.h"
#include "profiles/verify/trust.h"
#include "profiles/verify/verify.h"
#include "tests/lib/certs.h"

#define DNS(text)                                  \
	{                                              \
		GNUTLS_SAN_DNSNAME, text, sizeof(text) - 1 \
	}
#define URI(text)                              \
	{                                          \
		GNUTLS_SAN_URI, text, sizeof(text) - 1 \
	}
#define RAW(text) .raw_san = text, .raw_san_size = sizeof(text) - 1
#define L10 "abcdefghij"
#define L63 L10 L10 L10 L10 L10 L10 "abc"
#define N253 L63 "." L63 "." L63 "." L10 L10 L10 L10 L10 L10 "a"

static const struct tlsg_cert_row rows[] = {
		{"dns", .cn = "cn.example.org", .sans = {DNS("example.org"), DNS("sip.example.org")}},
		{"dns-mixed", .sans = {DNS("SIP.Example.ORG")}},
		{"dns-dot", .sans = {DNS("sip.example.org.")}},
		{"dns-dots", .sans = {DNS("sip.example.org..")}},
		{"dns-nul", .sans = {DNS("sip.example.org\0.evil.example")}},
		{"dns-nul-end", .sans = {DNS("sip.example.org\0")}},
		{"dns-nul-front", .sans = {DNS("\0sip.example.org")}},
		{"dns-space", .sans = {DNS("sip.example.org "), DNS(" sip.example.org")}},
		{"dns-newline", .sans = {DNS("sip.example.org\n")}},
		{"dns-ip", .sans = {DNS("192.0.2.1"), DNS("2001:db8::1")}},
		{"dns-label", .sans = {DNS(L63 "a.example.org")}},
		{"dns-longest", .sans = {DNS(N253)}},
		{"dns-too-long", .sans = {DNS(N253 "a")}},
		{"dns-idn", .sans = {DNS("xn--bcher-kva.example")}},
		{"dns-utf8", .sans = {DNS("b\xc3\xbc"
								  "cher.example")}},
		{"san-empty", RAW("\x30\x00"), .cn = "sip.example.org"},
		{"san-cut", RAW("\x30\x11\x82\x0fsip"), .cn = "sip.example.org", .flags = TLSG_CERT_UNREADABLE},
		{"san-other",
				RAW("\x30\x13\xa0\x11\x06\x03\x2a\x03\x04\xa0\x0a\x0c\x08"
					"sip.org."),
				.cn = "sip.example.org"},
		{"san-number", RAW("\x30\x03\x88\x01\x2a"), .cn = "sip.example.org"},
		{"dns-at", .sans = {DNS("user@example.org")}},
		{"ip", .sans = {{GNUTLS_SAN_IPADDRESS, "\xc0\x00\x02\x01", 4}}},
		{"mail", .sans = {{GNUTLS_SAN_RFC822NAME, "example.org", 0}}},
		{"second", .sans = {URI("https://example.com/"), URI("sip:bob@example.com"), DNS("sip.example.org")}},
		{"many", .flags = TLSG_CERT_MANY_SANS, .sans = {DNS("sip.example.org")}},
		/* wildcards */
		{"wild", .sans = {DNS("*.example.org")}},
		{"wild-top", .sans = {DNS("*.org")}},
		{"wild-bare", .sans = {DNS("*")}},
		{"wild-part", .sans = {DNS("s*.example.org"), DNS("*p.example.org")}},
		{"wild-middle", .sans = {DNS("sip.*.org")}},
		{"wild-two", .sans = {DNS("*.*.example.org")}},
		{"wild-nul", .sans = {DNS("*.example.org\0")}},
		{"wild-uri", .sans = {URI("sip:*.example.org")}},
		{"wild-cn", .cn = "*.example.org"},
		/* URIs */
		{"uri", .sans = {URI("sip:example.org")}},
		{"uri-mixed", .sans = {URI("SIP:Example.Org")}},
		{"uri-user", .sans = {URI("sip:alice@example.org")}},
		{"uri-no-user", .sans = {URI("sip:@example.org")}},
		{"uri-late-user", .sans = {URI("sip:example.org;x=@example.com"), URI("sip:example.org?x@y")}},
		{"uri-password", .sans = {URI("sip:example.org:secret@example.com")}},
		{"uri-sips", .sans = {URI("sips:example.org")}},
		{"uri-http", .sans = {URI("http://example.org/")}},
		{"uri-slashes", .sans = {URI("sip://example.org")}},
		{"uri-port", .sans = {URI("sip:example.org:5061")}},
		{"uri-params", .sans = {URI("sip:example.org;transport=tls")}},
		{"uri-headers", .sans = {URI("sip:example.org?subject=x")}},
		{"uri-nul", .sans = {URI("sip:example.org\0.evil.example")}},
		{"uri-nul-late", .sans = {URI("sip:example.org;x\0@evil.example")}},
		{"uri-percent", .sans = {URI("sip:example%2eorg")}},
		{"uri-empty", .sans = {URI("sip:"), URI("sip::5060"), URI("sip")}},
		{"uri-bare", .sans = {URI("example.org")}},
		{"uri-ip", .sans = {URI("sip:192.0.2.1")}},
		{"uri-too-long", .sans = {URI("sip:" N253 "a")}},
		/* common names */
		{"cn", .cn = "sip.example.org"},
		{"cn-mixed", .cn = "SIP.example.org"},
		{"cn-nul", .cn = "sip.example.org\0.evil.example", .cn_size = 29},
		{"cn-ip", .cn = "192.0.2.1"},
		{"cn-text", .cn = "Alice at example.org"},
		{"cn-and-dns", .cn = "sip.example.org", .sans = {DNS("other.example.org")}},
		{"cn-and-uri", .cn = "sip.example.org", .sans = {URI("sip:bob@example.org")}},
		{"cn-and-mail", .cn = "sip.example.org", .sans = {{GNUTLS_SAN_RFC822NAME, "a@example.org", 0}}},
		{"cn-and-ip", .cn = "sip.example.org", .sans = {{GNUTLS_SAN_IPADDRESS, "\xc0\x00\x02\x01", 4}}},
		{"none", .flags = TLSG_CERT_NO_CN},
};

enum
{
	NO,
	YES,
	WILD /* only with wildcards */
};

static const struct
{
	const char *cert;
	const char *name;
	int match;
} cases[] = {
		{"dns", "example.org", YES},
		{"dns", "sip.example.org", YES},
		{"dns", "SIP.EXAMPLE.ORG", YES},
		{"dns", "sip.example.org.", YES},
		{"dns", "sip.example.org..", NO},
		{"dns", ".example.org", NO},
		{"dns", "xsip.example.org", NO},
		{"dns", "sip.example.or", NO},
		{"dns", "sip.example.org.evil.example", NO},
		{"dns", "a.sip.example.org", NO},
		{"dns", "org", NO},
		{"dns", "", NO},
		{"dns", ".", NO},
		{"dns", "cn.example.org", NO}, /* there are SANs */
		{"dns-mixed", "sip.example.org", YES},
		{"dns-dot", "sip.example.org", YES},
		{"dns-dots", "sip.example.org", NO},
		{"dns-nul", "sip.example.org", NO},
		{"dns-nul-end", "sip.example.org", NO},
		{"dns-nul-front", "sip.example.org", NO},
		{"dns-space", "sip.example.org", NO},
		{"dns-newline", "sip.example.org", NO},
		{"dns-ip", "192.0.2.1", NO},
		{"dns-ip", "2001:db8::1", NO},
		{"dns-label", L63 "a.example.org", NO},
		{"dns-longest", N253, YES},
		{"dns-longest", N253 ".", YES},
		{"dns-too-long", N253 "a", NO},
		{"dns-too-long", N253, NO},
		{"dns-idn", "xn--bcher-kva.example", YES},
		{"dns-idn", "XN--BCHER-KVA.example", YES},
		{"dns-idn",
				"b\xc3\xbc"
				"cher.example",
				YES},
		{"dns-idn",
				"B\xc3\x9c"
				"CHER.example",
				YES},
		{"dns-idn", "bucher.example", NO},
		{"dns-idn", "b\xc3(cher.example", NO}, /* not UTF-8 */
		{"dns-utf8",
				"b\xc3\xbc"
				"cher.example",
				NO}, /* certificates have A-labels */
		{"san-empty", "sip.example.org", NO},
		{"san-cut", "sip.example.org", NO},
		{"san-other", "sip.example.org", NO},
		{"san-other", "sip.org", NO},
		{"san-number", "sip.example.org", NO},
		{"dns-at", "example.org", NO},
		{"dns-at", "user@example.org", NO},
		{"ip", "192.0.2.1", NO},
		{"mail", "example.org", NO},
		{"second", "sip.example.org", YES},
		{"second", "example.com", NO},
		{"many", "sip.example.org", YES},
		{"many", "host-299.filler.example", YES},
		{"many", "host-300.filler.example", NO},
		{"wild", "sip.example.org", WILD},
		{"wild", "SIP.example.org", WILD},
		{"wild", "a.sip.example.org", NO},
		{"wild", "example.org", NO},
		{"wild", ".example.org", NO},
		{"wild", "*.example.org", NO},
		{"wild", "sip.example.com", NO},
		{"wild-top", "example.org", NO},
		{"wild-bare", "localhost", NO},
		{"wild-bare", "example.org", NO},
		{"wild-part", "sip.example.org", NO},
		{"wild-middle", "sip.example.org", NO},
		{"wild-two", "a.b.example.org", NO},
		{"wild-nul", "sip.example.org", NO},
		{"wild-uri", "sip.example.org", NO},
		{"wild-cn", "sip.example.org", NO},
		{"uri", "example.org", YES},
		{"uri", "EXAMPLE.org", YES},
		{"uri", "sip.example.org", NO},
		{"uri", "sip:example.org", NO},
		{"uri-mixed", "example.org", YES},
		{"uri-user", "example.org", NO},
		{"uri-user", "alice@example.org", NO},
		{"uri-no-user", "example.org", NO},
		{"uri-late-user", "example.org", NO},
		{"uri-late-user", "example.com", NO},
		{"uri-password", "example.org", NO},
		{"uri-password", "example.com", NO},
		{"uri-sips", "example.org", NO},
		{"uri-http", "example.org", NO},
		{"uri-slashes", "example.org", NO},
		{"uri-port", "example.org", YES},
		{"uri-params", "example.org", YES},
		{"uri-headers", "example.org", YES},
		{"uri-nul", "example.org", NO},
		{"uri-nul-late", "example.org", NO},
		{"uri-percent", "example.org", NO},
		{"uri-empty", "", NO},
		{"uri-bare", "example.org", NO},
		{"uri-ip", "192.0.2.1", NO},
		{"uri-too-long", N253 "a", NO},
		{"cn", "sip.example.org", YES},
		{"cn", "example.org", NO},
		{"cn-mixed", "sip.EXAMPLE.org", YES},
		{"cn-nul", "sip.example.org", NO},
		{"cn-ip", "192.0.2.1", NO},
		{"cn-text", "example.org", NO},
		{"cn-and-dns", "sip.example.org", NO},
		{"cn-and-dns", "other.example.org", YES},
		{"cn-and-uri", "sip.example.org", NO},
		{"cn-and-mail", "sip.example.org", NO},
		{"cn-and-ip", "sip.example.org", NO},
		{"none", "sip.example.org", NO},
		{"none", "tls_gnutls tests", NO},
};

static struct tlsg_certs certs;

/* Whether verification for a name accepts a certificate. For a trusted one the name is the only reason to refuse it. */
static bool is_accepted(const struct tlsg_der *der, const struct tlsg_trust *trust, const str *name, bool wildcards)
{
	const struct tlsg_verify_input in = {.chain = der,
			.chain_len = 1,
			.trust = trust,
			.role = TLSG_CLIENT,
			.verify_name = wildcards ? 2 : 1,
			.name = *name,
			.now = TLSG_CERTS_NOW};
	struct tlsg_verify_result r;
	enum tlsg_ret ret = tlsg_verify_chain(&in, &r);

	if(ret == TLSG_OK && r.code != TLSG_V_OK && r.code != TLSG_V_NAME_MISMATCH)
		fail_msg("\"%.*s\": %s", name->len, name->s, tlsg_verify_code_reason(r.code));
	tlsg_verify_result_free(&r);
	return ret == TLSG_OK && r.code == TLSG_V_OK;
}

/* A trust with one certificate as its anchor, or none if it cannot be parsed; freed with the arena. */
static struct tlsg_arena *trust_make(struct tlsg_der *der, struct tlsg_trust *trust)
{
	struct tlsg_arena *arena = tlsg_arena_new(0);
	gnutls_x509_crt_t crt;

	assert_non_null(arena);
	*trust = (struct tlsg_trust){.cas = der, .cas_len = tlsg_crt_parse(der, &crt) == 0 ? 1 : 0};
	gnutls_x509_crt_deinit(crt);
	assert_int_equal(tlsg_trust_index(trust, arena, NULL), TLSG_OK);
	return arena;
}

static bool asks(const char *cert, const str *name, bool wildcards)
{
	const struct tlsg_cert *c = tlsg_certs_get(&certs, cert);
	struct tlsg_der der = {c->der.data, c->der.size};
	struct tlsg_trust trust;
	struct tlsg_arena *arena = trust_make(&der, &trust);
	bool accepted = is_accepted(&der, &trust, name, wildcards);

	tlsg_arena_drop(arena);
	return accepted;
}

static void test_identities(void **state)
{
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		str name = {(char *)cases[i].name, (int)strlen(cases[i].name)};

		if(asks(cases[i].cert, &name, false) != (cases[i].match == YES))
			fail_msg("%s against \"%s\": %s", cases[i].cert, cases[i].name, cases[i].match == YES ? "no" : "yes");
		if(asks(cases[i].cert, &name, true) != (cases[i].match != NO))
			fail_msg("%s against \"%s\" with wildcards: %s", cases[i].cert, cases[i].name,
					cases[i].match != NO ? "no" : "yes");
	}
}

/* A name with a zero byte, or an empty one, matches nothing. */
static void test_bad_expected(void **state)
{
	static char nul[] = "sip.example.org\0.evil.example";
	static char far[5000];
	str name = {nul, sizeof(nul) - 1};

	(void)state;
	assert_false(asks("dns", &name, true));
	name.len = 16;
	assert_false(asks("dns", &name, true));
	name.len = 15;
	assert_true(asks("dns", &name, false));
	name.len = 14;
	assert_false(asks("dns", &name, true));
	name = (str){NULL, 0};
	assert_false(asks("dns", &name, true));
	name = (str){nul, 0};
	assert_false(asks("dns", &name, true));
	name = (str){nul, -1};
	assert_false(asks("dns", &name, true));
	memset(far, 'a', sizeof(far));
	name = (str){far, sizeof(far)};
	assert_false(asks("dns", &name, true));
}

/* The certificate may be any bytes. */
static void test_bad_certificate(void **state)
{
	static unsigned char junk[] = {0x30, 0x82, 0x01, 0x00, 0x02};
	static char text[] = "sip.example.org";
	const struct tlsg_cert *c = tlsg_certs_get(&certs, "dns");
	str name = {text, sizeof(text) - 1};
	struct tlsg_der whole = {c->der.data, c->der.size};
	struct tlsg_der der = {junk, sizeof(junk)};
	struct tlsg_trust trust;
	struct tlsg_arena *arena = trust_make(&whole, &trust);

	(void)state;
	assert_false(is_accepted(&der, &trust, &name, true));
	der = (struct tlsg_der){c->der.data, c->der.size - 1};
	assert_false(is_accepted(&der, &trust, &name, true));
	der.size = 0;
	assert_false(is_accepted(&der, &trust, &name, true));
	der.size = c->der.size;
	assert_true(is_accepted(&der, &trust, &name, true));
	tlsg_arena_drop(arena);
}

static void test_normalise(void **state)
{
	static const struct
	{
		const char *name;
		const char *out; /* NULL: refused */
	} names[] = {
			{"example.org", "example.org"},
			{"Example.ORG.", "example.org"},
			{"_sip._tls.example.org", "_sip._tls.example.org"},
			{"localhost", "localhost"},
			{"m\xc3\xbcnchen.example", "xn--mnchen-3ya.example"},
			{"192.0.2.1", NULL},
			{"::1", NULL},
			{"[::1]", NULL},
			{"example.org\n", NULL},
			{"m\xc3\xbcnchen.example\n", NULL},
			{"example..org", NULL},
			{"exa mple.org", NULL},
			{"*.example.org", NULL},
			{"example.org:5061", NULL},
			{"sip:example.org", NULL},
	};
	char out[TLSG_NAME_MAX + 1];
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		str name = {(char *)names[i].name, (int)strlen(names[i].name)};
		bool good = tlsg_name_normalise(&name, out);

		if(good != (names[i].out != NULL) || (good && strcmp(out, names[i].out) != 0))
			fail_msg("\"%s\" gave \"%s\"", names[i].name, good ? out : "(refused)");
	}
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
			cmocka_unit_test(test_identities),
			cmocka_unit_test(test_bad_expected),
			cmocka_unit_test(test_bad_certificate),
			cmocka_unit_test(test_normalise),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
