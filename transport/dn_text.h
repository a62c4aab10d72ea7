/*
 * tls_gnutls - distinguished names as text: one attribute in UTF-8, or the whole name on one line
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process, without a scope.  Memory: this process's heap while it runs; results go to the caller's buffer.
 * Lock: none.
 */
#ifndef TLSG_TRANSPORT_DN_TEXT_H
#define TLSG_TRANSPORT_DN_TEXT_H

#include <gnutls/x509.h>

#include "base/buf.h"
#include "base/err.h"

/** Attributes that scripts can ask for by name. */
enum tlsg_dn_attr
{
	TLSG_DN_CN, /**< 2.5.4.3 */
	TLSG_DN_L,	/**< 2.5.4.7 */
	TLSG_DN_C,	/**< 2.5.4.6 */
	TLSG_DN_ST, /**< 2.5.4.8 */
	TLSG_DN_O,	/**< 2.5.4.10 */
	TLSG_DN_OU, /**< 2.5.4.11 */
	TLSG_DN_UID /**< 0.9.2342.19200300.100.1.1, userId */
};
#define TLSG_DN_ATTRS 7

/**
 * The first value of an attribute in the order of the certificate, converted to UTF-8.
 * @param dn    from gnutls_x509_crt_get_subject() or gnutls_x509_crt_get_issuer(), borrowed.
 * @param attr  which attribute.
 * @param out   [out] the text is appended without a terminating zero, and may have zero bytes; unchanged unless
 *              TLSG_OK.
 * @return TLSG_OK, also for an empty value; TLSG_EOF: the name has no such attribute; TLSG_E_PEER: its type has no
 *         conversion to UTF-8, or the bytes are not valid for the type; TLSG_FULL: does not fit.
 * Source: X.520 (attributes); X.680 (string types); what ASN1_STRING_to_UTF8() of OpenSSL returns, which takes a
 *         T61String for ISO 8859-1.
 */
enum tlsg_ret tlsg_dn_text_attr_get(gnutls_x509_dn_t dn, enum tlsg_dn_attr attr, struct tlsg_buf *out) TLSG_MUST_CHECK;

/**
 * The whole name on one line, as "/C=DE/O=X/CN=y+UID=z": attributes in the order of the certificate, those of one set
 * joined by '+'; object identifiers for attributes without a short name. Values are not converted: '/' and '+' get a
 * backslash in front, bytes outside 0x20 to 0x7E are \xHH with upper-case digits.
 * @param dn   as for tlsg_dn_text_attr_get().
 * @param out  [out] the text is appended without a terminating zero; unchanged unless TLSG_OK.
 * @return TLSG_OK, also for a name without attributes (nothing appended); TLSG_E_PEER: cannot be decoded;
 *         TLSG_FULL: does not fit.
 * Source: what X509_NAME_oneline() of OpenSSL 3 prints, which `tls` shows in its variables and log lines.
 */
enum tlsg_ret tlsg_dn_text_oneline(gnutls_x509_dn_t dn, struct tlsg_buf *out) TLSG_MUST_CHECK;

#endif
