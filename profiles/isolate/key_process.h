/*
 * tls_gnutls - key isolation: the process that holds keys in files; wire.h has the design, timeouts.h the time limits
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the key process.  Memory: its heap.  Lock: none.
 */
#ifndef TLSG_PROFILES_ISOLATE_KEY_PROCESS_H
#define TLSG_PROFILES_ISOLATE_KEY_PROCESS_H

#include "profiles/isolate/wire.h"

/**
 * Replies to requests until no other process is left, or a signal ends this one. Asks for passwords as
 * tlsg_password_mode_set() says.
 * @param servers   from tlsg_wire_ends_init().
 * @param is_alive  whether a snapshot is in use.
 * @return TLSG_OK: all others are gone; TLSG_E_RESOURCE: it cannot continue, errno says why.
 * Source: epoll(7), unix(7).
 */
enum tlsg_ret tlsg_key_process_run(const struct tlsg_wire_ends *servers, tlsg_wire_is_alive is_alive) TLSG_MUST_CHECK;

#endif
