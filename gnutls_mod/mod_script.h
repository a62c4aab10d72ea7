/*
 * tls_gnutls - script functions and KEMI
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that runs script code.  Memory: static.  Lock: none.
 */
#ifndef TLSG_GNUTLS_MOD_MOD_SCRIPT_H
#define TLSG_GNUTLS_MOD_MOD_SCRIPT_H

#include "core/sr_module.h"

/** The table for module_exports. Source: spec section 7.1. */
extern cmd_export_t tlsg_script_commands[];

/** Registers the KEMI functions. In mod_register. */
void tlsg_script_register_kemi(void);

#endif
