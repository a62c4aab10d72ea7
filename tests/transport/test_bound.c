/*
 * tls_gnutls - tests of what a peer can make a connection hold: the limits, and what ordinary peers reach
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: unit tests.  Memory: the stand-in's shared region.  Lock: none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <gnutls/crypto.h>

#include "base/arena.h"
#include "profiles/cipher/method.h"
#include "tests/lib/arena_stats.h"
#include "tests/lib/conn_pair.h"
#include "tests/lib/stats_value.h"
#include "transport/conn_bound.h"
#include "transport/conn_state.h"
#include "transport/conn_step.h"

#define DAYS_LONG 3650
#define PIPE_BYTES (1024 * 1024)
#define DEPTH 13		 /* intermediates: GnuTLS accepts 16 certificates */
#define FEED_BYTES 16000 /* of an endless message in one record */
#define STEP_BYTES (64 * 1024)
/*
 * What may be held of an incomplete message: transport/conn_bound.c allows 32 and 104 KB, GnuTLS allocates up to twice
 * that.
 */
#define HELLO_BYTES (50 * 1024)
#define CHAIN_BYTES (114 * 1024)
#define RECORD_BYTES (17 * 1024)
#define TICKET_BYTES 1024

#define CA_ROW(n, i, f)                                                                                           \
	{                                                                                                             \
		.name = n, .issuer = i, .flags = TLSG_CERT_CA | (f), .usage = GNUTLS_KEY_KEY_CERT_SIGN, .from_days = -10, \
		.to_days = DAYS_LONG, .key = TLSG_KEY_RSA4096, .key_of = (i) != NULL ? "ca" : NULL                        \
	}
#define LEAF_ROW(n, i, f, k, of)                                                                                 \
	{                                                                                                            \
		.name = n, .issuer = i, .cn = "localhost", .flags = f, .from_days = -10, .to_days = DAYS_LONG, .key = k, \
		.key_of = of                                                                                             \
	}

static const struct tlsg_cert_row rows[] = {
		CA_ROW("ca", NULL, 0),
		LEAF_ROW("ec", "ca", 0, TLSG_KEY_P256, NULL),
		LEAF_ROW("rsa", "ca", 0, TLSG_KEY_RSA4096, NULL),
		LEAF_ROW("sans", "ca", TLSG_CERT_MANY_SANS, TLSG_KEY_RSA4096, "rsa"),
		CA_ROW("1", "ca", 0),
		CA_ROW("2", "1", 0),
		CA_ROW("3", "2", 0),
		CA_ROW("4", "3", 0),
		CA_ROW("5", "4", 0),
		CA_ROW("6", "5", 0),
		CA_ROW("7", "6", 0),
		CA_ROW("8", "7", 0),
		CA_ROW("9", "8", 0),
		CA_ROW("10", "9", 0),
		CA_ROW("11", "10", 0),
		CA_ROW("12", "11", 0),
		CA_ROW("13", "12", 0),
		LEAF_ROW("deep", "13", TLSG_CERT_MANY_SANS, TLSG_KEY_RSA4096, "rsa"),
		CA_ROW("b1", "ca", TLSG_CERT_MANY_SANS),
		CA_ROW("b2", "b1", TLSG_CERT_MANY_SANS),
		CA_ROW("b3", "b2", TLSG_CERT_MANY_SANS),
		CA_ROW("b4", "b3", TLSG_CERT_MANY_SANS),
		CA_ROW("b5", "b4", TLSG_CERT_MANY_SANS),
		CA_ROW("b6", "b5", TLSG_CERT_MANY_SANS),
		CA_ROW("b7", "b6", TLSG_CERT_MANY_SANS),
		CA_ROW("b8", "b7", TLSG_CERT_MANY_SANS),
		LEAF_ROW("broad", "b8", TLSG_CERT_MANY_SANS, TLSG_KEY_RSA4096, "rsa"),
};

/* Both sides verify, and take the longest chain; the server wants a certificate if the client has one. */
static struct tlsg_conn_pair *pair_new(const struct tlsg_conn_pair_setup *u)
{
	struct tlsg_conn_pair_setup full = *u;

	full.client_method = u->method;
	full.client_verifies = 1;
	full.server_requires = u->client != NULL;
	full.verify_depth = DEPTH + 2;
	full.ciphers = full.client_ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256";
	return tlsg_conn_pair_new(&full, NULL);
}

static void handshake(struct tlsg_conn_pair *x)
{
	tlsg_conn_pair_handshake(x);
	tlsg_conn_pair_assert_established(x);
}

static void send_text(struct tlsg_conn_pair *x, int role, const char *data, size_t size)
{
	assert_true(tlsg_conn_pair_send(x, role, data, size) >= 0);
}

/* ---- what ordinary peers reach ---- */

static void print_phase(const char *name, const struct tlsg_conn_pair *x, const size_t *shook)
{
	print_message("%-34s server: handshake %zu, done %u, records +%zd; client: handshake %zu, done %u, records +%zd\n",
			name, shook[0], x->conn[0]->settled, (ssize_t)x->most[0] - x->conn[0]->settled, shook[1],
			x->conn[1]->settled, (ssize_t)x->most[1] - x->conn[1]->settled);
}

static void test_ordinary_peers(void **state)
{
	static const struct
	{
		const char *name;
		struct tlsg_conn_pair_setup u;
	} all[] = {
			{"P-256", {0}},
			{"P-256, tickets", {.cache = true}},
			{"RSA-4096, both sides", {.server = "rsa", .client = "rsa"}},
			{"300 names, both sides", {.server = "sans", .client = "sans"}},
			{"14 certificates, both sides", {.server = "deep", .client = "deep"}},
			{"90 KB of certificates, server", {.server = "broad"}},
			{"90 KB of certificates, client", {.client = "broad"}},
	};
	static const int methods[] = {TLSG_METHOD_TLSV1_2, TLSG_METHOD_TLSV1_3};
	static char text[60000]; /* the longest SIP messages */
	size_t i, k, shook[2];
	int role, turn;

	(void)state;
	for(i = 0; i < 2 * sizeof(all) / sizeof(all[0]); i++) {
		struct tlsg_conn_pair_setup u = all[i / 2].u;
		char name[80];
		struct tlsg_conn_pair *x;

		u.method = methods[i % 2];
		x = pair_new(&u);
		x->chunk = 100;
		handshake(x);
		for(role = 0; role < 2; role++) {
			shook[role] = x->most[role];
			x->most[role] = tlsg_conn_bound_held(x->conn[role]);
		}
		for(turn = 0; turn < 10; turn++)
			for(k = 0; k < 2; k++) {
				x->chunk = turn % 2 ? 0 : 3000;
				send_text(x, (int)k, text, sizeof(text));
				tlsg_conn_pair_run(x);
				assert_int_equal(tlsg_buf_filled(&x->clear[!k]), sizeof(text));
				x->clear[!k].rd = x->clear[!k].wr = 0;
			}
		snprintf(name, sizeof(name), "%s, TLS 1.%d", all[i / 2].name, 2 + (int)(i % 2));
		print_phase(name, x, shook);
		for(role = 0; role < 2; role++)
			assert_true(tlsg_conn_bound_held(x->conn[role]) < x->conn[role]->settled + TICKET_BYTES);
		tlsg_conn_pair_free(x);
	}
}

/* ---- hostile peers ---- */

/*
 * Puts a record with any content on the wire, encrypted as by the session of the other side.
 * @param inner  type of the content.
 */
static void seal(struct tlsg_conn_pair *x, int from, unsigned char inner, const unsigned char *data, size_t size)
{
	gnutls_session_t session = x->conn[from]->session;
	bool is_13 = gnutls_protocol_get_version(session) == GNUTLS_TLS1_3;
	struct tlsg_buf *wire = &x->wire[!from];
	unsigned char *out = wire->data + wire->wr;
	unsigned char head[5] = {is_13 ? 23 : inner, 3, 3}, nonce[12], aad[13], seq[8], plain[RECORD_BYTES];
	gnutls_datum_t mac, iv, key;
	gnutls_aead_cipher_hd_t aead;
	size_t len = RECORD_BYTES, i, explicit = is_13 ? 0 : 8;

	assert_true(tlsg_buf_room(wire) > RECORD_BYTES + 32);
	assert_int_equal(gnutls_record_get_state(session, 0, &mac, &iv, &key, seq), 0);
	memcpy(plain, data, size);
	if(is_13)
		plain[size++] = inner;
	memset(nonce, 0, sizeof(nonce));
	memcpy(nonce, iv.data, iv.size);
	for(i = 0; i < 8; i++)
		nonce[4 + i] = is_13 ? nonce[4 + i] ^ seq[i] : seq[i];
	head[3] = (unsigned char)((size + 16 + explicit) >> 8);
	head[4] = (unsigned char)(size + 16 + explicit);
	memcpy(aad, seq, 8);
	memcpy(aad + 8, head, 3);
	aad[11] = (unsigned char)(size >> 8);
	aad[12] = (unsigned char)size;
	assert_int_equal(gnutls_aead_cipher_init(&aead, gnutls_cipher_get(session), &key), 0);
	memcpy(out, head, 5);
	memcpy(out + 5, seq, explicit);
	assert_int_equal(gnutls_aead_cipher_encrypt(aead, nonce, sizeof(nonce), is_13 ? head : aad, is_13 ? 5 : 13, 16,
							 plain, size, out + 5 + explicit, &len),
			0);
	gnutls_aead_cipher_deinit(aead);
	wire->wr += 5 + explicit + len;
	for(i = 8; i > 0 && ++seq[i - 1] == 0; i--)
		;
	assert_int_equal(gnutls_record_set_state(session, 0, seq), 0);
}

/* A piece of a message of 16 MB. @param type  of the message. @param first  with its header. */
static void feed_endless(struct tlsg_conn_pair *x, int from, unsigned char type, bool first)
{
	unsigned char piece[FEED_BYTES] = {type, 0xff, 0xff, 0xff};
	unsigned char head[5] = {22, 3, type == 1 ? 1 : 3, FEED_BYTES >> 8, FEED_BYTES & 0xff};

	if(!first)
		memset(piece, 0, 4);
	if(tlsg_conn_is_established(x->conn[from])) {
		seal(x, from, 22, piece, sizeof(piece));
		return;
	}
	if(first) { /* in two records, so that the length cannot be read in the first one */
		assert_true(tlsg_buf_put(&x->wire[!from], (unsigned char[]){22, 3, type == 1 ? 1 : 3, 0, 2, type, 0xff}, 7));
		memset(piece, 0xff, 2);
		memset(piece + 2, 0, 2);
	}
	assert_true(tlsg_buf_put(&x->wire[!from], head, sizeof(head)));
	assert_true(tlsg_buf_put(&x->wire[!from], piece, sizeof(piece)));
}

/*
 * Sends an endless message until the victim ends the connection.
 * @param pieces  records in one step.
 * @return highest bytes held between steps.
 */
static size_t attack(struct tlsg_conn_pair *x, int victim, unsigned char type, unsigned pieces)
{
	unsigned sent = 0, i;

	x->most[victim] = 0;
	x->last[victim] = TLSG_AGAIN;
	while(x->last[victim] == TLSG_AGAIN && sent < 1000) {
		for(i = 0; i < pieces; i++)
			feed_endless(x, !victim, type, sent++ == 0);
		tlsg_conn_pair_deliver(x, victim);
	}
	return x->most[victim];
}

static void assert_ended(struct tlsg_conn_pair *x, int victim, size_t held, size_t max, size_t base)
{
	struct tlsg_arena_stats s;

	tlsg_arena_stats_get(x->conn[victim]->arena, &s);
	print_message("   held %zu, peak %zu, began with %zu: %s\n", held, s.peak, base, x->err[victim].text);
	assert_int_equal(x->last[victim], TLSG_E_PEER);
	assert_int_equal(tlsg_conn_state(x->conn[victim]), TLSG_CONN_FAILED);
	assert_int_equal(x->err[victim].class, TLSG_CLASS_PEER);
	assert_non_null(strstr(x->err[victim].text, "message too large"));
	assert_true(held <= base + max);
	/* inside a step: twice the message while it grows, and what GnuTLS needs for a record */
	assert_true(s.peak <= base + 2 * max + 2 * RECORD_BYTES);
	assert_true(tlsg_buf_filled(&x->wire[!victim]) > 0); /* an alert */
}

/* A ClientHello in one record is refused by the length in its header. */
static void test_announced_hello(void **state)
{
	static const struct
	{
		unsigned size; /* of the message */
		enum tlsg_ret ret;
	} all[] = {{0xffffff, TLSG_E_PEER}, {32 * 1024 + 1, TLSG_E_PEER}, {32 * 1024, TLSG_AGAIN}, {20000, TLSG_AGAIN}};
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct tlsg_conn_pair_setup u = {0};
		struct tlsg_conn_pair *x = pair_new(&u);
		unsigned char record[9 + 100] = {22, 3, 1, 0, 104, 1, (unsigned char)(all[i].size >> 16),
				(unsigned char)(all[i].size >> 8), (unsigned char)all[i].size};
		size_t base = tlsg_conn_bound_held(x->conn[TLSG_SERVER]);

		assert_true(tlsg_buf_put(&x->wire[TLSG_SERVER], record, sizeof(record)));
		tlsg_conn_pair_deliver(x, TLSG_SERVER);
		assert_int_equal(x->last[TLSG_SERVER], all[i].ret);
		if(all[i].ret == TLSG_E_PEER)
			assert_true(tlsg_conn_bound_held(x->conn[TLSG_SERVER]) < base + 1024);
		tlsg_conn_pair_free(x);
	}
}

static void test_endless_hello(void **state)
{
	static const unsigned pieces[] = {1, 4, 50};
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		struct tlsg_conn_pair_setup u = {
				.client = i == 1 ? "ec" : NULL}; /* also for a server that requests certificates */
		struct tlsg_conn_pair *x = pair_new(&u);
		size_t base = tlsg_conn_bound_held(x->conn[TLSG_SERVER]);
		uint64_t ended = tlsg_stats_value_of("limit_memory"), failed = tlsg_stats_value_of("handshakes_failed");

		assert_ended(x, TLSG_SERVER, attack(x, TLSG_SERVER, 1, pieces[i]), HELLO_BYTES, base);
		assert_int_equal(tlsg_stats_value_of("limit_memory"), ended + 1);
		assert_int_equal(tlsg_stats_value_of("handshakes_failed"), failed + 1);
		tlsg_conn_pair_free(x);
		assert_int_equal(tlsg_stats_value_of("handshakes_failed"), failed + 1);
	}
}

/* A client announces a certificate list of 16 MB, and so does a server. */
static void test_endless_certificate(void **state)
{
	struct tlsg_conn_pair_setup u = {.method = TLSG_METHOD_TLSV1_2, .client = "ec"};
	struct tlsg_conn_pair *x = pair_new(&u);
	size_t held, base;

	(void)state;
	send_text(x, TLSG_CLIENT, "", 0);
	tlsg_conn_pair_deliver(x, TLSG_SERVER);
	base = tlsg_conn_bound_held(x->conn[TLSG_SERVER]);
	held = attack(x, TLSG_SERVER, 11, 1);
	assert_ended(x, TLSG_SERVER, held, CHAIN_BYTES, base);
	tlsg_conn_pair_free(x);
	x = pair_new(&u);
	send_text(x, TLSG_CLIENT, "", 0);
	base = tlsg_conn_bound_held(x->conn[TLSG_CLIENT]);
	held = attack(x, TLSG_CLIENT, 2, 1);
	assert_ended(x, TLSG_CLIENT, held, CHAIN_BYTES, base);
	tlsg_conn_pair_free(x);
}

static void test_endless_message_after_the_handshake(void **state)
{
	static const struct
	{
		int method;
		int victim;
		unsigned char type;
	} all[] = {
			{TLSG_METHOD_TLSV1_3, TLSG_SERVER, 24},
			{TLSG_METHOD_TLSV1_3, TLSG_SERVER, 4},
			{TLSG_METHOD_TLSV1_3, TLSG_CLIENT, 4},
			{TLSG_METHOD_TLSV1_3, TLSG_CLIENT, 13},
			{TLSG_METHOD_TLSV1_2, TLSG_SERVER, 1},
	};
	static const unsigned pieces[] = {1, 50};
	size_t i;

	(void)state;
	for(i = 0; i < 2 * sizeof(all) / sizeof(all[0]); i++) {
		struct tlsg_conn_pair_setup u = {.method = all[i / 2].method, .renegotiation = true};
		struct tlsg_conn_pair *x = pair_new(&u);
		uint64_t ended = tlsg_stats_value_of("limit_memory"), failed = tlsg_stats_value_of("handshakes_failed");
		size_t held;

		handshake(x);
		held = attack(x, all[i / 2].victim, all[i / 2].type, pieces[i % 2]);
		assert_ended(x, all[i / 2].victim, held, HELLO_BYTES, x->conn[all[i / 2].victim]->settled);
		assert_int_equal(tlsg_stats_value_of("limit_memory"), ended + 1);
		assert_int_equal(tlsg_stats_value_of("handshakes_failed"), failed); /* the handshake was done */
		tlsg_conn_pair_free(x);
	}
}

/*
 * Without renegotiation the first bytes of a ClientHello end the session, and so does a HelloRequest, which is a header
 * only.
 */
static void test_request_for_a_handshake_is_not_collected(void **state)
{
	struct tlsg_conn_pair_setup u = {.method = TLSG_METHOD_TLSV1_2};
	struct tlsg_conn_pair *x;
	int victim;

	(void)state;
	for(victim = 0; victim < 2; victim++) {
		x = pair_new(&u);
		handshake(x);
		assert_true(attack(x, victim, victim == TLSG_SERVER ? 1 : 0, 1) < x->conn[victim]->settled + 2 * RECORD_BYTES);
		assert_int_equal(x->last[victim], TLSG_EOF);
		tlsg_conn_pair_free(x);
	}
}

/* Bytes that arrive one by one take their own size, not a buffer each. */
static void test_trickled_record(void **state)
{
	static char text[16000];
	static const int methods[] = {TLSG_METHOD_TLSV1_2, TLSG_METHOD_TLSV1_3};
	size_t i;

	(void)state;
	for(i = 0; i < 2; i++) {
		struct tlsg_conn_pair_setup u = {.method = methods[i]};
		struct tlsg_conn_pair *x = pair_new(&u);
		struct tlsg_arena_stats s;
		size_t most = 0;

		x->chunk = 1;
		handshake(x);
		send_text(x, TLSG_CLIENT, text, sizeof(text));
		while(tlsg_conn_pair_deliver(x, TLSG_SERVER) > 0) {
			tlsg_arena_stats_get(x->conn[TLSG_SERVER]->arena, &s);
			most = s.in_use > most ? s.in_use : most;
		}
		assert_int_equal(tlsg_buf_filled(&x->clear[TLSG_SERVER]), sizeof(text));
		assert_true(most < x->conn[TLSG_SERVER]->settled + RECORD_BYTES);
		tlsg_conn_pair_free(x);
	}
}

/* ---- records and messages that are never complete ---- */

static void wait_seconds(unsigned n)
{
	tlsg_stub_ticks_set(get_ticks_raw() + S_TO_TICKS(n));
}

/*
 * Sends a record without its end: all but its first byte (0), all but its last (2); or (1) a message without its end.
 */
static void send_part(struct tlsg_conn_pair *x, int victim, int what)
{
	static char text[8000];
	size_t whole;

	if(what == 1) {
		feed_endless(x, !victim, 24, true);
		tlsg_conn_pair_deliver(x, victim);
		return;
	}
	send_text(x, !victim, text, sizeof(text));
	whole = tlsg_buf_filled(&x->wire[victim]);
	x->chunk = what == 0 ? 1 : whole - 1;
	tlsg_conn_pair_deliver(x, victim);
	x->chunk = 0;
	assert_int_equal(x->last[victim], TLSG_AGAIN);
}

static void test_what_begins_has_a_deadline(void **state)
{
	struct tlsg_conn_pair_setup u = {.method = TLSG_METHOD_TLSV1_3};
	int victim, what;

	(void)state;
	for(what = 0; what < 3; what++)
		for(victim = 0; victim < 2; victim++) {
			struct tlsg_conn_pair *x = pair_new(&u);
			struct tlsg_conn *c = x->conn[victim];
			uint64_t ended = tlsg_stats_value_of("limit_stalled");

			handshake(x);
			assert_false(tlsg_conn_stall_watch(c));
			wait_seconds(1000);
			assert_false(tlsg_conn_stall_is_over(c)); /* idle and complete */
			send_part(x, victim, what);
			assert_true(tlsg_conn_stall_watch(c));
			assert_false(tlsg_conn_stall_watch(c)); /* once */
			wait_seconds(29);
			assert_false(tlsg_conn_stall_is_over(c));
			assert_int_equal(tlsg_conn_stall_check(c), TLSG_STALL_PENDING);
			wait_seconds(2);
			assert_true(tlsg_conn_stall_is_over(c));
			assert_int_equal(tlsg_conn_stall_check(c), TLSG_STALL_OVER);
			if(what == 1)
				feed_endless(x, !victim, 24, false);
			tlsg_conn_pair_deliver(x, victim);
			assert_int_equal(x->last[victim], TLSG_E_PEER);
			assert_non_null(strstr(x->err[victim].text, "handshake_timeout"));
			assert_int_equal(tlsg_stats_value_of("limit_stalled"), ended + 1);
			tlsg_conn_pair_free(x);
		}
}

/* The rest always arrives in time: each record has its own deadline. */
static void test_slow_records_are_served(void **state)
{
	struct tlsg_conn_pair_setup u = {0};
	struct tlsg_conn_pair *x = pair_new(&u);
	int i;

	(void)state;
	handshake(x);
	for(i = 0; i < 20; i++) {
		send_part(x, TLSG_SERVER, i % 2 ? 0 : 2);
		wait_seconds(20);
		send_text(x, TLSG_CLIENT, "x", 1);
		x->chunk = tlsg_buf_filled(&x->wire[TLSG_SERVER]) - 1; /* the end of one record and the beginning of another */
		tlsg_conn_pair_deliver(x, TLSG_SERVER);
		assert_int_equal(x->last[TLSG_SERVER], TLSG_AGAIN);
		wait_seconds(20);
		x->chunk = 0;
		tlsg_conn_pair_run(x);
		assert_int_equal(tlsg_buf_filled(&x->clear[TLSG_SERVER]), 8001);
		x->clear[TLSG_SERVER].rd = x->clear[TLSG_SERVER].wr = 0;
		assert_false(tlsg_conn_stall_is_over(x->conn[TLSG_SERVER]));
	}
	(void)tlsg_conn_stall_watch(x->conn[TLSG_SERVER]);
	assert_int_equal(tlsg_conn_stall_check(x->conn[TLSG_SERVER]), TLSG_STALL_NONE);
	tlsg_conn_pair_free(x);
}

/* Key updates over a long time leave nothing that would count as incomplete. */
static void test_key_updates(void **state)
{
	struct tlsg_conn_pair_setup u = {.method = TLSG_METHOD_TLSV1_3};
	struct tlsg_conn_pair *x = pair_new(&u);
	struct tlsg_io io = {.out = &x->wire[TLSG_SERVER], .limits = &x->limits};
	struct tlsg_arena *previous;
	int i;

	(void)state;
	handshake(x);
	for(i = 0; i < 7; i++) { /* GnuTLS accepts eight in a second of real time */
		assert_int_equal(
				tlsg_conn_step_enter(x->conn[TLSG_CLIENT], &io, TLSG_HEADROOM_RECORD, &previous, NULL), TLSG_OK);
		assert_int_equal(gnutls_session_key_update(x->conn[TLSG_CLIENT]->session, GNUTLS_KU_PEER), 0);
		assert_int_equal(tlsg_conn_step_leave(x->conn[TLSG_CLIENT], previous, TLSG_OK, NULL), TLSG_OK);
		tlsg_conn_pair_run(x);
		assert_int_equal(x->last[TLSG_SERVER], TLSG_AGAIN);
		assert_int_equal(x->conn[TLSG_SERVER]->stall_at, 0);
		wait_seconds(3600);
	}
	tlsg_conn_pair_free(x);
}

/* ---- records without data ---- */

static enum tlsg_ret idle_records(struct tlsg_conn_pair *x, unsigned n, bool alone, bool empty)
{
	static const unsigned char update[] = {24, 0, 0, 1, 0};

	while(n-- > 0) {
		if(empty)
			seal(x, TLSG_CLIENT, 23, update, 0);
		else
			seal(x, TLSG_CLIENT, 22, update, 1); /* only ever the first byte of a message */
		if(alone)
			tlsg_conn_pair_deliver(x, TLSG_SERVER);
	}
	tlsg_conn_pair_deliver(x, TLSG_SERVER);
	return x->last[TLSG_SERVER];
}

static void test_records_without_data(void **state)
{
	size_t i;
	int k;

	(void)state;
	for(i = 0; i < 4; i++) {
		struct tlsg_conn_pair_setup u = {.method = i % 2 ? TLSG_METHOD_TLSV1_3 : TLSG_METHOD_TLSV1_2};
		struct tlsg_conn_pair *x = pair_new(&u);
		uint64_t ended = tlsg_stats_value_of("limit_idle_records");
		bool alone = i / 2;

		handshake(x);
		for(k = 0; k < 20; k++) { /* data in between */
			assert_int_equal(idle_records(x, 60, alone, true), TLSG_AGAIN);
			send_text(x, TLSG_CLIENT, "x", 1);
			tlsg_conn_pair_run(x);
			assert_int_equal(tlsg_buf_filled(&x->clear[TLSG_SERVER]), (size_t)k + 1);
		}
		for(k = 0; k < 500; k++) { /* slowly, for hours */
			tlsg_stub_ticks_set(get_ticks_raw() + S_TO_TICKS(2));
			assert_int_equal(idle_records(x, 1, alone, true), TLSG_AGAIN);
		}
		assert_int_equal(tlsg_stats_value_of("limit_idle_records"), ended);
		assert_int_equal(idle_records(x, alone ? 66 : 1000, alone, true), alone ? TLSG_E_INTERNAL : TLSG_E_PEER);
		assert_int_equal(tlsg_conn_state(x->conn[TLSG_SERVER]), TLSG_CONN_FAILED);
		assert_non_null(strstr(x->err[TLSG_SERVER].text, "without data"));
		assert_int_equal(tlsg_stats_value_of("limit_idle_records"), ended + 1);
		tlsg_conn_pair_free(x);
	}
}

/* ---- unfinished handshakes ---- */

static struct tlsg_conn *accepted(enum tlsg_slots_result *result)
{
	struct tlsg_conn_params p = {.query = {.role = TLSG_SERVER}, .deadline_s = 30};
	struct tlsg_addr peer = {4, {10, 0, 0, 1}};

	*result = tlsg_slots_take(&peer, &p.slot);
	if(*result != TLSG_SLOT_TAKEN)
		return NULL;
	p.set = tlsg_set_get();
	return tlsg_conn_new(&p, NULL);
}

/* However a connection ends, its slot is given back once. */
static void test_slots_come_back(void **state)
{
	struct tlsg_slots_limits limits = {.handshakes = 3, .per_address = 2, .addresses = 3};
	struct tlsg_conn_pair_setup u = {0};
	struct tlsg_conn_pair *x = pair_new(&u);
	struct tlsg_conn *other, *fresh;
	enum tlsg_slots_result result;
	uint64_t bytes;

	(void)state;
	assert_int_equal(tlsg_slots_init(&limits), TLSG_OK);
	tlsg_conn_free(x->conn[TLSG_SERVER]);
	x->conn[TLSG_SERVER] = accepted(&result);
	other = accepted(&result);
	assert_non_null(other);
	assert_null(accepted(&result));
	assert_int_equal(result, TLSG_SLOT_ADDRESS);
	assert_int_equal(tlsg_slots_used(&bytes), 2);
	assert_true(bytes >= 2 * 13000 && bytes <= 2 * 40000);
	handshake(x); /* one handshake is done */
	assert_int_equal(tlsg_slots_used(NULL), 1);
	fresh = accepted(&result);
	assert_non_null(fresh);
	tlsg_conn_free(other); /* freed before its handshake */
	assert_int_equal(tlsg_slots_used(NULL), 1);
	tlsg_conn_pair_free(x); /* freed after its handshake */
	assert_int_equal(tlsg_slots_used(NULL), 1);
	tlsg_conn_free(fresh);
	process_no = 1000; /* a process without spare chunks: nothing can be allocated */
	tlsg_stub_shm_fail_after(0);
	assert_null(accepted(&result));
	tlsg_stub_shm_fail_after(3);
	assert_null(accepted(&result));
	tlsg_stub_shm_fail_after(-1);
	process_no = 0;
	assert_int_equal(result, TLSG_SLOT_TAKEN);
	x = pair_new(&u); /* fails in the middle of its handshake */
	tlsg_conn_free(x->conn[TLSG_SERVER]);
	x->conn[TLSG_SERVER] = accepted(&result);
	(void)attack(x, TLSG_SERVER, 1, 1);
	assert_int_equal(x->last[TLSG_SERVER], TLSG_E_PEER);
	assert_int_equal(tlsg_slots_used(NULL), 1);
	tlsg_conn_pair_free(x);
	assert_int_equal(tlsg_slots_used(&bytes), 0);
	assert_int_equal(bytes, 0);
	tlsg_slots_deinit();
}

/*
 * A step refused for lack of memory, or memory that runs out inside a step, is a failed handshake: once for each
 * connection.
 */
static void test_lack_of_memory_is_counted(void **state)
{
	struct tlsg_conn_pair_setup u = {0};
	struct tlsg_conn_pair *x = pair_new(&u);
	struct tlsg_io io = {.out = &x->wire[TLSG_SERVER], .limits = &x->limits};
	uint64_t before = tlsg_stats_value_of("handshakes_failed_memory");
	size_t used;
	int i;

	(void)state;
	process_no = 1000;
	tlsg_stub_shm_fail_after(0);
	for(i = 0; i < 3; i++)
		assert_int_equal(
				tlsg_conn_write(x->conn[TLSG_CLIENT], &io, "", 0, &used, &x->err[TLSG_CLIENT]), TLSG_E_RESOURCE);
	tlsg_stub_shm_fail_after(-1);
	process_no = 0;
	assert_int_equal(tlsg_stats_value_of("handshakes_failed_memory"), before + 1);
	tlsg_conn_pair_free(x);
}

static int setup(void **state)
{
	static const char deep[] = "deep 13 12 11 10 9 8 7 6 5 4 3 2 1";
	static const char broad[] = "broad b8 b7 b6 b5 b4 b3 b2 b1";

	(void)state;
	if(tlsg_conn_pair_start(rows, sizeof(rows) / sizeof(rows[0])) != 0)
		return -1;
	tlsg_conn_pair_write("ca", "ca", NULL);
	tlsg_conn_pair_write("ec", "ec", "ec");
	tlsg_conn_pair_write("rsa", "rsa", "rsa");
	tlsg_conn_pair_write("sans", "sans", "rsa");
	tlsg_conn_pair_write("deep", deep, "rsa");
	tlsg_conn_pair_write("broad", broad, "rsa");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return tlsg_conn_pair_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_ordinary_peers),
			cmocka_unit_test(test_announced_hello),
			cmocka_unit_test(test_endless_hello),
			cmocka_unit_test(test_endless_certificate),
			cmocka_unit_test(test_endless_message_after_the_handshake),
			cmocka_unit_test(test_request_for_a_handshake_is_not_collected),
			cmocka_unit_test(test_trickled_record),
			cmocka_unit_test(test_what_begins_has_a_deadline),
			cmocka_unit_test(test_slow_records_are_served),
			cmocka_unit_test(test_key_updates),
			cmocka_unit_test(test_records_without_data),
			cmocka_unit_test(test_slots_come_back),
			cmocka_unit_test(test_lack_of_memory_is_counted),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
