/*
 * tls_gnutls - finds the profile of a connection, by address, server name or server_id
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: none.  Lock: none (snapshots are immutable; the caller holds a reference).
 */
#include "profiles/match.h"

#include <string.h>
#include <strings.h>

#include "profiles/value.h"

#define NAME_MAX_BYTES 255

enum name_mode
{
	MODE_EXACT = 0,
	MODE_WITH_SUBDOMAINS = 1,
	MODE_SUBDOMAINS = 2
};

/* Whether name ends in '.' and domain. */
static bool is_subdomain(const str *name, const str *domain)
{
	int dot = name->len - domain->len - 1;

	return dot >= 0 && name->s[dot] == '.' && strncasecmp(name->s + dot + 1, domain->s, (size_t)domain->len) == 0;
}

/* A name without the dot of the root, which is the same name (RFC 6066 section 3 has it without). */
static str without_dot(str name)
{
	if(name.len > 1 && name.s[name.len - 1] == '.')
		name.len--;
	return name;
}

static bool name_matches(const struct tlsg_prof *p, const str *asked)
{
	int mode = p->s.server_name_mode;
	str own = without_dot(p->s.server_name);
	str name = without_dot(*asked);

	if(mode != MODE_SUBDOMAINS && tlsg_value_is_same_name(&own, &name))
		return true;
	return (mode == MODE_WITH_SUBDOMAINS || mode == MODE_SUBDOMAINS) && is_subdomain(&name, &own);
}

static bool address_matches(const struct tlsg_prof *p, const struct tlsg_match_query *q)
{
	if(p->kind == TLSG_PROF_ANY)
		return true;
	return (p->port == 0 || p->port == q->port) && tlsg_addr_is_equal(&p->addr, &q->addr);
}

static bool is_match(const struct tlsg_prof *p, const struct tlsg_match_query *q)
{
	const char *role = q->role == TLSG_SERVER ? "server" : "client";

	if(tlsg_value_is_set(&q->server_id) && tlsg_value_is_set(&p->s.server_id)
			&& tlsg_value_is_same_name(&p->s.server_id, &q->server_id)) {
		LM_DBG("TLS config found by server id\n");
		return true;
	}
	if(!address_matches(p, q))
		return false;
	if(tlsg_value_is_set(&q->server_name) && tlsg_value_is_set(&p->s.server_name)) {
		if(!name_matches(p, &q->server_name))
			return false;
		LM_DBG("socket+server_name based TLS %s %s found\n", role,
				tlsg_value_is_same_name(&p->s.server_name, &q->server_name) ? "domain" : "sub-domain");
		return true;
	}
	if(p->kind == TLSG_PROF_ANY)
		return false;
	LM_DBG("socket based TLS %s domain found\n", role);
	return true;
}

const struct tlsg_prof *tlsg_match_find(const struct tlsg_set *set, const struct tlsg_match_query *q)
{
	const struct tlsg_prof *p;

	for(p = set->list[q->role]; p != NULL; p = p->next)
		if(is_match(p, q))
			return p;
	return set->defaults[q->role];
}

bool tlsg_match_is_switchable(const struct tlsg_prof *p)
{
	return p->kind == TLSG_PROF_DEFAULT || tlsg_value_is_set(&p->s.server_name);
}

bool tlsg_match_is_askable(const str *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
	int i;

	for(i = 0; i < name->len; i++)
		if(name->s[i] == '\0' || strchr(letters, name->s[i]) == NULL)
			return false;
	return name->len <= NAME_MAX_BYTES;
}
