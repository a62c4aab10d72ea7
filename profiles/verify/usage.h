/*
 * tls_gnutls - what a certificate says about itself: purposes, key usage, critical extensions, names
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that steps a handshake.  Memory: this process's heap while it runs.  Lock: none.
 */
#ifndef TLSG_PROFILES_VERIFY_USAGE_H
#define TLSG_PROFILES_VERIFY_USAGE_H

#include <gnutls/x509.h>

#include "base/host.h"
#include "base/role.h"

/**
 * Whether the extended key usage allows what the peer is; true without that extension. anyExtendedKeyUsage does not
 * count, as in OpenSSL; the old server gated crypto purposes of Netscape and Microsoft count as serverAuth.
 * @param role  the role of this host: a server demands clientAuth, a client serverAuth.
 */
bool tlsg_usage_has_purpose(gnutls_x509_crt_t crt, enum tlsg_role role);

/** Whether the key usage has one of some bits (GNUTLS_KEY_*); true without that extension, false if it is
 * malformed. */
bool tlsg_usage_has_bits(gnutls_x509_crt_t crt, unsigned bits);

/** Whether the subject equals a name byte by byte. @param dn  DER. */
bool tlsg_usage_has_subject(gnutls_x509_crt_t crt, const gnutls_datum_t *dn);

/** Whether subject and issuer are the same name, no matter which key made the signature. */
bool tlsg_usage_is_self_issued(gnutls_x509_crt_t crt);

/**
 * Whether it has a critical extension that is not processed here, one that cannot be read, or more than 64 extensions.
 */
bool tlsg_usage_has_unknown_critical(gnutls_x509_crt_t crt);

/**
 * Whether the key of a certificate is small enough to be used, see tlsg_verify_key_is_usable().
 * @return false also if the numbers of an RSA key cannot be read.
 */
bool tlsg_usage_has_usable_key(gnutls_x509_crt_t crt);

#endif
