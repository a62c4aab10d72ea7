/*
 * tls_gnutls - RPC tls.kill: ends one connection
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any RPC process.  Memory: none.  Lock: none here.
 */
#ifndef TLSG_RPC_RPC_KILL_H
#define TLSG_RPC_RPC_KILL_H

#include "core/rpc.h"

/**
 * tls.kill <id>: a line of text, or fault 400 when the argument is missing or no positive number.
 * Source: spec 10.5.
 */
void tlsg_rpc_kill(rpc_t *rpc, void *ctx);

#endif
