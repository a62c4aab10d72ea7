/*
 * tls_gnutls - script functions and KEMI
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that runs script code.  Memory: static.  Lock: none.
 */
#include "gnutls_mod/mod_script.h"

cmd_export_t tlsg_script_commands[] = {{0, 0, 0, 0, 0, 0}};

void tlsg_script_register_kemi(void)
{
}
