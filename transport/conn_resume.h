/*
 * tls_gnutls - resumption of outgoing connections: which session is offered, and which is kept
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process, inside a step.  Memory: the connection's arena (shm).
 * Lock: write_lock, held by the step's caller.
 *
 * A session fits a connection with the same content of the profile, destination, server name and expected name. What
 * the server's certificate was verified with does not matter: it is verified again when the session is resumed
 * (conn_verify.h). Not here: accepted connections (conn_session.h), where sessions are kept (resume_store.h).
 */
#ifndef TLSG_TRANSPORT_CONN_RESUME_H
#define TLSG_TRANSPORT_CONN_RESUME_H

#include <stdbool.h>

#include "profiles/addr.h"

struct tlsg_conn;

/**
 * Prepares an outgoing connection for resumption; does nothing if sessions are not resumed. In the scope of the arena,
 * before the handshake. A session that GnuTLS does not take back is dropped.
 * @param remote  of the server.
 * @param port    of the server.
 */
void tlsg_conn_resume_offer(struct tlsg_conn *c, const struct tlsg_addr *remote, uint16_t port);

/** Notes that a ticket arrives; before GnuTLS reads it. @param bytes  of the message. Very long ones are not kept. */
void tlsg_conn_resume_arrives(struct tlsg_conn *c, size_t bytes);

/** Keeps the session if a ticket has arrived. After a record of an established connection was read. */
void tlsg_conn_resume_update(struct tlsg_conn *c);

/**
 * The handshake of an outgoing connection is done: counts whether the session that was offered was resumed, and keeps
 * that of TLS 1.2 and older.
 */
void tlsg_conn_resume_done(struct tlsg_conn *c, bool resumed);

#endif
