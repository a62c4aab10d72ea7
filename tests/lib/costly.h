/*
 * tls_gnutls - makes certificates whose keys are too large to compute with
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: unit tests.  Memory: heap.  Lock: none.
 */
#ifndef TLSG_TESTS_LIB_COSTLY_H
#define TLSG_TESTS_LIB_COSTLY_H

#include <stdbool.h>
#include <stddef.h>

#include "profiles/verify/der.h"

/**
 * Makes a certificate, valid around TLSG_CERTS_NOW, with an RSA key of made-up numbers.
 * @param issuer_cn  a name only.
 * @param modulus    bytes; 0: an ordinary key.
 * @param exponent   bytes.
 * @param signature  bytes of the signature, also made up: one whose size is not that of its key is refused without
 *                   computing.
 * @return gnutls_free(data).
 */
struct tlsg_der tlsg_costly_cert(
		const char *cn, const char *issuer_cn, size_t modulus, size_t exponent, bool ca, size_t signature);

#endif
