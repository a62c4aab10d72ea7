/*
 * tls_gnutls - RPC tls.sessions: counters of handshakes, alerts, verifications, memory
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any RPC process.  Memory: none.  Lock: none.
 */
#ifndef TLSG_RPC_RPC_SESSIONS_H
#define TLSG_RPC_RPC_SESSIONS_H

#include "core/rpc.h"

/**
 * tls.sessions: one structure: the figures of transport/stats.h under their names, then handshakes_unfinished, arena_bytes, arena_spare_bytes,
 * configurations (snapshots alive).
 */
void tlsg_rpc_sessions(rpc_t *rpc, void *ctx);

#endif
