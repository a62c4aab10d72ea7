/*
 * tls_gnutls - connects the RPC commands with the module
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that runs script code.  Memory: static.  Lock: none.
 */
#include "gnutls_mod/mod_rpc.h"

int tlsg_rpc_start(void)
{
	return 0;
}
