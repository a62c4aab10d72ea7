/*
 * tls_gnutls - deadline of what a peer begins after the handshake: a record, a message, a renegotiation
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: the connection's arena (shm).
 * Lock: write_lock to note what began; none to look (atomics).
 */
#include "transport/conn_stall.h"

#include "transport/conn_state.h"

/*
 * GnuTLS does not tell whether it is collecting a message. A session is assumed to be when it holds this much more than
 * at the end of its handshake; the most that was measured otherwise is 230 bytes, for the ticket of a server.
 */
#define STALL_BYTES 4096

void tlsg_conn_stall_clear(struct tlsg_conn *c)
{
	__atomic_store_n(&c->stall_at, 0, __ATOMIC_SEQ_CST);
}

void tlsg_conn_stall_update(struct tlsg_conn *c, size_t held)
{
	bool begun = c->established
				 && (c->renegotiating || (c->kept != NULL && c->partial) || held > (size_t)c->settled + STALL_BYTES);
	ticks_t at = get_ticks_raw() + c->stall_ticks;

	if(!begun)
		tlsg_conn_stall_clear(c);
	else if(c->stall_at == 0 && c->stall_ticks != 0)
		__atomic_store_n(&c->stall_at, at != 0 ? at : 1, __ATOMIC_SEQ_CST);
}

bool tlsg_conn_stall_is_over(const struct tlsg_conn *c)
{
	ticks_t at = __atomic_load_n(&c->stall_at, __ATOMIC_SEQ_CST);

	return at != 0 && TICKS_GE(get_ticks_raw(), at);
}

bool tlsg_conn_stall_watch(struct tlsg_conn *c)
{
	return c->stall_at != 0 && __atomic_exchange_n(&c->watched, 1, __ATOMIC_SEQ_CST) == 0;
}

enum tlsg_conn_stall tlsg_conn_stall_check(struct tlsg_conn *c)
{
	/* Watching ends before the check: what begins in between is seen here or by tlsg_conn_stall_watch(). */
	__atomic_store_n(&c->watched, 0, __ATOMIC_SEQ_CST);
	if(tlsg_conn_stall_is_over(c))
		return TLSG_STALL_OVER;
	if(__atomic_load_n(&c->stall_at, __ATOMIC_SEQ_CST) == 0)
		return TLSG_STALL_NONE;
	return __atomic_exchange_n(&c->watched, 1, __ATOMIC_SEQ_CST) == 0 ? TLSG_STALL_PENDING : TLSG_STALL_NONE;
}
