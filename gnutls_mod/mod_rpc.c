/*
 * tls_gnutls - connects the RPC commands and the core's statistics with the module
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: registered in mod_init; called in any RPC process.  Memory: static.
 * Lock: TCPCONN_LOCK, taken here to end a connection.
 */
#include "gnutls_mod/mod_rpc.h"

#include <errno.h>
#include <limits.h>

#include "core/tcp_conn.h"

#include "gnutls_mod/mod_config.h"
#include "gnutls_mod/mod_hooks.h"
#include "gnutls_mod/mod_params.h"
#include "gnutls_mod/mod_stats.h"
#include "profiles/set.h"
#include "rpc/rpc_export.h"

/* In the core, but in none of its headers. */
extern gen_lock_t *tcpconn_lock;

static int low_mem_bytes(enum tlsg_low_mem which)
{
	uint64_t bytes = tlsg_params_low_mem_bytes(which);

	return bytes > INT_MAX ? INT_MAX : (int)bytes;
}

static void options(struct tlsg_rpc_options *o)
{
	const struct cfg_group_tls *cfg = tlsg_params_cfg();

	*o = (struct tlsg_rpc_options){
			.force_run = cfg->force_run,
			.method = cfg->method,
			.verify_certificate = cfg->verify_certificate,
			.verify_depth = cfg->verify_depth,
			.require_certificate = cfg->require_certificate,
			.verify_client = cfg->verify_client,
			.private_key = cfg->private_key,
			.ca_list = cfg->ca_list,
			.certificate = cfg->certificate,
			.cipher_list = cfg->cipher_list,
			.session_cache = cfg->session_cache,
			.session_id = cfg->session_id,
			.config = cfg->config,
			.log = cfg->log,
			.debug = cfg->debug,
			.connection_timeout = (int)TICKS_TO_S((ticks_t)cfg->connection_timeout),
			.disable_compression = cfg->disable_compression,
			.ssl_release_buffers = cfg->ssl_release_buffers,
			.ssl_freelist_max = cfg->ssl_free_list_max,
			.ssl_max_send_fragment = cfg->ssl_max_send_fragment,
			.ssl_read_ahead = cfg->ssl_read_ahead,
			.send_close_notify = cfg->send_close_notify,
			.low_mem_threshold1 = low_mem_bytes(TLSG_LOW_MEM_NEW),
			.low_mem_threshold2 = low_mem_bytes(TLSG_LOW_MEM_EXISTING),
			.ct_wq_max = cfg->ct_wq_max,
			.con_ct_wq_max = cfg->con_ct_wq_max,
			.ct_wq_blk_size = cfg->ct_wq_blk_size,
	};
}

/** Whether the configuration can be parsed; what it names is not looked at. */
static bool is_parsable(void)
{
	struct tlsg_set *set = NULL;
	struct tlsg_err err;

	tlsg_err_clear(&err);
	if(tlsg_config_parse(&set, &err) != TLSG_OK)
		return false;
	tlsg_set_drop(set);
	return true;
}

static enum tlsg_ret reload(enum tlsg_rpc_reload_stage *stage, struct tlsg_err *err)
{
	enum tlsg_ret ret = tlsg_config_load(err);

	if(ret == TLSG_AGAIN)
		*stage = TLSG_RPC_RELOAD_BUSY;
	else if(ret != TLSG_OK && err->sys_errno == EADDRNOTAVAIL)
		*stage = TLSG_RPC_RELOAD_SOCKETS; /* no socket listens on the address of a profile */
	else if(ret != TLSG_OK)
		*stage = is_parsable() ? TLSG_RPC_RELOAD_BUILD : TLSG_RPC_RELOAD_PARSE;
	return ret;
}

/** A connection that tcp main does not know yet is only marked: it ends with its next timer. */
static bool is_unknown_to_main(const struct tcp_connection *c)
{
	return (c->flags & F_CONN_PENDING) != 0;
}

static bool kill_connection(int id)
{
	struct tcp_connection *c;
	bool found = false;

	lock_get(tcpconn_lock);
	c = tlsg_hooks_find_unsafe(id);
	if(c != NULL && c->type != PROTO_TLS && c->type != PROTO_WSS)
		c = NULL;
	found = c != NULL;
	if(found && is_unknown_to_main(c)) {
		c->state = S_CONN_BAD;
		c->timeout = get_ticks_raw();
		c = NULL;
	} else if(found) {
		tcpconn_ref(c);
	}
	lock_release(tcpconn_lock);
	if(c != NULL)
		tlsg_hooks_kill(c);
	return found;
}

static const struct tlsg_conn *conn(const struct tcp_connection *c)
{
	return tlsg_hooks_conn(c);
}

static const struct tlsg_rpc_source source = {
		.options = options,
		.reload = reload,
		.kill = kill_connection,
		.conn = conn,
};

int tlsg_mod_rpc_start(void)
{
	if(tlsg_rpc_register(&source) < 0)
		return -1;
	return tlsg_mod_stats_register();
}
