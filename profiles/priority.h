/*
 * tls_gnutls - method and cipher list of a profile, compiled for sessions
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: compiled by the builder of a snapshot, used by any process that steps a handshake.
 * Memory: the snapshot's arena (shm).  Lock: none.
 */
#ifndef TLSG_PROFILES_PRIORITY_H
#define TLSG_PROFILES_PRIORITY_H

#include "profiles/cipher/cipher_list.h"
#include "profiles/prof.h"

/** One pair of method and cipher_list, shared by the profiles of a role that set them. */
struct tlsg_priority
{
	struct tlsg_priority *next;
	int method;					  /**< enum tlsg_method_id */
	enum tlsg_role role;		  /**< each role has its own: a client needs no priority for each suite */
	bool is_lenient;			  /**< for clients that do not enforce verification, see tlsg_priority_compile() */
	bool without_tls13;			  /**< the method without TLS 1.3 */
	str cipher_list;			  /**< {NULL,0} not set */
	struct tlsg_cipher_list list; /**< evaluated */
	unsigned curves;			  /**< that the priority string admits, OR of TLSG_CIPHER_GROUP() */
	unsigned dh_groups;			  /**< likewise, OR of TLSG_CIPHER_DH_GROUP() */
	unsigned hybrids;			  /**< likewise, OR of TLSG_CIPHER_HYBRID(); 0: the library has none */
	gnutls_priority_t
			compiled; /**< [arena] of list.priority; for clients with list.surplus of tlsg_priority_string_client() */
	gnutls_priority_t
			*single; /**< [arena] by position in list.suites, of servers; NULL for clients and native strings */
	gnutls_priority_t *hybrid; /**< [arena] by position in list.suites, with hybrid groups only: of those that TLS 1.3
								* has, others are NULL; NULL where `single` is, and without hybrids */
};

/**
 * Compiles method and cipher_list of a completed profile, or finds them compiled for another profile of the snapshot.
 * For a client profile that does not enforce verification, GnuTLS's %COMPAT is added: the only switch with which GnuTLS
 * takes a server whose certificate has a key usage that does not fit, as OpenSSL does without verification. It also
 * turns off encrypt-then-MAC and the extended master secret of TLS 1.2, which protect nobody who talks to an unverified
 * peer.
 * @param p  [in,out] verify_mode and verify_no_ca are set; priority is set, and datagram if the snapshot is built for
 *           DTLS and something is left of them.
 * @return TLSG_OK; TLSG_E_CONFIG: a method that is not supported, a string that is invalid or selects nothing (err says
 *         which and where); TLSG_E_RESOURCE.
 * Source: gnutls_priority_init().
 */
enum tlsg_ret tlsg_priority_compile(struct tlsg_prof *p, struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Excludes TLS 1.3 from a profile whose keys make no signature for it, and logs that.
 * @param p  [in,out] profile whose pairs are loaded; its priority is compiled again.
 * @return TLSG_OK; TLSG_E_CONFIG: nothing but TLS 1.3 is configured; TLSG_E_RESOURCE.
 * Source: RFC 8446 section 4.4.3: RSA signatures of TLS 1.3 are RSA-PSS.
 */
enum tlsg_ret tlsg_priority_fit_keys(struct tlsg_prof *p, struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Chooses the priority of a server session for an offer: GnuTLS alone keeps neither to the list nor to its order. The
 * groups of key exchanges are the same in all priorities, so the choice of a suite never costs a HelloRetryRequest; but
 * a client whose first group in common is a post-quantum hybrid gets one with hybrids alone, as GnuTLS up to 3.8.13
 * would take it only if groups of both other kinds, curves and finite fields, were in common too.
 * @param p         profile.
 * @param datagram  with DTLS.
 * @param offer     [in,out] what the ClientHello offers; without: from tlsg_priority_without(); keys: the signatures
 *                  that the client accepts, without those that the profile has no certificate for when this returns;
 *                  usable: [out] the kinds of keys that the certificate may have.
 * @param compiled  [out] priority to set; NULL: keep the profile's.
 * @return TLSG_OK; TLSG_E_PEER: no suite in common.
 */
enum tlsg_ret tlsg_priority_for_offer(const struct tlsg_prof *p, bool datagram, struct tlsg_cipher_offer *offer,
		gnutls_priority_t *compiled) TLSG_MUST_CHECK;

/**
 * The groups of key exchanges that a priority admits, in their order.
 * @param x  compiled. @param i  from 0.
 * @return tlsg_kx_group_name() of the group; NULL: there are no more.
 */
const char *tlsg_priority_group(const struct tlsg_priority *x, unsigned i);

/**
 * Which key exchanges the groups of an offer exclude: those without a group in common. Without a list of curves GnuTLS
 * takes P-256, and without one of finite-field groups any.
 * @param x      compiled: curves and dh_groups are set.
 * @param offer  curves and dh_groups are read.
 * @return OR of enum tlsg_suite_kx.
 * Source: RFC 8422 section 5.1.1, RFC 7919 section 4.
 */
unsigned tlsg_priority_without(const struct tlsg_priority *x, const struct tlsg_cipher_offer *offer);

/**
 * Whether the curve of a pair's key is one that the client has listed. Up to TLS 1.2 supported_groups applies to
 * ECDSA certificates too; in TLS 1.3 signature_algorithms names their curves.
 * @param groups  as in struct tlsg_cipher_offer.
 * @return true, too, for a key that is not ECDSA.
 * Source: RFC 8422 sections 5.1 and 5.3, RFC 8446 section 4.2.7.
 */
bool tlsg_priority_curve_fits(const struct tlsg_pair *pair, unsigned groups);

/**
 * Whether a profile can be used for DTLS: the snapshot was built for it, and tls_method and cipher_list leave a version
 * that DTLS has.
 * @return TLSG_OK; TLSG_E_CONFIG: err says what to change; TLSG_E_INTERNAL: the snapshot was built without DTLS.
 */
enum tlsg_ret tlsg_priority_check_datagram(const struct tlsg_prof *p, struct tlsg_err *err) TLSG_MUST_CHECK;

/** @return the priority of a profile for a session; NULL: tlsg_priority_check_datagram(). */
const struct tlsg_priority *tlsg_priority_of(const struct tlsg_prof *p, bool datagram);

/** @return the bit of enum tlsg_cipher_key for a kind of key. */
unsigned tlsg_priority_key_of(gnutls_pk_algorithm_t pk);

#endif
