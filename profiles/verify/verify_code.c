/*
 * tls_gnutls - the results of verification: reasons for logs, alerts for peers
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: static.  Lock: none.
 */
#include "profiles/verify/verify_code.h"

#include <stddef.h>

#include <gnutls/gnutls.h>

static const struct
{
	enum tlsg_verify_code code;
	int alert;
	const char *reason;
} codes[] = {
		{TLSG_V_OK, GNUTLS_A_CLOSE_NOTIFY, "ok"},
		{TLSG_V_UNSPECIFIED, GNUTLS_A_INTERNAL_ERROR, "unspecified certificate verification error"},
		{TLSG_V_NO_ISSUER, GNUTLS_A_UNKNOWN_CA, "unable to get issuer certificate"},
		{TLSG_V_NO_CRL, GNUTLS_A_UNKNOWN_CA, "unable to get certificate CRL"},
		{TLSG_V_SIGNATURE, GNUTLS_A_DECRYPT_ERROR, "certificate signature failure"},
		{TLSG_V_CRL_SIGNATURE, GNUTLS_A_DECRYPT_ERROR, "CRL signature failure"},
		{TLSG_V_NOT_YET_VALID, GNUTLS_A_BAD_CERTIFICATE, "certificate is not yet valid"},
		{TLSG_V_EXPIRED, GNUTLS_A_CERTIFICATE_EXPIRED, "certificate has expired"},
		{TLSG_V_CRL_NOT_YET_VALID, GNUTLS_A_BAD_CERTIFICATE, "CRL is not yet valid"},
		{TLSG_V_CRL_EXPIRED, GNUTLS_A_CERTIFICATE_EXPIRED, "CRL has expired"},
		{TLSG_V_OUT_OF_MEMORY, GNUTLS_A_INTERNAL_ERROR, "out of memory"},
		{TLSG_V_SELF_SIGNED, GNUTLS_A_UNKNOWN_CA, "self signed certificate"},
		{TLSG_V_SELF_SIGNED_IN_CHAIN, GNUTLS_A_UNKNOWN_CA, "self signed certificate in certificate chain"},
		{TLSG_V_NO_LOCAL_ISSUER, GNUTLS_A_UNKNOWN_CA, "unable to get local issuer certificate"},
		{TLSG_V_LEAF_UNVERIFIABLE, GNUTLS_A_UNKNOWN_CA, "unable to verify the first certificate"},
		{TLSG_V_CHAIN_TOO_LONG, GNUTLS_A_UNKNOWN_CA, "certificate chain too long"},
		{TLSG_V_REVOKED, GNUTLS_A_CERTIFICATE_REVOKED, "certificate revoked"},
		{TLSG_V_PATH_LENGTH, GNUTLS_A_UNKNOWN_CA, "path length constraint exceeded"},
		{TLSG_V_PURPOSE, GNUTLS_A_UNSUPPORTED_CERTIFICATE, "unsupported certificate purpose"},
		{TLSG_V_UNTRUSTED, GNUTLS_A_BAD_CERTIFICATE, "certificate not trusted"},
		{TLSG_V_REJECTED, GNUTLS_A_BAD_CERTIFICATE, "certificate rejected"},
		{TLSG_V_CRITICAL_EXTENSION, GNUTLS_A_CERTIFICATE_UNKNOWN, "unhandled critical extension"},
		{TLSG_V_CRL_SIGN, GNUTLS_A_CERTIFICATE_UNKNOWN, "key usage does not include CRL signing"},
		{TLSG_V_CRL_CRITICAL_EXTENSION, GNUTLS_A_CERTIFICATE_UNKNOWN, "unhandled critical CRL extension"},
		{TLSG_V_CRL_SCOPE, GNUTLS_A_CERTIFICATE_UNKNOWN, "different CRL scope"},
		{TLSG_V_NAME_CONSTRAINT, GNUTLS_A_CERTIFICATE_UNKNOWN, "name constraint violated"},
		{TLSG_V_APPLICATION, GNUTLS_A_HANDSHAKE_FAILURE, "application verification failure"},
		{TLSG_V_NAME_MISMATCH, GNUTLS_A_BAD_CERTIFICATE, "certificate is not valid for the expected name"},
		{TLSG_V_WEAK, GNUTLS_A_BAD_CERTIFICATE, "certificate key too weak"},
		{TLSG_V_WEAK_CA, GNUTLS_A_BAD_CERTIFICATE, "CA certificate key too weak"},
		{TLSG_V_WEAK_HASH, GNUTLS_A_BAD_CERTIFICATE, "digest of a certificate's signature too weak"},
		{TLSG_V_INVALID_CA, GNUTLS_A_UNKNOWN_CA, "invalid CA certificate"},
};

const char *tlsg_verify_code_reason(enum tlsg_verify_code code)
{
	size_t i;

	for(i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if(codes[i].code == code)
			return codes[i].reason;
	return "unknown error";
}

int tlsg_verify_code_alert(enum tlsg_verify_code code)
{
	size_t i;

	for(i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if(codes[i].code == code)
			return codes[i].alert;
	return GNUTLS_A_CERTIFICATE_UNKNOWN;
}
