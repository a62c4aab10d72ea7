/*
 * tls_gnutls - writes the GnuTLS priority string that covers a list of suites
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: the caller's.  Lock: none.
 */
#ifndef TLSG_PROFILES_CIPHER_PRIORITY_STRING_H
#define TLSG_PROFILES_CIPHER_PRIORITY_STRING_H

#include "profiles/cipher/cipher_list.h"

/**
 * Writes the priority string that admits some suites of a list: their algorithms, the list's versions, and the curves,
 * groups, signatures and certificate profile that its security level and Suite B allow. The client's order of
 * preference applies.
 * @param some  the suites; not NULL.
 * @param all   the list that they are from; may be `some` itself.
 * @param buf   [out] terminated text.
 * @param size  bytes of buf; TLSG_PRIORITY_SIZE is enough.
 * @return TLSG_OK; TLSG_E_RESOURCE if it did not fit.
 * Source: GnuTLS manual, "Priority strings"; OpenSSL SSL_CTX_set_security_level(3) for what the levels mean.
 */
enum tlsg_ret tlsg_priority_string_write(const struct tlsg_cipher_list *some, const struct tlsg_cipher_list *all,
		char *buf, size_t size) TLSG_MUST_CHECK;

/**
 * Writes the priority string with which a client offers a list. Ciphers of TLS 1.3 admit suites of TLS 1.2 that are not
 * in the list: so only those suites of TLS 1.3 are offered whose ciphers the list has for TLS 1.2 too; if there are
 * none, TLS_AES_128_GCM_SHA256, which every server of TLS 1.3 has. That leaves fewer suites outside the list to choose
 * from.
 * @param list  kind LIST, with surplus.
 * @param buf   [out] terminated text.
 * @param size  bytes of buf; TLSG_PRIORITY_SIZE is enough.
 * @return TLSG_OK; TLSG_E_RESOURCE if it did not fit.
 * Source: RFC 8446 section 9.1.
 */
enum tlsg_ret tlsg_priority_string_client(const struct tlsg_cipher_list *list, char *buf, size_t size) TLSG_MUST_CHECK;

/**
 * Writes the priority string that admits one suite of the list and no other of its generation (TLS 1.3, or older). All
 * versions of the list stay in, so that a server still marks a downgrade in its random (RFC 8446 section 4.1.3).
 * @param suite  a suite of the list; not NULL.
 * @param buf    [out] terminated text.
 * @param size   bytes of buf; TLSG_PRIORITY_SIZE is enough.
 * @return TLSG_OK; TLSG_E_RESOURCE if it did not fit.
 */
enum tlsg_ret tlsg_priority_string_single(
		const struct tlsg_cipher_list *list, const struct tlsg_suite *suite, char *buf, size_t size) TLSG_MUST_CHECK;

/**
 * Writes the priority string of tlsg_priority_string_single() without the groups that are not post-quantum hybrids.
 * @param list   one whose `priority` has a hybrid, as GnuTLS compiled it.
 * @param suite  a suite of the list that TLS 1.3 has; not NULL.
 * @param buf    [out] terminated text.
 * @param size   bytes of buf; TLSG_PRIORITY_SIZE is enough.
 * @return TLSG_OK; TLSG_E_RESOURCE if it did not fit.
 */
enum tlsg_ret tlsg_priority_string_hybrid(
		const struct tlsg_cipher_list *list, const struct tlsg_suite *suite, char *buf, size_t size) TLSG_MUST_CHECK;

/**
 * Leaves groups and signatures out of a list that a compiled string does not admit.
 * @param list    [in,out] hybrids_off, curves_off, dh_groups_off and signatures_off are set.
 * @param policy  the string.
 * Source: gnutls_priority_group_list(), gnutls_priority_sign_list().
 */
void tlsg_priority_string_limit(struct tlsg_cipher_list *list, gnutls_priority_t policy);

#endif
