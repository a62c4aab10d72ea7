/*
 * tls_gnutls - checks our own certificates and keys as a peer would
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot.  Memory: this process's heap while it runs.  Lock: none.
 *
 * All checks of the certificates that this host presents are here. Not here: loading them (load_pair.h), verifying what
 * a peer presents (verify/verify.h), warnings before they expire (gnutls_mod/mod_expiry.h).
 */
#ifndef TLSG_PROFILES_PAIR_CHECK_H
#define TLSG_PROFILES_PAIR_CHECK_H

#include "profiles/prof.h"

/**
 * Fills pk, bits and the dates of a pair and checks its chain. Warnings, one each: a certificate that has expired or is
 * not valid yet; key usage and extended key usage that do not fit the role; a chain that is out of order; a chain of
 * the leaf alone whose issuer is not among our CAs; a weak key; a weak signature.
 * @param p     the profile; its priority and trust are set.
 * @param file  where the chain comes from, for messages.
 * @param pair  [in,out] chain and chain_len are set.
 * @return TLSG_OK; TLSG_E_CONFIG: the chain cannot be parsed, or the key is weaker than the security level of the
 *         profile.
 */
enum tlsg_ret tlsg_pair_check(
		const struct tlsg_prof *p, const str *file, struct tlsg_pair *pair, struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Checks only the strength of the leaf's key, for a chain that was checked for another profile.
 * @param pair  pk and bits are set.
 * @return TLSG_OK; TLSG_E_CONFIG: weaker than the security level of the profile.
 */
enum tlsg_ret tlsg_pair_check_strength(
		const struct tlsg_prof *p, const str *file, const struct tlsg_pair *pair, struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Checks that the key of a pair belongs to its leaf, by public key.
 * @param setting    name of the parameter that names the key.
 * @param cert_file  where the chain comes from.
 * @param pair       its key was loaded from a file; chain is set.
 * @return TLSG_OK; TLSG_E_CONFIG: it does not belong to the leaf (err says whether it belongs to a later certificate of
 *         the chain), or cannot be used.
 */
enum tlsg_ret tlsg_pair_check_fit(
		const char *setting, const str *cert_file, const struct tlsg_pair *pair, struct tlsg_err *err) TLSG_MUST_CHECK;

#endif
