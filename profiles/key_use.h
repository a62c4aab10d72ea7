/*
 * tls_gnutls - operations with private keys: the handles of this process, and why an operation failed
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that steps a handshake.  Memory: handles on this process's heap, made without a scope.  Lock:
 * none.
 *
 * A session uses the external key of a snapshot. Its callbacks find the handle of this process (opened at first use),
 * or ask the process that holds the key. Handles are closed when the snapshot of their key is no longer in use.
 */
#ifndef TLSG_PROFILES_KEY_USE_H
#define TLSG_PROFILES_KEY_USE_H

#include "profiles/key.h"

struct tlsg_arena;

/**
 * Makes the external key that sessions use.
 * @param k      [in,out] key of a snapshot that is being built; ext is set.
 * @param arena  of the snapshot.
 * @return TLSG_OK, TLSG_E_RESOURCE, TLSG_E_INTERNAL.
 * Source: gnutls_privkey_import_ext4().
 */
enum tlsg_ret tlsg_key_use_init(struct tlsg_key *k, struct tlsg_arena *arena, struct tlsg_err *err) TLSG_MUST_CHECK;

/** @return how many operations with a key have failed in all processes since the configuration was loaded. */
unsigned tlsg_key_use_failures(const struct tlsg_key *k);

/** Closes the handles of snapshots that are no longer in use. Cheap when no snapshot has gone since the last call. */
void tlsg_key_use_collect(void);

/** @return whether tlsg_key_use_why() has a sentence. */
bool tlsg_key_use_has_failed(void);

/**
 * Why operations with keys failed in this process since the last call: a key file, a token, a key process.
 * @return one sentence, valid until the next operation; NULL: none failed.
 */
const char *tlsg_key_use_why(void);

#endif
