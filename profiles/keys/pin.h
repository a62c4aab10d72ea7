/*
 * tls_gnutls - the PIN of a token: which of the places that may have it counts
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: whoever logs in to tokens: the builder of a snapshot, the token process.  Memory: the caller's.  Lock: none.
 */
#ifndef TLSG_PROFILES_KEYS_PIN_H
#define TLSG_PROFILES_KEYS_PIN_H

#include "pkcs11/p11_look.h"
#include "profiles/keys/password.h"

/** Where a PIN may come from, beside the URI. */
struct tlsg_pin_sources
{
	const str *password;				  /**< private_key_password, a path in `file:` absolute; NULL: none */
	const struct tlsg_p11_secret *engine; /**< that of engine_config, maybe not set; NULL: no engine is configured */
	bool (*known)(const char *uri, struct tlsg_p11_secret *pin); /**< whether somebody typed it before, and what */
};

/**
 * Finds the PIN: of the URI, of the file that it names, of the profile, of the engine; the first that is there.
 * @param q    [in,out] gets the PIN; none is no error.
 * @param err  [out] without a PIN and without the object's name.
 * @return TLSG_OK; TLSG_E_CONFIG: a file cannot be read, a PIN is too long.
 */
enum tlsg_ret tlsg_pin_find(
		const struct tlsg_pin_sources *from, struct tlsg_p11_query *q, struct tlsg_err *err) TLSG_MUST_CHECK;

#endif
