/*
 * tls_gnutls - what GnuTLS refuses in a handshake and OpenSSL accepts: the reason for logs, the alert for the peer
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: static.  Lock: none.
 */
#include "transport/refusal.h"

#include <stddef.h>

#include <gnutls/gnutls.h>

const char *tlsg_refusal_reason(int gnutls_code, enum tlsg_role role)
{
	switch(gnutls_code) {
		case GNUTLS_E_KEY_USAGE_VIOLATION:
			return role == TLSG_SERVER ? "the key usage of the client's certificate lacks digitalSignature, and GnuTLS "
										 "refuses that even where verification is not enforced"
									   : "the key usage of the server's certificate does not allow this key exchange";
		case GNUTLS_E_RECEIVED_DISALLOWED_NAME:
			return "the server name (SNI) that the client has sent is no host name: GnuTLS takes only letters, digits, "
				   "'-' and '.'";
		default:
			return NULL;
	}
}

int tlsg_refusal_alert(int gnutls_code)
{
	int level = GNUTLS_AL_FATAL;

	switch(gnutls_code) {
		case GNUTLS_E_KEY_USAGE_VIOLATION:
			return GNUTLS_A_UNSUPPORTED_CERTIFICATE;
		case GNUTLS_E_RECEIVED_DISALLOWED_NAME:
			return GNUTLS_A_UNRECOGNIZED_NAME;
		case GNUTLS_E_INVALID_REQUEST: /* a point of a key exchange that is not encoded as it must be */
			return GNUTLS_A_ILLEGAL_PARAMETER;
		default:
			return gnutls_error_to_alert(gnutls_code, &level);
	}
}
