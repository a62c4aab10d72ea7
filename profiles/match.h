/*
 * tls_gnutls - finds the profile for a connection
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: none.  Lock: none (snapshots are immutable; the caller holds a reference).
 */
#ifndef TLSG_PROFILES_MATCH_H
#define TLSG_PROFILES_MATCH_H

#include "profiles/prof.h"

/** What a connection is looked up by. */
struct tlsg_match_query
{
	enum tlsg_role role;
	struct tlsg_addr addr; /**< local address of the connection, spec 5.2 and 5.3 */
	uint16_t port;		   /**< local port, host order */
	str server_name;	   /**< SNI or expected name; {NULL,0} or empty: none */
	str server_id;		   /**< {NULL,0} or empty: none */
};

/**
 * First match in lookup order, else the default profile of the role.
 * @return the profile, borrowed from the snapshot; never NULL for a built snapshot.
 * Source: spec 5.1.
 */
const struct tlsg_prof *tlsg_match_find(const struct tlsg_set *set, const struct tlsg_match_query *q);

/**
 * Whether an SNI can change the choice made by address: the chosen profile is the default one or has a server_name.
 * Source: spec 5.2 point 2.
 */
bool tlsg_match_is_switchable(const struct tlsg_prof *p);

#endif
