/*
 * tls_gnutls - examines a private key on a token for the builder of a snapshot
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot; the work itself in a child that ends with it.
 * Memory: the result on this process's heap.  Lock: none.
 */
#ifndef TLSG_PKCS11_P11_LOOK_H
#define TLSG_PKCS11_P11_LOOK_H

#include <gnutls/gnutls.h>

#include "pkcs11/p11_find.h"

/** What was found out about a key. */
struct tlsg_p11_facts
{
	char uri[TLSG_P11_URI_SIZE];	 /**< names this one object */
	char module[TLSG_P11_PATH_SIZE]; /**< path of the library that has it */
	char token[TLSG_P11_URI_SIZE];	 /**< names the token */
	gnutls_pk_algorithm_t pk;
	unsigned bits;
	unsigned can;			/**< enum tlsg_p11_can */
	unsigned long sessions; /**< tlsg_p11_find_sessions() */
};

/**
 * Examines a private key: that exactly one object matches, is a private key and belongs to a certificate, and what it
 * can do. One login, which ends with the child.
 * @param certificate  DER of the leaf that the key must match.
 * @param facts        [out]
 * @return TLSG_OK; TLSG_E_CONFIG: what is wrong, in one sentence without the object's name; TLSG_E_RESOURCE.
 * Source: gnutls_pkcs11_obj_list_import_url4(), gnutls_pubkey_import_privkey().
 */
enum tlsg_ret tlsg_p11_look_key(const struct tlsg_p11_query *q, const gnutls_datum_t *certificate,
		struct tlsg_p11_facts *facts, struct tlsg_err *err) TLSG_MUST_CHECK;

#endif
