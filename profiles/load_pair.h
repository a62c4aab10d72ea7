/*
 * tls_gnutls - loads certificate chains with their keys and checks that they can be used
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot.  Memory: the snapshot's arena (shm).  Lock: none.
 */
#ifndef TLSG_PROFILES_LOAD_PAIR_H
#define TLSG_PROFILES_LOAD_PAIR_H

#include "profiles/prof.h"

/**
 * Loads what certificate/private_key and certificate2/private_key2 of a completed profile name. Profiles without a
 * certificate get no pair. Expired and not yet valid certificates, chains in the wrong order and weak keys are warned about.
 * @param p  profile of a snapshot that is being built; pairs and pairs_len are set.
 * @return TLSG_OK; TLSG_E_CONFIG: a file cannot be read or parsed, or key and certificate do not fit (err names profile, setting,
 *         file and reason); TLSG_E_RESOURCE.
 * Source: gnutls_pcert_list_import_x509_raw().
 */
enum tlsg_ret tlsg_load_pair(struct tlsg_prof *p, struct tlsg_err *err) TLSG_MUST_CHECK;

#endif
