/*
 * tls_gnutls - when an operation on a token is tried again
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that uses a token.  Memory: the caller's.  Lock: none.
 *
 * Many modules look for tokens only when they start, and modules that keep tokens in files (SoftHSM) may not see a
 * token or an object at the moment when another process logs in to it. So an attempt that fails quickly is made again,
 * up to three times, with the modules started anew. One that fails slowly is not: the module had time to look, and a
 * worker is waiting.
 */
#ifndef TLSG_PKCS11_P11_RETRY_H
#define TLSG_PKCS11_P11_RETRY_H

#include "pkcs11/p11_key.h"

/* The pause before the second attempt; it grows by as much with each. */
#define TLSG_P11_RETRY_WORKER_MS 15	 /**< where a handshake waits */
#define TLSG_P11_RETRY_BUILDER_MS 40 /**< where a snapshot is built */

/** Attempts so far. */
struct tlsg_p11_retry
{
	int failed;
	long began_ms;
};

/** Before the first attempt. */
void tlsg_p11_retry_begin(struct tlsg_p11_retry *r);

/**
 * An attempt has failed.
 * @return whether it was quick and not the last: close the keys and call tlsg_p11_retry_restart().
 */
bool tlsg_p11_retry_is_worth_it(const struct tlsg_p11_retry *r);

/**
 * Before another attempt: ends the modules of this process, which start anew at their next use, and waits.
 * The caller has closed all keys on tokens that this process has open.
 * @param pause_ms  TLSG_P11_RETRY_WORKER_MS or TLSG_P11_RETRY_BUILDER_MS.
 */
void tlsg_p11_retry_restart(struct tlsg_p11_retry *r, int pause_ms);

/**
 * Opens a key, if need be with several attempts. Call without a scope.
 * @param close_all  closes all keys on tokens that this process has open; called before another attempt.
 * @param err        [out] from the last attempt.
 * @return new key [heap], gnutls_privkey_deinit(); NULL: it cannot be opened now.
 */
gnutls_privkey_t tlsg_p11_retry_open(const struct tlsg_p11_object *o, void (*close_all)(void), struct tlsg_err *err);

/**
 * Tells a token that was lost from other failures of a decryption. A malformed ciphertext from a peer must not make
 * this process open its tokens again.
 * @param code  GnuTLS's error.
 * @return true: the token, the session with it or the object is gone; false: any other error, also those that say
 *         nothing (CKR_GENERAL_ERROR, CKR_DEVICE_ERROR): a module may return them for a malformed ciphertext.
 */
bool tlsg_p11_retry_is_token_lost(int code);

#endif
