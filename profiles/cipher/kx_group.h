/*
 * tls_gnutls - groups of key exchanges: names, numbers in TLS, and which of them the library has
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: static const data, pointers are valid in every process.  Lock: none.
 *
 * Groups are looked up by name, because the headers of older versions of GnuTLS lack the constants of newer groups.
 * The order in which groups are offered is in priority_string.c.
 */
#ifndef TLSG_PROFILES_CIPHER_KX_GROUP_H
#define TLSG_PROFILES_CIPHER_KX_GROUP_H

#include <stdbool.h>

#include <gnutls/gnutls.h>

/**
 * Whether the GnuTLS of this process has a group: it refuses a priority string with another one. Post-quantum hybrids
 * depend on its version and on how it was built.
 * @param name  GnuTLS's name, as in priority strings without GROUP-; not NULL.
 * @return true if it is among gnutls_group_list().
 */
bool tlsg_kx_group_is_known(const char *name);

/**
 * @param id  a group of GnuTLS.
 * @return its name in IANA's registry ("x25519", "X25519MLKEM768"), which is OpenSSL's too; GnuTLS's name for a group
 *         that the table does not have; NULL: not a group. Static.
 * Source: IANA, "TLS Supported Groups".
 */
const char *tlsg_kx_group_name(gnutls_group_t id);

/**
 * @param id  a group of GnuTLS.
 * @return its number in supported_groups (RFC 8446 section 4.2.7); 0: the table does not have it.
 */
unsigned tlsg_kx_group_number(gnutls_group_t id);

#endif
