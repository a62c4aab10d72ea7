/*
 * tls_gnutls - offers arbitrarily changed session tickets to a server connection
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: a fuzzing process.  Memory: the stand-in's region, the client's on the heap.  Lock: none.
 *
 * The first byte chooses the version (bit 0), whether the ticket's own length is corrected (bit 1), and whether the
 * rest is the ticket itself (bit 2). Otherwise two bytes give the new length (0: as it is), and then come changes of
 * three bytes: offset and what is
 * added to the byte there. A changed ticket costs a full handshake and nothing else; the good one is taken before and
 * after.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/host.h"
#include "base/scope.h"
#include "tests/lib/ticket.h"
#include "tests/lib/ticket_server.h"

#define CHECK(what)           \
	do {                      \
		if(!(what))           \
			__builtin_trap(); \
	} while(0)

#define BYTES_MAX 20000 /* a ClientHello with it still goes into the test's pipe */
#define LEAST (TLSG_TICKET_STATE_AT + TLSG_TICKET_MAC_BYTES)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const gnutls_protocol_t versions[] = {GNUTLS_TLS1_2, GNUTLS_TLS1_3};

/** A good session of each version. */
static struct
{
	gnutls_datum_t session;
	size_t at, bytes;
} good[2];

static void offer(unsigned which, const gnutls_datum_t *session, struct tlsg_ticket_result *r)
{
	tlsg_ticket_connect(versions[which], session, r);
	gnutls_free(r->session.data);
	r->session.data = NULL;
}

static void start(void)
{
	struct tlsg_ticket_result r;
	unsigned i;

	if(good[0].session.data != NULL)
		return;
	tlsg_stub_log_level_set(L_CRIT);
	CHECK(tlsg_ticket_server_start(NULL) == 0);
	CHECK(tlsg_scope_frees_by_address(NULL));
	for(i = 0; i < 2; i++) {
		tlsg_ticket_connect(versions[i], NULL, &r);
		CHECK(r.client == 0 && tlsg_ticket_find(&r.session, &good[i].at, &good[i].bytes));
		good[i].session = r.session;
	}
}

/** @return bytes of the ticket that was made. */
static size_t ticket_make(unsigned which, const uint8_t *data, size_t size, bool corrected, unsigned char *ticket)
{
	size_t bytes = good[which].bytes, wanted;

	memcpy(ticket, good[which].session.data + good[which].at, bytes);
	if(size >= 2) {
		wanted = ((size_t)data[0] << 8 | data[1]) % BYTES_MAX;
		bytes = wanted != 0 ? wanted : bytes;
		data += 2;
		size -= 2;
	}
	if(corrected && bytes >= LEAST) {
		ticket[TLSG_TICKET_LENGTH_AT] = (unsigned char)((bytes - LEAST) >> 8);
		ticket[TLSG_TICKET_LENGTH_AT + 1] = (unsigned char)((bytes - LEAST) & 0xff);
	}
	for(; size >= 3; data += 3, size -= 3)
		ticket[((size_t)data[0] << 8 | data[1]) % bytes] += data[2];
	return bytes;
}

/** GnuTLS looks at what the ticket's own length covers; what follows does not count. */
static bool is_good(unsigned which, const unsigned char *ticket, size_t bytes)
{
	return bytes >= good[which].bytes
		   && memcmp(ticket, good[which].session.data + good[which].at, good[which].bytes) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static unsigned char ticket[BYTES_MAX + 1];
	struct tlsg_ticket_result r;
	gnutls_datum_t changed;
	unsigned which;
	size_t bytes;

	start();
	if(size == 0)
		return 0;
	which = data[0] & 1;
	memset(ticket, 0, sizeof(ticket));
	if((data[0] & 4) != 0) {
		bytes = size - 1 < BYTES_MAX ? size - 1 : BYTES_MAX;
		memcpy(ticket, data + 1, bytes);
	} else
		bytes = ticket_make(which, data + 1, size - 1, (data[0] & 2) != 0, ticket);
	changed = tlsg_ticket_replace(&good[which].session, ticket, bytes);
	offer(which, &changed, &r);
	gnutls_free(changed.data);
	/* A client may find an empty ticket, or one that is too long for its extension, wrong itself. */
	CHECK(r.client != 0 || r.resumed == is_good(which, ticket, bytes));
	CHECK(r.client == 0 || bytes < LEAST || bytes > 16000);
	CHECK(r.server >= 0 || r.client != 0);
	if((data[0] & 8) != 0) {
		offer(which, &good[which].session, &r);
		CHECK(r.client == 0 && r.resumed);
	}
	return 0;
}
