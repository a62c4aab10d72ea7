/*
 * tls_gnutls - log lines about connections, and their levels
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: static buffers of this process; what limits lines, in shm.  Lock: none.
 */
#ifndef TLSG_GNUTLS_MOD_MOD_LOG_H
#define TLSG_GNUTLS_MOD_MOD_LOG_H

#include <stdbool.h>

#include "core/ip_addr.h"

#include "base/err.h"

struct tlsg_conn;

/** What log lines, and the key log, say about a connection or an association. */
struct tlsg_log_ends
{
	const struct receive_info *rcv; /**< src: the peer; dst: this host */
	int id;							/**< of the TCP connection, or of the association */
	bool is_server;					/**< this host is the server */
	bool is_datagram;				/**< DTLS: a peer's mistakes are logged at most once a second */
};

/** Allocates what limits lines, before the fork. @return 0; -1 out of shared memory. */
int tlsg_log_init(void);

/** Frees what tlsg_log_init() allocated, if anything. */
void tlsg_log_deinit(void);

/** Lines that many connections, or anybody at all, can cause. */
enum tlsg_log_often
{
	TLSG_OFTEN_HANDSHAKES,	 /**< handshakes_max */
	TLSG_OFTEN_ADDRESS,		 /**< handshakes_per_address */
	TLSG_OFTEN_RESOURCE,	 /**< shared memory, as a rule */
	TLSG_OFTEN_DATAGRAM,	 /**< a mistake of a peer of DTLS */
	TLSG_OFTEN_FULL,		 /**< dtls_max_connections */
	TLSG_OFTEN_FULL_ADDRESS, /**< dtls_max_per_address */
	TLSG_OFTEN_UNSENT,		 /**< a message that DTLS could not send */
	TLSG_OFTEN_COUNT
};

#define TLSG_LOG_MORE 48

/**
 * Limits lines of one kind to one a second from all processes. The caller writes the line.
 * @param more  [out] end of the line: how many were suppressed before; set when the result is true.
 * @return whether a line may be written now.
 */
bool tlsg_log_is_due(enum tlsg_log_often which, char more[TLSG_LOG_MORE]);

/**
 * Logs the failure of a step in one line: a peer's mistake at WARN, an error of this host at ERR, an exhausted resource
 * at ERR, at most once a second from all processes and with the number of lines suppressed before, a broken invariant
 * with LM_BUG. The line names the connection and its profile.
 * @param e     the connection.
 * @param conn  its TLS state, NULL: it could not be made.
 * @param what  "TLS init", "TLS accept", "TLS connect", "TLS read", "TLS write".
 * @param err   the cause.
 */
void tlsg_log_failure(
		const struct tlsg_log_ends *e, const struct tlsg_conn *conn, const char *what, const struct tlsg_err *err);

/**
 * Logs at NOTICE that the script has dropped an outgoing connection.
 * @param by  what decided it: tlsg_events_out_name().
 */
void tlsg_log_dropped(const struct tlsg_log_ends *e, const struct tlsg_conn *conn, const char *by);

/**
 * Logs that an accepted connection was refused because too many handshakes are unfinished: at most one line a second
 * from all processes, with the number of lines suppressed before.
 * @param per_address  true: too many from its address; false: too many in all.
 */
void tlsg_log_refused(const struct tlsg_log_ends *e, bool per_address);

/** Logs at debug level that the TLS state of a connection was made, in the lines that tls.so writes. */
void tlsg_log_made(const struct tlsg_conn *conn);

/** Logs a finished handshake in the lines that tls.so writes, at the levels tls_log, tls_debug and debug. */
void tlsg_log_established(const struct tlsg_log_ends *e, const struct tlsg_conn *conn);

#endif
