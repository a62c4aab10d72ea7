/*
 * tls_gnutls - key isolation: which PKCS#11 modules children of the token process may load
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the token process and its children.  Memory: its heap.  Lock: none.
 *
 * Other processes name modules in their requests, and a module is code that runs where PINs are. So only modules are
 * loaded that the configuration named at start-up or that root has registered with p11-kit, and only from files that
 * nobody but root can change.
 */
#ifndef TLSG_PROFILES_ISOLATE_TOKEN_MODULES_H
#define TLSG_PROFILES_ISOLATE_TOKEN_MODULES_H

#include "pkcs11/p11_find.h"

/**
 * First of all in the token process: has p11-kit ignore the configuration files of the user.
 * @return TLSG_OK, TLSG_E_RESOURCE.
 */
enum tlsg_ret tlsg_token_modules_init(void) TLSG_MUST_CHECK;

/** During start-up: notes the module that a request names, if it is a path. No attacker controls a worker yet. */
void tlsg_token_modules_note(const struct tlsg_p11_query *q);

/**
 * Checks whether the module of a request may be loaded. For a path that was not noted it loads all registered modules,
 * without initialising them: only in a process that ends soon.
 * @return TLSG_OK; TLSG_E_CONFIG: it may not; a sentence without the object's name.
 */
enum tlsg_ret tlsg_token_modules_check(const struct tlsg_p11_query *q, struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Checks that a library and each directory above it belong to root and are not writable by others.
 * @param path  absolute; "": root has registered the module without one.
 * @return TLSG_OK; TLSG_E_CONFIG: they do not, or there is no such file.
 */
enum tlsg_ret tlsg_token_modules_file_check(const char *path, struct tlsg_err *err) TLSG_MUST_CHECK;

#endif
