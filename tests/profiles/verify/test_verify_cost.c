/*
 * tls_gnutls - tests that a peer's certificates cannot make a verification arbitrarily slow
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: unit tests.  Memory: heap, the stand-in's shared region.  Lock: none.
 *
 * The peer chooses the numbers of its public key: with a modulus and an exponent of a hundred thousand bits one
 * signature takes hours to check. Without the limits on keys these tests do not finish.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <gnutls/gnutls.h>

#include "base/arena.h"
#include "base/arena_pool.h"
#include "profiles/verify/verify.h"
#include "tests/lib/certs.h"
#include "tests/lib/costly.h"

static void check(struct tlsg_der *sent, unsigned n, bool keep_going, bool refused)
{
	struct tlsg_verify_input in = {
			.chain = sent, .chain_len = n, .depth = 9, .keep_going = keep_going, .now = TLSG_CERTS_NOW};
	struct tlsg_verify_result r;
	enum tlsg_ret ret = tlsg_verify_chain(&in, &r);
	unsigned i;

	assert_int_equal(r.refuse, refused);
	assert_int_equal(ret, refused ? TLSG_E_PEER : TLSG_OK);
	assert_int_not_equal(r.code, TLSG_V_OK);
	assert_true(r.alert >= 0);
	tlsg_verify_result_free(&r);
	for(i = 0; i < n; i++)
		gnutls_free(sent[i].data);
}

/* Two possible issuers: signatures are tried to choose between them. */
static void test_keys_of_issuers(void **state)
{
	int keep_going;

	(void)state;
	for(keep_going = 0; keep_going < 2; keep_going++) {
		struct tlsg_der sent[] = {tlsg_costly_cert("leaf", "big", 0, 0, false, 12000),
				tlsg_costly_cert("big", "nobody", 12000, 12000, true, 256),
				tlsg_costly_cert("big", "nobody", 12000, 12000, true, 256)};

		check(sent, 3, keep_going != 0, true);
	}
}

/* The leaf's key checks what the peer signs in the handshake. */
static void test_key_of_the_leaf(void **state)
{
	static const struct
	{
		size_t modulus;
		size_t exponent;
		bool refused;
	} all[] = {{12000, 12000, true}, {12000, 3, true}, {2049, 3, true}, {2048, 3, false}, {2048, 8, false},
			{2048, 9, true}, {385, 9, true}, {384, 384, false}, {256, 3, false}};
	size_t i;
	int keep_going;

	(void)state;
	for(i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		for(keep_going = 0; keep_going < 2; keep_going++) {
			struct tlsg_der sent[] = {tlsg_costly_cert("leaf", "nobody", all[i].modulus, all[i].exponent, false, 256)};

			check(sent, 1, keep_going != 0, all[i].refused);
		}
}

static int setup(void **state)
{
	(void)state;
	return tlsg_arena_pool_global_init() == TLSG_OK ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	tlsg_arena_pool_global_deinit();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_keys_of_issuers),
			cmocka_unit_test(test_key_of_the_leaf),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
