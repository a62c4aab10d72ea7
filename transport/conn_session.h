/*
 * tls_gnutls - sets up the GnuTLS session of a connection: priority, credentials, tickets, callbacks
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: the connection's arena (shm).  Lock: write_lock, held by the step's caller.
 */
#ifndef TLSG_TRANSPORT_CONN_SESSION_H
#define TLSG_TRANSPORT_CONN_SESSION_H

#include <gnutls/gnutls.h>

#include "base/err.h"

struct tlsg_conn;
struct tlsg_hello;

/**
 * Makes and configures the session for the profile in c->ref.prof. In the scope of the arena.
 * @return TLSG_OK, TLSG_E_*.
 */
enum tlsg_ret tlsg_conn_session_init(struct tlsg_conn *c, struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Applies what the profile in c->ref.prof decides about a session: priority, certificate request, tickets. In the scope
 * of the arena. The credentials are tlsg_conn_step_bind().
 * @return TLSG_OK, TLSG_E_*.
 */
enum tlsg_ret tlsg_conn_session_apply(struct tlsg_conn *c, struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Sets the key that decrypts the ticket of a ClientHello, if it is not the one that encrypts, and notes whether it is
 * there. In the scope of the arena, for the first ClientHello, before GnuTLS reads it: afterwards it refuses another
 * key. A session that was resumed with an older key continues with it: its tickets end with the session.
 * @return TLSG_OK, TLSG_E_*.
 */
enum tlsg_ret tlsg_conn_session_ticket(
		struct tlsg_conn *c, const struct tlsg_hello *h, struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Sets another priority. In the scope of the arena.
 * @param priority  of the connection's snapshot; the session counts a reference on it, tlsg_conn_free() gives it back.
 * @return 0 or more; GNUTLS_E_*.
 */
int tlsg_conn_session_priority(struct tlsg_conn *c, gnutls_priority_t priority) TLSG_MUST_CHECK;

#endif
