/*
 * tls_gnutls - closes connections whose handshake, or a record or message after it, is not complete in time
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: tcp_main, readers and senders (add), the core's timer process (check).  Memory: blocks in shm.
 * Lock: its own; TCPCONN_LOCK is taken after it is released.
 *
 * The time is the same for all connections, so the list is in the order of the deadlines and only its head is checked.
 * The read hook checks the deadline as well; this is for connections on which nothing is received.
 */
#include "gnutls_mod/mod_deadline.h"

#include "core/tcp_conn.h"
#include "core/timer.h"

#include "base/host.h"
#include "gnutls_mod/mod_params.h"
#include "gnutls_mod/mod_tcp.h"
#include "transport/conn.h"
#include "transport/stats.h"

#define BLOCK_ENTRIES 512
#define BATCH 64

struct entry
{
	int id;
	ticks_t at;
};

struct block
{
	struct block *next;
	unsigned rd;
	unsigned wr;
	struct entry entries[BLOCK_ENTRIES];
};

struct list
{
	gen_lock_t lock;
	struct block *first;
	struct block *last;
};

static struct list *list; /* [shm] */

/* Takes one entry that is due. Lock held. */
static bool take_due(ticks_t now, struct entry *out)
{
	struct block *b = list->first;

	if(b == NULL || b->rd == b->wr || TICKS_LT(now, b->entries[b->rd].at))
		return false;
	*out = b->entries[b->rd++];
	if(b->rd < BLOCK_ENTRIES)
		return true;
	list->first = b->next;
	if(list->first == NULL)
		list->last = NULL;
	shm_free(b);
	return true;
}

static unsigned take_batch(struct entry *out)
{
	ticks_t now = get_ticks_raw();
	unsigned n = 0;

	lock_get(&list->lock);
	while(n < BATCH && take_due(now, &out[n]))
		n++;
	lock_release(&list->lock);
	return n;
}

/* @return what is to be done with a connection. TCPCONN_LOCK held. */
static enum tlsg_conn_stall due_of(const struct tcp_connection *c)
{
	struct tlsg_conn *conn = tlsg_tcp_conn(c);

	if(c->flags & F_CONN_PENDING) /* not connected yet: the core has a timeout for that */
		return TLSG_STALL_PENDING;
	if(conn != NULL && tlsg_conn_is_established(conn))
		return tlsg_conn_stall_check(conn);
	return TLSG_STALL_OVER;
}

/* Logs why a connection is closed, and counts it. */
static void report(struct tcp_connection *c)
{
	struct tlsg_conn *conn = tlsg_tcp_conn(c);
	const char *what = "handshake not finished";

	if(conn != NULL && tlsg_conn_is_established(conn)) {
		what = "a record or message that began was not complete";
		tlsg_stats_limit(TLSG_LIMIT_STALLED);
	} else if(conn != NULL)
		tlsg_conn_failure_count(conn, TLSG_FAIL_TIMEOUT);
	else
		tlsg_stats_handshake_failed(TLSG_FAIL_TIMEOUT);
	LM_WARN("%s within handshake_timeout (%d s), connection %d from %s:%d is closed\n", what,
			tlsg_params_private()->handshake_timeout_s, c->id, ip_addr2a(&c->rcv.src_ip), c->rcv.src_port);
}

/* Closes a connection that still exists and is late. */
static void check_one(int id)
{
	enum tlsg_conn_stall due = TLSG_STALL_NONE;
	struct tcp_connection *c;

	tlsg_tcp_lock();
	c = tlsg_tcp_find(id);
	if(c != NULL)
		due = due_of(c);
	if(due == TLSG_STALL_OVER)
		tcpconn_ref(c);
	tlsg_tcp_unlock();
	if(due == TLSG_STALL_PENDING)
		tlsg_deadline_add(id);
	if(due != TLSG_STALL_OVER)
		return;
	report(c);
	tlsg_tcp_kill(c);
}

static void timer_cb(unsigned int ticks, void *param)
{
	struct entry due[BATCH];
	unsigned n;
	unsigned i;

	(void)ticks;
	(void)param;
	do {
		n = take_batch(due);
		for(i = 0; i < n; i++)
			check_one(due[i].id);
	} while(n == BATCH);
}

int tlsg_deadline_init(void)
{
	if(tlsg_params_private()->handshake_timeout_s <= 0 || list != NULL)
		return 0;
	list = shm_malloc(sizeof(*list));
	if(list == NULL)
		return -1;
	memset(list, 0, sizeof(*list));
	if(lock_init(&list->lock) == NULL || register_timer(timer_cb, NULL, 1) < 0) {
		shm_free(list);
		list = NULL;
		return -1;
	}
	return 0;
}

void tlsg_deadline_deinit(void)
{
	struct block *b;

	if(list == NULL)
		return;
	while((b = list->first) != NULL) {
		list->first = b->next;
		shm_free(b);
	}
	lock_destroy(&list->lock);
	shm_free(list);
	list = NULL;
}

void tlsg_deadline_add(int id)
{
	ticks_t at = get_ticks_raw() + S_TO_TICKS((ticks_t)tlsg_params_private()->handshake_timeout_s);
	struct block *b;

	if(list == NULL)
		return;
	lock_get(&list->lock);
	b = list->last;
	if(b == NULL || b->wr == BLOCK_ENTRIES) {
		b = shm_malloc(sizeof(*b));
		if(b == NULL)
			goto done;
		b->next = NULL;
		b->rd = b->wr = 0;
		if(list->last != NULL)
			list->last->next = b;
		else
			list->first = b;
		list->last = b;
	}
	b->entries[b->wr].id = id;
	b->entries[b->wr].at = at;
	b->wr++;
done:
	lock_release(&list->lock);
}
