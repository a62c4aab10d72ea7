/*
 * tls_gnutls - tests of associations over datagrams: what DTLS has and TLS has not
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: unit tests.  Memory: the stand-in's shared region.  Lock: none.
 *
 * What both carriers do is in test_conn.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <gnutls/crypto.h>

#include "profiles/cipher/method.h"
#include "profiles/ticket.h"
#include "tests/lib/arena_stats.h"
#include "tests/lib/conn_pair.h"
#include "transport/carrier_datagram.h"
#include "transport/conn_datagram.h"
#include "transport/conn_state.h"
#include "transport/conn_step.h"
#include "transport/dgram_probe.h"

#define DAYS_LONG 3650
#define ISSUERS 20 /* of the long chain: 8 KB */

/** A long chain: i0, issued by ca, to i<ISSUERS>, whose key is used. */
static struct tlsg_cert_row rows[ISSUERS + 1];
static char names[ISSUERS + 1][16];

static void rows_make(void)
{
	int i;

	for(i = 0; i <= ISSUERS; i++) {
		snprintf(names[i], sizeof(names[i]), "i%d", i);
		rows[i] = (struct tlsg_cert_row){.name = names[i],
				.issuer = i == 0 ? "ca" : names[i - 1],
				.cn = i == ISSUERS ? "localhost" : names[i],
				.flags = i == ISSUERS ? 0 : TLSG_CERT_CA,
				.usage = i == ISSUERS ? 0 : GNUTLS_KEY_KEY_CERT_SIGN,
				.from_days = -10,
				.to_days = DAYS_LONG};
	}
}

/* One datagram for a side, whatever is on the wire. */
static void deliver(struct tlsg_conn_pair *x, int role, const unsigned char *bytes, size_t size)
{
	struct tlsg_buf in;
	struct tlsg_io io = {.in = &in, .out = &x->wire[!role], .sent = &x->sizes[!role], .limits = &x->limits};

	tlsg_buf_init_filled(&in, bytes, size);
	do
		x->last[role] = tlsg_conn_read(x->conn[role], &io, &x->clear[role], &x->err[role]);
	while(x->last[role] == TLSG_OK);
}

static void test_data(void **state)
{
	struct tlsg_conn_pair_setup u = {.datagram = true, .client_verifies = 1};
	struct tlsg_conn_pair *x = tlsg_conn_pair_new(&u, "localhost");

	(void)state;
	tlsg_conn_pair_handshake(x);
	tlsg_conn_pair_assert_established(x);
	assert_int_equal(tlsg_peer_get(x->conn[TLSG_SERVER])->version, GNUTLS_DTLS1_2);
	assert_int_equal(tlsg_conn_pair_send(x, TLSG_CLIENT, "ping", 4), TLSG_OK);
	assert_int_equal(tlsg_conn_pair_send(x, TLSG_SERVER, "pong!", 5), TLSG_OK);
	tlsg_conn_pair_run(x);
	tlsg_conn_pair_assert_text(x, TLSG_SERVER, "ping");
	tlsg_conn_pair_assert_text(x, TLSG_CLIENT, "pong!");
	tlsg_conn_pair_free(x);
}

/* A message is a record, whatever its length; several records of one datagram are read one by one. */
static void test_boundaries(void **state)
{
	static const char *const texts[] = {"a", "second", "the third message"};
	struct tlsg_conn_pair_setup u = {.datagram = true};
	struct tlsg_conn_pair *x = tlsg_conn_pair_new(&u, NULL);
	struct tlsg_buf in, *clear = &x->clear[TLSG_SERVER];
	struct tlsg_io io = {.in = &in, .out = &x->wire[TLSG_CLIENT], .sent = &x->sizes[TLSG_CLIENT], .limits = &x->limits};
	int before, i;

	(void)state;
	for(before = 1; before >= 0; before--) { /* queued during the handshake, and sent after it */
		if(before)
			tlsg_conn_hold_queue(x->conn[TLSG_CLIENT], true);
		tlsg_conn_pair_handshake(x);
		tlsg_conn_pair_assert_established(x);
		for(i = 0; i < 3; i++)
			assert_int_equal(
					tlsg_conn_pair_send(x, TLSG_CLIENT, texts[i], strlen(texts[i])), before ? TLSG_AGAIN : TLSG_OK);
		if(before) {
			tlsg_conn_hold_queue(x->conn[TLSG_CLIENT], false);
			tlsg_conn_pair_send(x, TLSG_SERVER, "go", 2);
			tlsg_conn_pair_deliver(x, TLSG_CLIENT);
			clear->rd = clear->wr = 0;
		}
		assert_int_equal(x->sizes[TLSG_SERVER].count, 3);
		/* all three in one datagram */
		in = x->wire[TLSG_SERVER];
		for(i = 0; i < 3; i++) {
			assert_int_equal(tlsg_conn_read(x->conn[TLSG_SERVER], &io, clear, NULL), TLSG_OK);
			tlsg_conn_pair_assert_text(x, TLSG_SERVER, texts[i]);
		}
		assert_int_equal(tlsg_conn_read(x->conn[TLSG_SERVER], &io, clear, NULL), TLSG_AGAIN);
		assert_int_equal(tlsg_buf_filled(&in), 0);
		x->wire[TLSG_SERVER].rd = x->wire[TLSG_SERVER].wr = x->sizes[TLSG_SERVER].count = 0;
	}
	tlsg_conn_pair_free(x);
}

/* What does not fit in one datagram is refused, and the association goes on. */
static void test_longest_message(void **state)
{
	static const char *const suites[] = {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-SHA384"};
	static char text[TLSG_DATAGRAM_TEXT_MAX + 1];
	unsigned i;

	(void)state;
	memset(text, 'x', sizeof(text));
	for(i = 0; i < 2; i++) {
		struct tlsg_conn_pair_setup u = {.datagram = true, .ciphers = suites[i]};
		struct tlsg_conn_pair *x = tlsg_conn_pair_new(&u, NULL);
		size_t max;

		assert_int_equal(x->conn[TLSG_CLIENT]->datagram->text_max, 0);
		assert_int_equal(tlsg_conn_pair_send(x, TLSG_CLIENT, text, sizeof(text)), TLSG_E_RESOURCE); /* not queued */
		assert_non_null(strstr(x->err[TLSG_CLIENT].text, "does not fit in one datagram"));
		tlsg_err_clear(&x->err[TLSG_CLIENT]);
		tlsg_conn_pair_handshake(x);
		tlsg_conn_pair_assert_established(x);
		max = x->conn[TLSG_CLIENT]->datagram->text_max;
		print_message("%s: %zu bytes\n", suites[i], max);
		assert_true(max > 16200 && max <= TLSG_DATAGRAM_TEXT_MAX);
		assert_int_equal(tlsg_conn_pair_send(x, TLSG_CLIENT, text, max + 1), TLSG_E_RESOURCE);
		assert_int_equal(x->sizes[TLSG_SERVER].count, 0);
		assert_int_equal(tlsg_conn_pair_send(x, TLSG_CLIENT, text, max), TLSG_OK);
		assert_int_equal(x->sizes[TLSG_SERVER].count, 1);
		tlsg_conn_pair_run(x);
		assert_int_equal(tlsg_buf_filled(&x->clear[TLSG_SERVER]), max);
		tlsg_conn_pair_free(x);
	}
}

/* A datagram that arrives again, or is changed, brings nothing and does no harm. */
static void test_replay(void **state)
{
	struct tlsg_conn_pair_setup u = {.datagram = true};
	struct tlsg_conn_pair *x = tlsg_conn_pair_new(&u, NULL);
	struct tlsg_buf *wire = &x->wire[TLSG_SERVER];
	unsigned char copy[256];
	size_t size, i;

	(void)state;
	tlsg_conn_pair_handshake(x);
	tlsg_conn_pair_send(x, TLSG_CLIENT, "once", 4);
	size = x->sizes[TLSG_SERVER].size[0];
	memcpy(copy, wire->data + wire->rd, size);
	tlsg_conn_pair_run(x);
	tlsg_conn_pair_assert_text(x, TLSG_SERVER, "once");
	for(i = 0; i < 200 + size; i++) {
		copy[i < 200 ? 0 : i - 200] ^= i < 200 ? 0 : 0x10;
		deliver(x, TLSG_SERVER, copy, size);
		copy[i < 200 ? 0 : i - 200] ^= i < 200 ? 0 : 0x10;
		assert_int_equal(x->last[TLSG_SERVER], TLSG_AGAIN);
		tlsg_conn_pair_assert_text(x, TLSG_SERVER, "");
	}
	assert_true(tlsg_conn_datagram_dropped(x->conn[TLSG_SERVER]) >= 200);
	assert_int_equal(tlsg_conn_pair_send(x, TLSG_CLIENT, "next", 4), TLSG_OK);
	tlsg_conn_pair_run(x);
	tlsg_conn_pair_assert_text(x, TLSG_SERVER, "next");
	tlsg_conn_pair_free(x);
}

/* What is no record of DTLS is dropped at any time. */
static void test_garbage(void **state)
{
	static const unsigned char all[][20] = {
			"OPTIONS sip:a SIP/2", {0}, {22}, {22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, /* empty */
			{22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff},							  /* too long */
			{22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 7, 11, 0, 0, 9, 0, 9},				  /* a part of a header */
			{23, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 7, 1, 2, 3, 4, 5, 6, 7},			  /* data in clear text */
			{22, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 9, 0, 7, 1, 2, 3, 4, 5, 6, 7},			  /* of the next epoch */
			{21, 0xfe, 0xfd, 0, 7, 0, 0, 0, 0, 0, 9, 0, 2, 2, 40},	 /* of one that never comes */
			{24, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 3, 1, 0, 0}, /* heartbeat */
			{20, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 1, 1},	 /* ChangeCipherSpec of two bytes */
			{22, 3, 3, 0, 5, 1, 0, 0, 1, 0},						 /* TLS */
	};
	struct tlsg_conn_pair_setup u = {.datagram = true};
	struct tlsg_conn_pair *x = tlsg_conn_pair_new(&u, NULL);
	unsigned i, turn;

	(void)state;
	(void)tlsg_conn_pair_send(x, TLSG_CLIENT, "", 0);
	for(turn = 0; turn < 8; turn++) {
		uint32_t dropped = tlsg_conn_datagram_dropped(x->conn[turn % 2]);

		for(i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
			deliver(x, (int)turn % 2, all[i], sizeof(all[i]));
			assert_int_equal(x->last[turn % 2], TLSG_AGAIN);
		}
		assert_true(tlsg_conn_datagram_dropped(x->conn[turn % 2]) >= dropped + i);
		tlsg_conn_pair_deliver(x, (int)turn % 2);
	}
	tlsg_conn_pair_run(x);
	tlsg_conn_pair_assert_established(x);
	assert_int_equal(tlsg_conn_pair_send(x, TLSG_CLIENT, "ping", 4), TLSG_OK);
	tlsg_conn_pair_run(x);
	tlsg_conn_pair_assert_text(x, TLSG_SERVER, "ping");
	tlsg_conn_pair_free(x);
}

/* Fragments that announce as much as they can, of many messages, and many ChangeCipherSpec records. */
static void test_memory_is_bounded(void **state)
{
	struct tlsg_conn_pair_setup u = {.datagram = true, .server_requires = 1, .client = "client"};
	int k;

	(void)state;
	for(k = 0; k < 3; k++) {
		struct tlsg_conn_pair *x = tlsg_conn_pair_new(&u, NULL);
		struct tlsg_conn *c = x->conn[TLSG_SERVER];
		struct tlsg_arena_stats s;
		unsigned i;

		if(k > 0) { /* the server waits for a certificate */
			(void)tlsg_conn_pair_send(x, TLSG_CLIENT, "", 0);
			tlsg_conn_pair_deliver(x, TLSG_SERVER);
		}
		for(i = 0; i < 2000; i++) {
			unsigned length = k == 2 ? 100 * 1024 : 0x10000 << (i % 8);
			unsigned char p[13 + 12 + 1] = {22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 1, (unsigned char)(i >> 8), (unsigned char)i,
					0, 13, 11, (unsigned char)(length >> 16), (unsigned char)(length >> 8), 0, 0,
					(unsigned char)(i % 20), 0, 0, 0, 0, 0, 1};
			unsigned char ccs[14] = {
					20, 0xfe, 0xfd, 0, 0, 0, 0, 0, 2, (unsigned char)(i >> 8), (unsigned char)i, 0, 1, 1};

			deliver(x, TLSG_SERVER, p, sizeof(p));
			assert_true(x->last[TLSG_SERVER] == TLSG_AGAIN);
			p[4] = 1; /* the next epoch, for which there are no keys yet */
			deliver(x, TLSG_SERVER, p, sizeof(p));
			assert_true(x->last[TLSG_SERVER] == TLSG_AGAIN);
			deliver(x, TLSG_SERVER, ccs, sizeof(ccs));
			assert_true(x->last[TLSG_SERVER] == TLSG_AGAIN);
		}
		tlsg_arena_stats_get(c->arena, &s);
		print_message("state %d: at most %zu bytes in use, %zu in the end\n", k, s.peak, s.in_use);
		assert_true(s.peak < 256 * 1024);
		assert_int_equal(tlsg_conn_state(c), TLSG_CONN_HANDSHAKING);
		tlsg_conn_pair_free(x);
	}
}

/*
 * A record of the client with the keys that it has agreed on, in place of its Finished: AES-GCM, RFC 5288 section 3.
 */
static size_t seal(struct tlsg_conn *c, unsigned char *to, const unsigned char *text, size_t size)
{
	static const unsigned char head[TLSG_DGRAM_HEAD] = {22, 0xfe, 0xfd, 0, 1};
	unsigned char extra[TLSG_DGRAM_HEAD] = {0, 1, 0, 0, 0, 0, 0, 0, 22, 0xfe, 0xfd, 0, (unsigned char)size};
	unsigned char nonce[12];
	gnutls_datum_t mac, iv, key;
	gnutls_aead_cipher_hd_t aead;
	size_t sealed = size + 16;

	assert_int_equal(gnutls_record_get_state(c->session, 0, &mac, &iv, &key, NULL), 0);
	assert_int_equal(iv.size, 4);
	memcpy(nonce, iv.data, 4);
	memset(nonce + 4, 0x77, 8);
	memcpy(to, head, sizeof(head));
	to[12] = (unsigned char)(8 + size + 16);
	memcpy(to + TLSG_DGRAM_HEAD, nonce + 4, 8);
	assert_int_equal(gnutls_aead_cipher_init(&aead, GNUTLS_CIPHER_AES_128_GCM, &key), 0);
	assert_int_equal(gnutls_aead_cipher_encrypt(aead, nonce, sizeof(nonce), extra, sizeof(extra), 16, text, size,
							 to + TLSG_DGRAM_HEAD + 8, &sealed),
			0);
	gnutls_aead_cipher_deinit(aead);
	return TLSG_DGRAM_HEAD + 8 + sealed;
}

/* A Finished whose header announces 16 MB: its length cannot be seen before GnuTLS allocates it. */
static void test_finished_that_announces_much(void **state)
{
	struct tlsg_conn_pair_setup u = {.datagram = true, .ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256"};
	unsigned char text[24] = {20, 0xff, 0xff, 0xff, 0, 2, 0, 0, 0, 0, 0, 12};
	int honest;

	(void)state;
	for(honest = 1; honest >= 0; honest--) {
		struct tlsg_conn_pair *x = tlsg_conn_pair_new(&u, NULL);
		struct tlsg_arena_stats s;
		unsigned char record[256];
		unsigned last;
		size_t size;

		(void)tlsg_conn_pair_send(x, TLSG_CLIENT, "", 0);
		tlsg_conn_pair_deliver(x, TLSG_SERVER);
		while(tlsg_conn_pair_deliver(x, TLSG_CLIENT) > 0)
			;
		/* the last record of the flight is the Finished: 13 + 8 + 24 + 16 bytes */
		last = x->sizes[TLSG_SERVER].count - 1;
		x->sizes[TLSG_SERVER].size[last] = (uint16_t)(x->sizes[TLSG_SERVER].size[last] - 61);
		x->wire[TLSG_SERVER].wr -= 61;
		memcpy(record, x->wire[TLSG_SERVER].data + x->wire[TLSG_SERVER].wr, 61);
		while(tlsg_conn_pair_deliver(x, TLSG_SERVER) > 0)
			;
		assert_int_equal(x->last[TLSG_SERVER], TLSG_AGAIN);
		size = honest ? 61 : seal(x->conn[TLSG_CLIENT], record, text, sizeof(text));
		assert_int_equal(size, 61);
		deliver(x, TLSG_SERVER, record, size);
		tlsg_arena_stats_get(x->conn[TLSG_SERVER]->arena, &s);
		assert_true(s.peak < 256 * 1024);
		assert_int_equal(tlsg_conn_is_established(x->conn[TLSG_SERVER]), honest);
		if(!honest) {
			assert_int_equal(x->last[TLSG_SERVER], TLSG_E_PEER);
			assert_non_null(strstr(x->err[TLSG_SERVER].text, "message too large"));
		}
		tlsg_conn_pair_free(x);
	}
}

/* Versions of DTLS by tls_method. */
static void test_methods(void **state)
{
	static const struct
	{
		int server, client;
		int version; /* 0: refused by one side, -1: not built */
	} all[] = {
			{TLSG_METHOD_TLSV1_2, TLSG_METHOD_TLSV1_2, GNUTLS_DTLS1_2},
			{TLSG_METHOD_TLSV1_2_PLUS, TLSG_METHOD_TLSV1_2_PLUS, GNUTLS_DTLS1_2},
			{TLSG_METHOD_SSLV23, TLSG_METHOD_SSLV23, GNUTLS_DTLS1_2},
			{TLSG_METHOD_TLSV1_PLUS, TLSG_METHOD_TLSV1_PLUS, GNUTLS_DTLS1_2},
			{TLSG_METHOD_TLSV1_PLUS, TLSG_METHOD_TLSV1_1, GNUTLS_DTLS1_0},
			{TLSG_METHOD_TLSV1, TLSG_METHOD_TLSV1_PLUS, GNUTLS_DTLS1_0},
			{TLSG_METHOD_SSLV23, TLSG_METHOD_TLSV1_1, 0}, /* 1.0 only where the method names it */
			{TLSG_METHOD_TLSV1_2, TLSG_METHOD_TLSV1, 0},
			{TLSG_METHOD_TLSV1_1, TLSG_METHOD_TLSV1_2, 0},
			{TLSG_METHOD_TLSV1_3, TLSG_METHOD_TLSV1_2, -1},
			{TLSG_METHOD_TLSV1_3_PLUS, TLSG_METHOD_TLSV1_2, -1},
	};
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct tlsg_conn_pair_setup u = {.datagram = true,
				.method = all[i].server,
				.client_method = all[i].client,
				.ciphers = "DEFAULT:@SECLEVEL=0",
				.client_ciphers = "DEFAULT:@SECLEVEL=0"};
		struct tlsg_conn_pair *x;

		if(all[i].version < 0) {
			struct tlsg_conn_params p = {.query = {.role = TLSG_SERVER}, .datagram = true};
			struct tlsg_err err;

			tlsg_err_clear(&err);
			tlsg_set_publish(tlsg_conn_pair_set(&u));
			p.set = tlsg_set_get();
			assert_null(tlsg_conn_new(&p, &err));
			assert_int_equal(err.class, TLSG_CLASS_LOCAL);
			assert_non_null(strstr(err.text, "TLSv1.2"));
			continue;
		}
		x = tlsg_conn_pair_new(&u, NULL);
		tlsg_conn_pair_handshake(x);
		assert_int_equal(tlsg_conn_is_established(x->conn[TLSG_SERVER]), all[i].version != 0);
		if(all[i].version != 0)
			assert_int_equal(tlsg_peer_get(x->conn[TLSG_SERVER])->version, all[i].version);
		else
			assert_int_equal(x->last[TLSG_SERVER], TLSG_E_PEER);
		tlsg_conn_pair_free(x);
	}
}

/* No datagram of a handshake is longer than the MTU; what would not fit in the output ends the association. */
static void test_mtu(void **state)
{
	static const unsigned mtus[] = {TLSG_DATAGRAM_MTU_MIN, 576, 0, TLSG_DATAGRAM_MTU_MAX};
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(mtus) / sizeof(mtus[0]); i++) {
		struct tlsg_conn_pair_setup u = {
				.datagram = true, .mtu = mtus[i], .client = "client", .server_requires = 1, .client_verifies = 1};
		struct tlsg_conn_pair *x = tlsg_conn_pair_new(&u, "localhost");
		unsigned most = 0, count = 0, k;
		int role, turn;

		(void)tlsg_conn_pair_send(x, TLSG_CLIENT, "", 0);
		for(turn = 0; turn < 200; turn++)
			for(role = 0; role < 2; role++) {
				for(k = 0; k < x->sizes[role].count; k++)
					most = x->sizes[role].size[k] > most ? x->sizes[role].size[k] : most;
				count += tlsg_conn_pair_deliver(x, role) > 0;
			}
		tlsg_conn_pair_assert_established(x);
		print_message("MTU %u: %u datagrams of at most %u bytes\n", mtus[i], count, most);
		assert_true(most <= (mtus[i] != 0 ? mtus[i] : TLSG_DATAGRAM_MTU_DEFAULT));
		tlsg_conn_pair_free(x);
	}
}

static void test_output_without_room(void **state)
{
	struct tlsg_conn_pair_setup u = {.datagram = true};
	struct tlsg_conn_pair *x = tlsg_conn_pair_new(&u, NULL);
	struct tlsg_buf *out = &x->wire[TLSG_CLIENT];
	size_t size = out->size;

	(void)state;
	(void)tlsg_conn_pair_send(x, TLSG_CLIENT, "", 0);
	out->size = 300;
	tlsg_conn_pair_deliver(x, TLSG_SERVER);
	out->size = size;
	assert_int_equal(x->last[TLSG_SERVER], TLSG_E_RESOURCE);
	assert_non_null(strstr(x->err[TLSG_SERVER].text, "a flight of the handshake"));
	assert_int_equal(tlsg_conn_state(x->conn[TLSG_SERVER]), TLSG_CONN_FAILED);
	tlsg_conn_pair_free(x);
}

/* A long chain of certificates: in many datagrams, and in more records than GnuTLS sends in a flight. */
static void test_long_chain(void **state)
{
	static const unsigned mtus[] = {TLSG_DATAGRAM_MTU_MAX, 0, TLSG_DATAGRAM_MTU_MIN};
	size_t i;

	(void)state;
	for(i = 0; i < 3; i++) {
		struct tlsg_conn_pair_setup u = {.datagram = true, .server = "long", .mtu = mtus[i]};
		struct tlsg_conn_pair *x = tlsg_conn_pair_new(&u, NULL);

		tlsg_conn_pair_handshake(x);
		if(i < 2)
			tlsg_conn_pair_assert_established(x);
		else {
			assert_int_equal(x->last[TLSG_SERVER], TLSG_E_CONFIG);
			assert_non_null(strstr(x->err[TLSG_SERVER].text, "more than 31 records"));
			assert_int_equal(tlsg_conn_state(x->conn[TLSG_SERVER]), TLSG_CONN_FAILED);
		}
		tlsg_conn_pair_free(x);
	}
}

/* A peer that asks for a renegotiation ends the association, whatever the setting says. */
static void test_renegotiation(void **state)
{
	struct tlsg_conn_pair_setup u = {.datagram = true, .renegotiation = true};
	int role;

	(void)state;
	for(role = 0; role < 2; role++) { /* who asks */
		struct tlsg_conn_pair *x = tlsg_conn_pair_new(&u, NULL);
		struct tlsg_conn *c = x->conn[role];
		struct tlsg_io io = {.out = &x->wire[!role], .sent = &x->sizes[!role], .limits = &x->limits};
		struct tlsg_arena *previous;

		tlsg_conn_pair_handshake(x);
		tlsg_conn_pair_assert_established(x);
		assert_int_equal(tlsg_conn_pair_send(x, !role, "text", 4), TLSG_OK);
		tlsg_conn_pair_run(x); /* a server has no flight to send again then */
		assert_int_equal(tlsg_conn_step_enter(c, &io, TLSG_HEADROOM_HANDSHAKE, &previous, NULL), TLSG_OK);
		assert_int_equal(role == TLSG_CLIENT ? gnutls_handshake(c->session) : gnutls_rehandshake(c->session),
				GNUTLS_E_AGAIN); /* sent, and no answer yet */
		assert_int_equal(tlsg_conn_step_leave(c, previous, TLSG_OK, NULL), TLSG_OK);
		while(tlsg_conn_pair_deliver(x, !role) > 0)
			;
		assert_int_equal(x->last[!role], TLSG_EOF);
		assert_int_equal(tlsg_conn_state(x->conn[!role]), TLSG_CONN_CLOSING);
		assert_int_equal(tlsg_conn_pair_send(x, !role, "x", 1), TLSG_EOF);
		tlsg_conn_pair_free(x);
	}
}

/* Tickets of TLS and of DTLS are encrypted with different keys, which are constant. */
static void test_ticket_keys(void **state)
{
	struct tlsg_conn_pair_setup u = {.datagram = true, .cache = true};
	struct tlsg_set *set = tlsg_conn_pair_set(&u);
	const struct tlsg_prof *p = set->defaults[TLSG_SERVER];
	unsigned char tls[TLSG_TICKET_KEY_SIZE], dtls[TLSG_TICKET_KEY_SIZE], again[TLSG_TICKET_KEY_SIZE];
	time_t now = time(NULL);

	(void)state;
	assert_int_equal(tlsg_ticket_key(p, 0, false, now, tls), TLSG_OK);
	assert_int_equal(tlsg_ticket_key(p, 0, true, now, dtls), TLSG_OK);
	assert_int_equal(tlsg_ticket_key(p, 0, true, now, again), TLSG_OK);
	assert_memory_not_equal(tls, dtls, sizeof(tls));
	assert_memory_equal(dtls, again, sizeof(dtls));
	tlsg_set_drop(set);
}

/* The association's timer: after a flight, at the deadline, and not at all when there is nothing to wait for. */
static void test_timer(void **state)
{
	struct tlsg_conn_pair_setup u = {.datagram = true};
	struct tlsg_conn_pair *x = tlsg_conn_pair_new(&u, NULL);
	struct tlsg_conn *c = x->conn[TLSG_CLIENT];
	struct tlsg_io io = {.out = &x->wire[TLSG_SERVER], .sent = &x->sizes[TLSG_SERVER], .limits = &x->limits};
	int timeout_ms;

	(void)state;
	(void)tlsg_conn_pair_send(x, TLSG_CLIENT, "", 0);
	timeout_ms = tlsg_conn_datagram_timeout_ms(c);
	assert_true(timeout_ms >= 500 && timeout_ms <= TLSG_DATAGRAM_RETRANSMIT_MS + 63);
	assert_int_equal(tlsg_conn_datagram_timer(c, &io, NULL), TLSG_AGAIN); /* too early: harmless */
	tlsg_stub_ticks_set(get_ticks_raw() + S_TO_TICKS(31));
	assert_int_equal(tlsg_conn_datagram_timeout_ms(c), 0);
	assert_int_equal(tlsg_conn_datagram_timer(c, &io, &x->err[TLSG_CLIENT]), TLSG_E_PEER);
	assert_non_null(strstr(x->err[TLSG_CLIENT].text, "handshake_timeout"));
	assert_int_equal(tlsg_conn_datagram_timeout_ms(c), -1);
	tlsg_conn_pair_free(x);
	x = tlsg_conn_pair_new(&u, NULL);
	tlsg_conn_pair_handshake(x);
	assert_int_equal(tlsg_conn_datagram_timeout_ms(x->conn[TLSG_CLIENT]), -1);
	assert_int_equal(tlsg_conn_datagram_timeout_ms(x->conn[TLSG_SERVER]), -1);
	tlsg_conn_pair_free(x);
}

/* Running GnuTLS: the answer is known where this module is tested. */
static void test_probe(void **state)
{
	const char *faults = tlsg_dgram_probe_faults();

	(void)state;
	print_message("GnuTLS %s: %s\n", gnutls_check_version(NULL), faults != NULL ? faults : "no known faults");
	if(gnutls_check_version("3.8.13") != NULL)
		assert_null(faults);
	if(faults != NULL)
		assert_non_null(strstr(faults, "CVE-2026-33846"));
}

static int group_setup(void **state)
{
	char chain[ISSUERS * 16 + 16] = "";
	int i;

	rows_make();
	if(tlsg_conn_pair_usual(state) != 0)
		return -1;
	tlsg_conn_pair_add(rows, sizeof(rows) / sizeof(rows[0]));
	for(i = ISSUERS; i >= 0; i--)
		snprintf(chain + strlen(chain), sizeof(chain) - strlen(chain), "%s%s", names[i], i > 0 ? " " : "");
	tlsg_conn_pair_write("long", chain, names[ISSUERS]);
	return 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_data),
			cmocka_unit_test(test_boundaries),
			cmocka_unit_test(test_longest_message),
			cmocka_unit_test(test_replay),
			cmocka_unit_test(test_garbage),
			cmocka_unit_test(test_memory_is_bounded),
			cmocka_unit_test(test_finished_that_announces_much),
			cmocka_unit_test(test_methods),
			cmocka_unit_test(test_mtu),
			cmocka_unit_test(test_output_without_room),
			cmocka_unit_test(test_long_chain),
			cmocka_unit_test(test_renegotiation),
			cmocka_unit_test(test_ticket_keys),
			cmocka_unit_test(test_timer),
			cmocka_unit_test(test_probe),
	};

	return cmocka_run_group_tests(tests, group_setup, tlsg_conn_pair_teardown);
}
