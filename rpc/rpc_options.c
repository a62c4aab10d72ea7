/*
 * tls_gnutls - RPC tls.options: the settings in use
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any RPC process.  Memory: none.  Lock: none.
 */
#include "rpc/rpc.h"

#include "rpc/rpc_source.h"

void tlsg_rpc_options(rpc_t *rpc, void *ctx)
{
	struct tlsg_rpc_option o;
	void *handle;
	unsigned i;

	if(rpc->add(ctx, "{", &handle) < 0)
		return;
	for(i = 0; tlsg_rpc_source_get()->option(i, &o); i++) {
		if(o.is_number)
			rpc->struct_add(handle, "d", o.name, o.number);
		else
			rpc->struct_add(handle, "S", o.name, &o.text);
	}
}
