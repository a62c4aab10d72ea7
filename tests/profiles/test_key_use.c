/*
 * tls_gnutls - tests of profiles/key_use.c: operations with keys of each kind, and why they fail
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: one process.  Memory: heap, the stand-in's region.  Lock: none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/arena_pool.h"
#include "base/scope.h"
#include "pkcs11/p11_key.h"
#include "profiles/isolate/client.h"
#include "profiles/key_use.h"
#include "profiles/set.h"
#include "base/arena_pool.h"

static gnutls_datum_t pkcs8; /* an RSA key */
static gnutls_pubkey_t pub;	 /* its public key */
static struct tlsg_set *set; /* the current snapshot */

static int setup(void **state)
{
	gnutls_x509_privkey_t key = NULL;
	gnutls_privkey_t abstract = NULL;

	(void)state;
	if(tlsg_scope_install() != TLSG_OK || tlsg_arena_pool_global_init() != TLSG_OK || tlsg_set_global_init() != TLSG_OK
			|| gnutls_x509_privkey_init(&key) < 0 || gnutls_x509_privkey_generate(key, GNUTLS_PK_RSA, 2048, 0) < 0
			|| gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_DER, NULL, GNUTLS_PKCS_PLAIN, &pkcs8) < 0
			|| gnutls_privkey_init(&abstract) < 0 || gnutls_privkey_import_x509(abstract, key, 0) < 0
			|| gnutls_pubkey_init(&pub) < 0 || gnutls_pubkey_import_privkey(pub, abstract, 0, 0) < 0)
		return -1;
	gnutls_privkey_deinit(abstract);
	gnutls_x509_privkey_deinit(key);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	gnutls_pubkey_deinit(pub);
	gnutls_free(pkcs8.data);
	tlsg_set_global_deinit();
	tlsg_arena_pool_global_deinit();
	return tlsg_stub_shm_blocks() == 0 ? 0 : -1;
}

/* A key in a new snapshot, which becomes the current one. */
static struct tlsg_key *key_new(enum tlsg_key_kind kind)
{
	struct tlsg_set_options o = {.session_id = STR_NULL};
	struct tlsg_err err;
	struct tlsg_key *k;

	set = tlsg_set_new(&o);
	assert_non_null(set);
	k = tlsg_arena_keep(set->arena, sizeof(*k));
	assert_non_null(k);
	k->kind = kind;
	k->set_number = set->number;
	k->pk = GNUTLS_PK_RSA;
	k->bits = 2048;
	k->can = TLSG_P11_CAN_PKCS1 | TLSG_P11_CAN_DECRYPT;
	k->source = (str)STR_STATIC_INIT("the-key");
	tlsg_err_clear(&err);
	assert_int_equal(tlsg_key_use_init(k, set->arena, &err), TLSG_OK);
	tlsg_set_publish(set);
	assert_null(tlsg_key_use_why());
	return k;
}

static struct tlsg_key *key_new_file(void)
{
	struct tlsg_key *k = key_new(TLSG_KEY_KIND_FILE);

	k->der.data = pkcs8.data;
	k->der.size = pkcs8.size;
	return k;
}

static int sign(const struct tlsg_key *k)
{
	const gnutls_datum_t text = {(unsigned char *)"text", 4};
	gnutls_datum_t made = {NULL, 0};
	int rc = gnutls_privkey_sign_data2(k->ext, GNUTLS_SIGN_RSA_SHA256, 0, &text, &made);

	if(rc >= 0)
		assert_true(gnutls_pubkey_verify_data2(pub, GNUTLS_SIGN_RSA_SHA256, 0, &text, &made) >= 0);
	gnutls_free(made.data);
	return rc;
}

/* A ciphertext that cannot be decrypted yields a premaster secret, each time another one. */
static void assert_random_premaster(const struct tlsg_key *k, const gnutls_datum_t *from)
{
	unsigned char made[2][TLSG_OP_PREMASTER_BYTES];

	memset(made, 0, sizeof(made));
	assert_int_equal(gnutls_privkey_decrypt_data2(k->ext, 0, from, made[0], sizeof(made[0])), 0);
	assert_int_equal(gnutls_privkey_decrypt_data2(k->ext, 0, from, made[1], sizeof(made[1])), 0);
	assert_memory_not_equal(made[0], made[1], sizeof(made[0]));
}

static gnutls_datum_t encrypt(unsigned char *secret, unsigned size)
{
	const gnutls_datum_t plain = {secret, size};
	gnutls_datum_t out = {NULL, 0};

	assert_int_equal(gnutls_pubkey_encrypt_data(pub, 0, &plain, &out), 0);
	return out;
}

static void test_key_in_a_file(void **state)
{
	struct tlsg_key *k = key_new_file();
	unsigned char secret[TLSG_OP_PREMASTER_BYTES], made[TLSG_OP_PREMASTER_BYTES];
	gnutls_datum_t ciphertext;

	(void)state;
	assert_true(sign(k) >= 0);
	memset(secret, 7, sizeof(secret));
	ciphertext = encrypt(secret, sizeof(secret));
	assert_int_equal(gnutls_privkey_decrypt_data2(k->ext, 0, &ciphertext, made, sizeof(made)), 0);
	assert_memory_equal(made, secret, sizeof(secret));
	ciphertext.data[0] ^= 1;
	assert_random_premaster(k, &ciphertext);
	gnutls_free(ciphertext.data);
	ciphertext = encrypt(secret, sizeof(secret) - 1); /* valid, but not the length of a premaster secret */
	assert_random_premaster(k, &ciphertext);
	gnutls_free(ciphertext.data);
	assert_null(tlsg_key_use_why());
}

/* Each snapshot has handles of its own, also for a key with the same number. */
static void test_next_snapshot(void **state)
{
	struct tlsg_key *k = key_new_file();

	(void)state;
	assert_true(sign(k) >= 0);
	k = key_new(TLSG_KEY_KIND_FILE); /* the one before is gone; this one has no key in it */
	assert_true(sign(k) < 0);
	k = key_new_file();
	assert_true(sign(k) >= 0);
	tlsg_key_use_collect();
	assert_true(sign(k) >= 0);
}

static void test_key_that_cannot_be_opened(void **state)
{
	struct tlsg_key *k = key_new(TLSG_KEY_KIND_FILE);
	unsigned char secret[TLSG_OP_PREMASTER_BYTES] = {0};
	gnutls_datum_t ciphertext = encrypt(secret, sizeof(secret));

	(void)state;
	assert_int_equal(sign(k), GNUTLS_E_PK_SIGN_FAILED);
	assert_random_premaster(k, &ciphertext);
	gnutls_free(ciphertext.data);
}

static void test_token_that_cannot_be_opened(void **state)
{
	static struct tlsg_p11_object object = {.uri = "pkcs11:object=x", .module = "/nowhere/module.so"};
	struct tlsg_key *k = key_new(TLSG_KEY_KIND_TOKEN);
	unsigned char secret[TLSG_OP_PREMASTER_BYTES] = {0};
	gnutls_datum_t ciphertext = encrypt(secret, sizeof(secret));
	char first[TLSG_ERR_TEXT];
	const char *why;

	(void)state;
	k->object = &object;
	assert_int_equal(sign(k), GNUTLS_E_PK_SIGN_FAILED);
	why = tlsg_key_use_why();
	assert_non_null(why);
	assert_memory_equal(why, "private_key \"the-key\": ", strlen("private_key \"the-key\": "));
	snprintf(first, sizeof(first), "%s", why);
	assert_null(tlsg_key_use_why()); /* each failure is reported once */
	assert_int_equal(sign(k), GNUTLS_E_PK_SIGN_FAILED);
	why = tlsg_key_use_why();
	assert_non_null(why);
	assert_string_equal(why, first);
	assert_random_premaster(k, &ciphertext);
	assert_non_null(tlsg_key_use_why());
	gnutls_free(ciphertext.data);
}

static void test_process_that_is_gone(void **state)
{
	struct tlsg_key *k = key_new(TLSG_KEY_KIND_KEY_PROCESS);
	unsigned char secret[TLSG_OP_PREMASTER_BYTES] = {0};
	gnutls_datum_t ciphertext = encrypt(secret, sizeof(secret));

	(void)state;
	k->remote = 1;
	tlsg_client_set_key_process(NULL);
	assert_true(sign(k) < 0);
	assert_non_null(tlsg_key_use_why());
	assert_null(tlsg_key_use_why());
	assert_random_premaster(k, &ciphertext);
	assert_non_null(tlsg_key_use_why());
	gnutls_free(ciphertext.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_key_in_a_file),
			cmocka_unit_test(test_next_snapshot),
			cmocka_unit_test(test_key_that_cannot_be_opened),
			cmocka_unit_test(test_token_that_cannot_be_opened),
			cmocka_unit_test(test_process_that_is_gone),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
