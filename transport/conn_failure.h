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

/** Forgets why operations with keys failed in this process before, which is not the cause of what fails next. */
void tlsg_conn_failure_forget(void);

/**
 * A handshake that failed: counts it, sends the alert that goes with it, sets the cause. In a step.
 * @param gnutls_code  GNUTLS_E_* that ended it.
 * @param err          [out] first cause.
 * @return TLSG_E_*.
 */
enum tlsg_ret tlsg_conn_failure_set(struct tlsg_conn *c, int gnutls_code, struct tlsg_err *err);

#endif
