/*
 * tls_gnutls - log lines about connections: who, what, at the level that the fault deserves
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: static buffers of this process; what limits lines, in shm.  Lock: none.
 */
#ifndef TLSG_GNUTLS_MOD_MOD_LOG_H
#define TLSG_GNUTLS_MOD_MOD_LOG_H

#include <stdbool.h>

#include "core/tcp_conn.h"

#include "base/err.h"

struct tlsg_conn;

/** Before the fork. @return 0; -1 out of shared memory. */
int tlsg_log_init(void);

/** Frees what tlsg_log_init() made, if anything. */
void tlsg_log_deinit(void);

/**
 * Logs the failure of a step, once. Peers' mistakes at WARN, each of them; ours at ERR; broken invariants with LM_BUG;
 * exhausted resources at ERR, at most once a second from all processes, with the number of lines suppressed before.
 * @param c     the connection.
 * @param conn  its TLS state, NULL when it could not be made.
 * @param what  "TLS accept", "TLS connect", "TLS read", "TLS write".
 * @param err   the cause.
 */
void tlsg_log_failure(
		const struct tcp_connection *c, const struct tlsg_conn *conn, const char *what, const struct tlsg_err *err);

/**
 * Says that an accepted connection was refused because too many handshakes are unfinished: at most one line a second
 * from all processes, with the number of lines suppressed before.
 * @param per_address  too many from its address; else in all.
 */
void tlsg_log_refused(const struct tcp_connection *c, bool per_address);

/** Logs the lines of spec section 15 about a finished handshake, at the level tls_log. */
void tlsg_log_established(const struct tcp_connection *c, const struct tlsg_conn *conn);

#endif
