/*
 * tls_gnutls - evaluates OpenSSL's cipher-string language to an ordered list of suites
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: the caller's; nothing is allocated.  Lock: none.
 */
#ifndef TLSG_PROFILES_CIPHER_RULES_H
#define TLSG_PROFILES_CIPHER_RULES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "profiles/cipher/suites.h"

/** Callback for words of a cipher string that have no effect. */
struct tlsg_cipher_note
{
	/**
	 * @param arg   the member below.
	 * @param word  as written in the string, not terminated.
	 * @param len   bytes of word.
	 * @param why   a predicate without a full stop, like "is not supported".
	 */
	void (*note_cb)(void *arg, const char *word, size_t len, const char *why);
	void *arg; /**< handed to note_cb */
};

/** Suite B (RFC 6460): the only strings that also determine curves and signatures. */
enum tlsg_suite_b
{
	TLSG_SUITE_B_NO = 0,
	TLSG_SUITE_B_128,	  /**< SUITEB128, SUITEB128C2 */
	TLSG_SUITE_B_128ONLY, /**< SUITEB128ONLY */
	TLSG_SUITE_B_192	  /**< SUITEB192 */
};

/** What a string evaluates to. */
struct tlsg_rules
{
	const struct tlsg_suite
			*suites[TLSG_SUITES_MAX]; /**< all suites of TLS 1.2 and below that OpenSSL 3 selects, in its order */
	size_t len;
	int sec_level; /**< of the last `@SECLEVEL=`, 0 to 5; -1 if there is none */
	enum tlsg_suite_b suite_b;
};

/**
 * Evaluates a cipher string as OpenSSL 3.0 does, oddities included. PSK, SRP, anonymous and unencrypted suites are
 * selected too, so that a string is wrong here exactly when it is wrong there; the caller drops those that it cannot
 * use.
 * @param string  terminated; not NULL.
 * @param note    NULL allowed; called for words that select nothing usable.
 * @param out     [out] set only on TLSG_OK; not NULL.
 * @param err     [out] NULL allowed; what is wrong, and where in the string.
 * @return TLSG_OK; TLSG_E_CONFIG for an invalid character or command, or if no suite is selected.
 * Source: OpenSSL ciphers(1) and the behaviour of SSL_CTX_set_cipher_list().
 */
enum tlsg_ret tlsg_rules_eval(const char *string, const struct tlsg_cipher_note *note, struct tlsg_rules *out,
		struct tlsg_err *err) TLSG_MUST_CHECK;

/** Bits of strength that a security level demands. @param level  0 to 5. @return 0 to 256. */
int tlsg_rules_level_bits(int level);

/**
 * Whether a security level admits a suite.
 * @param s      a suite.
 * @param level  0 to 5.
 * @return false if the cipher or the MAC is too weak, or if it has no forward secrecy at level 3 and above.
 * Source: OpenSSL SSL_CTX_set_security_level(3).
 */
bool tlsg_rules_level_admits(const struct tlsg_suite *s, int level);

/**
 * Whether a string is a GnuTLS priority string. A word of both languages (SUITEB128, SUITEB192) is taken for OpenSSL's,
 * unless something that only GnuTLS understands follows.
 * @param string  terminated; not NULL.
 */
bool tlsg_rules_is_native(const char *string);

#endif
