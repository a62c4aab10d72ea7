/*
 * tls_gnutls - when an operation on a token is tried again
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that uses a token.  Memory: none.  Lock: none.
 */
#include "pkcs11/p11_retry.h"

#include <gnutls/gnutls.h>

bool tlsg_p11_retry_is_token_lost(int code)
{
	switch(code) {
		case GNUTLS_E_PKCS11_SESSION_ERROR:
		case GNUTLS_E_PKCS11_TOKEN_ERROR:
		case GNUTLS_E_PKCS11_DEVICE_ERROR:
		case GNUTLS_E_PKCS11_SLOT_ERROR:
		case GNUTLS_E_PKCS11_USER_ERROR:
		case GNUTLS_E_PKCS11_KEY_ERROR:
		case GNUTLS_E_PKCS11_PIN_ERROR:
		case GNUTLS_E_PKCS11_REQUESTED_OBJECT_NOT_AVAILBLE:
		case GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE:
			return true;
		default:
			return false;
	}
}
