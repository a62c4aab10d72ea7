/*
 * tls_gnutls - operations with a private key: signing, decrypting
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that steps a handshake, the key process, children of the token process. Memory: this process's
 * heap. Lock: none.
 */
#ifndef TLSG_PROFILES_KEYS_OP_H
#define TLSG_PROFILES_KEYS_OP_H

#include <gnutls/abstract.h>

#define TLSG_OP_PREMASTER_BYTES 48 /**< RFC 5246 section 7.4.7.1 */

enum tlsg_op
{
	TLSG_OP_SIGN_DATA = 1,
	TLSG_OP_SIGN_HASH = 2,
	TLSG_OP_DECRYPT = 3 /**< a premaster secret: random if there is not one in the ciphertext, which no peer can tell */
};

/** An operation that is wanted. */
struct tlsg_op_job
{
	enum tlsg_op op;
	gnutls_sign_algorithm_t algo; /**< of a signature */
	const gnutls_datum_t *in;	  /**< data, hash or ciphertext */
	gnutls_datum_t made;		  /**< result [heap] */
};

/**
 * Signs. Call without a scope.
 * @param op    TLSG_OP_SIGN_DATA, or TLSG_OP_SIGN_HASH; with that GNUTLS_SIGN_RSA_RAW is what TLS 1.0 and 1.1 sign.
 * @param in    data or hash.
 * @param made  [out] [heap], gnutls_free().
 * @return 0, or GnuTLS's error.
 */
int tlsg_op_sign(gnutls_privkey_t key, enum tlsg_op op, gnutls_sign_algorithm_t algo, const gnutls_datum_t *in,
		gnutls_datum_t *made);

/**
 * Verifies a signature that tlsg_op_sign() made, with the public key. Call without a scope.
 * @param j  after tlsg_op_sign().
 * @return 0, or GnuTLS's error.
 */
int tlsg_op_verify(gnutls_pubkey_t pub, const struct tlsg_op_job *j);

/**
 * Decrypts a premaster secret. Whatever the ciphertext, the result has TLSG_OP_PREMASTER_BYTES; it is random if there
 * is no premaster secret of that size in the ciphertext, so that a peer learns nothing by sending malformed ones (RFC
 * 5246 section 7.4.7.1). This is the only place that decides so. Call without a scope.
 * @param key   NULL: it cannot be opened, the result is random.
 * @param made  [out] [heap], gnutls_free(), to be wiped.
 * @param code  [out] GnuTLS's code, which must not reach the peer. NULL allowed.
 * @return 0; GNUTLS_E_MEMORY_ERROR.
 */
int tlsg_op_decrypt(gnutls_privkey_t key, const gnutls_datum_t *in, gnutls_datum_t *made, int *code);

#endif
