/*
 * tls_gnutls - name constraints of CAs: whether the certificates below keep to them
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that steps a handshake.  Memory: this process's heap while it runs.  Lock: none.
 *
 * GnuTLS checks the leaf only, and permits any directory name and URI; RFC 5280 demands more.
 */
#ifndef TLSG_PROFILES_VERIFY_CONSTRAINTS_H
#define TLSG_PROFILES_VERIFY_CONSTRAINTS_H

#include <stdbool.h>

#include <gnutls/x509.h>

/** Whether a certificate has name constraints for those below it. */
bool tlsg_constraints_exist(gnutls_x509_crt_t ca);

/**
 * Whether a certificate keeps to the name constraints of one CA above it. Directory names and URIs are compared here,
 * DNS names, mail and IP addresses by GnuTLS. A DNS name with a wildcard must not stand for an excluded name, and a
 * mail address must be user@host where there are constraints on mail addresses.
 * @param ca   certificate of the CA, borrowed.
 * @param crt  certificate below it, borrowed.
 * @param leaf  crt is the leaf: GnuTLS then takes its common name for a DNS name, if it has no DNS name.
 * @return true: it keeps to them, or there are none. False also if an extension is malformed, a constraint is of
 *         another kind than directory name, URI, DNS name, mail or IP address, or memory runs out.
 * Source: RFC 5280 section 4.2.1.10; gnutls_x509_name_constraints_check_crt().
 */
bool tlsg_constraints_hold(gnutls_x509_crt_t ca, gnutls_x509_crt_t crt, bool leaf);

#endif
