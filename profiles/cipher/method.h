/*
 * tls_gnutls - the values of tls_method: which protocol versions a profile speaks
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: static const data, the caller's buffers.  Lock: none.
 */
#ifndef TLSG_PROFILES_CIPHER_METHOD_H
#define TLSG_PROFILES_CIPHER_METHOD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/** Numbers of the methods, as `tls` logs them; those of TLS 1.3 are additions of this module. 0 is "not set". */
enum tlsg_method_id
{
	TLSG_METHOD_UNSET = 0,
	TLSG_METHOD_SSLV23 = 3, /**< every version that GnuTLS and the system's policy permit */
	TLSG_METHOD_SSLV2 = 6,	/**< refused */
	TLSG_METHOD_SSLV3 = 9,	/**< refused */
	TLSG_METHOD_TLSV1 = 12,
	TLSG_METHOD_TLSV1_1 = 15,
	TLSG_METHOD_TLSV1_2 = 18,
	TLSG_METHOD_TLSV1_PLUS = 20, /**< this version and every later one */
	TLSG_METHOD_TLSV1_1_PLUS = 21,
	TLSG_METHOD_TLSV1_2_PLUS = 22,
	TLSG_METHOD_TLSV1_3 = 23,
	TLSG_METHOD_TLSV1_3_PLUS = 24
};

/** One method. */
struct tlsg_method
{
	const char *token; /**< as documented */
	int id;			   /**< enum tlsg_method_id */
	unsigned min;	   /**< lowest version, TLSG_TLS1_0...; 0 for refused methods */
	unsigned max;	   /**< highest version */
	bool datagram;	   /**< never set in the table: the versions of DTLS are meant */
};

/** Buffer size for tlsg_method_priority(). */
#define TLSG_METHOD_PRIORITY_SIZE 96

/**
 * Reads a value of tls_method. Letters of either case are the same.
 * @param token  need not be terminated; not NULL.
 * @param len    bytes of token.
 * @param out    [out] row of a static table; not NULL.
 * @param err    [out] NULL allowed; names the value and the valid ones.
 * @return TLSG_OK; TLSG_E_CONFIG for SSLv2 and SSLv3, which are not supported, and for unknown words.
 * Source: `tls` tls_config.c (tokens), tls_init.c (their meaning).
 */
enum tlsg_ret tlsg_method_parse(
		const char *token, size_t len, const struct tlsg_method **out, struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Finds a method by its number.
 * @param id  enum tlsg_method_id.
 * @return row of a static table; NULL for TLSG_METHOD_UNSET, refused methods and unknown numbers.
 */
const struct tlsg_method *tlsg_method_by_id(int id);

/**
 * @param version  gnutls_protocol_t.
 * @return name of a protocol version as OpenSSL writes it: "TLSv1.3", "DTLSv1.2"; "unknown"; static.
 */
const char *tlsg_method_version_name(int version);

/**
 * The versions that a method stands for. For SSLv23 they are those that GnuTLS's default priorities, hence the system's
 * policy, enable. Of DTLS they are 1.2 with TLS 1.2; 1.0 with TLS 1.0 or 1.1, if the method names one of them, which
 * SSLv23 does not; none with TLS 1.3.
 * @param m         a method; not NULL.
 * @param versions  [out] OR of TLSG_VERSION_BIT(), never 0. Those of DTLS are the versions of TLS that they are made
 *                  from: TLS 1.2 for DTLS 1.2; TLS 1.0 and 1.1 for DTLS 1.0, which counts as both.
 * @param err       [out] NULL allowed.
 * @return TLSG_OK; TLSG_E_CONFIG if the system's policy leaves nothing, or DTLS has no such version;
 *         another negative result if GnuTLS failed.
 * Source: gnutls_priority_init(), gnutls_priority_protocol_list().
 */
enum tlsg_ret tlsg_method_versions(
		const struct tlsg_method *m, unsigned *versions, struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Writes the part of a priority string that admits exactly some versions: "-VERS-ALL:+VERS-TLS1.3:...", highest first.
 * @param versions  OR of TLSG_VERSION_BIT().
 * @param datagram  write the names of the versions of DTLS.
 * @param buf       [out] terminated text.
 * @param size      bytes of buf; TLSG_METHOD_PRIORITY_SIZE is enough.
 * @return TLSG_OK; TLSG_E_RESOURCE if it did not fit.
 * Source: GnuTLS manual, "Priority strings".
 */
enum tlsg_ret tlsg_method_priority(unsigned versions, bool datagram, char *buf, size_t size) TLSG_MUST_CHECK;

#endif
