/*
 * tls_gnutls - statistics of group tls, for the core's RPC, exporters and scripts
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: registered in mod_init; read in any process.  Memory: the core's.  Lock: none.
 */
#ifndef TLSG_GNUTLS_MOD_MOD_STATS_H
#define TLSG_GNUTLS_MOD_MOD_STATS_H

/**
 * Registers opened_connections, max_connections, clear_text_write_queued_bytes, arena_bytes, handshakes_unfinished,
 * configurations and all figures of transport/stats.h. Before the forks.
 * @return 0; -1: the core refuses one, a line at ERR says so.
 */
int tlsg_mod_stats_register(void);

#endif
