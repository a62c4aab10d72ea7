/*
 * tls_gnutls - outgoing connections: which server name is sent, which profile is used, whether one is reused
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the process that opens a connection.  Memory: pkg (this process).  Lock: none.
 */
#ifndef TLSG_GNUTLS_MOD_MOD_OUTGOING_H
#define TLSG_GNUTLS_MOD_MOD_OUTGOING_H

#include "base/host.h"

struct tcp_connection;
struct tlsg_conn_params;

/**
 * Sets server name, id and SNI of a new outgoing connection: from the xavp (xavp_cfg), the id that the script set, and,
 * if outgoing_sni is on, the server_name of the client profile that address and id select.
 * @param c  the TCP connection; NULL: there is none yet.
 * @param p  [in,out] set and address are filled in; strings are borrowed until tlsg_outgoing_names_done().
 * Source: doc/outgoing.md.
 */
void tlsg_outgoing_names(const struct tcp_connection *c, struct tlsg_conn_params *p);

/** The connection has been made: forgets the id that the script set, whether it was used or not. */
void tlsg_outgoing_names_done(void);

/** Registers a callback that forgets ids at the end of a route. In mod_init. @return 0; -1: out of memory. */
int tlsg_outgoing_init(void);

/**
 * Sets the id for the next outgoing connection of this process.
 * @param id  copied; empty or NULL: forgets the id.
 * @return 0; -1: out of memory.
 */
int tlsg_outgoing_set_server_id(const str *id);

#if VERSIONVAL >= 6001000
/**
 * Whether an existing connection is the one that this process would open now: same profile, same server name. For the
 * core's lookup of connections. TCPCONN_LOCK is held.
 * @param c  found by address.
 * @return 1: it may be reused, also while its TLS state is not made yet; 0: a new connection is needed.
 */
int tlsg_outgoing_is_same(const struct tcp_connection *c);

/**
 * Whether two connections have the same profile and server name, for aliases. TCPCONN_LOCK is held.
 * @return 1, also when one has no TLS state; 0.
 */
int tlsg_outgoing_is_same_pair(const struct tcp_connection *a, const struct tcp_connection *b);
#endif

#endif
