/*
 * tls_gnutls - stands for processes of Kamailio that an attacker controls, for tests of the processes that hold keys
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: tests.  Memory: static.  Lock: none.
 */
#ifndef TLSG_TESTS_LIB_HOSTILE_CLIENT_H
#define TLSG_TESTS_LIB_HOSTILE_CLIENT_H

#include <stdbool.h>

#include "profiles/isolate/wire.h"

/** Processes of Kamailio in these tests. The test itself is number 0. */
#define HOSTILE_CLIENTS 64

/** Remembers the ends before tlsg_client_set_key_process() owns them. */
void hostile_client_init(const struct tlsg_wire_ends *clients);

/** @return the connection of another process, a new one each time: a copy, to be closed. */
int hostile_client_next(void);

/** Sends a message of one byte with descriptors. @param count  0 to 2. */
void hostile_client_send_fds(int fd, const int *fds, unsigned count);

/** Makes a TCP connection whose close() blocks for a minute: SO_LINGER, data not sent. @param peer [out] other side. */
int hostile_client_lingering(int *peer);

/** Waits until the process has ended the connection; the test fails if it never does. */
void hostile_client_wait_end(int fd);

#endif
