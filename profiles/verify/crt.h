/*
 * tls_gnutls - parses certificates
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: what GnuTLS allocates.  Lock: none.
 */
#ifndef TLSG_PROFILES_VERIFY_CRT_H
#define TLSG_PROFILES_VERIFY_CRT_H

#include <gnutls/x509.h>

#include "base/err.h"
#include "profiles/verify/der.h"

/**
 * Parses a certificate.
 * @param der  borrowed.
 * @param out  [out] owned by the caller, gnutls_x509_crt_deinit(); NULL on failure.
 * @return 0; a negative code of GnuTLS: GNUTLS_E_MEMORY_ERROR, or the certificate is malformed.
 * Source: gnutls_x509_crt_import().
 */
int tlsg_crt_parse(const struct tlsg_der *der, gnutls_x509_crt_t *out) TLSG_MUST_CHECK;

#define TLSG_CRT_CURVE_SIZE 80

/**
 * Names the elliptic curve of a certificate's key if GnuTLS does not support it.
 * @param der  borrowed, a certificate.
 * @param buf  [out] name or dotted identifier of the curve, zero-terminated.
 * @return true; false: the key is of another kind, its curve is supported, or the certificate is malformed.
 * Source: RFC 5280, section 4.1; RFC 5480, section 2.1.
 */
bool tlsg_crt_has_unsupported_curve(const struct tlsg_der *der, char buf[TLSG_CRT_CURVE_SIZE]);

#endif
