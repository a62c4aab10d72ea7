/*
 * tls_gnutls - the core's connection table: finding, visiting and closing TLS connections under its lock
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: the core's.  Lock: TCPCONN_LOCK, see each function.
 */
#include "gnutls_mod/mod_tcp.h"

#include "core/pass_fd.h"
#include "core/tcp_int_send.h"

#include "base/host.h"
#include "profiles/addr.h"

/* In the core, but in none of its headers. */
extern gen_lock_t *tcpconn_lock;
extern struct tcp_connection **tcpconn_id_hash;

#define WALK_BUCKETS 64 /* looked at before the lock is released */

/* Where a walk through the table is: before a bucket, or inside one. */
struct cursor
{
	unsigned bucket;
	bool is_inside;
	int last_id; /* of the last connection looked at, if inside */
};

bool tlsg_tcp_is_tls(const struct tcp_connection *c)
{
	return c->type == PROTO_TLS || c->type == PROTO_WSS;
}

struct tlsg_conn *tlsg_tcp_conn(const struct tcp_connection *c)
{
	if(!tlsg_tcp_is_tls(c))
		return NULL;
	return __atomic_load_n((struct tlsg_conn *const *)&c->extra_data, __ATOMIC_ACQUIRE);
}

void tlsg_tcp_lock(void)
{
	lock_get(tcpconn_lock);
}

void tlsg_tcp_unlock(void)
{
	lock_release(tcpconn_lock);
}

struct tcp_connection *tlsg_tcp_find(int id)
{
	struct tcp_connection *c;

	for(c = tcpconn_id_hash[tcp_id_hash(id)]; c != NULL; c = c->id_next)
		if(c->id == id && c->state != S_CONN_BAD)
			return tlsg_tcp_is_tls(c) ? c : NULL;
	return NULL;
}

/*
 * The connection to continue with. New connections are put at the head of a bucket and have higher ids; the last one
 * looked at may be gone. Lock held.
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

/* Visits what is left of a bucket. Lock held. @return false: no more are wanted. */
static bool bucket_walk(const struct tlsg_rpc_walk *w, struct cursor *at, unsigned *visited, void *param)
{
	const struct tcp_connection *c;
	bool more = true;

	for(c = cursor_resume(at); more && c != NULL && *visited < w->batch; c = c->id_next) {
		at->is_inside = true;
		at->last_id = c->id;
		if(c->rcv.proto != PROTO_TLS && c->rcv.proto != PROTO_WSS)
			continue;
		more = w->visit(c, tlsg_tcp_conn(c), param);
		++*visited;
	}
	if(c == NULL)
		*at = (struct cursor){at->bucket + 1, false, 0};
	return more;
}

void tlsg_tcp_walk(const struct tlsg_rpc_walk *w, void *param)
{
	struct cursor at = {w->after != 0 ? tcp_id_hash(w->after) : 0, w->after != 0, w->after};
	unsigned visited, buckets;
	bool more = true;

	while(more && at.bucket < TCP_ID_HASH_SIZE) {
		visited = 0;
		lock_get(tcpconn_lock);
		for(buckets = 0; more && buckets < WALK_BUCKETS && visited < w->batch && at.bucket < TCP_ID_HASH_SIZE;
				buckets++)
			more = bucket_walk(w, &at, &visited, param);
		lock_release(tcpconn_lock);
		w->pause(param);
	}
}

void tlsg_tcp_touch(struct tcp_connection *c, ticks_t lifetime)
{
	if(c->reader_pid == 0 && lifetime != 0) /* a TCP reader keeps a time of its own in there */
		c->timeout = get_ticks_raw() + lifetime;
}

void tlsg_tcp_kill(struct tcp_connection *c)
{
	long message[2] = {(long)c, CONN_EOF}; /* as CONN_ERROR, without a line at ERR */

	c->send_flags.f |= SND_F_CON_CLOSE; /* the reader has no reason to warn about it */
	c->state = S_CONN_BAD;
	c->timeout = get_ticks_raw();
	/* The message hands the reference over, as on the core's own error paths. */
	if(send_all(unix_tcp_sock, message, sizeof(message)) > 0)
		return;
	LM_ERR("cannot tell tcp main to close connection %d: it is closed when it times out\n", c->id);
	(void)tcpconn_put(c); /* never the last one while tcp_main has the connection in its tables */
}

enum tlsg_rpc_killed tlsg_tcp_kill_id(int id)
{
	struct tcp_connection *c;
	bool is_pending = false;
	bool found;

	lock_get(tcpconn_lock);
	c = tlsg_tcp_find(id);
	found = c != NULL;
	if(found)
		is_pending = (c->flags & F_CONN_PENDING) != 0; /* tcp_main does not know it yet */
	if(is_pending) {
		c->state = S_CONN_BAD;
		c->timeout = get_ticks_raw();
	} else if(found)
		tcpconn_ref(c);
	lock_release(tcpconn_lock);
	if(!found)
		return TLSG_RPC_KILLED_NOT;
	if(is_pending)
		return TLSG_RPC_KILLED_LATER;
	tlsg_tcp_kill(c);
	return TLSG_RPC_KILLED;
}

void tlsg_tcp_addr_copy(struct tlsg_addr *to, const struct ip_addr *from)
{
	to->len = from->len <= sizeof(to->bytes) ? (uint8_t)from->len : 0;
	memcpy(to->bytes, from->u.addr, to->len);
}

bool tlsg_tcp_has_waiting(const struct tcp_connection *c)
{
#ifdef TCP_ASYNC
	return c->wbuf_q.first != NULL;
#else
	(void)c;
	return false;
#endif
}
