/*
 * tls_gnutls - what scripts may ask about a certificate, as text
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process, without a scope.  Memory: this process's heap; results go to the caller's buffer.  Lock: none.
 *
 * Functions append to a buffer, without a terminating zero, and leave it unchanged unless they return TLSG_OK. A peer chooses
 * what stands in its certificate: text may hold any byte, zeroes too.
 */
#ifndef TLSG_TRANSPORT_CERT_TEXT_H
#define TLSG_TRANSPORT_CERT_TEXT_H

#include "base/buf.h"
#include "base/err.h"
#include "profiles/verify/der.h"
#include "transport/dn_text.h"

struct tlsg_cert; /* a parsed certificate [heap] */

enum tlsg_cert_side
{
	TLSG_CERT_SUBJECT,
	TLSG_CERT_ISSUER
};

/** Kinds of subject alternative names that scripts can ask for. */
enum tlsg_cert_san
{
	TLSG_SAN_EMAIL,
	TLSG_SAN_DNS,
	TLSG_SAN_URI,
	TLSG_SAN_IP
};
#define TLSG_SANS 4

enum tlsg_cert_date
{
	TLSG_CERT_NOT_BEFORE,
	TLSG_CERT_NOT_AFTER
};

/**
 * Parses a certificate.
 * @param der  borrowed for the call.
 * @return the parsed certificate, owned by the caller (tlsg_cert_text_free()); NULL: not a certificate, or out of memory.
 */
struct tlsg_cert *tlsg_cert_text_new(const struct tlsg_der *der);

/** Frees a parsed certificate. NULL allowed. */
void tlsg_cert_text_free(struct tlsg_cert *c);

/**
 * One attribute of a name in UTF-8.
 * @return as tlsg_dn_text_attr_get().
 */
enum tlsg_ret tlsg_cert_text_attr_get(const struct tlsg_cert *c, enum tlsg_cert_side side, enum tlsg_dn_attr attr,
		struct tlsg_buf *out) TLSG_MUST_CHECK;

/**
 * A whole name on one line.
 * @return as tlsg_dn_text_oneline().
 */
enum tlsg_ret tlsg_cert_text_line(
		const struct tlsg_cert *c, enum tlsg_cert_side side, struct tlsg_buf *out) TLSG_MUST_CHECK;

/**
 * The serial number in decimal; a negative one begins with '-'.
 * @return TLSG_OK; TLSG_E_PEER: cannot be decoded, or has more than 80 characters; TLSG_FULL.
 * Source: `tls`, $tls_peer_serial.
 */
enum tlsg_ret tlsg_cert_text_serial(const struct tlsg_cert *c, struct tlsg_buf *out) TLSG_MUST_CHECK;

/**
 * Begin or end of validity as "Jan  5 09:03:07 2031 GMT".
 * @return TLSG_OK; TLSG_E_PEER: cannot be decoded; TLSG_FULL.
 * Source: what ASN1_TIME_print() of OpenSSL prints.
 */
enum tlsg_ret tlsg_cert_text_date(
		const struct tlsg_cert *c, enum tlsg_cert_date which, struct tlsg_buf *out) TLSG_MUST_CHECK;

/** A time as "Jan  5 09:03:07 2031 GMT". @return TLSG_OK; TLSG_E_PEER: outside years 0 to 9999; TLSG_FULL. */
enum tlsg_ret tlsg_cert_text_date_format(time_t t, struct tlsg_buf *out) TLSG_MUST_CHECK;

/**
 * The version field as it is encoded: 2 for an X.509 v3 certificate.
 * @return 0 to 2; -1: cannot be decoded.
 */
int tlsg_cert_text_version(const struct tlsg_cert *c);

/**
 * One subject alternative name: the bytes that stand in the certificate; for an address these are its 4 or 16 bytes.
 * @param index  0 for the first of its kind.
 * @return TLSG_OK; TLSG_EOF: there is no such entry; TLSG_E_PEER: an address that has neither 4 nor 16 bytes; TLSG_FULL.
 */
enum tlsg_ret tlsg_cert_text_san_get(
		const struct tlsg_cert *c, enum tlsg_cert_san kind, unsigned index, struct tlsg_buf *out) TLSG_MUST_CHECK;

/** @return number of subject alternative names of a kind; 0 also when the extension is absent or malformed. */
unsigned tlsg_cert_text_san_count(const struct tlsg_cert *c, enum tlsg_cert_san kind);

/**
 * A certificate in PEM, base64 in lines of 64 characters, with a newline at the end.
 * @param der  need not be a valid certificate.
 * @return TLSG_OK; TLSG_E_RESOURCE: out of memory; TLSG_FULL.
 */
enum tlsg_ret tlsg_cert_text_pem(const struct tlsg_der *der, struct tlsg_buf *out) TLSG_MUST_CHECK;

/**
 * The PEM text url-encoded: letters, digits and "-_.~" as they are, everything else as %xx in lower-case hex.
 * @return as tlsg_cert_text_pem().
 */
enum tlsg_ret tlsg_cert_text_pem_url(const struct tlsg_der *der, struct tlsg_buf *out) TLSG_MUST_CHECK;

#endif
