/*
 * tls_gnutls - private keys on tokens: what they can do, opened by each process that signs
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that steps a handshake.
 * Memory: struct tlsg_p11_object and its gate in the snapshot's arena (shm); keys on this process's heap.
 * Lock: the gate, around a login.
 */
#ifndef TLSG_PKCS11_P11_KEY_H
#define TLSG_PKCS11_P11_KEY_H

#include <gnutls/abstract.h>

#include "pkcs11/p11_gate.h"

/** What a key can do, found out by doing it. */
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

/** Where a key is and how to get at it. Plain data, lies in shared memory, wiped with it. */
struct tlsg_p11_object
{
	char uri[TLSG_P11_URI_SIZE]; /**< without PIN and module; also the name for messages */
	char module
			[TLSG_P11_PATH_SIZE]; /**< path of the library; "": to be found among the registered ones (builder only) */
	struct tlsg_p11_secret pin;
	struct tlsg_p11_gate *gate; /**< [shm] shared by objects with the same token and PIN; NULL: none needed */
};

/**
 * Finds the object of a key with one login, in this process, whose module is loaded. Call without a scope.
 * @param out  [out] new key [heap], gnutls_privkey_deinit().
 * @return 0, or GnuTLS's error; a PIN found wrong is remembered in the gate.
 */
int tlsg_p11_key_import(const struct tlsg_p11_object *object, gnutls_privkey_t *out);

/** Says in a sentence why a login or a search failed. @param code  GnuTLS's error. @return TLSG_E_CONFIG. */
enum tlsg_ret tlsg_p11_key_explain(int code, struct tlsg_err *err);

/**
 * Opens a key in this process: loads its module at first use, logs in. Call without a scope. One process at a time does it for a
 * token, others wait up to 10 s: a PIN that is wrong is found out by one, and modules that keep tokens in files (SoftHSM) do
 * not find them while another process logs in.
 * @param object  as completed by the builder: module is a path.
 * @param err     [out] one sentence without the object's name.
 * @return new key [heap], to be freed with gnutls_privkey_deinit(); NULL: not now. A PIN that was found wrong is not tried
 *         again by any process as long as the object's gate exists.
 */
gnutls_privkey_t tlsg_p11_key_open(const struct tlsg_p11_object *object, struct tlsg_err *err);

/** Whether the PIN was found wrong: opening is in vain until the configuration is loaded again. */
bool tlsg_p11_key_is_refused(const struct tlsg_p11_object *object);

/** Whether a key that can do this makes signatures of that kind. @param can  enum tlsg_p11_can. */
bool tlsg_p11_key_can(unsigned can, gnutls_sign_algorithm_t algo);

/** Writes what a key can do, "RSA PKCS#1, RSA-PSS (SHA-256)". @param out  [out] zero-terminated. @return out. */
const char *tlsg_p11_key_describe(unsigned can, char *out, size_t size);

#endif
