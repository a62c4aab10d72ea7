/*
 * tls_gnutls - what a private key of a snapshot is: where it is kept, and what it can do
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: the snapshot's arena (shm), wiped with it.  Lock: none, immutable once the snapshot is
 * published.
 */
#include "profiles/key.h"

#include "pkcs11/p11_key.h"

bool tlsg_key_is_on_token(const struct tlsg_key *k)
{
	return k->kind == TLSG_KEY_KIND_TOKEN || k->kind == TLSG_KEY_KIND_TOKEN_PROCESS;
}

bool tlsg_key_can(const struct tlsg_key *k, gnutls_sign_algorithm_t algo)
{
	return gnutls_sign_supports_pk_algorithm(algo, k->pk) != 0
		   && (!tlsg_key_is_on_token(k) || tlsg_p11_key_can(k->can, algo));
}

bool tlsg_key_signs_tls13(const struct tlsg_key *k)
{
	return !tlsg_key_is_on_token(k) || (k->can & ~(unsigned)(TLSG_P11_CAN_PKCS1 | TLSG_P11_CAN_DECRYPT)) != 0;
}
