/*
 * tls_gnutls - decides whether a peer's certificate chain is acceptable, and says why not
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that steps a handshake.  Memory: this process's heap while it runs; results are copied by the caller.
 * Lock: none.
 */
#ifndef TLSG_PROFILES_VERIFY_VERIFY_H
#define TLSG_PROFILES_VERIFY_VERIFY_H

#include <gnutls/x509.h>

#include "base/err.h"
#include "base/host.h"
#include "base/role.h"
#include "profiles/verify/chain.h"
#include "profiles/verify/der.h"
#include "profiles/verify/verify_code.h"

struct tlsg_trust; /* profiles/verify/trust.h */

#define TLSG_VERIFY_CERT_MAX_BYTES (32 * 1024) /**< a larger certificate of a peer is refused */

/** What a verification needs. All pointers borrowed. */
struct tlsg_verify_input
{
	const struct tlsg_der *chain;	/**< as sent, leaf first; the others in any order */
	unsigned chain_len;				/**< at least 1 */
	const struct tlsg_trust *trust; /**< CAs and CRLs in the snapshot; NULL: no anchors */
	gnutls_x509_trust_list_t
			list;	/**< the same CAs, parsed by this process (tlsg_trust_parse()); NULL allowed: slower */
	bool check_crl; /**< a CRL is configured: whole chain must be covered by fresh CRLs */
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
	struct tlsg_der built[TLSG_CHAIN_MAX]; /**< chain built, leaf first; [heap] freed by tlsg_verify_result_free() */
};

/**
 * Verifies a chain: anchors, CA flags, purpose, path lengths, depth as OpenSSL counts it, CRLs of the whole chain, signatures,
 * strength, dates, name constraints, name. An anchor is a self-signed certificate of the trust; what the peer sent and is not
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

#endif
