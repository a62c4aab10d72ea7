/*
 * tls_gnutls - a step of a DTLS association: its connections, its buffers, the datagrams that it sends
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that receives or sends SIP, and the timer process of DTLS.
 * Memory: static buffers of this process; connections in shm.  Lock: that of the association.
 */
#include "gnutls_mod/mod_dtls_step.h"

#include <errno.h>
#include <sys/socket.h>

#include "core/resolve.h"

#include "gnutls_mod/mod_dtls_listen.h"
#include "gnutls_mod/mod_keylog.h"
#include "gnutls_mod/mod_limits.h"
#include "gnutls_mod/mod_outgoing.h"
#include "gnutls_mod/mod_params.h"
#include "gnutls_mod/mod_tcp.h"
#include "transport/conn_datagram.h"
#include "transport/stats.h"

/* A handshake over datagrams always has an end: nothing tells that the peer has gone. */
#define DEADLINE_DEFAULT_S 60

static unsigned char out_bytes[TLSG_DATAGRAM_OUT_BYTES];
/* A log line inside a step may be a message to an association: the module log_custom. */
static bool is_running;

bool tlsg_dtls_step_key(struct tlsg_assoc_key *key, int socket, const struct ip_addr *ip, unsigned short port)
{
	memset(key, 0, sizeof(*key));
	key->socket = socket;
	key->port = port;
	tlsg_tcp_addr_copy(&key->peer, ip);
	return key->peer.len != 0 && port != 0;
}

static void ip_of(struct ip_addr *ip, const struct tlsg_addr *addr)
{
	memset(ip, 0, sizeof(*ip));
	ip->af = addr->len == 4 ? AF_INET : AF_INET6;
	ip->len = addr->len;
	memcpy(ip->u.addr, addr->bytes, addr->len);
}

void tlsg_dtls_step_ends(const struct tlsg_assoc *a, struct receive_info *ends)
{
	struct socket_info *si = tlsg_dtls_listen_socket(a->key.socket);

	memset(ends, 0, sizeof(*ends));
	ip_of(&ends->src_ip, &a->key.peer);
	ends->src_port = a->key.port;
	ends->dst_ip = si->address;
	ends->dst_port = si->port_no;
	ends->bind_address = si;
	ends->proto = PROTO_UDP;
}

static void init(struct tlsg_dtls_step *s, struct tlsg_assoc *a)
{
	is_running = true;
	memset(s, 0, sizeof(*s));
	s->a = a;
	tlsg_dtls_step_ends(a, &s->rcv);
	s->ends = (struct tlsg_log_ends){.rcv = &s->rcv, .id = a->id, .is_server = true, .is_datagram = true};
	tlsg_buf_init(&s->out, out_bytes, sizeof(out_bytes));
	s->io = (struct tlsg_io){.out = &s->out, .sent = &s->sent, .limits = &s->limits};
	tlsg_limits_step(&s->limits);
	tlsg_err_clear(&s->err);
}

/* The lock is held. @return false: the association has ended. */
static bool begin_locked(struct tlsg_dtls_step *s, struct tlsg_assoc *a)
{
	if(!a->is_over) {
		init(s, a);
		return true;
	}
	tlsg_assoc_unlock(a);
	tlsg_assoc_put(a);
	return false;
}

enum tlsg_dtls_begun tlsg_dtls_step_begin(struct tlsg_dtls_step *s, struct tlsg_assoc *a)
{
	if(!is_running && tlsg_assoc_lock(a))
		return begin_locked(s, a) ? TLSG_STEP_BEGUN : TLSG_STEP_OVER;
	tlsg_stats_dtls(TLSG_DTLS_BUSY);
	tlsg_assoc_put(a);
	return TLSG_STEP_BUSY;
}

bool tlsg_dtls_step_try(struct tlsg_dtls_step *s, struct tlsg_assoc *a)
{
	if(!is_running && tlsg_assoc_try(a))
		return begin_locked(s, a);
	tlsg_assoc_put(a);
	return false;
}

/* Whether the timer has to visit the association in each round. */
static bool is_urgent(const struct tlsg_assoc *a)
{
	return a->candidate != NULL || (a->conn != NULL && tlsg_conn_datagram_timeout_ms(a->conn) >= 0);
}

void tlsg_dtls_step_close(struct tlsg_dtls_step *s)
{
	if(s->a->conn != NULL)
		tlsg_conn_close_notify(s->a->conn, &s->io);
	tlsg_dtls_step_send(s);
	s->is_over = true;
}

void tlsg_dtls_step_end(struct tlsg_dtls_step *s)
{
	struct tlsg_assoc *a = s->a;

	if(!s->is_over && __atomic_load_n(&a->ending, __ATOMIC_ACQUIRE) != 0)
		tlsg_dtls_step_close(s);
	a->is_over = s->is_over;
	if(!s->is_over)
		tlsg_assoc_urgent(a, is_urgent(a));
	tlsg_assoc_unlock(a);
	is_running = false;
	tlsg_mod_keylog_flush(&s->ends);
	if(s->is_over)
		tlsg_assoc_remove(a);
	tlsg_assoc_put(a);
}

/* Takes a slot among the unfinished handshakes for a peer that begins one. @return false: refused, and logged. */
static bool slot_take(const struct tlsg_dtls_step *s, struct tlsg_slot *slot)
{
	enum tlsg_slots_result answer = tlsg_slots_take(&s->a->key.peer, slot);

	if(answer != TLSG_SLOT_TAKEN)
		tlsg_log_refused(&s->ends, answer == TLSG_SLOT_ADDRESS);
	return answer == TLSG_SLOT_TAKEN;
}

static void params_fill(const struct tlsg_dtls_step *s, struct tlsg_conn_params *p)
{
	int deadline_s = tlsg_params_private()->handshake_timeout_s;

	tlsg_tcp_addr_copy(&p->query.addr, &s->rcv.dst_ip);
	p->query.port = s->rcv.dst_port;
	p->query.role = p->start != NULL ? TLSG_SERVER : TLSG_CLIENT;
	p->deadline_s = deadline_s > 0 ? deadline_s : DEADLINE_DEFAULT_S;
	p->datagram = true;
	p->mtu = (unsigned)tlsg_params_private()->dtls_mtu;
	if(p->query.role == TLSG_CLIENT) {
		p->remote = s->a->key.peer;
		p->remote_port = s->a->key.port;
		tlsg_outgoing_names(NULL, p);
	}
}

struct tlsg_conn *tlsg_dtls_step_make(struct tlsg_dtls_step *s, const gnutls_dtls_prestate_st *start)
{
	struct tlsg_conn_params p = {.start = start};
	struct tlsg_conn *conn = NULL;

	s->ends.is_server = start != NULL;
	tlsg_assoc_urgent(s->a, true); /* other processes do not wait long for it: tlsg_assoc_lock() */
	if(tlsg_limits_allow_new(true, &s->err) != TLSG_OK) {
		tlsg_log_failure(&s->ends, NULL, "DTLS init", &s->err);
		return NULL;
	}
	if(start != NULL && !slot_take(s, &p.slot))
		return NULL;
	p.set = tlsg_set_get();
	if(p.set == NULL) {
		tlsg_slots_give(&p.slot);
		tlsg_err_set(&s->err, TLSG_E_INTERNAL, "no configuration");
	} else {
		params_fill(s, &p);
		conn = tlsg_conn_new(&p, &s->err);
		if(start == NULL)
			tlsg_outgoing_names_done();
	}
	if(conn == NULL) {
		tlsg_stats_handshake_failed(s->err.class == TLSG_CLASS_RESOURCE ? TLSG_FAIL_MEMORY : TLSG_FAIL_INTERNAL);
		tlsg_log_failure(&s->ends, NULL, "DTLS init", &s->err);
		return NULL;
	}
	tlsg_log_made(conn);
	return conn;
}

void tlsg_dtls_step_sendto(const struct tlsg_assoc_key *key, const void *data, size_t size)
{
	struct socket_info *si = tlsg_dtls_listen_socket(key->socket);
	union sockaddr_union to;
	struct ip_addr ip;

	ip_of(&ip, &key->peer);
	if(init_su(&to, &ip, key->port) < 0)
		return;
	if(sendto(si->socket, data, size, MSG_DONTWAIT, &to.s, sockaddru_len(to)) < 0)
		LM_DBG("cannot send a datagram to %s:%d: %s\n", ip_addr2a(&ip), key->port, strerror(errno));
}

void tlsg_dtls_step_send(struct tlsg_dtls_step *s)
{
	const unsigned char *at = out_bytes;
	unsigned i;

	for(i = 0; i < s->sent.count; i++) {
		tlsg_dtls_step_sendto(&s->a->key, at, s->sent.size[i]);
		at += s->sent.size[i];
	}
	s->sent.count = 0;
	tlsg_buf_init(&s->out, out_bytes, sizeof(out_bytes));
}

void tlsg_dtls_step_note(struct tlsg_dtls_step *s, const struct tlsg_conn *conn, bool was_established)
{
	s->ends.is_server = tlsg_conn_role(conn) == TLSG_SERVER;
	if(!was_established && tlsg_conn_is_established(conn))
		tlsg_log_established(&s->ends, conn);
}

void tlsg_dtls_step_failed(struct tlsg_dtls_step *s, const struct tlsg_conn *conn, bool is_reading)
{
	const char *what = is_reading ? "DTLS read" : "DTLS write";

	s->ends.is_server = tlsg_conn_role(conn) == TLSG_SERVER;
	if(!tlsg_conn_is_established(conn))
		what = s->ends.is_server ? "DTLS accept" : "DTLS connect";
	tlsg_log_failure(&s->ends, conn, what, &s->err);
}
