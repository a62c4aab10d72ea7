/*
 * tls_gnutls - tests of results and errors: the map of GnuTLS codes, the first cause
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: one process.  Memory: the stack.  Lock: none.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <gnutls/gnutls.h>

#include "base/err.h"

struct row
{
	int code;
	enum tlsg_ret ret;
	enum tlsg_err_class class;
};

static const struct row rows[] = {
		/* nothing wrong */
		{0, TLSG_OK, TLSG_CLASS_NONE},
		{1, TLSG_OK, TLSG_CLASS_NONE},
		{GNUTLS_E_AGAIN, TLSG_AGAIN, TLSG_CLASS_NONE},
		{GNUTLS_E_INTERRUPTED, TLSG_AGAIN, TLSG_CLASS_NONE},
		{GNUTLS_E_PREMATURE_TERMINATION, TLSG_EOF, TLSG_CLASS_NONE},
		/* memory */
		{GNUTLS_E_MEMORY_ERROR, TLSG_E_RESOURCE, TLSG_CLASS_RESOURCE},
		/* local files and settings */
		{GNUTLS_E_FILE_ERROR, TLSG_E_CONFIG, TLSG_CLASS_LOCAL},
		{GNUTLS_E_KEYFILE_ERROR, TLSG_E_CONFIG, TLSG_CLASS_LOCAL},
		{GNUTLS_E_INSUFFICIENT_CREDENTIALS, TLSG_E_CONFIG, TLSG_CLASS_LOCAL},
		{GNUTLS_E_BASE64_DECODING_ERROR, TLSG_E_CONFIG, TLSG_CLASS_LOCAL},
		{GNUTLS_E_BASE64_UNEXPECTED_HEADER_ERROR, TLSG_E_CONFIG, TLSG_CLASS_LOCAL},
		{GNUTLS_E_PARSING_ERROR, TLSG_E_CONFIG, TLSG_CLASS_LOCAL},
		{GNUTLS_E_CERTIFICATE_KEY_MISMATCH, TLSG_E_CONFIG, TLSG_CLASS_LOCAL},
		{GNUTLS_E_CERTIFICATE_LIST_UNSORTED, TLSG_E_CONFIG, TLSG_CLASS_LOCAL},
		{GNUTLS_E_INVALID_PASSWORD, TLSG_E_CONFIG, TLSG_CLASS_LOCAL},
		{GNUTLS_E_MAC_VERIFY_FAILED, TLSG_E_CONFIG, TLSG_CLASS_LOCAL},
		{GNUTLS_E_PKCS11_ERROR, TLSG_E_CONFIG, TLSG_CLASS_LOCAL},
		{GNUTLS_E_PKCS11_LOAD_ERROR, TLSG_E_CONFIG, TLSG_CLASS_LOCAL},
		{GNUTLS_E_PKCS11_PIN_ERROR, TLSG_E_CONFIG, TLSG_CLASS_LOCAL},
		{GNUTLS_E_PKCS11_TOKEN_ERROR, TLSG_E_CONFIG, TLSG_CLASS_LOCAL},
		{GNUTLS_E_PKCS11_REQUESTED_OBJECT_NOT_AVAILBLE, TLSG_E_CONFIG, TLSG_CLASS_LOCAL},
		{GNUTLS_E_NO_PRIORITIES_WERE_SET, TLSG_E_CONFIG, TLSG_CLASS_LOCAL},
		/* bugs and faults of the machine */
		{GNUTLS_E_INVALID_REQUEST, TLSG_E_INTERNAL, TLSG_CLASS_INTERNAL},
		{GNUTLS_E_SHORT_MEMORY_BUFFER, TLSG_E_INTERNAL, TLSG_CLASS_INTERNAL},
		{GNUTLS_E_INTERNAL_ERROR, TLSG_E_INTERNAL, TLSG_CLASS_INTERNAL},
		{GNUTLS_E_INVALID_SESSION, TLSG_E_INTERNAL, TLSG_CLASS_INTERNAL},
		{GNUTLS_E_LOCKING_ERROR, TLSG_E_INTERNAL, TLSG_CLASS_INTERNAL},
		{GNUTLS_E_RANDOM_FAILED, TLSG_E_INTERNAL, TLSG_CLASS_INTERNAL},
		{GNUTLS_E_LIB_IN_ERROR_STATE, TLSG_E_INTERNAL, TLSG_CLASS_INTERNAL},
		{GNUTLS_E_UNIMPLEMENTED_FEATURE, TLSG_E_INTERNAL, TLSG_CLASS_INTERNAL},
		/* the peer; first the codes next to those above */
		{GNUTLS_E_DECRYPTION_FAILED, TLSG_E_PEER, TLSG_CLASS_PEER},
		{GNUTLS_E_DECOMPRESSION_FAILED, TLSG_E_PEER, TLSG_CLASS_PEER},
		{GNUTLS_E_EXPIRED, TLSG_E_PEER, TLSG_CLASS_PEER},
		{GNUTLS_E_NO_CERTIFICATE_FOUND, TLSG_E_PEER, TLSG_CLASS_PEER},
		{GNUTLS_E_PUSH_ERROR, TLSG_E_PEER, TLSG_CLASS_PEER},
		{GNUTLS_E_PULL_ERROR, TLSG_E_PEER, TLSG_CLASS_PEER},
		{GNUTLS_E_RECEIVED_ILLEGAL_EXTENSION, TLSG_E_PEER, TLSG_CLASS_PEER},
		{GNUTLS_E_UNSUPPORTED_CERTIFICATE_TYPE, TLSG_E_PEER, TLSG_CLASS_PEER},
		{GNUTLS_E_CONSTRAINT_ERROR, TLSG_E_PEER, TLSG_CLASS_PEER},
		{GNUTLS_E_UNSUPPORTED_VERSION_PACKET, TLSG_E_PEER, TLSG_CLASS_PEER},
		{GNUTLS_E_UNEXPECTED_PACKET_LENGTH, TLSG_E_PEER, TLSG_CLASS_PEER},
		{GNUTLS_E_FATAL_ALERT_RECEIVED, TLSG_E_PEER, TLSG_CLASS_PEER},
		{GNUTLS_E_NO_CIPHER_SUITES, TLSG_E_PEER, TLSG_CLASS_PEER},
		{GNUTLS_E_CERTIFICATE_ERROR, TLSG_E_PEER, TLSG_CLASS_PEER},
		{GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR, TLSG_E_PEER, TLSG_CLASS_PEER},
		{GNUTLS_E_CERTIFICATE_REQUIRED, TLSG_E_PEER, TLSG_CLASS_PEER},
		{GNUTLS_E_TIMEDOUT, TLSG_E_PEER, TLSG_CLASS_PEER},
		{GNUTLS_E_ASN1_DER_ERROR, TLSG_E_PEER, TLSG_CLASS_PEER},
		/* a code that no version has */
		{-64999, TLSG_E_PEER, TLSG_CLASS_PEER},
		/* what our callbacks return */
		{TLSG_ERR_DEFECT, TLSG_E_INTERNAL, TLSG_CLASS_INTERNAL},
};

/** Codes that are not the peer's fault even where GnuTLS works on its bytes. All others are. */
static const struct
{
	int first, last; /**< from first down to last */
	enum tlsg_ret ret;
} not_the_peers[] = {
		{GNUTLS_E_AGAIN, GNUTLS_E_AGAIN, TLSG_AGAIN},
		{GNUTLS_E_INTERRUPTED, GNUTLS_E_INTERRUPTED, TLSG_AGAIN},
		{GNUTLS_E_PREMATURE_TERMINATION, GNUTLS_E_PREMATURE_TERMINATION, TLSG_EOF},
		{GNUTLS_E_MEMORY_ERROR, GNUTLS_E_MEMORY_ERROR, TLSG_E_RESOURCE},
		/* keys, tokens, files, settings */
		{GNUTLS_E_KEYFILE_ERROR, GNUTLS_E_KEYFILE_ERROR, TLSG_E_CONFIG},
		{GNUTLS_E_PK_SIGN_FAILED, GNUTLS_E_PK_SIGN_FAILED, TLSG_E_CONFIG},
		{GNUTLS_E_CERTIFICATE_KEY_MISMATCH, GNUTLS_E_CERTIFICATE_KEY_MISMATCH, TLSG_E_CONFIG},
		{GNUTLS_E_FILE_ERROR, GNUTLS_E_FILE_ERROR, TLSG_E_CONFIG},
		{GNUTLS_E_KEYFILE_PARSING_ERROR, GNUTLS_E_KEYFILE_PARSING_ERROR, TLSG_E_CONFIG},
		{GNUTLS_E_PKCS11_ERROR, GNUTLS_E_PKCS11_LOAD_ERROR, TLSG_E_CONFIG},
		{GNUTLS_E_PKCS11_PIN_ERROR, GNUTLS_E_PKCS11_PIN_ERROR, TLSG_E_CONFIG},
		{GNUTLS_E_PKCS11_SLOT_ERROR, GNUTLS_E_PKCS11_SLOT_ERROR, TLSG_E_CONFIG},
		{GNUTLS_E_PKCS11_ATTRIBUTE_ERROR, GNUTLS_E_PKCS11_USER_ERROR, TLSG_E_CONFIG},
		{GNUTLS_E_PKCS11_REQUESTED_OBJECT_NOT_AVAILBLE, GNUTLS_E_PKCS11_REQUESTED_OBJECT_NOT_AVAILBLE, TLSG_E_CONFIG},
		{GNUTLS_E_NO_PRIORITIES_WERE_SET, GNUTLS_E_NO_PRIORITIES_WERE_SET, TLSG_E_CONFIG},
		{GNUTLS_E_TPM_ERROR, GNUTLS_E_TPM_NO_LIB, TLSG_E_CONFIG},
		{GNUTLS_E_KEY_IMPORT_FAILED, GNUTLS_E_KEY_IMPORT_FAILED, TLSG_E_CONFIG},
		{GNUTLS_E_PRIVKEY_VERIFICATION_ERROR, GNUTLS_E_PRIVKEY_VERIFICATION_ERROR, TLSG_E_CONFIG},
		{GNUTLS_E_PK_INVALID_PRIVKEY, GNUTLS_E_PK_INVALID_PRIVKEY, TLSG_E_CONFIG},
		/* the library, the machine, the module */
		{GNUTLS_E_INVALID_SESSION, GNUTLS_E_INVALID_SESSION, TLSG_E_INTERNAL},
		{GNUTLS_E_ENCRYPTION_FAILED, GNUTLS_E_ENCRYPTION_FAILED, TLSG_E_INTERNAL},
		{GNUTLS_E_INCOMPATIBLE_CRYPTO_LIBRARY, GNUTLS_E_INCOMPATIBLE_LIBTASN1_LIBRARY, TLSG_E_INTERNAL},
		{GNUTLS_E_RANDOM_FAILED, GNUTLS_E_RANDOM_FAILED, TLSG_E_INTERNAL},
		{GNUTLS_E_CRYPTO_ALREADY_REGISTERED, GNUTLS_E_CRYPTO_ALREADY_REGISTERED, TLSG_E_INTERNAL},
		{GNUTLS_E_CRYPTODEV_IOCTL_ERROR, GNUTLS_E_CRYPTODEV_DEVICE_ERROR, TLSG_E_INTERNAL},
		{GNUTLS_E_LOCKING_ERROR, GNUTLS_E_LOCKING_ERROR, TLSG_E_INTERNAL},
		{GNUTLS_E_CRYPTO_INIT_FAILED, GNUTLS_E_CRYPTO_INIT_FAILED, TLSG_E_INTERNAL},
		{GNUTLS_E_RANDOM_DEVICE_ERROR, GNUTLS_E_RANDOM_DEVICE_ERROR, TLSG_E_INTERNAL},
		{GNUTLS_E_SOCKETS_INIT_ERROR, GNUTLS_E_SOCKETS_INIT_ERROR, TLSG_E_INTERNAL},
		{GNUTLS_E_SELF_TEST_ERROR, GNUTLS_E_LIB_IN_ERROR_STATE, TLSG_E_INTERNAL},
		{GNUTLS_E_NEED_FALLBACK, GNUTLS_E_NEED_FALLBACK, TLSG_E_INTERNAL},
		{GNUTLS_E_HANDSHAKE_DURING_FALSE_START, GNUTLS_E_UNAVAILABLE_DURING_HANDSHAKE, TLSG_E_INTERNAL},
		{TLSG_ERR_DEFECT, TLSG_ERR_DEFECT, TLSG_E_INTERNAL},
};

static enum tlsg_ret expected_of_peer(int code)
{
	size_t i;

	for(i = 0; i < sizeof(not_the_peers) / sizeof(not_the_peers[0]); i++)
		if(code <= not_the_peers[i].first && code >= not_the_peers[i].last)
			return not_the_peers[i].ret;
	return code < 0 ? TLSG_E_PEER : TLSG_OK;
}

/** Every code, known or not; what a peer can provoke is never a line at ERR. */
static void test_codes_while_a_peer_is_served(void **state)
{
	struct tlsg_err e;
	int code;

	(void)state;
	for(code = 1; code > -66000; code--) {
		enum tlsg_ret ret = expected_of_peer(code);

		tlsg_err_clear(&e);
		if(tlsg_err_gnutls_peer(&e, code, "step") != ret)
			fail_msg("%d (%s) gave another result than %d", code, gnutls_strerror(code), ret);
		assert_int_equal(e.class == TLSG_CLASS_PEER, ret == TLSG_E_PEER);
		assert_int_equal(e.gnutls_code, ret < 0 ? code : 0);
		assert_int_equal(tlsg_err_gnutls_peer(NULL, code, "step"), ret);
	}
}

/** A new version of GnuTLS may have more; then this test tells which are to be decided. */
static void test_every_code_of_the_library_is_listed(void **state)
{
	struct tlsg_err e;
	unsigned known = 0;
	int code;

	(void)state;
	for(code = -1; code > -2000; code--) {
		tlsg_err_clear(&e);
		if(gnutls_strerror_name(code) == NULL || tlsg_err_gnutls(&e, code, "step") > TLSG_OK)
			continue;
		if(strstr(e.text, "(code ") != NULL)
			fail_msg("%s (%d) is not in the table", gnutls_strerror_name(code), code);
		known++;
	}
	assert_true(known > 150);
	tlsg_err_clear(&e);
	assert_int_equal(tlsg_err_gnutls(&e, -1999, "step"), TLSG_E_PEER);
	assert_non_null(strstr(e.text, "(code -1999 of GnuTLS)"));
}

static void test_map(void **state)
{
	struct tlsg_err e;
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		tlsg_err_clear(&e);
		if(tlsg_err_gnutls(&e, rows[i].code, "step") != rows[i].ret)
			fail_msg("%d (%s) gave another result than %d", rows[i].code, gnutls_strerror(rows[i].code), rows[i].ret);
		assert_int_equal(e.class, rows[i].class);
		assert_int_equal(e.gnutls_code, rows[i].class == TLSG_CLASS_NONE ? 0 : rows[i].code);
		assert_int_equal(tlsg_err_gnutls(NULL, rows[i].code, "step"), rows[i].ret);
	}
}

/** No negative code is mapped to success, and few to TLSG_AGAIN. */
static void test_no_code_is_lost(void **state)
{
	struct tlsg_err e;
	enum tlsg_ret ret;
	unsigned waits = 0;
	int code;

	(void)state;
	for(code = -1; code > -66000; code--) {
		tlsg_err_clear(&e);
		ret = tlsg_err_gnutls(&e, code, "step");
		assert_int_not_equal(ret, TLSG_OK);
		assert_int_not_equal(ret, TLSG_FULL);
		if(ret > TLSG_OK)
			waits++;
		else
			assert_true(strncmp(e.text, "step: ", 6) == 0 && strlen(e.text) > 6);
	}
	assert_int_equal(waits, 3);
}

static void test_first_cause_wins(void **state)
{
	struct tlsg_err e;

	(void)state;
	tlsg_err_clear(&e);
	e.alert = 48; /* set before the text: kept */
	e.sys_errno = ENOENT;
	assert_int_equal(tlsg_err_set(&e, TLSG_E_PEER, "x"), TLSG_E_PEER);
	assert_int_equal(e.alert, 48);
	assert_int_equal(e.sys_errno, ENOENT);
	tlsg_err_clear(&e);
	assert_int_equal(e.class, TLSG_CLASS_NONE);
	assert_int_equal(e.alert, -1);
	assert_string_equal(e.text, "");
	assert_int_equal(tlsg_err_set(&e, TLSG_E_CONFIG, "file %s, line %d", "tls.cfg", 7), TLSG_E_CONFIG);
	assert_string_equal(e.text, "file tls.cfg, line 7");
	assert_int_equal(e.class, TLSG_CLASS_LOCAL);
	e.alert = 40;
	assert_int_equal(tlsg_err_set(&e, TLSG_E_PEER, "second"), TLSG_E_PEER);
	assert_int_equal(tlsg_err_gnutls(&e, GNUTLS_E_MEMORY_ERROR, "third"), TLSG_E_RESOURCE);
	assert_string_equal(e.text, "file tls.cfg, line 7");
	assert_int_equal(e.class, TLSG_CLASS_LOCAL);
	assert_int_equal(e.gnutls_code, 0);
	assert_int_equal(e.alert, 40);
	tlsg_err_clear(&e);
	assert_int_equal(tlsg_err_set(&e, TLSG_E_RESOURCE, "memory"), TLSG_E_RESOURCE);
	assert_int_equal(e.class, TLSG_CLASS_RESOURCE);
	assert_int_equal(e.alert, -1);
}

/** An error path that passes a result that is not an error does not return success. */
static void test_set_never_succeeds(void **state)
{
	struct tlsg_err e;

	(void)state;
	tlsg_err_clear(&e);
	assert_int_equal(tlsg_err_set(&e, TLSG_OK, "odd"), TLSG_E_INTERNAL);
	assert_int_equal(e.class, TLSG_CLASS_INTERNAL);
	assert_int_equal(tlsg_err_set(NULL, TLSG_AGAIN, "odd"), TLSG_E_INTERNAL);
	assert_int_equal(tlsg_err_set(NULL, TLSG_E_PEER, "nobody listens"), TLSG_E_PEER);
}

static void test_out_of_shared_memory(void **state)
{
	struct tlsg_err e;

	(void)state;
	tlsg_err_clear(&e);
	assert_int_equal(tlsg_err_no_shm(&e, "ca_list", 4096), TLSG_E_RESOURCE);
	assert_string_equal(e.text, "ca_list: out of shared memory: 4096 bytes wanted, raise -m");
	assert_int_equal(e.class, TLSG_CLASS_RESOURCE);
	tlsg_err_clear(&e);
	assert_int_equal(tlsg_err_no_shm(&e, NULL, 0), TLSG_E_RESOURCE);
	assert_string_equal(e.text, "out of shared memory, raise -m");
	assert_int_equal(tlsg_err_no_shm(NULL, NULL, 1), TLSG_E_RESOURCE);
}

static void test_long_text_is_cut(void **state)
{
	struct tlsg_err e;
	char text[2 * TLSG_ERR_TEXT];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	tlsg_err_clear(&e);
	assert_int_equal(tlsg_err_set(&e, TLSG_E_PEER, "%s", text), TLSG_E_PEER);
	assert_int_equal(strlen(e.text), TLSG_ERR_TEXT - 1);
	tlsg_err_clear(&e);
	assert_int_equal(tlsg_err_gnutls(&e, GNUTLS_E_FILE_ERROR, text), TLSG_E_CONFIG);
	assert_int_equal(strlen(e.text), TLSG_ERR_TEXT - 1);
}

static void test_errno_is_kept_where_it_means_something(void **state)
{
	struct tlsg_err e;

	(void)state;
	tlsg_err_clear(&e);
	errno = ENOENT;
	assert_int_equal(tlsg_err_gnutls(&e, GNUTLS_E_FILE_ERROR, "reading a file"), TLSG_E_CONFIG);
	assert_int_equal(e.sys_errno, ENOENT);
	tlsg_err_clear(&e);
	errno = ENOENT;
	assert_int_equal(tlsg_err_gnutls(&e, GNUTLS_E_DECRYPTION_FAILED, "record"), TLSG_E_PEER);
	assert_int_equal(e.sys_errno, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_map),
			cmocka_unit_test(test_codes_while_a_peer_is_served),
			cmocka_unit_test(test_every_code_of_the_library_is_listed),
			cmocka_unit_test(test_no_code_is_lost),
			cmocka_unit_test(test_first_cause_wins),
			cmocka_unit_test(test_set_never_succeeds),
			cmocka_unit_test(test_out_of_shared_memory),
			cmocka_unit_test(test_long_text_is_cut),
			cmocka_unit_test(test_errno_is_kept_where_it_means_something),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
