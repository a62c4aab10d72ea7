/*
 * tls_gnutls - names of outgoing connections: which server name is sent, which profile is meant
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the process that opens a connection.  Memory: pkg (this process).  Lock: none.
 */
#ifndef TLSG_GNUTLS_MOD_MOD_OUTGOING_H
#define TLSG_GNUTLS_MOD_MOD_OUTGOING_H

#include "base/host.h"

struct tcp_connection;
struct tlsg_conn_params;

/**
 * Fills expected name, id and SNI of a new outgoing connection: from the xavp (xavp_cfg), the id set by the script, and, when
 * outgoing_sni is on, the server_name of the client profile that is found by address and id.
 * @param c  the TCP connection.
 * @param p  [in,out] set and address are filled in already; strings are borrowed until tlsg_outgoing_names_done().
 * Source: spec 5.3.
 */
void tlsg_outgoing_names(const struct tcp_connection *c, struct tlsg_conn_params *p);

/** The connection has been made: forgets the id that the script set, whether it was used or not. */
void tlsg_outgoing_names_done(void);

/** Has ids forgotten when the route that set them ends. In mod_init. @return 0; -1 out of memory. */
int tlsg_outgoing_init(void);

/**
 * Sets the id for the next outgoing connection of this process.
 * @param id  copied; empty or NULL forgets.
 * @return 0; -1 out of memory.
 */
int tlsg_outgoing_set_server_id(const str *id);

#if VERSIONVAL >= 6001000
/**
 * Whether an existing connection is the one that this process would open now: same profile, same server name. For
 * connection lookups of hosts from 6.1 on; TCPCONN_LOCK is held.
 * @param c  found by address.
 * @return 1: may be reused, also while its TLS state is not made yet; 0: a connection of its own is needed.
 * Source: spec 12.12.
 */
int tlsg_outgoing_is_same(const struct tcp_connection *c);

/** Whether two connections have the same identity, for aliases. TCPCONN_LOCK is held. @return 1, also when one has no TLS state; 0. */
int tlsg_outgoing_is_same_pair(const struct tcp_connection *a, const struct tcp_connection *b);
#endif

#endif
