/*
 * tls_gnutls - the core's TLS hooks: between struct tcp_connection and a connection of transport
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: TCP reader (read), any sender (encode), tcp_main (init of accepted connections, close), the process that
 * drops the last reference (clean).
 * Memory: static buffers of this process; connections in shm.  Lock: the TCP connection's write_lock, see each hook.
 */
#include "gnutls_mod/mod_group.h"
#include "gnutls_mod/mod_hooks.h"

#include "core/globals.h"
#include "core/tcp_init.h"
#include "core/tcp_int_send.h"
#include "core/tcp_read.h"

#include "base/host.h"
#include "gnutls_mod/mod_deadline.h"
#include "gnutls_mod/mod_debug.h"
#include "gnutls_mod/mod_events.h"
#include "gnutls_mod/mod_keylog.h"
#include "gnutls_mod/mod_limits.h"
#include "gnutls_mod/mod_log.h"
#include "gnutls_mod/mod_outgoing.h"
#include "gnutls_mod/mod_low_mem.h"
#include "gnutls_mod/mod_params.h"
#include "gnutls_mod/mod_tcp.h"
#include "transport/conn.h"
#include "transport/stats.h"

#define IN_BYTES (64 * 1024)
/* One call of encode is at most the largest message that the core sends (64 KB) plus what records add. */
#define OUT_BYTES (96 * 1024)
#define CLOSE_BYTES 1024

static unsigned char in_bytes[IN_BYTES];
static unsigned char out_bytes[OUT_BYTES];

/* What log lines say about a connection. */
static struct tlsg_log_ends ends_of(const struct tcp_connection *c)
{
	return (struct tlsg_log_ends){.rcv = &c->rcv, .id = c->id, .is_server = (c->flags & F_CONN_PASSIVE) != 0};
}

/* Takes a slot for an accepted connection. @return false: refused, which is logged once a second. */
static bool slot_take(struct tcp_connection *c, struct tlsg_slot *slot)
{
	struct tlsg_log_ends ends = ends_of(c);
	struct tlsg_addr peer;
	enum tlsg_slots_result answer;

	if(!(c->flags & F_CONN_PASSIVE))
		return true;
	tlsg_tcp_addr_copy(&peer, &c->rcv.src_ip);
	answer = tlsg_slots_take(&peer, slot);
	if(answer != TLSG_SLOT_TAKEN)
		tlsg_log_refused(&ends, answer == TLSG_SLOT_ADDRESS);
	return answer == TLSG_SLOT_TAKEN;
}

/* Makes the TLS state of a connection. Lock held. @return NULL without a cause in err: refused and logged. */
static struct tlsg_conn *conn_make(struct tcp_connection *c, struct tlsg_err *err)
{
	struct tlsg_conn_params p = {0};
	struct tlsg_conn *conn;

	LM_DBG("completing tls connection initialization\n");
	if(c->state < 0) {
		tlsg_err_set(err, TLSG_E_INTERNAL, "connection is broken (state %d)", c->state);
		return NULL;
	}
	if(tlsg_limits_allow_new(false, err) != TLSG_OK)
		return NULL;
	if(!slot_take(c, &p.slot))
		return NULL;
	p.set = tlsg_set_get();
	if(p.set == NULL) {
		tlsg_slots_give(&p.slot);
		tlsg_err_set(err, TLSG_E_INTERNAL, "no configuration");
		return NULL;
	}
	tlsg_tcp_addr_copy(&p.query.addr, &c->rcv.dst_ip);
	p.query.port = c->rcv.dst_port;
	p.deadline_s = tlsg_params_private()->handshake_timeout_s;
	p.query.role = c->flags & F_CONN_PASSIVE ? TLSG_SERVER : TLSG_CLIENT;
	if(p.query.role == TLSG_CLIENT) {
		tlsg_tcp_addr_copy(&p.remote, &c->rcv.src_ip);
		p.remote_port = c->rcv.src_port;
		tlsg_outgoing_names(c, &p);
	}
	conn = tlsg_conn_new(&p, err);
	if(p.query.role == TLSG_CLIENT)
		tlsg_outgoing_names_done();
	if(conn == NULL) {
		tlsg_stats_handshake_failed(err->class == TLSG_CLASS_RESOURCE ? TLSG_FAIL_MEMORY : TLSG_FAIL_INTERNAL);
		return NULL;
	}
	if(p.query.role == TLSG_CLIENT && tlsg_events_has_out())
		tlsg_conn_hold_queue(conn, true);
	tlsg_log_made(conn);
	__atomic_store_n((struct tlsg_conn **)&c->extra_data, conn, __ATOMIC_RELEASE);
	return conn;
}

static struct tlsg_conn *conn_get(struct tcp_connection *c, struct tlsg_err *err)
{
	struct tlsg_conn *conn = c->extra_data;

	if(conn == NULL)
		return conn_make(c, err);
	if(tlsg_limits_allow(conn, err) != TLSG_OK)
		return NULL;
	return conn;
}

static const char *what_failed(const struct tlsg_conn *conn, bool reading)
{
	if(conn != NULL && tlsg_conn_is_established(conn))
		return reading ? "TLS read" : "TLS write";
	if(conn == NULL)
		return "TLS init";
	return tlsg_conn_role(conn) == TLSG_SERVER ? "TLS accept" : "TLS connect";
}

/* Hook `encode`: encrypts. The caller holds write_lock. */
static int encode_hook(struct tcp_connection *c, const char **buf, unsigned *len, const char **rest_buf,
		unsigned *rest_len, snd_flags_t *send_flags)
{
	struct tlsg_conn_limits limits;
	struct tlsg_buf out;
	struct tlsg_io io = {.out = &out, .limits = &limits};
	struct tlsg_err err;
	struct tlsg_log_ends ends = ends_of(c);
	struct tlsg_conn *conn;
	size_t used = 0;
	enum tlsg_ret ret = TLSG_E_INTERNAL;

	*rest_buf = NULL;
	*rest_len = 0;
	tlsg_err_clear(&err);
	tlsg_limits_step(&limits);
	tlsg_buf_init(&out, out_bytes, sizeof(out_bytes));
	if(c->state < 0 || (c->flags & F_CONN_NOSEND)) { /* the core looks at the flag only when TCP connects */
		LM_DBG("connection %d: closed already\n", c->id);
		return -1;
	}
	conn = conn_get(c, &err);
	if(conn == NULL && err.class == TLSG_CLASS_NONE)
		return -1;
	if(conn != NULL && tlsg_conn_state(conn) == TLSG_CONN_FAILED) {
		LM_DBG("connection %d: failed already\n", c->id); /* the cause was logged then */
		return -1;
	}
	if(conn != NULL)
		ret = tlsg_conn_write(conn, &io, *buf, *len, &used, &err);
	TLSG_DEBUG(WR, "connection %d: %zu of %u bytes taken, result %d\n", c->id, used, *len, ret);
	TLSG_DEBUG(BIO, "connection %d: %zu bytes of records to send\n", c->id, out.wr);
	switch(ret) {
		case TLSG_OK:
			break;
		case TLSG_FULL:
			*rest_buf = *buf + used;
			*rest_len = *len - (unsigned)used;
			send_flags->f &= ~SND_F_CON_CLOSE;
			break;
		case TLSG_AGAIN:
			send_flags->f &= ~SND_F_CON_CLOSE;
			break;
		case TLSG_EOF:
			LM_DBG("TLS connection has been closed\n");
			LM_WARN("TLS write: the TLS session has ended (connection %d), the message is not sent\n", c->id);
			c->state = S_CONN_EOF;
			c->flags |= F_CONN_FORCE_EOF;
			break;
		default:
			tlsg_log_failure(&ends, conn, what_failed(conn, false), &err);
			return -1;
	}
	*buf = (const char *)out_bytes;
	*len = (unsigned)out.wr;
	return (int)out.wr;
}

/* One round of the read hook. */
struct round
{
	struct tcp_connection *c;
	rd_conn_flags_t *flags;
	struct tlsg_buf in;
	struct tlsg_buf out;
	struct tlsg_buf clear;
	struct tlsg_conn_limits limits;
	struct tlsg_io io;
	struct tlsg_err err;
	bool established; /* the handshake finished in this round */
};

/* Sends the output of a step. Lock held. */
static enum tlsg_ret send_out(struct round *r)
{
	int n = 0;

	if(r->out.wr > 0)
		n = tcpconn_send_unsafe(r->c->fd, r->c, (const char *)out_bytes, (unsigned)r->out.wr, r->c->send_flags);
	r->out.wr = 0;
	return n < 0 ? tlsg_err_set(&r->err, TLSG_E_PEER, "cannot send the reply of the handshake") : TLSG_OK;
}

/*
 * Sends the alert of a session that failed. The peer may be gone, which is not an error here: the core's own function
 * would log it at ERR. Lock held.
 */
static void send_last(struct round *r)
{
	if(tlsg_tcp_has_waiting(r->c))
		(void)send_out(r); /* behind them */
	else if(r->out.wr > 0)
		(void)_tcpconn_write_nb(r->c->fd, r->c, (const char *)out_bytes, (int)r->out.wr);
	r->out.wr = 0;
}

/* Runs steps until the input is used up or the clear text buffer is full. Lock held. */
static enum tlsg_ret step(struct round *r, struct tlsg_conn *conn)
{
	bool was_established = tlsg_conn_is_established(conn);
	enum tlsg_ret ret;
	enum tlsg_ret sent = TLSG_OK;

	do {
		ret = tlsg_conn_read(conn, &r->io, &r->clear, &r->err);
		TLSG_DEBUG(RD, "connection %d: result %d, %zu bytes of clear text so far\n", r->c->id, ret, r->clear.wr);
		TLSG_DEBUG(BIO, "connection %d: %zu bytes of records left to read, %zu to send\n", r->c->id,
				tlsg_buf_filled(&r->in), r->out.wr);
		if(ret < 0)
			send_last(r);
		else
			sent = send_out(r);
	} while(ret == TLSG_FULL && sent == TLSG_OK && tlsg_buf_room(&r->clear) > 0);
	r->established = !was_established && tlsg_conn_is_established(conn);
	if(sent != TLSG_OK)
		return sent;
	if(ret == TLSG_FULL && tlsg_conn_keep(conn, &r->in, &r->err) != TLSG_OK)
		return TLSG_E_RESOURCE;
	return ret;
}

/* Runs a step with the lock held; the first one makes the TLS state. */
static enum tlsg_ret locked_step(struct round *r, struct tlsg_conn **conn)
{
	struct tlsg_log_ends ends = ends_of(r->c);
	enum tlsg_ret ret = TLSG_E_RESOURCE;

	lock_get(&r->c->write_lock);
	*conn = r->c->extra_data;
	if(r->c->state >= 0)
		*conn = conn_get(r->c, &r->err);
	/* Refused, or closed by a writer, tls.kill or the timer: logged there. */
	if(r->c->state < 0 || (*conn == NULL && r->err.class == TLSG_CLASS_NONE)
			|| (*conn != NULL && tlsg_conn_state(*conn) == TLSG_CONN_FAILED))
		ret = TLSG_EOF;
	else if(*conn != NULL)
		ret = step(r, *conn);
	if(ret >= 0 && *conn != NULL && tlsg_conn_stall_watch(*conn))
		tlsg_deadline_add(r->c->id);
	lock_release(&r->c->write_lock);
	tlsg_mod_keylog_flush(&ends);
	return ret;
}

/* After a handshake, without the lock: logs it, runs the event route of an outgoing connection. */
static enum tlsg_ret after_handshake(struct round *r, struct tlsg_conn *conn, enum tlsg_ret ret)
{
	struct tlsg_log_ends ends = ends_of(r->c);
	enum tlsg_ret verdict;

	tlsg_log_established(&ends, conn);
	if(tlsg_conn_role(conn) != TLSG_CLIENT || !tlsg_events_has_out())
		return ret;
	verdict = tlsg_events_run_out(r->c, &r->err);
	if(verdict == TLSG_EOF)
		tlsg_log_dropped(&ends, conn, tlsg_events_out_name());
	lock_get(&r->c->write_lock);
	tlsg_conn_hold_queue(conn, false);
	if(verdict != TLSG_OK) {
		tlsg_conn_drop_queued(conn);
		r->c->flags |= F_CONN_NOSEND;
	}
	lock_release(&r->c->write_lock);
	if(verdict == TLSG_EOF)
		return TLSG_EOF;
	if(verdict != TLSG_OK) /* ends like a close, too; the level of the log line depends on the class of the error */
		return TLSG_E_PEER;
	return ret < 0 || ret == TLSG_EOF ? ret : locked_step(r, &conn);
}

/* Reads once from the socket. @return false: error, or no more may be read in this event. */
static bool read_socket(struct round *r)
{
	int n = tcp_read_data(r->c->fd, r->c, (char *)in_bytes, sizeof(in_bytes), r->flags);

	if(n < 0) { /* logged by the core, which also set the event; a reset counts as a close */
		r->c->state = S_CONN_EOF;
		*r->flags |= RD_CONN_EOF;
	}
	tlsg_buf_init_filled(&r->in, in_bytes, n > 0 ? (size_t)n : 0);
	return n > 0;
}

/* The peer has closed: the core reads the state and the flag. */
static void set_eof(struct round *r)
{
	r->c->state = S_CONN_EOF;
	*r->flags |= RD_CONN_EOF;
}

/* Ends the hook: tells the core the result. */
static int finish(struct round *r, struct tlsg_conn *conn, enum tlsg_ret ret)
{
	struct tlsg_log_ends ends = ends_of(r->c);
	struct tcp_req *req = &r->c->req;
	int bytes = (int)r->clear.wr;
	bool more;

	req->pos += bytes;
	if(ret < 0)
		tlsg_log_failure(&ends, conn, what_failed(conn, true), &r->err);
	if(ret == TLSG_E_PEER || ret == TLSG_E_RESOURCE || ret == TLSG_EOF) {
		/* Ends the connection like a close: otherwise the core logs a line at ERR for each peer's mistake. */
		set_eof(r);
		return bytes;
	}
	if(ret < 0) {
		req->error = TCP_READ_ERROR;
		return -1;
	}
	more = ret == TLSG_FULL && (tlsg_conn_has_pending(conn) || !(*r->flags & (RD_CONN_SHORT_READ | RD_CONN_EOF)));
	if(more) {
		*r->flags |= RD_CONN_REPEAT_READ;
		if(r->c->state == S_CONN_EOF) { /* only after the last byte is delivered */
			tlsg_conn_set_tcp_eof(conn);
			r->c->state = S_CONN_OK;
		}
	} else if(tlsg_conn_tcp_eof(conn))
		set_eof(r);
	return bytes;
}

/* Counts a peer that closed during the handshake; failures and timeouts are counted elsewhere. */
static void count_closed(const struct round *r, enum tlsg_ret ret)
{
	const struct tlsg_conn *conn = tlsg_tcp_conn(r->c);

	if(ret == TLSG_AGAIN && (*r->flags & RD_CONN_EOF) && conn != NULL && tlsg_conn_state(conn) == TLSG_CONN_HANDSHAKING
			&& !tlsg_conn_is_established(conn) && !tlsg_conn_is_late(conn))
		tlsg_stats_handshake_failed(TLSG_FAIL_CLOSED);
}

static void round_init(struct round *r, struct tcp_connection *c, rd_conn_flags_t *flags)
{
	memset(r, 0, offsetof(struct round, err));
	tlsg_err_clear(&r->err);
	r->established = false;
	r->c = c;
	r->flags = flags;
	r->io.in = &r->in;
	r->io.out = &r->out;
	r->io.limits = &r->limits;
	tlsg_limits_step(&r->limits);
	tlsg_buf_init(&r->in, in_bytes, 0);
	tlsg_buf_init(&r->out, out_bytes, sizeof(out_bytes));
	tlsg_buf_init(&r->clear, c->req.pos, (size_t)(c->req.b_size - (unsigned)(c->req.pos - c->req.buf)));
}

/* Hook `read`: decrypts. No lock held. */
static int read_hook(struct tcp_connection *c, rd_conn_flags_t *flags)
{
	struct tlsg_conn *conn = NULL;
	struct round r;
	enum tlsg_ret ret = TLSG_AGAIN;
	bool stash = tlsg_tcp_conn(c) != NULL && tlsg_conn_has_pending(tlsg_tcp_conn(c));

	*flags &= ~RD_CONN_REPEAT_READ;
	round_init(&r, c, flags);
	if(tlsg_buf_room(&r.clear) == 0) {
		LM_WARN("message larger than the read buffer (%u bytes) from %s:%d, connection %d is closed: raise "
				"tcp_rd_buf_size\n",
				c->req.b_size, ip_addr2a(&c->rcv.src_ip), (int)c->rcv.src_port, c->id);
		set_eof(&r);
		return 0;
	}
	do {
		if(stash)
			stash = false;
		else if(*flags & (RD_CONN_SHORT_READ | RD_CONN_EOF))
			break;
		else if(!read_socket(&r))
			break;
		ret = locked_step(&r, &conn);
		if(r.established) {
			r.established = false;
			ret = after_handshake(&r, conn, ret);
		}
	} while(ret == TLSG_AGAIN);
	count_closed(&r, ret);
	if(conn == NULL && ret == TLSG_AGAIN) /* nothing was received */
		return 0;
	return finish(&r, conn, ret);
}

/* Hook `on_tcpconn_init`: no other process has the connection yet. */
static int init_hook(struct tcp_connection *c, int sock)
{
	(void)sock;
	c->type = PROTO_TLS;
	c->rcv.proto = PROTO_TLS;
	c->lifetime = (ticks_t)TLSG_CFG(connection_timeout);
	c->timeout = get_ticks_raw() + c->lifetime;
	c->extra_data = NULL;
	tlsg_deadline_add(c->id);
	return 0;
}

/* Hook `tcpconn_clean`: the last reference was dropped, write_lock does not exist any more. */
static void clean_hook(struct tcp_connection *c)
{
	if(!tlsg_tcp_is_tls(c)) {
		LM_BUG("connection %d is neither TLS nor WSS (type %d)\n", c->id, c->type);
		return;
	}
	tlsg_conn_free(c->extra_data);
	c->extra_data = NULL;
}

/* Spelt as by tls.so of the same Kamailio. */
#if VERSIONVAL >= 5007000
#define HALF_CLOSED "First phase of 2-way handshake completed successfully"
#else
#define HALF_CLOSED "First phase of 2-way handshake completed succesfuly"
#endif

/* Hook `tcpconn_close`: in tcp_main, before the socket is closed. */
static void close_hook(struct tcp_connection *c, int fd)
{
	static unsigned char bytes[CLOSE_BYTES];
	struct tlsg_conn_limits limits;
	struct tlsg_buf out;
	struct tlsg_io io = {.out = &out, .limits = &limits};

	if(!tlsg_tcp_is_tls(c))
		return;
	LM_DBG("Closing SSL connection %p\n", c->extra_data);
	if(c->extra_data == NULL || !TLSG_CFG(send_close_notify) || !tlsg_low_mem_allows(TLSG_LOW_MEM_EXISTING))
		return;
	tlsg_limits_step(&limits);
	tlsg_buf_init(&out, bytes, sizeof(bytes));
	/* The holder of the lock may be waiting for a key process or a token; TCP main must not wait: no alert then. */
	if(lock_try(&c->write_lock) != 0)
		return;
	/* While bytes wait in the core's queue the alert would be out of order: they are lost, and so is the alert. */
	if(c->extra_data != NULL && !tlsg_tcp_has_waiting(c)) {
		tlsg_conn_close_notify(c->extra_data, &io);
		if(out.wr > 0) {
			(void)_tcpconn_write_nb(fd, c, (const char *)bytes, (int)out.wr);
			LM_DBG("%s\n", tlsg_conn_peer_closed(c->extra_data) ? "TLS shutdown successful" : HALF_CLOSED);
		}
	}
	lock_release(&c->write_lock);
}

/* Hook `init_si`: opens a TLS listen socket. */
static int init_si_hook(struct socket_info *si)
{
	int ret = tcp_init(si);

	if(ret != 0) {
		LM_ERR("cannot listen on %.*s: the line before says why\n", si->sock_str.len, si->sock_str.s);
		return ret;
	}
	si->proto = PROTO_TLS;
	return 0;
}

static int pre_init_hook(void)
{
	return 0;
}

#if VERSIONVAL >= 6001000
/* Hooks of the core parameter tls_connection_match_domain. TCPCONN_LOCK is held. */
static int match_domain_hook(struct tcp_connection *c, struct ip_addr *ip, unsigned short port)
{
	(void)ip;
	(void)port;
	return tlsg_outgoing_is_same(c);
}

static int match_connections_hook(struct tcp_connection *a, struct tcp_connection *b)
{
	return tlsg_outgoing_is_same_pair(a, b);
}
#define MATCH_HOOKS .match_domain = match_domain_hook, .match_connections_domain = match_connections_hook,
#else
#define MATCH_HOOKS
#endif

int tlsg_hooks_register(int (*init)(void), void (*destroy)(void))
{
	struct tls_hooks hooks = {.read = read_hook,
			.encode = encode_hook,
			.on_tcpconn_init = init_hook,
			.tcpconn_clean = clean_hook,
			.tcpconn_close = close_hook,
			.init_si = init_si_hook,
			.init = init,
			.destroy = destroy,
			.pre_init = pre_init_hook,
			MATCH_HOOKS};

	return register_tls_hooks(&hooks);
}

bool tlsg_hooks_are_ours(void)
{
	return tls_hook.read == read_hook;
}
