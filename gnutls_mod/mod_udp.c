/*
 * tls_gnutls - addresses of UDP sockets in module parameters
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: attendant, before the forks.  Memory: none.  Lock: none.
 */
#include "gnutls_mod/mod_udp.h"

#include <string.h>
#include <strings.h>

#include "core/resolve.h"
#include "core/ut.h"

#define PREFIX "udp:"
#define PREFIX_LEN 4

bool tlsg_udp_parse(const str *text, struct ip_addr *ip, unsigned short *port)
{
	unsigned number = 0;
	struct ip_addr *found;
	str host;
	str digits;
	int colon;

	if(text->s == NULL || text->len <= PREFIX_LEN || strncasecmp(text->s, PREFIX, PREFIX_LEN) != 0)
		return false;
	colon = text->len - 1;
	while(colon > PREFIX_LEN && text->s[colon] != ':')
		colon--;
	host.s = text->s + PREFIX_LEN;
	host.len = colon - PREFIX_LEN;
	digits.s = text->s + colon + 1;
	digits.len = text->len - colon - 1;
	if(host.len <= 0)
		return false;
	found = str2ip(&host);
	if(found == NULL)
		found = str2ip6(&host);
	if(found == NULL || str2int(&digits, &number) < 0 || number == 0 || number > 65535)
		return false;
	*ip = *found;
	*port = (unsigned short)number;
	return true;
}
