/*
 * tls_gnutls - when an operation on a token is tried again
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that uses a token.  Memory: none.  Lock: none.
 */
#ifndef TLSG_PKCS11_P11_RETRY_H
#define TLSG_PKCS11_P11_RETRY_H

#include <stdbool.h>

/**
 * Tells a token that was lost from other failures. A malformed ciphertext from a peer must not make this process open its tokens
 * again.
 * @param code  GnuTLS's error.
 * @return true: the token, the session with it or the object is gone, a new session may help; false: any other error.
 */
bool tlsg_p11_retry_is_token_lost(int code);

#endif
