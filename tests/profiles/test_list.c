/*
 * tls_gnutls - tests of profiles/list.c: splitting settings that name several files
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: one process.  Memory: the stand-in's region.  Lock: none.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/arena_pool.h"
#include "base/scope.h"
#include "profiles/list.h"
#include "base/arena_pool.h"

static char dir[] = "/tmp/tlsg-list-XXXXXX";
static char config_dir[sizeof(dir) + 1];
static struct tlsg_err err;

static struct tlsg_set *set_new(void)
{
	struct tlsg_set_options o = {.config_dir = {config_dir, (int)strlen(config_dir)}};
	struct tlsg_set *set = tlsg_set_new(&o);

	assert_non_null(set);
	return set;
}

static str str_of(const char *s)
{
	return (str){(char *)s, (int)strlen(s)};
}

static void assert_split(const char *list, int len, const char *first, const char *last)
{
	struct tlsg_set *set = set_new();
	str whole = str_of(list), out[TLSG_PAIRS_MAX];
	int n = 0;

	tlsg_err_clear(&err);
	if(tlsg_list_split(set, "certificate", &whole, out, &n, &err) != TLSG_OK)
		fail_msg("%s: %s", list, err.text);
	assert_int_equal(n, len);
	assert_string_equal(out[0].s, first);
	assert_string_equal(out[n - 1].s, last);
	tlsg_set_drop(set);
}

static void test_lists(void **state)
{
	char second[128], with_comma[128], line[256];

	(void)state;
	snprintf(second, sizeof(second), "%s/b.pem", dir);
	assert_split("/a.pem", 1, "/a.pem", "/a.pem");
	assert_split("/a.pem,b.pem", 2, "/a.pem", second);
	assert_split("/a.pem , /x , b.pem ", 3, "/a.pem", second);
	assert_split("pkcs11:token=a,b;object=c", 1, "pkcs11:token=a,b;object=c", "pkcs11:token=a,b;object=c");
	assert_split("pkcs11:token=a,b;object=c,pkcs11:token=d", 2, "pkcs11:token=a,b;object=c", "pkcs11:token=d");
	assert_split("pkcs11:token=a,/b.pem", 2, "pkcs11:token=a", "/b.pem");
	assert_split("/a.pem,pkcs11:token=a,b", 2, "/a.pem", "pkcs11:token=a,b");
	snprintf(with_comma, sizeof(with_comma), "%s/with,comma.pem", dir);
	snprintf(line, sizeof(line), "touch %s", with_comma);
	assert_int_equal(system(line), 0);
	assert_split(with_comma, 1, with_comma, with_comma);
}

static void test_bad_lists(void **state)
{
	static const char *const bad[] = {"/a,", "/a,,/b", ",/a", "/a, ", "/1,/2,/3,/4,/5,/6,/7,/8,/9"};
	struct tlsg_set *set = set_new();
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		str whole = str_of(bad[i]), out[TLSG_PAIRS_MAX];
		int n = 0;

		tlsg_err_clear(&err);
		if(tlsg_list_split(set, "certificate", &whole, out, &n, &err) != TLSG_E_CONFIG)
			fail_msg("\"%s\" is accepted", bad[i]);
		assert_non_null(strstr(err.text, "certificate: "));
	}
	tlsg_set_drop(set);
}

static int group_setup(void **state)
{
	(void)state;
	if(tlsg_scope_install() != TLSG_OK || tlsg_arena_pool_global_init() != TLSG_OK || tlsg_set_global_init() != TLSG_OK
			|| mkdtemp(dir) == NULL)
		return -1;
	snprintf(config_dir, sizeof(config_dir), "%s/", dir);
	return 0;
}

static int group_teardown(void **state)
{
	char line[128];

	(void)state;
	tlsg_set_global_deinit();
	tlsg_arena_pool_global_deinit();
	snprintf(line, sizeof(line), "rm -r %s", dir);
	return system(line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_lists),
			cmocka_unit_test(test_bad_lists),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
