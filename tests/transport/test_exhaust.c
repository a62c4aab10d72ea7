/*
 * tls_gnutls - tests of what happens when shared memory runs out: every allocation fails in turn
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: unit tests.  Memory: the stand-in's shared region.  Lock: none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "profiles/build.h"
#include "profiles/cipher/method.h"
#include "tests/lib/conn_pair.h"

#define TRIES_MAX 2000
#define MESSAGE_BYTES 10000 /* of the text, over datagrams */
#define PIPE_BYTES (256 * 1024)
#define NO_POOL 1000 /* number of a process without spare chunks: every chunk comes from the core */

struct setup
{
	int method;
	const char *server;
	bool cache;
	bool datagram;
};

/* Sets a text, or leaves it unset when there is no memory: the build must handle that too. */
static void str_set(struct tlsg_set *set, str *to, const char *text)
{
	to->s = tlsg_arena_keep_copy(set->arena, text, strlen(text));
	to->len = to->s != NULL ? (int)strlen(text) : 0;
}

static bool prof_fill(struct tlsg_set *set, enum tlsg_role role, const struct setup *u)
{
	struct tlsg_prof *p = tlsg_prof_add(set, role, TLSG_PROF_DEFAULT, NULL, 0);
	const char *pair = role == TLSG_SERVER ? u->server : "client";

	if(p == NULL)
		return false;
	p->s.method = u->method;
	str_set(set, &p->s.certificate, tlsg_conn_pair_path(pair, ".crt"));
	str_set(set, &p->s.private_key, tlsg_conn_pair_path(pair, ".key"));
	str_set(set, &p->s.ca_list, tlsg_conn_pair_path("ca", ".crt"));
	str_set(set, &p->s.cipher_list,
			role == TLSG_SERVER ? "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384" : "DEFAULT");
	p->s.verify_certificate = 1;
	p->s.require_certificate = 1;
	return p->s.certificate.s != NULL && p->s.private_key.s != NULL && p->s.ca_list.s != NULL;
}

/* As the module builds it. @return NULL: out of memory. */
static struct tlsg_set *set_try(const struct setup *u)
{
	struct tlsg_set_options o = {.session_id = {"test", 4},
			.config_dir = tlsg_conn_pair_dir(),
			.session_cache = u->cache,
			.datagram = u->datagram};
	struct tlsg_set *set = tlsg_set_new(&o);
	struct tlsg_err err;
	enum tlsg_ret ret = TLSG_E_RESOURCE;

	tlsg_err_clear(&err);
	if(set == NULL)
		return NULL;
	if(prof_fill(set, TLSG_SERVER, u) && prof_fill(set, TLSG_CLIENT, u))
		ret = tlsg_build_set(set, &err);
	if(ret == TLSG_OK && tlsg_arena_is_poisoned(set->arena)) {
		tlsg_arena_overflow_free(set->arena);
		ret = TLSG_E_RESOURCE;
	}
	if(ret == TLSG_OK)
		return set;
	tlsg_set_drop(set);
	return NULL;
}

struct pair
{
	struct tlsg_conn *conn[2];
	struct tlsg_buf wire[2]; /* towards the role */
	struct tlsg_datagrams sizes[2];
	bool datagram;
	struct tlsg_buf clear[2];
	struct tlsg_err err[2];
	struct tlsg_conn_limits limits;
	bool failed;
};

static bool pair_make(struct pair *x)
{
	static const str sni = STR_STATIC_INIT("localhost");
	int role;

	x->limits = (struct tlsg_conn_limits){.queue = {.con_max_bytes = 65536, .max_bytes = 1 << 20, .block_bytes = 4096}};
	for(role = 0; role < 2; role++) {
		struct tlsg_conn_params p = {.set = tlsg_set_get(),
				.query = {.role = (enum tlsg_role)role},
				.deadline_s = 30,
				.datagram = x->datagram,
				.mtu = TLSG_DATAGRAM_MTU_MIN};

		tlsg_err_clear(&x->err[role]);
		if(role == TLSG_CLIENT)
			p.sni = sni;
		x->conn[role] = tlsg_conn_new(&p, &x->err[role]);
		if(x->conn[role] == NULL) {
			assert_int_equal(x->err[role].class, TLSG_CLASS_RESOURCE);
			return false;
		}
	}
	return true;
}

/* After a step that fails for lack of memory the owner can go on: none of it is entered again. */
static void check_step(struct pair *x, int role, enum tlsg_ret ret)
{
	if(ret < 0)
		x->failed = true;
	if(ret < 0 && x->err[role].class != TLSG_CLASS_RESOURCE && x->err[role].class != TLSG_CLASS_PEER)
		fail_msg("role %d: class %d: %s", role, x->err[role].class, x->err[role].text);
}

static void send_text(struct pair *x, int role, const char *data, size_t size)
{
	struct tlsg_io io = {.out = &x->wire[!role], .sent = &x->sizes[!role], .limits = &x->limits};
	size_t most = x->datagram && size > MESSAGE_BYTES ? MESSAGE_BYTES : size;
	size_t used = 0;
	size_t at;

	for(at = 0; at < size && !x->failed; at += most)
		check_step(x, role, tlsg_conn_write(x->conn[role], &io, data + at, most, &used, &x->err[role]));
}

/* One read in two pieces: the second one is kept at first, as the module does it. */
static bool deliver(struct pair *x, int role)
{
	struct tlsg_buf in;
	struct tlsg_io io = {.in = &in, .out = &x->wire[!role], .sent = &x->sizes[!role], .limits = &x->limits};
	struct tlsg_datagrams *d = &x->sizes[role];
	size_t n = x->datagram ? (d->count > 0 ? d->size[0] : 0) : tlsg_buf_filled(&x->wire[role]);
	enum tlsg_ret ret = TLSG_OK;

	if(n == 0 || x->failed)
		return false;
	if(x->datagram)
		memmove(d->size, d->size + 1, --d->count * sizeof(d->size[0]));
	tlsg_buf_init_filled(&in, x->wire[role].data + x->wire[role].rd, n);
	x->wire[role].rd += n;
	if(!x->datagram && tlsg_conn_is_established(x->conn[role]))
		ret = tlsg_conn_keep(x->conn[role], &in, &x->err[role]);
	while(ret == TLSG_OK) {
		ret = tlsg_conn_read(x->conn[role], &io, &x->clear[role], &x->err[role]);
		if(!x->datagram)
			break;
	}
	check_step(x, role, ret);
	return true;
}

static void run(struct pair *x)
{
	bool more = true;

	while(more) {
		more = deliver(x, TLSG_SERVER);
		more = deliver(x, TLSG_CLIENT) || more;
	}
}

/* A whole connection: handshake with queued text, texts of both sides, close. @return whether nothing failed. */
static bool connection_run(struct pair *x, const struct setup *u)
{
	static char text[40000];
	struct tlsg_io io = {.out = &x->wire[TLSG_CLIENT], .sent = &x->sizes[TLSG_CLIENT], .limits = &x->limits};
	unsigned char room[2][PIPE_BYTES];
	int role;

	memset(x, 0, sizeof(*x));
	x->datagram = u->datagram;
	for(role = 0; role < 2; role++) {
		static unsigned char clear[2][PIPE_BYTES];

		tlsg_buf_init(&x->wire[role], room[role], PIPE_BYTES);
		tlsg_buf_init(&x->clear[role], clear[role], PIPE_BYTES);
	}
	if(pair_make(x)) {
		send_text(x, TLSG_CLIENT, "early", 5);
		run(x);
		send_text(x, TLSG_CLIENT, text, sizeof(text));
		send_text(x, TLSG_SERVER, text, 100);
		run(x);
		tlsg_conn_close_notify(x->conn[TLSG_SERVER], &io);
		if(!x->failed) {
			assert_int_equal(tlsg_buf_filled(&x->clear[TLSG_SERVER]), 5 + sizeof(text));
			assert_int_equal(tlsg_buf_filled(&x->clear[TLSG_CLIENT]), 100);
			assert_true(tlsg_peer_get(x->conn[TLSG_SERVER])->chain_len > 0);
		}
	} else
		x->failed = true;
	for(role = 0; role < 2; role++)
		tlsg_conn_free(x->conn[role]);
	return !x->failed;
}

static const struct setup all[] = {
		{TLSG_METHOD_TLSV1_2, "ec", true, false},
		{TLSG_METHOD_TLSV1_2, "rsa", false, false},
		{TLSG_METHOD_TLSV1_3, "rsa", true, false}, /* of test_one_failure() */
		{TLSG_METHOD_TLSV1_2, "ec", true, true},
};

/* Loading a configuration: a failure leaks nothing and publishes nothing. */
static void test_configuration(void **state)
{
	size_t blocks = tlsg_stub_shm_blocks();
	struct tlsg_set *set = NULL;
	long n;

	(void)state;
	process_no = NO_POOL;
	for(n = 0; n < TRIES_MAX && set == NULL; n++) {
		tlsg_stub_shm_fail_after(n);
		set = set_try(&all[0]);
		tlsg_stub_shm_fail_after(-1);
		if(set == NULL)
			assert_int_equal(tlsg_stub_shm_blocks(), blocks);
	}
	assert_non_null(set);
	assert_true(n > 5);
	print_message("%ld allocations\n", n);
	tlsg_set_drop(set);
	assert_int_equal(tlsg_stub_shm_blocks(), blocks);
	process_no = 0;
}

static void sweep(int process, const struct setup *u)
{
	struct pair x;
	struct tlsg_set *set;
	size_t blocks;
	bool up = false;
	long n;

	process_no = process;
	set = set_try(u);
	assert_non_null(set);
	tlsg_set_publish(set);
	assert_true(connection_run(&x, u)); /* also allocates what this process keeps */
	blocks = tlsg_stub_shm_blocks();
	for(n = 0; n < TRIES_MAX && !up; n++) {
		tlsg_stub_shm_fail_after(n);
		up = connection_run(&x, u);
		tlsg_stub_shm_fail_after(-1);
		if(process == NO_POOL)
			assert_int_equal(tlsg_stub_shm_blocks(), blocks);
	}
	assert_true(up);
	assert_true(connection_run(&x, u));
	print_message("%s%s, process %d: %ld allocations\n", u->server, u->datagram ? " over datagrams" : "", process, n);
	process_no = 0;
}

static void test_connection(void **state)
{
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		sweep(NO_POOL, &all[i]);
		sweep(1, &all[i]);
	}
}

/* An allocation that fails once and then succeeds: the hardest case for undoing. */
static void test_one_failure(void **state)
{
	struct tlsg_set *set;
	size_t blocks, at;
	struct pair x;
	long n;

	(void)state;
	process_no = NO_POOL;
	set = set_try(&all[2]);
	assert_non_null(set);
	tlsg_set_publish(set);
	assert_true(connection_run(&x, &all[2]));
	blocks = tlsg_stub_shm_blocks();
	at = tlsg_stub_shm_calls();
	assert_true(connection_run(&x, &all[2]));
	at = tlsg_stub_shm_calls() - at;
	for(n = 0; n < (long)at; n++) {
		tlsg_stub_shm_fail_once(n);
		(void)connection_run(&x, &all[2]);
		tlsg_stub_shm_fail_after(-1);
		assert_int_equal(tlsg_stub_shm_blocks(), blocks);
	}
	process_no = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_configuration),
			cmocka_unit_test(test_connection),
			cmocka_unit_test(test_one_failure),
	};

	return cmocka_run_group_tests(tests, tlsg_conn_pair_usual, tlsg_conn_pair_teardown);
}
