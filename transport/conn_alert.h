/*
 * tls_gnutls - alerts of a connection, sent and received
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process, inside a step.  Memory: none.  Lock: write_lock, held by the step's caller.
 */
#ifndef TLSG_TRANSPORT_CONN_ALERT_H
#define TLSG_TRANSPORT_CONN_ALERT_H

#include "base/err.h"

struct tlsg_conn;

/** Appends a fatal alert to the output of the step and counts it. @param alert  gnutls_alert_description_t. */
void tlsg_conn_alert_send(struct tlsg_conn *c, int alert);

/** Sends the alert for a failure, if there is one for it. @param gnutls_code  GNUTLS_E_*. */
void tlsg_conn_alert_send_for(struct tlsg_conn *c, int gnutls_code);

/**
 * The fatal alert of the peer that made a call of GnuTLS fail.
 * @param gnutls_code  GNUTLS_E_* that the call returned.
 * @return GNUTLS_A_*; -1: it failed for another reason.
 */
int tlsg_conn_alert_received(const struct tlsg_conn *c, int gnutls_code);

/**
 * Counts a fatal alert of the peer and makes it the cause.
 * @param alert  GNUTLS_A_*, or a number without a name.
 * @param err    [out] first cause, with the alert.
 * @return TLSG_E_PEER.
 */
enum tlsg_ret tlsg_conn_alert_fail(int alert, struct tlsg_err *err);

#endif
