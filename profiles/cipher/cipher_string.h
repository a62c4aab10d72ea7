/*
 * tls_gnutls - evaluates cipher_list within tls_method: a list of suites, and the GnuTLS priority string for it
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot, tls-gnutls-ciphers.
 * Memory: the caller's; GnuTLS allocates and frees within the evaluation.  Lock: none.
 *
 * The language of OpenSSL's cipher strings is in profiles/cipher/rules.c, the text for GnuTLS in
 * profiles/cipher/priority_string.c.
 */
#ifndef TLSG_PROFILES_CIPHER_CIPHER_STRING_H
#define TLSG_PROFILES_CIPHER_CIPHER_STRING_H

#include "base/err.h"
#include "profiles/cipher/cipher_list.h"
#include "profiles/cipher/method.h"

/**
 * Evaluates cipher_list within tls_method.
 * @param string  terminated; NULL if cipher_list is not set. Empty is an error, as it is in `tls`.
 * @param method  not NULL.
 * @param note    NULL allowed; called for words that select nothing usable.
 * @param out     [out] complete on TLSG_OK, undefined otherwise; not NULL.
 * @param err     [out] NULL allowed; the first cause.
 * @return TLSG_OK; TLSG_E_CONFIG if the string is wrong or the method, the security level and the system's policy leave
 *         no suite of it; TLSG_E_RESOURCE if it is too long or memory runs out; TLSG_E_INTERNAL.
 * Source: the module `tls` (set_cipher_list() in tls_init.c); OpenSSL ciphers(1); gnutls_priority_init().
 */
enum tlsg_ret tlsg_cipher_string_eval(const char *string, const struct tlsg_method *method,
		const struct tlsg_cipher_note *note, struct tlsg_cipher_list *out, struct tlsg_err *err) TLSG_MUST_CHECK;

#endif
