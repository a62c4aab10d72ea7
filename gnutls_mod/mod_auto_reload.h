/*
 * tls_gnutls - auto_reload: reloads the configuration when the files that it was read from have changed
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: attendant and main process (start); a process of its own.  Memory: that process's heap.
 * Lock: that of mod_config, while it reloads.
 *
 * Not here: when changed files are worth a reload (profiles/watch.h), the reload itself (mod_config.h).
 */
#ifndef TLSG_GNUTLS_MOD_MOD_AUTO_RELOAD_H
#define TLSG_GNUTLS_MOD_MOD_AUTO_RELOAD_H

/** Announces the process to the core. In mod_init. @return 0, also if auto_reload is off; -1: the core refuses. */
int tlsg_auto_reload_init(void);

/**
 * Starts the process. In child_init of the main process, after the configuration was loaded and privileges were
 * dropped. Logs at NOTICE which file the process cannot look at.
 * @return 0, also if auto_reload is off; -1: it cannot be started, a line at ERR says so.
 */
int tlsg_auto_reload_start(void);

#endif
