/*
 * tls_gnutls - certificate revocation lists: what one says, whether it is current, and an index of its entries
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: loaded by the builder of a snapshot; read by any process that verifies.
 * Memory: bytes and index in the snapshot's arena (shm).  Lock: none, immutable once loaded.
 *
 * Files with CRLs are read in profiles/load_trust.c; which CRLs a chain needs is in profiles/verify/verify.c.
 */
#ifndef TLSG_PROFILES_VERIFY_CRL_H
#define TLSG_PROFILES_VERIFY_CRL_H

#include <gnutls/x509.h>

#include "base/err.h"
#include "base/host.h"
#include "profiles/verify/der.h"

struct tlsg_arena; /* base/arena.h */

#define TLSG_CRL_KEY_ID_MAX 64 /**< bytes of the longest key identifier that is compared */

/** Whose certificates a list covers, RFC 5280 section 5.2.5. */
enum tlsg_crl_scope
{
	TLSG_CRL_ALL = 0,
	TLSG_CRL_USERS, /**< of end entities only */
	TLSG_CRL_CAS	/**< of CAs only */
};

/** A list. All pointers are into the arena; those of issuer, tbs, signature and serials into der. */
struct tlsg_crl
{
	struct tlsg_der der;
	struct tlsg_der issuer;	   /**< DER of the issuer's name */
	struct tlsg_der tbs;	   /**< the bytes that are signed */
	struct tlsg_der signature; /**< without the octet that counts unused bits */
	gnutls_sign_algorithm_t algo;
	time_t this_update;
	time_t next_update;						   /**< 0: the list has none */
	unsigned char key_id[TLSG_CRL_KEY_ID_MAX]; /**< authority key identifier */
	unsigned key_id_len;					   /**< 0: the list has none */
	const unsigned char **serials;			   /**< INTEGERs of the revoked certificates, sorted for tlsg_crl_has() */
	unsigned serials_len;
	enum tlsg_crl_scope scope;
	struct tlsg_der points; /**< GeneralNames of its distribution point, one after the other; size 0: it has none */
	bool usable;			/**< false: for some reasons only, indirect, a delta CRL, or its extensions are malformed */
	bool has_critical;		/**< it has a critical extension that is not understood */
	int signer; /**< index in the trust's cas of the certificate that signed it, found when it was loaded; -1 none */
};

/**
 * Copies a list into an arena and indexes it.
 * @param arena  of the snapshot. Call without a scope.
 * @param der    the list as it is signed, borrowed.
 * @param out    [out] filled on TLSG_OK; signer is -1.
 * @param err    [out] the cause; the caller adds setting and file.
 * @return TLSG_OK; TLSG_E_CONFIG: not the DER that RFC 5280 section 5.1 describes; TLSG_E_RESOURCE.
 */
enum tlsg_ret tlsg_crl_parse(struct tlsg_arena *arena, const gnutls_datum_t *der, struct tlsg_crl *out,
		struct tlsg_err *err) TLSG_MUST_CHECK;

/** Whether a list is not valid yet: its thisUpdate lies ahead. @param now  seconds since 1970. */
bool tlsg_crl_is_too_early(const struct tlsg_crl *crl, time_t now);

/** Whether the nextUpdate of a list has passed; false without one. @param now  seconds since 1970. */
bool tlsg_crl_has_expired(const struct tlsg_crl *crl, time_t now);

/**
 * Whether to prefer one list of an issuer to another: one that is current, neither too early nor expired, to one that
 * is not, else the one that was issued later.
 * @param b    NULL: there is no other, the answer is true.
 * @param now  seconds since 1970.
 */
bool tlsg_crl_is_better(const struct tlsg_crl *a, const struct tlsg_crl *b, time_t now);

/**
 * Whether a list was issued by a CA: the names are equal and the key identifiers do not contradict each other.
 * @param issuer  certificate, borrowed.
 * @param dn      DER of its subject.
 */
bool tlsg_crl_is_of(const struct tlsg_crl *crl, gnutls_x509_crt_t issuer, const gnutls_datum_t *dn);

/**
 * Whether a certificate is within the scope of a list of its issuer: a kind of certificates, a distribution point.
 * @param crt    certificate, borrowed.
 * @param is_ca  its basic constraints say that it is a CA.
 * Source: RFC 5280 sections 5.2.5 and 6.3.3.
 */
bool tlsg_crl_covers(const struct tlsg_crl *crl, gnutls_x509_crt_t crt, bool is_ca);

/**
 * Whether the key of an issuer made the signature of a list. Costs one public key operation and a hash over the list.
 * Signatures with a hash that GnuTLS considers broken (SHA-1, MD5) are not accepted.
 * @param issuer  certificate, borrowed. Call without a scope.
 */
bool tlsg_crl_is_signed_by(const struct tlsg_crl *crl, gnutls_x509_crt_t issuer);

/**
 * Whether a serial number is revoked. Cost: logarithm of the list's length.
 * @param serial  contents of the certificate's INTEGER.
 * @param size    bytes, at least 1.
 */
bool tlsg_crl_has(const struct tlsg_crl *crl, const unsigned char *serial, size_t size);

#endif
