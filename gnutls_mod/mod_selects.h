/*
 * tls_gnutls - selects
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that runs script code.  Memory: static.  Lock: see mod_view.h.
 */
#ifndef TLSG_GNUTLS_MOD_MOD_SELECTS_H
#define TLSG_GNUTLS_MOD_MOD_SELECTS_H

/**
 * Registers the selects with the core. In mod_register: a script with one outside a string is parsed before mod_init.
 * @return 0; -1: out of memory.
 * Source: doc/variables.md#selects.
 */
int tlsg_selects_register(void);

#endif
