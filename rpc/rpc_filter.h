/*
 * tls_gnutls - arguments of commands that select connections: limit=, after=, ip=, sni=, state=, older-than=
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any RPC process.  Memory: the caller's.  Lock: none; that of a connection is held when it is compared.
 */
#ifndef TLSG_RPC_RPC_FILTER_H
#define TLSG_RPC_RPC_FILTER_H

#include <stdbool.h>
#include <time.h>

#include "core/ip_addr.h"
#include "core/rpc.h"

struct receive_info;
struct tlsg_conn;

/** Which connections a command is about. */
struct tlsg_rpc_filter
{
	unsigned limit;	   /**< at most so many, 0: all */
	int after;		   /**< only those behind the connection with that id, in the order of the table; 0: all */
	unsigned given;	   /**< arguments that were read, a bit for each */
	bool selects;	   /**< one of the others is set */
	struct ip_addr ip; /**< of the other side; len 0: any */
	str sni;		   /**< borrowed from the request; {NULL,0}: any */
	const char *state; /**< as tls.list shows it, static; NULL: any */
	int older_s;	   /**< seconds since the TLS state was made; 0: any */
	time_t now;
};

/** Which arguments are not read. */
enum tlsg_rpc_filter_words
{
	TLSG_RPC_WORDS_IGNORED, /**< those without '=' are skipped */
	TLSG_RPC_WORDS_REFUSED
};

/**
 * Reads the arguments that are left in a request.
 * @param f      [out]
 * @param first  an argument that the caller has read already; {NULL,0}: none.
 * @param words  what to do with arguments that are not NAME=VALUE.
 * @return false: an argument is unknown or its value malformed; a fault was sent, which names it.
 */
bool tlsg_rpc_filter_read(
		rpc_t *rpc, void *ctx, struct tlsg_rpc_filter *f, str first, enum tlsg_rpc_filter_words words);

/** Whether a connection is meant; limit and after are left to the caller. @param conn  NULL: not made yet. */
bool tlsg_rpc_filter_matches(
		const struct tlsg_rpc_filter *f, const struct receive_info *ends, const struct tlsg_conn *conn);

/** Reads a positive number. @return false: it is something else, or larger than INT_MAX. */
bool tlsg_rpc_filter_number(const str *text, int *number);

#endif
