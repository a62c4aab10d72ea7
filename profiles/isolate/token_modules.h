/*
 * tls_gnutls - key isolation: which PKCS#11 modules the token process loads
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the token process and its children.  Memory: its heap.  Lock: none.
 *
 * Other processes name modules to it, and a module is code that runs where PINs are. So it loads only what was named before any of them
 * existed, and what root has registered with p11-kit; and only files that nobody but root can change.
 */
#ifndef TLSG_PROFILES_ISOLATE_TOKEN_MODULES_H
#define TLSG_PROFILES_ISOLATE_TOKEN_MODULES_H

#include "pkcs11/p11_look.h"

/** Before anything else in the token process: p11-kit's files of a user do not count there. @return TLSG_OK, TLSG_E_RESOURCE. */
enum tlsg_ret tlsg_token_modules_init(void) TLSG_MUST_CHECK;

/** Kamailio is starting: what a question names is named by the configuration. Names that are no paths are not kept. */
void tlsg_token_modules_note(const struct tlsg_p11_query *q);

/**
 * Whether the module of a question may be loaded. Loads, but does not start, all registered ones when it is unknown: only in a process
 * that ends soon.
 * @return TLSG_OK; TLSG_E_CONFIG: a sentence without the object's name.
 */
enum tlsg_ret tlsg_token_modules_check(const struct tlsg_p11_query *q, struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Whether a library, and each folder on the way to it, belongs to root and cannot be written by others.
 * @param path  absolute.
 * @return TLSG_OK; TLSG_E_CONFIG.
 */
enum tlsg_ret tlsg_token_modules_file_check(const char *path, struct tlsg_err *err) TLSG_MUST_CHECK;

#endif
