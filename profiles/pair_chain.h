/*
 * tls_gnutls - completes the chain of a certificate file from the CAs of its profile
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot.  Memory: the snapshot's arena (shm); GnuTLS allocates and frees on this process's
 * heap.  Lock: none.
 *
 * OpenSSL does this for every certificate that comes without others: `certificate` with the leaf alone and `ca_list`
 * with its issuers is a common configuration. Not here: loading the file (load_pair.h), checks of the result
 * (pair_check.h).
 */
#ifndef TLSG_PROFILES_PAIR_CHAIN_H
#define TLSG_PROFILES_PAIR_CHAIN_H

#include "profiles/prof.h"

/**
 * Appends the issuers of a leaf that is alone in its file, as far as ca_list and ca_path have them. Self-signed
 * certificates are left out: a peer that does not have the root does not trust it because it was sent. A file with more
 * certificates is sent as it is.
 * @param p     the profile; its trust is set.
 * @param file  where the leaf comes from, for messages.
 * @param pair  [in,out] chain and chain_len as in the file; own_len is set, chain and chain_len may be replaced.
 * @param err   [out] NULL allowed.
 * @return TLSG_OK, also if there is nothing to append; TLSG_E_CONFIG: the leaf cannot be parsed; TLSG_E_RESOURCE: out
 *         of shared memory.
 * Source: RFC 8446 section 4.4.2; SSL_CTX_set_mode(3), SSL_MODE_NO_AUTO_CHAIN.
 */
enum tlsg_ret tlsg_pair_chain_complete(
		const struct tlsg_prof *p, const str *file, struct tlsg_pair *pair, struct tlsg_err *err) TLSG_MUST_CHECK;

#endif
