/*
 * tls_gnutls - operations with a private key: signing, decrypting
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that steps a handshake, the key process, children of the token process. Memory: this process's
 * heap. Lock: none.
 */
#include "profiles/keys/op.h"

#include <gnutls/crypto.h>

int tlsg_op_sign(gnutls_privkey_t key, enum tlsg_op op, gnutls_sign_algorithm_t algo, const gnutls_datum_t *in,
		gnutls_datum_t *made)
{
	if(op == TLSG_OP_SIGN_DATA)
		return gnutls_privkey_sign_data2(key, algo, 0, in, made);
	if(op != TLSG_OP_SIGN_HASH)
		return GNUTLS_E_INVALID_REQUEST;
	if(algo == GNUTLS_SIGN_RSA_RAW)
		return gnutls_privkey_sign_hash(key, GNUTLS_DIG_UNKNOWN, GNUTLS_PRIVKEY_SIGN_FLAG_TLS1_RSA, in, made);
	return gnutls_privkey_sign_hash2(key, algo, 0, in, made);
}

int tlsg_op_verify(gnutls_pubkey_t pub, const struct tlsg_op_job *j)
{
	const unsigned flags = GNUTLS_VERIFY_ALLOW_BROKEN; /* the peer and the configuration decide what is allowed */

	if(j->op == TLSG_OP_SIGN_DATA)
		return gnutls_pubkey_verify_data2(pub, j->algo, flags, j->in, &j->made);
	if(j->algo == GNUTLS_SIGN_RSA_RAW)
		return gnutls_pubkey_verify_hash2(
				pub, GNUTLS_SIGN_UNKNOWN, flags | GNUTLS_VERIFY_USE_TLS1_RSA, j->in, &j->made);
	return gnutls_pubkey_verify_hash2(pub, j->algo, flags, j->in, &j->made);
}

int tlsg_op_decrypt(gnutls_privkey_t key, const gnutls_datum_t *in, gnutls_datum_t *made, int *code)
{
	int rc;

	made->data = gnutls_malloc(TLSG_OP_PREMASTER_BYTES);
	if(made->data == NULL || gnutls_rnd(GNUTLS_RND_NONCE, made->data, TLSG_OP_PREMASTER_BYTES) < 0)
		return GNUTLS_E_MEMORY_ERROR;
	made->size = TLSG_OP_PREMASTER_BYTES;
	rc = key != NULL ? gnutls_privkey_decrypt_data2(key, 0, in, made->data, made->size) : GNUTLS_E_DECRYPTION_FAILED;
	if(code != NULL)
		*code = rc;
	return 0;
}
