/*
 * tls_gnutls - fetches certificate chains and trust anchors from tokens for the builder of a snapshot
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot; the work itself in a child that ends with it.
 * Memory: results on this process's heap.  Lock: none.
 */
#ifndef TLSG_PKCS11_P11_CERTS_H
#define TLSG_PKCS11_P11_CERTS_H

#include "pkcs11/p11_find.h"

/**
 * Fetches a certificate and, from the same token, its issuers up to but without a self-signed one.
 * @param pem  [out] leaf first, PEM, zero byte behind the end; to be freed with gnutls_free().
 * @return TLSG_OK; TLSG_E_CONFIG: none, several, or no certificate; TLSG_E_RESOURCE.
 * Source: gnutls_pkcs11_get_raw_issuer().
 */
enum tlsg_ret tlsg_p11_certs_chain(
		const struct tlsg_p11_query *q, gnutls_datum_t *pem, struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Fetches the trust anchors that a URI names: the certificates that the token marks as trusted and as CAs; on a token
 * that marks none and is no trust store, all CA certificates that the URI names.
 * @param pem  [out] as tlsg_p11_certs_chain().
 * @return TLSG_OK; TLSG_E_CONFIG; TLSG_E_RESOURCE.
 */
enum tlsg_ret tlsg_p11_certs_anchors(
		const struct tlsg_p11_query *q, gnutls_datum_t *pem, struct tlsg_err *err) TLSG_MUST_CHECK;

#endif
