/*
 * tls_gnutls - a list of suites, and what keeps a handshake within it
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: the caller's.  Lock: none, const once made.
 *
 * An OpenSSL cipher string names suites in an order; a GnuTLS priority string names algorithms and admits every
 * combination of them. The owner of the handshake enforces the list: a server calls tlsg_cipher_list_choose() before
 * GnuTLS reads the ClientHello, a client ends a handshake whose suite is not tlsg_cipher_list_has(). `surplus` says
 * that the priority string admits more than the list.
 *
 * Lists are made by tlsg_cipher_string_eval() (profiles/cipher/cipher_string.h).
 */
#ifndef TLSG_PROFILES_CIPHER_CIPHER_LIST_H
#define TLSG_PROFILES_CIPHER_CIPHER_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gnutls/x509.h>

#include "base/err.h"
#include "profiles/cipher/rules.h"
#include "profiles/cipher/suites.h"

enum tlsg_cipher_kind
{
	TLSG_CIPHER_DEFAULT = 0, /**< cipher_list not set: OpenSSL's DEFAULT within tls_method and the system's policy */
	TLSG_CIPHER_LIST,		 /**< an OpenSSL cipher string, or the suites of TLS 1.3 by name */
	TLSG_CIPHER_NATIVE		 /**< a GnuTLS priority string */
};

/** Buffer size for priority strings: the longest one that is written for a list, and native ones. */
#define TLSG_PRIORITY_SIZE 2048

/** Largest number of suites in a list: those with certificates. */
#define TLSG_CIPHER_MAX 96

/** A set of suites with certificates, by their numbers on the wire. */
struct tlsg_id_set
{
	uint8_t bits[4][32]; /**< pages 0x00, 0x13, 0xc0, 0xcc */
};

/** Adds a suite to a set. @param id  two bytes as on the wire; unchanged for suites without certificates. */
void tlsg_cipher_list_id_add(struct tlsg_id_set *set, const uint8_t *id);

/** Whether a suite is in a set. @param id  two bytes as on the wire. */
bool tlsg_cipher_list_id_is_in(const struct tlsg_id_set *set, const uint8_t *id);

/** What cipher_list and tls_method lead to. Plain data: may be copied and may be in shared memory; const once made. */
struct tlsg_cipher_list
{
	enum tlsg_cipher_kind kind;
	unsigned versions;				 /**< OR of TLSG_VERSION_BIT(): those that the priority string admits */
	bool datagram;					 /**< of the versions of DTLS that correspond to `versions` */
	int sec_level;					 /**< 0 to 5: minimum strength of keys and certificates */
	bool sec_level_named;			 /**< the string has @SECLEVEL, a native one %PROFILE_ */
	uint32_t curves_off;			 /**< one bit each: curves that the system's policy leaves out of the default */
	uint32_t dh_groups_off;			 /**< likewise */
	uint32_t hybrids_off;			 /**< likewise */
	uint32_t signatures_off;		 /**< likewise */
	enum tlsg_suite_b suite_b;		 /**< curves and signatures are those of Suite B */
	bool surplus;					 /**< the priority string admits suites that are not in the list */
	uint16_t named[TLSG_CIPHER_MAX]; /**< rows: the suites that `openssl ciphers` would print and GnuTLS has */
	size_t named_len;
	uint16_t suites[TLSG_CIPHER_MAX];  /**< rows: those of `named` that the security level admits; these are enforced */
	size_t suites_len;				   /**< at least 1 */
	struct tlsg_id_set suite_ids;	   /**< the numbers of `suites` */
	struct tlsg_id_set surplus_ids;	   /**< admitted by the priority string, not in the list */
	char priority[TLSG_PRIORITY_SIZE]; /**< compiles with this process's GnuTLS */
};

/** Kinds of keys that a server has certificates for. */
enum tlsg_cipher_key
{
	TLSG_CIPHER_KEY_RSA = 1 << 0,
	TLSG_CIPHER_KEY_ECDSA = 1 << 1, /**< ECDSA, Ed25519, Ed448 */
	TLSG_CIPHER_KEY_DSA = 1 << 2,
	TLSG_CIPHER_KEY_ALL = (1 << 3) - 1
};

/** Bit of a group of supported_groups, which are numbered: 23 P-256, 24 P-384, 25 P-521. @param number  below 32. */
#define TLSG_CIPHER_GROUP(number) (1u << (number))
/** Set in a list of groups that the client has sent, which may hold none of the curves. No group has the number 0. */
#define TLSG_CIPHER_GROUP_SENT TLSG_CIPHER_GROUP(0)
/** Bit of a finite-field group of RFC 7919: 256 ffdhe2048 to 260 ffdhe8192. @param number  256 to 286. */
#define TLSG_CIPHER_DH_GROUP(number) (1u << ((number)-256))
/** Set in a list of groups that has any of these (their numbers are 256 to 511). */
#define TLSG_CIPHER_DH_SENT (1u << 31)

/** Bit of a post-quantum hybrid, TLS 1.3 only. @param number  0x11eb SecP256r1MLKEM768 to 0x11ed. */
#define TLSG_CIPHER_HYBRID(number) (1u << ((number)-0x11eb))

/** What a ClientHello offers, and what the server has for it. */
struct tlsg_cipher_offer
{
	const uint8_t *ids; /**< cipher_suites as on the wire, two bytes each; borrowed for the call */
	size_t ids_bytes;	/**< an odd last byte is ignored */
	unsigned versions;	/**< OR of TLSG_VERSION_BIT() of the client: supported_versions, else up to legacy_version */
	unsigned keys;		/**< OR of enum tlsg_cipher_key: the client accepts their signatures, and the server has them */
	unsigned groups;	/**< curves that an ECDSA key may be on, OR of TLSG_CIPHER_GROUP(); 0: any */
	unsigned curves;	/**< for key exchanges up to TLS 1.2, OR of TLSG_CIPHER_GROUP(); 0: not sent */
	unsigned dh_groups; /**< likewise, OR of TLSG_CIPHER_DH_GROUP(); 0: the client leaves it to the server */
	const uint8_t *group_numbers; /**< supported_groups as on the wire, two bytes each; borrowed; NULL: not sent */
	size_t group_numbers_len;	  /**< groups in it */
	unsigned without;			  /**< OR of enum tlsg_suite_kx that cannot be used: no group in common */
	unsigned usable; /**< [out] OR of enum tlsg_cipher_key: keys that fit this offer; see tlsg_priority_for_offer() */
};

/** What the caller of tlsg_cipher_list_choose() must do. */
enum tlsg_cipher_choice
{
	TLSG_CIPHER_LEAVE, /**< nothing: kind NATIVE, GnuTLS alone chooses */
	TLSG_CIPHER_APPLY, /**< apply tlsg_priority_string_single() of the suite */
	TLSG_CIPHER_REFUSE /**< no suite in common: end the handshake with handshake_failure */
};

/**
 * Whether a negotiated suite may be used; called by a client at the end of its handshake.
 * @param suite  NULL allowed: one that is not in the table.
 * @return true if it is in the list; always for kind NATIVE, where GnuTLS alone decides.
 */
bool tlsg_cipher_list_has(const struct tlsg_cipher_list *list, const struct tlsg_suite *suite);

/**
 * Chooses the suite for an offer as OpenSSL does with SSL_OP_CIPHER_SERVER_PREFERENCE, which `tls` sets: of the highest
 * version in common, the first of the list that the client offers and that a key fits.
 * @param offer  not NULL.
 * @param best   [out] the suite, NULL if there is none in common; not NULL itself.
 * @return TLSG_CIPHER_LEAVE for kind NATIVE; TLSG_CIPHER_APPLY with best set; TLSG_CIPHER_REFUSE.
 * Source: RFC 8446 section 4.1.1, RFC 5246 section 7.4.1.3; SSL_CTX_set_options(3).
 */
enum tlsg_cipher_choice tlsg_cipher_list_choose(const struct tlsg_cipher_list *list,
		const struct tlsg_cipher_offer *offer, const struct tlsg_suite **best) TLSG_MUST_CHECK;

/**
 * The kinds of keys that fit an offer: those of the suites of the highest version in common. GnuTLS asks for the
 * certificate before it selects a suite, and fails if the two do not fit.
 * @param offer  not NULL; keys is not read.
 * @return OR of enum tlsg_cipher_key, all bits if suites do not depend on it (TLS 1.3); 0 if no suite is in common.
 * Source: RFC 5246 section 7.4.2.
 */
unsigned tlsg_cipher_list_keys(const struct tlsg_cipher_list *list, const struct tlsg_cipher_offer *offer);

/** The kinds of keys that go with one suite. @return as tlsg_cipher_list_keys(), never 0. */
unsigned tlsg_cipher_list_suite_keys(const struct tlsg_suite *suite);

/**
 * The profile that certificates of peers must satisfy, by the security level.
 * @return GNUTLS_PROFILE_VERY_WEAK for level 0, then LOW, MEDIUM, HIGH, ULTRA, FUTURE.
 */
gnutls_certificate_verification_profiles_t tlsg_cipher_list_profile(const struct tlsg_cipher_list *list);

#endif
