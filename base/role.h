/*
 * tls_gnutls - which end of a TLS connection this host is
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: none.  Lock: none.
 */
#ifndef TLSG_BASE_ROLE_H
#define TLSG_BASE_ROLE_H

enum tlsg_role
{
	TLSG_SERVER = 0, /**< accepted connections */
	TLSG_CLIENT = 1	 /**< connections that this host opens */
};

/** Number of roles, for tables with an entry for each. */
#define TLSG_ROLES 2

#endif
