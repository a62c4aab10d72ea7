/*
 * tls_gnutls - key isolation: the process that holds the keys; key_wire.h has the design
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the key process.  Memory: its heap.  Lock: none.
 */
#ifndef TLSG_PROFILES_KEY_SERVER_H
#define TLSG_PROFILES_KEY_SERVER_H

#include "base/err.h"

/**
 * Makes the door.
 * @param ours    [out] the end for tlsg_key_server_run(), to be closed by all other processes.
 * @param theirs  [out] the end for tlsg_key_client_set(), to be closed by the key process.
 * @return TLSG_OK; TLSG_E_RESOURCE.
 */
enum tlsg_ret tlsg_key_server_door(int *ours, int *theirs) TLSG_MUST_CHECK;

/**
 * Answers questions until no other process is left, or a signal ends this one. Passwords are asked for as
 * tlsg_password_mode_set() says.
 * @param door  ours.
 * @return TLSG_OK: all others are gone; TLSG_E_RESOURCE: it cannot go on.
 * Source: epoll(7), unix(7).
 */
enum tlsg_ret tlsg_key_server_run(int door) TLSG_MUST_CHECK;

#endif
