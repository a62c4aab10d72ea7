/*
 * tls_gnutls - RPC tls.profiles: each profile with its certificates and CRLs
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any RPC process.  Memory: heap of this process.  Lock: none; a reference on the snapshot is held.
 */
#ifndef TLSG_RPC_RPC_PROFILES_H
#define TLSG_RPC_RPC_PROFILES_H

#include "core/rpc.h"

/**
 * tls.profiles: an array of structures, one per profile of the current configuration, in lookup order, server profiles first, default
 * profiles last.
 */
void tlsg_rpc_profiles(rpc_t *rpc, void *ctx);

#endif
