/*
 * tls_gnutls - event routes: script code that runs when an outgoing connection is up
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the TCP reader that ends the handshake.  Memory: pkg.  Lock: none may be held.
 */
#ifndef TLSG_GNUTLS_MOD_MOD_EVENTS_H
#define TLSG_GNUTLS_MOD_MOD_EVENTS_H

#include <stdbool.h>

struct tcp_connection;

/** Looks for event_route[tls:connection-out] or event_callback. In mod_init. */
void tlsg_events_init(void);

/** @return whether something runs for outgoing connections; the same in every process after the forks. */
bool tlsg_events_has_out(void);

/**
 * Runs event_route[tls:connection-out] or the function named by event_callback for a connection. The caller holds a reference on the connection
 * and no lock.
 * @return true: the script dropped it: what was queued must be discarded and the connection closed.
 */
bool tlsg_events_run_out(struct tcp_connection *c);

/** @return whether event_route[tls:certificate-expiring] exists. */
bool tlsg_events_has_expiring(void);

/** Runs event_route[tls:certificate-expiring]. The caller has set what it reads, and holds no lock. */
void tlsg_events_run_expiring(void);

/** The connection for which an event route runs in this process. @return borrowed, without a reference; NULL outside. */
struct tcp_connection *tlsg_events_connection(void);

#endif
