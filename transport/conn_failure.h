/*
 * tls_gnutls - why a handshake failed: what is counted, sent to the peer and said in the log
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: none.  Lock: see each function.
 */
#ifndef TLSG_TRANSPORT_CONN_FAILURE_H
#define TLSG_TRANSPORT_CONN_FAILURE_H

#include "base/err.h"
#include "transport/stats.h"

struct tlsg_conn;

/**
 * Counts the handshake of a connection as failed, once however often it is called. Any process, no lock.
 * @param c    the connection; an established one counts nothing.
 * @param why  first cause.
 */
void tlsg_conn_failure_count(struct tlsg_conn *c, enum tlsg_stats_failure why);

/** Clears the reason of an earlier failed operation with a key in this process: the next failure has its own. */
void tlsg_conn_failure_forget(void);

/**
 * @return whether an operation with a key of this process has failed since tlsg_conn_failure_forget(), so that the
 *         handshake cannot succeed. What a peer sent is not the reason (profiles/keys/token_op.h).
 */
bool tlsg_conn_failure_is_own(void);

/**
 * Ends a failed handshake: counts it, sends the alert for it, records the cause. In a step.
 * @param gnutls_code  GNUTLS_E_* that ended it.
 * @param err          [out] first cause.
 * @return TLSG_E_*.
 */
enum tlsg_ret tlsg_conn_failure_set(struct tlsg_conn *c, int gnutls_code, struct tlsg_err *err);

#endif
