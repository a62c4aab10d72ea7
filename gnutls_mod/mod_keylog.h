/*
 * tls_gnutls - writes the key log: to the log, to a file, by UDP
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that runs a step of a handshake.  Memory: static buffers of this process, wiped after use.
 * Lock: none may be held; each step appends to the file with one write().
 */
#ifndef TLSG_GNUTLS_MOD_MOD_KEYLOG_H
#define TLSG_GNUTLS_MOD_MOD_KEYLOG_H

struct tlsg_log_ends;

/**
 * Checks keylog_mode and keylog_peer; opens nothing. Warns if the key log is on. In mod_init.
 * @return 0; -1: keylog_peer is not udp:ip:port.
 */
int tlsg_mod_keylog_init(void);

/** Writes the keys that the last step collected, if any, after a comment line that names the connection. */
void tlsg_mod_keylog_flush(const struct tlsg_log_ends *e);

#endif
