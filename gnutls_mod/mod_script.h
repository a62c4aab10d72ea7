/*
 * tls_gnutls - script functions, native and KEMI
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that runs script code.  Memory: static and pkg.  Lock: see mod_view.h.
 */
#ifndef TLSG_GNUTLS_MOD_MOD_SCRIPT_H
#define TLSG_GNUTLS_MOD_MOD_SCRIPT_H

#include "core/sr_module.h"

/** The table for module_exports: doc/manual.md. */
extern cmd_export_t tlsg_script_commands[];

/**
 * Registers KSR.tls.*. In mod_register.
 * @return 0; -1: the core takes no more modules.
 */
int tlsg_script_register_kemi(void);

#endif
