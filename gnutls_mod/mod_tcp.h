/*
 * tls_gnutls - the core's connection table: finding, visiting and closing TLS connections under its lock
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: the core's.  Lock: TCPCONN_LOCK, see each function.
 *
 * Only this file uses the table, its lock and the fields that link a connection into it. What is done on a connection
 * is in mod_hooks.h.
 */
#ifndef TLSG_GNUTLS_MOD_MOD_TCP_H
#define TLSG_GNUTLS_MOD_MOD_TCP_H

#include <stdbool.h>

#include "core/tcp_conn.h"

#include "rpc/rpc_source.h"

struct tlsg_addr;
struct tlsg_conn;

/** @return whether a connection is TLS, or WebSocket over TLS. */
bool tlsg_tcp_is_tls(const struct tcp_connection *c);

/**
 * The TLS state of a TCP connection. The caller holds a reference to the TCP connection, or TCPCONN_LOCK.
 * @return borrowed; NULL: not made yet, or not a TLS connection.
 */
struct tlsg_conn *tlsg_tcp_conn(const struct tcp_connection *c);

/** Takes TCPCONN_LOCK. Every process that reads or opens connections waits for it: hold it for a few copies only. */
void tlsg_tcp_lock(void);

/** Releases TCPCONN_LOCK. */
void tlsg_tcp_unlock(void);

/**
 * Finds a TLS connection by its id. The caller holds TCPCONN_LOCK.
 * @return borrowed while the lock is held; NULL: no such connection, it has failed, or it is not TLS.
 */
struct tcp_connection *tlsg_tcp_find(int id);

/**
 * Visits TLS connections in the order of the table. The lock is released now and then, so connections that are opened
 * or closed meanwhile may be missed.
 * @param w      where it begins, what is called: rpc/rpc_source.h.
 * @param param  passed to both functions.
 */
void tlsg_tcp_walk(const struct tlsg_rpc_walk *w, void *param);

/**
 * Extends the lifetime of a connection that no TCP reader has, as the core's tcpconn_get() does. The caller holds
 * TCPCONN_LOCK.
 * @param lifetime  in ticks; 0: unchanged.
 */
void tlsg_tcp_touch(struct tcp_connection *c, ticks_t lifetime);

/**
 * Closes a connection from any process but tcp_main: marks it bad and tells tcp_main, which closes it at once.
 * @param c  the caller's reference, which passes to tcp_main.
 */
void tlsg_tcp_kill(struct tcp_connection *c);

/**
 * Closes a TLS connection by its id, from any process but tcp_main. One that tcp_main does not know yet is closed at
 * its next timer. Takes TCPCONN_LOCK.
 * @return TLSG_RPC_KILLED; TLSG_RPC_KILLED_LATER: at its next timer; TLSG_RPC_KILLED_NOT: no such TLS connection.
 */
enum tlsg_rpc_killed tlsg_tcp_kill_id(int id);

/** Copies an address of the core. @param to  [out] len 0: neither IPv4 nor IPv6. */
void tlsg_tcp_addr_copy(struct tlsg_addr *to, const struct ip_addr *from);

/** @return whether bytes wait in the core's own write queue. The caller holds the connection's write_lock. */
bool tlsg_tcp_has_waiting(const struct tcp_connection *c);

#endif
