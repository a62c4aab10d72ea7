/*
 * tls_gnutls - visits the TLS connections and DTLS associations that a filter selects
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any RPC process.  Memory: none.
 * Lock: TCPCONN_LOCK, or that of an association, while one is visited.
 */
#include "rpc/rpc_walk.h"

#include "core/ip_addr.h"
#include "core/tcp_conn.h"

#include "rpc/rpc_source.h"
#include "transport/assoc.h"

/** What a walk carries. */
struct walk
{
	const struct tlsg_rpc_filter *f;
	const struct tlsg_rpc_visitor *visitor;
	void *param;
	unsigned visited;
};

/** @return whether more are wanted. */
static bool goes_on(const struct walk *w)
{
	return w->f->limit == 0 || w->visited < w->f->limit;
}

static void visit(struct walk *w, const struct tlsg_rpc_visited *v)
{
	if(!tlsg_rpc_filter_matches(w->f, v->ends, v->conn))
		return;
	w->visited++;
	w->visitor->visit(v, w->param);
}

static int seconds_left(const struct tcp_connection *c)
{
	s_ticks_t left = (s_ticks_t)(c->timeout - get_ticks_raw());

	return left > 0 ? (int)TICKS_TO_S((ticks_t)left) : 0;
}

/** A connection. TCPCONN_LOCK is held. */
static bool connection_visit(const struct tcp_connection *c, const struct tlsg_conn *conn, void *param)
{
	struct tlsg_rpc_visited v = {.id = c->id, .left_s = seconds_left(c), .ends = &c->rcv, .conn = conn};
	struct walk *w = param;

	visit(w, &v);
	return goes_on(w);
}

static void connections_pause(void *param)
{
	struct walk *w = param;

	w->visitor->pause(w->param);
}

static void association_visit(struct walk *w, struct tlsg_assoc *a)
{
	struct tlsg_rpc_visited v = {.is_dtls = true};
	struct receive_info ends;

	if(!tlsg_assoc_lock(a))
		return;
	if(!a->is_over) {
		v.id = a->id;
		v.left_s = tlsg_rpc_source_get()->assoc_ends(a, &ends);
		v.ends = &ends;
		v.conn = a->conn;
		visit(w, &v);
	}
	tlsg_assoc_unlock(a);
}

static void associations_walk(struct walk *w)
{
	struct tlsg_assoc *found[TLSG_RPC_WALK_BATCH];
	int after = w->f->after >= TLSG_ASSOC_ID_FIRST ? w->f->after : 0;
	unsigned n;
	unsigned i;

	while(goes_on(w) && (n = tlsg_assoc_collect_after(&after, found, TLSG_RPC_WALK_BATCH)) > 0) {
		for(i = 0; i < n; i++) {
			if(goes_on(w))
				association_visit(w, found[i]);
			tlsg_assoc_put(found[i]);
		}
		w->visitor->pause(w->param);
	}
}

void tlsg_rpc_walk_run(const struct tlsg_rpc_filter *f, const struct tlsg_rpc_visitor *visitor, void *param)
{
	struct walk w = {.f = f, .visitor = visitor, .param = param};
	struct tlsg_rpc_walk connections = {TLSG_RPC_WALK_BATCH, f->after, connection_visit, connections_pause};

	if(f->after < TLSG_ASSOC_ID_FIRST)
		tlsg_rpc_source_get()->walk(&connections, &w);
	associations_walk(&w);
}
