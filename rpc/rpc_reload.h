/*
 * tls_gnutls - RPC tls.reload: loads the configuration anew
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any RPC process.  Memory: none.  Lock: none.
 */
#ifndef TLSG_RPC_RPC_RELOAD_H
#define TLSG_RPC_RPC_RELOAD_H

#include "core/rpc.h"

/**
 * tls.reload: a line of text, or fault 500 whose text begins with the sentence that `tls` has for that case, followed by ": " and
 * the cause.
 * Source: spec 10.1.
 */
void tlsg_rpc_reload(rpc_t *rpc, void *ctx);

#endif
