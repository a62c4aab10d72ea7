/*
 * tls_gnutls - what a process makes for itself from a snapshot: credentials and trust lists
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that steps a handshake.  Memory: this process's heap, made without a scope.  Lock: none.
 *
 * Objects are made at first use, found by the number of the snapshot, and freed when that snapshot is no longer in use.
 * The certificate callback is here. Not here: the handles of private keys (key_use.h), suites and versions
 * (priority.h).
 */
#ifndef TLSG_PROFILES_CREDS_H
#define TLSG_PROFILES_CREDS_H

#include "profiles/prof.h"
#include "profiles/verify/trust.h"

/** First member of what gnutls_session_get_ptr() points to: the certificate callback finds the profile there. */
struct tlsg_session_ref
{
	const struct tlsg_prof *prof;
	unsigned keys;	  /**< OR of enum tlsg_cipher_key: the keys that the suites in common allow; 0 not known */
	unsigned groups;  /**< curves that an ECDSA key may be on: as in struct tlsg_cipher_offer; 0 any, and not known */
	unsigned no_pair; /**< [out] 1: the profile has no certificate that the peer can use */
};

/**
 * Credentials of this process for a profile: certificate callback, CA names to announce.
 * @return borrowed, valid while the snapshot is referenced; NULL: out of memory.
 * Source: gnutls_certificate_set_retrieve_function3(), gnutls_certificate_set_trust_list().
 */
gnutls_certificate_credentials_t tlsg_creds_get(const struct tlsg_prof *p);

/** The CAs of the profile, parsed in this process. @return borrowed; NULL: the profile has none, or out of memory. */
gnutls_x509_trust_list_t tlsg_creds_trust(const struct tlsg_prof *p);

#endif
