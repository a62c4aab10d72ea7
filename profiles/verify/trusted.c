/*
 * tls_gnutls - trust settings that OpenSSL puts behind a certificate
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot.  Memory: the caller's; nothing is allocated.  Lock: none.
 *
 *     SEQUENCE { trust SEQUENCE OF OBJECT IDENTIFIER OPTIONAL, reject [0] SEQUENCE OF OBJECT IDENTIFIER OPTIONAL,
 *                alias UTF8String OPTIONAL, keyid OCTET STRING OPTIONAL, other [1] ... OPTIONAL }
 */
#include "profiles/verify/trusted.h"

#include <string.h>

#include "profiles/verify/der.h"

#define OBJECT_IDENTIFIER 0x06

/* Bits of purposes in a list. */
#define SERVER 1U
#define CLIENT 2U
#define MALFORMED 4U

static const unsigned char server_auth[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01}; /* 1.3.6.1.5.5.7.3.1 */
static const unsigned char client_auth[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02};
static const unsigned char any_purpose[] = {0x55, 0x1d, 0x25, 0x00}; /* 2.5.29.37.0 */

static bool is_purpose(const struct tlsg_der_element *e, const unsigned char *oid, size_t size)
{
	return e->size == size && memcmp(e->contents, oid, size) == 0;
}

/* Which purposes a list names. */
static unsigned purposes_of(const struct tlsg_der_element *list)
{
	struct tlsg_der_reader r = tlsg_der_inside(list);
	struct tlsg_der_element e;
	unsigned found = 0;

	while(!tlsg_der_is_end(&r)) {
		if(!tlsg_der_read_tagged(&r, OBJECT_IDENTIFIER, &e))
			return MALFORMED;
		if(is_purpose(&e, server_auth, sizeof(server_auth)))
			found |= SERVER;
		else if(is_purpose(&e, client_auth, sizeof(client_auth)))
			found |= CLIENT;
		else if(is_purpose(&e, any_purpose, sizeof(any_purpose)))
			found |= SERVER | CLIENT;
	}
	return found;
}

bool tlsg_trusted_for_tls(const gnutls_datum_t *settings)
{
	struct tlsg_der_reader r = tlsg_der_over(settings->data, settings->size);
	struct tlsg_der_element all, list;

	if(settings->size == 0)
		return true;
	if(!tlsg_der_read_tagged(&r, TLSG_DER_SEQUENCE, &all) || !tlsg_der_is_end(&r))
		return false;
	r = tlsg_der_inside(&all);
	if(tlsg_der_is_next(&r, TLSG_DER_SEQUENCE)
			&& (!tlsg_der_read(&r, &list) || purposes_of(&list) != (SERVER | CLIENT)))
		return false;
	return !tlsg_der_is_next(&r, TLSG_DER_CONSTRUCTED(0)) || (tlsg_der_read(&r, &list) && purposes_of(&list) == 0);
}
