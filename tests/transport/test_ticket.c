/*
 * tls_gnutls - tests that a changed session ticket costs a full handshake, and nothing else
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: unit tests.  Memory: the stand-in's shared region; the client's on the heap.  Lock: none.
 *
 * GnuTLS frees the state of a ticket that it does not accept with free(), although gnutls_malloc() gave it. Where
 * libgnutls's free() does not decide by address, these tests end in free().
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/object.h"
#include "base/scope.h"
#include "tests/lib/ticket.h"
#include "tests/lib/ticket_server.h"

static const gnutls_protocol_t versions[] = {GNUTLS_TLS1_2, GNUTLS_TLS1_3};

/** A session with a ticket that the server accepts. */
static gnutls_datum_t good_session(gnutls_protocol_t version, size_t *at, size_t *bytes)
{
	struct tlsg_ticket_result r;

	tlsg_ticket_connect(version, NULL, &r);
	assert_int_equal(r.client, 0);
	assert_false(r.resumed);
	assert_true(r.session.size > 0);
	assert_true(tlsg_ticket_find(&r.session, at, bytes));
	return r.session;
}

/** The handshake is done, with or without the ticket. */
static void assert_offer(gnutls_protocol_t version, const gnutls_datum_t *offered, bool resumed)
{
	struct tlsg_ticket_result r;

	tlsg_ticket_connect(version, offered, &r);
	if(r.client != 0 || r.server < 0 || r.resumed != resumed)
		fail_msg("TLS 1.%d: client %d, server %d, %s", version == GNUTLS_TLS1_3 ? 3 : 2, r.client, r.server,
				r.resumed ? "resumed" : "not resumed");
	gnutls_free(r.session.data);
}

static void test_frees_by_address(void **state)
{
	const char *why;

	(void)state;
	if(!tlsg_scope_frees_by_address(&why))
		fail_msg("%s", why);
}

/** Flips one bit of each byte in turn. */
static void test_a_changed_bit(void **state)
{
	size_t i, k, at, bytes;

	(void)state;
	for(i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		gnutls_datum_t session = good_session(versions[i], &at, &bytes);

		assert_offer(versions[i], &session, true);
		for(k = 0; k < bytes; k++) {
			session.data[at + k] ^= (unsigned char)(1 << (k % 8));
			assert_offer(versions[i], &session, false);
			session.data[at + k] ^= (unsigned char)(1 << (k % 8));
		}
		assert_offer(versions[i], &session, true);
		gnutls_free(session.data);
	}
}

/** Shorter and longer tickets, as they are and with the length of the state corrected. */
static void test_another_length(void **state)
{
	static const int differences[] = {-16, -1, 1, 16, 1000, 10000};
	size_t i, k, at, bytes;
	int corrected;

	(void)state;
	for(i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		gnutls_datum_t session = good_session(versions[i], &at, &bytes);
		unsigned char *ticket = calloc(1, bytes + 10000);

		for(k = 0; k < 2 * sizeof(differences) / sizeof(differences[0]); k++) {
			size_t size = bytes + (size_t)differences[k / 2];
			size_t state_bytes = size - TLSG_TICKET_STATE_AT - TLSG_TICKET_MAC_BYTES;
			gnutls_datum_t changed;

			memcpy(ticket, session.data + at, bytes);
			corrected = k % 2;
			if(corrected) {
				ticket[TLSG_TICKET_LENGTH_AT] = (unsigned char)(state_bytes >> 8);
				ticket[TLSG_TICKET_LENGTH_AT + 1] = (unsigned char)(state_bytes & 0xff);
			}
			changed = tlsg_ticket_replace(&session, ticket, size);
			/* GnuTLS reads the bytes that the length in the ticket covers and ignores what follows them. */
			assert_offer(versions[i], &changed, !corrected && differences[k / 2] > 0);
			gnutls_free(changed.data);
		}
		free(ticket);
		assert_offer(versions[i], &session, true);
		gnutls_free(session.data);
	}
}

/** With libc's free() in libgnutls no ticket is issued, and none is read, altered or not. */
static void test_without_the_slots(void **state)
{
	struct tlsg_ticket_result r;
	struct tlsg_import slots;
	size_t i, at, bytes;

	(void)state;
	for(i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		gnutls_datum_t session = good_session(versions[i], &at, &bytes);

		assert_int_equal(tlsg_object_import((const void *)(uintptr_t)gnutls_handshake, "free", &slots, NULL), TLSG_OK);
		assert_int_equal(tlsg_import_set(&slots, (tlsg_import_function)free, NULL), TLSG_OK);
		assert_offer(versions[i], &session, false);
		session.data[at + TLSG_TICKET_IV_AT] ^= 1;
		assert_offer(versions[i], &session, false);
		session.data[at + TLSG_TICKET_IV_AT] ^= 1;
		tlsg_ticket_connect(versions[i], NULL, &r);
		assert_int_equal(r.client, 0);
		assert_false(tlsg_ticket_find(&r.session, &at, &bytes));
		gnutls_free(r.session.data);
		assert_int_equal(tlsg_import_restore(&slots, NULL), TLSG_OK);
		assert_offer(versions[i], &session, true);
		gnutls_free(session.data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_frees_by_address),
			cmocka_unit_test(test_a_changed_bit),
			cmocka_unit_test(test_another_length),
			cmocka_unit_test(test_without_the_slots),
	};

	return cmocka_run_group_tests(tests, tlsg_ticket_server_start, tlsg_ticket_server_stop);
}
