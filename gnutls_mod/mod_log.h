/*
 * tls_gnutls - log lines about connections, and their levels
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: static buffers of this process; what limits lines, in shm.  Lock: none.
 */
#ifndef TLSG_GNUTLS_MOD_MOD_LOG_H
#define TLSG_GNUTLS_MOD_MOD_LOG_H

#include <stdbool.h>

#include "core/tcp_conn.h"

#include "base/err.h"

struct tlsg_conn;

/** Allocates what limits lines, before the fork. @return 0; -1 out of shared memory. */
int tlsg_log_init(void);

/** Frees what tlsg_log_init() allocated, if anything. */
void tlsg_log_deinit(void);

/**
 * Logs the failure of a step in one line: a peer's mistake at WARN, an error of this host at ERR, an exhausted resource
 * at ERR, at most once a second from all processes and with the number of lines suppressed before, a broken invariant
 * with LM_BUG. The line names the connection and its profile.
 * @param c     the connection.
 * @param conn  its TLS state, NULL: it could not be made.
 * @param what  "TLS init", "TLS accept", "TLS connect", "TLS read", "TLS write".
 * @param err   the cause.
 */
void tlsg_log_failure(
		const struct tcp_connection *c, const struct tlsg_conn *conn, const char *what, const struct tlsg_err *err);

/**
 * Logs that an accepted connection was refused because too many handshakes are unfinished: at most one line a second
 * from all processes, with the number of lines suppressed before.
 * @param per_address  true: too many from its address; false: too many in all.
 */
void tlsg_log_refused(const struct tcp_connection *c, bool per_address);

/** Logs at debug level that the TLS state of a connection was made, in the lines that tls.so writes. */
void tlsg_log_made(const struct tlsg_conn *conn);

/** Logs a finished handshake in the lines that tls.so writes, at the levels tls_log, tls_debug and debug. */
void tlsg_log_established(const struct tcp_connection *c, const struct tlsg_conn *conn);

#endif
