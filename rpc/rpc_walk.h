/*
 * tls_gnutls - visits the TLS connections and DTLS associations that a filter selects
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any RPC process.  Memory: none.
 * Lock: TCPCONN_LOCK, or that of an association, while one is visited.
 *
 * Connections come first, in the order of the core's table, then associations, in that of transport/assoc.h. Commands
 * do not tell them apart otherwise. An association that another process keeps locked, because it waits for a token, is
 * left out.
 */
#ifndef TLSG_RPC_RPC_WALK_H
#define TLSG_RPC_RPC_WALK_H

#include <stdbool.h>

#include "rpc/rpc_filter.h"

struct receive_info;
struct tlsg_conn;

/** At most so many are visited between two calls of pause. */
#define TLSG_RPC_WALK_BATCH 64

/** What is visited: a TLS connection or a DTLS association. */
struct tlsg_rpc_visited
{
	int id;
	int left_s; /**< seconds until it ends if it is not used */
	bool is_dtls;
	const struct receive_info *ends; /**< src: the other side; borrowed */
	const struct tlsg_conn *conn;	 /**< borrowed; NULL: not made yet */
};

/** What is done with each of them. */
struct tlsg_rpc_visitor
{
	void (*visit)(const struct tlsg_rpc_visited *v, void *param); /**< copies what it needs: a lock is held */
	void (*pause)(void *param);									  /**< after each batch, without a lock */
};

/**
 * Visits what a filter selects, with its limit and after.
 * @param param  passed to both functions.
 */
void tlsg_rpc_walk_run(const struct tlsg_rpc_filter *f, const struct tlsg_rpc_visitor *visitor, void *param);

#endif
