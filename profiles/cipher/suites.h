/*
 * tls_gnutls - the table of TLS cipher suites: names, algorithms, OpenSSL's descriptions
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: static const data, pointers to rows are valid in every process.  Lock: none.
 */
#ifndef TLSG_PROFILES_CIPHER_SUITES_H
#define TLSG_PROFILES_CIPHER_SUITES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gnutls/gnutls.h>

#include "base/err.h"

/* Protocol versions as on the wire. SSL 3.0 is a label only: nothing here negotiates it. */
#define TLSG_SSL3 0x0300u
#define TLSG_TLS1_0 0x0301u
#define TLSG_TLS1_1 0x0302u
#define TLSG_TLS1_2 0x0303u
#define TLSG_TLS1_3 0x0304u

/** A set of versions is an OR of these bits. */
#define TLSG_VERSION_BIT(v) (1u << ((v)&0xfu))

/** Key exchange; one bit each, so that a keyword of a cipher string is a mask. */
enum tlsg_suite_kx
{
	TLSG_KX_RSA = 1 << 0,
	TLSG_KX_DHE = 1 << 1,
	TLSG_KX_ECDHE = 1 << 2,
	TLSG_KX_PSK = 1 << 3,
	TLSG_KX_RSAPSK = 1 << 4,
	TLSG_KX_DHEPSK = 1 << 5,
	TLSG_KX_ECDHEPSK = 1 << 6,
	TLSG_KX_SRP = 1 << 7,
	TLSG_KX_GOST = 1 << 8,
	TLSG_KX_ANY = 1 << 9 /**< TLS 1.3: negotiated separately from the suite */
};

/** Authentication of the server. */
enum tlsg_suite_au
{
	TLSG_AU_RSA = 1 << 0,
	TLSG_AU_DSS = 1 << 1,
	TLSG_AU_ECDSA = 1 << 2,
	TLSG_AU_NULL = 1 << 3,
	TLSG_AU_PSK = 1 << 4,
	TLSG_AU_SRP = 1 << 5,
	TLSG_AU_GOST12 = 1 << 6,
	TLSG_AU_ANY = 1 << 7 /**< TLS 1.3 */
};

/** Encryption of records. */
enum tlsg_suite_enc
{
	TLSG_ENC_AES128 = 1 << 0,
	TLSG_ENC_AES256 = 1 << 1,
	TLSG_ENC_AES128GCM = 1 << 2,
	TLSG_ENC_AES256GCM = 1 << 3,
	TLSG_ENC_AES128CCM = 1 << 4,
	TLSG_ENC_AES256CCM = 1 << 5,
	TLSG_ENC_AES128CCM8 = 1 << 6,
	TLSG_ENC_AES256CCM8 = 1 << 7,
	TLSG_ENC_CAM128 = 1 << 8,
	TLSG_ENC_CAM256 = 1 << 9,
	TLSG_ENC_CAM128GCM = 1 << 10,
	TLSG_ENC_CAM256GCM = 1 << 11,
	TLSG_ENC_CHACHA20 = 1 << 12,
	TLSG_ENC_ARIA128 = 1 << 13,
	TLSG_ENC_ARIA256 = 1 << 14,
	TLSG_ENC_3DES = 1 << 15,
	TLSG_ENC_RC4 = 1 << 16,
	TLSG_ENC_GOST = 1 << 17,
	TLSG_ENC_NULL = 1 << 18,
	TLSG_ENC_EVERY = (1 << 19) - 1
};

/** Authentication of records. */
enum tlsg_suite_mac
{
	TLSG_MAC_MD5 = 1 << 0,
	TLSG_MAC_SHA1 = 1 << 1,
	TLSG_MAC_SHA256 = 1 << 2,
	TLSG_MAC_SHA384 = 1 << 3,
	TLSG_MAC_AEAD = 1 << 4,
	TLSG_MAC_GOST = 1 << 5
};

/** How OpenSSL 3 classifies a suite. */
enum tlsg_suite_class
{
	TLSG_SUITE_RULES = 1 << 0,		/**< cipher strings select it (TLS 1.2 and below) */
	TLSG_SUITE_DEFAULT13 = 1 << 1,	/**< one of the TLS 1.3 suites that are enabled by default */
	TLSG_SUITE_HIGH = 1 << 2,		/**< keyword HIGH */
	TLSG_SUITE_FIPS = 1 << 3,		/**< keyword FIPS */
	TLSG_SUITE_NOT_DEFAULT = 1 << 4 /**< keyword COMPLEMENTOFDEFAULT */
};

/**
 * One cipher suite. The table begins with those of OpenSSL, in the order that it has before it applies a cipher string.
 */
struct tlsg_suite
{
	uint8_t id[2];		  /**< on the wire */
	const char *openssl;  /**< OpenSSL's name; NULL if no version had the suite */
	const char *iana;	  /**< name in the IANA registry */
	uint16_t min_version; /**< lowest protocol that has it, according to OpenSSL (TLSG_SSL3 is possible) */
	uint16_t kx;		  /**< one of enum tlsg_suite_kx */
	uint16_t au;		  /**< one of enum tlsg_suite_au */
	uint32_t enc;		  /**< one of enum tlsg_suite_enc */
	uint16_t mac;		  /**< one of enum tlsg_suite_mac */
	unsigned flags;		  /**< OR of enum tlsg_suite_class */
};

/** Size of arrays that hold any list of suites. */
#define TLSG_SUITES_MAX 256

/**
 * The whole table.
 * @param count [out] number of rows, at most TLSG_SUITES_MAX; not NULL.
 * @return first row, never NULL.
 */
const struct tlsg_suite *tlsg_suite_table(size_t *count);

/**
 * Finds a suite by its number on the wire.
 * @param high, low  the two bytes in the order of the wire.
 * @return the row, NULL if unknown (also for signalling values and GREASE).
 */
const struct tlsg_suite *tlsg_suite_by_id(uint8_t high, uint8_t low);

/**
 * Finds a suite by OpenSSL's name (old EDH- spellings too) or by IANA's. Case counts, as in OpenSSL.
 * @param name  need not be terminated; not NULL.
 * @param len   bytes of name.
 * @return the row, NULL if unknown.
 */
const struct tlsg_suite *tlsg_suite_by_name(const char *name, size_t len);

/** @return a row of the table. @param index  0 to count - 1. */
const struct tlsg_suite *tlsg_suite_at(size_t index);

/** Position of a row in the table. @param s  a row of the table. @return 0 to count - 1. */
size_t tlsg_suite_index(const struct tlsg_suite *s);

/** @return OpenSSL's name, or IANA's if OpenSSL has none; never NULL. Source: SSL_CIPHER_get_name(). */
const char *tlsg_suite_name(const struct tlsg_suite *s);

/**
 * @return lowest protocol as OpenSSL writes it: "SSLv3", "TLSv1", "TLSv1.2", "TLSv1.3". Source:
 * SSL_CIPHER_get_version().
 */
const char *tlsg_suite_protocol(const struct tlsg_suite *s);

/** @return bits of strength: 256, 128, 112 for triple DES, 0 without encryption. Source: SSL_CIPHER_get_bits(). */
int tlsg_suite_bits(const struct tlsg_suite *s);

/** @return GnuTLS's key exchange, GNUTLS_KX_UNKNOWN for TLS 1.3 suites. */
gnutls_kx_algorithm_t tlsg_suite_gnutls_kx(const struct tlsg_suite *s);

/** @return GnuTLS's cipher, GNUTLS_CIPHER_UNKNOWN if GnuTLS has none (ARIA). */
gnutls_cipher_algorithm_t tlsg_suite_gnutls_cipher(const struct tlsg_suite *s);

/** @return GnuTLS's MAC, GNUTLS_MAC_AEAD for authenticated encryption. */
gnutls_mac_algorithm_t tlsg_suite_gnutls_mac(const struct tlsg_suite *s);

/**
 * Whether the suite encrypts and the server authenticates with a certificate (RSA, DSA, ECDSA): those that this module
 * offers.
 * @return true for those and all TLS 1.3 suites; false for PSK, SRP, anonymous, NULL and GOST.
 */
bool tlsg_suite_is_cert(const struct tlsg_suite *s);

/** Whether a protocol has the suite. @param version  TLSG_TLS1_0 to TLSG_TLS1_3. */
bool tlsg_suite_in_version(const struct tlsg_suite *s, unsigned version);

/**
 * Whether the GnuTLS library of this process knows the suite, whatever the policy allows.
 * Source: gnutls_cipher_suite_info().
 */
bool tlsg_suite_is_known(const struct tlsg_suite *s);

/**
 * Writes OpenSSL 3's one-line description, with its newline.
 * @param buf  [out] terminated text, also if it did not fit (truncated).
 * @param size bytes of buf; 128 is enough.
 * @return TLSG_OK; TLSG_E_RESOURCE if it did not fit.
 * Source: SSL_CIPHER_description(); the protocol shown is the suite's lowest, not the negotiated one.
 */
enum tlsg_ret tlsg_suite_describe(const struct tlsg_suite *s, char *buf, size_t size) TLSG_MUST_CHECK;

#endif
