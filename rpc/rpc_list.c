/*
 * tls_gnutls - RPC tls.list: the TLS connections that are open
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any RPC process.  Memory: static buffer of this process.  Lock: TCPCONN_LOCK, held while a few records are copied.
 */
#include "rpc/rpc_list.h"

#include <stdio.h>
#include <time.h>

#include "core/ip_addr.h"
#include "core/tcp_conn.h"

#include "rpc/rpc_export.h"
#include "transport/conn.h"

/* In the core, but in none of its headers. */
extern gen_lock_t *tcpconn_lock;
extern struct tcp_connection **tcpconn_id_hash;

#define BATCH_RECORDS 64
#define BATCH_BUCKETS 64
#define TEXT_BYTES 256
#define DESCRIPTION_BYTES 128

/** What is copied of a connection while the lock is held. */
struct record
{
	int id;
	int timeout_s;
	struct ip_addr src;
	struct ip_addr dst;
	int src_port;
	int dst_port;
	bool has_state;
	struct tlsg_conn_status status; /* without profile and sni */
	const struct tlsg_suite *suite; /* static; NULL unknown */
	char sni[TEXT_BYTES];
	char profile[TEXT_BYTES];
};

/** Where the walk through the hash table is: before a bucket, or inside of one. */
struct cursor
{
	unsigned bucket;
	bool is_inside;
	int last_id; /* of the connection looked at last, inside */
};

static struct record records[BATCH_RECORDS];

/** Copies a text, cut to the room there is. @param from  NULL: "N/A". */
static void text_copy(char *to, const char *from)
{
	snprintf(to, TEXT_BYTES, "%s", from != NULL && from[0] != '\0' ? from : "N/A");
}

static int seconds_left(const struct tcp_connection *c)
{
	s_ticks_t left = (s_ticks_t)(c->timeout - get_ticks_raw());

	return left > 0 ? (int)TICKS_TO_S((ticks_t)left) : 0;
}

/** Copies a connection. Lock held. */
static void record_copy(struct record *r, const struct tcp_connection *c)
{
	const struct tlsg_conn *conn = tlsg_rpc_source_get()->conn(c);
	const struct tlsg_peer *peer = tlsg_peer_get(conn);

	memset(r, 0, sizeof(*r));
	r->id = c->id;
	r->timeout_s = seconds_left(c);
	r->src = c->rcv.src_ip;
	r->dst = c->rcv.dst_ip;
	r->src_port = c->rcv.src_port;
	r->dst_port = c->rcv.dst_port;
	r->has_state = conn != NULL;
	if(conn != NULL)
		tlsg_conn_status_get(conn, &r->status);
	text_copy(r->sni, r->status.sni);
	text_copy(r->profile, r->status.profile);
	r->suite = peer != NULL ? peer->suite : NULL;
}

/**
 * The connection to go on with. New connections are put at the head of a bucket and have higher ids; the one that was looked at last may
 * be gone. Lock held.
 */
static const struct tcp_connection *cursor_resume(const struct cursor *at)
{
	const struct tcp_connection *first = tcpconn_id_hash[at->bucket];
	const struct tcp_connection *c;

	if(!at->is_inside)
		return first;
	for(c = first; c != NULL; c = c->id_next)
		if(c->id == at->last_id)
			return c->id_next;
	for(c = first; c != NULL; c = c->id_next)
		if((int)((unsigned)c->id - (unsigned)at->last_id) < 0) /* ids wrap around */
			return c;
	return NULL;
}

/** Copies the connections of a bucket from the cursor on. Lock held. @return number of records used in total. */
static unsigned bucket_copy(struct cursor *at, unsigned used)
{
	const struct tcp_connection *c = cursor_resume(at);

	for(; c != NULL && used < BATCH_RECORDS; c = c->id_next) {
		at->is_inside = true;
		at->last_id = c->id;
		if(c->rcv.proto == PROTO_TLS || c->rcv.proto == PROTO_WSS)
			record_copy(&records[used++], c);
	}
	if(c == NULL) {
		at->bucket++;
		at->is_inside = false;
	}
	return used;
}

/** Copies the next connections; takes the lock. @return number of records. */
static unsigned batch_copy(struct cursor *at)
{
	unsigned used = 0;
	unsigned buckets;

	lock_get(tcpconn_lock);
	for(buckets = 0; buckets < BATCH_BUCKETS && used < BATCH_RECORDS && at->bucket < TCP_ID_HASH_SIZE; buckets++)
		used = bucket_copy(at, used);
	lock_release(tcpconn_lock);
	return used;
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

/** Local time of creation. */
static void timestamp_format(char *to, const struct record *r)
{
	struct tm tm;

	if(!r->has_state || localtime_r(&r->status.created, &tm) == NULL
			|| strftime(to, DESCRIPTION_BYTES, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		snprintf(to, DESCRIPTION_BYTES, "N/A");
}

/** The fields that hosts from 5.7 on have after the id, and older ones get at the end. */
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
}

void tlsg_rpc_list(rpc_t *rpc, void *ctx)
{
	struct cursor at = {0, false, 0};
	unsigned used, i;

	while(at.bucket < TCP_ID_HASH_SIZE) {
		used = batch_copy(&at);
		for(i = 0; i < used; i++)
			record_add(rpc, ctx, &records[i]);
	}
}
