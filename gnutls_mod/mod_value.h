/*
 * tls_gnutls - the values behind pseudo-variables and selects
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that runs script code.  Memory: static buffers of this process.  Lock: see mod_view.h.
 */
#ifndef TLSG_GNUTLS_MOD_MOD_VALUE_H
#define TLSG_GNUTLS_MOD_MOD_VALUE_H

#include <stdbool.h>

#include "base/host.h"
#include "transport/conn_cert.h"

struct sip_msg;

/** What can be asked for. */
enum tlsg_value_item
{
	TLSG_VALUE_NONE,
	TLSG_VALUE_VERSION,		/**< protocol version in OpenSSL's spelling */
	TLSG_VALUE_DESCRIPTION, /**< OpenSSL's line about the suite, with its newline */
	TLSG_VALUE_CIPHER,		/**< name of the suite */
	TLSG_VALUE_BITS,		/**< also a number */
	TLSG_VALUE_SNI,
	/* about a certificate */
	TLSG_VALUE_PEM,
	TLSG_VALUE_PEM_URL,
	TLSG_VALUE_CERT_VERSION,
	TLSG_VALUE_SERIAL,
	TLSG_VALUE_NOT_BEFORE,
	TLSG_VALUE_NOT_AFTER,
	TLSG_VALUE_LINE,	  /**< side: whole name on one line */
	TLSG_VALUE_ATTR,	  /**< side, part: enum tlsg_dn_attr */
	TLSG_VALUE_SAN,		  /**< part: enum tlsg_cert_san; index */
	TLSG_VALUE_SAN_COUNT, /**< part: enum tlsg_cert_san; also a number */
	/* about the peer only; also numbers */
	TLSG_VALUE_VERIFIED,
	TLSG_VALUE_REVOKED,
	TLSG_VALUE_EXPIRED,
	TLSG_VALUE_SELF_SIGNED,
	/* the chain that verification built; index */
	TLSG_VALUE_CHAIN
};

struct tlsg_value_query
{
	enum tlsg_value_item item;
	bool own; /**< our certificate, not the peer's */
	enum tlsg_cert_side side;
	unsigned part;
	int index; /**< from 0 */
};

struct tlsg_value
{
	str text; /**< static buffer, valid for the next 15 values of this process (2 for URL-encoded certificates) */
	bool is_number;
	int number;
};

/**
 * Evaluates a query for the connection of a message.
 * @param msg  see tlsg_view_get().
 * @param q    what is asked for.
 * @param out  [out] set only on success.
 * @return 0; -1: no such value. A line was logged when something is wrong: for missing parts of a certificate at DBG.
 * Source: spec sections 8 and 9.
 */
int tlsg_value_get(struct sip_msg *msg, const struct tlsg_value_query *q, struct tlsg_value *out);

/**
 * Kind of subject alternative name for its word in a script.
 * @param word  DNS, URI, EMAIL or IP, in this spelling.
 * @param kind  [out] set when known.
 * @return whether it is known.
 */
bool tlsg_value_san_kind(const str *word, unsigned *kind);

#endif
