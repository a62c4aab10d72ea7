/*
 * tls_gnutls - groups of key exchanges: names, numbers in TLS, and which of them the library has
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: static const data.  Lock: none.
 */
#include "profiles/cipher/kx_group.h"

#include <stddef.h>
#include <stdint.h>
#include <strings.h>

struct group
{
	const char *gnutls;
	const char *iana;
	uint16_t number;
};

static const struct group groups[] = {
		{"X25519-MLKEM768", "X25519MLKEM768", 0x11ec},
		{"SECP256R1-MLKEM768", "SecP256r1MLKEM768", 0x11eb},
		{"SECP384R1-MLKEM1024", "SecP384r1MLKEM1024", 0x11ed},
		{"X25519", "x25519", 29},
		{"SECP256R1", "secp256r1", 23},
		{"X448", "x448", 30},
		{"SECP384R1", "secp384r1", 24},
		{"SECP521R1", "secp521r1", 25},
		{"SECP224R1", "secp224r1", 21},
		{"SECP192R1", "secp192r1", 19},
		{"FFDHE2048", "ffdhe2048", 256},
		{"FFDHE3072", "ffdhe3072", 257},
		{"FFDHE4096", "ffdhe4096", 258},
		{"FFDHE6144", "ffdhe6144", 259},
		{"FFDHE8192", "ffdhe8192", 260},
};

bool tlsg_kx_group_is_known(const char *name)
{
	const gnutls_group_t *all = gnutls_group_list();
	gnutls_group_t id = gnutls_group_get_id(name);

	if(id == GNUTLS_GROUP_INVALID)
		return false;
	while(*all != GNUTLS_GROUP_INVALID && *all != id)
		all++;
	return *all == id;
}

/** @param name  GnuTLS's name. */
static const struct group *find(const char *name)
{
	for(size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if(strcasecmp(groups[i].gnutls, name) == 0)
			return &groups[i];
	return NULL;
}

const char *tlsg_kx_group_name(gnutls_group_t id)
{
	const char *name = gnutls_group_get_name(id);
	const struct group *g = name != NULL ? find(name) : NULL;

	return g != NULL ? g->iana : name;
}

unsigned tlsg_kx_group_number(gnutls_group_t id)
{
	const char *name = gnutls_group_get_name(id);
	const struct group *g = name != NULL ? find(name) : NULL;

	return g != NULL ? g->number : 0;
}
