/*
 * tls_gnutls - the core's TLS hooks: between struct tcp_connection and a connection of transport
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: TCP reader (read), any sender (encode), tcp_main (init of accepted connections, close), the process that
 * drops the last reference (clean).
 * Memory: static buffers of this process; connections in shm.  Lock: the TCP connection's write_lock, see each hook.
 *
 * Not here: the core's connection table (mod_tcp.h), the handshake (transport/conn.h).
 */
#ifndef TLSG_GNUTLS_MOD_MOD_HOOKS_H
#define TLSG_GNUTLS_MOD_MOD_HOOKS_H

#include <stdbool.h>

#include "core/tls_hooks.h"

/**
 * Registers the hooks. In mod_register.
 * @param init     hook: the number of processes is known; in the attendant, before the forks. -1 ends start-up.
 * @param destroy  hook: frees all that is shared. The core has closed its connections before.
 * @return 0; -1: TLS is disabled in the core, nothing was registered.
 * Source: core/tls_hooks.c.
 */
int tlsg_hooks_register(int (*init)(void), void (*destroy)(void));

/** Whether the core still has the hooks registered here: another module may have overwritten them. */
bool tlsg_hooks_are_ours(void);

#endif
