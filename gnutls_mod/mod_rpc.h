/*
 * tls_gnutls - connects the RPC commands and the core's statistics with the module
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: registered in mod_init; called in any RPC process.  Memory: static.  Lock: none.
 */
#ifndef TLSG_GNUTLS_MOD_MOD_RPC_H
#define TLSG_GNUTLS_MOD_MOD_RPC_H

/**
 * Registers the RPC commands tls.* and the statistics of group tls. In mod_init.
 * @return 0; -1: the core refuses them.
 * Source: doc/rpc.md; names of the first three statistics: tls.so of Kamailio 6.0.
 */
int tlsg_mod_rpc_start(void);

#endif
