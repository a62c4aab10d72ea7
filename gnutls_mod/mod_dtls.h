/*
 * tls_gnutls - DTLS: the parameter that turns it on, the core's events, start-up and shutdown
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: attendant; events in any process that receives or sends SIP.  Memory: shm, made before the forks.
 * Lock: none here.
 *
 * Without dtls_listen nothing is registered and nothing is allocated. How the parts fit together is in doc/dtls.md.
 */
#ifndef TLSG_GNUTLS_MOD_MOD_DTLS_H
#define TLSG_GNUTLS_MOD_MOD_DTLS_H

/**
 * Before parameters are read. When the first dtls_listen is, the events are registered at once: the core calls those of
 * SREV_NET_DATA_OUT in the reverse order of their registration, and this module's must be the last one called, behind
 * topoh, topos and all others, which register when they are initialised.
 * Source: core/events.c: sr_event_register_cb(), sr_event_exec(), sr_event_enabled().
 */
void tlsg_dtls_prepare(void);

/** Finds the sockets, makes what processes share, checks other modules. In mod_init. @return 0; -1: a line at ERR. */
int tlsg_dtls_init(void);

/** In child_init. @return 0; -1: the timer process cannot be started. */
int tlsg_dtls_child_init(int rank);

/** Sends a close_notify to each peer, and frees what tlsg_dtls_init() made. At shutdown. Idempotent. */
void tlsg_dtls_deinit(void);

#endif
