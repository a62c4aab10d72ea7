/*
 * tls_gnutls - whether a private key on a token belongs to a certificate
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that opens a key.  Memory: this process's heap, without a scope.  Lock: none.
 *
 * A signature that the certificate verifies is the proof. The public key that a token shows is not: for elliptic curves
 * it is an object of its own, which may be missing, or left from another key.
 */
#ifndef TLSG_PKCS11_P11_MATCH_H
#define TLSG_PKCS11_P11_MATCH_H

#include <gnutls/abstract.h>

#include "base/err.h"

/** What a comparison has shown. */
enum tlsg_p11_match_result
{
	TLSG_P11_MATCH_SAME,
	TLSG_P11_MATCH_OTHER,	/**< the certificate has another key */
	TLSG_P11_MATCH_UNKNOWN, /**< the token does not show it, or does not sign */
};

/**
 * Makes the public key of a certificate.
 * @param certificate  DER.
 * @param out          [out] new [heap], gnutls_pubkey_deinit().
 * @return TLSG_OK; TLSG_E_CONFIG, TLSG_E_RESOURCE.
 */
enum tlsg_ret tlsg_p11_match_public(
		const gnutls_datum_t *certificate, gnutls_pubkey_t *out, struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Signs a text and verifies that with a certificate's key.
 * @param key   open key on a token.
 * @param pub   of the certificate.
 * @param algo  that the key can do.
 * @param code  [out] GnuTLS's error of the signature; 0: it was made.
 * @return TLSG_P11_MATCH_SAME; _OTHER: the signature does not verify; _UNKNOWN: there is none.
 */
enum tlsg_p11_match_result tlsg_p11_match_sign(
		gnutls_privkey_t key, gnutls_pubkey_t pub, gnutls_sign_algorithm_t algo, int *code);

/**
 * Compares the kinds of the keys, and the public key that the token shows with that of a certificate.
 * Source: gnutls_pubkey_import_privkey(), gnutls_pubkey_get_key_id().
 */
enum tlsg_p11_match_result tlsg_p11_match_compare(gnutls_privkey_t key, gnutls_pubkey_t pub);

/**
 * Records that a key does not belong to a certificate, with the names of both: the beginning of the SHA-256 of each
 * public key, which certtool prints as its "Public Key ID", and the subject.
 * @param key          open key on a token; what it does not show is left out.
 * @param certificate  DER.
 * @return TLSG_E_CONFIG.
 */
enum tlsg_ret tlsg_p11_match_refuse(gnutls_privkey_t key, const gnutls_datum_t *certificate, struct tlsg_err *err);

#endif
