/*
 * tls_gnutls - limits on what a peer can make a connection hold and read that brings no data
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process, inside a step.  Memory: the connection's arena (shm).
 * Lock: write_lock, held by the step's caller.
 *
 * GnuTLS collects a handshake message up to the length that its header announces, 16 MB, and compares it with its own
 * limit of 128 KB only when it is complete. So the session gets its input record by record, and before each one the
 * arena is checked. A record adds at most 17 KB, which is by how much a limit can be exceeded; GnuTLS copies a message
 * when it grows.
 */
#include "transport/conn_bound.h"

#include "transport/conn_alert.h"
#include "transport/conn_failure.h"
#include "transport/conn_stall.h"
#include "transport/conn_state.h"
#include "transport/stats.h"

/*
 * Bytes of records that may be received before a message is complete, or data arrives. HELLO: a server that expects no
 * certificates; the largest messages are ClientHellos, a few KB even with post-quantum key shares and a ticket. CHAIN:
 * a list of certificates may follow; OpenSSL accepts 100 KB of them, GnuTLS 128 KB of messages in total. REST: after
 * the handshake; a ticket, a key update, a ClientHello that asks for a renegotiation.
 */
#define HELLO_RECORDS (32 * 1024)
#define CHAIN_RECORDS (104 * 1024)
#define REST_RECORDS (32 * 1024)

/*
 * What these records may add to the bytes in use. Of a message, GnuTLS allocates twice what it has collected,
 * and a buffer of 17 KB while it waits for input. Counted from what the connection held when the message began to
 * arrive, or when the handshake was done. doc/benchmarks.md has what ordinary peers reach; tests/transport/test_bound.c
 * and test_hybrid.c print it: 6 to 9 KB more with post-quantum hybrids.
 */
#define HELLO_BYTES (64 * 1024)
#define CHAIN_BYTES (144 * 1024)
#define REST_BYTES (80 * 1024)

/*
 * Consecutive records without data, and one more for each second. Servers send a handful of tickets, and GnuTLS accepts
 * eight key updates in a second.
 */
#define IDLE_RECORDS_MAX 64

size_t tlsg_conn_bound_held(const struct tlsg_conn *c)
{
	return tlsg_arena_in_use(c->arena) - (c->kept != NULL ? c->kept_len : 0);
}

static bool expects_chain(const struct tlsg_conn *c)
{
	return c->role == TLSG_CLIENT || (c->hello_seen && c->ref.prof->verify_mode != TLSG_VERIFY_NONE);
}

/* Bytes that it may have in use now. @return SIZE_MAX: GnuTLS works on a message. */
static size_t held_max(const struct tlsg_conn *c)
{
	if(c->state == TLSG_CONN_ESTABLISHED)
		return c->settled + REST_BYTES;
	if(c->base == 0)
		return SIZE_MAX;
	return c->base + (expects_chain(c) ? CHAIN_BYTES : HELLO_BYTES);
}

size_t tlsg_conn_bound_message_max(const struct tlsg_conn *c)
{
	return expects_chain(c) ? CHAIN_RECORDS : HELLO_RECORDS;
}

static size_t records_max(const struct tlsg_conn *c)
{
	if(c->state == TLSG_CONN_ESTABLISHED)
		return REST_RECORDS;
	return tlsg_conn_bound_message_max(c);
}

void tlsg_conn_bound_settle(struct tlsg_conn *c)
{
	c->settled = (uint32_t)tlsg_conn_bound_held(c);
}

/* The bytes received so far made a complete message, or data: what comes next is counted anew. */
static void bytes_used(struct tlsg_conn *c)
{
	c->unused = 0;
	tlsg_conn_stall_clear(c);
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

static bool holds_too_much(const struct tlsg_conn *c)
{
	return tlsg_conn_bound_held(c) > held_max(c);
}

/* One record less for each second: a peer that only changes its keys now and then is never ended for it. */
static void idle_reduce(struct tlsg_conn *c)
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
	if(c->frame_head != 0 || c->frame_left != 0) /* a record that has begun is read to its end */
		return true;
	if(c->base == 0)
		c->base = (uint32_t)tlsg_conn_bound_held(c);
	if(c->datagram != NULL)
		return !holds_too_much(c);
	if(c->unused + n > records_max(c) || holds_too_much(c))
		c->stop = TLSG_STOP_MEMORY;
	else if(c->state == TLSG_CONN_ESTABLISHED) {
		idle_reduce(c);
		if(c->idle >= IDLE_RECORDS_MAX)
			c->stop = TLSG_STOP_IDLE;
	}
	return c->stop == TLSG_STOP_NONE;
}

/* One record is complete. If it brought data, the count begins again: tlsg_conn_bound_data(). */
static void idle_count(struct tlsg_conn *c)
{
	if(c->state == TLSG_CONN_ESTABLISHED && c->idle < IDLE_RECORDS_MAX)
		c->idle++;
}

size_t tlsg_conn_bound_missing(const struct tlsg_conn *c)
{
	return c->frame_head > 0 ? TLSG_RECORD_HEAD - c->frame_head : c->frame_left;
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
			if(c->frame_head == TLSG_RECORD_HEAD - 2)
				c->frame_high = bytes[i];
			if(++c->frame_head == TLSG_RECORD_HEAD) {
				c->frame_head = 0;
				c->frame_left = (uint16_t)(c->frame_high << 8 | bytes[i]);
			}
			i++;
		}
		if(c->frame_head == 0 && c->frame_left == 0)
			idle_count(c);
	}
}

void tlsg_conn_bound_skipped(struct tlsg_conn *c, const unsigned char *record, size_t n)
{
	uint32_t unused = c->unused;

	tlsg_conn_bound_fed(c, record, n);
	c->unused = unused;
	if(c->state == TLSG_CONN_ESTABLISHED)
		return;
	if(c->idle >= IDLE_RECORDS_MAX)
		c->stop = TLSG_STOP_IDLE;
	else
		c->idle++;
}

static enum tlsg_ret end_memory(struct tlsg_conn *c, struct tlsg_err *err)
{
	bool done = c->state == TLSG_CONN_ESTABLISHED;

	tlsg_stats_limit(TLSG_LIMIT_MEMORY);
	tlsg_conn_alert_send(c, GNUTLS_A_DECODE_ERROR);
	return tlsg_err_set(err, TLSG_E_PEER,
			"message too large: %u bytes of it were received, %zu are allowed %s; the connection holds %zu bytes of "
			"shared memory",
			c->unused, records_max(c), done ? "after the handshake" : "in the handshake", tlsg_conn_bound_held(c));
}

static enum tlsg_ret end_idle(struct tlsg_conn *c, struct tlsg_err *err)
{
	tlsg_stats_limit(TLSG_LIMIT_IDLE);
	tlsg_conn_alert_send(c, GNUTLS_A_UNEXPECTED_MESSAGE);
	return tlsg_err_set(err, TLSG_E_PEER, "more than %d consecutive records without data", IDLE_RECORDS_MAX);
}

static enum tlsg_ret end_change(struct tlsg_conn *c, struct tlsg_err *err)
{
	tlsg_conn_alert_send(c, GNUTLS_A_UNEXPECTED_MESSAGE);
	return tlsg_err_set(err, TLSG_E_PEER, "a ChangeCipherSpec that is not the single byte 1");
}

enum tlsg_ret tlsg_conn_bound_warning(struct tlsg_conn *c, struct tlsg_err *err)
{
	if(c->idle >= IDLE_RECORDS_MAX) {
		tlsg_conn_failure_count(c, TLSG_FAIL_PROTOCOL);
		return end_idle(c, err);
	}
	c->idle++;
	return TLSG_OK;
}

enum tlsg_ret tlsg_conn_bound_check(struct tlsg_conn *c, enum tlsg_ret ret, struct tlsg_err *err)
{
	if(ret < 0 || (c->state != TLSG_CONN_HANDSHAKING && c->state != TLSG_CONN_ESTABLISHED))
		return ret;
	if(c->stop == TLSG_STOP_NONE && holds_too_much(c))
		c->stop = TLSG_STOP_MEMORY;
	if(c->stop == TLSG_STOP_NONE)
		return ret;
	tlsg_conn_failure_count(c, TLSG_FAIL_PROTOCOL);
	switch(c->stop) {
		case TLSG_STOP_MEMORY:
			return end_memory(c, err);
		case TLSG_STOP_CHANGE:
			return end_change(c, err);
		default:
			return end_idle(c, err);
	}
}
