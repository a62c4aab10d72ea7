/*
 * tls_gnutls - decides whether a peer's certificate chain is acceptable, and says why not
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that steps a handshake.  Memory: this process's heap while it runs; results are copied by the caller.
 * Lock: none.
 */
#ifndef TLSG_PROFILES_VERIFY_VERIFY_H
#define TLSG_PROFILES_VERIFY_VERIFY_H

#include <gnutls/x509.h>

#include "profiles/prof.h"

/** Result codes; values are those of X.509 verification in OpenSSL 3, because logs, selects and scripts know them (spec 6.5, 15). */
enum tlsg_verify_code
{
	TLSG_V_OK = 0,
	TLSG_V_UNSPECIFIED = 1, /**< not acceptable for a reason that has no code of its own */
	TLSG_V_NO_ISSUER = 2,	/**< the issuer of a CA of ours is missing */
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
	TLSG_V_CRL_SIGN = 35, /**< the issuer of a CRL may not sign CRLs */
	TLSG_V_CRL_CRITICAL_EXTENSION = 36,
	TLSG_V_CRL_SCOPE = 44, /**< there are CRLs of the issuer, but not for such a certificate */
	TLSG_V_NAME_CONSTRAINT = 47,
	TLSG_V_APPLICATION = 50,
	TLSG_V_NAME_MISMATCH = 62,
	TLSG_V_WEAK = 66,	 /**< the leaf's key is too small */
	TLSG_V_WEAK_CA = 67, /**< the key of a CA is too small */
	TLSG_V_WEAK_HASH = 68,
	TLSG_V_INVALID_CA = 79 /**< a certificate that issued another is none of a CA */
};

#define TLSG_VERIFY_CHAIN_MAX 32			   /**< certificates sent, and certificates of a chain */
#define TLSG_VERIFY_CERT_MAX_BYTES (32 * 1024) /**< a larger certificate of a peer is refused */

/** What a verification needs. All pointers borrowed. */
struct tlsg_verify_input
{
	const struct tlsg_der *chain;	/**< as sent, leaf first; the others in any order */
	unsigned chain_len;				/**< at least 1 */
	gnutls_x509_trust_list_t trust; /**< this process's list of set (tlsg_trust_parse()); saves parsing, NULL allowed */
	const struct tlsg_trust *set;	/**< CAs and CRLs in the snapshot; NULL: no anchors */
	bool check_crl;					/**< a CRL is configured: whole chain must be covered by fresh CRLs */
	bool keep_going; /**< optional_no_ca: like OpenSSL with a callback that accepts everything; see tlsg_verify_chain() */
	int depth;		 /**< verify_depth: intermediates allowed between leaf and anchor; negative is 0 */
	enum tlsg_role role; /**< ours: a server verifies a client certificate (clientAuth), and the reverse */
	gnutls_certificate_verification_profiles_t
			profile; /**< least strength of keys and hashes; 0: GNUTLS_PROFILE_MEDIUM */
	int verify_name; /**< 0 off, 1 RFC 5922, 2 RFC 5922 and wildcards */
	str name;		 /**< expected identity; {NULL,0} none: then a client refuses and a server accepts any */
	time_t now;
};

struct tlsg_verify_result
{
	enum tlsg_verify_code code;
	unsigned depth;		/**< position in the chain that the code is about, 0 leaf */
	int alert;			/**< GNUTLS_A_* to send when the result is enforced */
	bool refuse;		/**< a key of the peer's takes too long to use: end the handshake, enforced or not */
	unsigned status;	/**< GnuTLS's status bits, without those about dates and CRLs */
	unsigned built_len; /**< certificates in built, 0 when none could be built */
	struct tlsg_der
			built[TLSG_VERIFY_CHAIN_MAX]; /**< chain built, leaf first; [heap] freed by tlsg_verify_result_free() */
};

/**
 * Verifies a chain: anchors, CA flags, purpose, path lengths, depth as OpenSSL counts it, CRLs of the whole chain, signatures,
 * strength, dates, name constraints, name. An anchor is a self-signed certificate of the set; what the peer sent and is not
 * needed is ignored. The code is that of the first failure in OpenSSL's order of checks. With keep_going all checks are
 * made and the code is the strongest failure (revoked, then expired, then self-signed, then others; the last of equals).
 * Call without a scope (private memory). Work is bounded: at most 64 steps to build, one chain to verify.
 * @param in   not NULL.
 * @param out  [out] filled in every case; free with tlsg_verify_result_free().
 * @return TLSG_OK: out->code says the verdict. TLSG_E_PEER: too many, too large or damaged certificates; TLSG_E_RESOURCE: no
 *         memory; TLSG_E_INTERNAL: no certificate given. On negatives out->code is set and not TLSG_V_OK.
 * Source: RFC 5280 section 6; spec section 6; RFC 5922 section 7; gnutls_x509_crt_list_verify().
 */
enum tlsg_ret tlsg_verify_chain(const struct tlsg_verify_input *in, struct tlsg_verify_result *out) TLSG_MUST_CHECK;

/**
 * Whether a signature can be checked with the key of a certificate in a time that a peer may cost. Its numbers are the peer's: with
 * modulus and exponent of some thousand bytes each it takes hours.
 * @return false: refuse it, whatever the certificate is for. True also for what cannot be parsed.
 * Source: limits of OpenSSL (OPENSSL_RSA_MAX_MODULUS_BITS, OPENSSL_RSA_MAX_PUBEXP_BITS).
 */
bool tlsg_verify_key_is_usable(const struct tlsg_der *cert);

/** Frees the built chain. Safe on an all-zero result and twice. */
void tlsg_verify_result_free(struct tlsg_verify_result *out);

/** The reason text of spec section 15 for a code. @return static string, never NULL. */
const char *tlsg_verify_code_reason(enum tlsg_verify_code code);

/** The alert that OpenSSL sends for a code. @return GNUTLS_A_*. */
int tlsg_verify_code_alert(enum tlsg_verify_code code);

/**
 * Whether a certificate is valid for a SIP domain or host name.
 * @param leaf_der   certificate.
 * @param name       domain or host as the caller expects it; IDN as A-labels or UTF-8. An IP address matches nothing.
 * @param wildcards  accept a left-most `*` label in DNS SANs (RFC 5922 7.2 forbids it).
 * @return true: an identity of the certificate equals the name.
 * Source: RFC 5922 sections 7.1 to 7.3.
 */
bool tlsg_verify_sip_identity(const struct tlsg_der *leaf_der, const str *name, bool wildcards);

#endif
