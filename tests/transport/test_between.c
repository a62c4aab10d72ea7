/*
 * tls_gnutls - tests of what a peer may send besides data: user_canceled, key updates, data around a renegotiation
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: unit tests.  Memory: the stand-in's shared region.  Lock: none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "profiles/cipher/method.h"
#include "tests/lib/conn_pair.h"
#include "transport/conn_state.h"
#include "transport/conn_step.h"

/* Sends alerts of a side in its state of now. @param alert  GNUTLS_A_*. */
static void send_alerts(struct tlsg_conn_pair *x, int role, unsigned n, int level, int alert)
{
	struct tlsg_io io = {.out = &x->wire[!role], .limits = &x->limits};
	struct tlsg_conn *c = x->conn[role];
	struct tlsg_arena *previous;

	assert_int_equal(tlsg_conn_step_enter(c, &io, TLSG_HEADROOM_RECORD, &previous, NULL), TLSG_OK);
	while(n-- > 0)
		assert_int_equal(
				gnutls_alert_send(c->session, (gnutls_alert_level_t)level, (gnutls_alert_description_t)alert), 0);
	assert_int_equal(tlsg_conn_step_leave(c, previous, TLSG_OK, NULL), TLSG_OK);
}

/* RFC 8446 section 6.1: user_canceled is not an error; others are. With each kind of AEAD, whose tags differ. */
static void test_user_canceled_is_ignored(void **state)
{
	static const char *const ciphers[] = {
			"AES-128-GCM", "AES-256-GCM", "CHACHA20-POLY1305", "AES-128-CCM", "AES-128-CCM-8"};
	static char list[80];
	size_t i;
	int role;

	(void)state;
	for(i = 0; i < sizeof(ciphers) / sizeof(ciphers[0]); i++)
		for(role = 0; role < 2; role++) {
			struct tlsg_conn_pair_setup u = {.method = TLSG_METHOD_TLSV1_3, .ciphers = list, .client_ciphers = list};
			struct tlsg_conn_pair *x;

			snprintf(list, sizeof(list), "NORMAL:-CIPHER-ALL:+%s", ciphers[i]);
			x = tlsg_conn_pair_new(&u, NULL);
			tlsg_conn_pair_handshake(x);
			tlsg_conn_pair_assert_established(x);
			assert_string_equal(gnutls_cipher_get_name(gnutls_cipher_get(x->conn[role]->session)), ciphers[i]);
			send_alerts(x, role, 1, GNUTLS_AL_WARNING, GNUTLS_A_USER_CANCELED);
			send_alerts(x, role, 2, GNUTLS_AL_FATAL, GNUTLS_A_USER_CANCELED);
			assert_int_equal(tlsg_conn_pair_send(x, role, "ok", 2), TLSG_OK); /* as long as an alert */
			send_alerts(x, role, 1, GNUTLS_AL_WARNING, GNUTLS_A_USER_CANCELED);
			assert_int_equal(tlsg_conn_pair_send(x, role, "still here", 10), TLSG_OK);
			x->chunk = i % 2 == 0 ? 0 : 7;
			tlsg_conn_pair_run(x);
			tlsg_conn_pair_assert_text(x, !role, "okstill here");
			send_alerts(x, role, 1, GNUTLS_AL_WARNING, GNUTLS_A_NO_RENEGOTIATION);
			tlsg_conn_pair_run(x);
			assert_int_equal(x->last[!role], TLSG_E_PEER);
			assert_int_equal(x->err[!role].alert, GNUTLS_A_NO_RENEGOTIATION);
			tlsg_conn_pair_free(x);
		}
}

/* A client that has the keys of the handshake, and has not sent its Finished. */
static struct tlsg_conn_pair *in_handshake(void)
{
	struct tlsg_conn_pair_setup u = {.method = TLSG_METHOD_TLSV1_3};
	struct tlsg_conn_pair *x = tlsg_conn_pair_new(&u, NULL);
	const struct tlsg_buf *wire = &x->wire[TLSG_CLIENT];

	(void)tlsg_conn_pair_send(x, TLSG_CLIENT, "", 0);
	tlsg_conn_pair_deliver(x, TLSG_SERVER);
	/* The record with the ServerHello, which is long with a hybrid, and a little more; not the whole flight. */
	x->chunk = 5U + (size_t)(wire->data[wire->rd + 3] << 8 | wire->data[wire->rd + 4]) + 100;
	tlsg_conn_pair_deliver(x, TLSG_CLIENT);
	x->chunk = 0;
	assert_int_equal(tlsg_conn_state(x->conn[TLSG_CLIENT]), TLSG_CONN_HANDSHAKING);
	return x;
}

static void test_user_canceled_in_a_handshake(void **state)
{
	struct tlsg_conn_pair *x = in_handshake();

	(void)state;
	send_alerts(x, TLSG_CLIENT, 3, GNUTLS_AL_WARNING, GNUTLS_A_USER_CANCELED);
	tlsg_conn_pair_deliver(x, TLSG_SERVER);
	assert_int_equal(x->last[TLSG_SERVER], TLSG_AGAIN);
	tlsg_conn_pair_run(x);
	tlsg_conn_pair_assert_established(x);
	tlsg_conn_pair_free(x);

	x = in_handshake();
	send_alerts(x, TLSG_CLIENT, 100, GNUTLS_AL_WARNING, GNUTLS_A_USER_CANCELED);
	tlsg_conn_pair_deliver(x, TLSG_SERVER);
	assert_int_equal(x->last[TLSG_SERVER], TLSG_E_PEER);
	assert_non_null(strstr(x->err[TLSG_SERVER].text, "consecutive records without data"));
	tlsg_conn_pair_free(x);
}

/* GnuTLS accepts eight key updates in a second; the line names them. */
static void test_key_updates(void **state)
{
	unsigned n;

	(void)state;
	for(n = 8; n <= 9; n++) {
		struct tlsg_conn_pair_setup u = {.method = TLSG_METHOD_TLSV1_3};
		struct tlsg_conn_pair *x = tlsg_conn_pair_new(&u, NULL);
		struct tlsg_io io = {.out = &x->wire[TLSG_SERVER], .limits = &x->limits};
		struct tlsg_arena *previous;
		unsigned i;

		tlsg_conn_pair_handshake(x);
		tlsg_conn_pair_assert_established(x);
		assert_int_equal(
				tlsg_conn_step_enter(x->conn[TLSG_CLIENT], &io, TLSG_HEADROOM_RECORD, &previous, NULL), TLSG_OK);
		for(i = 0; i < n; i++)
			assert_int_equal(gnutls_session_key_update(x->conn[TLSG_CLIENT]->session, 0), 0);
		assert_int_equal(tlsg_conn_step_leave(x->conn[TLSG_CLIENT], previous, TLSG_OK, NULL), TLSG_OK);
		assert_int_equal(tlsg_conn_pair_send(x, TLSG_CLIENT, "new keys", 8), TLSG_OK);
		tlsg_conn_pair_run(x);
		if(n == 8)
			tlsg_conn_pair_assert_text(x, TLSG_SERVER, "new keys");
		else {
			assert_int_equal(x->err[TLSG_SERVER].class, TLSG_CLASS_PEER);
			assert_non_null(strstr(x->err[TLSG_SERVER].text, "more than 8 key updates"));
			assert_int_equal(x->err[TLSG_CLIENT].alert, GNUTLS_A_UNEXPECTED_MESSAGE);
		}
		tlsg_conn_pair_free(x);
	}
}

/* ---- renegotiation with data in flight (TLS 1.2) ---- */

static struct tlsg_conn_pair *renegotiating_pair(void)
{
	struct tlsg_conn_pair_setup u = {.method = TLSG_METHOD_TLSV1_2, .renegotiation = true};
	struct tlsg_conn_pair *x = tlsg_conn_pair_new(&u, NULL);

	tlsg_conn_pair_handshake(x);
	tlsg_conn_pair_assert_established(x);
	return x;
}

/* Puts a HelloRequest on the wire. */
static void ask_client(struct tlsg_conn_pair *x)
{
	struct tlsg_io io = {.out = &x->wire[TLSG_CLIENT], .limits = &x->limits};
	struct tlsg_conn *c = x->conn[TLSG_SERVER];
	struct tlsg_arena *previous;

	assert_int_equal(tlsg_conn_step_enter(c, &io, TLSG_HEADROOM_HANDSHAKE, &previous, NULL), TLSG_OK);
	assert_int_equal(gnutls_rehandshake(c->session), 0);
	assert_int_equal(tlsg_conn_step_leave(c, previous, TLSG_OK, NULL), TLSG_OK);
}

static void assert_renegotiated(struct tlsg_conn_pair *x)
{
	tlsg_conn_pair_run(x);
	tlsg_conn_pair_assert_established(x);
	assert_false(x->conn[TLSG_CLIENT]->renegotiating);
	assert_false(x->conn[TLSG_SERVER]->renegotiating);
}

static void assert_both_ways(struct tlsg_conn_pair *x)
{
	assert_int_equal(tlsg_conn_pair_send(x, TLSG_CLIENT, "after", 5), TLSG_OK);
	assert_int_equal(tlsg_conn_pair_send(x, TLSG_SERVER, "too", 3), TLSG_OK);
	tlsg_conn_pair_run(x);
	tlsg_conn_pair_assert_text(x, TLSG_SERVER, "after");
	tlsg_conn_pair_assert_text(x, TLSG_CLIENT, "too");
	tlsg_conn_pair_free(x);
}

/* The server goes on sending behind its HelloRequest, until it has the ClientHello. */
static void test_data_in_flight_after_hello_request(void **state)
{
	static const size_t chunks[] = {0, 1, 50};
	size_t i;
	int when;

	(void)state;
	for(i = 0; i < sizeof(chunks) / sizeof(chunks[0]); i++)
		for(when = 0; when < 3; when++) {
			struct tlsg_conn_pair *x = renegotiating_pair();

			ask_client(x);
			if(when == 1) /* the ClientHello is on its way */
				tlsg_conn_pair_deliver(x, TLSG_CLIENT);
			x->chunk = chunks[i];
			if(when > 0)
				assert_int_equal(tlsg_conn_pair_send(x, TLSG_SERVER, "one ", 4), TLSG_OK);
			if(when == 2)
				while(tlsg_conn_pair_deliver(x, TLSG_CLIENT) > 0)
					;
			assert_int_equal(tlsg_conn_pair_send(x, TLSG_SERVER, "two", 3), TLSG_OK);
			assert_renegotiated(x);
			tlsg_conn_pair_assert_text(x, TLSG_CLIENT, when > 0 ? "one two" : "two");
			x->chunk = 0;
			assert_both_ways(x);
		}
}

/* One read into a buffer of 4 bytes, as the core repeats them. @return bytes that were read. */
static size_t read_little(struct tlsg_conn_pair *x, char *to)
{
	struct tlsg_buf *wire = &x->wire[TLSG_CLIENT];
	struct tlsg_buf in;
	struct tlsg_buf clear;
	struct tlsg_io io = {.in = &in, .out = &x->wire[TLSG_SERVER], .limits = &x->limits};

	tlsg_buf_init(&clear, to, 4);
	tlsg_buf_init_filled(&in, wire->data + wire->rd, tlsg_buf_filled(wire));
	x->last[TLSG_CLIENT] = tlsg_conn_read(x->conn[TLSG_CLIENT], &io, &clear, &x->err[TLSG_CLIENT]);
	wire->rd += in.rd;
	return clear.wr;
}

/* What arrives in a renegotiation is larger than the room for clear text. */
static void test_data_in_flight_without_room(void **state)
{
	struct tlsg_conn_pair *x = renegotiating_pair();
	char got[32];
	size_t n = 0;
	int i;

	(void)state;
	ask_client(x);
	assert_int_equal(tlsg_conn_pair_send(x, TLSG_SERVER, "0123456789", 10), TLSG_OK);
	assert_int_equal(tlsg_conn_pair_send(x, TLSG_SERVER, "abcd", 4), TLSG_OK);
	for(i = 0; i < 6 && n < 14; i++)
		n += read_little(x, got + n);
	assert_int_equal(n, 14);
	assert_memory_equal(got, "0123456789abcd", 14);
	assert_true(x->last[TLSG_CLIENT] >= 0);
	(void)read_little(x, got);
	assert_int_equal(x->last[TLSG_CLIENT], TLSG_AGAIN);
	assert_renegotiated(x);
	assert_both_ways(x);
}

/* A client that renegotiates by itself and sends before it has the server's answer. */
static void test_data_in_flight_after_client_hello(void **state)
{
	struct tlsg_conn_pair *x = renegotiating_pair();
	struct tlsg_io io = {.out = &x->wire[TLSG_SERVER], .limits = &x->limits};
	struct tlsg_conn *c = x->conn[TLSG_CLIENT];
	struct tlsg_arena *previous;

	(void)state;
	assert_int_equal(tlsg_conn_step_enter(c, &io, TLSG_HEADROOM_HANDSHAKE, &previous, NULL), TLSG_OK);
	assert_int_equal(gnutls_handshake(c->session), GNUTLS_E_AGAIN);
	assert_int_equal(gnutls_record_send(c->session, "early", 5), 5);
	c->state = TLSG_CONN_HANDSHAKING;
	c->renegotiating = true;
	assert_int_equal(tlsg_conn_step_leave(c, previous, TLSG_OK, NULL), TLSG_OK);
	assert_renegotiated(x);
	tlsg_conn_pair_assert_text(x, TLSG_SERVER, "early");
	assert_both_ways(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_user_canceled_is_ignored),
			cmocka_unit_test(test_user_canceled_in_a_handshake),
			cmocka_unit_test(test_key_updates),
			cmocka_unit_test(test_data_in_flight_after_hello_request),
			cmocka_unit_test(test_data_in_flight_without_room),
			cmocka_unit_test(test_data_in_flight_after_client_hello),
	};

	return cmocka_run_group_tests(tests, tlsg_conn_pair_usual, tlsg_conn_pair_teardown);
}
