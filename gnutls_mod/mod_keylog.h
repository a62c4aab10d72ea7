/*
 * tls_gnutls - writes the key log: to the log, to a file, by UDP
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that ends a step of a handshake; no lock held.  Memory: static buffers of this process, wiped after use.
 * Lock: none; a file is appended to with one write() per handshake step.
 */
#ifndef TLSG_GNUTLS_MOD_MOD_KEYLOG_H
#define TLSG_GNUTLS_MOD_MOD_KEYLOG_H

struct tcp_connection;

/**
 * Reads keylog_mode, keylog_file, keylog_peer; opens nothing. Warns that keys are written when it is on. In mod_init.
 * @return 0; -1: keylog_peer is not udp:ip:port.
 */
int tlsg_mod_keylog_init(void);

/** Writes what the last step collected, with a comment line that names the connection. Nothing to write: returns at once. */
void tlsg_mod_keylog_flush(const struct tcp_connection *c);

#endif
