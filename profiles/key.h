/*
 * tls_gnutls - what a private key of a snapshot is: where it is kept, and what it can do
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: the snapshot's arena (shm), wiped with it.  Lock: none, immutable once the snapshot is
 * published.
 *
 * Not here: how a key gets into a snapshot (load_key.h for files, load_token.h for tokens), signing and decrypting with
 * it (key_use.h), the formats of key files (keys/key_file.h).
 */
#ifndef TLSG_PROFILES_KEY_H
#define TLSG_PROFILES_KEY_H

#include <gnutls/abstract.h>

#include "profiles/keys/key_file.h"
#include "profiles/verify/der.h"

struct tlsg_p11_object; /* pkcs11/p11_key.h */

/** Where a key is kept, which decides how operations reach it. */
enum tlsg_key_kind
{
	TLSG_KEY_KIND_FILE,			/**< in the snapshot: each process makes a handle from its bytes */
	TLSG_KEY_KIND_TOKEN,		/**< on a token: each process logs in */
	TLSG_KEY_KIND_KEY_PROCESS,	/**< in the key process, which has read the file */
	TLSG_KEY_KIND_TOKEN_PROCESS /**< on a token that only the token process logs in to */
};

struct tlsg_key
{
	struct tlsg_key *next;
	unsigned index;		 /**< number in the snapshot */
	uint32_t set_number; /**< of the snapshot */
	enum tlsg_key_kind kind;
	gnutls_pk_algorithm_t pk; /**< GNUTLS_PK_RSA, _RSA_PSS, _ECDSA, _EDDSA_* */
	unsigned bits;
	str source;						/**< file or URI, zero-terminated: for messages, and to find the key again */
	struct tlsg_der der;			/**< of _FILE: [arena] unencrypted PKCS#8 in DER; otherwise empty */
	uint64_t remote;				/**< of _KEY_PROCESS and _TOKEN_PROCESS: number of the key there; otherwise 0 */
	struct tlsg_der spki;			/**< [arena] of a file: its public key, SubjectPublicKeyInfo in DER */
	struct tlsg_p11_object *object; /**< of _TOKEN: [arena] where the key is; otherwise NULL */
	unsigned can;					/**< of a key on a token: enum tlsg_p11_can */
	struct tlsg_der leaf;			/**< of a key on a token: [arena] the certificate that it was tried with */
	gnutls_privkey_t ext;			/**< [arena] external key that sessions use: tlsg_key_use_init() */
	uint32_t *failures;				/**< [arena] atomic: operations of all processes that failed */
	struct tlsg_der *certs;			/**< [arena] chain of a PKCS#12 file, leaf first */
	unsigned certs_len;
	bool is_encrypted; /**< the file is */
	bool is_asked;	   /**< the password was asked for */
	str password;	   /**< borrowed from the profile it was loaded for, while the snapshot is built */
	unsigned char digest[TLSG_KEY_FILE_DIGEST_SIZE]; /**< SHA-256 of the file */
};

/** Whether a key is on a token, however it is reached. */
bool tlsg_key_is_on_token(const struct tlsg_key *k);

/** Whether a key makes signatures of a kind: by its own algorithm, and on a token by what the token can do. */
bool tlsg_key_can(const struct tlsg_key *k, gnutls_sign_algorithm_t algo);

/**
 * Whether a key makes any signature that TLS 1.3 allows. Source: RFC 8446 section 4.2.3, RSA signatures must be
 * RSA-PSS.
 */
bool tlsg_key_signs_tls13(const struct tlsg_key *k);

#endif
