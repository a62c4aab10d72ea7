/*
 * tls_gnutls - finds the token and the objects that a setting names
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: tlsg_p11_find_run() in the builder of a snapshot; the rest in the short-lived child that it forks, whose
 * memory nobody frees.
 * Memory: results on this process's heap.  Lock: none.
 */
#ifndef TLSG_PKCS11_P11_FIND_H
#define TLSG_PKCS11_P11_FIND_H

#include <gnutls/pkcs11.h>

#include "pkcs11/p11_pin.h"

/** What is looked for. Plain data, wiped by its owner. */
struct tlsg_p11_query
{
	struct tlsg_p11_uri uri;		 /**< pin and pin_source are ignored */
	char module[TLSG_P11_PATH_SIZE]; /**< if the URI names none: path or registered name; "": all registered ones */
	struct tlsg_p11_secret pin;
};

struct tlsg_p11_find;

/**
 * One attempt to find something, in the child.
 * @param out  [out] bytes to hand over, allocated with gnutls_malloc().
 * @param err  [out] one sentence without the object's name.
 */
typedef enum tlsg_ret (*tlsg_p11_find_attempt)(struct tlsg_p11_find *f, gnutls_datum_t *out, struct tlsg_err *err);

/** A search. */
struct tlsg_p11_find
{
	const struct tlsg_p11_query *q;
	const char *type;			/**< value of type= that the URI may have: "private", "cert" */
	const gnutls_datum_t *leaf; /**< DER of the certificate that a key must match; NULL: certificates are looked for */
	tlsg_p11_find_attempt attempt;
	char uri[TLSG_P11_URI_SIZE];   /**< q->uri.uri, with the attributes of the one token that matches and its library */
	char token[TLSG_P11_URI_SIZE]; /**< the token, or the first of several that match */
};

/** Objects that match. */
struct tlsg_p11_find_objects
{
	gnutls_pkcs11_obj_t *list;
	unsigned len;
};

/**
 * Runs f->attempt in a child, if need be several times (pkcs11/p11_retry.h).
 * @param out  [out] what the attempt handed over: [heap], gnutls_free().
 * @return as tlsg_p11_probe_run().
 */
enum tlsg_ret tlsg_p11_find_run(struct tlsg_p11_find *f, gnutls_datum_t *out, struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * In an attempt: loads the module and finds the token. f->uri and f->token are set on TLSG_OK.
 * @return TLSG_OK; TLSG_E_CONFIG: another type, no module, no token or several, its PIN is locked.
 */
enum tlsg_ret tlsg_p11_find_token(struct tlsg_p11_find *f, struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * After tlsg_p11_find_token(): path of the library that has the token.
 * @param out  [out] TLSG_P11_PATH_SIZE bytes; "": it is registered with p11-kit without one (`remote:`).
 * @return TLSG_OK; TLSG_E_CONFIG: the path is too long, or the token is gone again.
 */
enum tlsg_ret tlsg_p11_find_module(const struct tlsg_p11_find *f, char *out, struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * After tlsg_p11_find_token(): how many sessions the token says that it takes.
 * @return 0: as many as you like, or it does not say.
 * Source: CK_TOKEN_INFO.ulMaxSessionCount.
 */
unsigned long tlsg_p11_find_sessions(const struct tlsg_p11_find *f);

/**
 * After tlsg_p11_find_token(): lists objects.
 * @param flags  GNUTLS_PKCS11_OBJ_FLAG_*.
 * @param o      [out] no object is not an error.
 * @return 0, or GnuTLS's error.
 * Source: gnutls_pkcs11_obj_list_import_url4().
 */
int tlsg_p11_find_list(const struct tlsg_p11_find *f, unsigned flags, struct tlsg_p11_find_objects *o);

#endif
