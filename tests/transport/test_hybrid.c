/*
 * tls_gnutls - tests the group of a connection's key exchange, with post-quantum hybrids where the library has them
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: unit tests.  Memory: the stand-in's shared region.  Lock: none.
 *
 * Without hybrids in the library the same connections are made, and get the groups that they have always had.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/arena.h"
#include "profiles/cipher/kx_group.h"
#include "profiles/cipher/method.h"
#include "tests/lib/arena_stats.h"
#include "tests/lib/conn_pair.h"
#include "transport/conn_state.h"
#include "transport/conn_step.h"
#include "transport/resume_store.h"

#define HYBRID "X25519-MLKEM768"
#define CLASSICAL "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-GROUP-ALL:"
/* What is left of HELLO_BYTES and CHAIN_BYTES of conn_bound.c for a peer's own choices. */
#define ADDED_BYTES_MAX (32 * 1024)

/* Ten of the bytes by which a HelloRetryRequest is recognised (RFC 8446 section 4.1.3). */
static const unsigned char retry[] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d};

static bool holds(const struct tlsg_buf *b, const unsigned char *what, size_t size)
{
	size_t i;

	for(i = b->rd; i + size <= b->wr; i++)
		if(memcmp(b->data + i, what, size) == 0)
			return true;
	return false;
}

/* Runs a handshake. @return whether the server sent a HelloRetryRequest. */
static bool handshake(struct tlsg_conn_pair *x)
{
	bool retried = false;

	assert_true(tlsg_conn_pair_send(x, TLSG_CLIENT, "", 0) >= 0);
	while(tlsg_buf_filled(&x->wire[TLSG_SERVER]) + tlsg_buf_filled(&x->wire[TLSG_CLIENT]) > 0) {
		size_t n = tlsg_conn_pair_deliver(x, TLSG_SERVER);

		retried = retried || holds(&x->wire[TLSG_CLIENT], retry, sizeof(retry));
		if(n + tlsg_conn_pair_deliver(x, TLSG_CLIENT) == 0)
			break;
	}
	tlsg_conn_pair_assert_established(x);
	return retried;
}

static void assert_group(const struct tlsg_conn_pair *x, const char *group)
{
	int role;

	for(role = 0; role < 2; role++) {
		const struct tlsg_peer *p = tlsg_peer_get(x->conn[role]);

		assert_non_null(p);
		if(group == NULL)
			assert_null(p->group);
		else
			assert_string_equal(p->group, group);
	}
}

/* The group, and that no peer without hybrids is sent a HelloRetryRequest, nor asks for one. */
static void test_groups(void **state)
{
	static const struct
	{
		struct tlsg_conn_pair_setup u;
		const char *with, *without; /* hybrids in the library */
		bool retried;				/* with them */
	} all[] = {
			{{.server = "ec"}, "X25519MLKEM768", "x25519", false},
			{{.server = "rsa", .client = "client", .server_requires = 1}, "X25519MLKEM768", "x25519", false},
			/* GnuTLS alone takes a hybrid only together with groups of finite fields: these lists have none */
			{{.ciphers = "ECDHE+AESGCM", .client_ciphers = "ECDHE+AESGCM"}, "X25519MLKEM768", "x25519", false},
			{{.ciphers = "ECDHE+AESGCM"}, "X25519MLKEM768", "x25519", false},
			{{.client_ciphers = "ECDHE+AESGCM"}, "X25519MLKEM768", "x25519", false},
			{{.method = TLSG_METHOD_TLSV1_3, .client_method = TLSG_METHOD_TLSV1_3}, "X25519MLKEM768", "x25519", false},
			/* classical clients */
			{{.client_ciphers = CLASSICAL "+GROUP-X25519:+GROUP-SECP256R1"}, "x25519", "x25519", false},
			{{.client_ciphers = CLASSICAL "+GROUP-SECP256R1"}, "secp256r1", "secp256r1", false},
			{{.client_ciphers = CLASSICAL "+GROUP-SECP384R1"}, "secp384r1", "secp384r1", false},
			/* classical servers: P-256 and what includes it costs nothing; that is every server of RFC 8446 */
			{{.ciphers = CLASSICAL "+GROUP-X25519:+GROUP-SECP256R1"}, "secp256r1", "x25519", false},
			{{.ciphers = CLASSICAL "+GROUP-X25519"}, "x25519", "x25519", true},
			{{.ciphers = CLASSICAL "+GROUP-SECP256R1"}, "secp256r1", "secp256r1", false},
			/* other versions */
			{{.method = TLSG_METHOD_TLSV1_2}, "secp256r1", "x25519", false},
			{{.client_method = TLSG_METHOD_TLSV1_2}, "x25519", "x25519", false},
			{{.server = "rsa", .method = TLSG_METHOD_TLSV1_2, .ciphers = "AES256-GCM-SHA384"}, NULL, NULL, false},
			{{.server = "rsa", .method = TLSG_METHOD_TLSV1_2, .ciphers = "DHE-RSA-AES256-GCM-SHA384"}, "ffdhe2048",
					"ffdhe2048", false},
			{{.datagram = true}, "x25519", "x25519", false},
	};
	bool has = tlsg_kx_group_is_known(HYBRID);
	size_t i;

	(void)state;
	if(!has)
		print_message("SKIPPED: handshakes with hybrids: GnuTLS %s has none\n", gnutls_check_version(NULL));
	for(i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct tlsg_conn_pair *x = tlsg_conn_pair_new(&all[i].u, NULL);
		bool retried = handshake(x);

		print_message("row %zu: %s%s\n", i, tlsg_peer_get(x->conn[0])->group, retried ? ", retried" : "");
		assert_group(x, has ? all[i].with : all[i].without);
		assert_int_equal(retried, has && all[i].retried);
		tlsg_conn_pair_free(x);
	}
}

/* Resumed sessions exchange keys anew. */
static void test_resumed(void **state)
{
	const struct tlsg_conn_pair_setup u = {.cache = true, .client_verifies = 1};
	const char *group = tlsg_kx_group_is_known(HYBRID) ? "X25519MLKEM768" : "x25519";
	int turn;

	(void)state;
	for(turn = 0; turn < 3; turn++) {
		struct tlsg_conn_pair *x = tlsg_conn_pair_new(&u, "localhost");

		assert_false(handshake(x));
		tlsg_conn_pair_run(x); /* tickets */
		assert_group(x, group);
		assert_int_equal(tlsg_peer_get(x->conn[TLSG_CLIENT])->resumed, turn > 0);
		tlsg_conn_pair_free(x);
	}
}

/* What a connection needs with each group: within what is reserved, and what a peer may make it hold. */
static void test_memory(void **state)
{
	static const char *const groups[] = {"X25519", "SECP256R1", HYBRID, "SECP256R1-MLKEM768", "SECP384R1-MLKEM1024"};
	char ciphers[128];
	size_t i;
	int turn, role;

	(void)state;
	for(i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		const struct tlsg_conn_pair_setup u = {
				.ciphers = ciphers, .client_ciphers = ciphers, .client = "client", .server_requires = 1};
		struct tlsg_arena_stats s[2];

		if(!tlsg_kx_group_is_known(groups[i])) {
			print_message("SKIPPED %s: GnuTLS %s does not have it\n", groups[i], gnutls_check_version(NULL));
			continue;
		}
		snprintf(ciphers, sizeof(ciphers), CLASSICAL "+GROUP-%s", groups[i]);
		for(turn = 0; turn < 3; turn++) { /* sizes that stay are learned in the first ones */
			struct tlsg_conn_pair *x = tlsg_conn_pair_new(&u, NULL);

			x->chunk = 100;
			assert_false(handshake(x));
			for(role = 0; role < 2; role++) {
				tlsg_arena_stats_get(x->conn[role]->arena, &s[role]);
				if(s[role].peak > TLSG_HEADROOM_HANDSHAKE * 3 / 4)
					fail_msg("%s: a handshake needed %zu bytes", groups[i], s[role].peak);
				if(x->most[role] > x->conn[role]->settled + ADDED_BYTES_MAX)
					fail_msg("%s: %zu bytes were held in the handshake, %u after it", groups[i], x->most[role],
							x->conn[role]->settled);
			}
			if(turn == 2)
				print_message("%-20s server: peak %zu, between reads %zu, idle %zu in use, %zu held; client: peak %zu, "
							  "between reads %zu, idle %zu in use, %zu held\n",
						groups[i], s[0].peak, x->most[0], s[0].in_use, s[0].held, s[1].peak, x->most[1], s[1].in_use,
						s[1].held);
			tlsg_conn_pair_free(x);
		}
	}
}

static int setup(void **state)
{
	return tlsg_conn_pair_usual(state) == 0 && tlsg_resume_store_init(1 << 20) == TLSG_OK ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	tlsg_resume_store_deinit();
	return tlsg_conn_pair_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_groups),
			cmocka_unit_test(test_resumed),
			cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
