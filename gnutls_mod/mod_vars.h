/*
 * tls_gnutls - pseudo-variables
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that runs script code.  Memory: static.  Lock: none.
 */
#ifndef TLSG_GNUTLS_MOD_MOD_VARS_H
#define TLSG_GNUTLS_MOD_MOD_VARS_H

#include "core/pvar.h"

/** The table for module_exports. Source: spec section 8. */
extern pv_export_t tlsg_vars_table[];

#endif
