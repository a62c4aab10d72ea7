/*
 * tls_gnutls - tests that outgoing connections resume, and that the server is verified then
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: unit tests.  Memory: the stand-in's shared region; buffers on the heap.  Lock: none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "profiles/cipher/method.h"
#include "tests/lib/conn_pair.h"
#include "transport/conn_state.h"
#include "transport/resume_store.h"

static const int methods[] = {TLSG_METHOD_TLSV1_2, TLSG_METHOD_TLSV1_3};

static unsigned stored(void)
{
	size_t bytes;

	return tlsg_resume_store_len(&bytes);
}

/** Makes a connection, and lets tickets arrive. */
static struct tlsg_conn_pair *connect_with(const struct tlsg_conn_pair_setup *u)
{
	struct tlsg_conn_pair *x = tlsg_conn_pair_new(u, "localhost");

	tlsg_conn_pair_handshake(x);
	tlsg_conn_pair_run(x);
	return x;
}

static void assert_connects(const struct tlsg_conn_pair_setup *u, bool resumed)
{
	struct tlsg_conn_pair *x = connect_with(u);
	const struct tlsg_peer *peer;

	tlsg_conn_pair_assert_established(x);
	peer = tlsg_peer_get(x->conn[TLSG_CLIENT]);
	assert_int_equal(peer->resumed, resumed);
	assert_int_equal(tlsg_peer_get(x->conn[TLSG_SERVER])->resumed, resumed);
	assert_int_equal(peer->verify, TLSG_V_OK);
	assert_true(peer->chain_len > 0 && peer->built_len == 2);
	tlsg_conn_pair_free(x);
}

/** A chain of connections, each of which resumes the one before; another content of the profile ends it. */
static void test_resumes(void **state)
{
	size_t i;
	int k;

	(void)state;
	for(i = 0; i < 2; i++) {
		struct tlsg_conn_pair_setup u = {.client_verifies = 1, .cache = true, .method = methods[i]};
		struct tlsg_conn_pair_setup other = u;

		other.verify_depth = 5;
		assert_connects(&u, false);
		for(k = 0; k < 5; k++) {
			assert_true(stored() > 0);
			assert_connects(&u, true);
		}
		assert_connects(&other, false);
		assert_connects(&u, true);
		u.cache = false;
		assert_connects(&u, false);
	}
}

/** A session that was good under one CA, offered by a client that trusts another one: refused, although it resumes. */
static void test_server_is_verified_again(void **state)
{
	size_t i;

	(void)state;
	for(i = 0; i < 2; i++) {
		struct tlsg_conn_pair_setup easy = {.cache = true, .method = methods[i], .client_verifies = 1};
		struct tlsg_conn_pair_setup strict = {
				.cache = true, .method = methods[i], .client_verifies = 1, .client_ca = "other"};
		struct tlsg_conn_pair *x = connect_with(&easy);
		unsigned char key[TLSG_RESUME_KEY_SIZE];
		struct tlsg_resume_session *s;

		tlsg_conn_pair_assert_established(x);
		memcpy(key, x->conn[TLSG_CLIENT]->resume, sizeof(key)); /* its first member */
		tlsg_conn_pair_free(x);
		s = tlsg_resume_store_take(key, time(NULL));
		assert_non_null(s);
		x = tlsg_conn_pair_new(&strict, "localhost");
		memcpy(s->key, x->conn[TLSG_CLIENT]->resume, sizeof(s->key));
		tlsg_conn_pair_free(x);
		tlsg_resume_store_put(s);
		x = connect_with(&strict);
		assert_false(tlsg_conn_is_established(x->conn[TLSG_CLIENT]));
		assert_non_null(strstr(x->err[TLSG_CLIENT].text, "certificate verify failed"));
		assert_true(gnutls_session_is_resumed(x->conn[TLSG_CLIENT]->session));
		tlsg_conn_pair_free(x);
	}
}

/** Bytes that GnuTLS does not take back: a full handshake. */
static void test_damaged_session(void **state)
{
	struct tlsg_conn_pair_setup u = {.client_verifies = 1, .cache = true};
	unsigned char key[TLSG_RESUME_KEY_SIZE];
	struct tlsg_resume_session *s;
	struct tlsg_conn_pair *x;
	size_t size;

	(void)state;
	for(size = 1; size < 2000; size += 37) {
		x = tlsg_conn_pair_new(&u, "localhost");
		memcpy(key, x->conn[TLSG_CLIENT]->resume, sizeof(key));
		tlsg_conn_pair_free(x);
		s = tlsg_resume_store_new(size);
		assert_non_null(s);
		memset(s->data, (int)size, size);
		memcpy(s->key, key, sizeof(key));
		s->until = time(NULL) + 100;
		s->own = -1;
		tlsg_resume_store_put(s);
		assert_connects(&u, false);
		while((s = tlsg_resume_store_take(key, time(NULL))) != NULL)
			tlsg_resume_store_free(s);
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
			cmocka_unit_test(test_resumes),
			cmocka_unit_test(test_server_is_verified_again),
			cmocka_unit_test(test_damaged_session),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
