/*
 * tls_gnutls - tests of profiles/pair_chain.c: a leaf alone in its file is sent with its issuers
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: unit tests.  Memory: heap, stand-in shared memory.  Lock: none.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/arena_pool.h"
#include "base/scope.h"
#include "profiles/build.h"
#include "profiles/cipher/method.h"
#include "profiles/verify/trust.h"
#include "tests/lib/certs.h"

#define SIGNS (GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN)
#define CA .flags = TLSG_CERT_CA, .usage = SIGNS, .from_days = -1000, .to_days = 20000
#define LEAF .from_days = -1000, .to_days = 20000

static const struct tlsg_cert_row rows[] = {
		{"root", CA}, {"upper", .issuer = "root", CA}, {"lower", .issuer = "upper", CA},
		{"leaf", .issuer = "lower", LEAF}, {"short", .issuer = "root", LEAF},
		/* the same name and another key; the same key and other dates; the same key and another issuer */
		{"false-lower", .issuer = "upper", .cn = "lower", CA},
		{"old-lower", .issuer = "upper", .cn = "lower", .key_of = "lower", .flags = TLSG_CERT_CA, .usage = SIGNS,
				.from_days = -3000, .to_days = -2000},
		{"other-root", CA}, {"crossed-root", .issuer = "other-root", .cn = "root", .key_of = "root", CA},
		/* two CAs that sign each other */
		{"ring-root", CA}, {"ring-a", .issuer = "ring-root", CA}, {"ring-b", .issuer = "ring-a", CA},
		{"ring-a-by-b", .issuer = "ring-b", .cn = "ring-a", .key_of = "ring-a", CA},
		{"ring-leaf", .issuer = "ring-a", LEAF}, {"own", LEAF}, /* self-signed */
};

static struct tlsg_certs certs;
static char folder[64];

static char *path_of(const char *name)
{
	static char path[8][256];
	static unsigned next;

	next = (next + 1) % 8;
	snprintf(path[next], sizeof(path[next]), "%s/%s", folder, name);
	return path[next];
}

static str str_of(struct tlsg_set *set, const char *text)
{
	return (str){tlsg_arena_keep_copy(set->arena, text, strlen(text)), (int)strlen(text)};
}

/* Writes rows to a file, and names it in a setting. */
static void write_and_set(struct tlsg_set *set, str *setting, const char *file, const char *names)
{
	tlsg_certs_write(&certs, path_of(file), names);
	*setting = str_of(set, path_of(file));
}

static struct tlsg_set *set_new(void)
{
	struct tlsg_set_options o = {.config_dir = {folder, (int)strlen(folder)}};
	struct tlsg_set *set = tlsg_set_new(&o);

	assert_non_null(set);
	return set;
}

static void use_pair(struct tlsg_prof *p, const char *file, const char *leaf)
{
	char key[64];

	snprintf(key, sizeof(key), "%s.key", leaf);
	tlsg_certs_write_key(&certs, path_of(key), leaf);
	p->s.certificate = str_of(p->set, path_of(file));
	p->s.private_key = str_of(p->set, path_of(key));
	p->s.method = TLSG_METHOD_TLSV1_2_PLUS;
}

static void build(struct tlsg_set *set)
{
	struct tlsg_err err;

	tlsg_err_clear(&err);
	if(tlsg_build_set(set, &err) != TLSG_OK)
		fail_msg("%s", err.text);
}

static void assert_chain(const struct tlsg_pair *pair, const char *names)
{
	char text[256], got[256] = "";
	char *name, *save = NULL;
	unsigned n = 0, i, k;

	for(i = 0; i < pair->chain_len; i++)
		for(k = 0; k < certs.len; k++)
			if(pair->chain[i].cert.size == certs.certs[k].der.size
					&& memcmp(pair->chain[i].cert.data, certs.certs[k].der.data, certs.certs[k].der.size) == 0)
				snprintf(got + strlen(got), sizeof(got) - strlen(got), " %s", certs.certs[k].row->name);
	snprintf(text, sizeof(text), "%s", names);
	for(name = strtok_r(text, " ", &save); name != NULL; name = strtok_r(NULL, " ", &save), n++) {
		const struct tlsg_cert *c = tlsg_certs_get(&certs, name);

		if(n >= pair->chain_len || pair->chain[n].cert.size != c->der.size
				|| memcmp(pair->chain[n].cert.data, c->der.data, c->der.size) != 0)
			fail_msg("expected %s, got%s", names, got);
	}
	if(pair->chain_len != n)
		fail_msg("expected %s, got%s", names, got);
}

static void test_chains(void **state)
{
	static const struct
	{
		const char *file; /* certificates of the file, its leaf first */
		const char *cas;  /* of ca_list; NULL none */
		const char *sent;
	} all[] = {
			{"leaf", "root upper lower", "leaf lower upper"},
			{"leaf", "lower upper root", "leaf lower upper"},
			{"leaf", "lower upper", "leaf lower upper"}, /* a root is not needed for that */
			{"leaf", "lower", "leaf lower"},
			{"leaf", "root upper", "leaf"}, /* a gap */
			{"leaf", "root", "leaf"},
			{"leaf", NULL, "leaf"},
			{"short", "root", "short"},
			{"own", "root own", "own"},
			/* a file with more than one certificate is sent as it is */
			{"leaf lower", "root upper lower", "leaf lower"},
			{"leaf root", "root upper lower", "leaf root"},
			/* which of several with one name */
			{"leaf", "false-lower upper root", "leaf"},
			{"leaf", "false-lower lower upper root", "leaf lower upper"},
			{"leaf", "old-lower lower upper root", "leaf lower upper"},
			{"leaf", "old-lower upper root", "leaf old-lower upper"},
			{"leaf", "lower upper crossed-root root other-root", "leaf lower upper"},
			{"leaf", "lower upper crossed-root other-root", "leaf lower upper crossed-root"},
			/* no end in sight */
			{"ring-leaf", "ring-a-by-b ring-b", "ring-leaf ring-a-by-b ring-b"},
	};
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		int role;

		for(role = 0; role < TLSG_ROLES; role++) {
			struct tlsg_set *set = set_new();
			struct tlsg_prof *p = tlsg_prof_add(set, (enum tlsg_role)role, TLSG_PROF_DEFAULT, NULL, 0);
			char leaf[64];

			tlsg_stub_log_clear();
			snprintf(leaf, sizeof(leaf), "%.*s", (int)strcspn(all[i].file, " "), all[i].file);
			tlsg_certs_write(&certs, path_of("file.pem"), all[i].file);
			use_pair(p, "file.pem", leaf);
			if(role == TLSG_CLIENT) { /* a server profile that has nothing to do with it */
				tlsg_prof_add(set, TLSG_SERVER, TLSG_PROF_DEFAULT, NULL, 0)->s.method = TLSG_METHOD_TLSV1_2_PLUS;
			}
			if(all[i].cas != NULL)
				write_and_set(set, &p->s.ca_list, "cas.pem", all[i].cas);
			build(set);
			assert_int_equal(p->pairs_len, 1);
			assert_chain(&p->pairs[0], all[i].sent);
			assert_int_equal(p->pairs[0].own_len, strchr(all[i].file, ' ') != NULL ? 2 : 1);
			tlsg_set_drop(set);
		}
	}
}

/* Two profiles that read the same file complete it from their own CAs. */
static void test_each_profile_has_its_own(void **state)
{
	struct tlsg_set *set = set_new();
	struct tlsg_prof *p[4];
	static const char *const cas[] = {"lower", NULL, "lower upper", "lower"};
	static const char *const sent[] = {"leaf lower", "leaf", "leaf lower upper", "leaf lower"};
	size_t i;

	(void)state;
	tlsg_certs_write(&certs, path_of("leaf.pem"), "leaf");
	for(i = 0; i < 4; i++) {
		char file[16];

		p[i] = tlsg_prof_add(set, TLSG_SERVER, i == 0 ? TLSG_PROF_DEFAULT : TLSG_PROF_ANY, NULL, 0);
		snprintf(file, sizeof(file), "cas-%zu.pem", i);
		if(i > 0)
			p[i]->s.server_name = str_of(set, file);
		use_pair(p[i], "leaf.pem", "leaf");
		if(cas[i] != NULL)
			write_and_set(set, &p[i]->s.ca_list, i == 3 ? "cas-0.pem" : file, cas[i]);
	}
	build(set);
	for(i = 0; i < 4; i++)
		assert_chain(&p[i]->pairs[0], sent[i]);
	assert_ptr_equal(p[0]->pairs[0].key, p[2]->pairs[0].key); /* the key is read once */
	tlsg_set_drop(set);
}

static int set_up(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/tlsg_pair_chain_XXXXXX");
	if(mkdtemp(folder) == NULL || tlsg_scope_install() != TLSG_OK || tlsg_arena_pool_global_init() != TLSG_OK
			|| tlsg_set_global_init() != TLSG_OK)
		return -1;
	tlsg_certs_make(&certs, rows, sizeof(rows) / sizeof(rows[0]));
	return 0;
}

static int tear_down(void **state)
{
	static const char *const files[] = {"file.pem", "cas.pem", "leaf.pem", "cas-0.pem", "cas-2.pem", "leaf.key",
			"short.key", "own.key", "ring-leaf.key"};
	size_t i;

	(void)state;
	tlsg_certs_free(&certs);
	for(i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		unlink(path_of(files[i]));
	tlsg_set_global_deinit();
	tlsg_arena_pool_global_deinit();
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_chains),
			cmocka_unit_test(test_each_profile_has_its_own),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
