/*
 * tls_gnutls - RPC tls.options: what is configured
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any RPC process.  Memory: none.  Lock: none.
 */
#include "rpc/rpc_options.h"

#include "rpc/rpc_export.h"

void tlsg_rpc_options(rpc_t *rpc, void *ctx)
{
	struct tlsg_rpc_options o;
	void *handle;

	memset(&o, 0, sizeof(o));
	tlsg_rpc_source_get()->options(&o);
	if(rpc->add(ctx, "{", &handle) < 0)
		return;
	rpc->struct_add(handle, "dSdddSSSSS", "force_run", o.force_run, "method", &o.method, "verify_certificate",
			o.verify_certificate, "verify_depth", o.verify_depth, "require_certificate", o.require_certificate,
			"verify_client", &o.verify_client, "private_key", &o.private_key, "ca_list", &o.ca_list, "certificate",
			&o.certificate, "cipher_list", &o.cipher_list);
	rpc->struct_add(handle, "dSSddd", "session_cache", o.session_cache, "session_id", &o.session_id, "config",
			&o.config, "log", o.log, "debug", o.debug, "connection_timeout", o.connection_timeout);
	rpc->struct_add(handle, "dddddd", "disable_compression", o.disable_compression, "ssl_release_buffers",
			o.ssl_release_buffers, "ssl_freelist_max", o.ssl_freelist_max, "ssl_max_send_fragment",
			o.ssl_max_send_fragment, "ssl_read_ahead", o.ssl_read_ahead, "send_close_notify", o.send_close_notify);
	rpc->struct_add(handle, "ddddd", "low_mem_threshold1", o.low_mem_threshold1, "low_mem_threshold2",
			o.low_mem_threshold2, "ct_wq_max", o.ct_wq_max, "con_ct_wq_max", o.con_ct_wq_max, "ct_wq_blk_size",
			o.ct_wq_blk_size);
}
