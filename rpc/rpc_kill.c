/*
 * tls_gnutls - RPC tls.kill: closes a connection, or those that a filter selects
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any RPC process.  Memory: static buffer of this process.  Lock: see rpc_walk.h.
 */
#include "rpc/rpc.h"

#include <stdio.h>

#include "base/plural.h"
#include "rpc/rpc_source.h"
#include "rpc/rpc_walk.h"

#define FAULT 400

/** What the walk carries. */
struct killing
{
	int ids[TLSG_RPC_WALK_BATCH];
	unsigned used; /* of ids */
	unsigned closed;
	unsigned closing; /* they will be: TLSG_RPC_KILLED_LATER */
};

#define COUNTS_SIZE 96

/** Notes the id of a connection. A lock is held. */
static void id_copy(const struct tlsg_rpc_visited *v, void *param)
{
	struct killing *k = param;

	k->ids[k->used++] = v->id;
}

/** Closes the connections whose ids were noted. One that has ended meanwhile is not counted. */
static void ids_kill(void *param)
{
	struct killing *k = param;

	while(k->used > 0) {
		enum tlsg_rpc_killed killed = tlsg_rpc_source_get()->kill(k->ids[--k->used]);

		k->closed += killed == TLSG_RPC_KILLED;
		k->closing += killed == TLSG_RPC_KILLED_LATER;
	}
}

/** Writes how many were closed. @param to  [out] COUNTS_SIZE bytes. */
static void counts_format(const struct killing *k, const char *by, char *to)
{
	int at = snprintf(to, COUNTS_SIZE, "%u connection%s closed%s", k->closed, tlsg_plural_s(k->closed), by);

	if(k->closing > 0)
		snprintf(to + at, COUNTS_SIZE - (size_t)at, ", %u closing", k->closing);
}

static void kill_many(rpc_t *rpc, void *ctx, str first)
{
	const struct tlsg_rpc_visitor visitor = {id_copy, ids_kill};
	struct killing k = {.used = 0};
	struct tlsg_rpc_filter filter;
	char counts[COUNTS_SIZE];

	if(!tlsg_rpc_filter_read(rpc, ctx, &filter, first, TLSG_RPC_WORDS_REFUSED))
		return;
	if(!filter.selects) {
		rpc->fault(ctx, FAULT, "%s", "A filter expected: ip=, sni=, state= or older-than=");
		return;
	}
	tlsg_rpc_walk_run(&filter, &visitor, &k);
	counts_format(&k, " by tls.kill with a filter", counts);
	LM_NOTICE("%s\n", counts);
	counts_format(&k, "", counts);
	rpc->rpl_printf(ctx, "OK: %s", counts);
}

void tlsg_rpc_kill(rpc_t *rpc, void *ctx)
{
	str first = {NULL, 0};
	int id = 0;

	if(rpc->scan(ctx, "*.S", &first) == 1 && first.s != NULL && memchr(first.s, '=', (size_t)first.len) != NULL) {
		kill_many(rpc, ctx, first);
		return;
	}
	if(first.s == NULL || !tlsg_rpc_filter_number(&first, &id)) {
		LM_WARN("tls.kill: the argument is not the id of a connection: take it from tls.list\n");
		rpc->fault(ctx, FAULT, "Connection id expected: a number that tls.list shows");
		return;
	}
	switch(tlsg_rpc_source_get()->kill(id)) {
		case TLSG_RPC_KILLED_NOT:
			rpc->rpl_printf(ctx, "TLS connection id not found");
			return;
		case TLSG_RPC_KILLED:
			LM_NOTICE("connection %d closed by tls.kill\n", id);
			rpc->rpl_printf(ctx, "OK");
			return;
		case TLSG_RPC_KILLED_LATER:
			LM_NOTICE("connection %d is in use, it will be closed: tls.kill\n", id);
			rpc->rpl_printf(ctx, "OK"); /* tls.so, too, closes it later, and says that */
	}
}
