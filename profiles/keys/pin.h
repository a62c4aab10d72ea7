/*
 * tls_gnutls - the PIN of a token: the order of the places that it may come from
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot, the token process.  Memory: the caller's.  Lock: none.
 *
 * Not here: reading the file, pkcs11/p11_pin.h.
 */
#ifndef TLSG_PROFILES_KEYS_PIN_H
#define TLSG_PROFILES_KEYS_PIN_H

#include "pkcs11/p11_find.h"
#include "profiles/keys/password.h"

/** Where a PIN may come from, apart from the URI. */
struct tlsg_pin_sources
{
	const str *password;				  /**< private_key_password, a path in `file:` absolute; NULL: none */
	const struct tlsg_p11_secret *engine; /**< of engine_config, may be unset; NULL: no engine is configured */
	bool (*known)(const char *uri, struct tlsg_p11_secret *pin); /**< finds one that was typed before */
};

/**
 * Finds the PIN: in the URI, in the file that the URI names, in the profile, in the engine; the first of them counts.
 * @param q    [in,out] its PIN is set if one is found; none is not an error.
 * @param err  [out] holds neither a PIN nor the object's name.
 * @return TLSG_OK; TLSG_E_CONFIG: a file is unreadable, a PIN is too long.
 */
enum tlsg_ret tlsg_pin_find(
		const struct tlsg_pin_sources *from, struct tlsg_p11_query *q, struct tlsg_err *err) TLSG_MUST_CHECK;

#endif
