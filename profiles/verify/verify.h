/*
 * tls_gnutls - verifies the certificate chain of a peer
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that steps a handshake.
 * Memory: this process's heap while it runs; the caller copies results.  Lock: none.
 *
 * Codes and their texts are in verify_code.c, building a chain is in chain.c.
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
			list;		 /**< the same CAs, parsed by this process (tlsg_trust_parse()); NULL allowed: slower */
	bool check_crl;		 /**< crl is set: every certificate of the chain needs a current CRL */
	bool keep_going;	 /**< optional_no_ca: make all checks, see tlsg_verify_chain() */
	int depth;			 /**< verify_depth: intermediates allowed between leaf and anchor; negative is 0 */
	enum tlsg_role role; /**< of this host: a server verifies a client certificate (clientAuth), and the reverse */
	gnutls_certificate_verification_profiles_t
			profile; /**< minimum strength of keys and hashes; 0: GNUTLS_PROFILE_MEDIUM */
	int verify_name; /**< 0 off, 1 RFC 5922, 2 RFC 5922 and wildcards */
	str name;		 /**< expected identity; {NULL,0} none: a client then refuses, a server accepts any */
	time_t now;
};

struct tlsg_verify_result
{
	enum tlsg_verify_code code;
	unsigned depth;		/**< position in the chain of the certificate that the code is about, 0 leaf */
	int alert;			/**< GNUTLS_A_* to send if the result is enforced */
	bool refuse;		/**< a key of the peer costs too much: end the handshake, enforced or not */
	unsigned status;	/**< GnuTLS's status bits, without those about dates and CRLs */
	unsigned built_len; /**< certificates in built, 0: none could be built */
	struct tlsg_der built[TLSG_CHAIN_MAX]; /**< [heap] the chain, leaf first; freed by tlsg_verify_result_free() */
};

/**
 * Verifies a chain: anchors, CA flags, purpose, path lengths, depth as OpenSSL counts it, CRLs of the whole chain,
 * signatures, strength, dates, name constraints, name. An anchor is a self-signed certificate of the trust;
 * certificates that the peer sent and that are not needed are ignored. The code is that of the first failure in
 * OpenSSL's order of checks. With keep_going, as in OpenSSL with a callback that accepts everything, all checks are
 * made and the code is that of the gravest failure (revoked, then expired, then self-signed, then others; the last of
 * equals). Call without a scope. The work is bounded: at most 64 steps to build, one chain to verify.
 * @param in   not NULL.
 * @param out  [out] filled in every case; free with tlsg_verify_result_free().
 * @return TLSG_OK: out->code is the result. TLSG_E_PEER: too many, too large or malformed certificates;
 *         TLSG_E_RESOURCE: no memory; TLSG_E_INTERNAL: no certificate given. Unless TLSG_OK is returned, out->code is
 *         never TLSG_V_OK.
 * Source: RFC 5280 section 6; RFC 5922 section 7; gnutls_x509_crt_list_verify().
 */
enum tlsg_ret tlsg_verify_chain(const struct tlsg_verify_input *in, struct tlsg_verify_result *out) TLSG_MUST_CHECK;

/**
 * Whether checking a signature with the key of a certificate takes an acceptable time. The peer chooses the numbers:
 * with a modulus and an exponent of some thousand bytes each it takes hours.
 * @return false: refuse the certificate, whatever it is for; also without memory. True also if it cannot be parsed.
 * Source: limits of OpenSSL (OPENSSL_RSA_MAX_MODULUS_BITS, OPENSSL_RSA_MAX_PUBEXP_BITS).
 */
bool tlsg_verify_key_is_usable(const struct tlsg_der *cert);

/** Frees the built chain. An all-zero result and a second call are allowed. */
void tlsg_verify_result_free(struct tlsg_verify_result *out);

#endif
