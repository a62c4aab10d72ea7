/*
 * tls_gnutls - selects
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that runs script code.  Memory: static.  Lock: none.
 */
#include "gnutls_mod/mod_selects.h"

int tlsg_selects_register(void)
{
	return 0;
}
