/*
 * tls_gnutls - tests the values of tls_method
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: a test process.   Memory: stack.   Lock: none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <gnutls/gnutls.h>

#include "profiles/cipher/method.h"
#include "profiles/cipher/suites.h"

#define V10 TLSG_VERSION_BIT(TLSG_TLS1_0)
#define V11 TLSG_VERSION_BIT(TLSG_TLS1_1)
#define V12 TLSG_VERSION_BIT(TLSG_TLS1_2)
#define V13 TLSG_VERSION_BIT(TLSG_TLS1_3)

static void test_tokens(void **state)
{
	static const struct
	{
		const char *token;
		int id; /* 0: refused */
		unsigned versions;
		const char *priority;
	} rows[] = {
			{"TLSv1", 12, V10, "-VERS-ALL:+VERS-TLS1.0"},
			{"TLSv1.0", 12, V10, "-VERS-ALL:+VERS-TLS1.0"},
			{"TLSv1.1", 15, V11, "-VERS-ALL:+VERS-TLS1.1"},
			{"TLSv1.2", 18, V12, "-VERS-ALL:+VERS-TLS1.2"},
			{"TLSv1.3", 23, V13, "-VERS-ALL:+VERS-TLS1.3"},
			{"TLSv1+", 20, V10 | V11 | V12 | V13, "-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:+VERS-TLS1.1:+VERS-TLS1.0"},
			{"TLSv1.0+", 20, V10 | V11 | V12 | V13, "-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:+VERS-TLS1.1:+VERS-TLS1.0"},
			{"TLSv1.1+", 21, V11 | V12 | V13, "-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:+VERS-TLS1.1"},
			{"TLSv1.2+", 22, V12 | V13, "-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"},
			{"TLSv1.3+", 24, V13, "-VERS-ALL:+VERS-TLS1.3"},
			/* case does not count */
			{"tlsv1.2", 18, V12, "-VERS-ALL:+VERS-TLS1.2"},
			{"TLSV1.2+", 22, V12 | V13, "-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"},
			/* not methods */
			{"", 0, 0, NULL},
			{"TLS", 0, 0, NULL},
			{"TLSv1.", 0, 0, NULL},
			{"TLSv1.4", 0, 0, NULL},
			{"TLSv1.2++", 0, 0, NULL},
			{"TLSv1.2 ", 0, 0, NULL},
			{"TLSv1_2", 0, 0, NULL},
			{"SSLv23+", 0, 0, NULL},
	};

	(void)state;
	for(size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct tlsg_method *m = NULL;
		char priority[TLSG_METHOD_PRIORITY_SIZE];
		unsigned versions = 0;
		struct tlsg_err err;
		enum tlsg_ret ret;

		tlsg_err_clear(&err);
		ret = tlsg_method_parse(rows[i].token, strlen(rows[i].token), &m, &err);
		if(rows[i].id == 0) {
			assert_int_equal(ret, TLSG_E_CONFIG);
			assert_null(m);
			assert_non_null(strstr(err.text, "TLSv1.2"));
			continue;
		}
		assert_int_equal(ret, TLSG_OK);
		assert_int_equal(m->id, rows[i].id);
		assert_int_equal(tlsg_method_by_id(m->id)->id, m->id);
		assert_int_equal(tlsg_method_versions(m, &versions, &err), TLSG_OK);
		assert_int_equal(versions, rows[i].versions);
		assert_int_equal(tlsg_method_priority(versions, false, priority, sizeof(priority)), TLSG_OK);
		assert_string_equal(priority, rows[i].priority);
	}
}

static void test_old_ssl_is_refused(void **state)
{
	static const char *const tokens[] = {"SSLv2", "SSLv3", "sslv2", "sslV3"};

	(void)state;
	for(size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
		const struct tlsg_method *m = NULL;
		struct tlsg_err err;

		tlsg_err_clear(&err);
		assert_int_equal(tlsg_method_parse(tokens[i], 5, &m, &err), TLSG_E_CONFIG);
		assert_null(m);
		assert_non_null(strstr(err.text, "is not supported"));
	}
	assert_null(tlsg_method_by_id(TLSG_METHOD_SSLV2));
	assert_null(tlsg_method_by_id(TLSG_METHOD_SSLV3));
	assert_null(tlsg_method_by_id(TLSG_METHOD_UNSET));
	assert_null(tlsg_method_by_id(4711));
}

/* SSLv23 stands for the versions of GnuTLS's default priorities: find them in another way and compare. */
static void test_sslv23_follows_the_library(void **state)
{
	static const gnutls_protocol_t protocols[] = {GNUTLS_TLS1_0, GNUTLS_TLS1_1, GNUTLS_TLS1_2, GNUTLS_TLS1_3};
	const struct tlsg_method *m = NULL;
	gnutls_priority_t prio;
	const unsigned *list;
	unsigned versions = 0;
	unsigned want = 0;
	int n;

	(void)state;
	assert_int_equal(tlsg_method_parse("sslv23", 6, &m, NULL), TLSG_OK);
	assert_int_equal(m->id, TLSG_METHOD_SSLV23);
	assert_int_equal(tlsg_method_versions(m, &versions, NULL), TLSG_OK);
	assert_int_equal(gnutls_priority_init2(&prio, "%COMPAT", NULL, GNUTLS_PRIORITY_INIT_DEF_APPEND), 0);
	n = gnutls_priority_protocol_list(prio, &list);
	for(int i = 0; i < n; i++)
		for(unsigned p = 0; p < 4; p++)
			if(list[i] == protocols[p])
				want |= TLSG_VERSION_BIT(TLSG_TLS1_0 + p);
	gnutls_priority_deinit(prio);
	assert_int_not_equal(want, 0);
	assert_int_equal(versions, want);
}

/* What DTLS has of each method, and how it is written. */
static void test_datagrams(void **state)
{
	static const struct
	{
		const char *token;
		unsigned versions; /* 0: refused */
		const char *priority;
	} all[] = {
			{"TLSv1", V10 | V11, "-VERS-ALL:+VERS-DTLS1.0"},
			{"TLSv1.1", V10 | V11, "-VERS-ALL:+VERS-DTLS1.0"},
			{"TLSv1.2", V12, "-VERS-ALL:+VERS-DTLS1.2"},
			{"TLSv1+", V10 | V11 | V12, "-VERS-ALL:+VERS-DTLS1.2:+VERS-DTLS1.0"},
			{"TLSv1.1+", V10 | V11 | V12, "-VERS-ALL:+VERS-DTLS1.2:+VERS-DTLS1.0"},
			{"TLSv1.2+", V12, "-VERS-ALL:+VERS-DTLS1.2"},
			{"SSLv23", V12, "-VERS-ALL:+VERS-DTLS1.2"},
			{"TLSv1.3", 0, NULL},
			{"TLSv1.3+", 0, NULL},
	};

	(void)state;
	for(size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		const struct tlsg_method *row = NULL;
		char priority[TLSG_METHOD_PRIORITY_SIZE];
		struct tlsg_method m;
		struct tlsg_err err;
		unsigned versions = 0;
		enum tlsg_ret ret;

		tlsg_err_clear(&err);
		assert_int_equal(tlsg_method_parse(all[i].token, strlen(all[i].token), &row, NULL), TLSG_OK);
		m = *row;
		m.datagram = true;
		ret = tlsg_method_versions(&m, &versions, &err);
		assert_int_equal(ret, all[i].versions != 0 ? TLSG_OK : TLSG_E_CONFIG);
		if(ret != TLSG_OK) {
			assert_non_null(strstr(err.text, "TLSv1.2"));
			continue;
		}
		assert_int_equal(versions, all[i].versions);
		assert_int_equal(tlsg_method_priority(versions, true, priority, sizeof(priority)), TLSG_OK);
		assert_string_equal(priority, all[i].priority);
	}
}

static void test_priority_needs_room(void **state)
{
	char all[TLSG_METHOD_PRIORITY_SIZE];
	char buf[TLSG_METHOD_PRIORITY_SIZE];

	(void)state;
	assert_int_equal(tlsg_method_priority(V10 | V11 | V12 | V13, false, all, sizeof(all)), TLSG_OK);
	for(size_t size = 1; size <= strlen(all); size++) {
		assert_int_equal(tlsg_method_priority(V10 | V11 | V12 | V13, false, buf, size), TLSG_E_RESOURCE);
		assert_true(strlen(buf) < size);
	}
	assert_int_equal(tlsg_method_priority(V10 | V11 | V12 | V13, false, buf, strlen(all) + 1), TLSG_OK);
	assert_string_equal(buf, all);
}

static void test_version_names(void **state)
{
	(void)state;
	assert_string_equal(tlsg_method_version_name(GNUTLS_SSL3), "SSLv3");
	assert_string_equal(tlsg_method_version_name(GNUTLS_TLS1_0), "TLSv1");
	assert_string_equal(tlsg_method_version_name(GNUTLS_TLS1_1), "TLSv1.1");
	assert_string_equal(tlsg_method_version_name(GNUTLS_TLS1_2), "TLSv1.2");
	assert_string_equal(tlsg_method_version_name(GNUTLS_TLS1_3), "TLSv1.3");
	assert_string_equal(tlsg_method_version_name(GNUTLS_DTLS1_2), "DTLSv1.2");
	assert_string_equal(tlsg_method_version_name(GNUTLS_VERSION_UNKNOWN), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_tokens),
			cmocka_unit_test(test_old_ssl_is_refused),
			cmocka_unit_test(test_sslv23_follows_the_library),
			cmocka_unit_test(test_datagrams),
			cmocka_unit_test(test_priority_needs_room),
			cmocka_unit_test(test_version_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
