/*
 * tls_gnutls - looks at a certificate chain of ours as a peer would
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot.  Memory: this process's heap while it runs.  Lock: none.
 */
#ifndef TLSG_PROFILES_PAIR_CHECK_H
#define TLSG_PROFILES_PAIR_CHECK_H

#include "profiles/prof.h"

/**
 * Fills pk, bits and the dates of a pair and checks its chain. Warned about, once each: dates of each certificate, key usage and extended
 * key usage that do not fit the role, a chain that is out of order, a chain that is the leaf alone although its issuer is no CA of
 * ours, weak keys and weak signatures.
 * @param p     the profile; its priority and trust are there.
 * @param file  where the chain comes from, for messages.
 * @param pair  chain and chain_len are set.
 * @return TLSG_OK; TLSG_E_CONFIG: the chain cannot be parsed, or the key is weaker than the security level of the profile.
 */
enum tlsg_ret tlsg_pair_check(
		const struct tlsg_prof *p, const str *file, struct tlsg_pair *pair, struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Looks at the strength of the leaf's key alone, for a chain that was checked for another profile.
 * @param pair  pk and bits are set.
 * @return TLSG_OK; TLSG_E_CONFIG: weaker than the security level of the profile.
 */
enum tlsg_ret tlsg_pair_check_strength(
		const struct tlsg_prof *p, const str *file, const struct tlsg_pair *pair, struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Checks that the key of a pair belongs to its leaf, by public key.
 * @param setting    name of the parameter that names the key.
 * @param cert_file  where the chain comes from.
 * @return TLSG_OK; TLSG_E_CONFIG: it does not, or cannot be used (err says so, and whether it belongs to a later certificate of the
 *         chain).
 */
enum tlsg_ret tlsg_pair_check_fit(
		const char *setting, const str *cert_file, const struct tlsg_pair *pair, struct tlsg_err *err) TLSG_MUST_CHECK;

#endif
