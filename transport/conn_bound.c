/*
 * tls_gnutls - what a peer can make a connection hold and read without saying anything
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process, inside a step.  Memory: the connection's arena (shm).  Lock: write_lock, held by the step's caller.
 *
 * GnuTLS collects a handshake message up to the length that its header announces, 16 MB, and compares it with its own limit of
 * 128 KB only when it is complete. So input is fed record by record, and before each one it is checked what the arena holds.
 * A record adds 17 KB at most, so that is by how much a bound can be exceeded; a message that GnuTLS collects is copied when it grows.
 */
#include "transport/conn_priv.h"
#include "transport/stats.h"

/*
 * Bytes of records that may come before a message is complete, or data. HELLO: a server that does not expect certificates; the largest
 * messages are ClientHellos, a few KB even with post-quantum key shares and a ticket. CHAIN: a list of certificates may come; OpenSSL
 * takes 100 KB of them, GnuTLS 128 KB of messages in all. REST: after the handshake; a ticket, a key update, a ClientHello that asks for
 * a renegotiation.
 */
#define HELLO_RECORDS (32 * 1024)
#define CHAIN_RECORDS (104 * 1024)
#define REST_RECORDS (32 * 1024)

/*
 * And what they may add to the bytes in use, whatever GnuTLS does with them: it makes room for twice of what it has collected, and has a
 * buffer of 17 KB at hand while it asks for input. Counted from what the connection held when the message began to come, or when the
 * handshake was done. What peers that behave reach stands in doc/benchmarks.md, printed by tests/transport/test_bound.c.
 */
#define HELLO_BYTES (64 * 1024)
#define CHAIN_BYTES (144 * 1024)
#define REST_BYTES (80 * 1024)

/*
 * With less than that beyond what the session held at the end of its handshake nothing is incomplete that is worth a deadline: GnuTLS
 * does not say whether it collects a message, but the memory does. Measured 0, and 230 bytes when the ticket of a server has come.
 */
#define STALL_BYTES 4096

#define RECORD_HEAD 5

size_t tlsg_conn_bound_held(const struct tlsg_conn *c)
{
	return tlsg_arena_in_use(c->arena) - (c->kept != NULL ? c->kept_len : 0);
}

static bool expects_chain(const struct tlsg_conn *c)
{
	return c->role == TLSG_CLIENT || (c->hello_seen && c->ref.prof->verify_mode != TLSG_VERIFY_NONE);
}

size_t tlsg_conn_bound_max(const struct tlsg_conn *c)
{
	if(c->state == TLSG_CONN_ESTABLISHED)
		return c->settled + REST_BYTES;
	if(c->base == 0)
		return SIZE_MAX;
	return c->base + (expects_chain(c) ? CHAIN_BYTES : HELLO_BYTES);
}

static size_t records_max(const struct tlsg_conn *c)
{
	if(c->state == TLSG_CONN_ESTABLISHED)
		return REST_RECORDS;
	return expects_chain(c) ? CHAIN_RECORDS : HELLO_RECORDS;
}

void tlsg_conn_bound_settle(struct tlsg_conn *c)
{
	c->settled = (uint32_t)tlsg_conn_bound_held(c);
}

/* What came so far is dealt with: what comes next is new. */
static void bytes_used(struct tlsg_conn *c)
{
	c->unused = 0;
	__atomic_store_n(&c->stall_at, 0, __ATOMIC_SEQ_CST);
}

void tlsg_conn_bound_message(struct tlsg_conn *c)
{
	c->base = 0;
	bytes_used(c);
}

void tlsg_conn_bound_data(struct tlsg_conn *c)
{
	c->idle = 0;
	bytes_used(c);
}

static bool is_over(const struct tlsg_conn *c)
{
	return tlsg_conn_bound_held(c) > tlsg_conn_bound_max(c);
}

/* Time forgives: a peer that only changes its keys now and then is never ended for it. */
static void forgive(struct tlsg_conn *c)
{
	ticks_t now = get_ticks_raw();
	uint32_t seconds = TICKS_TO_S(now - c->idle_since);

	if(seconds == 0)
		return;
	c->idle = seconds < c->idle ? (uint8_t)(c->idle - seconds) : 0;
	c->idle_since = now;
}

bool tlsg_conn_bound_allows(struct tlsg_conn *c, size_t n)
{
	if(c->stop != TLSG_STOP_NONE)
		return false;
	if(c->frame_head != 0 || c->frame_left != 0) /* a record that was begun is taken to its end */
		return true;
	if(c->base == 0)
		c->base = (uint32_t)tlsg_conn_bound_held(c);
	if(c->unused + n > records_max(c) || is_over(c))
		c->stop = TLSG_STOP_MEMORY;
	else if(c->state == TLSG_CONN_ESTABLISHED) {
		forgive(c);
		if(c->idle >= TLSG_IDLE_RECORDS_MAX)
			c->stop = TLSG_STOP_IDLE;
	}
	return c->stop == TLSG_STOP_NONE;
}

/* One record is complete. Whether it brought data is known later: then the count begins again. */
static void record_came(struct tlsg_conn *c)
{
	if(c->state == TLSG_CONN_ESTABLISHED && c->idle < TLSG_IDLE_RECORDS_MAX)
		c->idle++;
}

size_t tlsg_conn_bound_missing(const struct tlsg_conn *c)
{
	return c->frame_head > 0 ? RECORD_HEAD - c->frame_head : c->frame_left;
}

void tlsg_conn_bound_fed(struct tlsg_conn *c, const unsigned char *bytes, size_t n)
{
	size_t i = 0;

	c->unused += (uint32_t)n;
	while(i < n) {
		if(c->frame_left > 0) {
			size_t part = n - i < c->frame_left ? n - i : c->frame_left;

			i += part;
			c->frame_left = (uint16_t)(c->frame_left - part);
		} else {
			if(c->frame_head == RECORD_HEAD - 2)
				c->frame_high = bytes[i];
			if(++c->frame_head == RECORD_HEAD) {
				c->frame_head = 0;
				c->frame_left = (uint16_t)(c->frame_high << 8 | bytes[i]);
			}
			i++;
		}
		if(c->frame_head == 0 && c->frame_left == 0)
			record_came(c);
	}
}

static enum tlsg_ret end_memory(struct tlsg_conn *c, struct tlsg_err *err)
{
	bool done = c->state == TLSG_CONN_ESTABLISHED;

	tlsg_stats_limit(TLSG_LIMIT_MEMORY);
	if(gnutls_alert_send(c->session, GNUTLS_AL_FATAL, GNUTLS_A_DECODE_ERROR) == 0)
		tlsg_stats_alert(true, GNUTLS_A_DECODE_ERROR);
	return tlsg_err_set(err, TLSG_E_PEER,
			"message too large: %u bytes of it came, the connection holds %zu bytes of shared memory, %zu of a message "
			"are allowed %s",
			c->unused, tlsg_conn_bound_held(c), records_max(c), done ? "after the handshake" : "in the handshake");
}

enum tlsg_ret tlsg_conn_bound_idle(struct tlsg_conn *c, struct tlsg_err *err)
{
	tlsg_stats_limit(TLSG_LIMIT_IDLE);
	if(gnutls_alert_send(c->session, GNUTLS_AL_FATAL, GNUTLS_A_UNEXPECTED_MESSAGE) == 0)
		tlsg_stats_alert(true, GNUTLS_A_UNEXPECTED_MESSAGE);
	return tlsg_err_set(err, TLSG_E_PEER, "more than %d records without data in a row", TLSG_IDLE_RECORDS_MAX);
}

enum tlsg_ret tlsg_conn_bound_check(struct tlsg_conn *c, enum tlsg_ret ret, struct tlsg_err *err)
{
	if(ret < 0 || (c->state != TLSG_CONN_HANDSHAKING && c->state != TLSG_CONN_ESTABLISHED))
		return ret;
	if(c->stop == TLSG_STOP_NONE && is_over(c))
		c->stop = TLSG_STOP_MEMORY;
	if(c->stop == TLSG_STOP_NONE)
		return ret;
	if(!c->established)
		tlsg_conn_count_failure(c, TLSG_FAIL_PROTOCOL);
	return c->stop == TLSG_STOP_MEMORY ? end_memory(c, err) : tlsg_conn_bound_idle(c, err);
}

void tlsg_conn_bound_stall(struct tlsg_conn *c)
{
	bool begun = c->established
				 && (c->renegotiating || (c->kept != NULL && c->partial)
						 || tlsg_conn_bound_held(c) > (size_t)c->settled + STALL_BYTES);
	ticks_t at = get_ticks_raw() + c->stall_ticks;

	if(!begun)
		__atomic_store_n(&c->stall_at, 0, __ATOMIC_SEQ_CST);
	else if(c->stall_at == 0 && c->stall_ticks != 0)
		__atomic_store_n(&c->stall_at, at != 0 ? at : 1, __ATOMIC_SEQ_CST);
}

bool tlsg_conn_is_stalled(const struct tlsg_conn *c)
{
	ticks_t at = __atomic_load_n(&c->stall_at, __ATOMIC_SEQ_CST);

	return at != 0 && TICKS_GE(get_ticks_raw(), at);
}

bool tlsg_conn_watch_begin(struct tlsg_conn *c)
{
	return c->stall_at != 0 && __atomic_exchange_n(&c->watched, 1, __ATOMIC_SEQ_CST) == 0;
}

enum tlsg_conn_due tlsg_conn_watch_due(struct tlsg_conn *c)
{
	/* First no longer watched, then looked at: what begins in between is seen here or by tlsg_conn_watch_begin(). */
	__atomic_store_n(&c->watched, 0, __ATOMIC_SEQ_CST);
	if(tlsg_conn_is_stalled(c))
		return TLSG_DUE_STALLED;
	if(__atomic_load_n(&c->stall_at, __ATOMIC_SEQ_CST) == 0)
		return TLSG_DUE_FINE;
	return __atomic_exchange_n(&c->watched, 1, __ATOMIC_SEQ_CST) == 0 ? TLSG_DUE_AGAIN : TLSG_DUE_FINE;
}
