/*
 * tls_gnutls - what the RPC commands ask the module for
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: set in mod_init; read in any RPC process.  Memory: static.  Lock: none.
 */
#include "rpc/rpc_source.h"

static const struct tlsg_rpc_source *the_source;

void tlsg_rpc_source_set(const struct tlsg_rpc_source *source)
{
	the_source = source;
}

const struct tlsg_rpc_source *tlsg_rpc_source_get(void)
{
	return the_source;
}
