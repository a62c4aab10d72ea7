/*
 * tls_gnutls - private keys: bytes in the snapshot, a real key in each process that needs it
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: loaded by the builder of a snapshot; used by any process that steps a handshake.
 * Memory: bytes in the snapshot's arena (shm), wiped with it; real keys on this process's heap.  Lock: none.
 */
#ifndef TLSG_PROFILES_LOAD_KEY_H
#define TLSG_PROFILES_LOAD_KEY_H

#include "profiles/keys/key_file.h"
#include "profiles/set.h"

struct tlsg_p11_object; /* pkcs11/p11_key.h */

struct tlsg_key
{
	struct tlsg_key *next;
	unsigned index;			  /**< number in the snapshot */
	uint32_t set_number;	  /**< of the snapshot */
	gnutls_pk_algorithm_t pk; /**< GNUTLS_PK_RSA, _RSA_PSS, _ECDSA, _EDDSA_* */
	unsigned bits;
	str source;			  /**< file name for messages, zero-terminated */
	str setting;		  /**< the value that it was loaded for: finds it again for other profiles of the snapshot */
	struct tlsg_der der;  /**< [arena] unencrypted PKCS#8 in DER; empty when the key process has it */
	uint64_t remote;	  /**< number of the key in the process that holds it; 0: the key is here */
	struct tlsg_der spki; /**< [arena] its public key, SubjectPublicKeyInfo in DER */
	bool is_on_token;
	struct tlsg_p11_object *token; /**< [arena] where the key is; NULL: der is the key, or remote is set */
	unsigned can;				   /**< of a key on a token: enum tlsg_p11_can */
	struct tlsg_der leaf;		   /**< of a key on a token: [arena] the certificate that it was tried with */
	gnutls_privkey_t ext;		   /**< [arena] what sessions use: its callbacks find this process's real key */
	struct tlsg_der *certs;		   /**< [arena] chain of a PKCS#12 file, leaf first */
	unsigned certs_len;
	bool is_encrypted; /**< the file is */
	bool is_asked;	   /**< the password was asked for */
	str password;	   /**< borrowed from the profile it was loaded for, while the snapshot is built */
	unsigned char digest[TLSG_KEY_FILE_DIGEST_SIZE]; /**< of the file */
};

/**
 * Loads a private key for a profile, or finds it among the keys of the snapshot. A key that is encrypted is found again only with
 * the same password.
 * @param set  snapshot that is being built; the caller has no scope taken.
 * @param r    setting, file, password; the password's text is borrowed until tlsg_key_passwords_forget().
 * @param out  [out] owned by the snapshot.
 * @return TLSG_OK; TLSG_E_CONFIG: unreadable, empty, not a key, password missing or wrong (err names the file);
 *         TLSG_E_RESOURCE.
 * Source: tlsg_key_file_load(), gnutls_privkey_import_ext4().
 */
enum tlsg_ret tlsg_load_key(struct tlsg_set *set, const struct tlsg_key_file_request *r, struct tlsg_key **out,
		struct tlsg_err *err) TLSG_MUST_CHECK;

/** End of building: no key points to a password any more. */
void tlsg_key_passwords_forget(struct tlsg_set *set);

/**
 * Makes the handle that sessions use and puts a key into the snapshot.
 * @param k  in the snapshot's arena, filled but for number and handle.
 * @return TLSG_OK, TLSG_E_RESOURCE, TLSG_E_INTERNAL.
 */
enum tlsg_ret tlsg_load_key_add(struct tlsg_set *set, struct tlsg_key *k, struct tlsg_err *err) TLSG_MUST_CHECK;

/** Whether a key makes signatures of a kind: by its own kind, and on a token by what the token can do. */
bool tlsg_key_can(const struct tlsg_key *k, gnutls_sign_algorithm_t algo);

/**
 * Makes the real key in this process. Call without a scope.
 * @return new key [heap], to be freed with gnutls_privkey_deinit(); NULL when it cannot be made.
 */
gnutls_privkey_t tlsg_key_open(const struct tlsg_key *k);

#endif
