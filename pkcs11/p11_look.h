/*
 * tls_gnutls - looks at tokens for the builder: keys, certificate chains, trust anchors
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot; the work itself in a child that ends with it.
 * Memory: answers on this process's heap.  Lock: none.
 */
#ifndef TLSG_PKCS11_P11_LOOK_H
#define TLSG_PKCS11_P11_LOOK_H

#include "pkcs11/p11_key.h"

/** What is looked for. */
struct tlsg_p11_query
{
	struct tlsg_p11_uri uri; /**< pin and pin_source are not looked at */
	char module
			[TLSG_P11_PATH_SIZE]; /**< used when the URI names no module: path or registered name; "": the registered ones */
	struct tlsg_p11_secret pin;
};

/** What was found out about a key. */
struct tlsg_p11_facts
{
	char uri[TLSG_P11_URI_SIZE];	 /**< names this one object */
	char module[TLSG_P11_PATH_SIZE]; /**< path of the library that has it */
	char token[TLSG_P11_URI_SIZE];	 /**< names the token */
	gnutls_pk_algorithm_t pk;
	unsigned bits;
	unsigned can; /**< enum tlsg_p11_can */
};

/**
 * Looks at a private key: that the object is there, is the only one, is a private key, belongs to a certificate, and what it can
 * do. One login, which ends with the child.
 * @param certificate  DER of the leaf that the key must fit.
 * @param facts        [out]
 * @return TLSG_OK; TLSG_E_CONFIG: what is wrong, in one sentence without the object's name; TLSG_E_RESOURCE.
 * Source: gnutls_pkcs11_obj_list_import_url4(), gnutls_pubkey_import_privkey().
 */
enum tlsg_ret tlsg_p11_look_key(const struct tlsg_p11_query *q, const gnutls_datum_t *certificate,
		struct tlsg_p11_facts *facts, struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Fetches a certificate and, from the same token, its issuers up to but without a self-signed one.
 * @param pem  [out] leaf first, PEM, zero byte behind the end; to be freed with gnutls_free().
 * @return TLSG_OK; TLSG_E_CONFIG: none, several, or no certificate; TLSG_E_RESOURCE.
 * Source: gnutls_pkcs11_get_raw_issuer().
 */
enum tlsg_ret tlsg_p11_look_chain(
		const struct tlsg_p11_query *q, gnutls_datum_t *pem, struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Fetches the trust anchors that a URI names: the certificates that the token marks as trusted and as CAs; on a token that marks
 * none and is no trust store, all CA certificates that the URI names.
 * @param pem  [out] as tlsg_p11_look_chain().
 * @return TLSG_OK; TLSG_E_CONFIG; TLSG_E_RESOURCE.
 */
enum tlsg_ret tlsg_p11_look_anchors(
		const struct tlsg_p11_query *q, gnutls_datum_t *pem, struct tlsg_err *err) TLSG_MUST_CHECK;

#endif
