/*
 * tls_gnutls - private keys on tokens: opened by each process that uses them, and what they can do
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that steps a handshake.
 * Memory: struct tlsg_p11_object in the snapshot's arena (shm) or the caller's; keys on this process's heap.
 * Lock: the gate, around a login.
 */
#ifndef TLSG_PKCS11_P11_KEY_H
#define TLSG_PKCS11_P11_KEY_H

#include <gnutls/abstract.h>

#include "pkcs11/p11_gate.h"

/** What a key can do, found out by trying. */
enum tlsg_p11_can
{
	TLSG_P11_CAN_PKCS1 = 1, /**< RSA with PKCS#1 v1.5 padding */
	TLSG_P11_CAN_PSS_SHA256 = 2,
	TLSG_P11_CAN_PSS_SHA384 = 4,
	TLSG_P11_CAN_PSS_SHA512 = 8,
	TLSG_P11_CAN_ECDSA = 16,
	TLSG_P11_CAN_EDDSA = 32,
	TLSG_P11_CAN_DECRYPT = 64 /**< RSA key exchange, TLS 1.2 and older */
};
#define TLSG_P11_CAN_PSS (TLSG_P11_CAN_PSS_SHA256 | TLSG_P11_CAN_PSS_SHA384 | TLSG_P11_CAN_PSS_SHA512)

/** Where a key is and how to log in to it. Plain data, in shared memory, wiped with it. */
struct tlsg_p11_object
{
	char uri[TLSG_P11_URI_SIZE];	 /**< without PIN and module; names this one object of one library */
	char module[TLSG_P11_PATH_SIZE]; /**< path of the library; "": it is registered with p11-kit without one */
	gnutls_datum_t certificate;		 /**< that the key belongs to: DER, borrowed */
	unsigned can;					 /**< enum tlsg_p11_can */
	struct tlsg_p11_secret pin;
	struct tlsg_p11_gate *gate; /**< [shm] shared by objects with the same token and PIN; NULL: none is needed */
};

/**
 * Finds the object of a key, with one login; its module is loaded in this process. Call without a scope.
 * @param out  [out] new key [heap], gnutls_privkey_deinit().
 * @return 0, or GnuTLS's error; the gate remembers a PIN that was wrong.
 */
int tlsg_p11_key_import(const struct tlsg_p11_object *object, gnutls_privkey_t *out);

/**
 * Records in a sentence why a login or a search failed.
 * @param code  GnuTLS's error, which err->gnutls_code keeps.
 * @return TLSG_E_CONFIG.
 */
enum tlsg_ret tlsg_p11_key_explain(int code, struct tlsg_err *err);

/**
 * Has an open key sign a text, which shows that it belongs to its certificate, and that the token works.
 * @param code  [out] GnuTLS's error of the signature; 0: it was made.
 * @param err   [out] one sentence without the object's name.
 * @return TLSG_OK; TLSG_E_CONFIG: the certificate has another key, or the token does not sign; TLSG_E_RESOURCE.
 */
enum tlsg_ret tlsg_p11_key_prove(
		const struct tlsg_p11_object *object, gnutls_privkey_t key, int *code, struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Opens a key in this process: loads its module at first use, logs in, and has it signed a text
 * (tlsg_p11_key_prove()). Call without a scope. One process at a time does so for a token, others wait up to 10 s: only
 * one finds out that a PIN is wrong, and modules that keep tokens in files (SoftHSM) may not see them while another
 * process logs in. pkcs11/p11_retry.h has the function that tries several times.
 * @param out  [out] new key [heap], gnutls_privkey_deinit().
 * @param err  [out] one sentence without the object's name.
 * @return TLSG_OK; TLSG_AGAIN: as tlsg_p11_module_use(); TLSG_E_CONFIG, TLSG_E_RESOURCE: it cannot be opened now. No
 *         process tries a wrong PIN again as long as the object's gate exists.
 */
enum tlsg_ret tlsg_p11_key_open(
		const struct tlsg_p11_object *object, gnutls_privkey_t *out, struct tlsg_err *err) TLSG_MUST_CHECK;

/** @return whether the PIN was wrong: the key cannot be opened until the configuration is loaded again. */
bool tlsg_p11_key_is_refused(const struct tlsg_p11_object *object);

/** @return whether a key makes signatures of that kind. @param can  what it can do, enum tlsg_p11_can. */
bool tlsg_p11_key_can(unsigned can, gnutls_sign_algorithm_t algo);

/** Writes what a key can do, "RSA PKCS#1, RSA-PSS (SHA-256)". @param out  [out] zero-terminated. @return out. */
const char *tlsg_p11_key_describe(unsigned can, char *out, size_t size);

#endif
