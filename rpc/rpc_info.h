/*
 * tls_gnutls - RPC tls.info: connections and queued bytes
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any RPC process.  Memory: none.  Lock: none.
 */
#ifndef TLSG_RPC_RPC_INFO_H
#define TLSG_RPC_RPC_INFO_H

#include "core/rpc.h"

/**
 * tls.info: one structure with max_connections, opened_connections, clear_text_write_queued_bytes.
 * Source: spec 10.3.
 */
void tlsg_rpc_info(rpc_t *rpc, void *ctx);

#endif
