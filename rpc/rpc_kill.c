/*
 * tls_gnutls - RPC tls.kill: ends one connection
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any RPC process.  Memory: none.  Lock: none here.
 */
#include "rpc/rpc_kill.h"

#include "rpc/rpc_export.h"

void tlsg_rpc_kill(rpc_t *rpc, void *ctx)
{
	int id = 0;

	if(rpc->scan(ctx, "d", &id) < 1)
		return; /* the core has made a fault of it */
	rpc->rpl_printf(ctx, tlsg_rpc_source_get()->kill(id) ? "OK" : "TLS connection id not found");
}
