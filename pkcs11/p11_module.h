/*
 * tls_gnutls - PKCS#11 modules of this process: only those that are needed are loaded
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: workers, at the first use of a key; the short-lived child that looks at a token for the builder of a
 * snapshot.
 * Memory: this process's heap, without a scope.  Lock: none.
 *
 * By itself GnuTLS loads every module that is registered with p11-kit when PKCS#11 is first used; so its PKCS#11 part
 * is initialised here before that. Nothing here runs in a process that forks workers afterwards.
 */
#ifndef TLSG_PKCS11_P11_MODULE_H
#define TLSG_PKCS11_P11_MODULE_H

#include "pkcs11/p11_uri.h"

/**
 * Loads and initialises a module in this process, once.
 * @param path  of the shared library, as p11-kit takes it: absolute, or a name in its folder; "": it is registered with
 *              p11-kit without a path (`remote:`), so all registered modules are loaded.
 * @return TLSG_OK; TLSG_AGAIN: a module of this process keeps GnuTLS from using this one: close all keys, call
 *         tlsg_p11_module_stop(), and then this function again; TLSG_E_CONFIG: it cannot be loaded or initialised, or
 *         there are too many modules.
 * Source: gnutls_pkcs11_init(GNUTLS_PKCS11_FLAG_MANUAL), gnutls_pkcs11_add_provider(), which ignores a module that
 *         says the same about itself (CK_INFO) as another one; GNUTLS_E_LOCKING_ERROR is its name for
 *         CKR_NEED_TO_CREATE_THREADS; p11_kit_module_initialize() counts.
 */
enum tlsg_ret tlsg_p11_module_use(const char *path, struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Finds a registered module by its name, `softhsm2` for softhsm2.module or libsofthsm2.so. Loads all of them,
 * initialises none: only in a process that ends soon.
 * @param out  [out] path of its library, TLSG_P11_PATH_SIZE bytes; "": it is registered without a path (`remote:`).
 * @return TLSG_OK; TLSG_E_CONFIG: no module has that name.
 * Source: p11_kit_modules_load().
 */
enum tlsg_ret tlsg_p11_module_find(const char *name, char *out, struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Finalises all modules of this process, so that the next tlsg_p11_module_use() starts anew. The caller has closed all
 * keys.
 * Source: gnutls_pkcs11_deinit().
 */
void tlsg_p11_module_stop(void);

#endif
