/*
 * tls_gnutls - RPC tls.sessions: counters of handshakes, alerts, verifications, memory
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any RPC process.  Memory: none.  Lock: none.
 */
#include "rpc/rpc.h"

#include "base/arena.h"
#include "base/arena_pool.h"
#include "profiles/set.h"
#include "transport/resume_store.h"
#include "transport/slots.h"
#include "transport/stats.h"

void tlsg_rpc_sessions(rpc_t *rpc, void *ctx)
{
	size_t spare = 0;
	size_t held = tlsg_arena_pool_held(&spare);
	size_t resumable_bytes;
	unsigned resumable = tlsg_resume_store_len(&resumable_bytes);
	void *handle;
	unsigned i;

	if(rpc->add(ctx, "{", &handle) < 0)
		return;
	for(i = 0; i < tlsg_stats_len(); i++)
		rpc->struct_add(handle, "j", tlsg_stats_name(i), (unsigned long)tlsg_stats_value(i));
	rpc->struct_add(handle, "d", "handshakes_unfinished", (int)tlsg_slots_used(NULL));
	rpc->struct_add(handle, "jjd", "arena_bytes", (unsigned long)held, "arena_spare_bytes", (unsigned long)spare,
			"configurations", (int)tlsg_set_alive());
	rpc->struct_add(handle, "dj", "sessions_resumable", (int)resumable, "sessions_resumable_bytes",
			(unsigned long)resumable_bytes);
}
