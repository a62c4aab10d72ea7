/*
 * tls_gnutls - key isolation: starts the processes that hold keys; profiles/isolate/wire.h has the design
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: attendant; the key process, the token process.  Memory: none.  Lock: none.
 */
#ifndef TLSG_GNUTLS_MOD_MOD_ISOLATE_H
#define TLSG_GNUTLS_MOD_MOD_ISOLATE_H

/** Announces the processes to the core. In mod_init. Nothing without key_isolation. @return 0, -1. */
int tlsg_isolate_init(void);

/**
 * Forks the processes. Before privileges are dropped and before any other process exists: in the hook `init`. Nothing without
 * key_isolation.
 * @return 0 in the attendant; -1. Does not return in the processes.
 * Source: core/pt.c fork_process().
 */
int tlsg_isolate_start(void);

/** Start-up is over: passwords are not asked for any more. In the attendant, after PROC_INIT. Nothing without key_isolation. */
void tlsg_isolate_over(void);

#endif
