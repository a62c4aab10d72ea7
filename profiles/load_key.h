/*
 * tls_gnutls - loads private keys from files into a snapshot
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot.  Memory: the snapshot's arena (shm), wiped with it.  Lock: none.
 *
 * Not here: the formats of key files (keys/key_file.h), keys on tokens (load_token.h), signing and decrypting
 * (key_use.h).
 */
#ifndef TLSG_PROFILES_LOAD_KEY_H
#define TLSG_PROFILES_LOAD_KEY_H

#include "profiles/key.h"
#include "profiles/set.h"

/**
 * Loads a private key for a profile, or finds it among the keys of the snapshot. A key that is encrypted is found again
 * only with the same password.
 * @param set  snapshot that is being built; the caller has no scope taken.
 * @param r    setting, file, password; the password's text is borrowed until tlsg_load_key_passwords_forget().
 * @param out  [out] owned by the snapshot.
 * @return TLSG_OK; TLSG_E_CONFIG: unreadable, empty, not a key, password missing or wrong (err names the file);
 *         TLSG_E_RESOURCE.
 * Source: tlsg_key_file_load(); with key isolation tlsg_client_load().
 */
enum tlsg_ret tlsg_load_key(struct tlsg_set *set, const struct tlsg_key_file_request *r, struct tlsg_key **out,
		struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Looks for a key in the snapshot in use: what a person typed at start serves reloads too.
 * @param source  file or URI, after completion.
 * @param take    asked for each key with that source: copies what is wanted; true ends the search.
 * @param param   passed to take.
 * @return whether one was taken.
 */
bool tlsg_load_key_in_use(const str *source, bool (*take)(const struct tlsg_key *k, void *param), void *param);

/** End of building: no key points to a password any more. */
void tlsg_load_key_passwords_forget(struct tlsg_set *set);

/**
 * Makes the external key that sessions use, and adds a key to the snapshot.
 * @param k  [in,out] in the snapshot's arena, filled but for number and external key.
 * @return TLSG_OK, TLSG_E_RESOURCE, TLSG_E_INTERNAL.
 */
enum tlsg_ret tlsg_load_key_add(struct tlsg_set *set, struct tlsg_key *k, struct tlsg_err *err) TLSG_MUST_CHECK;

#endif
