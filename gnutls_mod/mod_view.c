/*
 * tls_gnutls - the connection of the current message, as scripts see it: a copy of its peer record
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that runs script code.  Memory: pkg and heap of this process.
 * Lock: TCPCONN_LOCK, or that of a DTLS association, taken here, held while bytes are copied.
 */
#include "gnutls_mod/mod_view.h"

#include "core/parser/msg_parser.h"
#include "core/tcp_conn.h"

#include "gnutls_mod/mod_dtls_listen.h"
#include "gnutls_mod/mod_dtls_step.h"
#include "gnutls_mod/mod_events.h"
#include "gnutls_mod/mod_group.h"
#include "gnutls_mod/mod_params.h"
#include "gnutls_mod/mod_tcp.h"
#include "transport/conn.h"
#include "transport/cert_text.h"

#define STORE_ROUND 4096
#define LOOKUPS_MAX 4 /* the record may grow between two of them */

enum outcome
{
	FOUND,
	NO_CONNECTION,
	NO_HANDSHAKE,
	NO_ROOM
};

/** Identifies what the view was copied from. */
struct origin
{
	int id;
	const struct tlsg_peer *peer; /* never dereferenced without the lock */
	time_t since;
};

static struct tlsg_view view;
static struct origin origin;
static struct tlsg_der built[TLSG_CHAIN_MAX];
static unsigned char *store; /* [pkg] all bytes that the view points to */
static size_t store_size;
static size_t store_used;

/* Certificates of the view, parsed at first use. Index: own. */
static struct tlsg_cert *cert[2];
static bool cert_tried[2];

static void view_forget(void)
{
	int i;

	for(i = 0; i < 2; i++) {
		tlsg_cert_text_free(cert[i]);
		cert[i] = NULL;
		cert_tried[i] = false;
	}
	memset(&view, 0, sizeof(view));
	memset(&origin, 0, sizeof(origin));
	store_used = 0;
}

/**
 * Our certificate: the one presented or, if none was (resumption, or the server did not ask), the first one of the
 * profile, as in tls.so.
 * @return {NULL,0}: none.
 */
static struct tlsg_der own_leaf(const struct tlsg_peer *p)
{
	const struct tlsg_pair *own = p->own;
	struct tlsg_der der = {NULL, 0};

	if(own == NULL && p->prof->pairs_len > 0)
		own = &p->prof->pairs[0];
	if(own != NULL && own->chain_len > 0) {
		der.data = own->chain[0].cert.data;
		der.size = own->chain[0].cert.size;
	}
	return der;
}

static unsigned built_len(const struct tlsg_peer *p)
{
	return p->built_len < TLSG_CHAIN_MAX ? p->built_len : TLSG_CHAIN_MAX;
}

/** @return bytes that a copy of a record needs. */
static size_t bytes_of(const struct tlsg_peer *p)
{
	size_t sum = own_leaf(p).size + (p->sni.len > 0 ? (size_t)p->sni.len : 0);
	unsigned i;

	if(p->chain_len > 0)
		sum += p->chain[0].size;
	for(i = 0; i < built_len(p); i++)
		sum += p->built[i].size;
	return sum;
}

/** Copies into the store, which is large enough. */
static unsigned char *keep(const void *data, size_t size)
{
	unsigned char *at = store + store_used;

	if(size > 0)
		memcpy(at, data, size);
	store_used += size;
	return at;
}

static struct tlsg_der keep_der(struct tlsg_der der)
{
	der.data = keep(der.data, der.size);
	return der;
}

/** Copies a record. The store is large enough. */
static void view_copy(int id, const struct tlsg_peer *p)
{
	struct tlsg_der own = own_leaf(p);
	unsigned i;

	view_forget();
	origin = (struct origin){id, p, p->since};
	view.id = id;
	view.suite = p->suite;
	view.group = p->group;
	view.version = p->version;
	view.verify = p->verify;
	view.has_own = own.size > 0;
	view.own = keep_der(own);
	view.has_peer = p->chain_len > 0;
	if(view.has_peer)
		view.peer = keep_der(p->chain[0]);
	if(p->sni.len > 0) {
		view.sni.s = (char *)keep(p->sni.s, (size_t)p->sni.len);
		view.sni.len = p->sni.len;
	}
	view.built_len = built_len(p);
	for(i = 0; i < view.built_len; i++)
		built[i] = keep_der(p->built[i]);
	view.built = built;
}

/**
 * Updates the view. The caller makes sure that the connection is not freed meanwhile.
 * @param room [out] with NO_ROOM: bytes that the store needs.
 */
static enum outcome view_update(int id, const struct tlsg_conn *conn, size_t *room)
{
	const struct tlsg_peer *p = tlsg_peer_get(conn);

	if(p == NULL)
		return NO_HANDSHAKE;
	if(origin.id == id && origin.peer == p && origin.since == p->since)
		return FOUND;
	*room = bytes_of(p);
	if(*room > store_size)
		return NO_ROOM;
	view_copy(id, p);
	return FOUND;
}

/** Finds a connection and updates the view. */
static enum outcome view_lookup(int id, size_t *room)
{
	ticks_t lifetime = (ticks_t)TLSG_CFG(connection_timeout);
	enum outcome o = NO_CONNECTION;
	struct tcp_connection *c;

	tlsg_tcp_lock();
	c = tlsg_tcp_find(id);
	if(c != NULL) {
		tlsg_tcp_touch(c, lifetime);
		o = view_update(id, tlsg_tcp_conn(c), room);
	}
	tlsg_tcp_unlock();
	return o;
}

/** Finds the association that a message was received on, if its peer has not started again since. */
static enum outcome view_lookup_assoc(const struct receive_info *rcv, size_t *room)
{
	enum outcome o = NO_CONNECTION;
	struct tlsg_assoc_key key;
	struct tlsg_assoc *a;

	if(!tlsg_dtls_step_key(&key, tlsg_dtls_listen_find(rcv->bind_address), &rcv->src_ip, rcv->src_port))
		return o;
	a = tlsg_assoc_find(&key);
	if(a == NULL)
		return o;
	if(tlsg_assoc_lock(a)) {
		if(!a->is_over && a->conn != NULL && a->id == rcv->proto_reserved1)
			o = view_update(a->id, a->conn, room);
		tlsg_assoc_unlock(a);
	}
	tlsg_assoc_put(a);
	return o;
}

/** Finds what a message was received on, and updates the view. */
static enum outcome view_lookup_message(const struct sip_msg *msg, size_t *room)
{
	return msg->rcv.proto == PROTO_UDP ? view_lookup_assoc(&msg->rcv, room)
									   : view_lookup(msg->rcv.proto_reserved1, room);
}

/** @return whether a message was received over TLS or DTLS. */
static bool is_over_tls(const struct sip_msg *msg)
{
	return msg->rcv.proto == PROTO_TLS || msg->rcv.proto == PROTO_WSS
		   || (msg->rcv.proto == PROTO_UDP && tlsg_dtls_listen_find(msg->rcv.bind_address) >= 0);
}

/** Replaces the store by a larger one, and drops the view. @return false: out of memory. */
static bool store_grow(size_t size)
{
	view_forget();
	if(store != NULL)
		pkg_free(store);
	store_size = (size + STORE_ROUND - 1) / STORE_ROUND * STORE_ROUND;
	store = pkg_malloc(store_size);
	if(store == NULL) {
		PKG_MEM_ERROR;
		store_size = 0;
	}
	return store != NULL;
}

const struct tlsg_view *tlsg_view_get(struct sip_msg *msg)
{
	struct tcp_connection *c = tlsg_events_connection();
	enum outcome o = NO_ROOM;
	size_t room = 0;
	int i;

	if(c == NULL && (msg == NULL || !is_over_tls(msg))) {
		LM_ERR("a TLS variable, select or function is used for a message that was not received over TLS: check $proto "
			   "first\n");
		return NULL;
	}
	for(i = 0; i < LOOKUPS_MAX && o == NO_ROOM; i++) {
		o = c != NULL ? view_update(c->id, tlsg_tcp_conn(c), &room) : view_lookup_message(msg, &room);
		if(o == NO_ROOM && !store_grow(room))
			return NULL;
	}
	if(o == FOUND)
		return &view;
	if(o == NO_HANDSHAKE)
		LM_INFO("the TLS handshake has not finished yet\n");
	else
		LM_INFO("TLS connection not found\n");
	return NULL;
}

const struct tlsg_cert *tlsg_view_cert(bool own)
{
	const struct tlsg_der *der = own ? &view.own : &view.peer;

	if(!(own ? view.has_own : view.has_peer))
		return NULL;
	if(!cert_tried[own]) {
		cert_tried[own] = true;
		cert[own] = tlsg_cert_text_new(der);
	}
	return cert[own];
}
