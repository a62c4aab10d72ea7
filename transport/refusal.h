/*
 * tls_gnutls - what GnuTLS refuses in a handshake and OpenSSL accepts: the reason for logs, the alert for the peer
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: static.  Lock: none.
 */
#ifndef TLSG_TRANSPORT_REFUSAL_H
#define TLSG_TRANSPORT_REFUSAL_H

#include "base/role.h"

/**
 * Says what GnuTLS refused, in words that name the certificate or the name.
 * @param gnutls_code  GNUTLS_E_*.
 * @param role         the role of this host.
 * @return static text without a full stop; NULL: GnuTLS's own text says enough.
 */
const char *tlsg_refusal_reason(int gnutls_code, enum tlsg_role role);

/**
 * The alert that tells the peer about a failure.
 * @param gnutls_code  GNUTLS_E_*.
 * @return GNUTLS_A_*; negative: none.
 * Source: gnutls_error_to_alert(), which has internal_error for what is listed here; RFC 8446 section 6.2.
 */
int tlsg_refusal_alert(int gnutls_code);

#endif
