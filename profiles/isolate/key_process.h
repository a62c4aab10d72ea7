/*
 * tls_gnutls - key isolation: the process that holds the keys; wire.h has the design
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the key process.  Memory: its heap.  Lock: none.
 */
#ifndef TLSG_PROFILES_ISOLATE_KEY_PROCESS_H
#define TLSG_PROFILES_ISOLATE_KEY_PROCESS_H

#include "base/err.h"
#include "profiles/isolate/wire.h"

/**
 * Makes the door.
 * @param ours    [out] the end for tlsg_key_process_run(), to be closed by all other processes.
 * @param theirs  [out] the end for tlsg_client_set_key_process() or tlsg_client_set_token_process(), to be closed by the process that holds keys.
 * @return TLSG_OK; TLSG_E_RESOURCE.
 */
enum tlsg_ret tlsg_wire_socketpair(int *ours, int *theirs) TLSG_MUST_CHECK;

/**
 * Takes a connection that came through a door, without waiting. For both processes that hold keys.
 * @param fd  [out] owned by the caller.
 * @return TLSG_OK; TLSG_AGAIN: what came was no connection; TLSG_EOF: nobody is outside any more.
 * Source: unix(7), SCM_RIGHTS.
 */
enum tlsg_ret tlsg_wire_accept(int door, int *fd) TLSG_MUST_CHECK;

/**
 * Answers questions until no other process is left, or a signal ends this one. Passwords are asked for as
 * tlsg_password_mode_set() says.
 * @param door      ours.
 * @param is_alive  whether a snapshot is in use.
 * @return TLSG_OK: all others are gone; TLSG_E_RESOURCE: it cannot go on.
 * Source: epoll(7), unix(7).
 */
enum tlsg_ret tlsg_key_process_run(int door, tlsg_wire_is_alive is_alive) TLSG_MUST_CHECK;

#endif
