/*
 * tls_gnutls - tests of a connection: a client and a server of this module, connected through memory
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: unit tests.  Memory: the stand-in's shared region.  Lock: none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "profiles/cipher/method.h"
#include "profiles/key.h"
#include "profiles/priority.h"
#include "profiles/ticket.h"
#include "tests/lib/arena_stats.h"
#include "tests/lib/conn_pair.h"
#include "transport/conn_state.h"
#include "transport/conn_step.h"

#define LENGTH_BYTES 2 /* of a message in the queue of datagrams */
#define TLS12_ROWS 2   /* of test_data_both_ways() */

static const struct tlsg_cert *cert_of(const char *name)
{
	return tlsg_certs_get(tlsg_conn_pair_certs(), name);
}

/* The carrier of a test, which is its initial state. */
static bool over_datagrams(void **state)
{
	return *state != NULL;
}

/* The version of a session that has `version` over a stream. */
static int version_of(void **state, int version)
{
	return over_datagrams(state) ? GNUTLS_DTLS1_2 : version;
}

static struct tlsg_conn_pair *pair_new(void **state, const struct tlsg_conn_pair_setup *setup, const char *sni)
{
	struct tlsg_conn_pair_setup u = *setup;

	u.datagram = over_datagrams(state);
	return tlsg_conn_pair_new(&u, sni);
}

static void test_data_both_ways(void **state)
{
	static const struct
	{
		int method;
		const char *server;
		int version;
	} all[] = {
			{TLSG_METHOD_TLSV1_2, "ec", GNUTLS_TLS1_2},
			{TLSG_METHOD_TLSV1_2, "rsa", GNUTLS_TLS1_2}, /* TLS12_ROWS */
			{TLSG_METHOD_TLSV1_3, "ec", GNUTLS_TLS1_3},
			{TLSG_METHOD_TLSV1_3, "rsa", GNUTLS_TLS1_3},
	};
	static const size_t chunks[] = {0, 1, 7, 512}; /* of a stream */
	static const unsigned mtus[] = {0, TLSG_DATAGRAM_MTU_MIN, 500, TLSG_DATAGRAM_MTU_MAX};
	size_t i;
	size_t k;

	for(i = 0; i < (over_datagrams(state) ? TLS12_ROWS : sizeof(all) / sizeof(all[0])); i++)
		for(k = 0; k < sizeof(chunks) / sizeof(chunks[0]); k++) {
			struct tlsg_conn_pair_setup u = {
					.method = all[i].method, .mtu = mtus[k], .server = all[i].server, .client_verifies = 1};
			struct tlsg_conn_pair *x = pair_new(state, &u, NULL);

			x->chunk = chunks[k];
			tlsg_conn_pair_handshake(x);
			tlsg_conn_pair_assert_established(x);
			assert_int_equal(tlsg_peer_get(x->conn[TLSG_SERVER])->version, version_of(state, all[i].version));
			assert_non_null(tlsg_peer_get(x->conn[TLSG_SERVER])->suite);
			assert_int_equal(tlsg_conn_pair_send(x, TLSG_CLIENT, "ping", 4), TLSG_OK);
			assert_int_equal(tlsg_conn_pair_send(x, TLSG_SERVER, "pong!", 5), TLSG_OK);
			tlsg_conn_pair_run(x);
			tlsg_conn_pair_assert_text(x, TLSG_SERVER, "ping");
			tlsg_conn_pair_assert_text(x, TLSG_CLIENT, "pong!");
			tlsg_conn_pair_free(x);
		}
}

static void test_peer_record(void **state)
{
	struct tlsg_conn_pair_setup u = {.client = "client", .server_requires = 1, .client_verifies = 1};
	struct tlsg_conn_pair *x = pair_new(state, &u, "localhost");
	const struct tlsg_peer *server;
	const struct tlsg_peer *client;

	assert_null(tlsg_peer_get(x->conn[TLSG_SERVER]));
	assert_null(tlsg_peer_get(NULL));
	tlsg_conn_pair_handshake(x);
	tlsg_conn_pair_assert_established(x);
	server = tlsg_peer_get(x->conn[TLSG_SERVER]);
	client = tlsg_peer_get(x->conn[TLSG_CLIENT]);
	assert_false(server->is_client);
	assert_true(client->is_client);
	assert_string_equal(server->sni.s, "localhost");
	assert_string_equal(client->sni.s, "localhost");
	assert_int_equal(server->chain_len, 1);
	assert_int_equal(server->chain[0].size, cert_of("client")->der.size);
	assert_memory_equal(server->chain[0].data, cert_of("client")->der.data, server->chain[0].size);
	assert_int_equal(server->verify, TLSG_V_OK);
	assert_int_equal(server->built_len, 2);
	assert_memory_equal(client->chain[0].data, cert_of("ec")->der.data, client->chain[0].size);
	assert_non_null(server->own);
	assert_non_null(client->own);
	assert_ptr_equal(server->prof, server->prof->set->defaults[TLSG_SERVER]);
	tlsg_conn_pair_free(x);
}

static void test_mutual(void **state)
{
	static const struct
	{
		const char *client;
		int verifies;
		int requires;
		bool up;
		enum tlsg_verify_code code;
	} all[] = {
			{"client", 1, 0, true, TLSG_V_OK}, {"client", 0, 1, true, TLSG_V_OK},
			{NULL, 1, 0, true, TLSG_V_OK},						 /* no certificate: accepted unless required */
			{NULL, 0, 1, false, TLSG_V_OK},						 /* required */
			{"stranger", 1, 0, false, TLSG_V_LEAF_UNVERIFIABLE}, /* presented, so it must be valid */
			{"expired", 0, 1, false, TLSG_V_EXPIRED}, {"stranger", 0, 0, true, TLSG_V_OK}, /* not asked for */
	};
	static const int methods[] = {TLSG_METHOD_TLSV1_2, TLSG_METHOD_TLSV1_3};
	size_t i;
	size_t k;

	for(i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		for(k = 0; k < (over_datagrams(state) ? 1 : 2); k++) {
			struct tlsg_conn_pair_setup u = {.method = methods[k],
					.client = all[i].client,
					.server_verifies = all[i].verifies,
					.server_requires = all[i].requires};
			struct tlsg_conn_pair *x = pair_new(state, &u, NULL);

			tlsg_conn_pair_handshake(x);
			assert_int_equal(tlsg_conn_is_established(x->conn[TLSG_SERVER]), all[i].up);
			if(!all[i].up) {
				assert_int_equal(x->last[TLSG_SERVER], TLSG_E_PEER);
				assert_int_equal(x->err[TLSG_SERVER].class, TLSG_CLASS_PEER);
				/* the client gets an alert */
				assert_int_equal(x->last[TLSG_CLIENT], TLSG_E_PEER);
				assert_int_equal(x->err[TLSG_CLIENT].gnutls_code == 0 || x->err[TLSG_CLIENT].alert >= 0, 1);
				if(all[i].code != TLSG_V_OK && x->conn[TLSG_SERVER]->verdict.code != all[i].code)
					assert_int_equal(x->conn[TLSG_SERVER]->verdict.code, TLSG_V_NO_LOCAL_ISSUER);
			}
			if(all[i].client == NULL && all[i].requires)
				assert_int_equal(x->err[TLSG_CLIENT].alert,
						methods[k] == TLSG_METHOD_TLSV1_3 ? GNUTLS_A_CERTIFICATE_REQUIRED : GNUTLS_A_HANDSHAKE_FAILURE);
			tlsg_conn_pair_free(x);
		}
}

static void test_client_refuses_an_unknown_issuer(void **state)
{
	struct tlsg_conn_pair_setup u = {.client_verifies = 1, .client_ca = "other"};
	struct tlsg_conn_pair_setup lax = {.client_verifies = 0, .client_ca = "other"};
	struct tlsg_conn_pair *x = pair_new(state, &u, NULL);

	tlsg_conn_pair_handshake(x);
	assert_int_equal(x->last[TLSG_CLIENT], TLSG_E_PEER);
	assert_non_null(strstr(x->err[TLSG_CLIENT].text, "certificate verify failed"));
	assert_false(tlsg_conn_is_established(x->conn[TLSG_SERVER]));
	tlsg_conn_pair_free(x);
	x = pair_new(state, &lax, NULL); /* not enforced, but recorded */
	tlsg_conn_pair_handshake(x);
	tlsg_conn_pair_assert_established(x);
	assert_int_not_equal(tlsg_peer_get(x->conn[TLSG_CLIENT])->verify, TLSG_V_OK);
	tlsg_conn_pair_free(x);
}

static void test_sni_applies_the_whole_profile(void **state)
{
	struct tlsg_conn_pair_setup u = {.with_named = true};
	struct tlsg_conn_pair *x = pair_new(state, &u, "NAMED.example");

	tlsg_conn_pair_handshake(x);
	tlsg_conn_pair_assert_established(x);
	/* certificate and protocol range are those of the named profile */
	assert_memory_equal(tlsg_peer_get(x->conn[TLSG_CLIENT])->chain[0].data, cert_of("named")->der.data, 64);
	assert_int_equal(tlsg_peer_get(x->conn[TLSG_SERVER])->version, version_of(state, GNUTLS_TLS1_2));
	assert_int_equal(tlsg_peer_get(x->conn[TLSG_SERVER])->prof->kind, TLSG_PROF_ANY);
	tlsg_conn_pair_free(x);
	x = pair_new(state, &u, "unknown.example"); /* falls back to the default profile */
	tlsg_conn_pair_handshake(x);
	tlsg_conn_pair_assert_established(x);
	assert_int_equal(tlsg_peer_get(x->conn[TLSG_SERVER])->version, version_of(state, GNUTLS_TLS1_3));
	assert_int_equal(tlsg_peer_get(x->conn[TLSG_SERVER])->prof->kind, TLSG_PROF_DEFAULT);
	tlsg_conn_pair_free(x);
}

static void test_suite_list_is_enforced(void **state)
{
	/* The priority string for these two also allows the relatives of ECDHE-ECDSA with AES-256-CBC-SHA384. */
	struct tlsg_conn_pair_setup u = {.method = TLSG_METHOD_TLSV1_2, .ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256"};
	struct tlsg_conn_pair_setup none = {.method = TLSG_METHOD_TLSV1_2, .ciphers = "ECDHE-RSA-AES128-GCM-SHA256"};
	struct tlsg_conn_pair *x = pair_new(state, &u, NULL);

	tlsg_conn_pair_handshake(x);
	tlsg_conn_pair_assert_established(x);
	assert_string_equal(tlsg_suite_name(tlsg_peer_get(x->conn[TLSG_SERVER])->suite), "ECDHE-ECDSA-AES128-GCM-SHA256");
	tlsg_conn_pair_free(x);
	x = pair_new(state, &none, NULL); /* no key of the server fits the only suite */
	tlsg_conn_pair_handshake(x);
	assert_int_equal(x->last[TLSG_SERVER], TLSG_E_PEER);
	assert_int_equal(x->last[TLSG_CLIENT], TLSG_E_PEER);
	tlsg_conn_pair_free(x);
}

/* The server picks a suite that the client's priority string allows and its list does not: that connection was never
 * established. */
static void test_client_enforces_its_list(void **state)
{
	struct tlsg_conn_pair_setup u = {.method = TLSG_METHOD_TLSV1_2,
			.server = "rsa",
			.ciphers = "ECDHE-RSA-AES128-GCM-SHA256",
			.client_ciphers = "AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384"};
	struct tlsg_conn_pair *x = pair_new(state, &u, NULL);

	tlsg_conn_pair_handshake(x);
	assert_int_equal(x->last[TLSG_CLIENT], TLSG_E_PEER);
	assert_false(tlsg_conn_is_established(x->conn[TLSG_CLIENT]));
	assert_int_equal(tlsg_conn_state(x->conn[TLSG_CLIENT]), TLSG_CONN_FAILED);
	tlsg_conn_pair_free(x);
}

/* Of two certificates, the one that matches the client's suites is presented, whatever signatures the client knows. */
static void test_certificate_matches_the_suites(void **state)
{
	static const struct
	{
		const char *server;
		const char *client;
		const char *suite;
		const char *shown;
	} all[] = {
			{NULL, "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "rsa"},
			{NULL, "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256", "ec"},
			{NULL, "AES128-GCM-SHA256", "AES128-GCM-SHA256", "rsa"},
			/* the priority string allows more than the list, so one suite is picked for GnuTLS */
			{"ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE+AESGCM", NULL, NULL},
			{"AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384:AES128-GCM-SHA256",
					"AES128-GCM-SHA256", "rsa"},
	};
	size_t i;

	for(i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct tlsg_conn_pair_setup u = {.method = TLSG_METHOD_TLSV1_2,
				.server = "ec",
				.server2 = "rsa",
				.ciphers = all[i].server,
				.client_method = TLSG_METHOD_TLSV1_2,
				.client_ciphers = all[i].client};
		struct tlsg_conn_pair *x = pair_new(state, &u, NULL);
		const struct tlsg_peer *peer;

		tlsg_conn_pair_handshake(x);
		tlsg_conn_pair_assert_established(x);
		peer = tlsg_peer_get(x->conn[TLSG_CLIENT]);
		if(all[i].suite != NULL)
			assert_string_equal(tlsg_suite_name(peer->suite), all[i].suite);
		if(all[i].shown != NULL) {
			assert_int_equal(peer->chain[0].size, cert_of(all[i].shown)->der.size);
			assert_memory_equal(peer->chain[0].data, cert_of(all[i].shown)->der.data, peer->chain[0].size);
		}
		tlsg_conn_pair_free(x);
	}
}

/* A wrong ciphertext of a client gives a random secret, not an error: GnuTLS would free an uninitialized pointer, and
 * the time of an error would tell a client about the padding. */
static void test_wrong_premaster(void **state)
{
	struct tlsg_conn_pair_setup u = {.method = TLSG_METHOD_TLSV1_2, .server = "rsa"};
	struct tlsg_conn_pair *x = tlsg_conn_pair_new(&u, NULL);
	struct tlsg_set *set = tlsg_set_get();
	gnutls_privkey_t key = set->defaults[TLSG_SERVER]->pairs[0].key->ext;
	unsigned char bytes[256], before[48], secret[2][48];
	gnutls_datum_t wrong = {bytes, sizeof(bytes)};
	gnutls_datum_t out;
	int i;

	(void)state;
	tlsg_conn_pair_handshake(x); /* makes the credentials of this process */
	memset(bytes, 1, sizeof(bytes));
	memset(before, 0xEE, sizeof(before));
	for(i = 0; i < 2; i++) {
		out.data = before; /* as garbage on the stack */
		out.size = sizeof(before);
		assert_int_equal(gnutls_privkey_decrypt_data(key, 0, &wrong, &out), 0);
		assert_ptr_not_equal(out.data, before);
		assert_int_equal(out.size, sizeof(secret[i]));
		memcpy(secret[i], out.data, out.size);
		gnutls_free(out.data);
	}
	assert_memory_not_equal(secret[0], secret[1], sizeof(secret[0]));
	tlsg_set_put(set);
	tlsg_conn_pair_free(x);
}

/* A ticket from before the list got shorter is refused, although the priority string stays the same. */
static void test_ticket_belongs_to_the_list(void **state)
{
	struct tlsg_conn_pair_setup u = {.method = TLSG_METHOD_TLSV1_2,
			.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256:AES256-GCM-SHA384:ECDHE-ECDSA-AES256-GCM-SHA384"};
	struct tlsg_conn_pair_setup v = {
			.method = TLSG_METHOD_TLSV1_2, .ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256:AES256-GCM-SHA384"};
	struct tlsg_set *a = tlsg_conn_pair_set(&u);
	struct tlsg_set *b = tlsg_conn_pair_set(&v);
	const struct tlsg_prof *pa = a->defaults[TLSG_SERVER];
	const struct tlsg_prof *pb = b->defaults[TLSG_SERVER];

	(void)state;
	assert_string_equal(pa->priority->list.priority, pb->priority->list.priority);
	assert_memory_not_equal(pa->ticket_context, pb->ticket_context, TLSG_TICKET_CONTEXT_SIZE);
	tlsg_set_drop(a);
	tlsg_set_drop(b);
}

/* The format of SSL 2: GnuTLS accepts it, and it would bypass the inspection of the ClientHello. */
static void test_old_hello_is_refused(void **state)
{
	struct tlsg_conn_pair_setup u = {
			.method = TLSG_METHOD_TLSV1_2, .server = "rsa", .ciphers = "AES128-SHA256:ECDHE-RSA-AES256-GCM-SHA384"};
	static const unsigned char suites[] = {0x3C, 0x9D}; /* in the list; only in the priority string */
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(suites); i++) {
		unsigned char hello[2 + 9 + 3 + 32] = {
				0x80, 9 + 3 + 32, 1, 3, 3, 0, 3, 0, 0, 0, 32, 0x00, 0x00, suites[i], 1, 2, 3, 4};
		struct tlsg_conn_pair *x = tlsg_conn_pair_new(&u, NULL);

		tlsg_buf_put(&x->wire[TLSG_SERVER], hello, sizeof(hello));
		tlsg_conn_pair_deliver(x, TLSG_SERVER);
		assert_int_equal(x->last[TLSG_SERVER], TLSG_E_PEER);
		assert_true(tlsg_buf_filled(&x->wire[TLSG_CLIENT]) <= 7); /* an alert at most */
		tlsg_conn_pair_free(x);
	}
}

static void test_text_before_the_handshake_is_queued(void **state)
{
	struct tlsg_conn_pair_setup u = {0};
	struct tlsg_conn_pair *x = pair_new(state, &u, NULL);
	unsigned framing = over_datagrams(state) ? LENGTH_BYTES : 0;
	struct tlsg_conn_status s;

	assert_int_equal(tlsg_conn_pair_send(x, TLSG_CLIENT, "first ", 6), TLSG_AGAIN);
	assert_int_equal(tlsg_conn_pair_send(x, TLSG_CLIENT, "second", 6), TLSG_AGAIN);
	tlsg_conn_status_get(x->conn[TLSG_CLIENT], &s);
	assert_int_equal(s.ct_wq_size, 12 + 2 * framing);
	assert_string_equal(s.state, "tls_connect");
	assert_int_equal(s.flags, 1);
	assert_int_equal(tlsg_queue_total_bytes(), 12 + 2 * framing);
	tlsg_conn_pair_run(x);
	tlsg_conn_pair_assert_established(x);
	tlsg_conn_pair_assert_text(x, TLSG_SERVER, "first second");
	assert_int_equal(tlsg_queue_total_bytes(), 0);
	tlsg_conn_status_get(x->conn[TLSG_CLIENT], &s);
	assert_string_equal(s.state, "established");
	assert_int_equal(s.flags, 2);
	tlsg_conn_pair_free(x);
}

static void test_queue_limits(void **state)
{
	struct tlsg_conn_pair_setup u = {0};
	struct tlsg_conn_pair *x = pair_new(state, &u, NULL);
	unsigned framing = over_datagrams(state) ? LENGTH_BYTES : 0;
	static char text[2000];

	x->limits.queue.con_max_bytes = 1000 + framing;
	assert_int_equal(tlsg_conn_pair_send(x, TLSG_CLIENT, text, 1001), TLSG_E_RESOURCE); /* the first chunk counts too */
	assert_int_equal(tlsg_queue_total_bytes(), 0);
	assert_int_equal(tlsg_conn_pair_send(x, TLSG_CLIENT, text, 1000), TLSG_AGAIN);
	assert_int_equal(tlsg_conn_pair_send(x, TLSG_CLIENT, text, 1), TLSG_E_RESOURCE);
	tlsg_conn_pair_free(x); /* frees what is queued */
	assert_int_equal(tlsg_queue_total_bytes(), 0);
	x = pair_new(state, &u, NULL);
	x->limits.queue.max_bytes = 500 + framing;
	assert_int_equal(tlsg_conn_pair_send(x, TLSG_CLIENT, text, 501), TLSG_E_RESOURCE);
	assert_int_equal(tlsg_conn_pair_send(x, TLSG_CLIENT, text, 500), TLSG_AGAIN);
	tlsg_conn_pair_free(x);
}

static void test_held_queue_waits(void **state)
{
	struct tlsg_conn_pair_setup u = {0};
	struct tlsg_conn_pair *x = pair_new(state, &u, NULL);

	tlsg_conn_hold_queue(x->conn[TLSG_CLIENT], true);
	tlsg_conn_pair_send(x, TLSG_CLIENT, "wait", 4);
	tlsg_conn_pair_run(x);
	tlsg_conn_pair_assert_established(x);
	tlsg_conn_pair_assert_text(x, TLSG_SERVER, "");
	assert_int_equal(tlsg_conn_pair_send(x, TLSG_CLIENT, "!", 1), TLSG_AGAIN); /* behind queued text */
	tlsg_conn_hold_queue(x->conn[TLSG_CLIENT], false);
	tlsg_conn_pair_send(x, TLSG_SERVER, "go", 2); /* any step flushes */
	tlsg_conn_pair_run(x);
	tlsg_conn_pair_assert_text(x, TLSG_SERVER, "wait!");
	tlsg_conn_pair_free(x);
}

static void test_large_text_in_small_pieces(void **state)
{
	struct tlsg_conn_pair_setup u = {0};
	struct tlsg_conn_pair *x = tlsg_conn_pair_new(&u, NULL);
	static char text[60000];
	struct tlsg_buf small;
	char got[100];
	size_t total = 0;
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(text); i++)
		text[i] = (char)(i * 7 + i / 251);
	tlsg_conn_pair_handshake(x);
	tlsg_conn_pair_assert_established(x);
	x->limits.record_max_bytes = 512;
	assert_int_equal(tlsg_conn_pair_send(x, TLSG_CLIENT, text, sizeof(text)), TLSG_OK);
	assert_true(tlsg_buf_filled(&x->wire[TLSG_SERVER]) > sizeof(text) + sizeof(text) / 512 * 20);
	do {
		struct tlsg_io io = {.in = &x->wire[TLSG_SERVER], .out = &x->wire[TLSG_CLIENT], .limits = &x->limits};

		tlsg_buf_init(&small, got, sizeof(got));
		x->last[TLSG_SERVER] = tlsg_conn_read(x->conn[TLSG_SERVER], &io, &small, &x->err[TLSG_SERVER]);
		assert_memory_equal(got, text + total, small.wr);
		total += small.wr;
		if(x->last[TLSG_SERVER] == TLSG_FULL && total == 300) { /* what is left is kept, as the read hook does it */
			assert_int_equal(
					tlsg_conn_keep(x->conn[TLSG_SERVER], &x->wire[TLSG_SERVER], &x->err[TLSG_SERVER]), TLSG_OK);
			assert_int_equal(tlsg_buf_filled(&x->wire[TLSG_SERVER]), 0);
			assert_true(tlsg_conn_has_pending(x->conn[TLSG_SERVER]));
		}
	} while(x->last[TLSG_SERVER] == TLSG_FULL);
	assert_int_equal(x->last[TLSG_SERVER], TLSG_AGAIN);
	assert_int_equal(total, sizeof(text));
	assert_false(tlsg_conn_has_pending(x->conn[TLSG_SERVER]));
	tlsg_conn_pair_free(x);
}

static void test_output_without_room(void **state)
{
	struct tlsg_conn_pair_setup u = {0};
	struct tlsg_conn_pair *x = tlsg_conn_pair_new(&u, NULL);
	static char text[40000];
	unsigned char bytes[20000];
	struct tlsg_buf out;
	struct tlsg_io io = {.out = &out, .limits = &x->limits};
	size_t used;

	(void)state;
	tlsg_conn_pair_handshake(x);
	tlsg_conn_pair_assert_established(x);
	tlsg_buf_init(&out, bytes, sizeof(bytes));
	assert_int_equal(
			tlsg_conn_write(x->conn[TLSG_CLIENT], &io, text, sizeof(text), &used, &x->err[TLSG_CLIENT]), TLSG_FULL);
	assert_int_equal(used, 16384); /* one record fitted: the rest is for the next call */
	assert_true(out.wr > used);
	tlsg_conn_pair_free(x);
}

static void test_close_notify_closes_one_direction(void **state)
{
	struct tlsg_conn_pair_setup u = {0};
	struct tlsg_conn_pair *x = pair_new(state, &u, NULL);
	struct tlsg_io io = {.out = &x->wire[TLSG_SERVER], .sent = &x->sizes[TLSG_SERVER], .limits = &x->limits};

	tlsg_conn_close_notify(x->conn[TLSG_CLIENT], &io); /* nothing is sent before the handshake */
	assert_int_equal(tlsg_buf_filled(&x->wire[TLSG_SERVER]), 0);
	tlsg_conn_pair_handshake(x);
	tlsg_conn_pair_assert_established(x);
	tlsg_conn_pair_send(x, TLSG_CLIENT, "bye", 3);
	tlsg_conn_close_notify(x->conn[TLSG_CLIENT], &io);
	assert_int_equal(tlsg_conn_pair_send(x, TLSG_CLIENT, "more", 4), TLSG_EOF);
	tlsg_conn_pair_run(x);
	assert_int_equal(x->last[TLSG_SERVER], TLSG_EOF);
	tlsg_conn_pair_assert_text(x, TLSG_SERVER, "bye");
	assert_int_equal(tlsg_conn_pair_send(x, TLSG_SERVER, "answer", 6), TLSG_OK);
	assert_true(tlsg_buf_filled(&x->wire[TLSG_CLIENT]) > 6);
	tlsg_conn_pair_free(x);
}

static void test_garbage_fails_permanently(void **state)
{
	struct tlsg_conn_pair_setup u = {0};
	struct tlsg_conn_pair *x = tlsg_conn_pair_new(&u, NULL);
	static const char junk[] = "OPTIONS sip:127.0.0.1 SIP/2.0\r\n\r\n";

	(void)state;
	tlsg_buf_put(&x->wire[TLSG_SERVER], junk, sizeof(junk));
	tlsg_conn_pair_deliver(x, TLSG_SERVER);
	assert_int_equal(x->last[TLSG_SERVER], TLSG_E_PEER);
	assert_int_equal(tlsg_conn_state(x->conn[TLSG_SERVER]), TLSG_CONN_FAILED);
	assert_true(x->err[TLSG_SERVER].text[0] != '\0');
	tlsg_err_clear(&x->err[TLSG_SERVER]);
	tlsg_buf_put(&x->wire[TLSG_SERVER], junk, sizeof(junk));
	tlsg_conn_pair_deliver(x, TLSG_SERVER);
	assert_int_equal(x->last[TLSG_SERVER], TLSG_E_INTERNAL);
	assert_int_equal(tlsg_conn_pair_send(x, TLSG_SERVER, "x", 1), TLSG_E_INTERNAL);
	tlsg_conn_pair_free(x);
}

/* A wrong ChangeCipherSpec ends the connection at once, in both roles; GnuTLS 3.8.9 and later would wait. */
static void test_wrong_change_cipher_spec(void **state)
{
	static const struct
	{
		unsigned char record[8];
		size_t size;
	} all[] = {{{20, 3, 3, 0, 2, 1, 1}, 7}, {{20, 3, 3, 0, 1, 2}, 6}, {{20, 3, 3, 0, 1, 0}, 6}, {{20, 3, 3, 0, 0}, 5}};
	size_t i;
	int victim;

	(void)state;
	for(i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		for(victim = TLSG_SERVER; victim <= TLSG_CLIENT; victim++) {
			struct tlsg_conn_pair_setup u = {0};
			struct tlsg_conn_pair *x = tlsg_conn_pair_new(&u, NULL);

			if(victim == TLSG_CLIENT)
				assert_true(tlsg_conn_pair_send(x, TLSG_CLIENT, "", 0) >= 0);
			x->wire[!victim].rd = x->wire[!victim].wr;
			assert_true(tlsg_buf_put(&x->wire[victim], all[i].record, all[i].size));
			tlsg_conn_pair_deliver(x, victim);
			assert_int_equal(x->last[victim], TLSG_E_PEER);
			assert_non_null(strstr(x->err[victim].text, "ChangeCipherSpec"));
			assert_int_equal(tlsg_conn_state(x->conn[victim]), TLSG_CONN_FAILED);
			/* the alert unexpected_message */
			assert_int_equal(tlsg_buf_filled(&x->wire[!victim]), 7);
			assert_int_equal(x->wire[!victim].data[x->wire[!victim].rd + 6], GNUTLS_A_UNEXPECTED_MESSAGE);
			tlsg_conn_pair_free(x);
		}
}

/* A connection releases the references of its session to the priorities of the snapshot. */
static void test_priorities_are_released(void **state)
{
	struct tlsg_conn_pair_setup u = {.method = TLSG_METHOD_TLSV1_2,
			.server = "rsa",
			.ciphers = "AES128-SHA256:ECDHE-RSA-AES256-GCM-SHA384",
			.with_named = true};
	struct tlsg_conn_pair *x = tlsg_conn_pair_new(&u, "named.example");
	struct tlsg_set *set = tlsg_set_get();
	gnutls_priority_t all[] = {set->defaults[TLSG_SERVER]->priority->compiled,
			set->defaults[TLSG_SERVER]->priority->single[0], set->defaults[TLSG_SERVER]->priority->single[1],
			set->list[TLSG_SERVER]->priority->compiled};
	struct tlsg_arena_stats before, after;
	size_t i;

	(void)state;
	tlsg_conn_pair_handshake(x); /* starts with the default profile's, continues with the other's */
	tlsg_conn_pair_assert_established(x);
	tlsg_conn_pair_free(x);
	for(i = 0; i < sizeof(all) / sizeof(all[0]); i++) { /* one without other references is freed at once */
		tlsg_arena_stats_get(set->arena, &before);
		gnutls_priority_deinit(all[i]);
		tlsg_arena_stats_get(set->arena, &after);
		assert_true(after.in_use < before.in_use);
	}
	tlsg_set_put(set);
}

/* Records without data, as a client may send them: few are harmless, many are not. @return the server's last result. */
static enum tlsg_ret flood(struct tlsg_conn_pair *x, unsigned n, bool alerts)
{
	struct tlsg_io io = {.out = &x->wire[TLSG_SERVER], .limits = &x->limits};
	struct tlsg_conn *c = x->conn[TLSG_CLIENT];
	struct tlsg_arena *previous;

	assert_int_equal(tlsg_conn_step_enter(c, &io, TLSG_HEADROOM_RECORD, &previous, NULL), TLSG_OK);
	while(n-- > 0) {
		if(alerts)
			assert_int_equal(gnutls_alert_send(c->session, GNUTLS_AL_WARNING, GNUTLS_A_USER_CANCELED), 0);
		else
			assert_int_equal(gnutls_record_send2(c->session, "", 0, 1, 0), 0); /* padding only */
	}
	assert_int_equal(tlsg_conn_step_leave(c, previous, TLSG_OK, NULL), TLSG_OK);
	tlsg_conn_pair_deliver(x, TLSG_SERVER);
	return x->last[TLSG_SERVER];
}

static void test_records_without_data(void **state)
{
	static const struct
	{
		int method;
		bool alerts;
	} all[] = {{TLSG_METHOD_TLSV1_2, true}, {TLSG_METHOD_TLSV1_3, true}, {TLSG_METHOD_TLSV1_3, false}};
	size_t i;
	int k;

	(void)state;
	for(i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct tlsg_conn_pair_setup u = {.method = all[i].method};
		struct tlsg_conn_pair *x = tlsg_conn_pair_new(&u, NULL);

		tlsg_conn_pair_handshake(x);
		tlsg_conn_pair_assert_established(x);
		for(k = 0; k < 20; k++) {
			assert_int_equal(flood(x, 20, all[i].alerts), TLSG_AGAIN);
			assert_int_equal(tlsg_conn_pair_send(x, TLSG_CLIENT, "x", 1), TLSG_OK);
			tlsg_conn_pair_run(x);
			tlsg_conn_pair_assert_text(x, TLSG_SERVER, "x");
		}
		assert_int_equal(flood(x, 500, all[i].alerts), TLSG_E_PEER);
		assert_int_equal(tlsg_conn_state(x->conn[TLSG_SERVER]), TLSG_CONN_FAILED);
		assert_int_equal(x->err[TLSG_SERVER].class, TLSG_CLASS_PEER);
		tlsg_conn_pair_free(x);
	}
}

/* A stream ends, a datagram is lost. */
static void test_flipped_bit_fails(void **state)
{
	struct tlsg_conn_pair_setup u = {0};
	struct tlsg_conn_pair *x = pair_new(state, &u, NULL);

	tlsg_conn_pair_handshake(x);
	tlsg_conn_pair_assert_established(x);
	tlsg_conn_pair_send(x, TLSG_CLIENT, "secret", 6);
	x->wire[TLSG_SERVER].data[x->wire[TLSG_SERVER].wr - 1] ^= 1;
	tlsg_conn_pair_run(x);
	assert_int_equal(x->last[TLSG_SERVER], over_datagrams(state) ? TLSG_AGAIN : TLSG_E_PEER);
	tlsg_conn_pair_assert_text(x, TLSG_SERVER, "");
	if(over_datagrams(state)) {
		assert_int_equal(tlsg_conn_pair_send(x, TLSG_CLIENT, "secret", 6), TLSG_OK);
		tlsg_conn_pair_run(x);
		tlsg_conn_pair_assert_text(x, TLSG_SERVER, "secret");
	}
	tlsg_conn_pair_free(x);
}

static void test_deadline(void **state)
{
	struct tlsg_conn_pair_setup u = {0};
	struct tlsg_conn_pair *x = pair_new(state, &u, NULL);

	assert_false(tlsg_conn_is_late(x->conn[TLSG_SERVER]));
	tlsg_conn_pair_send(x, TLSG_CLIENT, "", 0);
	tlsg_stub_ticks_set(get_ticks_raw() + S_TO_TICKS(31));
	assert_true(tlsg_conn_is_late(x->conn[TLSG_SERVER]));
	tlsg_conn_pair_deliver(x, TLSG_SERVER);
	assert_int_equal(x->last[TLSG_SERVER], TLSG_E_PEER);
	assert_non_null(strstr(x->err[TLSG_SERVER].text, "handshake_timeout"));
	assert_int_equal(tlsg_conn_pair_send(x, TLSG_CLIENT, "x", 1), TLSG_E_PEER);
	tlsg_conn_pair_free(x);
	x = pair_new(state, &u, NULL);
	tlsg_conn_pair_handshake(x);
	tlsg_stub_ticks_set(get_ticks_raw() + S_TO_TICKS(31));
	assert_false(tlsg_conn_is_late(x->conn[TLSG_SERVER])); /* done in time */
	tlsg_conn_pair_free(x);
}

static void test_low_memory_fails_before_the_step(void **state)
{
	struct tlsg_conn_pair_setup u = {0};
	struct tlsg_conn_pair *x = pair_new(state, &u, NULL);

	process_no = 1000; /* a process without spare chunks */
	tlsg_stub_shm_fail_after(0);
	x->last[TLSG_CLIENT] = tlsg_conn_pair_send(x, TLSG_CLIENT, "", 0);
	tlsg_stub_shm_fail_after(-1);
	process_no = 0;
	assert_int_equal(x->last[TLSG_CLIENT], TLSG_E_RESOURCE);
	/* nothing was entered: the same step works when there is memory again */
	assert_int_equal(tlsg_conn_state(x->conn[TLSG_CLIENT]), TLSG_CONN_HANDSHAKING);
	tlsg_conn_pair_handshake(x);
	tlsg_conn_pair_assert_established(x);
	tlsg_conn_pair_free(x);
}

/* The allocations of a step must stay below what is reserved for it, and what stays allocated must be small. */
static void test_headroom(void **state)
{
	static const struct tlsg_conn_pair_setup all[] = {
			{.server = "rsa",
					.method = TLSG_METHOD_TLSV1_2,
					.client = "client",
					.server_requires = 1,
					.client_verifies = 1},
			{.server = "rsa",
					.method = TLSG_METHOD_TLSV1_2_PLUS,
					.client = "client",
					.server_requires = 1,
					.client_verifies = 1},
			{.server = "ec", .cache = true},
	};
	static char text[65000];
	size_t step = over_datagrams(state) ? sizeof(text) / 4 : sizeof(text);
	size_t sent;
	size_t i;

	for(i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct tlsg_conn_pair *x = pair_new(state, &all[i], NULL);
		struct tlsg_arena_stats s;
		int role;

		tlsg_conn_pair_handshake(x);
		tlsg_conn_pair_assert_established(x);
		for(role = 0; role < 2; role++) {
			tlsg_arena_stats_get(x->conn[role]->arena, &s);
			if(s.peak > TLSG_HEADROOM_HANDSHAKE * 3 / 4)
				fail_msg("a handshake needed %zu bytes of %d reserved", s.peak, TLSG_HEADROOM_HANDSHAKE);
		}
		for(sent = 0; sent < sizeof(text); sent += step)
			assert_int_equal(tlsg_conn_pair_send(x, TLSG_CLIENT, text, step), TLSG_OK);
		tlsg_conn_pair_run(x);
		assert_int_equal(tlsg_buf_filled(&x->clear[TLSG_SERVER]), sent);
		tlsg_arena_stats_get(x->conn[TLSG_SERVER]->arena, &s);
		print_message("%s, row %zu: peak %zu, in use %zu, held %zu in %u chunks\n",
				over_datagrams(state) ? "datagrams" : "stream", i, s.peak, s.in_use, s.held, s.chunks);
		tlsg_conn_pair_free(x);
	}
}

/* What both carriers do: the name of the second test ends in "over datagrams". */
#define ON_BOTH(test)                                                                                             \
	{.name = #test, .test_func = test},                                                                           \
	{                                                                                                             \
		.name = #test " over datagrams", .test_func = test, .initial_state = (void *)(uintptr_t) "over datagrams" \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
			ON_BOTH(test_data_both_ways),
			ON_BOTH(test_peer_record),
			ON_BOTH(test_mutual),
			ON_BOTH(test_client_refuses_an_unknown_issuer),
			ON_BOTH(test_sni_applies_the_whole_profile),
			ON_BOTH(test_suite_list_is_enforced),
			ON_BOTH(test_client_enforces_its_list),
			ON_BOTH(test_certificate_matches_the_suites),
			cmocka_unit_test(test_wrong_premaster),
			cmocka_unit_test(test_ticket_belongs_to_the_list),
			cmocka_unit_test(test_old_hello_is_refused),
			ON_BOTH(test_text_before_the_handshake_is_queued),
			ON_BOTH(test_queue_limits),
			ON_BOTH(test_held_queue_waits),
			cmocka_unit_test(test_large_text_in_small_pieces),
			cmocka_unit_test(test_output_without_room),
			ON_BOTH(test_close_notify_closes_one_direction),
			cmocka_unit_test(test_garbage_fails_permanently),
			cmocka_unit_test(test_wrong_change_cipher_spec),
			cmocka_unit_test(test_priorities_are_released),
			cmocka_unit_test(test_records_without_data),
			ON_BOTH(test_flipped_bit_fails),
			ON_BOTH(test_deadline),
			ON_BOTH(test_low_memory_fails_before_the_step),
			ON_BOTH(test_headroom),
	};

	return cmocka_run_group_tests(tests, tlsg_conn_pair_usual, tlsg_conn_pair_teardown);
}
