/*
 * tls_gnutls - finds the certificates and CRLs in a file
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot.  Memory: what GnuTLS allocates in the caller's scope.  Lock: none.
 */
#ifndef TLSG_PROFILES_PEM_H
#define TLSG_PROFILES_PEM_H

#include <stdbool.h>

#include <gnutls/gnutls.h>

#include "base/err.h"

enum tlsg_pem_kind
{
	TLSG_PEM_CERTIFICATE,
	TLSG_PEM_CRL
};

/** A file that is being read. */
struct tlsg_pem
{
	const char *setting; /**< name of the parameter, for messages; borrowed */
	const char *file;	 /**< borrowed */
	const char *at;		 /**< where the next block is looked for, in the caller's data */
	const char *end;
	bool is_der; /**< not PEM, and nothing was read yet */
};

/** A certificate or a CRL. */
struct tlsg_pem_block
{
	enum tlsg_pem_kind kind;
	gnutls_datum_t der;		 /**< [scope] */
	gnutls_datum_t settings; /**< OpenSSL's trust settings behind the certificate in der; size 0: none */
	gnutls_datum_t memory;	 /**< what tlsg_pem_free() frees */
};

/**
 * Begins with a file.
 * @param p        [out]
 * @param setting  name of the parameter, for error texts.
 * @param file     name of the file, for error texts.
 * @param data     its bytes, followed by a zero byte that is not counted; must stay until the last call.
 */
void tlsg_pem_open(struct tlsg_pem *p, const char *setting, const char *file, const gnutls_datum_t *data);

/**
 * Finds the next certificate or CRL. In a PEM file these are blocks labelled CERTIFICATE, X509 CERTIFICATE,
 * TRUSTED CERTIFICATE and X509 CRL; all other blocks, such as keys, and text around blocks are passed over. A file in
 * DER is one certificate.
 * @param b    [out] on TLSG_OK, to be freed with tlsg_pem_free(); der.size is 0 when there is no more.
 * @param err  [out] names setting, file and label.
 * @return TLSG_OK; TLSG_E_CONFIG: a block is damaged or the file ends in it; TLSG_E_RESOURCE.
 * Source: RFC 7468, section 2; labels: pem.h of OpenSSL.
 */
enum tlsg_ret tlsg_pem_next(struct tlsg_pem *p, struct tlsg_pem_block *b, struct tlsg_err *err) TLSG_MUST_CHECK;

/** Frees a block. @param b  emptied. */
void tlsg_pem_free(struct tlsg_pem_block *b);

#endif
