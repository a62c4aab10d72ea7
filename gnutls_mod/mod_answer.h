/*
 * tls_gnutls - values of pseudo-variables and selects
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that runs script code.  Memory: static buffers of this process.  Lock: see mod_view.h.
 */
#ifndef TLSG_GNUTLS_MOD_MOD_ANSWER_H
#define TLSG_GNUTLS_MOD_MOD_ANSWER_H

#include <stdbool.h>

#include "base/host.h"
#include "transport/cert_text.h"

struct sip_msg;

/** What a script can ask for. */
enum tlsg_answer_item
{
	TLSG_ANSWER_NONE,
	TLSG_ANSWER_VERSION,	 /**< protocol version in OpenSSL's spelling */
	TLSG_ANSWER_DESCRIPTION, /**< OpenSSL's line about the suite, with its newline */
	TLSG_ANSWER_CIPHER,		 /**< name of the suite */
	TLSG_ANSWER_BITS,		 /**< also a number */
	TLSG_ANSWER_GROUP,		 /**< name of the key exchange's group */
	TLSG_ANSWER_SNI,
	/* about a certificate */
	TLSG_ANSWER_PEM,
	TLSG_ANSWER_PEM_URL,
	TLSG_ANSWER_CERT_VERSION,
	TLSG_ANSWER_SERIAL,
	TLSG_ANSWER_NOT_BEFORE,
	TLSG_ANSWER_NOT_AFTER,
	TLSG_ANSWER_LINE,	   /**< side: whole name on one line */
	TLSG_ANSWER_ATTR,	   /**< side, part: enum tlsg_dn_attr */
	TLSG_ANSWER_SAN,	   /**< part: enum tlsg_cert_san; index */
	TLSG_ANSWER_SAN_COUNT, /**< part: enum tlsg_cert_san; also a number */
	/* about the peer only; also numbers */
	TLSG_ANSWER_VERIFIED,
	TLSG_ANSWER_REVOKED,
	TLSG_ANSWER_EXPIRED,
	TLSG_ANSWER_SELF_SIGNED,
	/* the chain that verification built; index */
	TLSG_ANSWER_CHAIN
};

struct tlsg_answer_query
{
	enum tlsg_answer_item item;
	bool own; /**< true: our certificate; false: the peer's */
	enum tlsg_cert_side side;
	unsigned part;
	int index; /**< from 0 */
};

struct tlsg_answer
{
	str text; /**< static buffer, reused for the 16th value after this one (PEM: 4th, URL-encoded PEM: 2nd) */
	bool is_number;
	int number;
};

/**
 * Evaluates a query for the connection of a message.
 * @param msg  see tlsg_view_get().
 * @param out  [out] set only on success.
 * @return 0; -1: no such value; a line was logged, at DBG for missing parts of a certificate.
 * Source: doc/variables.md.
 */
int tlsg_answer_get(struct sip_msg *msg, const struct tlsg_answer_query *q, struct tlsg_answer *out);

/**
 * Parses a kind of subject alternative name.
 * @param word  DNS, URI, EMAIL or IP, in this spelling.
 * @param kind  [out] enum tlsg_cert_san, set on success.
 * @return false: unknown.
 */
bool tlsg_answer_san_kind(const str *word, unsigned *kind);

#endif
