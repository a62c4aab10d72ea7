/*
 * tls_gnutls - tests of what the environment and the system-wide configuration do to GnuTLS
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: one process.  Memory: the stack, a temporary file.  Lock: none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <gnutls/gnutls.h>

#include "base/environment.h"

static const struct
{
	const char *name;
	const char *harmless; /**< a value that is not worth a line; NULL: each is */
	const char *wrong;
} variables[] = {
		{"SSLKEYLOGFILE", "", "/tmp/keys"},
		{"GNUTLS_DEBUG_LEVEL", "0", "9"},
		{"GNUTLS_SYSTEM_PRIORITY_FILE", NULL, "/tmp/config"},
		{"GNUTLS_SYSTEM_PRIORITY_FAIL_ON_INVALID", "0", "1"},
		{"GNUTLS_FORCE_FIPS_MODE", "1", "0"},
		{"GNUTLS_SKIP_FIPS_INTEGRITY_CHECKS", "0", "1"},
		{"GNUTLS_CPUID_OVERRIDE", NULL, "0x1"},
		{"NETTLE_FAT_OVERRIDE", NULL, "none"},
		{"P11_KIT_STRICT", "", "1"},
};

#define VARIABLES (sizeof(variables) / sizeof(variables[0]))

static unsigned count(void)
{
	unsigned at = 0, n = 0;

	while(tlsg_environment_next(&at) != NULL)
		n++;
	return n;
}

static void test_variables(void **state)
{
	const struct tlsg_environment_note *note;
	size_t i;

	(void)state;
	for(i = 0; i < VARIABLES; i++)
		unsetenv(variables[i].name);
	assert_int_equal(count(), 0);
	setenv("GNUTLS_NO_IMPLICIT_INIT", "1", 1); /* read by the library, and harmless */
	assert_int_equal(count(), 0);
	unsetenv("GNUTLS_NO_IMPLICIT_INIT");
	for(i = 0; i < VARIABLES; i++) {
		unsigned at = 0;

		if(variables[i].harmless != NULL) {
			setenv(variables[i].name, variables[i].harmless, 1);
			assert_int_equal(count(), 0);
		}
		setenv(variables[i].name, variables[i].wrong, 1);
		note = tlsg_environment_next(&at);
		assert_non_null(note);
		assert_string_equal(note->name, variables[i].name);
		assert_true(strlen(note->effect) > 0 && strlen(note->remedy) > 0);
		assert_null(tlsg_environment_next(&at));
		unsetenv(variables[i].name);
	}
	for(i = 0; i < VARIABLES; i++)
		setenv(variables[i].name, variables[i].wrong, 1);
	assert_int_equal(count(), VARIABLES);
	for(i = 0; i < VARIABLES; i++)
		unsetenv(variables[i].name);
}

static void test_library(void **state)
{
	struct tlsg_environment_library library;
	struct tlsg_err err;

	(void)state;
	tlsg_environment_library(&library);
	assert_non_null(library.features);
	assert_non_null(library.config);
	assert_string_equal(library.config, gnutls_get_system_config_file());
	assert_int_equal(library.compresses, gnutls_check_version("3.8.10") != NULL);
	assert_true(library.compresses || !library.provides);
	tlsg_err_clear(&err);
	assert_int_equal(tlsg_environment_check(&library, &err), TLSG_OK);
}

static void test_builds_with_descriptors(void **state)
{
	static const char *const wrong[] = {"afalg", "padlock afalg", "cryptodev pkcs11", " cryptodev "};
	static const char *const right[] = {"", "padlock", "padlock pkcs11", "afalg2 xcryptodev"};
	struct tlsg_environment_library library = {0};
	struct tlsg_err err;
	size_t i;

	(void)state;
	tlsg_err_clear(&err);
	assert_int_equal(tlsg_environment_check(&library, &err), TLSG_OK); /* nothing is known */
	for(i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
		library.features = right[i];
		assert_int_equal(tlsg_environment_check(&library, &err), TLSG_OK);
	}
	for(i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		library.features = wrong[i];
		tlsg_err_clear(&err);
		assert_int_equal(tlsg_environment_check(&library, &err), TLSG_E_CONFIG);
		assert_non_null(strstr(err.text, "GnuTLS was built with"));
	}
}

/** @return what the check says about a configuration. */
static enum tlsg_ret config_check(const char *text, bool is_new, struct tlsg_err *err)
{
	char path[] = "/tmp/tlsg-config-XXXXXX";
	struct tlsg_environment_library library = {.config = path, .provides = is_new, .compresses = is_new};
	int fd = mkstemp(path);
	enum tlsg_ret ret;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	tlsg_err_clear(err);
	ret = tlsg_environment_check(&library, err);
	unlink(path);
	return ret;
}

static void test_configuration(void **state)
{
	static const char *const wrong[] = {
			"[provider]\nurl = pkcs11:token=x\n",
			"[global]\nktls = true\n\n  [Provider]\n# a comment\nURL=pkcs11:token=x",
			"\xef\xbb\xbf[provider]\npin = 1\nurl: pkcs11:token=x\n",
			"[provider]\nurl =\n  pkcs11:token=x\n",
			"[overrides]\ntls-disabled-mac = sha1\ncert-compression-alg = zlib\n",
	};
	static const char *const right[] = {
			"",
			"[overrides]\ntls-disabled-mac = sha1\n[global]\nktls = true\n",
			"[provider]\n# url = pkcs11:token=x\n; url = y\npin = 1\n",
			"[priorities]\nurl = NORMAL\ncert-compression-alg = NORMAL\n",
			"[provider\nurl = pkcs11:token=x\n",
			"[",
			"]\n=\n:\n[]\n= = =\n",
	};
	struct tlsg_err err;
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if(config_check(wrong[i], true, &err) != TLSG_E_CONFIG)
			fail_msg("accepted: %s", wrong[i]);
		assert_non_null(strstr(err.text, "/tmp/tlsg-config-"));
		assert_int_equal(config_check(wrong[i], false, &err), TLSG_OK); /* what the library does not know */
	}
	for(i = 0; i < sizeof(right) / sizeof(right[0]); i++)
		if(config_check(right[i], true, &err) != TLSG_OK)
			fail_msg("refused: %s", right[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_variables),
			cmocka_unit_test(test_library),
			cmocka_unit_test(test_builds_with_descriptors),
			cmocka_unit_test(test_configuration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
