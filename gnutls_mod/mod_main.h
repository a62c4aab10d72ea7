/*
 * tls_gnutls - order of start-up and shutdown
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: attendant.  Memory: shm.  Lock: none.
 */
#ifndef TLSG_GNUTLS_MOD_MOD_MAIN_H
#define TLSG_GNUTLS_MOD_MOD_MAIN_H

/** Hook `init`: the number of processes is known. @return 0; -1 ends start-up. */
int tlsg_main_processes_known(void);

/** Hook `destroy`, and after a failed mod_init: frees all that is shared. Idempotent. After destroy_tcp(), so no connection is left. */
void tlsg_main_destroy(void);

#endif
