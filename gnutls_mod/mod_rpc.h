/*
 * tls_gnutls - connects the RPC commands with the module
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that runs script code.  Memory: static.  Lock: none.
 */
#ifndef TLSG_GNUTLS_MOD_MOD_RPC_H
#define TLSG_GNUTLS_MOD_MOD_RPC_H

/** Registers the RPC commands and statistics. In mod_init. @return 0; -1. Source: spec section 10. */
int tlsg_rpc_start(void);

#endif
