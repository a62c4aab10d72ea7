/*
 * tls_gnutls - private keys: bytes in the snapshot, a real key in each process that needs it
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: loaded by the builder of a snapshot; used by any process that steps a handshake.
 * Memory: bytes in the snapshot's arena (shm), wiped with it; real keys on this process's heap.  Lock: none.
 */
#ifndef TLSG_PROFILES_PROF_KEY_H
#define TLSG_PROFILES_PROF_KEY_H

#include "profiles/prof_set.h"

struct tlsg_key
{
	struct tlsg_key *next;
	unsigned index;			  /**< number in the snapshot */
	uint32_t set_number;	  /**< of the snapshot */
	gnutls_pk_algorithm_t pk; /**< GNUTLS_PK_RSA, _RSA_PSS, _ECDSA, _EDDSA_* */
	unsigned bits;
	str source;			  /**< file name for messages, zero-terminated */
	str setting;		  /**< the value that it was loaded for: finds it again for other profiles of the snapshot */
	struct tlsg_der der;  /**< [arena] unencrypted PKCS#8 in DER */
	gnutls_privkey_t ext; /**< [arena] what sessions use: its callbacks find this process's real key */
};

/**
 * Loads a private key for a profile, or finds it among the keys of the snapshot.
 * @param set       snapshot that is being built; the caller has no scope taken.
 * @param file      path; PEM or DER; PKCS#1, PKCS#8, SEC1, encrypted or not.
 * @param password  {NULL,0}: none.
 * @param out       [out] owned by the snapshot.
 * @return TLSG_OK; TLSG_E_CONFIG: unreadable, empty, not a key, password missing or wrong (err names the file);
 *         TLSG_E_RESOURCE.
 * Source: gnutls_x509_privkey_import2(), gnutls_privkey_import_ext4().
 */
enum tlsg_ret tlsg_key_load(struct tlsg_set *set, const str *file, const str *password, struct tlsg_key **out,
		struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Makes the real key in this process. Call without a scope.
 * @return new key [heap], to be freed with gnutls_privkey_deinit(); NULL when it cannot be made.
 */
gnutls_privkey_t tlsg_key_open(const struct tlsg_key *k);

/**
 * Reads a file of bounded size into this process's heap.
 * @param setting  name of the parameter, for the error text.
 * @param file     path, zero-terminated.
 * @param out      [out] to be freed with gnutls_free() after wiping if secret; zero byte behind the end.
 * @return TLSG_OK; TLSG_E_CONFIG: cannot be read (with the reason and the user it was tried as), empty, larger than 16 MiB;
 *         TLSG_E_RESOURCE.
 */
enum tlsg_ret tlsg_file_read(
		const char *setting, const char *file, gnutls_datum_t *out, struct tlsg_err *err) TLSG_MUST_CHECK;

#endif
