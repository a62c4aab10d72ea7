/*
 * tls_gnutls - trust settings that OpenSSL puts behind a certificate
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot.  Memory: the caller's; nothing is allocated.  Lock: none.
 */
#ifndef TLSG_PROFILES_VERIFY_TRUSTED_H
#define TLSG_PROFILES_VERIFY_TRUSTED_H

#include <stdbool.h>

#include <gnutls/gnutls.h>

/**
 * Whether a CA with these settings is trusted for TLS in both roles: it is rejected neither for servers nor for
 * clients, and trusted for both if it is trusted for some purposes only.
 * @param settings  what follows the certificate in a block TRUSTED CERTIFICATE; size 0: nothing is set.
 * @return true; false: it is not, or the settings are malformed.
 * Source: X509_CERT_AUX of OpenSSL, X509_check_trust(3).
 */
bool tlsg_trusted_for_tls(const gnutls_datum_t *settings);

#endif
