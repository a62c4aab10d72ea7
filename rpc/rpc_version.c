/*
 * tls_gnutls - RPC tls.version: versions of the module and of GnuTLS
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any RPC process.  Memory: none.  Lock: none.
 */
#include "rpc/rpc.h"

#include "base/version.h"

void tlsg_rpc_version(rpc_t *rpc, void *ctx)
{
	void *handle;

	if(rpc->add(ctx, "{", &handle) < 0)
		return;
	rpc->struct_add(handle, "ssss", "module", "tls_gnutls", "version", TLSG_VERSION, "gnutls", tlsg_version_loaded(),
			"gnutls_built", tlsg_version_built());
}
