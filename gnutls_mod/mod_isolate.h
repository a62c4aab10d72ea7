/*
 * tls_gnutls - key isolation: starts the key process and the token process; profiles/isolate/wire.h has the design
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: attendant; the key process, the token process.  Memory: none.  Lock: none.
 */
#ifndef TLSG_GNUTLS_MOD_MOD_ISOLATE_H
#define TLSG_GNUTLS_MOD_MOD_ISOLATE_H

/** Reserves process numbers in the core. In mod_init. Does nothing without key_isolation. @return 0; -1: it failed. */
int tlsg_isolate_init(void);

/**
 * Forks the processes, before privileges are dropped and before any other process exists: in the hook `init`. Does
 * nothing without key_isolation.
 * @return 0; -1: it failed. Only the attendant returns.
 * Source: core/pt.c fork_process().
 */
int tlsg_isolate_start(void);

/**
 * In each process that the core has forked, before it reads from the network: it keeps its own connections to the
 * processes that hold keys only. Does nothing without key_isolation.
 */
void tlsg_isolate_process_started(void);

/**
 * Start-up is over: nobody is asked for passwords any more. In the attendant, after PROC_INIT. Does nothing without
 * key_isolation.
 */
void tlsg_isolate_startup_done(void);

#endif
