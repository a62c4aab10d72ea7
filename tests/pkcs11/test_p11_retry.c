/*
 * tls_gnutls - tests of pkcs11/p11_retry.c: how often an operation on a token is tried, and after which errors
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: one process.  Memory: heap.  Lock: none.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#include "pkcs11/p11_retry.h"

static void test_attempts(void **state)
{
	struct tlsg_p11_retry r;
	int again = 0;

	(void)state;
	tlsg_p11_retry_begin(&r);
	while(again < 10 && tlsg_p11_retry_is_worth_it(&r)) {
		tlsg_p11_retry_restart(&r, 0);
		again++;
	}
	assert_int_equal(again, 3);
}

static void test_slow_failure(void **state)
{
	struct tlsg_p11_retry r;

	(void)state;
	tlsg_p11_retry_begin(&r);
	assert_true(tlsg_p11_retry_is_worth_it(&r));
	r.began_ms -= 60000;
	assert_false(tlsg_p11_retry_is_worth_it(&r));
	tlsg_p11_retry_restart(&r, 0); /* each attempt has its own time */
	assert_true(tlsg_p11_retry_is_worth_it(&r));
}

static int closed;

static void close_cb(void)
{
	closed++;
}

/* All keys are closed before each of the other attempts; the error is that of the last one, once. */
static void test_open(void **state)
{
	struct tlsg_p11_object o;
	struct tlsg_p11_gate gate;
	struct tlsg_err err;

	(void)state;
	memset(&o, 0, sizeof(o));
	memcpy(o.uri, "pkcs11:token=a;object=b", sizeof("pkcs11:token=a;object=b"));
	memcpy(o.module, "/nowhere/module.so", sizeof("/nowhere/module.so"));
	closed = 0;
	assert_null(tlsg_p11_retry_open(&o, close_cb, &err));
	assert_int_equal(closed, 3);
	assert_non_null(strstr(err.text, "\"/nowhere/module.so\" cannot be loaded"));

	assert_int_equal(tlsg_p11_gate_init(&gate), TLSG_OK);
	tlsg_p11_gate_refuse(&gate);
	o.gate = &gate;
	closed = 0;
	assert_null(tlsg_p11_retry_open(&o, close_cb, &err));
	assert_int_equal(closed, 0); /* a wrong PIN stays wrong */
	assert_non_null(strstr(err.text, "the PIN is wrong"));
}

static void test_lost_tokens(void **state)
{
	static const struct
	{
		int code;
		bool is_lost;
	} rows[] = {
			{GNUTLS_E_PKCS11_SESSION_ERROR, true},
			{GNUTLS_E_PKCS11_TOKEN_ERROR, true},
			{GNUTLS_E_PKCS11_DEVICE_ERROR, false},
			{GNUTLS_E_PKCS11_USER_ERROR, true},
			{GNUTLS_E_PKCS11_REQUESTED_OBJECT_NOT_AVAILBLE, true},
			{GNUTLS_E_SUCCESS, false},
			{GNUTLS_E_DECRYPTION_FAILED, false}, /* that is what a peer can cause */
			{GNUTLS_E_PKCS11_DATA_ERROR, false},
			{GNUTLS_E_PKCS11_ERROR, false},
			{GNUTLS_E_PK_DECRYPTION_FAILED, false},
	};
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if(tlsg_p11_retry_is_token_lost(rows[i].code) != rows[i].is_lost)
			fail_msg("row %zu", i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_attempts),
			cmocka_unit_test(test_slow_failure),
			cmocka_unit_test(test_open),
			cmocka_unit_test(test_lost_tokens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
