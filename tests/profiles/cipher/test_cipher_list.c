/*
 * tls_gnutls - tests the evaluation of cipher_list, and that exactly the suites of a list can be negotiated
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: a test process.   Memory: heap, stack.   Lock: none.
 *
 * ciphers_compare.py compares the list with OpenSSL's over many strings; here are the corner cases and GnuTLS's side.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <gnutls/gnutls.h>

#include "profiles/cipher/cipher_string.h"
#include "profiles/cipher/priority_string.h"
#include "tests/lib/certs.h"
#include "tests/lib/tls_pair.h"

static const struct tlsg_method *method_of(const char *token)
{
	const struct tlsg_method *m = NULL;

	assert_int_equal(tlsg_method_parse(token, strlen(token), &m, NULL), TLSG_OK);
	return m;
}

static const struct tlsg_suite *suite_of(const char *name)
{
	const struct tlsg_suite *s = tlsg_suite_by_name(name, strlen(name));

	assert_non_null(s);
	return s;
}

static const struct tlsg_suite *row_of(size_t index)
{
	size_t count;

	return &tlsg_suite_table(&count)[index];
}

static void eval(struct tlsg_cipher_list *l, const char *string, const char *method)
{
	struct tlsg_err err;

	tlsg_err_clear(&err);
	if(tlsg_cipher_string_eval(string, method_of(method), NULL, l, &err) != TLSG_OK)
		fail_msg("%s: %s", string, err.text);
}

static void join(const uint16_t *rows, size_t len, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for(size_t i = 0; i < len; i++) {
		used += (size_t)snprintf(out + used, size - used, "%s%s", i > 0 ? ":" : "", tlsg_suite_name(row_of(rows[i])));
		assert_true(used < size);
	}
}

#define TLS13 "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256"

/* Which suites are named and which are enforced, by method and security level. */
static void test_lists(void **state)
{
	static const struct
	{
		const char *method;
		const char *string;
		const char *named;
		const char *enforced; /* NULL: as named */
		int level;
	} rows[] = {
			{"TLSv1+", "AES128-SHA:AES256-SHA", TLS13 ":AES128-SHA:AES256-SHA", NULL, 2},
			{"TLSv1.2", "AES128-SHA:AES128-GCM-SHA256", "AES128-SHA:AES128-GCM-SHA256", NULL, 2},
			/* a suite of TLS 1.2 is not in TLS 1.0 */
			{"TLSv1", "AES128-SHA:AES128-GCM-SHA256", "AES128-SHA", NULL, 2},
			{"TLSv1.1", "AES128-GCM-SHA256:ECDHE-RSA-AES128-SHA", "ECDHE-RSA-AES128-SHA", NULL, 2},
			/* TLS 1.3 alone: its names count, in the order written */
			{"TLSv1.3", "HIGH", TLS13, NULL, 2},
			{"TLSv1.3", "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384",
					"TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384", NULL, 2},
			{"TLSv1.3+", "TLS_AES_128_CCM_SHA256:AES128-SHA:TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_SHA256", NULL, 2},
			/* otherwise they do not, as in OpenSSL */
			{"TLSv1.2+", "TLS_AES_128_CCM_SHA256:AES128-SHA", TLS13 ":AES128-SHA", NULL, 2},
			/* suites without certificates are left out, but a string of them is not wrong */
			{"TLSv1+", "PSK", TLS13, NULL, 2},
			{"TLSv1+", "aNULL:eNULL:SRP:AES128-SHA", TLS13 ":AES128-SHA", NULL, 2},
			/* so are suites that OpenSSL 3 no longer has */
			{"TLSv1.2", "DES-CBC3-SHA:AES128-SHA", "AES128-SHA", NULL, 2},
			/* security levels */
			{"TLSv1.2", "AES128-SHA:@SECLEVEL=0", "AES128-SHA", NULL, 0},
			{"TLSv1.2", "AES128-SHA:ECDHE-RSA-AES128-SHA:@SECLEVEL=3", "AES128-SHA:ECDHE-RSA-AES128-SHA",
					"ECDHE-RSA-AES128-SHA", 3},
			{"TLSv1.2", "@SECLEVEL=4:ECDHE-RSA-AES128-SHA256:ECDHE-RSA-AES256-SHA:ECDHE-RSA-AES256-SHA384",
					"ECDHE-RSA-AES128-SHA256:ECDHE-RSA-AES256-SHA:ECDHE-RSA-AES256-SHA384", "ECDHE-RSA-AES256-SHA384",
					4},
			{"TLSv1.3", "HIGH:@SECLEVEL=5", TLS13, "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256", 5},
			{"TLSv1.2", "AES128-SHA:@SECLEVEL=5:@SECLEVEL=1", "AES128-SHA", NULL, 1},
			/* Suite B */
			{"TLSv1.2", "SUITEB128", "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384", NULL, 2},
			{"TLSv1.2", "SUITEB192", "ECDHE-ECDSA-AES256-GCM-SHA384", NULL, 2},
	};
	char text[4096];

	(void)state;
	for(size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tlsg_cipher_list l;

		eval(&l, rows[i].string, rows[i].method);
		assert_int_equal(l.kind, TLSG_CIPHER_LIST);
		join(l.named, l.named_len, text, sizeof(text));
		assert_string_equal(text, rows[i].named);
		join(l.suites, l.suites_len, text, sizeof(text));
		assert_string_equal(text, rows[i].enforced != NULL ? rows[i].enforced : rows[i].named);
		assert_int_equal(l.sec_level, rows[i].level);
		assert_int_equal(l.sec_level_named, strstr(rows[i].string, "@SECLEVEL") != NULL);
	}
}

/* Strings that must be refused. The text names the cause. */
static void test_refusals(void **state)
{
	static const struct
	{
		const char *method;
		const char *string;
		const char *text;
	} rows[] = {
			{"TLSv1+", "", "selects no suite"},
			{"TLSv1+", ":", "selects no suite"},
			{"TLSv1+", "FOO", "'FOO' selects no suite"},
			{"TLSv1+", "ALL:!ALL", "selects no suite"},
			{"TLSv1+", "TLS_AES_128_GCM_SHA256", "selects no suite of TLS 1.2"},
			{"TLSv1+", "AES128-SHA:@SECLEVEL=6", "'@SECLEVEL=6' at character 12"},
			{"TLSv1+", "AES128-SHA:@SECLEVEL=10", "'@SECLEVEL=10' at character 12"},
			{"TLSv1+", "AES128-SHA:@WHAT", "'@WHAT' at character 12"},
			{"TLSv1+", "AES128-SHA:HIGH+:AES256-SHA", "at character 12"},
			{"TLSv1+", "AES128-SHA:*", "'*' at character 12"},
			{"TLSv1.2", "PSK", "nothing is left"},
			{"TLSv1.2", "AES128-SHA:@SECLEVEL=3", "nothing is left"},
			{"TLSv1", "AES128-GCM-SHA256", "nothing is left"},
			{"TLSv1", "ECDHE-RSA-AES128-SHA:@SECLEVEL=3", "nothing is left"},
			{"TLSv1.1", "ECDHE-RSA-AES256-SHA384:@SECLEVEL=4", "nothing is left"},
			{"TLSv1+", "NORMAL:+FOO", "does not understand"},
			{"TLSv1+", "NONE", "leave no suite"},
			{"TLSv1+", "@NO-SUCH-KEYWORD", "does not understand"},
			{"TLSv1.3", "NORMAL:-VERS-TLS1.3", "no TLS version in common"},
	};

	(void)state;
	for(size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tlsg_cipher_list l;
		struct tlsg_err err;

		tlsg_err_clear(&err);
		if(tlsg_cipher_string_eval(rows[i].string, method_of(rows[i].method), NULL, &l, &err) != TLSG_E_CONFIG)
			fail_msg("'%s' was accepted", rows[i].string);
		if(strstr(err.text, rows[i].text) == NULL)
			fail_msg("'%s': %s", rows[i].string, err.text);
	}
}

/* GnuTLS accepts it, but it is longer than the buffer. */
static void test_too_long_for_a_priority_string(void **state)
{
	static const char word[] = ":%DEBUG_ALLOW_KEY_USAGE_VIOLATIONS";
	char string[TLSG_PRIORITY_SIZE + 64] = "NORMAL";
	size_t used = strlen(string);
	struct tlsg_cipher_list l;

	(void)state;
	for(; used + 2 * sizeof(word) < TLSG_PRIORITY_SIZE; used += sizeof(word) - 1)
		memcpy(string + used, word, sizeof(word));
	assert_int_equal(tlsg_cipher_string_eval(string, method_of("TLSv1+"), NULL, &l, NULL), TLSG_OK);
	for(; used < TLSG_PRIORITY_SIZE; used += sizeof(word) - 1)
		memcpy(string + used, word, sizeof(word));
	assert_int_equal(tlsg_cipher_string_eval(string, method_of("TLSv1+"), NULL, &l, NULL), TLSG_E_RESOURCE);
}

static void test_which_language(void **state)
{
	static const struct
	{
		const char *string;
		bool native;
	} rows[] = {
			{"NORMAL", true},
			{"normal", true},
			{"NORMAL:-VERS-TLS1.0", true},
			{"SECURE128", true},
			{"SECURE256:+SECURE128", true},
			{"PERFORMANCE", true},
			{"PFS", true},
			{"LEGACY", true},
			{"NONE:+VERS-TLS1.2:+RSA", true},
			{"@SYSTEM", true},
			{"@SYSTEM,NORMAL:+ARCFOUR-128", true},
			{"SUITEB128:-VERS-TLS1.3", true},
			{"SUITEB192:%COMPAT", true},
			{"SUITEB128", false},
			{"SUITEB192", false},
			{"@SECLEVEL=1:HIGH", false},
			{"@SECLEVEL=9", false},
			{"@STRENGTH", false},
			{"@", false},
			{"ALL", false},
			{"HIGH:!aNULL", false},
			{"NORMALLY", false},
			{"NORMAL,HIGH", false},
			{"AES128-SHA:NORMAL", false},
			{"", false},
	};

	(void)state;
	for(size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if(tlsg_rules_is_native(rows[i].string) != rows[i].native)
			fail_msg("'%s'", rows[i].string);
}

/* For DTLS: its versions and no others, the suites that they have, for every kind of string. */
static void test_datagrams(void **state)
{
	static const struct
	{
		const char *string;
		const char *method;
		const char *ends; /* of a native priority string */
	} all[] = {
			{NULL, "TLSv1.2+", NULL},
			{"ECDHE-ECDSA-AES128-GCM-SHA256:TLS_AES_128_GCM_SHA256", "TLSv1.2+", NULL},
			{"NORMAL", "TLSv1.2+", ":-VERS-ALL:+VERS-DTLS1.2"},
			{"NORMAL", "TLSv1+", ":-VERS-ALL:+VERS-DTLS1.2:+VERS-DTLS1.0"},
			{"NORMAL:-VERS-ALL:+VERS-TLS1.2", "TLSv1+", ":-VERS-ALL:+VERS-DTLS1.2"}, /* that of TLS 1.2 */
			{"NORMAL:-VERS-DTLS1.0", "TLSv1+", ":-VERS-ALL:+VERS-DTLS1.2"},
	};
	struct tlsg_cipher_list l;
	struct tlsg_method m;
	size_t i, k;

	(void)state;
	for(i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		m = *method_of(all[i].method);
		m.datagram = true;
		assert_int_equal(tlsg_cipher_string_eval(all[i].string, &m, NULL, &l, NULL), TLSG_OK);
		assert_true(l.datagram);
		assert_true(l.suites_len > 0);
		for(k = 0; k < l.suites_len; k++)
			assert_int_not_equal(tlsg_suite_at(l.suites[k])->min_version, TLSG_TLS1_3);
		assert_null(strstr(l.priority, "+VERS-TLS1.3"));
		assert_non_null(strstr(l.priority, "+VERS-DTLS1.2"));
		if(all[i].ends != NULL)
			assert_string_equal(l.priority + strlen(l.priority) - strlen(all[i].ends), all[i].ends);
	}
	m = *method_of("TLSv1.3");
	m.datagram = true;
	assert_int_equal(tlsg_cipher_string_eval(NULL, &m, NULL, &l, NULL), TLSG_E_CONFIG);
}

/* A native string is used as it is, unless tls_method excludes versions of it. */
static void test_native_strings(void **state)
{
	static const struct
	{
		const char *method;
		const char *string;
		const char *priority;
		unsigned versions;
	} rows[] = {
			{"TLSv1+", "NORMAL:-VERS-ALL:+VERS-TLS1.2", "NORMAL:-VERS-ALL:+VERS-TLS1.2", TLSG_VERSION_BIT(TLSG_TLS1_2)},
			{"SSLv23", "PFS:-VERS-TLS1.2:-VERS-TLS1.1:-VERS-TLS1.0", "PFS:-VERS-TLS1.2:-VERS-TLS1.1:-VERS-TLS1.0",
					TLSG_VERSION_BIT(TLSG_TLS1_3)},
			{"TLSv1.2", "SECURE128", "SECURE128:-VERS-ALL:+VERS-TLS1.2", TLSG_VERSION_BIT(TLSG_TLS1_2)},
			{"TLSv1.2+", "NORMAL:-VERS-TLS1.3", "NORMAL:-VERS-TLS1.3:-VERS-ALL:+VERS-TLS1.2",
					TLSG_VERSION_BIT(TLSG_TLS1_2)},
			/* a version excluded by the string itself and one excluded by the method */
			{"TLSv1.1+", "NORMAL:-VERS-TLS1.3", "NORMAL:-VERS-TLS1.3:-VERS-ALL:+VERS-TLS1.2:+VERS-TLS1.1",
					TLSG_VERSION_BIT(TLSG_TLS1_2) | TLSG_VERSION_BIT(TLSG_TLS1_1)},
	};

	(void)state;
	for(size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tlsg_cipher_list l;

		eval(&l, rows[i].string, rows[i].method);
		assert_int_equal(l.kind, TLSG_CIPHER_NATIVE);
		assert_string_equal(l.priority, rows[i].priority);
		assert_int_equal(l.versions, rows[i].versions);
		assert_true(l.suites_len > 0);
		assert_false(l.surplus);
		assert_true(tlsg_cipher_list_has(&l, NULL)); /* GnuTLS alone decides */
		for(size_t s = 0; s < l.suites_len; s++)
			assert_int_equal(tlsg_suite_in_version(row_of(l.suites[s]), TLSG_TLS1_3),
					(l.versions & TLSG_VERSION_BIT(TLSG_TLS1_3)) != 0);
	}
}

/* The profile that certificates must satisfy. */
static void test_certificate_profiles(void **state)
{
	static const struct
	{
		const char *string;
		gnutls_certificate_verification_profiles_t profile;
		bool named;
	} rows[] = {
			{"ALL", GNUTLS_PROFILE_MEDIUM, false},
			{"ALL:@SECLEVEL=0", GNUTLS_PROFILE_VERY_WEAK, true},
			{"ALL:@SECLEVEL=1", GNUTLS_PROFILE_LOW, true},
			{"ALL:@SECLEVEL=2", GNUTLS_PROFILE_MEDIUM, true},
			{"ALL:@SECLEVEL=3", GNUTLS_PROFILE_HIGH, true},
			{"ALL:@SECLEVEL=4", GNUTLS_PROFILE_ULTRA, true},
			{"ALL:@SECLEVEL=5", GNUTLS_PROFILE_FUTURE, true},
			{"NORMAL", GNUTLS_PROFILE_MEDIUM, false},
			{"NORMAL:%PROFILE_LOW", GNUTLS_PROFILE_LOW, true},
			{"NORMAL:%PROFILE_HIGH:%COMPAT", GNUTLS_PROFILE_HIGH, true},
			{"NORMAL:%PROFILE_LOW:%PROFILE_ULTRA", GNUTLS_PROFILE_ULTRA, true},
			{"NORMAL:%PROFILE_LEGACY", GNUTLS_PROFILE_MEDIUM, true}, /* the next stricter one */
			{"NORMAL:%PROFILE_SUITEB128", GNUTLS_PROFILE_HIGH, true},
			{"NORMAL:%PROFILE_FUTURE", GNUTLS_PROFILE_FUTURE, true},
			{"NORMAL:%PROFILE_VERY_WEAK", GNUTLS_PROFILE_VERY_WEAK, true},
	};

	(void)state;
	for(size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tlsg_cipher_list l;

		eval(&l, rows[i].string, "TLSv1.2+");
		assert_int_equal(tlsg_cipher_list_profile(&l), rows[i].profile);
		assert_int_equal(l.sec_level_named, rows[i].named);
	}
}

/* cipher_list not set: OpenSSL's DEFAULT. The policy of the system can only take away from it: test_policy.c. */
static void test_default(void **state)
{
	struct tlsg_cipher_list l, written;
	gnutls_priority_t prio;
	bool has_policy = gnutls_priority_init(&prio, "@SYSTEM", NULL) >= 0;

	(void)state;
	if(has_policy)
		gnutls_priority_deinit(prio);
	eval(&l, NULL, "TLSv1.2");
	eval(&written, "DEFAULT", "TLSv1.2");
	assert_int_equal(l.kind, TLSG_CIPHER_DEFAULT);
	assert_int_equal(l.versions, TLSG_VERSION_BIT(TLSG_TLS1_2));
	assert_false(tlsg_cipher_list_has(&l, NULL));
	assert_true(l.suites_len > 0);
	if(has_policy)
		return;
	assert_string_equal(l.priority, written.priority);
	assert_int_equal(l.suites_len, written.suites_len);
	assert_memory_equal(l.suites, written.suites, sizeof(l.suites));
	assert_true(tlsg_cipher_list_has(&l, suite_of("ECDHE-ECDSA-AES256-SHA384"))); /* NORMAL lacks it */
	assert_false(l.surplus);
}

struct noted
{
	char text[2048];
};

static void note_cb(void *arg, const char *word, size_t len, const char *why)
{
	struct noted *n = arg;
	size_t used = strlen(n->text);

	assert_true(strlen(why) > 0);
	snprintf(n->text + used, sizeof(n->text) - used, "[%.*s]", (int)len, word);
}

/* Reported are words that select nothing usable and words that look like mistakes, but not suites that were excluded
 * anyway. */
static void test_notes(void **state)
{
	static const struct
	{
		const char *string;
		const char *notes;
	} rows[] = {
			{"HIGH:!aNULL:!MD5:!RC4:!EXP:!kECDH:!3DES:!PSK", ""},
			{"HIGH:FOO:+FOO:!FOO:-FOO", "[FOO][FOO][FOO][FOO]"},
			{"HIGH:ECDHE+FOO", "[ECDHE+FOO]"},
			{"HIGH:RC4-SHA:RC4:EXP", "[RC4-SHA][RC4][EXP]"},
			{"HIGH:PSK:aNULL:eNULL:ADH-AES128-SHA:ARIA", "[PSK][aNULL][eNULL][ADH-AES128-SHA][ARIA]"},
			{"HIGH:TLS_AES_128_CCM_SHA256:TLS_RSA_WITH_AES_128_CBC_SHA",
					"[TLS_AES_128_CCM_SHA256][TLS_RSA_WITH_AES_128_CBC_SHA]"},
			{"AES128-SHA:ECDHE-RSA-AES128-SHA:@SECLEVEL=3", "[AES128-SHA]"},
			{"NORMAL:-RSA", ""},
			{"NORMAL:%SERVER_PRECEDENCE", "[%SERVER_PRECEDENCE]"},
	};

	(void)state;
	for(size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct noted noted = {""};
		struct tlsg_cipher_note note = {.note_cb = note_cb, .arg = &noted};
		struct tlsg_cipher_list l;

		assert_int_equal(tlsg_cipher_string_eval(rows[i].string, method_of("TLSv1+"), &note, &l, NULL), TLSG_OK);
		assert_string_equal(noted.text, rows[i].notes);
	}
}

/* The parts of a priority string. */
static void test_priority_strings(void **state)
{
	static const struct
	{
		const char *method;
		const char *string;
		const char *has;
		const char *lacks;
	} rows[] = {
			{"TLSv1.2", "ECDHE-RSA-AES128-GCM-SHA256",
					"NONE:-VERS-ALL:+VERS-TLS1.2:+ECDHE-RSA:+AES-128-GCM:+AEAD:", "FFDHE"},
			{"TLSv1.2", "DHE-RSA-AES128-SHA", ":+DHE-RSA:+AES-128-CBC:+SHA1:", "SIGN-RSA-SHA1"},
			{"TLSv1.2", "DHE-RSA-AES128-SHA", ":+GROUP-FFDHE2048:", "SERVER_PRECEDENCE"},
			{"TLSv1.2", "AES256-SHA:AES128-SHA256:AES128-SHA",
					":+RSA:+AES-256-CBC:+AES-128-CBC:+SHA1:+SHA256:", "AEAD"},
			{"TLSv1.3", "ALL", "+VERS-TLS1.3:+AES-256-GCM:+CHACHA20-POLY1305:+AES-128-GCM:+AEAD:", "ECDHE-RSA"},
			{"TLSv1.2", "ALL", ":%PROFILE_MEDIUM", "SHA1:%"},
			{"TLSv1.2", "ALL:@SECLEVEL=0", ":%PROFILE_VERY_WEAK:%VERIFY_ALLOW_SIGN_WITH_SHA1", "%PROFILE_MEDIUM"},
			{"TLSv1.2", "ALL:@SECLEVEL=0", ":+SIGN-RSA-SHA1:", "%PROFILE_LOW"},
			{"TLSv1.2", "ALL:@SECLEVEL=1", ":%PROFILE_LOW", "SIGN-RSA-SHA1"},
			{"TLSv1+", "ALL:@SECLEVEL=3", "-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:+VERS-TLS1.1:+ECDHE", "+RSA:"},
			{"TLSv1+", "ALL:@SECLEVEL=3", ":%PROFILE_HIGH", "FFDHE2048"},
			{"TLSv1+", "ALL:@SECLEVEL=4", "-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:+ECDHE", "GROUP-X25519:"},
			{"TLSv1+", "ALL:@SECLEVEL=4", ":%PROFILE_ULTRA", "SIGN-RSA-SHA256"},
			{"TLSv1+", "ALL:@SECLEVEL=5", ":+GROUP-SECP521R1:", "SECP384R1:"},
			{"TLSv1+", "ALL:@SECLEVEL=5", ":%PROFILE_FUTURE", "SIGN-RSA-SHA384"},
			{"TLSv1.2", "SUITEB128", ":+GROUP-SECP256R1:+GROUP-SECP384R1:", "RSA"},
			{"TLSv1.2", "SUITEB128ONLY", ":+GROUP-SECP256R1:+SIGN-ECDSA-SHA256:", "384"},
			{"TLSv1.2", "SUITEB192", ":+GROUP-SECP384R1:+SIGN-ECDSA-SHA384:", "256R1"},
			/* a version without a suite is not offered */
			{"TLSv1+", "AES128-GCM-SHA256", "-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:+RSA", "TLS1.1"},
	};

	(void)state;
	for(size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tlsg_cipher_list l;

		eval(&l, rows[i].string, rows[i].method);
		if(strstr(l.priority, rows[i].has) == NULL || strstr(l.priority, rows[i].lacks) != NULL)
			fail_msg("%s: %s", rows[i].string, l.priority);
	}
}

/* Whether the combinations of the algorithms are more than the list; order does not count. */
static void test_surplus(void **state)
{
	static const struct
	{
		const char *method;
		const char *string;
		bool surplus;
	} rows[] = {
			{"TLSv1.2", "ECDHE-RSA-AES128-GCM-SHA256", false},
			{"TLSv1.2", "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256", false},
			{"TLSv1.3", "ALL", false},
			{"TLSv1.2", "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256", true},
			{"TLSv1.2", "ECDHE-RSA-AES128-SHA256:ECDHE-RSA-AES256-SHA", true},
			/* TLS 1.3 adds ciphers that the list does not have for TLS 1.2 */
			{"TLSv1.2+", "ECDHE-RSA-AES128-GCM-SHA256", true},
			{"TLSv1.2+", "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-CHACHA20-POLY1305:ECDHE-RSA-AES128-GCM-SHA256", false},
			/* GnuTLS sorts by key exchange first */
			{"TLSv1.2", "ECDHE-RSA-AES256-GCM-SHA384:AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256:AES128-GCM-SHA256",
					false},
	};

	(void)state;
	for(size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tlsg_cipher_list l;

		eval(&l, rows[i].string, rows[i].method);
		assert_int_equal(l.surplus, rows[i].surplus);
	}
}

/* What a client offers: of TLS 1.3 only suites that admit the fewest suites of TLS 1.2 outside the list. */
static void test_client_offer(void **state)
{
	static const struct
	{
		const char *string;
		const char *tls13; /**< what is offered of TLS 1.3, in order */
		size_t besides;	   /**< suites of TLS 1.2 that are not in the list */
	} rows[] = {
			{"ECDHE-RSA-AES128-GCM-SHA256", "TLS_AES_128_GCM_SHA256", 0},
			{"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES256-GCM-SHA384",
					"TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256", 0},
			/* no cipher of TLS 1.3 is in the list: the one that all servers have, and AES128-GCM-SHA256 with it */
			{"AES128-SHA", "TLS_AES_128_GCM_SHA256", 1},
			/* surplus within TLS 1.2 stays */
			{"ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256",
					"TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256", 2},
	};

	(void)state;
	for(size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tlsg_cipher_list l;
		char text[TLSG_PRIORITY_SIZE];
		char tls13[200];
		uint16_t offered[TLSG_CIPHER_MAX];
		gnutls_priority_t prio;
		size_t len = 0, besides = 0;
		unsigned n, at;

		eval(&l, rows[i].string, "TLSv1.2+");
		assert_true(l.surplus);
		assert_int_equal(tlsg_priority_string_client(&l, text, sizeof(text)), TLSG_OK);
		assert_int_equal(gnutls_priority_init(&prio, text, NULL), 0);
		for(n = 0; gnutls_priority_get_cipher_suite_index(prio, n, &at) != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE; n++) {
			unsigned char id[2];
			const struct tlsg_suite *s;

			if(gnutls_cipher_suite_info(at, id, NULL, NULL, NULL, NULL) == NULL)
				continue;
			s = tlsg_suite_by_id(id[0], id[1]);
			assert_non_null(s);
			if(s->min_version == TLSG_TLS1_3)
				offered[len++] = (uint16_t)tlsg_suite_index(s);
			else
				besides += !tlsg_cipher_list_has(&l, s);
		}
		gnutls_priority_deinit(prio);
		join(offered, len, tls13, sizeof(tls13));
		assert_string_equal(tls13, rows[i].tls13);
		assert_int_equal(besides, rows[i].besides);
	}
}

static void test_choice(void **state)
{
	enum
	{
		R = TLSG_CIPHER_KEY_RSA,
		E = TLSG_CIPHER_KEY_ECDSA,
		V12 = 1 << 3,
		V13 = 1 << 4,
		BOTH = V12 | V13
	};
	static const char list[] = "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:AES128-SHA";
	static const struct
	{
		uint16_t ids[3];
		size_t bytes;
		unsigned versions, keys, without;
		enum tlsg_cipher_choice choice;
		const char *best;
	} rows[] = {
			/* the order of the list decides, not the client's */
			{{0xc030, 0x002f}, 4, V12, R, 0, TLSG_CIPHER_APPLY, "ECDHE-RSA-AES256-GCM-SHA384"},
			{{0x002f, 0xc030}, 4, V12, R, 0, TLSG_CIPHER_APPLY, "ECDHE-RSA-AES256-GCM-SHA384"},
			{{0x002f, 0xc030, 0xc02c}, 6, V12, R | E, 0, TLSG_CIPHER_APPLY, "ECDHE-ECDSA-AES256-GCM-SHA384"},
			{{0x1303, 0x1301, 0x1302}, 6, BOTH, E, 0, TLSG_CIPHER_APPLY, "TLS_AES_256_GCM_SHA384"},
			/* signalling values, GREASE and unknown numbers are not suites */
			{{0x0a0a, 0x002f, 0x00ff}, 6, V12, R, 0, TLSG_CIPHER_APPLY, "AES128-SHA"},
			/* GnuTLS would also accept AES128-GCM-SHA256 (9c), which is not in the list */
			{{0x009c, 0x002f}, 4, V12, R, 0, TLSG_CIPHER_APPLY, "AES128-SHA"},
			{{0x009c}, 2, V12, R, 0, TLSG_CIPHER_REFUSE, NULL},
			/* keys */
			{{0xc02c, 0xc030}, 4, V12, R, 0, TLSG_CIPHER_APPLY, "ECDHE-RSA-AES256-GCM-SHA384"},
			{{0xc02c, 0xc030}, 4, V12, R | E, 0, TLSG_CIPHER_APPLY, "ECDHE-ECDSA-AES256-GCM-SHA384"},
			{{0xc030, 0x002f}, 4, V12, E, 0, TLSG_CIPHER_REFUSE, NULL},
			{{0xc030}, 2, V12, 0, 0, TLSG_CIPHER_REFUSE, NULL},
			/* no curve in common */
			{{0xc030, 0x002f}, 4, V12, R, TLSG_KX_ECDHE, TLSG_CIPHER_APPLY, "AES128-SHA"},
			{{0xc030}, 2, V12, R, TLSG_KX_ECDHE, TLSG_CIPHER_REFUSE, NULL},
			/* the version comes first */
			{{0xc030, 0x1301}, 4, BOTH, R, 0, TLSG_CIPHER_APPLY, "TLS_AES_128_GCM_SHA256"},
			{{0xc030, 0x1301}, 4, V12, R, 0, TLSG_CIPHER_APPLY, "ECDHE-RSA-AES256-GCM-SHA384"},
			{{0xc030}, 2, BOTH, R, 0, TLSG_CIPHER_REFUSE, NULL},
			{{0x1304, 0x1302}, 4, BOTH, E, 0, TLSG_CIPHER_APPLY, "TLS_AES_256_GCM_SHA384"},
			{{0x1304}, 2, BOTH, E, 0, TLSG_CIPHER_REFUSE, NULL},
			/* no version in common, nothing offered, half a suite */
			{{0x002f}, 2, 0, R, 0, TLSG_CIPHER_REFUSE, NULL},
			{{0x002f}, 0, V12, R, 0, TLSG_CIPHER_REFUSE, NULL},
			{{0x002f}, 1, V12, R, 0, TLSG_CIPHER_REFUSE, NULL},
			{{0x002f, 0xc000}, 3, V12, R, 0, TLSG_CIPHER_APPLY, "AES128-SHA"},
	};
	struct tlsg_cipher_list l;

	(void)state;
	eval(&l, list, "TLSv1.2+");
	assert_true(l.surplus);
	for(size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t wire[6];
		struct tlsg_cipher_offer offer = {.ids = wire,
				.ids_bytes = rows[i].bytes,
				.versions = rows[i].versions,
				.keys = rows[i].keys,
				.without = rows[i].without};
		const struct tlsg_suite *best = NULL;

		for(size_t b = 0; b < sizeof(wire); b++)
			wire[b] = (uint8_t)(rows[i].ids[b / 2] >> (b % 2 == 0 ? 8 : 0));

		assert_int_equal(tlsg_cipher_list_choose(&l, &offer, &best), rows[i].choice);
		assert_ptr_equal(best, rows[i].best != NULL ? suite_of(rows[i].best) : NULL);
	}
	eval(&l, "NORMAL", "TLSv1.2+");
	struct tlsg_cipher_offer none = {.ids = (const uint8_t *)"", .versions = V12};
	const struct tlsg_suite *best = NULL;

	assert_int_equal(tlsg_cipher_list_choose(&l, &none, &best), TLSG_CIPHER_LEAVE);
}

static unsigned keys_for(const struct tlsg_cipher_list *l, const char *wire, size_t bytes, unsigned versions)
{
	struct tlsg_cipher_offer offer = {.ids = (const uint8_t *)wire, .ids_bytes = bytes, .versions = versions};

	return tlsg_cipher_list_keys(l, &offer);
}

/* The kinds of keys that fit the suites in common. */
static void test_keys(void **state)
{
	enum
	{
		V12 = 1 << 3,
		V13 = 1 << 4
	};
	static const char *const strings[] = {
			"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:AES128-SHA", "NORMAL", NULL};
	struct tlsg_cipher_list l;

	(void)state;
	for(size_t i = 0; i < 3; i++) {
		eval(&l, strings[i], "TLSv1.2+");
		assert_int_equal(keys_for(&l, "\xc0\x30", 2, V12), TLSG_CIPHER_KEY_RSA);
		assert_int_equal(keys_for(&l, "\xc0\x2c", 2, V12), TLSG_CIPHER_KEY_ECDSA);
		assert_int_equal(keys_for(&l, "\xc0\x30\xc0\x2c", 4, V12), TLSG_CIPHER_KEY_RSA | TLSG_CIPHER_KEY_ECDSA);
		assert_int_equal(keys_for(&l, "\x13\x01\xc0\x30", 4, V12), TLSG_CIPHER_KEY_RSA);
		assert_int_equal(keys_for(&l, "\x13\x01\xc0\x30", 4, V12 | V13), ~0u);
		assert_int_equal(keys_for(&l, "\x0a\x0a", 2, V12), 0); /* unknown */
	}
	eval(&l, strings[0], "TLSv1.2+"); /* not in the list */
	assert_int_equal(keys_for(&l, "\x00\x9c\xc0\x2c", 4, V12), TLSG_CIPHER_KEY_ECDSA);
}

static void test_has(void **state)
{
	struct tlsg_cipher_list l;

	(void)state;
	eval(&l, "ECDHE-RSA-AES256-GCM-SHA384:AES128-SHA:@SECLEVEL=3", "TLSv1.2");
	assert_true(tlsg_cipher_list_has(&l, suite_of("ECDHE-RSA-AES256-GCM-SHA384")));
	assert_false(tlsg_cipher_list_has(&l, suite_of("AES128-SHA"))); /* named, but refused by the level */
	assert_false(tlsg_cipher_list_has(&l, suite_of("ECDHE-RSA-AES128-GCM-SHA256")));
	assert_false(tlsg_cipher_list_has(&l, suite_of("TLS_AES_128_GCM_SHA256")));
	assert_false(tlsg_cipher_list_has(&l, NULL));
}

/* The priority string of a single suite admits it and no other of its generation, and keeps all versions. */
static void test_single_suites(void **state)
{
	struct tlsg_cipher_list l;

	(void)state;
	eval(&l, "ALL:@SECLEVEL=0", "TLSv1+");
	assert_true(l.suites_len > 60);
	for(size_t i = 0; i < l.suites_len; i++) {
		const struct tlsg_suite *s = row_of(l.suites[i]);
		char text[TLSG_PRIORITY_SIZE];
		gnutls_priority_t prio;
		const unsigned *versions;
		unsigned sidx;
		bool found = false;
		int n;

		assert_int_equal(tlsg_priority_string_single(&l, s, text, sizeof(text)), TLSG_OK);
		assert_int_equal(tlsg_priority_string_single(&l, s, text, strlen(text)), TLSG_E_RESOURCE);
		assert_int_equal(tlsg_priority_string_single(&l, s, text, sizeof(text)), TLSG_OK);
		assert_int_equal(gnutls_priority_init(&prio, text, NULL), 0);
		for(unsigned j = 0;
				(n = gnutls_priority_get_cipher_suite_index(prio, j, &sidx)) != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE;
				j++) {
			unsigned char id[2];
			const struct tlsg_suite *has;

			assert_int_equal(n, 0);
			assert_non_null(gnutls_cipher_suite_info(sidx, id, NULL, NULL, NULL, NULL));
			has = tlsg_suite_by_id(id[0], id[1]);
			assert_non_null(has);
			if(has != s)
				assert_int_equal(has->min_version, TLSG_TLS1_3);
			assert_true(has == s || s->min_version != TLSG_TLS1_3);
			found = found || has == s;
		}
		assert_true(found);
		assert_int_equal(gnutls_priority_protocol_list(prio, &versions), 4);
		gnutls_priority_deinit(prio);
	}
}

/* ---- handshakes ---- */

struct live
{
	struct tlsg_certs certs;
	gnutls_certificate_credentials_t server;
	gnutls_certificate_credentials_t client;
};

static const struct tlsg_cert_row live_rows[] = {
		{.name = "ec", .key = TLSG_KEY_P256},
		{.name = "rsa", .key = TLSG_KEY_RSA2048},
};

static int setup_live(void **state)
{
	static struct live live;

	memset(&live, 0, sizeof(live));
	tlsg_certs_make(&live.certs, live_rows, sizeof(live_rows) / sizeof(live_rows[0]));
	gnutls_certificate_allocate_credentials(&live.server);
	gnutls_certificate_allocate_credentials(&live.client);
	for(size_t i = 0; i < sizeof(live_rows) / sizeof(live_rows[0]); i++) {
		const struct tlsg_cert *c = tlsg_certs_get(&live.certs, live_rows[i].name);
		gnutls_x509_crt_t crt = c->crt;

		if(gnutls_certificate_set_x509_key(live.server, &crt, 1, c->key) < 0)
			return -1;
	}
	gnutls_certificate_set_known_dh_params(live.server, GNUTLS_SEC_PARAM_MEDIUM);
	*state = &live;
	return 0;
}

static int teardown_live(void **state)
{
	struct live *live = *state;

	gnutls_certificate_free_credentials(live->server);
	gnutls_certificate_free_credentials(live->client);
	tlsg_certs_free(&live->certs);
	return 0;
}

/* The state of the server's hook. */
struct enforcer
{
	const struct tlsg_cipher_list *list;
	unsigned versions; /* of this client */
	gnutls_priority_t applied;
};

/* Reads the suites of a ClientHello: version, random, session id, suites. The client is part of the test, so lengths
 * are right. */
static int enforce_cb(
		gnutls_session_t session, unsigned type, unsigned when, unsigned incoming, const gnutls_datum_t *msg)
{
	struct enforcer *e = gnutls_session_get_ptr(session);
	struct tlsg_cipher_offer offer = {.versions = e->versions, .keys = TLSG_CIPHER_KEY_RSA | TLSG_CIPHER_KEY_ECDSA};
	const struct tlsg_suite *best = NULL;
	const uint8_t *p = msg->data + 2 + 32;
	char text[TLSG_PRIORITY_SIZE];

	if(type != GNUTLS_HANDSHAKE_CLIENT_HELLO || when != GNUTLS_HOOK_PRE || !incoming)
		return 0;
	p += 1 + p[0];
	offer.ids_bytes = (size_t)p[0] << 8 | p[1];
	offer.ids = p + 2;
	switch(tlsg_cipher_list_choose(e->list, &offer, &best)) {
		case TLSG_CIPHER_REFUSE:
			return GNUTLS_E_NO_CIPHER_SUITES;
		case TLSG_CIPHER_APPLY:
			assert_int_equal(tlsg_priority_string_single(e->list, best, text, sizeof(text)), TLSG_OK);
			assert_int_equal(gnutls_priority_init(&e->applied, text, NULL), 0);
			return gnutls_priority_set(session, e->applied);
		default:
			return 0;
	}
}

static void new_session(gnutls_session_t *s, unsigned flags, const char *priority, struct tlsg_test_end *end)
{
	const char *where = NULL;

	assert_int_equal(gnutls_init(s, flags), 0);
	if(gnutls_priority_set_direct(*s, priority, &where) != 0)
		fail_msg("%s", priority);
	tlsg_test_end_attach(end, *s);
}

/* Runs a handshake. @return the suite both ends agreed on; NULL if it failed. */
static const struct tlsg_suite *handshake(
		struct live *live, const struct tlsg_cipher_list *list, const char *client_priority, unsigned versions)
{
	static struct tlsg_test_pipe to_server, to_client;
	struct tlsg_test_end server_end = {.in = &to_server, .out = &to_client};
	struct tlsg_test_end client_end = {.in = &to_client, .out = &to_server};
	struct enforcer e = {.list = list, .versions = versions};
	gnutls_session_t server, client;
	const struct tlsg_suite *suite = NULL;
	int s = GNUTLS_E_AGAIN, c = GNUTLS_E_AGAIN;

	tlsg_test_pipe_init(&to_server);
	tlsg_test_pipe_init(&to_client);
	new_session(&server, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_TICKETS, list->priority, &server_end);
	new_session(&client, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_TICKETS, client_priority, &client_end);
	gnutls_credentials_set(server, GNUTLS_CRD_CERTIFICATE, live->server);
	gnutls_credentials_set(client, GNUTLS_CRD_CERTIFICATE, live->client);
	gnutls_session_set_ptr(server, &e);
	if(list->kind != TLSG_CIPHER_NATIVE)
		gnutls_handshake_set_hook_function(server, GNUTLS_HANDSHAKE_CLIENT_HELLO, GNUTLS_HOOK_PRE, enforce_cb);
	for(int turn = 0; turn < 20 && (c == GNUTLS_E_AGAIN || s == GNUTLS_E_AGAIN); turn++) {
		if(c == GNUTLS_E_AGAIN)
			c = gnutls_handshake(client);
		if(s == GNUTLS_E_AGAIN)
			s = gnutls_handshake(server);
		if((c < 0 && c != GNUTLS_E_AGAIN) || (s < 0 && s != GNUTLS_E_AGAIN))
			break;
	}
	if(c == 0 && s == 0) {
		const char *name = gnutls_ciphersuite_get(client);

		suite = tlsg_suite_by_name(name, strlen(name));
		assert_non_null(suite);
	}
	gnutls_deinit(client);
	gnutls_deinit(server);
	if(e.applied != NULL)
		gnutls_priority_deinit(e.applied);
	return suite;
}

/* Every suite offered alone is negotiated if and only if it is in the list. */
static void test_list_is_exact_in_handshakes(void **state)
{
	static const char *const strings[] = {
			"ECDHE-RSA-AES256-GCM-SHA384:AES128-SHA",
			"ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES256-SHA384:DHE-RSA-CAMELLIA128-SHA:AES256-CCM8",
			"AES128-SHA256:AES256-SHA:ECDHE-ECDSA-CHACHA20-POLY1305",
			"HIGH:!kRSA:!SHA1:!CAMELLIA",
			"TLSv1.2+FIPS:kRSA+FIPS:!eNULL:!aNULL",
			"ALL:@SECLEVEL=3",
	};
	struct live *live = *state;
	struct tlsg_cipher_list all12, all13, l;
	unsigned taken = 0, refused = 0;

	eval(&all12, "ALL", "TLSv1.2");
	eval(&all13, "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:TLS_AES_128_CCM_SHA256",
			"TLSv1.3");
	for(size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
		eval(&l, strings[i], i % 2 == 0 ? "TLSv1.2+" : "TLSv1.2");
		for(size_t j = 0; j < all12.suites_len + all13.suites_len; j++) {
			const struct tlsg_cipher_list *from = j < all12.suites_len ? &all12 : &all13;
			const struct tlsg_suite *offered = row_of(from->suites[from == &all12 ? j : j - all12.suites_len]);
			const struct tlsg_suite *got;
			char alone[TLSG_PRIORITY_SIZE];

			if(offered->au == TLSG_AU_DSS)
				continue; /* there is no DSA certificate here */
			assert_int_equal(tlsg_priority_string_single(from, offered, alone, sizeof(alone)), TLSG_OK);
			got = handshake(live, &l, alone, from->versions);
			if(got != (tlsg_cipher_list_has(&l, offered) ? offered : NULL))
				fail_msg("%s, %s offered: %s", strings[i], tlsg_suite_name(offered),
						got != NULL ? tlsg_suite_name(got) : "refused");
			taken += got != NULL;
			refused += got == NULL;
		}
	}
	assert_true(taken > 30 && refused > 100);
}

/* The order of the list decides, not the client's. */
static void test_order_of_the_list_in_handshakes(void **state)
{
	static const struct
	{
		const char *method;
		const char *string;
		const char *client;
		const char *suite;
	} rows[] = {
			{"TLSv1.2", "AES128-SHA:ECDHE-RSA-AES256-GCM-SHA384", "NORMAL:-VERS-ALL:+VERS-TLS1.2", "AES128-SHA"},
			{"TLSv1.2", "ECDHE-RSA-AES256-GCM-SHA384:AES128-SHA",
					"NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+RSA:+ECDHE-RSA", "ECDHE-RSA-AES256-GCM-SHA384"},
			{"TLSv1.2", "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384",
					"NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-256-GCM:+AES-128-GCM",
					"ECDHE-RSA-AES128-GCM-SHA256"},
			{"TLSv1.2", "ECDHE-ECDSA-AES256-SHA384:AES128-SHA", "NORMAL:-VERS-ALL:+VERS-TLS1.2:-MAC-ALL:+SHA1:+SHA384",
					"ECDHE-ECDSA-AES256-SHA384"},
			{"TLSv1.3", "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384", "NORMAL:-CIPHER-ALL:+AES-256-GCM:+AES-128-GCM",
					"TLS_AES_128_GCM_SHA256"},
			{"TLSv1.3", "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256", "NORMAL:-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM",
					"TLS_AES_256_GCM_SHA384"},
			{"TLSv1.3", "TLS_AES_128_CCM_SHA256", "NORMAL", "TLS_AES_128_CCM_SHA256"},
			{"TLSv1.2+", "AES128-SHA", "NORMAL:-VERS-ALL:+VERS-TLS1.2", "AES128-SHA"},
			/* old protocols, if configured */
			{"TLSv1", "ECDHE-RSA-AES128-SHA", "NORMAL:-VERS-ALL:+VERS-TLS1.0", "ECDHE-RSA-AES128-SHA"},
			{"TLSv1.1", "ECDHE-ECDSA-AES128-SHA", "NORMAL:-VERS-ALL:+VERS-TLS1.1", "ECDHE-ECDSA-AES128-SHA"},
			{"TLSv1+", "DHE-RSA-AES128-SHA", "NORMAL:-VERS-ALL:+VERS-TLS1.0", "DHE-RSA-AES128-SHA"},
			{"TLSv1.1+", "AES128-SHA", "NORMAL:-VERS-ALL:+VERS-TLS1.0", NULL},
	};

	for(size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tlsg_cipher_list l;
		gnutls_priority_t prio;
		const unsigned *list;
		unsigned versions = 0;
		const struct tlsg_suite *got;
		int n;

		eval(&l, rows[i].string, rows[i].method);
		assert_int_equal(gnutls_priority_init(&prio, rows[i].client, NULL), 0);
		n = gnutls_priority_protocol_list(prio, &list);
		for(int v = 0; v < n; v++)
			if(list[v] >= GNUTLS_TLS1_0 && list[v] <= GNUTLS_TLS1_3)
				versions |= TLSG_VERSION_BIT(TLSG_TLS1_0 + list[v] - GNUTLS_TLS1_0);
		gnutls_priority_deinit(prio);
		got = handshake(*state, &l, rows[i].client, versions);
		if(got != (rows[i].suite != NULL ? suite_of(rows[i].suite) : NULL))
			fail_msg("%s: %s", rows[i].string, got != NULL ? tlsg_suite_name(got) : "refused");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_lists),
			cmocka_unit_test(test_refusals),
			cmocka_unit_test(test_too_long_for_a_priority_string),
			cmocka_unit_test(test_which_language),
			cmocka_unit_test(test_datagrams),
			cmocka_unit_test(test_native_strings),
			cmocka_unit_test(test_certificate_profiles),
			cmocka_unit_test(test_default),
			cmocka_unit_test(test_notes),
			cmocka_unit_test(test_priority_strings),
			cmocka_unit_test(test_surplus),
			cmocka_unit_test(test_client_offer),
			cmocka_unit_test(test_choice),
			cmocka_unit_test(test_keys),
			cmocka_unit_test(test_has),
			cmocka_unit_test(test_single_suites),
			cmocka_unit_test_setup_teardown(test_list_is_exact_in_handshakes, setup_live, teardown_live),
			cmocka_unit_test_setup_teardown(test_order_of_the_list_in_handshakes, setup_live, teardown_live),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
