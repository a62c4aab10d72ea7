/*
 * tls_gnutls - RPC tls.reload: loads the configuration again
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any RPC process.  Memory: none.  Lock: none.
 */
#include "rpc/rpc.h"

#include <stdio.h>

#include "rpc/rpc_source.h"

#define FAULT 500
#define FAULT_TEXT 255 /* binrpc has a length of one byte, zero byte included, and drops longer faults */

static const char *sentence(enum tlsg_rpc_reload_stage stage)
{
	switch(stage) {
		case TLSG_RPC_RELOAD_BUSY:
			return "Another process is reloading the TLS configuration";
		case TLSG_RPC_RELOAD_SOCKETS:
			return "No server listening socket found for one of TLS domains (consult server log)";
		case TLSG_RPC_RELOAD_BUILD:
			return "Error while fixing TLS configuration (consult server log)";
		default:
			return "Error while loading TLS configuration file (consult server log)";
	}
}

void tlsg_rpc_reload(rpc_t *rpc, void *ctx)
{
	enum tlsg_rpc_reload_stage stage = TLSG_RPC_RELOAD_PARSE;
	char text[FAULT_TEXT];
	struct tlsg_err err;

	tlsg_err_clear(&err);
	if(tlsg_rpc_source_get()->reload(&stage, &err) == TLSG_OK) {
		LM_DBG("TLS configuration successfully loaded\n");
		LM_NOTICE("TLS configuration reloaded\n");
		rpc->rpl_printf(ctx, "Ok. TLS configuration reloaded.");
		return;
	}
	LM_ERR("the TLS configuration was not reloaded, the current one stays: %s\n", err.text);
	snprintf(text, sizeof(text), err.text[0] != '\0' ? "%s: %s" : "%s%s", sentence(stage), err.text);
	rpc->fault(ctx, FAULT, "%s", text);
}
