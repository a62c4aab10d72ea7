/*
 * tls_gnutls - loads the certificate chains of profiles with their keys
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot.  Memory: the snapshot's arena (shm).  Lock: none.
 *
 * Not here: whether our own certificates are valid, in order, strong enough and fit their keys (pair_check.h); reading
 * key files (load_key.h) and objects on tokens (load_token.h); cutting a list of files (list.h).
 */
#ifndef TLSG_PROFILES_LOAD_PAIR_H
#define TLSG_PROFILES_LOAD_PAIR_H

#include "profiles/prof.h"

/**
 * Loads what certificate/private_key and certificate2/private_key2 of a completed profile name, and has each pair
 * checked by tlsg_pair_check(). Profiles without a certificate get no pair.
 * @param p  [in,out] profile of a snapshot that is being built; pairs and pairs_len are set.
 * @return TLSG_OK; TLSG_E_CONFIG: a file cannot be read or parsed, or key and certificate do not fit (err names
 *         profile, setting, file and reason); TLSG_E_RESOURCE.
 * Source: gnutls_pcert_list_import_x509_raw().
 */
enum tlsg_ret tlsg_load_pair(struct tlsg_prof *p, struct tlsg_err *err) TLSG_MUST_CHECK;

#endif
