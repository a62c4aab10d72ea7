/*
 * tls_gnutls - what a process makes for itself out of a snapshot: credentials, trust lists, real keys
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that steps a handshake.  Memory: this process's heap, made without a scope.  Lock: none.
 *
 * Objects are made at first use, found by the number of the snapshot, and freed when no snapshot as old as theirs is alive.
 */
#ifndef TLSG_PROFILES_CREDS_H
#define TLSG_PROFILES_CREDS_H

#include "profiles/prof.h"
#include "profiles/verify/trust.h"

/** First member of whatever gnutls_session_get_ptr() returns: how the certificate callback finds the profile. */
struct tlsg_session_ref
{
	const struct tlsg_prof *prof;
	unsigned keys;	  /**< OR of enum tlsg_cipher_key: what the suites in common can be answered with; 0 not known */
	unsigned no_pair; /**< [out] 1: the profile had no certificate that fitted what the peer takes */
};

/**
 * Credentials of this process for a profile: certificate callback, CA names to announce.
 * @return borrowed, valid while the snapshot is referenced; NULL when memory is exhausted.
 * Source: gnutls_certificate_set_retrieve_function3(), gnutls_certificate_set_trust_list().
 */
gnutls_certificate_credentials_t tlsg_creds_get(const struct tlsg_prof *p);

/** CAs and CRLs of the profile parsed in this process. @return borrowed; NULL: the profile has none, or memory is exhausted. */
gnutls_x509_trust_list_t tlsg_creds_trust(const struct tlsg_prof *p);

#endif
