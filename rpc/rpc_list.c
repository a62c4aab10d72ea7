/*
 * tls_gnutls - RPC tls.list: open TLS connections
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any RPC process.  Memory: static buffer of this process.  Lock: see rpc_walk.h.
 */
#include "rpc/rpc.h"

#include <stdio.h>
#include <time.h>

#include "core/ip_addr.h"

#include "rpc/rpc_walk.h"
#include "transport/conn_datagram.h"

#define TEXT_BYTES 256
#define DESCRIPTION_BYTES 128

/** The fields of a connection that tls.list shows. */
struct record
{
	int id;
	int timeout_s;
	bool is_dtls;
	int dropped; /* DTLS: records that were dropped */
	struct ip_addr src;
	struct ip_addr dst;
	int src_port;
	int dst_port;
	bool has_state;
	struct tlsg_conn_status status; /* without profile and sni */
	const struct tlsg_suite *suite; /* static; NULL: unknown */
	const char *group;				/* static; NULL: none, or not known yet */
	char sni[TEXT_BYTES];
	char profile[TEXT_BYTES];
};

/** What the walk through the connections carries. */
struct listing
{
	rpc_t *rpc;
	void *ctx;
	unsigned used; /* of records */
};

static struct record records[TLSG_RPC_WALK_BATCH];

/** Copies a text, truncated to TEXT_BYTES. @param from  NULL or empty: "N/A". */
static void text_copy(char *to, const char *from)
{
	snprintf(to, TEXT_BYTES, "%s", from != NULL && from[0] != '\0' ? from : "N/A");
}

/** Copies a connection into the next record. A lock is held. */
static void visit(const struct tlsg_rpc_visited *v, void *param)
{
	struct listing *l = param;
	struct record *r = &records[l->used++];
	const struct tlsg_peer *peer = tlsg_peer_get(v->conn);

	memset(r, 0, sizeof(*r));
	r->id = v->id;
	r->timeout_s = v->left_s;
	r->is_dtls = v->is_dtls;
	r->src = v->ends->src_ip;
	r->dst = v->ends->dst_ip;
	r->src_port = v->ends->src_port;
	r->dst_port = v->ends->dst_port;
	r->has_state = v->conn != NULL;
	if(v->conn != NULL)
		tlsg_conn_status_get(v->conn, &r->status);
	if(v->conn != NULL && v->is_dtls)
		r->dropped = (int)tlsg_conn_datagram_dropped(v->conn);
	text_copy(r->sni, r->status.sni);
	text_copy(r->profile, r->status.profile);
	r->suite = peer != NULL ? peer->suite : NULL;
	r->group = peer != NULL ? peer->group : NULL;
}

static void address_format(char *to, struct ip_addr *from)
{
	to[ip_addr2sbuf(from, to, IP_ADDR_MAX_STR_SIZE)] = '\0';
}

static void description_format(char *to, const struct tlsg_suite *suite)
{
	size_t len;

	if(suite == NULL || tlsg_suite_describe(suite, to, DESCRIPTION_BYTES) != TLSG_OK) {
		snprintf(to, DESCRIPTION_BYTES, "unknown");
		return;
	}
	len = strlen(to);
	if(len > 0 && to[len - 1] == '\n')
		to[len - 1] = '\0';
}

/** Writes the local time at which the TLS state was made. */
static void timestamp_format(char *to, const struct record *r)
{
	struct tm tm;

	if(!r->has_state || localtime_r(&r->status.created, &tm) == NULL
			|| strftime(to, DESCRIPTION_BYTES, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		snprintf(to, DESCRIPTION_BYTES, "N/A");
}

/** Adds the fields that clients of Kamailio 5.7 and later expect after the id; for older ones they are last. */
static void late_fields_add(rpc_t *rpc, void *handle, const struct record *r)
{
	char timestamp[DESCRIPTION_BYTES];

	timestamp_format(timestamp, r);
#if VERSIONVAL >= 6001000
	rpc->struct_add(handle, "sss", "dom", r->profile, "sni", r->sni, "timestamp", timestamp);
#else
	rpc->struct_add(handle, "ss", "sni", r->sni, "timestamp", timestamp);
#endif
}

static void record_add(rpc_t *rpc, void *ctx, struct record *r)
{
	char src[IP_ADDR_MAX_STR_SIZE];
	char dst[IP_ADDR_MAX_STR_SIZE];
	char description[DESCRIPTION_BYTES];
	void *handle;

	if(rpc->add(ctx, "{", &handle) < 0)
		return;
	address_format(src, &r->src);
	address_format(dst, &r->dst);
	description_format(description, r->suite);
	rpc->struct_add(handle, "d", "id", r->id);
	if(VERSIONVAL >= 5007000)
		late_fields_add(rpc, handle, r);
	rpc->struct_add(handle, "dsdsd", "timeout", r->timeout_s, "src_ip", src, "src_port", r->src_port, "dst_ip", dst,
			"dst_port", r->dst_port);
	rpc->struct_add(handle, "sddds", "cipher", description, "ct_wq_size", (int)r->status.ct_wq_size, "enc_rd_buf",
			(int)r->status.enc_rd_buf, "flags", (int)r->status.flags, "state",
			r->has_state ? r->status.state : "pre-init");
	if(VERSIONVAL < 5007000)
		late_fields_add(rpc, handle, r);
	if(VERSIONVAL < 6001000)
		rpc->struct_add(handle, "s", "dom", r->profile);
	rpc->struct_add(handle, "s", "group", r->group != NULL ? r->group : "N/A");
	if(r->is_dtls)
		rpc->struct_add(handle, "sd", "proto", "dtls", "dropped", r->dropped);
}

/** Adds the records that were copied to the reply. */
static void records_add(void *param)
{
	struct listing *l = param;
	unsigned i;

	for(i = 0; i < l->used; i++)
		record_add(l->rpc, l->ctx, &records[i]);
	l->used = 0;
}

void tlsg_rpc_list(rpc_t *rpc, void *ctx)
{
	const struct tlsg_rpc_visitor visitor = {visit, records_add};
	struct listing l = {.rpc = rpc, .ctx = ctx};
	struct tlsg_rpc_filter filter;

	if(tlsg_rpc_filter_read(rpc, ctx, &filter, (str){NULL, 0}, TLSG_RPC_WORDS_IGNORED))
		tlsg_rpc_walk_run(&filter, &visitor, &l);
}
