/*
 * tls_gnutls - finds the ticket in GnuTLS's session data and puts another one in its place
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: tests, fuzz targets, the client of the end-to-end tests.  Memory: heap.  Lock: none.
 */
#include "tests/lib/ticket.h"

#include <stdlib.h>
#include <string.h>

static size_t number_at(const unsigned char *p, unsigned bytes)
{
	size_t n = 0;

	while(bytes-- > 0)
		n = n << 8 | *p++;
	return n;
}

static void number_put(unsigned char *p, size_t n)
{
	int i;

	for(i = 3; i >= 0; i--, n >>= 8)
		p[i] = (unsigned char)(n & 0xff);
}

bool tlsg_ticket_find(const gnutls_datum_t *session, size_t *at, size_t *bytes)
{
	const size_t least = TLSG_TICKET_STATE_AT + TLSG_TICKET_MAC_BYTES;
	size_t i;

	for(i = 4; session->size >= least && i <= session->size - least; i++) {
		size_t n = number_at(session->data + i - 4, 4);

		if(n > least && n <= session->size - i
				&& number_at(session->data + i + TLSG_TICKET_LENGTH_AT, 2) == n - least) {
			*at = i;
			*bytes = n;
			return true;
		}
	}
	return false;
}

gnutls_datum_t tlsg_ticket_replace(const gnutls_datum_t *session, const unsigned char *ticket, size_t bytes)
{
	gnutls_datum_t out = {NULL, 0};
	size_t at, old, i;

	if(!tlsg_ticket_find(session, &at, &old))
		abort();
	out.size = (unsigned)(session->size - old + bytes);
	out.data = gnutls_malloc(out.size);
	if(out.data == NULL)
		abort();
	memcpy(out.data, session->data, at);
	memcpy(out.data + at, ticket, bytes);
	memcpy(out.data + at + bytes, session->data + at + old, session->size - at - old);
	/* Four-byte lengths of fields that end with the ticket, or with all of the data. */
	for(i = 0; i + 4 <= at; i++) {
		size_t end = i + 4 + number_at(session->data + i, 4);

		if(end == at + old || end == session->size)
			number_put(out.data + i, end - i - 4 - old + bytes);
	}
	return out;
}
