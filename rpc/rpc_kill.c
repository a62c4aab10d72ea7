/*
 * tls_gnutls - RPC tls.kill: closes a connection, or those that a filter selects
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any RPC process.  Memory: static buffer of this process.  Lock: TCPCONN_LOCK, while ids are copied.
 */
#include "rpc/rpc.h"

#include "base/plural.h"
#include "rpc/rpc_filter.h"
#include "rpc/rpc_source.h"
#include "transport/assoc.h"

#define FAULT 400
#define BATCH 64

/** What the walk through the connections carries. */
struct killing
{
	struct tlsg_rpc_filter filter;
	int ids[BATCH];
	unsigned used;	 /* of ids */
	unsigned chosen; /* so far */
	unsigned closed;
};

/** Notes the id of a connection. TCPCONN_LOCK is held. */
static bool id_copy(const struct tcp_connection *c, const struct tlsg_conn *conn, void *param)
{
	struct killing *k = param;

	if(!tlsg_rpc_filter_matches(&k->filter, c, conn))
		return true;
	k->ids[k->used++] = tlsg_rpc_filter_id(c);
	return ++k->chosen != k->filter.limit;
}

/** Notes the id of an association. Its lock is held. */
static bool assoc_id_copy(struct tlsg_assoc *a, const struct receive_info *ends, int left_s, void *param)
{
	struct killing *k = param;

	(void)ends;
	(void)left_s;
	k->ids[k->used++] = a->id;
	return ++k->chosen != k->filter.limit;
}

/** Closes the connections whose ids were noted. One that has ended meanwhile is not counted. */
static void ids_kill(void *param)
{
	struct killing *k = param;

	while(k->used > 0)
		if(tlsg_rpc_source_get()->kill(k->ids[--k->used]))
			k->closed++;
}

static void kill_many(rpc_t *rpc, void *ctx, str first)
{
	struct killing k = {.used = 0};
	struct tlsg_rpc_walk walk = {BATCH, 0, id_copy, ids_kill};
	const struct tlsg_rpc_filter_associations associations = {BATCH, assoc_id_copy, ids_kill};

	if(!tlsg_rpc_filter_read(rpc, ctx, &k.filter, first, TLSG_RPC_WORDS_REFUSED))
		return;
	if(!k.filter.selects) {
		rpc->fault(ctx, FAULT, "%s", "A filter expected: ip=, sni=, state= or older-than=");
		return;
	}
	walk.after = k.filter.after;
	if(k.filter.after < TLSG_ASSOC_ID_FIRST)
		tlsg_rpc_source_get()->walk(&walk, &k);
	if(k.filter.limit == 0 || k.chosen < k.filter.limit)
		tlsg_rpc_filter_walk(&k.filter, &associations, &k);
	LM_NOTICE("%u connection%s closed by tls.kill with a filter\n", k.closed, tlsg_plural_s(k.closed));
	rpc->rpl_printf(ctx, "OK: %u connection%s closed", k.closed, tlsg_plural_s(k.closed));
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
	if(!tlsg_rpc_source_get()->kill(id)) {
		rpc->rpl_printf(ctx, "TLS connection id not found");
		return;
	}
	LM_NOTICE("connection %d closed by tls.kill\n", id);
	rpc->rpl_printf(ctx, "OK");
}
