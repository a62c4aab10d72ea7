/*
 * tls_gnutls - PINs: where they come from, and who is told
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: read by the builder of a snapshot; given to a token by any process that opens a key.
 * Memory: the caller's, wiped on failure.  Lock: none.
 */
#ifndef TLSG_PKCS11_P11_PIN_H
#define TLSG_PKCS11_P11_PIN_H

#include "pkcs11/p11_uri.h"

/** Why the last login of this process was not made or failed. */
enum tlsg_p11_pin_verdict
{
	TLSG_P11_PIN_UNUSED = 0, /**< the token did not ask */
	TLSG_P11_PIN_GIVEN,		 /**< asked once, given once */
	TLSG_P11_PIN_MISSING,	 /**< asked, none configured */
	TLSG_P11_PIN_WRONG,		 /**< given, and asked again: it was wrong. It is not given again. */
	TLSG_P11_PIN_FINAL		 /**< not given: one wrong PIN more and the token locks itself */
};

/** A PIN. Plain data, wiped by whoever holds it. */
struct tlsg_p11_secret
{
	char value[TLSG_P11_PIN_SIZE];
	bool is_set; /**< the value may be the empty string */
};

/**
 * Reads the PIN behind a pin-source: a path, or file:PATH, file:///PATH. The first line without its end is the PIN. A file
 * that everybody can read is warned about at WARN.
 * @param source  zero-terminated.
 * @param out     [out] TLSG_P11_PIN_SIZE bytes, zero-terminated; wiped on failure.
 * @return TLSG_OK; TLSG_E_CONFIG: another scheme, a program to run, unreadable, empty, too long (err names the file).
 * Source: RFC 7512 section 2.4.
 */
enum tlsg_ret tlsg_p11_pin_read(const char *source, char *out, struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Answers a token that asks for the PIN, never twice, and never when a wrong answer could lock the token.
 * @param userdata  const struct tlsg_p11_secret; valid as long as the key it was set for.
 * @return 0, or -1: GnuTLS gives up the login; tlsg_p11_pin_verdict() says why.
 * Source: gnutls_pin_callback_t.
 */
int tlsg_p11_pin_cb(void *userdata, int attempt, const char *token_url, const char *token_label, unsigned flags,
		char *pin, size_t pin_max);

/** Before a login: forgets what the last one of this thread came to. */
void tlsg_p11_pin_begin(void);

/** The PIN is known to be wrong: the login is not made. */
void tlsg_p11_pin_refuse(void);

/** @return what the login since tlsg_p11_pin_begin() came to, given the result of GnuTLS's function. */
enum tlsg_p11_pin_verdict tlsg_p11_pin_verdict(int gnutls_code);

/** @return whether the login since tlsg_p11_pin_begin() must not be tried again: the PIN is wrong, missing, or could lock the token. */
bool tlsg_p11_pin_is_final(void);

/** @return a sentence for a verdict that ended a login, NULL for the others. */
const char *tlsg_p11_pin_reason(enum tlsg_p11_pin_verdict v);

#endif
