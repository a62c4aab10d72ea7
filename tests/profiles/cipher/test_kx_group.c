/*
 * tls_gnutls - tests groups of key exchanges: names, numbers, and post-quantum hybrids with and without them in GnuTLS
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: a test process.   Memory: heap, stack.   Lock: none.
 *
 * What the library says about its groups is replaced, so that both kinds of libraries are tested with any.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <dlfcn.h>

#include <cmocka.h>
#include <gnutls/gnutls.h>

#include "profiles/cipher/cipher_string.h"
#include "profiles/cipher/kx_group.h"
#include "profiles/cipher/priority_string.h"

#define HYBRIDS 3
#define FIRST_ID 900 /* of the hybrids that are made up */

static const char *const hybrid[HYBRIDS] = {"X25519-MLKEM768", "SECP256R1-MLKEM768", "SECP384R1-MLKEM1024"};

/** What the library is made to say. */
static enum {
	AS_IT_IS,
	WITHOUT,  /* no name of a hybrid is known */
	UNLISTED, /* names are known, but not usable */
	WITH
} library;

static void *real(const char *name)
{
	void *f = dlsym(RTLD_NEXT, name);

	assert_non_null(f);
	return f;
}

gnutls_group_t gnutls_group_get_id(const char *name)
{
	gnutls_group_t (*next)(const char *);
	int i;

	for(i = 0; i < HYBRIDS && library != AS_IT_IS; i++)
		if(strcmp(name, hybrid[i]) == 0)
			return library == WITHOUT ? GNUTLS_GROUP_INVALID : (gnutls_group_t)(FIRST_ID + i);
	*(void **)&next = real("gnutls_group_get_id");
	return next(name);
}

const gnutls_group_t *gnutls_group_list(void)
{
	static gnutls_group_t list[64];
	const gnutls_group_t *(*next)(void);
	const gnutls_group_t *all;
	size_t n = 0;
	int i;

	*(void **)&next = real("gnutls_group_list");
	for(all = next(); *all != GNUTLS_GROUP_INVALID && n < 50; all++)
		if(library == AS_IT_IS || strstr(gnutls_group_get_name(*all), "MLKEM") == NULL)
			list[n++] = *all;
	for(i = 0; i < HYBRIDS && library == WITH; i++)
		list[n++] = (gnutls_group_t)(FIRST_ID + i);
	list[n] = GNUTLS_GROUP_INVALID;
	return list;
}

/* Evaluated with the library as it is. */
static void eval(struct tlsg_cipher_list *l, const char *string, const char *method, bool datagram)
{
	const struct tlsg_method *m = NULL;
	struct tlsg_method own;

	library = AS_IT_IS;
	assert_int_equal(tlsg_method_parse(method, strlen(method), &m, NULL), TLSG_OK);
	own = *m;
	own.datagram = datagram;
	assert_int_equal(tlsg_cipher_string_eval(string, &own, NULL, l, NULL), TLSG_OK);
}

/* The groups of a priority string, from the first to the last, as ":+GROUP-X:+GROUP-Y". */
static void groups_of(const struct tlsg_cipher_list *l, char *out)
{
	char text[TLSG_PRIORITY_SIZE];
	const char *p, *end;

	assert_int_equal(tlsg_priority_string_write(l, l, text, sizeof(text)), TLSG_OK);
	p = strstr(text, ":+GROUP-");
	end = strstr(text, ":+SIGN-");
	assert_non_null(p);
	assert_non_null(end);
	memcpy(out, p, (size_t)(end - p));
	out[end - p] = '\0';
}

#define CLASSICAL                                                                                    \
	":+GROUP-X25519:+GROUP-SECP256R1:+GROUP-X448:+GROUP-SECP384R1:+GROUP-SECP521R1:+GROUP-FFDHE2048" \
	":+GROUP-FFDHE3072:+GROUP-FFDHE4096:+GROUP-FFDHE6144:+GROUP-FFDHE8192"
/* The key share beside that of a hybrid is the one for P-256. */
#define BEHIND_HYBRIDS ":+GROUP-SECP256R1:+GROUP-X25519:+GROUP-SECP384R1:+GROUP-X448:+GROUP-SECP521R1"
#define FFDHE ":+GROUP-FFDHE2048:+GROUP-FFDHE3072:+GROUP-FFDHE4096:+GROUP-FFDHE6144:+GROUP-FFDHE8192"
#define ALL_HYBRIDS ":+GROUP-X25519-MLKEM768:+GROUP-SECP256R1-MLKEM768:+GROUP-SECP384R1-MLKEM1024"

/* Hybrids come first where the library has them; without them nothing changes. */
static void test_hybrids_come_first(void **state)
{
	static const struct
	{
		const char *string, *method;
		const char *without, *with;
	} rows[] = {
			{"DEFAULT", "TLSv1.2+", CLASSICAL, ALL_HYBRIDS BEHIND_HYBRIDS FFDHE},
			{"DEFAULT", "TLSv1.3", ":+GROUP-X25519:+GROUP-SECP256R1:+GROUP-X448:+GROUP-SECP384R1:+GROUP-SECP521R1",
					ALL_HYBRIDS BEHIND_HYBRIDS},
			{"DEFAULT", "TLSv1.2", CLASSICAL, CLASSICAL}, /* hybrids are for TLS 1.3 */
			{"ALL:@SECLEVEL=4", "TLSv1.2+", ":+GROUP-X448:+GROUP-SECP384R1:+GROUP-SECP521R1:+GROUP-FFDHE8192",
					ALL_HYBRIDS ":+GROUP-SECP384R1:+GROUP-X448:+GROUP-SECP521R1:+GROUP-FFDHE8192"},
			{"ALL:@SECLEVEL=5", "TLSv1.2+", ":+GROUP-SECP521R1", ":+GROUP-SECP384R1-MLKEM1024:+GROUP-SECP521R1"},
			{"SUITEB128", "TLSv1.2+", ":+GROUP-SECP256R1:+GROUP-SECP384R1", ":+GROUP-SECP256R1:+GROUP-SECP384R1"},
	};
	char text[TLSG_PRIORITY_SIZE];
	struct tlsg_cipher_list l;
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		eval(&l, rows[i].string, rows[i].method, false);
		library = WITHOUT;
		groups_of(&l, text);
		assert_string_equal(text, rows[i].without);
		library = UNLISTED;
		groups_of(&l, text);
		assert_string_equal(text, rows[i].without);
		library = WITH;
		groups_of(&l, text);
		assert_string_equal(text, rows[i].with);
	}
	library = AS_IT_IS;
}

/* There is no DTLS 1.3. */
static void test_no_hybrids_with_datagrams(void **state)
{
	char text[TLSG_PRIORITY_SIZE];
	struct tlsg_cipher_list l;

	(void)state;
	eval(&l, "DEFAULT", "TLSv1.2+", true);
	library = WITH;
	groups_of(&l, text);
	assert_string_equal(text, CLASSICAL);
	library = AS_IT_IS;
}

/* The priority for a client that prefers a hybrid has no other groups, and one suite. */
static void test_hybrids_alone(void **state)
{
	char text[TLSG_PRIORITY_SIZE];
	struct tlsg_cipher_list l;
	const struct tlsg_suite *s;

	(void)state;
	eval(&l, "DEFAULT", "TLSv1.2+", false);
	s = tlsg_suite_at(l.suites[0]);
	assert_int_equal(s->min_version, TLSG_TLS1_3);
	library = WITH;
	assert_int_equal(tlsg_priority_string_hybrid(&l, s, text, sizeof(text)), TLSG_OK);
	assert_non_null(strstr(text, ":+AES-256-GCM:+AEAD" ALL_HYBRIDS ":+SIGN-"));
	assert_non_null(strstr(text, ":+VERS-TLS1.2:"));
	assert_int_equal(tlsg_priority_string_hybrid(&l, s, text, strlen(text)), TLSG_E_RESOURCE);
	library = AS_IT_IS;
}

/* With the library as it is: what it has is offered, and it takes the string. */
static void test_the_library_as_it_is(void **state)
{
	struct tlsg_cipher_list l;
	char name[64];
	bool has;
	int i;

	(void)state;
	eval(&l, "DEFAULT", "TLSv1.2+", false);
	for(i = 0; i < HYBRIDS; i++) {
		snprintf(name, sizeof(name), ":+GROUP-%s:", hybrid[i]);
		has = tlsg_kx_group_is_known(hybrid[i]);
		assert_int_equal(has, strstr(l.priority, name) != NULL);
		print_message("%s: %s\n", hybrid[i], has ? "yes" : "no");
	}
	assert_false(tlsg_kx_group_is_known("NO-SUCH-GROUP"));
	assert_true(tlsg_kx_group_is_known("X25519"));
}

static void test_names_and_numbers(void **state)
{
	static const struct
	{
		const char *gnutls, *name;
		unsigned number;
	} rows[] = {
			{"X25519", "x25519", 29},
			{"SECP256R1", "secp256r1", 23},
			{"SECP521R1", "secp521r1", 25},
			{"FFDHE2048", "ffdhe2048", 256},
			{"X25519-MLKEM768", "X25519MLKEM768", 0x11ec},
			{"SECP256R1-MLKEM768", "SecP256r1MLKEM768", 0x11eb},
			{"SECP384R1-MLKEM1024", "SecP384r1MLKEM1024", 0x11ed},
	};
	const gnutls_group_t *all;
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		gnutls_group_t id = gnutls_group_get_id(rows[i].gnutls);

		if(id == GNUTLS_GROUP_INVALID)
			continue;
		assert_string_equal(tlsg_kx_group_name(id), rows[i].name);
		assert_int_equal(tlsg_kx_group_number(id), rows[i].number);
	}
	for(all = gnutls_group_list(); *all != GNUTLS_GROUP_INVALID; all++)
		assert_non_null(tlsg_kx_group_name(*all));
	assert_null(tlsg_kx_group_name(GNUTLS_GROUP_INVALID));
	assert_int_equal(tlsg_kx_group_number(GNUTLS_GROUP_INVALID), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_hybrids_come_first),
			cmocka_unit_test(test_no_hybrids_with_datagrams),
			cmocka_unit_test(test_hybrids_alone),
			cmocka_unit_test(test_the_library_as_it_is),
			cmocka_unit_test(test_names_and_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
