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

/**
 * Registers the hooks. In mod_register.
 * @param init     hook: the number of processes is known; in the attendant, before the forks. -1 ends start-up.
 * @param destroy  hook: frees all that is shared. The core has closed its connections before.
 * @return 0; -1: TLS is disabled in the core, nothing was registered.
 * Source: core/tls_hooks.c.
 */
int tlsg_hooks_register(int (*init)(void), void (*destroy)(void));

/** Whether the core's hooks are still the ones registered here: a later registration overwrites silently. */
bool tlsg_hooks_are_ours(void);

#endif
