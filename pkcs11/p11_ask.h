/*
 * tls_gnutls - why a PKCS#11 module cannot be initialised, in its own words
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: workers, and children that look at a token, after a module has failed to start.
 * Memory: static, of this process.  Lock: none.
 *
 * GnuTLS says "PKCS #11 error." for a store that cannot be written, a device that is absent and a daemon that is dead.
 * The module knows more: the result of C_Initialize(), and what it writes to standard error, which for a daemon is
 * /dev/null. So it is asked once more, with standard error in a file.
 */
#ifndef TLSG_PKCS11_P11_ASK_H
#define TLSG_PKCS11_P11_ASK_H

#include "pkcs11/p11_uri.h"

/**
 * Initialises a module once more, to find out why it cannot be initialised. At most once in 10 s for a module; between,
 * the same text is returned.
 * @param path  of the library, absolute.
 * @return CKR_GENERAL_ERROR, or another result by name; how an administrator sees more; the first line that the module
 *         has printed. NULL: this time it works, or nothing is known. Valid until the next call.
 * Source: p11_kit_module_load(), p11_kit_module_initialize().
 */
const char *tlsg_p11_ask_why(const char *path);

#endif
