/*
 * tls_gnutls - tests of the places in GnuTLS that call free() themselves: doc/architecture.md lists them
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: one process.  Memory: the stand-in's region.  Lock: none.
 *
 * Each is reached inside a scope, sessions or not. Those of session tickets: tests/transport/test_ticket.c. Those
 * whose memory is of gnutls_malloc() end the process where libgnutls's free() does not decide by address.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <gmp.h>
#include <gnutls/crypto.h>
#include <gnutls/pkcs11.h>
#include <gnutls/x509.h>

#include "base/arena.h"
#include "base/host.h"
#include "base/scope.h"
#include "tests/lib/certs.h"
#include "base/arena_pool.h"
#include "tests/lib/arena_stats.h"

#define HOME_BYTES 13000

static const struct tlsg_cert_row rows[] = {
		{.name = "ca", .flags = TLSG_CERT_CA, .usage = GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN},
		{.name = "ec", .issuer = "ca", .cn = "localhost"}};
static const struct tlsg_crl_row lists[] = {{.name = "ca", .issuer = "ca"}};

static struct tlsg_certs certs;
static struct tlsg_arena *arena, *previous;
static unsigned lines;

static size_t in_use(void)
{
	struct tlsg_arena_stats s;

	tlsg_arena_stats_get(arena, &s);
	return s.in_use;
}

static int setup(void **state)
{
	(void)state;
	arena = tlsg_arena_new(HOME_BYTES);
	assert_non_null(arena);
	previous = tlsg_scope_enter(arena);
	return 0;
}

/** What was allocated in the scope was given back, wherever it came from. */
static int teardown(void **state)
{
	(void)state;
	assert_int_equal(in_use(), 0);
	assert_false(tlsg_arena_is_poisoned(arena));
	tlsg_scope_leave(previous);
	tlsg_arena_drop(arena);
	return 0;
}

/* ---- memory of gnutls_malloc() ---- */

/** priority.c of 3.7.9, a mistyped priority string. */
static void test_priority_string(void **state)
{
	static const char *const wrong[] = {
			"NORMAL:+NONSENSE", "NORMAL:%NONSENSE", "NONSENSE", "NORMAL:-VERS-ALL:+VERS-NONE"};
	gnutls_priority_t priority;
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_not_equal(gnutls_priority_init(&priority, wrong[i], NULL), 0);
}

/** pkcs11.c, gnutls_pkcs11_obj_deinit(). */
static void test_object_on_a_token(void **state)
{
	gnutls_pkcs11_obj_t object;

	(void)state;
	if(gnutls_pkcs11_obj_init(&object) < 0) {
		print_message("GnuTLS without PKCS#11\n");
		return;
	}
	gnutls_pkcs11_obj_deinit(object);
}

/** cert-cred-x509.c, gnutls_certificate_set_x509_crl(). */
static void test_list_of_crls(void **state)
{
	gnutls_certificate_credentials_t cred;
	gnutls_x509_crl_t crl = tlsg_certs_crl(&certs, "ca")->crl;

	(void)state;
	assert_int_equal(gnutls_certificate_allocate_credentials(&cred), 0);
	(void)gnutls_certificate_set_x509_crl(cred, &crl, 1); /* 1, or 0 since its issuer is not trusted */
	gnutls_certificate_free_credentials(cred);
}

/* ---- memory of libc and of other libraries ---- */

/** str-unicode.c: memory of libunistring. */
static void test_unicode(void **state)
{
	static const unsigned char text[] = "p\xc3\xa4ss", control[] = "p\xc3\xa4\x01";
	gnutls_datum_t out;

	(void)state;
	assert_int_equal(gnutls_utf8_password_normalize(text, sizeof(text) - 1, &out, 0), 0);
	gnutls_free(out.data);
	assert_true(gnutls_utf8_password_normalize(control, sizeof(control) - 1, &out, 0) < 0);
	assert_int_equal(gnutls_utf8_password_normalize(control, sizeof(control) - 1, &out, GNUTLS_UTF8_IGNORE_ERRS), 0);
	gnutls_free(out.data);
}

/** str-iconv.c: a name in a certificate of a peer, as BMPString. */
static void test_bmp_string(void **state)
{
	static unsigned char name[] = {
			0x30, 0x0f, 0x31, 0x0d, 0x30, 0x0b, 0x06, 0x03, 0x55, 0x04, 0x03, 0x1e, 0x04, 0x00, 0x61, 0x00, 0xe4};
	gnutls_datum_t der = {name, sizeof(name)};
	char text[64];
	size_t size = sizeof(text);

	(void)state;
	assert_int_equal(gnutls_x509_rdn_get(&der, text, &size), 0);
	assert_string_equal(text, "CN=a\xc3\xa4");
}

/** str.c, _gnutls_buffer_append_printf(): memory of vasprintf(). */
static void test_certificate_as_text(void **state)
{
	gnutls_datum_t text;
	gnutls_x509_crt_t crt;

	(void)state;
	assert_int_equal(gnutls_x509_crt_init(&crt), 0);
	assert_int_equal(gnutls_x509_crt_import(crt, &tlsg_certs_get(&certs, "ec")->der, GNUTLS_X509_FMT_DER), 0);
	assert_int_equal(gnutls_x509_crt_print(crt, GNUTLS_CRT_PRINT_FULL, &text), 0);
	gnutls_free(text.data);
	gnutls_x509_crt_deinit(crt);
}

static void count_line(int level, const char *text)
{
	(void)level;
	(void)text;
	lines++;
}

/** errors.c: memory of vasprintf(). */
static void test_log_of_gnutls(void **state)
{
	gnutls_session_t session;

	(void)state;
	lines = 0;
	gnutls_global_set_log_function(count_line);
	gnutls_global_set_log_level(9);
	assert_int_equal(gnutls_init(&session, GNUTLS_SERVER), 0);
	assert_true(gnutls_handshake(session) < 0);
	gnutls_deinit(session);
	gnutls_global_set_log_level(0);
	assert_true(lines > 0);
}

/** nettle/init.c: numbers of GMP that were made outside of any scope. */
static void test_numbers(void **state)
{
	mpz_t n;

	(void)state;
	tlsg_scope_leave(NULL);
	mpz_init_set_ui(n, 7);
	(void)tlsg_scope_enter(arena);
	mpz_mul_2exp(n, n, 5000);
	mpz_clear(n);
}

static int group_setup(void **state)
{
	(void)state;
	tlsg_stub_process_set(1, 4);
	if(tlsg_scope_install() != TLSG_OK || tlsg_arena_pool_global_init() != TLSG_OK
			|| tlsg_arena_pool_init(4) != TLSG_OK)
		return -1;
	tlsg_certs_make(&certs, rows, sizeof(rows) / sizeof(rows[0]));
	tlsg_certs_make_crls(&certs, lists, 1);
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	tlsg_certs_free(&certs);
	tlsg_arena_pool_global_deinit();
	return tlsg_stub_shm_blocks() == 0 ? 0 : -1;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
			TEST(test_priority_string),
			TEST(test_object_on_a_token),
			TEST(test_list_of_crls),
			TEST(test_unicode),
			TEST(test_bmp_string),
			TEST(test_certificate_as_text),
			TEST(test_log_of_gnutls),
			TEST(test_numbers),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
