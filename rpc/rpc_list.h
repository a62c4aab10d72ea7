/*
 * tls_gnutls - RPC tls.list: the TLS connections that are open
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any RPC process.  Memory: static buffer of this process.  Lock: TCPCONN_LOCK, held while a few records are copied.
 */
#ifndef TLSG_RPC_RPC_LIST_H
#define TLSG_RPC_RPC_LIST_H

#include "core/rpc.h"

/**
 * tls.list: an array of structures, one per TLS or WSS connection, in the order of the hash table of the core. Connections that come
 * and go meanwhile may be missing.
 * Source: spec 10.2.
 */
void tlsg_rpc_list(rpc_t *rpc, void *ctx);

#endif
