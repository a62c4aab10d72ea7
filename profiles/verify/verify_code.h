/*
 * tls_gnutls - the results of verification: reasons for logs, alerts for peers
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: static.  Lock: none.
 */
#ifndef TLSG_PROFILES_VERIFY_VERIFY_CODE_H
#define TLSG_PROFILES_VERIFY_VERIFY_CODE_H

/** Result codes. The values are those of X509_V_ERR_* in OpenSSL 3, since logs, selects and scripts know them. */
enum tlsg_verify_code
{
	TLSG_V_OK = 0,
	TLSG_V_UNSPECIFIED = 1, /**< refused for a reason that has no code of its own */
	TLSG_V_NO_ISSUER = 2,	/**< the issuer of a configured CA is missing */
	TLSG_V_NO_CRL = 3,
	TLSG_V_SIGNATURE = 7,
	TLSG_V_CRL_SIGNATURE = 8,
	TLSG_V_NOT_YET_VALID = 9,
	TLSG_V_EXPIRED = 10,
	TLSG_V_CRL_NOT_YET_VALID = 11,
	TLSG_V_CRL_EXPIRED = 12,
	TLSG_V_OUT_OF_MEMORY = 17,
	TLSG_V_SELF_SIGNED = 18, /**< the leaf itself is self-signed and not trusted */
	TLSG_V_SELF_SIGNED_IN_CHAIN = 19,
	TLSG_V_NO_LOCAL_ISSUER = 20,
	TLSG_V_LEAF_UNVERIFIABLE = 21,
	TLSG_V_CHAIN_TOO_LONG = 22,
	TLSG_V_REVOKED = 23,
	TLSG_V_PATH_LENGTH = 25,
	TLSG_V_PURPOSE = 26,
	TLSG_V_UNTRUSTED = 27,
	TLSG_V_REJECTED = 28,
	TLSG_V_CRITICAL_EXTENSION = 34,
	TLSG_V_CRL_SIGN = 35, /**< the key usage of the issuer of a CRL does not allow it to sign CRLs */
	TLSG_V_CRL_CRITICAL_EXTENSION = 36,
	TLSG_V_CRL_SCOPE = 44, /**< the CRLs of the issuer do not cover such a certificate */
	TLSG_V_NAME_CONSTRAINT = 47,
	TLSG_V_APPLICATION = 50,
	TLSG_V_NAME_MISMATCH = 62,
	TLSG_V_WEAK = 66,	 /**< the leaf's key is too small */
	TLSG_V_WEAK_CA = 67, /**< the key of a CA is too small */
	TLSG_V_WEAK_HASH = 68,
	TLSG_V_INVALID_CA = 79 /**< a certificate that issued another is not a CA */
};

/** The reason for a code, in the words of OpenSSL where it has the code. @return static string, never NULL. */
const char *tlsg_verify_code_reason(enum tlsg_verify_code code);

/** The alert that OpenSSL sends for a code. @return GNUTLS_A_*. */
int tlsg_verify_code_alert(enum tlsg_verify_code code);

#endif
