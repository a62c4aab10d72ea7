/*
 * tls_gnutls - PINs of tokens: read from files, given to tokens, never twice
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: read by the builder of a snapshot; given to a token by any process that opens a key.
 * Memory: the caller's, wiped on failure.  Lock: none.
 */
#ifndef TLSG_PKCS11_P11_PIN_H
#define TLSG_PKCS11_P11_PIN_H

#include <stdint.h>

#include "pkcs11/p11_uri.h"

/** What happened to the PIN in the last login of this thread. */
enum tlsg_p11_pin_verdict
{
	TLSG_P11_PIN_UNUSED = 0, /**< the token did not ask for it */
	TLSG_P11_PIN_GIVEN,		 /**< asked for and given, once */
	TLSG_P11_PIN_MISSING,	 /**< asked for, none is configured */
	TLSG_P11_PIN_WRONG,		 /**< given and asked for again: it was wrong, and is not given again */
	TLSG_P11_PIN_FINAL,		 /**< not given: another failure would lock the token */
	TLSG_P11_PIN_REFUSED,	 /**< not given: the token has refused it before (pkcs11/p11_refused.h) */
	TLSG_P11_PIN_LOCKED		 /**< given, and the token says that it is locked */
};

/** A PIN. Plain data, wiped by its owner. */
struct tlsg_p11_secret
{
	char value[TLSG_P11_PIN_SIZE];
	bool is_set; /**< the value may be the empty string */
};

/** @return the path in a pin-source, borrowed from it; NULL: it names no file. @param source  zero-terminated. */
const char *tlsg_p11_pin_path(const char *source);

/**
 * Reads the PIN that a pin-source names: a path, or file:PATH, file:///PATH. The PIN is the first line. Logs a warning
 * about a file that everybody can read.
 * @param source  zero-terminated.
 * @param out     [out] TLSG_P11_PIN_SIZE bytes, zero-terminated; wiped on failure.
 * @return TLSG_OK; TLSG_E_CONFIG: another scheme, a program, or an unreadable, empty or too long PIN (err names the
 *         file).
 * Source: RFC 7512 section 2.4.
 */
enum tlsg_ret tlsg_p11_pin_read(const char *source, char *out, struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Gives the PIN to a token that asks for it; never twice, and never when a wrong PIN would lock the token.
 * @param userdata  const struct tlsg_p11_secret, which lives as long as the key it was set for.
 * @return 0; -1: GnuTLS gives up the login, tlsg_p11_pin_verdict() says why.
 * Source: gnutls_pin_callback_t.
 */
int tlsg_p11_pin_cb(void *userdata, int attempt, const char *token_url, const char *token_label, unsigned flags,
		char *pin, size_t pin_max);

/** Before a login: forgets the verdict on the last one of this thread. */
void tlsg_p11_pin_begin(void);

/**
 * Before a login: the token accepted the PIN when the snapshot was built, so a damaged record does not count.
 * @param passed  [in,out] tlsg_p11_refused_stamp() of the record that was last found to be of another PIN: comparing
 *                costs 0.2 s of computing, so processes that share a gate do it once. The gate's lock is held.
 */
void tlsg_p11_pin_set_accepted(uint64_t *passed);

/** Instead of a login: the PIN is known to be wrong. */
void tlsg_p11_pin_set_wrong(void);

/**
 * @return the verdict on the login since tlsg_p11_pin_begin(). A PIN that was wrong is remembered
 *         (pkcs11/p11_refused.h).
 * @param gnutls_code  result of GnuTLS's function.
 */
enum tlsg_p11_pin_verdict tlsg_p11_pin_verdict(int gnutls_code);

/**
 * @return whether the login since tlsg_p11_pin_begin() must not be tried again: the PIN is wrong, missing, or could
 *         lock the token.
 */
bool tlsg_p11_pin_is_final(void);

/** After a login since tlsg_p11_pin_begin(): the PIN was right, and the token may have refused it before. */
void tlsg_p11_pin_accept(void);

/**
 * @return a sentence about a verdict that ended a login, with what is known about the last one of this thread; NULL for
 *         the others. Valid until the next call.
 */
const char *tlsg_p11_pin_reason(enum tlsg_p11_pin_verdict v);

#endif
