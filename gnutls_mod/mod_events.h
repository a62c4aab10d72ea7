/*
 * tls_gnutls - event routes: script code for outgoing connections and for certificates that expire
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the TCP reader that finishes the handshake; the core's timer process.  Memory: pkg.  Lock: none may be held.
 */
#ifndef TLSG_GNUTLS_MOD_MOD_EVENTS_H
#define TLSG_GNUTLS_MOD_MOD_EVENTS_H

#include <stdbool.h>

#include "base/err.h"

struct tcp_connection;

/** Looks up the event routes and event_callback; warns if no script engine can call the latter. In mod_init. */
void tlsg_events_init(void);

/** @return whether event_route[tls:connection-out] or event_callback can run; the same in all processes. */
bool tlsg_events_has_out(void);

/**
 * Runs event_route[tls:connection-out], or the function that event_callback names, for a connection: $tls_* and
 * $sndto(...), $sndfrom(...) of the module pv refer to it. The caller holds a reference to the connection and no lock.
 * @param err  [out] why the connection must not be used; not set with TLSG_EOF.
 * @return TLSG_OK: it may be used. Otherwise discard its queue and close it: TLSG_EOF: the script dropped it;
 *         TLSG_E_CONFIG: event_callback could not be run, or the KEMI engine reported that it failed; TLSG_E_RESOURCE.
 */
enum tlsg_ret tlsg_events_run_out(struct tcp_connection *c, struct tlsg_err *err) TLSG_MUST_CHECK;

/** @return what tlsg_events_run_out() runs, for a log line. */
const char *tlsg_events_out_name(void);

/** @return whether event_route[tls:certificate-expiring] exists. */
bool tlsg_events_has_expiring(void);

/** Runs event_route[tls:certificate-expiring]. The caller has set its xavp, and holds no lock. */
void tlsg_events_run_expiring(void);

/** @return connection whose event route runs in this process, borrowed without a reference; NULL: none runs. */
struct tcp_connection *tlsg_events_connection(void);

#endif
