/*
 * tls_gnutls - reads private keys, and PKCS#12 files, from disk
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot, the key process.
 * Memory: this process's heap, without a scope; secrets are wiped before they are freed.  Lock: none.
 */
#ifndef TLSG_PROFILES_KEYS_KEY_FILE_H
#define TLSG_PROFILES_KEYS_KEY_FILE_H

#include <gnutls/gnutls.h>

#include "base/err.h"
#include "base/host.h"

#define TLSG_KEY_FILE_DIGEST_SIZE 32 /**< SHA-256 */
#define TLSG_KEY_FILE_CERTS_MAX 32

/** Content of a key file. Empty if all bytes are zero; free with tlsg_key_file_content_free(). */
struct tlsg_key_file_content
{
	gnutls_pk_algorithm_t pk;
	unsigned bits;
	gnutls_datum_t pkcs8;						   /**< [heap] secret: the key as unencrypted PKCS#8 in DER */
	gnutls_datum_t spki;						   /**< [heap] its public key, SubjectPublicKeyInfo in DER */
	gnutls_datum_t certs[TLSG_KEY_FILE_CERTS_MAX]; /**< [heap] chain of a PKCS#12 file in DER, leaf first */
	unsigned certs_len;
	bool is_encrypted;								 /**< a password was needed */
	unsigned char digest[TLSG_KEY_FILE_DIGEST_SIZE]; /**< SHA-256 of the file on disk */
};

/** What to read. */
struct tlsg_key_file_request
{
	const char *setting; /**< name of the parameter, for messages */
	const str *file;	 /**< path, zero-terminated */
	const str *password; /**< setting private_key_password, see tlsg_password_get(); {NULL,0}: none */
};

/**
 * Looks up an encrypted file that was decrypted before; called when nobody can type its password any more.
 * @param digest  SHA-256 of the file.
 * @param out     [out] its content.
 * @return true: found, out is set.
 */
typedef bool (*tlsg_key_file_known_f)(const unsigned char *digest, void *param, struct tlsg_key_file_content *out);

/**
 * Reads a key: PKCS#1, PKCS#8, SEC1, in PEM or DER, plain or encrypted (PKCS#8, and PEM as OpenSSL encrypted it in the
 * past); or a PKCS#12 file with its key and certificates. PEM files may hold other things before the key. Logs a
 * warning about an unencrypted key that everybody can read.
 * @param known  called for encrypted files when nobody can type a password any more; NULL: no file is known.
 * @param param  passed to known.
 * @param out    [out] to be freed by the caller after TLSG_OK only.
 * @param err    [out] names setting, file and reason; no part of the content.
 * @return TLSG_OK; TLSG_E_CONFIG: unreadable, empty, not a key, damaged, password missing or wrong; TLSG_E_RESOURCE.
 * Source: gnutls_x509_privkey_import2(), gnutls_pkcs12_simple_parse().
 */
enum tlsg_ret tlsg_key_file_load(const struct tlsg_key_file_request *r, tlsg_key_file_known_f known, void *param,
		struct tlsg_key_file_content *out, struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Copies everything but the digest; the copy counts as encrypted.
 * @param from  borrowed.
 * @param to    [out] zeroed before; to be freed by the caller, also when it fails.
 * @return false: out of memory.
 */
bool tlsg_key_file_content_copy(
		const struct tlsg_key_file_content *from, struct tlsg_key_file_content *to) TLSG_MUST_CHECK;

/** Wipes and frees. Idempotent. */
void tlsg_key_file_content_free(struct tlsg_key_file_content *c);

/** Whether a file name has the suffix of PKCS#12, .p12 or .pfx, in any case. */
bool tlsg_key_file_name_is_pkcs12(const str *name);

/** Whether bytes are a PKCS#12 file: DER of a PFX. @param data  as read by tlsg_file_read(). */
bool tlsg_key_file_data_is_pkcs12(const gnutls_datum_t *data);

#endif
