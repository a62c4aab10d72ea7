/*
 * tls_gnutls - results and errors that every folder shares; the only place that interprets GnuTLS codes
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: the caller's; nothing is allocated.  Lock: none.
 */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <gnutls/gnutls.h>

struct code_map
{
	int first; /**< codes first down to last belong to ret */
	int last;
	enum tlsg_ret ret;
};

/* Codes that are not caused by the peer. All others are: bad records, failed verification. */
static const struct code_map code_maps[] = {
		{GNUTLS_E_AGAIN, GNUTLS_E_AGAIN, TLSG_AGAIN},
		{GNUTLS_E_INTERRUPTED, GNUTLS_E_INTERRUPTED, TLSG_AGAIN},
		{GNUTLS_E_PREMATURE_TERMINATION, GNUTLS_E_PREMATURE_TERMINATION, TLSG_EOF},

		{GNUTLS_E_MEMORY_ERROR, GNUTLS_E_MEMORY_ERROR, TLSG_E_RESOURCE},

		/* local files and settings */
		{GNUTLS_E_KEYFILE_ERROR, GNUTLS_E_INSUFFICIENT_CREDENTIALS, TLSG_E_CONFIG},
		{GNUTLS_E_BASE64_DECODING_ERROR, GNUTLS_E_BASE64_DECODING_ERROR, TLSG_E_CONFIG},
		{GNUTLS_E_CERTIFICATE_KEY_MISMATCH, GNUTLS_E_CERTIFICATE_KEY_MISMATCH, TLSG_E_CONFIG},
		{GNUTLS_E_FILE_ERROR, GNUTLS_E_FILE_ERROR, TLSG_E_CONFIG},
		{GNUTLS_E_KEYFILE_PARSING_ERROR, GNUTLS_E_KEYFILE_PARSING_ERROR, TLSG_E_CONFIG},
		{GNUTLS_E_NO_TEMPORARY_DH_PARAMS, GNUTLS_E_NO_TEMPORARY_DH_PARAMS, TLSG_E_CONFIG},
		{GNUTLS_E_UNKNOWN_PKCS_CONTENT_TYPE, GNUTLS_E_MAC_VERIFY_FAILED, TLSG_E_CONFIG},
		{GNUTLS_E_BASE64_ENCODING_ERROR, GNUTLS_E_BASE64_ENCODING_ERROR, TLSG_E_CONFIG},
		{GNUTLS_E_BASE64_UNEXPECTED_HEADER_ERROR, GNUTLS_E_BASE64_UNEXPECTED_HEADER_ERROR, TLSG_E_CONFIG},
		{GNUTLS_E_INCOMPAT_DSA_KEY_WITH_TLS_PROTOCOL, GNUTLS_E_INCOMPAT_DSA_KEY_WITH_TLS_PROTOCOL, TLSG_E_CONFIG},
		{GNUTLS_E_PKCS11_ERROR, GNUTLS_E_PKCS11_PIN_ERROR, TLSG_E_CONFIG},
		{GNUTLS_E_PKCS11_SLOT_ERROR, GNUTLS_E_PKCS11_SLOT_ERROR, TLSG_E_CONFIG},
		{GNUTLS_E_PKCS11_ATTRIBUTE_ERROR, GNUTLS_E_PKCS11_USER_ERROR, TLSG_E_CONFIG},
		{GNUTLS_E_PKCS11_REQUESTED_OBJECT_NOT_AVAILBLE, GNUTLS_E_CERTIFICATE_LIST_UNSORTED, TLSG_E_CONFIG},
		{GNUTLS_E_NO_PRIORITIES_WERE_SET, GNUTLS_E_NO_PRIORITIES_WERE_SET, TLSG_E_CONFIG},
		{GNUTLS_E_KEY_IMPORT_FAILED, GNUTLS_E_KEY_IMPORT_FAILED, TLSG_E_CONFIG},
		{GNUTLS_E_PRIVKEY_VERIFICATION_ERROR, GNUTLS_E_PRIVKEY_VERIFICATION_ERROR, TLSG_E_CONFIG},
		{GNUTLS_E_PK_INVALID_PRIVKEY, GNUTLS_E_PK_INVALID_PRIVKEY, TLSG_E_CONFIG},
		{GNUTLS_E_INVALID_PASSWORD_STRING, GNUTLS_E_INVALID_PASSWORD_STRING, TLSG_E_CONFIG},
		{GNUTLS_E_INCOMPATIBLE_SIG_WITH_KEY, GNUTLS_E_INCOMPATIBLE_SIG_WITH_KEY, TLSG_E_CONFIG},

		/* bugs in the module or the library, faults of the machine */
		{GNUTLS_E_INVALID_SESSION, GNUTLS_E_INVALID_SESSION, TLSG_E_INTERNAL},
		{GNUTLS_E_HASH_FAILED, GNUTLS_E_HASH_FAILED, TLSG_E_INTERNAL},
		{GNUTLS_E_ENCRYPTION_FAILED, GNUTLS_E_ENCRYPTION_FAILED, TLSG_E_INTERNAL},
		{GNUTLS_E_PK_SIGN_FAILED, GNUTLS_E_PK_SIGN_FAILED, TLSG_E_INTERNAL},
		{GNUTLS_E_INVALID_REQUEST, GNUTLS_E_SHORT_MEMORY_BUFFER, TLSG_E_INTERNAL},
		{GNUTLS_E_INTERNAL_ERROR, GNUTLS_E_INTERNAL_ERROR, TLSG_E_INTERNAL},
		{GNUTLS_E_INCOMPATIBLE_CRYPTO_LIBRARY, GNUTLS_E_INCOMPATIBLE_LIBTASN1_LIBRARY, TLSG_E_INTERNAL},
		{GNUTLS_E_RANDOM_FAILED, GNUTLS_E_RANDOM_FAILED, TLSG_E_INTERNAL},
		{GNUTLS_E_LOCKING_ERROR, GNUTLS_E_LOCKING_ERROR, TLSG_E_INTERNAL},
		{GNUTLS_E_CRYPTO_INIT_FAILED, GNUTLS_E_CRYPTO_INIT_FAILED, TLSG_E_INTERNAL},
		{GNUTLS_E_RANDOM_DEVICE_ERROR, GNUTLS_E_RANDOM_DEVICE_ERROR, TLSG_E_INTERNAL},
		{GNUTLS_E_SELF_TEST_ERROR, GNUTLS_E_LIB_IN_ERROR_STATE, TLSG_E_INTERNAL},
		{GNUTLS_E_UNAVAILABLE_DURING_HANDSHAKE, GNUTLS_E_UNAVAILABLE_DURING_HANDSHAKE, TLSG_E_INTERNAL},
		{GNUTLS_E_UNIMPLEMENTED_FEATURE, GNUTLS_E_INT_CHECK_AGAIN, TLSG_E_INTERNAL},
};

void tlsg_err_clear(struct tlsg_err *e)
{
	e->class = TLSG_CLASS_NONE;
	e->gnutls_code = 0;
	e->alert = -1;
	e->sys_errno = 0;
	e->text[0] = '\0';
}

static enum tlsg_err_class class_of(enum tlsg_ret ret)
{
	switch(ret) {
		case TLSG_E_CONFIG:
			return TLSG_CLASS_LOCAL;
		case TLSG_E_PEER:
			return TLSG_CLASS_PEER;
		case TLSG_E_RESOURCE:
			return TLSG_CLASS_RESOURCE;
		default:
			return TLSG_CLASS_INTERNAL;
	}
}

enum tlsg_ret tlsg_err_set(struct tlsg_err *e, enum tlsg_ret ret, const char *fmt, ...)
{
	va_list ap;

	if(ret >= TLSG_OK)
		ret = TLSG_E_INTERNAL;
	if(e == NULL || e->class != TLSG_CLASS_NONE)
		return ret;
	e->class = class_of(ret); /* alert and errno may have been set before the text */
	va_start(ap, fmt);
	(void)vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	return ret;
}

enum tlsg_ret tlsg_err_no_shm(struct tlsg_err *e, const char *what, size_t bytes)
{
	const char *name = what != NULL ? what : "";
	const char *colon = what != NULL ? ": " : "";

	if(bytes == 0)
		return tlsg_err_set(e, TLSG_E_RESOURCE, "%.300s%sout of shared memory, raise -m", name, colon);
	return tlsg_err_set(
			e, TLSG_E_RESOURCE, "%.300s%sout of shared memory: %zu bytes wanted, raise -m", name, colon, bytes);
}

static enum tlsg_ret ret_of(int code)
{
	size_t i;

	for(i = 0; i < sizeof(code_maps) / sizeof(code_maps[0]); i++)
		if(code <= code_maps[i].first && code >= code_maps[i].last)
			return code_maps[i].ret;
	return TLSG_E_PEER;
}

enum tlsg_ret tlsg_err_gnutls(struct tlsg_err *e, int code, const char *what)
{
	int sys_errno = errno;
	enum tlsg_ret ret;

	if(code >= 0)
		return TLSG_OK;
	ret = ret_of(code);
	if(ret >= TLSG_OK || e == NULL || e->class != TLSG_CLASS_NONE)
		return ret;
	(void)tlsg_err_set(e, ret, "%s%s%s", what != NULL ? what : "", what != NULL ? ": " : "", gnutls_strerror(code));
	e->gnutls_code = code;
	if(code == GNUTLS_E_FILE_ERROR || code == GNUTLS_E_PUSH_ERROR || code == GNUTLS_E_PULL_ERROR)
		e->sys_errno = sys_errno;
	return ret;
}
