/*
 * tls_gnutls - closes connections that do not finish in time: their handshake, or what began after it
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: tcp_main, readers and senders (add), the core's timer process (check).  Memory: blocks in shm.  Lock: its own; TCPCONN_LOCK is taken
 * after it is released.
 */
#ifndef TLSG_GNUTLS_MOD_MOD_DEADLINE_H
#define TLSG_GNUTLS_MOD_MOD_DEADLINE_H

/** Sets up the list and its timer. In mod_init. @return 0; -1 out of memory. */
int tlsg_deadline_init(void);

/** Frees the list. At shutdown. Idempotent. */
void tlsg_deadline_deinit(void);

/**
 * Puts a connection on the list, to be looked at when the time is over, if handshake_timeout is set. When memory is short the connection is not watched.
 * @param id  of the TCP connection.
 */
void tlsg_deadline_add(int id);

#endif
