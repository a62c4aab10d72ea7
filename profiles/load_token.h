/*
 * tls_gnutls - settings that name objects on tokens: their PINs, keys, chains and trust anchors in a snapshot
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot; tlsg_token_again() in any process that steps a handshake.
 * Memory: the snapshot's arena (shm), wiped with it.  Lock: none.
 */
#ifndef TLSG_PROFILES_LOAD_TOKEN_H
#define TLSG_PROFILES_LOAD_TOKEN_H

#include "profiles/load_key.h"

/** Whether a setting names an object on a token, in any of the spellings. */
bool tlsg_token_is(const str *value);

/**
 * Takes the PINs out of the settings of a completed profile: settings that name tokens become canonical URIs without a PIN, what
 * was written is wiped, and the snapshot keeps the PIN apart.
 * @param p  [in,out] profile of a snapshot that is being built. A second call changes nothing.
 * @return TLSG_OK; TLSG_E_CONFIG: a malformed URI, or two different PINs for one object; TLSG_E_RESOURCE.
 */
enum tlsg_ret tlsg_token_settings(struct tlsg_prof *p, struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Looks at a key on a token and makes it a key of the snapshot, or finds it there. Says at INFO what the key can do.
 * @param p     profile that is being built, for messages.
 * @param r     setting, URI after tlsg_token_settings(), and password: the PIN when the URI names none.
 * @param pair  its leaf is what the key must fit.
 * @param out   [out] owned by the snapshot.
 * @return TLSG_OK; TLSG_E_CONFIG: err names the object and says what is wrong; TLSG_E_RESOURCE.
 */
enum tlsg_ret tlsg_token_key(struct tlsg_prof *p, const struct tlsg_key_file_request *r, const struct tlsg_pair *pair,
		struct tlsg_key **out, struct tlsg_err *err) TLSG_MUST_CHECK;

/** Fetches a certificate chain. @param pem  [out] heap, gnutls_free(). @return as tlsg_token_key(). */
enum tlsg_ret tlsg_token_chain(struct tlsg_set *set, const char *setting, const str *uri, const str *password,
		gnutls_datum_t *pem, struct tlsg_err *err) TLSG_MUST_CHECK;

/** Fetches trust anchors. @param pem  [out] heap, gnutls_free(). @return as tlsg_token_key(). */
enum tlsg_ret tlsg_token_anchors(
		struct tlsg_set *set, const str *uri, gnutls_datum_t *pem, struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Leaves TLS 1.3 out of a profile whose keys make no signature for it, and says so.
 * @param p  profile whose pairs are loaded; its priority is compiled again.
 * @return TLSG_OK; TLSG_E_CONFIG: nothing but TLS 1.3 is configured; TLSG_E_RESOURCE.
 * Source: RFC 8446 section 4.4.3: RSA signatures of TLS 1.3 are RSA-PSS.
 */
enum tlsg_ret tlsg_token_limit(struct tlsg_prof *p, struct tlsg_err *err) TLSG_MUST_CHECK;

/** End of building with key_isolation: the snapshot does not hold PINs, the token process does. Nothing without it. */
void tlsg_token_pins_forget(struct tlsg_set *set);

/** Opens the real key in this process. Without a scope. @return [heap]; NULL: tlsg_token_why() says why. */
gnutls_privkey_t tlsg_token_open(const struct tlsg_key *k);

/**
 * After an operation that failed: closes all keys on tokens of this process, starts the modules anew and opens this one again.
 * Without a scope.
 * @param code     what GnuTLS said.
 * @param signing  false: it was a decryption, which also fails when the peer sends nonsense: only a token that is gone counts.
 * @return borrowed; NULL: not to be tried again, or in vain; tlsg_token_why() says why.
 */
gnutls_privkey_t tlsg_token_again(const struct tlsg_key *k, int code, bool signing);

/** An operation failed for good: says so, unless there is a better reason already. @param code  what GnuTLS said. */
void tlsg_token_note(const struct tlsg_key *k, int code);

/** The failure of a token that this process met since the last call, for the error of the connection. @return borrowed; NULL none. */
const char *tlsg_token_why(void);

#endif
