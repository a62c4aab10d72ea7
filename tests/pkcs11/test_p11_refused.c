/*
 * tls_gnutls - tests of pkcs11/p11_refused.c: what is remembered of a refused PIN, and files that somebody meddled with
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: one process.  Memory: the stack; a folder in TMPDIR.  Lock: none.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* RTLD_NEXT */
#endif

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gnutls/crypto.h>

#include "pkcs11/p11_refused.h"

#define LIBRARY "pkcs11:library-description=A%20token;library-version=2.6;"
#define TOKEN_ATTRIBUTES "model=SW%20TPM%00;manufacturer=IBM;serial=0000000000000000;token=sip"
#define OTHER_ATTRIBUTES "model=SW%20TPM%00;manufacturer=IBM;serial=0000000000000000;token=other"
#define TOKEN "pkcs11:" TOKEN_ATTRIBUTES
#define OTHER "pkcs11:" OTHER_ATTRIBUTES
#define PIN "4711-secret"
#define OTHER_PIN "4712-secret"

static char folder[1024];
static char text[4096];
static char fresh[2048]; /* path of the record that takes the place of that of TOKEN at the next hash; "": none */

/* In the place of GnuTLS's: while it runs another process may replace a record. */
int gnutls_pbkdf2(gnutls_mac_algorithm_t mac, const gnutls_datum_t *key, const gnutls_datum_t *salt,
		unsigned iter_count, void *output, size_t length)
{
	int (*real)(gnutls_mac_algorithm_t, const gnutls_datum_t *, const gnutls_datum_t *, unsigned, void *, size_t);

	*(void **)&real = dlsym(RTLD_NEXT, "gnutls_pbkdf2");
	assert_non_null(real);
	if(fresh[0] != '\0') {
		assert_int_equal(rename(fresh, tlsg_p11_refused_path(TOKEN)), 0);
		fresh[0] = '\0';
	}
	return real(mac, key, salt, iter_count, output, length);
}

static int setup(void **state)
{
	const char *dir = getenv("TMPDIR");

	(void)state;
	snprintf(folder, sizeof(folder), "%s/refused.XXXXXX", dir != NULL ? dir : "/tmp");
	assert_non_null(mkdtemp(folder));
	tlsg_p11_refused_init(folder);
	fresh[0] = '\0';
	return 0;
}

static int teardown(void **state)
{
	char command[1100];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

static void add(const char *token, const char *pin, unsigned tries)
{
	unsigned seen = 0;

	assert_int_equal(tlsg_p11_refused_add(token, pin, &seen), TLSG_OK);
	assert_int_equal(seen, tries);
}

static void expect(const char *token, const char *pin, enum tlsg_p11_refused found, unsigned tries)
{
	unsigned seen = 99;

	assert_int_equal(tlsg_p11_refused_find(token, pin, &seen), found);
	assert_int_equal(seen, tries);
}

static void content_read(void)
{
	FILE *f = fopen(tlsg_p11_refused_path(TOKEN), "r");
	size_t n;

	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	fclose(f);
}

static void content_write(const char *content, size_t size)
{
	FILE *f = fopen(tlsg_p11_refused_path(TOKEN), "w");

	assert_non_null(f);
	assert_int_equal(fwrite(content, 1, size, f), size);
	fclose(f);
}

static void test_remembered(void **state)
{
	char before[4096];
	struct stat st;

	(void)state;
	expect(TOKEN, PIN, TLSG_P11_REFUSED_NOT, 0);
	add(TOKEN, PIN, 1);
	expect(TOKEN, PIN, TLSG_P11_REFUSED_BEFORE, 1);
	expect(TOKEN, OTHER_PIN, TLSG_P11_REFUSED_NOT, 0);
	expect(OTHER, PIN, TLSG_P11_REFUSED_NOT, 0);
	assert_int_equal(stat(tlsg_p11_refused_path(TOKEN), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	content_read();
	assert_null(strstr(text, "4711"));
	memcpy(before, text, sizeof(text));
	add(TOKEN, PIN, 2);
	expect(TOKEN, PIN, TLSG_P11_REFUSED_BEFORE, 2);
	content_read();
	assert_string_not_equal(strstr(text, "salt"), strstr(before, "salt"));
	add(TOKEN, OTHER_PIN, 1); /* takes the place of the other */
	expect(TOKEN, PIN, TLSG_P11_REFUSED_NOT, 0);
	tlsg_p11_refused_remove(TOKEN, PIN); /* it is about another PIN: stays */
	expect(TOKEN, OTHER_PIN, TLSG_P11_REFUSED_BEFORE, 1);
	tlsg_p11_refused_remove(TOKEN, OTHER_PIN);
	expect(TOKEN, OTHER_PIN, TLSG_P11_REFUSED_NOT, 0);
	assert_int_equal(access(tlsg_p11_refused_path(TOKEN), F_OK), -1);
}

/* A record stays for the PIN that it is of, and goes for any other one. */
static void test_remove_other(void **state)
{
	(void)state;
	tlsg_p11_refused_remove_other(TOKEN, PIN); /* there is none */
	add(TOKEN, PIN, 1);
	tlsg_p11_refused_remove_other(OTHER, OTHER_PIN);
	tlsg_p11_refused_remove_other(TOKEN, PIN);
	expect(TOKEN, PIN, TLSG_P11_REFUSED_BEFORE, 1);
	tlsg_p11_refused_remove_other(TOKEN, OTHER_PIN);
	expect(TOKEN, PIN, TLSG_P11_REFUSED_NOT, 0);
	assert_int_equal(access(tlsg_p11_refused_path(TOKEN), F_OK), -1);
	add(TOKEN, PIN, 1);
	tlsg_p11_refused_remove_other("none", OTHER_PIN);
	tlsg_p11_refused_remove_other(LIBRARY OTHER_ATTRIBUTES, OTHER_PIN);
	expect(TOKEN, PIN, TLSG_P11_REFUSED_BEFORE, 1);
	tlsg_p11_refused_remove_other(LIBRARY TOKEN_ATTRIBUTES, OTHER_PIN);
	assert_int_equal(access(tlsg_p11_refused_path(TOKEN), F_OK), -1);
	content_write("damaged", 7);
	tlsg_p11_refused_remove_other(TOKEN, PIN);
	assert_int_equal(access(tlsg_p11_refused_path(TOKEN), F_OK), 0);
}

/* Prepares a record of TOKEN that takes the place of the one that it has then. */
static void replace_with(const char *pin)
{
	char path[2048];

	add(TOKEN, pin, 1);
	snprintf(path, sizeof(path), "%s/fresh", folder);
	assert_int_equal(rename(tlsg_p11_refused_path(TOKEN), path), 0);
	add(TOKEN, strcmp(pin, PIN) == 0 ? OTHER_PIN : PIN, 1);
	memcpy(fresh, path, sizeof(fresh));
}

/* Another process replaces the record after it was read and before it is removed: the new one stays. */
static void test_replaced_meanwhile(void **state)
{
	(void)state;
	replace_with(OTHER_PIN);
	tlsg_p11_refused_remove(TOKEN, PIN);
	assert_string_equal(fresh, "");
	expect(TOKEN, OTHER_PIN, TLSG_P11_REFUSED_BEFORE, 1);
	tlsg_p11_refused_remove(TOKEN, OTHER_PIN);
	replace_with(PIN);
	tlsg_p11_refused_remove_other(TOKEN, PIN);
	assert_string_equal(fresh, "");
	expect(TOKEN, PIN, TLSG_P11_REFUSED_BEFORE, 1);
	tlsg_p11_refused_remove(TOKEN, PIN);
	assert_int_equal(access(tlsg_p11_refused_path(TOKEN), F_OK), -1);
}

static void test_start(void **state)
{
	(void)state;
	assert_true(tlsg_p11_refused_is_asked());
	tlsg_p11_refused_set_asked(false);
	assert_false(tlsg_p11_refused_is_asked());
	tlsg_p11_refused_set_asked(true);
	assert_true(tlsg_p11_refused_is_asked());
}

/* Another number of tries is not noticed: who can write the file can remove it as well. */
static void test_damaged(void **state)
{
	size_t len, i;

	(void)state;
	add(TOKEN, PIN, 1);
	content_read();
	len = strlen(text);
	for(i = 0; i < len; i += 17) { /* cut */
		content_write(text, i);
		expect(TOKEN, PIN, TLSG_P11_REFUSED_DAMAGED, 0);
	}
	content_write(text, len + 1); /* the zero too */
	expect(TOKEN, PIN, TLSG_P11_REFUSED_DAMAGED, 0);
	text[len] = 'x';
	content_write(text, len + 1);
	expect(TOKEN, PIN, TLSG_P11_REFUSED_DAMAGED, 0);
	text[len] = '\0';
	for(i = 0; i < len; i++) { /* a letter that belongs nowhere */
		char was = text[i];

		text[i] = '~';
		content_write(text, len);
		expect(TOKEN, PIN, TLSG_P11_REFUSED_DAMAGED, 0);
		text[i] = was;
	}
	memset(text, 'a', sizeof(text));
	content_write(text, sizeof(text));
	expect(TOKEN, PIN, TLSG_P11_REFUSED_DAMAGED, 0);
	add(TOKEN, PIN, 1);
	expect(TOKEN, PIN, TLSG_P11_REFUSED_BEFORE, 1);
}

/* What is no regular file, or writable by others, decides nothing in favour of a PIN. */
static void test_other_files(void **state)
{
	char path[2048], elsewhere[2048];
	unsigned tries;

	(void)state;
	snprintf(path, sizeof(path), "%s", tlsg_p11_refused_path(TOKEN));
	snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", folder);
	add(TOKEN, PIN, 1);
	assert_int_equal(chmod(path, 0620), 0);
	expect(TOKEN, "another", TLSG_P11_REFUSED_DAMAGED, 0);
	assert_int_equal(rename(path, elsewhere), 0);
	assert_int_equal(symlink(elsewhere, path), 0);
	expect(TOKEN, "another", TLSG_P11_REFUSED_DAMAGED, 0);
	add(TOKEN, PIN, 1); /* takes the place of the link, and does not follow it */
	expect(TOKEN, PIN, TLSG_P11_REFUSED_BEFORE, 1);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	expect(TOKEN, "another", TLSG_P11_REFUSED_DAMAGED, 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	expect(TOKEN, "another", TLSG_P11_REFUSED_DAMAGED, 0);
	assert_int_equal(tlsg_p11_refused_add(TOKEN, PIN, &tries), TLSG_E_RESOURCE);
	assert_int_equal(errno, EISDIR);
}

/* What another user has put there is ignored. */
static void test_other_owner(void **state)
{
	(void)state;
	if(geteuid() != 0) {
		print_message("only root can give a file to another user\n");
		skip();
	}
	add(TOKEN, PIN, 1);
	assert_int_equal(chown(tlsg_p11_refused_path(TOKEN), 65534, 65534), 0);
	expect(TOKEN, PIN, TLSG_P11_REFUSED_NOT, 0);
	add(TOKEN, PIN, 1);
	expect(TOKEN, PIN, TLSG_P11_REFUSED_BEFORE, 1);
	assert_int_equal(unlink(tlsg_p11_refused_path(TOKEN)), 0);
	assert_int_equal(symlink("/nowhere", tlsg_p11_refused_path(TOKEN)), 0);
	assert_int_equal(lchown(tlsg_p11_refused_path(TOKEN), 65534, 65534), 0);
	expect(TOKEN, PIN, TLSG_P11_REFUSED_NOT, 0);
}

/* A record that cannot be written whole is not written; an older one stays. */
static void test_full_disk(void **state)
{
	const struct rlimit little = {100, RLIM_INFINITY}, all = {RLIM_INFINITY, RLIM_INFINITY};
	unsigned tries;

	(void)state;
	add(TOKEN, PIN, 1);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
	assert_int_equal(tlsg_p11_refused_add(TOKEN, PIN, &tries), TLSG_E_RESOURCE);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &all), 0);
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(tries, 2);
	expect(TOKEN, PIN, TLSG_P11_REFUSED_BEFORE, 1);
}

static void test_no_folder(void **state)
{
	unsigned tries;

	(void)state;
	tlsg_p11_refused_init("/nowhere/at/all");
	assert_string_equal(tlsg_p11_refused_path(TOKEN), "");
	expect(TOKEN, PIN, TLSG_P11_REFUSED_NOT, 0);
	assert_int_equal(tlsg_p11_refused_add(TOKEN, PIN, &tries), TLSG_E_RESOURCE);
	assert_int_equal(tries, 1);
	tlsg_p11_refused_remove(TOKEN, PIN);
	tlsg_p11_refused_init(NULL);
	assert_string_equal(tlsg_p11_refused_path(TOKEN), "");
}

/* RUNTIME_DIRECTORY is a list of folders with colons. */
static void test_folder_of_a_unit(void **state)
{
	static const struct
	{
		const char *before, *behind;
		bool is_in_unit;
	} rows[] = {{"", "", true}, {"/run/a:", "", true}, {"", ":/run/b", true}, {"/run/a:", ":/run/b", true},
			{"/run", "", false}, {"", "/more", false}, {"", "x:/run/b", false}};
	char list[2048];
	size_t i;

	(void)state;
	unsetenv("RUNTIME_DIRECTORY");
	assert_false(tlsg_p11_refused_is_in_unit());
	for(i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(list, sizeof(list), "%s%s%s", rows[i].before, folder, rows[i].behind);
		setenv("RUNTIME_DIRECTORY", list, 1);
		if(tlsg_p11_refused_is_in_unit() != rows[i].is_in_unit)
			fail_msg("row %zu", i);
	}
	unsetenv("RUNTIME_DIRECTORY");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test_setup_teardown(test_remembered, setup, teardown),
			cmocka_unit_test_setup_teardown(test_remove_other, setup, teardown),
			cmocka_unit_test_setup_teardown(test_replaced_meanwhile, setup, teardown),
			cmocka_unit_test_setup_teardown(test_start, setup, teardown),
			cmocka_unit_test_setup_teardown(test_damaged, setup, teardown),
			cmocka_unit_test_setup_teardown(test_other_files, setup, teardown),
			cmocka_unit_test_setup_teardown(test_other_owner, setup, teardown),
			cmocka_unit_test_setup_teardown(test_full_disk, setup, teardown),
			cmocka_unit_test_setup_teardown(test_no_folder, setup, teardown),
			cmocka_unit_test_setup_teardown(test_folder_of_a_unit, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
