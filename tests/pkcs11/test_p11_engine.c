/*
 * tls_gnutls - tests of what is read from an OpenSSL configuration for an engine
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: one process.  Memory: the stack.  Lock: none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/host.h"
#include "pkcs11/p11_engine.h"

#define HEAD "kamailio = init\n[init]\nengines = list\n[list]\npkcs11 = one\ngem = two\n"

static enum tlsg_ret parse(const char *text, const char *id, struct tlsg_p11_engine *e, struct tlsg_err *err)
{
	tlsg_err_clear(err);
	tlsg_stub_log_clear();
	return tlsg_p11_engine_parse(text, strlen(text), id, "e.cnf", e, err);
}

static const struct
{
	const char *text;
	const char *id;
	const char *module;
	const char *pin; /* NULL none */
	long slot;		 /* -1 none */
} good[] = {
		/* the example of engine_pkcs11 */
		{HEAD "[one]\ndynamic_path = /x/pkcs11.so\nMODULE_PATH = /lib/p11.so\nPIN = 1234\ninit = 0\n", "pkcs11",
				"/lib/p11.so", "1234", -1},
		/* the example of the tls module's manual for a Luna */
		{"# the key kamailio is mandatory\nkamailio = openssl_init\n\n[ openssl_init ]\nengines = engine_section\n\n"
		 "[ engine_section ]\n# gem is the name\ngem = gem_section\n\n[ gem_section ]\n# from SafeNet\n"
		 "ENGINE_INIT = 0:20:21:password=1234-ABCD-5678-EFGH\n",
				"gem", "", "1234-ABCD-5678-EFGH", 0},
		{HEAD "[two]\nENGINE_INIT=slot:7:password=a=b:c\n", "gem", "", "a=b:c", 7},
		{HEAD "[two]\nENGINE_INIT=password=x\n", "gem", "", "x", -1},
		{HEAD "[one]\nPIN = \"  12 # 34 \" # comment\n", "pkcs11", "", "  12 # 34 ", -1},
		{HEAD "[one]\nPIN = '$x\\'\n", "pkcs11", "", "$x\\", -1},
		{HEAD "[one]\nPIN = \\$x\\#\n", "pkcs11", "", "$x#", -1},
		{HEAD "[one]\nPIN = 12\\\n34\n", "pkcs11", "", "1234", -1},
		{HEAD "[one]\r\nPIN = 1234\r\n1.MODULE_PATH = /m.so\r\n", "pkcs11", "/m.so", "1234", -1},
		{HEAD "[one]\nPIN = 1\nPIN = 2\n[two]\nPIN = 3\n[one]\nMODULE_PATH=m.so", "pkcs11", "m.so", "2", -1},
		{HEAD "[one]\n", "pkcs11", "", NULL, -1},
		{HEAD, "pkcs11", "", NULL, -1},
		{"openssl_conf = init\n[init]\nengines = list\n[list]\npkcs11 = one\n[one]\nPIN=\n", "pkcs11", "", "", -1},
};

static void test_good(void **state)
{
	struct tlsg_p11_engine e;
	struct tlsg_err err;
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if(parse(good[i].text, good[i].id, &e, &err) != TLSG_OK)
			fail_msg("row %zu: %s", i, err.text);
		assert_string_equal(e.module, good[i].module);
		assert_int_equal(e.pin.is_set, good[i].pin != NULL);
		if(good[i].pin != NULL) {
			assert_string_equal(e.pin.value, good[i].pin);
			assert_true(good[i].pin[0] == '\0' || strlen(good[i].pin) < 3
						|| strstr(tlsg_stub_log_text(), good[i].pin) == NULL);
		}
		assert_int_equal(e.has_slot ? (long)e.slot : -1, good[i].slot);
	}
}

static void test_bad(void **state)
{
	static const struct
	{
		const char *text;
		const char *says;
	} rows[] = {
			{"", "no line \"kamailio = <section>\""},
			{"[init]\nkamailio = x\n", "no line \"kamailio = <section>\""},
			{"kamailio = init\n", "no line \"engines = <section>\" in [init]"},
			{"kamailio = init\n[init]\nengines = list\n", "[list] does not name the engine \"pkcs11\""},
			{HEAD "[one\nPIN = S3CRET\n", "e.cnf:7: \"]\" is missing"},
			{HEAD "[one]\nPIN S3CRET\n", "e.cnf:8: \"=\" is missing"},
			{HEAD "[one]\nPIN = $S3CRET\n", "e.cnf:8: the value has a quote that is not closed, or a $variable"},
			{HEAD "[one]\nPIN = \"S3CRET\n", "e.cnf:8: the value has a quote that is not closed"},
			{HEAD "[one]\nENGINE_INIT = 0:1:2\n", "e.cnf:8: ENGINE_INIT is malformed"},
			{HEAD "[one]\nENGINE_INIT = 0x1:password=S3CRET\n", "ENGINE_INIT is malformed"},
			{HEAD "[one]\nENGINE_INIT = 99999999999999999999999:password=S3CRET\n", "ENGINE_INIT is malformed"},
			{HEAD "[one]\nENGINE_INIT = 0:xpassword=S3CRET\n", "ENGINE_INIT is malformed"},
	};
	struct tlsg_p11_engine e;
	struct tlsg_err err;
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(parse(rows[i].text, "pkcs11", &e, &err), TLSG_E_CONFIG);
		if(strstr(err.text, rows[i].says) == NULL)
			fail_msg("row %zu: %s", i, err.text);
		assert_null(strstr(err.text, "S3CRET"));
		assert_null(strstr(tlsg_stub_log_text(), "S3CRET"));
		assert_false(e.pin.is_set);
	}
}

static void test_log_lines(void **state)
{
	struct tlsg_p11_engine e;
	struct tlsg_err err;

	(void)state;
	assert_int_equal(parse(HEAD "[one]\ndynamic_path = /secret\nfoo = /secret\n", "pkcs11", &e, &err), TLSG_OK);
	assert_int_equal(tlsg_stub_log_count(L_INFO), 1);
	assert_int_equal(tlsg_stub_log_count(L_WARN), 1);
	assert_non_null(strstr(tlsg_stub_log_text(), "e.cnf:8: dynamic_path has no effect"));
	assert_non_null(strstr(tlsg_stub_log_text(), "e.cnf:9: \"foo\" is unknown"));
	assert_null(strstr(tlsg_stub_log_text(), "/secret"));
}

static void test_limits(void **state)
{
	struct tlsg_p11_engine e;
	struct tlsg_err err;
	char text[3000];
	size_t n;

	(void)state;
	for(n = 1; n < 1200; n += 7) {
		int at = snprintf(text, sizeof(text), HEAD "[one]\nPIN=");

		memset(text + at, '7', n);
		text[(size_t)at + n] = '\0';
		assert_int_equal(parse(text, "pkcs11", &e, &err), n < TLSG_P11_PIN_SIZE ? TLSG_OK : TLSG_E_CONFIG);
		at = snprintf(text, sizeof(text), HEAD "[one]\nMODULE_PATH=");
		memset(text + at, 'm', n);
		text[(size_t)at + n] = '\0';
		assert_int_equal(parse(text, "pkcs11", &e, &err), n < TLSG_P11_PATH_SIZE ? TLSG_OK : TLSG_E_CONFIG);
	}
	/* what follows a zero byte is not read */
	assert_int_equal(
			tlsg_p11_engine_parse(HEAD "\0[one]\nPIN=1\n", sizeof(HEAD) + 14, "pkcs11", "e", &e, &err), TLSG_OK);
	assert_false(e.pin.is_set);
	tlsg_p11_engine_wipe(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_good),
			cmocka_unit_test(test_bad),
			cmocka_unit_test(test_log_lines),
			cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
