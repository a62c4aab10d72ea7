/*
 * tls_gnutls - RPC tls.reload: loads the configuration again, or checks whether it could be loaded
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any RPC process.  Memory: none.  Lock: none.
 */
#include "rpc/rpc.h"

#include <stdio.h>
#include <string.h>

#include "rpc/rpc_source.h"

#define FAULT 500
#define FAULT_ARGUMENT 400
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

/* @return whether the argument is absent or "check"; otherwise a fault was sent. */
static bool argument_read(rpc_t *rpc, void *ctx, bool *check)
{
	str word = {NULL, 0};

	*check = false;
	if(rpc->scan(ctx, "*.S", &word) < 1 || word.s == NULL || word.len == 0)
		return true;
	*check = word.len == 5 && memcmp(word.s, "check", 5) == 0;
	if(*check)
		return true;
	LM_WARN("tls.reload: the argument \"%.*s\" is not supported, nothing was reloaded: write check, or nothing\n",
			word.len, word.s);
	rpc->fault(ctx, FAULT_ARGUMENT, "The argument is not supported: write check, or nothing");
	return false;
}

static void reply(rpc_t *rpc, void *ctx, const struct tlsg_rpc_reload *r)
{
	if(r->check) {
		rpc->rpl_printf(ctx, "Ok. TLS configuration checked, nothing was changed.%s%s",
				r->changes[0] != '\0' ? "\nA reload would change:" : "", r->changes);
		return;
	}
	LM_DBG("TLS configuration successfully loaded\n");
	rpc->rpl_printf(ctx, "Ok. TLS configuration reloaded.%s", r->changes);
}

void tlsg_rpc_reload(rpc_t *rpc, void *ctx)
{
	struct tlsg_rpc_reload r = {.stage = TLSG_RPC_RELOAD_PARSE};
	char text[FAULT_TEXT];
	struct tlsg_err err;

	if(!argument_read(rpc, ctx, &r.check))
		return;
	tlsg_err_clear(&err);
	if(tlsg_rpc_source_get()->reload(&r, &err) == TLSG_OK) {
		reply(rpc, ctx, &r);
		return;
	}
	if(r.check)
		LM_WARN("the TLS configuration was checked and cannot be loaded: %s\n", err.text);
	else
		LM_ERR("the TLS configuration was not reloaded, the current one stays: %s\n", err.text);
	snprintf(text, sizeof(text), err.text[0] != '\0' ? "%s: %s" : "%s%s", sentence(r.stage), err.text);
	rpc->fault(ctx, FAULT, "%s", text);
}
