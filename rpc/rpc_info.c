/*
 * tls_gnutls - RPC tls.info: number of connections, queued bytes
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any RPC process.  Memory: none.  Lock: none.
 */
#include "rpc/rpc.h"

#include "core/tcp_info.h"

#include "rpc/rpc_source.h"
#include "transport/assoc.h"
#include "transport/queue.h"

void tlsg_rpc_info(rpc_t *rpc, void *ctx)
{
	struct tcp_gen_info info;
	void *handle;

	tcp_get_info(&info);
	if(rpc->add(ctx, "{", &handle) < 0)
		return;
	rpc->struct_add(handle, "ddd", "max_connections", info.tls_max_connections, "opened_connections",
			info.tls_connections_no, "clear_text_write_queued_bytes", (int)tlsg_queue_total_bytes());
	if(tlsg_rpc_source_get()->assoc_max() > 0)
		rpc->struct_add(handle, "dd", "dtls_max_connections", (int)tlsg_rpc_source_get()->assoc_max(),
				"dtls_connections", (int)tlsg_assoc_count());
}
