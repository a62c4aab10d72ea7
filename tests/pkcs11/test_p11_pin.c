/*
 * tls_gnutls - tests of where PINs come from and of when they are given
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: one process.  Memory: the stack; files in TMPDIR.  Lock: none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include <gnutls/pkcs11.h>

#include "base/host.h"
#include "pkcs11/p11_pin.h"
#include "pkcs11/p11_refused.h"

static char path[4096];

static void write_pin(const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
}

static int setup(void **state)
{
	const char *dir = getenv("TMPDIR");

	(void)state;
	snprintf(path, sizeof(path), "%s/pin.%d", dir != NULL ? dir : "/tmp", (int)getpid());
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	return 0;
}

static void test_files(void **state)
{
	static const struct
	{
		const char *content;
		const char *pin; /* NULL: refused */
	} rows[] = {{"1234", "1234"}, {"1234\n", "1234"}, {"12 34\r\nmore\n", "12 34"}, {"", NULL}, {"\n1234\n", NULL}};
	static const char *const forms[] = {"%s", "file:%s", "FILE:%s", "file://%s", "file://localhost%s"};
	char source[5000], pin[TLSG_P11_PIN_SIZE];
	struct tlsg_err err;
	size_t i, k;

	(void)state;
	for(i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for(k = 0; k < sizeof(forms) / sizeof(forms[0]); k++) {
			write_pin(rows[i].content, 0600);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
			snprintf(source, sizeof(source), forms[k], path);
#pragma GCC diagnostic pop
			tlsg_err_clear(&err);
			tlsg_stub_log_clear();
			assert_int_equal(tlsg_p11_pin_read(source, pin, &err), rows[i].pin != NULL ? TLSG_OK : TLSG_E_CONFIG);
			assert_string_equal(pin, rows[i].pin != NULL ? rows[i].pin : "");
			assert_int_equal(tlsg_stub_log_count(L_WARN), 0);
		}
}

static void test_file_that_everybody_reads(void **state)
{
	char pin[TLSG_P11_PIN_SIZE];

	(void)state;
	write_pin("777123", 0644);
	tlsg_stub_log_clear();
	assert_int_equal(tlsg_p11_pin_read(path, pin, NULL), TLSG_OK);
	assert_int_equal(tlsg_stub_log_count(L_WARN), 1);
	assert_null(strstr(tlsg_stub_log_text(), "777123"));
}

static void test_long_pins(void **state)
{
	char text[400], pin[TLSG_P11_PIN_SIZE];
	size_t n;

	(void)state;
	for(n = 250; n < 262; n++) {
		memset(text, '1', n);
		text[n] = '\0';
		write_pin(text, 0600);
		assert_int_equal(tlsg_p11_pin_read(path, pin, NULL), n < TLSG_P11_PIN_SIZE ? TLSG_OK : TLSG_E_CONFIG);
		assert_int_equal(strlen(pin), n < TLSG_P11_PIN_SIZE ? n : 0);
	}
}

static void test_what_is_no_file(void **state)
{
	static const char *const sources[] = {"/nowhere/pin", "/", "/dev/null", "http://h/pin", "|cat /etc/pin",
			"prompt:", "file:", "file://", "file://host", ""};
	char pin[TLSG_P11_PIN_SIZE];
	struct tlsg_err err;
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		tlsg_err_clear(&err);
		assert_int_equal(tlsg_p11_pin_read(sources[i], pin, &err), TLSG_E_CONFIG);
		assert_true(err.text[0] != '\0');
	}
}

/* One row for each way in which a token can ask. */
static void test_answers(void **state)
{
	static const struct
	{
		const char *pin;
		int attempt;
		unsigned flags;
		int answer;
		enum tlsg_p11_pin_verdict verdict;
	} rows[] = {
			{"1234", 0, GNUTLS_PIN_USER, 0, TLSG_P11_PIN_GIVEN},
			{"", 0, GNUTLS_PIN_USER, 0, TLSG_P11_PIN_GIVEN},
			{"1234", 0, GNUTLS_PIN_USER | GNUTLS_PIN_COUNT_LOW, 0, TLSG_P11_PIN_GIVEN},
			{"1234", 0, GNUTLS_PIN_USER | GNUTLS_PIN_CONTEXT_SPECIFIC, 0, TLSG_P11_PIN_GIVEN},
			{"1234", 1, GNUTLS_PIN_USER, -1, TLSG_P11_PIN_WRONG},
			{"1234", 0, GNUTLS_PIN_USER | GNUTLS_PIN_WRONG, -1, TLSG_P11_PIN_WRONG},
			{"1234", 1, GNUTLS_PIN_USER | GNUTLS_PIN_WRONG | GNUTLS_PIN_FINAL_TRY, -1, TLSG_P11_PIN_WRONG},
			{"1234", 0, GNUTLS_PIN_USER | GNUTLS_PIN_FINAL_TRY, -1, TLSG_P11_PIN_FINAL},
			{NULL, 0, GNUTLS_PIN_USER, -1, TLSG_P11_PIN_MISSING},
			{"1234", 0, GNUTLS_PIN_SO, -1, TLSG_P11_PIN_MISSING},
	};
	struct tlsg_p11_secret secret;
	char pin[256];
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(&secret, 0, sizeof(secret));
		memset(pin, 'x', sizeof(pin));
		secret.is_set = rows[i].pin != NULL;
		snprintf(secret.value, sizeof(secret.value), "%s", rows[i].pin != NULL ? rows[i].pin : "");
		tlsg_p11_pin_begin();
		assert_int_equal(tlsg_p11_pin_verdict(0), TLSG_P11_PIN_UNUSED);
		assert_int_equal(tlsg_p11_pin_cb(&secret, rows[i].attempt, "pkcs11:", "label", rows[i].flags, pin, sizeof(pin)),
				rows[i].answer);
		if(rows[i].answer == 0)
			assert_string_equal(pin, rows[i].pin);
		else
			assert_int_equal(pin[0], 'x');
		assert_int_equal(tlsg_p11_pin_verdict(GNUTLS_E_PKCS11_ERROR), rows[i].verdict);
		assert_int_equal(tlsg_p11_pin_is_final(), rows[i].answer != 0);
		assert_int_equal(tlsg_p11_pin_reason(rows[i].verdict) != NULL, rows[i].answer != 0);
	}
	/* neither without room nor without a PIN */
	secret.is_set = true;
	snprintf(secret.value, sizeof(secret.value), "1234");
	assert_int_equal(tlsg_p11_pin_cb(&secret, 0, "", "", GNUTLS_PIN_USER, pin, 4), -1);
	assert_int_equal(tlsg_p11_pin_cb(&secret, 0, "", "", GNUTLS_PIN_USER, pin, 5), 0);
	assert_int_equal(tlsg_p11_pin_cb(NULL, 0, "", "", GNUTLS_PIN_USER, pin, sizeof(pin)), -1);
}

/* A token that rejects the PIN as malformed does not ask twice. */
static void test_pin_that_the_token_refuses(void **state)
{
	struct tlsg_p11_secret secret = {.value = "1", .is_set = true};
	char pin[256];

	(void)state;
	tlsg_p11_pin_begin();
	assert_int_equal(tlsg_p11_pin_cb(&secret, 0, "", "", GNUTLS_PIN_USER, pin, sizeof(pin)), 0);
	assert_false(tlsg_p11_pin_is_final());
	assert_int_equal(tlsg_p11_pin_verdict(GNUTLS_E_PKCS11_PIN_ERROR), TLSG_P11_PIN_WRONG);
	assert_true(tlsg_p11_pin_is_final());
	tlsg_p11_pin_begin();
	assert_false(tlsg_p11_pin_is_final());
	tlsg_p11_pin_set_wrong();
	assert_true(tlsg_p11_pin_is_final());
}

/* At start a PIN that the token has refused before is not given; afterwards it is, and if it is right, forgotten. */
static void test_pin_of_an_earlier_start(void **state)
{
	struct tlsg_p11_secret secret = {.value = "1234", .is_set = true}, other = {.value = "5678", .is_set = true};
	const char *const token = "pkcs11:token=refused";
	char pin[256], record[4096];
	uint64_t passed = 0;
	const char *dir = getenv("TMPDIR");

	(void)state;
	tlsg_p11_refused_init(dir != NULL ? dir : "/tmp");
	snprintf(record, sizeof(record), "%s", tlsg_p11_refused_path(token));
	tlsg_p11_pin_begin();
	assert_int_equal(tlsg_p11_pin_cb(&secret, 0, token, "", GNUTLS_PIN_USER, pin, sizeof(pin)), 0);
	assert_int_equal(access(record, F_OK), -1);
	assert_int_equal(tlsg_p11_pin_cb(&secret, 1, token, "", GNUTLS_PIN_USER, pin, sizeof(pin)), -1);
	assert_int_equal(access(record, F_OK), 0);
	assert_non_null(strstr(tlsg_p11_pin_reason(TLSG_P11_PIN_WRONG), record));
	tlsg_p11_pin_begin();
	assert_int_equal(tlsg_p11_pin_cb(&secret, 0, token, "", GNUTLS_PIN_USER, pin, sizeof(pin)), -1);
	assert_int_equal(tlsg_p11_pin_verdict(GNUTLS_E_PKCS11_PIN_ERROR), TLSG_P11_PIN_REFUSED);
	assert_true(tlsg_p11_pin_is_final());
	assert_non_null(strstr(tlsg_p11_pin_reason(TLSG_P11_PIN_REFUSED), record));
	tlsg_p11_pin_begin();
	assert_int_equal(tlsg_p11_pin_cb(&other, 0, token, "", GNUTLS_PIN_USER, pin, sizeof(pin)), 0);
	tlsg_p11_pin_accept();
	assert_int_equal(access(record, F_OK), 0);
	assert_int_equal(truncate(record, 10), 0);
	tlsg_p11_pin_begin();
	assert_int_equal(tlsg_p11_pin_cb(&other, 0, token, "", GNUTLS_PIN_USER, pin, sizeof(pin)), -1);
	tlsg_p11_pin_begin();
	tlsg_p11_pin_set_accepted(&passed); /* a damaged record does not end what worked */
	assert_int_equal(tlsg_p11_pin_cb(&other, 0, token, "", GNUTLS_PIN_USER, pin, sizeof(pin)), 0);
	assert_int_equal(unlink(record), 0);
	tlsg_p11_pin_begin();
	assert_int_equal(tlsg_p11_pin_cb(&secret, 0, token, "", GNUTLS_PIN_USER, pin, sizeof(pin)), 0);
	assert_int_equal(tlsg_p11_pin_cb(&secret, 1, token, "", GNUTLS_PIN_USER, pin, sizeof(pin)), -1);
	tlsg_p11_pin_begin();
	tlsg_p11_pin_set_accepted(&passed); /* a whole one does; then it does not help to remove it */
	assert_int_equal(tlsg_p11_pin_cb(&secret, 0, token, "", GNUTLS_PIN_USER, pin, sizeof(pin)), -1);
	assert_int_equal(tlsg_p11_pin_verdict(GNUTLS_E_PKCS11_PIN_ERROR), TLSG_P11_PIN_REFUSED);
	assert_null(strstr(tlsg_p11_pin_reason(TLSG_P11_PIN_REFUSED), record));
	assert_non_null(strstr(tlsg_p11_pin_reason(TLSG_P11_PIN_REFUSED), "run tls.reload"));
	assert_int_equal(passed, 0);
	tlsg_p11_pin_begin();
	tlsg_p11_pin_set_accepted(&passed);
	assert_int_equal(tlsg_p11_pin_cb(&other, 0, token, "", GNUTLS_PIN_USER, pin, sizeof(pin)), 0);
	assert_int_not_equal(passed, 0);
	tlsg_p11_pin_begin();
	tlsg_p11_pin_set_accepted(&passed); /* the same record is not compared again, which this PIN shows */
	assert_int_equal(tlsg_p11_pin_cb(&secret, 0, token, "", GNUTLS_PIN_USER, pin, sizeof(pin)), 0);
	assert_int_equal(tlsg_p11_pin_cb(&secret, 1, token, "", GNUTLS_PIN_USER, pin, sizeof(pin)), -1);
	tlsg_p11_pin_begin();
	tlsg_p11_pin_set_accepted(&passed); /* a new one is */
	assert_int_equal(tlsg_p11_pin_cb(&secret, 0, token, "", GNUTLS_PIN_USER, pin, sizeof(pin)), -1);
	tlsg_p11_refused_set_asked(false); /* as for tls.reload */
	tlsg_p11_pin_begin();
	assert_int_equal(tlsg_p11_pin_cb(&secret, 0, token, "", GNUTLS_PIN_USER, pin, sizeof(pin)), 0);
	tlsg_p11_pin_accept();
	assert_int_equal(access(record, F_OK), -1);
}

/* A locked token says nothing about the PIN. */
static void test_locked(void **state)
{
	struct tlsg_p11_secret secret = {.value = "1234", .is_set = true};
	char pin[256];

	(void)state;
	tlsg_p11_pin_begin();
	assert_int_equal(tlsg_p11_pin_cb(&secret, 0, "", "", GNUTLS_PIN_USER, pin, sizeof(pin)), 0);
	assert_int_equal(tlsg_p11_pin_verdict(GNUTLS_E_PKCS11_PIN_LOCKED), TLSG_P11_PIN_LOCKED);
	assert_true(tlsg_p11_pin_is_final());
	assert_non_null(strstr(tlsg_p11_pin_reason(TLSG_P11_PIN_LOCKED), "locked"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_files),
			cmocka_unit_test(test_file_that_everybody_reads),
			cmocka_unit_test(test_long_pins),
			cmocka_unit_test(test_what_is_no_file),
			cmocka_unit_test(test_answers),
			cmocka_unit_test(test_pin_that_the_token_refuses),
			cmocka_unit_test(test_locked),
			cmocka_unit_test(test_pin_of_an_earlier_start),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
