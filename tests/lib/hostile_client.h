/*
 * tls_gnutls - stands for processes of Kamailio that an attacker controls, for tests of the processes that hold keys
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: tests.  Memory: static.  Lock: none.
 */
#ifndef TLSG_TESTS_LIB_HOSTILE_CLIENT_H
#define TLSG_TESTS_LIB_HOSTILE_CLIENT_H

#include <stdbool.h>
#include <sys/types.h>

#include "profiles/isolate/wire.h"

/** Processes of Kamailio in these tests. The test itself is number 0. */
#define HOSTILE_CLIENTS 64

/** One of the processes that hold keys: how it runs, and how clients get their ends. */
struct hostile_target
{
	enum tlsg_ret (*run)(const struct tlsg_wire_ends *servers, tlsg_wire_is_alive is_alive);
	void (*clients_set)(const struct tlsg_wire_ends *clients);
};

/** Starts the process with HOSTILE_CLIENTS clients, this one among them. @return its number; -1: it does not start. */
pid_t hostile_target_start(const struct hostile_target *t);

/** Ends start-up, gives the clients back and waits: the process ends by itself. @return 0; -1: it ended otherwise. */
int hostile_target_stop(const struct hostile_target *t, pid_t process);

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
