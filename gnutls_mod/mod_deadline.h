/*
 * tls_gnutls - closes connections whose handshake, or a record or message after it, is not complete in time
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: tcp_main, readers and senders (add), the core's timer process (check).  Memory: blocks in shm.
 * Lock: its own; TCPCONN_LOCK is taken after it is released.
 */
#ifndef TLSG_GNUTLS_MOD_MOD_DEADLINE_H
#define TLSG_GNUTLS_MOD_MOD_DEADLINE_H

/** Makes the list and its timer. In mod_init. @return 0; -1: out of shared memory. */
int tlsg_deadline_init(void);

/** Frees the list. At shutdown. Idempotent. */
void tlsg_deadline_deinit(void);

/**
 * Adds a connection to the list, to be checked after handshake_timeout. Does nothing if that is 0, or without memory.
 * @param id  of the TCP connection.
 */
void tlsg_deadline_add(int id);

#endif
