/*
 * tls_gnutls - loads objects on tokens that settings name: their PINs, keys, chains and trust anchors
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot.  Memory: the snapshot's arena (shm), wiped with it.  Lock: none.
 *
 * Not here: opening a key in the processes that sign with it, and what happens when a token is lost (key_use.h); the
 * questions that tokens are asked (pkcs11/p11_look.h); which of several PINs counts (keys/pin.h).
 */
#ifndef TLSG_PROFILES_LOAD_TOKEN_H
#define TLSG_PROFILES_LOAD_TOKEN_H

#include "profiles/key.h"
#include "profiles/prof.h"

/** Whether a value, or the first of a list, names an object on a token, in any of the spellings. */
bool tlsg_load_token_is_uri(const str *value);

/**
 * Moves the PINs out of the settings of a completed profile: URIs become canonical ones without a PIN, what was written
 * is wiped, the snapshot keeps the PINs apart.
 * @param p  [in,out] profile of a snapshot that is being built. A second call changes nothing.
 * @return TLSG_OK; TLSG_E_CONFIG: a malformed URI, two different PINs or modules for one object; TLSG_E_RESOURCE.
 */
enum tlsg_ret tlsg_load_token_settings(struct tlsg_prof *p, struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Tries a key on a token and makes it a key of the snapshot, or finds it there. Logs at INFO what the key can do.
 * @param p     profile that is being built.
 * @param r     setting, URI after tlsg_load_token_settings(), and password: the PIN if the URI has none.
 * @param leaf  certificate that the key must fit, in DER; borrowed by the key, in the snapshot's arena.
 * @param out   [out] owned by the snapshot.
 * @return TLSG_OK; TLSG_E_CONFIG: err names the object and says what is wrong; TLSG_E_RESOURCE.
 */
enum tlsg_ret tlsg_load_token_key(struct tlsg_prof *p, const struct tlsg_key_file_request *r,
		const gnutls_datum_t *leaf, struct tlsg_key **out, struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Fetches a certificate chain.
 * @param r    as for tlsg_load_token_key().
 * @param pem  [out] heap, gnutls_free().
 * @return as tlsg_load_token_key().
 */
enum tlsg_ret tlsg_load_token_chain(struct tlsg_set *set, const struct tlsg_key_file_request *r, gnutls_datum_t *pem,
		struct tlsg_err *err) TLSG_MUST_CHECK;

/** Fetches trust anchors for ca_list. @param pem  [out] heap, gnutls_free(). @return as tlsg_load_token_key(). */
enum tlsg_ret tlsg_load_token_anchors(
		struct tlsg_set *set, const str *uri, gnutls_datum_t *pem, struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Warns about tokens that take fewer sessions at a time than are needed. Without a token process each process that
 * signs has one for each key.
 * @param set        after building.
 * @param processes  that may sign.
 */
void tlsg_load_token_sessions_warn(const struct tlsg_set *set, unsigned processes);

/**
 * End of building. With a token process no other process needs PINs: the snapshot's are wiped. Without one they stay.
 */
void tlsg_load_token_pins_forget(struct tlsg_set *set);

/**
 * A snapshot has been published: its PINs were accepted, so records of other PINs that its tokens have refused are
 * removed (pkcs11/p11_refused.h).
 */
void tlsg_load_token_in_use(const struct tlsg_set *set);

#endif
