/*
 * tls_gnutls - tests of profiles/tlscfg_file.c: files and directories of profiles, and duplicates in them
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: one process.  Memory: the stand-in's region.  Lock: none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/profiles/tlscfg_parse.h"

/* ---- duplicates ---- */

static void test_duplicates(void **state)
{
	static const struct wrong rows[] = {
			/* also when it is the last section */
			{"[s:10.0.0.1:1]\n[s:10.0.0.1:1]\n", ":2:1: ", "tls.cfg:1,"},
			{"[s:10.0.0.1:1]\n[s:10.0.0.1:2]\n[s:10.0.0.1:1]\n[s:10.0.0.1:3]\n", ":3:1: ", "tls.cfg:1,"},
			{"[s:10.0.0.1:1]\nserver_name=a\n[s:10.0.0.1:1]\n", ":3:1: ", "Duplicate TLS domain"},
			{"[s:10.0.0.1:1]\n[s:10.0.0.1:1]\nserver_name=a\n", ":2:1: ", "Duplicate TLS domain"},
			{"[s:10.0.0.1:1]\nserver_name=\"\"\n[s:10.0.0.1:1]\nserver_name=a\n", ":3:1: ", "Duplicate TLS domain"},
			{"[c:[::1]:0]\n[c:[0::0:1]:0]\n", ":2:1: ", "Duplicate TLS domain"},
			{"[c:10.0.0.1:0]\nserver_id=a\n[c:10.0.0.1:0]\nserver_id=A\n", ":3:1: ", "Duplicate TLS domain"},
			{"[c:10.0.0.1:0]\nserver_id=a\n[c:10.0.0.1:0]\n", ":3:1: ", "Duplicate TLS domain"},
			{"[s:10.0.0.1:0]\n[s:10.0.0.1:*]\n", ":2:1: ", "Duplicate TLS domain"},
			{"[s:any]\n", ":1:1: ", "without server_name"},
			{"[s:any]\nserver_name=\"\"\n", ":1:1: ", "without server_name"},
			{"\n[c:any]\n[c:def]\n", ":2:1: ", "without server_name"},
	};
	static const char *const right[] = {
			"[s:10.0.0.1:1]\nserver_name=a\n[s:10.0.0.1:1]\nserver_name=b\n",
			"[s:10.0.0.1:1]\nserver_name=a\n[s:10.0.0.1:1]\nserver_name=a\n", /* the later one wins */
			"[s:10.0.0.1:1]\n[c:10.0.0.1:1]\n",
			"[s:10.0.0.1:1]\n[s:10.0.0.1:0]\n",
			"[s:10.0.0.1:1]\n[s:10.0.0.2:1]\n",
			"[c:10.0.0.1:0]\nserver_id=a\n[c:10.0.0.1:0]\nserver_id=b\n",
			"[s:any]\nserver_name=a\n[s:any]\nserver_name=a\n",
			"[c:any]\nserver_id=a\n",
	};
	size_t i;

	(void)state;
	CHECK_WRONG(rows);
	for(i = 0; i < sizeof(right) / sizeof(right[0]); i++)
		tlsg_set_drop(parse(right[i]));
}

/* ---- files and directories ---- */

static void in_dir(const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", subdir, name);
	write_to(path, text, strlen(text));
}

static void not_in_dir(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", subdir, name);
	if(unlink(path) != 0)
		rmdir(path);
}

static void test_directory_in_order_of_names(void **state)
{
	const struct tlsg_prof *p;
	struct tlsg_set *set;
	char path[128];

	(void)state;
	in_dir("20-b", "[s:10.0.0.2:1]");
	in_dir("10-a", "# a\n[s:10.0.0.1:1]\n");
	in_dir(".hidden", "[s:10.0.0.3:1]\n");
	snprintf(path, sizeof(path), "%s/dir", subdir);
	assert_int_equal(mkdir(path, 0700), 0);
	set = parse_path(subdir);
	if(set == NULL)
		fail_msg("%s", err.text);
	p = set->list[TLSG_SERVER];
	assert_int_equal(list_len(p), 3);
	assert_int_equal(p->addr.bytes[3], 2);
	assert_int_equal(p->line, 1);
	assert_int_equal(p->next->addr.bytes[3], 1);
	assert_int_equal(p->next->line, 2);
	snprintf(path, sizeof(path), "%s/10-a", subdir);
	assert_str(&p->next->file, path);
	assert_int_equal(p->next->next->addr.bytes[3], 3);
	tlsg_set_drop(set);

	/* a slash at the end is the same directory */
	snprintf(path, sizeof(path), "%s/", subdir);
	set = parse_path(path);
	assert_non_null(set);
	snprintf(path, sizeof(path), "%s/20-b", subdir);
	assert_str(&set->list[TLSG_SERVER]->file, path);
	tlsg_set_drop(set);

	not_in_dir("dir");
	not_in_dir(".hidden");
	not_in_dir("10-a");
	not_in_dir("20-b");
}

static void test_directory_errors_name_the_file(void **state)
{
	char expected[256];

	(void)state;
	in_dir("a", "[s:10.0.0.1:1]\n");
	in_dir("b", "\nverify_depth=1\n");
	assert_null(parse_path(subdir)); /* a file does not continue the section of the one before */
	snprintf(
			expected, sizeof(expected), "%s/b:2:1: Unsupported option 'verify_depth' before the first section", subdir);
	assert_string_equal(err.text, expected);

	in_dir("b", "\n\n[s:10.0.0.1:1]\n");
	assert_null(parse_path(subdir));
	snprintf(expected, sizeof(expected), "%s/b:3:1: Duplicate TLS domain: same address and port as %s/a:1,", subdir,
			subdir);
	assert_memory_equal(err.text, expected, strlen(expected));
	not_in_dir("a");
	not_in_dir("b");
}

static void test_empty_directory(void **state)
{
	struct tlsg_set *set = parse_path(subdir);

	(void)state;
	assert_non_null(set);
	assert_int_equal(set->profs_len, 0);
	tlsg_set_drop(set);
}

/* `tls` writes a temporary file into the working directory; here that directory has been removed. */
static void test_no_temporary_file(void **state)
{
	struct tlsg_set *set;
	char cwd[200], gone[128];

	(void)state;
	in_dir("a", "[s:10.0.0.1:1]\n");
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	snprintf(gone, sizeof(gone), "%s/gone", dir);
	assert_int_equal(mkdir(gone, 0700), 0);
	assert_int_equal(chdir(gone), 0);
	assert_int_equal(rmdir(gone), 0);
	set = parse_path(subdir);
	assert_int_equal(chdir(cwd), 0);
	not_in_dir("a");
	assert_non_null(set);
	tlsg_set_drop(set);
}

static void test_files_that_cannot_be_read(void **state)
{
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/missing.cfg", dir);
	assert_null(parse_path(path));
	assert_memory_equal(err.text, path, strlen(path));
	assert_non_null(strstr(err.text, "No such file"));

	assert_null(parse_path(""));
	assert_null(parse_path("/dev/null"));
	assert_string_equal(err.text, "/dev/null: is neither a file nor a directory");

	snprintf(path, sizeof(path), "%s/dangling", subdir);
	assert_int_equal(symlink("/nowhere/at/all", path), 0);
	assert_null(parse_path(subdir));
	assert_memory_equal(err.text, path, strlen(path));
	not_in_dir("dangling");
}

/* root may read every file: the test runs as another user meanwhile. */
static void test_unreadable_file(void **state)
{
	struct tlsg_set *set;
	bool is_root = geteuid() == 0;

	(void)state;
	write_to(file, "", 0);
	assert_int_equal(chmod(dir, 0755), 0);
	assert_int_equal(chmod(file, 0), 0);
	if(is_root)
		assert_int_equal(seteuid(65534), 0);
	set = parse_path(file);
	if(is_root)
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(chmod(file, 0600), 0);
	assert_int_equal(chmod(dir, 0700), 0);
	assert_null(set);
	assert_memory_equal(err.text, file, strlen(file));
	assert_non_null(strstr(err.text, "Permission denied"));
}

static void test_password_for_everybody_is_warned_about(void **state)
{
	static const char text[] = "[c:def]\nprivate_key_password=\"hush\"\n";

	(void)state;
	write_to(file, text, sizeof(text) - 1);
	assert_int_equal(chmod(file, 0644), 0);
	tlsg_stub_log_clear();
	tlsg_set_drop(parse_path(file));
	assert_int_equal(tlsg_stub_log_count(L_WARN), 1);
	assert_null(strstr(tlsg_stub_log_text(), "hush"));
	assert_int_equal(chmod(file, 0600), 0);
	tlsg_stub_log_clear();
	tlsg_set_drop(parse_path(file));
	assert_int_equal(tlsg_stub_log_count(L_WARN), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_duplicates),
			cmocka_unit_test(test_directory_in_order_of_names),
			cmocka_unit_test(test_directory_errors_name_the_file),
			cmocka_unit_test(test_empty_directory),
			cmocka_unit_test(test_no_temporary_file),
			cmocka_unit_test(test_files_that_cannot_be_read),
			cmocka_unit_test(test_unreadable_file),
			cmocka_unit_test(test_password_for_everybody_is_warned_about),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
