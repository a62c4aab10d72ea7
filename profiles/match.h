/*
 * tls_gnutls - finds the profile of a connection, by address, server name or server_id
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: none.  Lock: none (snapshots are immutable; the caller holds a reference).
 */
#ifndef TLSG_PROFILES_MATCH_H
#define TLSG_PROFILES_MATCH_H

#include "profiles/prof.h"

/** What the profile of a connection is looked up by. */
struct tlsg_match_query
{
	enum tlsg_role role;
	struct tlsg_addr addr; /**< local address of the connection */
	uint16_t port;		   /**< local port, host order */
	str server_name;	   /**< SNI, or the name that the peer must have; case and a final dot do not count; {NULL,0}
								or empty: none */
	str server_id;		   /**< {NULL,0} or empty: none */
};

/**
 * Finds the first profile that matches, in lookup order (the last section of tls.cfg first); otherwise the default one
 * of the role.
 * @return the profile, borrowed from the snapshot; never NULL for a built snapshot.
 * Source: `tls` tls_lookup_cfg().
 */
const struct tlsg_prof *tlsg_match_find(const struct tlsg_set *set, const struct tlsg_match_query *q);

/** Whether an SNI can change the choice made by address: the chosen profile is the default one or has a server_name. */
bool tlsg_match_is_switchable(const struct tlsg_prof *p);

/**
 * Whether a client can ask for a name, which GnuTLS takes only if it is made of letters, digits, '-' and '.'.
 * @param name  a server_name as configured.
 * @return false: the name selects nothing, whatever clients send.
 * Source: GnuTLS lib/ext/server_name.c refuses the ClientHello otherwise; RFC 6066 section 3.
 */
bool tlsg_match_is_askable(const str *name);

#endif
