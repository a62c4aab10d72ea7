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

#include "profiles/cipher/method.h"
#include "tests/lib/arena_stats.h"
#include "tests/lib/conn_pair.h"
#include "transport/carrier_datagram.h"
#include "transport/conn_datagram.h"
#include "transport/conn_state.h"

#define DAYS_LONG 3650

static const struct tlsg_cert_row rows[] = {
		{.name = "ca",
				.flags = TLSG_CERT_CA,
				.usage = GNUTLS_KEY_KEY_CERT_SIGN,
				.from_days = -10,
				.to_days = DAYS_LONG},
		{.name = "ec", .issuer = "ca", .cn = "localhost", .from_days = -10, .to_days = DAYS_LONG},
		{.name = "client", .issuer = "ca", .cn = "alice", .from_days = -10, .to_days = DAYS_LONG},
};

static void assert_text(struct tlsg_conn_pair *x, int role, const char *text)
{
	assert_int_equal(tlsg_buf_filled(&x->clear[role]), strlen(text));
	assert_memory_equal(x->clear[role].data + x->clear[role].rd, text, strlen(text));
	x->clear[role].rd = x->clear[role].wr;
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
	assert_text(x, TLSG_SERVER, "ping");
	assert_text(x, TLSG_CLIENT, "pong!");
	tlsg_conn_pair_free(x);
}

static int group_setup(void **state)
{
	(void)state;
	if(tlsg_conn_pair_start(rows, sizeof(rows) / sizeof(rows[0])) != 0)
		return -1;
	tlsg_conn_pair_write("ca", "ca", NULL);
	tlsg_conn_pair_write("ec", "ec", "ec");
	tlsg_conn_pair_write("client", "client", "client");
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	return tlsg_conn_pair_stop();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_data),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
