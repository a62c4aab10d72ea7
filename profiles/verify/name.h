/*
 * tls_gnutls - the SIP identities of a certificate, and whether one of them is the expected name
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that steps a handshake.  Memory: this process's heap while it runs.  Lock: none.
 */
#ifndef TLSG_PROFILES_VERIFY_NAME_H
#define TLSG_PROFILES_VERIFY_NAME_H

#include <gnutls/x509.h>

#include "base/host.h"

/** Longest name that is compared, RFC 1035 section 2.3.4, without the trailing dot and the terminating zero. */
#define TLSG_NAME_MAX 253

/**
 * Converts a name to the form that is compared: lower case, A-labels, no trailing dot.
 * @param name  expected name, need not be zero-terminated; letters of other scripts in UTF-8.
 * @param out   [out] zero-terminated.
 * @return true; false: not a host name (empty, too long, empty label, a character that host names do not have, an IP
 *         address).
 * Source: RFC 5890; RFC 1123 section 2.1; gnutls_idna_map().
 */
bool tlsg_name_normalise(const str *name, char out[TLSG_NAME_MAX + 1]);

/**
 * Whether a certificate is valid for a SIP domain or host name. Identities are: URI names with the scheme sip and no
 * user part (their host), DNS names, and the common name if there is no subjectAltName.
 * @param crt        certificate, borrowed.
 * @param name       as in tlsg_name_normalise().
 * @param wildcards  accept `*` as the whole left-most label of DNS names, for exactly one label.
 * @return true: an identity equals the name. False also if memory runs out.
 * Source: RFC 5922 sections 7.1 to 7.3.
 */
bool tlsg_name_is_of(gnutls_x509_crt_t crt, const str *name, bool wildcards);

#endif
