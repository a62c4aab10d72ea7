/*
 * tls_gnutls - builds a chain from what a peer sent up to a trusted CA
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that steps a handshake.  Memory: this process's heap while it runs.  Lock: none.
 */
#ifndef TLSG_PROFILES_VERIFY_CHAIN_H
#define TLSG_PROFILES_VERIFY_CHAIN_H

#include <stdbool.h>
#include <time.h>

#include <gnutls/x509.h>

#include "base/err.h"
#include "profiles/verify/der.h"
#include "profiles/verify/verify_code.h"

struct tlsg_trust; /* profiles/verify/trust.h */

#define TLSG_CHAIN_MAX 32		 /**< certificates sent, and certificates of a chain */
#define TLSG_CHAIN_PARSED_MAX 64 /**< CAs that are parsed to build one chain */

/** What a chain is built from. All pointers borrowed. */
struct tlsg_chain_input
{
	const struct tlsg_der *chain;	/**< as sent, leaf first; the others in any order */
	unsigned chain_len;				/**< 1 to TLSG_CHAIN_MAX */
	const struct tlsg_trust *trust; /**< CAs; NULL: no anchors */
	gnutls_x509_trust_list_t list;	/**< the same, parsed by this process; saves parsing, NULL allowed */
	int depth;						/**< intermediates allowed between leaf and anchor; negative is 0 */
	time_t now;
};

/** A certificate of a chain. All pointers borrowed. */
struct tlsg_chain_cert
{
	gnutls_x509_crt_t crt;
	const struct tlsg_der *der;
	bool is_trusted; /**< one of the configured CAs; false: sent by the peer */
};

/** A chain, and what was parsed to build it. */
struct tlsg_chain
{
	struct tlsg_chain_cert certs[TLSG_CHAIN_MAX]; /**< leaf first */
	unsigned len;
	bool is_anchored;								 /**< the last one is a self-signed certificate of the trust */
	enum tlsg_verify_code why;						 /**< why it is not anchored, TLSG_V_OK if it is */
	gnutls_x509_crt_t sent[TLSG_CHAIN_MAX];			 /**< owned; parallel to the input's chain */
	gnutls_x509_crt_t parsed[TLSG_CHAIN_PARSED_MAX]; /**< owned; configured CAs that were parsed */
	unsigned sent_len;
	unsigned parsed_len;
	bool has_costly_key; /**< a key that was sent costs too much, see tlsg_usage_has_usable_key() */
};

/**
 * Builds a chain by names and key identifiers: configured CAs first, then what was sent; issuers that are valid now
 * before others. After a dead end the next candidate is tried; if none leads to an anchor, the first dead end is the
 * result.
 * @param in   not NULL.
 * @param out  [out] filled in every case; free with tlsg_chain_free().
 * @return TLSG_OK: is_anchored and why tell the result, and the caller checks signatures and all the rest; TLSG_E_PEER:
 *         a certificate that was sent is malformed, or has_costly_key; TLSG_E_RESOURCE.
 * Source: RFC 5280 section 4.2.1.1; RFC 4158; OpenSSL's order of candidates.
 */
enum tlsg_ret tlsg_chain_build(const struct tlsg_chain_input *in, struct tlsg_chain *out) TLSG_MUST_CHECK;

/** Frees what was parsed. An all-zero chain and a second call are allowed. */
void tlsg_chain_free(struct tlsg_chain *c);

#endif
