/*
 * tls_gnutls - tests the default of cipher_list where the system has a policy in GnuTLS's configuration
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: a test process.   Memory: heap, stack.   Lock: none.
 *
 * GnuTLS reads its configuration when it is initialised, so the file is written before that.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <gnutls/gnutls.h>

#include "profiles/cipher/cipher_string.h"
#include "profiles/cipher/priority_string.h"

GNUTLS_SKIP_GLOBAL_INIT

static const char policy[] =
		"[priorities]\n"
		"SYSTEM = NONE:+VERS-TLS1.3:+VERS-TLS1.2:+ECDHE-RSA:+ECDHE-ECDSA:+RSA:+AES-256-GCM:+AES-256-CBC:"
		"+AEAD:+SHA384:+GROUP-SECP384R1:+GROUP-X25519:+SIGN-RSA-SHA384:+SIGN-RSA-PSS-RSAE-SHA384:"
		"+SIGN-ECDSA-SHA384:+CTYPE-X509:+COMP-NULL\n"
		"[overrides]\ntls-disabled-kx = RSA\n";

static void eval(struct tlsg_cipher_list *l, const char *string, const char *method)
{
	const struct tlsg_method *m = NULL;
	struct tlsg_err err;

	tlsg_err_clear(&err);
	assert_int_equal(tlsg_method_parse(method, strlen(method), &m, NULL), TLSG_OK);
	if(tlsg_cipher_string_eval(string, m, NULL, l, &err) != TLSG_OK)
		fail_msg("%s", err.text);
}

static void assert_suites(const struct tlsg_cipher_list *l, const char *expected)
{
	char text[4096] = "";

	for(size_t i = 0; i < l->suites_len; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i > 0 ? ":" : "",
				tlsg_suite_name(tlsg_suite_at(l->suites[i])));
	assert_string_equal(text, expected);
}

/* DEFAULT in its order, without what the policy lacks. */
static void test_the_default_is_within_the_policy(void **state)
{
	struct tlsg_cipher_list l;

	(void)state;
	eval(&l, NULL, "TLSv1+");
	assert_int_equal(l.kind, TLSG_CIPHER_DEFAULT);
	assert_suites(&l, "TLS_AES_256_GCM_SHA384:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
					  "ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA384");
	assert_int_equal(l.versions, TLSG_VERSION_BIT(TLSG_TLS1_3) | TLSG_VERSION_BIT(TLSG_TLS1_2));
	assert_non_null(
			strstr(l.priority, ":+GROUP-X25519:+GROUP-SECP384R1:+SIGN-ECDSA-SHA384:+SIGN-RSA-PSS-RSAE-SHA384:"));
	assert_null(strstr(l.priority, "SECP256R1"));
	assert_null(strstr(l.priority, "FFDHE"));
	assert_null(strstr(l.priority, "SHA256"));
	eval(&l, NULL, "TLSv1.3");
	assert_suites(&l, "TLS_AES_256_GCM_SHA384");
}

/* The priority of a single suite has the groups and signatures of the policy too. */
static void test_single_suites_are_within_the_policy(void **state)
{
	char text[TLSG_PRIORITY_SIZE];
	struct tlsg_cipher_list l;

	(void)state;
	eval(&l, NULL, "TLSv1.2");
	assert_int_equal(tlsg_priority_string_single(&l, tlsg_suite_at(l.suites[0]), text, sizeof(text)), TLSG_OK);
	assert_non_null(strstr(text, ":+GROUP-X25519:+GROUP-SECP384R1:+SIGN-"));
	assert_null(strstr(text, "SHA256"));
}

/* A list that is set is limited by what is switched off altogether only, and the policy can be named. */
static void test_what_is_set_counts(void **state)
{
	struct tlsg_cipher_list l;

	(void)state;
	eval(&l, "ECDHE-RSA-AES128-GCM-SHA256:AES128-SHA", "TLSv1.2");
	assert_suites(&l, "ECDHE-RSA-AES128-GCM-SHA256");
	assert_non_null(strstr(l.priority, ":+GROUP-SECP256R1:"));
	eval(&l, "@SYSTEM", "TLSv1.2");
	assert_int_equal(l.kind, TLSG_CIPHER_NATIVE);
	assert_int_equal(strncmp(l.priority, "@SYSTEM", 7), 0);
	eval(&l, "NORMAL", "TLSv1.2");
	assert_int_equal(l.kind, TLSG_CIPHER_NATIVE);
}

static void test_nothing_in_common(void **state)
{
	const struct tlsg_method *m = NULL;
	struct tlsg_cipher_list l;
	struct tlsg_err err;

	(void)state;
	tlsg_err_clear(&err);
	assert_int_equal(tlsg_method_parse("TLSv1.1", 7, &m, NULL), TLSG_OK);
	assert_int_equal(tlsg_cipher_string_eval(NULL, m, NULL, &l, &err), TLSG_E_CONFIG);
	assert_non_null(strstr(err.text, "@SYSTEM in GnuTLS's configuration"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_the_default_is_within_the_policy),
			cmocka_unit_test(test_single_suites_are_within_the_policy),
			cmocka_unit_test(test_what_is_set_counts),
			cmocka_unit_test(test_nothing_in_common),
	};
	char path[] = "/tmp/tlsg_policy_XXXXXX";
	int fd = mkstemp(path);
	int failed = 1;

	if(fd >= 0 && write(fd, policy, sizeof(policy) - 1) == (ssize_t)sizeof(policy) - 1 && close(fd) == 0
			&& setenv("GNUTLS_SYSTEM_PRIORITY_FILE", path, 1) == 0 && gnutls_global_init() == 0)
		failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)unlink(path);
	return failed;
}
