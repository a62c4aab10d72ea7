/*
 * tls_gnutls - operations with a key on a token: it is opened when needed, and again when the token was lost
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that steps a handshake, children of the token process.  Memory: this process's heap, without a
 * scope.  Lock: the gate, around a login.
 *
 * After a failure an operation is tried once more with a new session. What a failed decryption returns may depend on
 * the ciphertext, and so on the peer; opening a session takes time that a peer can measure, and would tell whether a
 * ciphertext is well-formed (Bleichenbacher). So a decryption is tried again only after errors that no ciphertext
 * causes. For all other errors (modules have few codes, and many return a general one) the key has to make a signature
 * first, before a decryption, whenever it has made none for TLSG_TOKEN_OP_PROVE_MS. That does not depend on any
 * ciphertext. If it fails, a new session is opened. So both kinds of operations recover, whatever the module returns.
 *
 * Each signature is verified with the public key of the certificate before it is used: GnuTLS opens a session that the
 * module calls invalid again by itself, and uses whatever key it finds under the name then. A decryption with that key
 * is noticed by the next signature of the kind above. It cannot be noticed at once: only a signature before each
 * decryption would show the key, which doubles what an RSA key exchange costs, and one after each failed decryption
 * would tell a peer, by the time it takes, which ciphertexts are malformed.
 */
#ifndef TLSG_PROFILES_KEYS_TOKEN_OP_H
#define TLSG_PROFILES_KEYS_TOKEN_OP_H

#include "pkcs11/p11_key.h"
#include "profiles/keys/op.h"

#define TLSG_TOKEN_OP_PROVE_MS 1000 /**< a decryption relies on the last signature for so long */

/** A key on a token, in one process. */
struct tlsg_token_op_key
{
	const struct tlsg_p11_object *object;
	const char *name;	  /**< for messages */
	gnutls_privkey_t key; /**< [heap] NULL: not open */
	gnutls_pubkey_t pub;  /**< [heap] of the certificate; set with key */
	long signed_ms;		  /**< when it last made a signature, tlsg_p11_probe_clock() */
};

/**
 * Opens the key, if it is not open.
 * @param close_all  closes all keys on tokens that this process has open, this one included.
 * @param why        [out] one sentence without the key's name; empty if it is open.
 * @return whether it is open.
 */
bool tlsg_token_op_open(struct tlsg_token_op_key *k, void (*close_all)(void), struct tlsg_err *why);

/** Closes the key. Idempotent. */
void tlsg_token_op_close(struct tlsg_token_op_key *k);

/**
 * Performs an operation; opens the key before, if it is not open. Logs at WARNING that a token was lost and is back.
 * @param j          [in,out] what a decryption makes of a malformed ciphertext: tlsg_op_decrypt().
 * @param close_all  as for tlsg_token_op_open().
 * @param why        [out] one sentence without the key's name if a signature failed, or if the key could not be opened;
 *                   otherwise empty.
 * @return 0; GnuTLS's error: of a decryption with an open key GNUTLS_E_MEMORY_ERROR only. k->key is NULL if it could
 *         not be opened.
 */
int tlsg_token_op_run(
		struct tlsg_token_op_key *k, struct tlsg_op_job *j, void (*close_all)(void), struct tlsg_err *why);

#endif
