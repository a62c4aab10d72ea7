/*
 * tls_gnutls - the handshake: profile by server name, suites of the list, steps, what follows a finished handshake
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: the connection's arena (shm).  Lock: write_lock, held by the step's caller.
 *
 * Why a handshake failed is in conn_failure.h.
 */
#ifndef TLSG_TRANSPORT_CONN_HS_H
#define TLSG_TRANSPORT_CONN_HS_H

#include "base/err.h"

struct tlsg_conn;

/**
 * Makes the session, whose handshake messages are checked here before GnuTLS reads them. In the scope of the arena.
 * @return TLSG_OK, TLSG_E_*.
 */
enum tlsg_ret tlsg_conn_hs_init(struct tlsg_conn *c, struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Runs the handshake as far as the input goes. In a step. At the end the state is established and the peer record
 * published.
 * @return TLSG_OK: done; TLSG_AGAIN: more input is needed; TLSG_FULL: the output has no room left; TLSG_EOF: data of
 *         the peer comes first, during a renegotiation; TLSG_E_*: failed, an alert may be in the output.
 */
enum tlsg_ret tlsg_conn_hs_run(struct tlsg_conn *c, struct tlsg_err *err) TLSG_MUST_CHECK;

#endif
