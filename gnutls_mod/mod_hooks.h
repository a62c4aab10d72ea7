/*
 * tls_gnutls - the core's TLS hooks: struct tcp_connection on one side, a connection of ours on the other
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: TCP reader (read), any sender (encode), tcp_main (init of accepted, close), whoever drops the last reference (clean).
 * Memory: static buffers of this process; connections in shm.  Lock: the TCP connection's write_lock, see each hook in spec section 12.
 */
#ifndef TLSG_GNUTLS_MOD_MOD_HOOKS_H
#define TLSG_GNUTLS_MOD_MOD_HOOKS_H

#include <stdbool.h>

#include "core/tcp_conn.h"
#include "core/tls_hooks.h"

#include "base/err.h"

struct tlsg_addr;
struct tlsg_conn;

/**
 * Registers the hooks. In mod_register.
 * @return 0; -1: TLS is disabled in the core, nothing was registered.
 * Source: core/tls_hooks.c.
 */
int tlsg_hooks_register(void);

/** Whether the core's hooks are still the ones registered here: a later registration overwrites silently. */
bool tlsg_hooks_are_ours(void);

/**
 * The TLS state of a TCP connection. The caller holds a reference on the TCP connection, or TCPCONN_LOCK.
 * @return borrowed; NULL: none yet, or no TLS connection.
 */
struct tlsg_conn *tlsg_hooks_conn(const struct tcp_connection *c);

/**
 * Ends a connection from any process but tcp_main: marks it bad and tells tcp_main, which closes it at once.
 * @param c  its reference, taken by the caller, is given to tcp_main.
 */
void tlsg_hooks_kill(struct tcp_connection *c);

/** Copies an address of the core's. @param to [out] len 0 for what is neither IPv4 nor IPv6. */
void tlsg_hooks_addr_copy(struct tlsg_addr *to, const struct ip_addr *from);

/** Finds a connection by id. Caller holds TCPCONN_LOCK. @return borrowed while the lock is held; NULL none. */
struct tcp_connection *tlsg_hooks_find_unsafe(int id);

#endif
