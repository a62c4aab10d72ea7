/*
 * tls_gnutls - RPC tls.options: what is configured
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any RPC process.  Memory: none.  Lock: none.
 */
#ifndef TLSG_RPC_RPC_OPTIONS_H
#define TLSG_RPC_RPC_OPTIONS_H

#include "core/rpc.h"

/**
 * tls.options: one structure.
 * Source: spec 10.4.
 */
void tlsg_rpc_options(rpc_t *rpc, void *ctx);

#endif
