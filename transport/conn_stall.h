/*
 * tls_gnutls - deadline of what a peer begins after the handshake: a record, a message, a renegotiation
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: the connection's arena (shm).
 * Lock: write_lock to note what began; none to look (atomics).
 */
#ifndef TLSG_TRANSPORT_CONN_STALL_H
#define TLSG_TRANSPORT_CONN_STALL_H

#include <stdbool.h>
#include <stddef.h>

struct tlsg_conn;

/** Result of tlsg_conn_stall_check(). */
enum tlsg_conn_stall
{
	TLSG_STALL_NONE,	/**< nothing is incomplete */
	TLSG_STALL_PENDING, /**< something is, but its time is not over: check once more after another handshake_timeout */
	TLSG_STALL_OVER		/**< its time is over: end the connection */
};

/** Notes that what began is complete: what begins next has its own time. */
void tlsg_conn_stall_clear(struct tlsg_conn *c);

/**
 * End of a step that reads: notes whether something has begun that is not complete, and since when.
 * @param held  tlsg_conn_bound_held().
 */
void tlsg_conn_stall_update(struct tlsg_conn *c, size_t held);

/** Whether what began is not complete and its time is over. Any process, no lock. */
bool tlsg_conn_stall_is_over(const struct tlsg_conn *c);

/**
 * Whether the owner must call tlsg_conn_stall_check() after handshake_timeout, because something has begun that is not
 * complete. Returns true once, until tlsg_conn_stall_check() is called.
 */
bool tlsg_conn_stall_watch(struct tlsg_conn *c);

/** The check that tlsg_conn_stall_watch() asked for. Any process, no lock. @return what to do. */
enum tlsg_conn_stall tlsg_conn_stall_check(struct tlsg_conn *c);

#endif
