/*
 * tls_gnutls - names of objects on tokens: RFC 7512 URIs and the spellings of OpenSSL's engines
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot.  Memory: the caller's; p11-kit's is freed on return.  Lock: none.
 */
#ifndef TLSG_PKCS11_P11_URI_H
#define TLSG_PKCS11_P11_URI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define TLSG_P11_URI_SIZE 1024
#define TLSG_P11_PATH_SIZE 512
#define TLSG_P11_PIN_SIZE 256 /* GNUTLS_PKCS11_MAX_PIN_LEN */

/** A parsed name. Plain data; its owner wipes it with gnutls_memset() because of the PIN. */
struct tlsg_p11_uri
{
	char uri[TLSG_P11_URI_SIZE];		  /**< canonical, without PIN and module: for GnuTLS and messages */
	char module_path[TLSG_P11_PATH_SIZE]; /**< "": not named */
	char module_name[TLSG_P11_PATH_SIZE]; /**< "": not named */
	char pin[TLSG_P11_PIN_SIZE];		  /**< pin-value */
	char pin_source[TLSG_P11_PATH_SIZE];  /**< pin-source as written */
	bool has_pin;						  /**< pin may be the empty string */
	bool has_object;					  /**< an id or an object's label is named */
	char type[12];						  /**< "cert", "public", "private", "secret-key", "data"; "": not named */
	bool has_token;						  /**< the token's label or serial number is named */
	bool has_slot;
	unsigned long slot; /**< slot number, of `slot-id=` or of an engine's `slot_N` */
};

/** @return whether a value of private_key, certificate or ca_list names an object on a token. */
bool tlsg_p11_uri_is(const char *value);

/**
 * Parses a name: `pkcs11:…`, `/uri:pkcs11:…`, `/engine:pkcs11:…`, or an engine's id: `/engine:<label>`,
 * `/engine:[slot_N-]label_<label>`, `/engine:[slot_N-]id_<hex>`.
 * @param value  zero-terminated, as configured.
 * @param out    [out] set on TLSG_OK, otherwise wiped.
 * @return TLSG_OK; TLSG_E_CONFIG: malformed, too long, or an unknown attribute (err has the value without its PIN, and
 *         the reason); TLSG_E_RESOURCE.
 * Source: RFC 7512, p11_kit_uri_parse(); ids: engine_pkcs11's README.
 */
enum tlsg_ret tlsg_p11_uri_parse(const char *value, struct tlsg_p11_uri *out, struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Adds the module to the canonical URI, which is then different from that of an object with the same names in another
 * module.
 * @param u  [in,out] after tlsg_p11_uri_parse(). One without a module stays as it is.
 * @return TLSG_OK; TLSG_E_CONFIG: it becomes too long.
 */
enum tlsg_ret tlsg_p11_uri_add_module(struct tlsg_p11_uri *u, struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Keeps of a URI the attributes of the token: so GnuTLS names a token when it asks for its PIN.
 * @param uri  URI of a token or an object, also with attributes of its library.
 * @param out  [out] TLSG_P11_URI_SIZE bytes.
 * @return false: malformed, too long, or out of memory; out is the empty string.
 * Source: p11_kit_uri_format().
 */
bool tlsg_p11_uri_keep_token(const char *uri, char *out);

/**
 * Whether two URIs name the same library, by its description and manufacturer.
 * @param a  with these attributes, as @p b.
 * @return false also for a malformed URI.
 */
bool tlsg_p11_uri_has_same_library(const char *a, const char *b);

/**
 * Copies a value for a message or a log, up to the first thing that looks like a PIN attribute. Takes any text, also
 * malformed URIs.
 * @param out  [out] zero-terminated, cut to size.
 * @return out.
 */
const char *tlsg_p11_uri_redact(const char *value, char *out, size_t size);

#endif
