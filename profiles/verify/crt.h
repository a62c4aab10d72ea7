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

#endif
