/*
 * tls_gnutls - pseudo-variables
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that runs script code.  Memory: static.  Lock: none.
 */
#include "gnutls_mod/mod_vars.h"

pv_export_t tlsg_vars_table[] = {{{0, 0}, 0, 0, 0, 0, 0, 0, 0}};
