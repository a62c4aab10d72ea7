/*
 * tls_gnutls - tests of profiles/keys/path.c: paths in settings
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: one process.  Memory: stack.  Lock: none.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#include "base/host.h"
#include "profiles/keys/path.h"

static void test_paths(void **state)
{
	static const struct
	{
		const char *value;
		const char *path;
		bool is_uri;
	} rows[] = {
			{"c.pem", "/etc/kamailio/c.pem", false},
			{"tls/c.pem", "/etc/kamailio/tls/c.pem", false},
			{"/srv/c.pem", "/srv/c.pem", false},
			{"./c.pem", "./c.pem", false},
			{"../c.pem", "../c.pem", false},
			{".hidden", ".hidden", false}, /* as `tls`: a dot means "leave it" */
			{"pkcs11:token=t;object=o", "pkcs11:token=t;object=o", true},
			{"PKCS11:token=t", "PKCS11:token=t", true},
			{"tpmkey:uuid=1", "tpmkey:uuid=1", true},
			{"/engine:pkcs11:1", "/engine:pkcs11:1", true},
			{"/uri:pkcs11:object=o", "/uri:pkcs11:object=o", true},
			{"pkcs11", "/etc/kamailio/pkcs11", false},
			{"file:c.pem", "/etc/kamailio/file:c.pem", false},
			{"", "", false},
	};
	str config = STR_STATIC_INIT("/etc/kamailio/");
	char path[TLSG_PATH_SIZE];
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		str s = {(char *)rows[i].value, (int)strlen(rows[i].value)};

		assert_int_equal(tlsg_path_absolute(&config, &s, path), strlen(rows[i].path));
		assert_string_equal(path, rows[i].path);
		assert_int_equal(tlsg_path_is_uri(&s), rows[i].is_uri);
		assert_int_equal(tlsg_path_is_relative(&s), strcmp(rows[i].value, rows[i].path) != 0);
	}
}

static void test_limit(void **state)
{
	static char name[TLSG_PATH_SIZE];
	str config = STR_STATIC_INIT("/etc/");
	str s = {name, TLSG_PATH_SIZE - 1 - 5};
	str unset = STR_NULL;
	char path[TLSG_PATH_SIZE];

	(void)state;
	memset(name, 'n', sizeof(name));
	assert_int_equal(tlsg_path_absolute(&config, &s, path), TLSG_PATH_SIZE - 1);
	assert_int_equal(path[TLSG_PATH_SIZE - 1], 0);
	s.len++;
	assert_int_equal(tlsg_path_absolute(&config, &s, path), -1);
	assert_string_equal(path, "");
	assert_int_equal(tlsg_path_absolute(&config, &unset, path), 0);
	assert_false(tlsg_path_is_relative(&unset));
	assert_false(tlsg_path_is_uri(&unset));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_paths),
			cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
