/*
 * tls_gnutls - RPC tls.kill: closes a connection
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any RPC process.  Memory: none.  Lock: none.
 */
#include "rpc/rpc.h"

#include "rpc/rpc_source.h"

#define FAULT 400

void tlsg_rpc_kill(rpc_t *rpc, void *ctx)
{
	int id = 0;

	if(rpc->scan(ctx, "d", &id) < 1 || id <= 0) {
		LM_WARN("tls.kill: the argument is not the id of a connection: take it from tls.list\n");
		rpc->fault(ctx, FAULT, "Connection id expected: a number that tls.list shows");
		return;
	}
	if(!tlsg_rpc_source_get()->kill(id)) {
		rpc->rpl_printf(ctx, "TLS connection id not found");
		return;
	}
	LM_NOTICE("connection %d closed by tls.kill\n", id);
	rpc->rpl_printf(ctx, "OK");
}
