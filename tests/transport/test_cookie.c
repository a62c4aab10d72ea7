/*
 * tls_gnutls - tests of the cookie exchange of DTLS
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: unit tests.  Memory: the stand-in's shared region.  Lock: none.
 */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/lib/conn_pair.h"
#include "transport/conn_datagram.h"
#include "transport/cookie.h"

#define HELLO_BYTES_MIN 67 /* without a cookie, with one suite, without extensions */
#define SOURCES 100000
#define NOW 1800000000

static const struct tlsg_cookie_ends ends = {.peer = {.len = 4, .bytes = {192, 0, 2, 1}},
		.local = {.len = 4, .bytes = {192, 0, 2, 10}},
		.peer_port = 40000,
		.local_port = 5061};

/** A datagram that begins with a ClientHello. */
struct hello
{
	unsigned char bytes[256];
	struct tlsg_buf buf;
};

/* @param cookie  NULL none, else 16 bytes. @param number  of the message and of the record. */
static void hello_make(struct hello *h, const unsigned char *cookie, unsigned number)
{
	static const unsigned char tail[] = {0, 2, 0xc0, 0x2b, 1, 0};
	unsigned char *p = h->bytes;
	unsigned body = 2 + 32 + 1 + 1 + (cookie != NULL ? 16 : 0) + sizeof(tail);

	memset(h->bytes, 0, sizeof(h->bytes));
	p[0] = 22;
	p[1] = 0xfe;
	p[2] = 0xff;
	p[10] = (unsigned char)number;
	p[12] = (unsigned char)(body + 12);
	p += 13;
	p[0] = 1;
	p[3] = (unsigned char)body;
	p[5] = (unsigned char)number;
	p[11] = (unsigned char)body;
	p += 12;
	p[0] = 0xfe;
	p[1] = 0xfd;
	p += 2 + 32 + 1;
	*p++ = cookie != NULL ? 16 : 0;
	if(cookie != NULL)
		memcpy(p, cookie, 16);
	p += cookie != NULL ? 16 : 0;
	memcpy(p, tail, sizeof(tail));
	tlsg_buf_init_filled(&h->buf, h->bytes, (size_t)(p + sizeof(tail) - h->bytes));
}

static enum tlsg_cookie_result check(const struct hello *h, const struct tlsg_cookie_ends *from, time_t now,
		unsigned char reply[TLSG_COOKIE_REPLY_BYTES], gnutls_dtls_prestate_st *start)
{
	return tlsg_cookie_check(&h->buf, from, now, reply, start);
}

static const unsigned char *cookie_in(const unsigned char reply[TLSG_COOKIE_REPLY_BYTES])
{
	return reply + TLSG_COOKIE_REPLY_BYTES - 16;
}

static void test_cookie(void **state)
{
	unsigned char reply[TLSG_COOKIE_REPLY_BYTES], again[TLSG_COOKIE_REPLY_BYTES], wrong[16];
	gnutls_dtls_prestate_st start;
	struct tlsg_cookie_ends other = ends;
	struct hello h;

	(void)state;
	hello_make(&h, NULL, 0);
	assert_int_equal(tlsg_buf_filled(&h.buf), HELLO_BYTES_MIN);
	assert_int_equal(check(&h, &ends, NOW, reply, &start), TLSG_COOKIE_ASK);
	assert_int_equal(reply[0], 22);
	assert_int_equal(reply[13], 3); /* HelloVerifyRequest */
	hello_make(&h, cookie_in(reply), 1);
	assert_int_equal(check(&h, &ends, NOW, again, &start), TLSG_COOKIE_GOOD);
	assert_int_equal(start.hsk_read_seq, 1);
	assert_int_equal(start.hsk_write_seq + 1, 1); /* of the ServerHello */
	assert_int_equal(start.record_seq, 1);
	/* another address, another port, another socket */
	other.peer.bytes[3]++;
	assert_int_equal(check(&h, &other, NOW, again, &start), TLSG_COOKIE_ASK);
	other = ends;
	other.peer_port++;
	assert_int_equal(check(&h, &other, NOW, again, &start), TLSG_COOKIE_ASK);
	other = ends;
	other.local_port++;
	assert_int_equal(check(&h, &other, NOW, again, &start), TLSG_COOKIE_ASK);
	assert_memory_not_equal(cookie_in(again), cookie_in(reply), 16);
	memcpy(wrong, cookie_in(reply), sizeof(wrong));
	wrong[15] ^= 1;
	hello_make(&h, wrong, 1);
	assert_int_equal(check(&h, &ends, NOW, again, &start), TLSG_COOKIE_ASK);
	/* the reply has the numbers of the hello that it answers */
	assert_int_equal(again[10], 1);
	assert_int_equal(again[13 + 5], 1);
	assert_memory_equal(cookie_in(again), cookie_in(reply), 16);
}

/* Keys change with time; the cookie of the period before is good, older ones are not. */
static void test_rotation(void **state)
{
	unsigned char reply[TLSG_COOKIE_REPLY_BYTES], later[TLSG_COOKIE_REPLY_BYTES];
	gnutls_dtls_prestate_st start;
	struct hello first, second;

	(void)state;
	hello_make(&first, NULL, 0);
	assert_int_equal(check(&first, &ends, NOW, reply, &start), TLSG_COOKIE_ASK);
	hello_make(&second, cookie_in(reply), 1);
	assert_int_equal(check(&second, &ends, NOW + TLSG_COOKIE_PERIOD_S, later, &start), TLSG_COOKIE_GOOD);
	assert_int_equal(check(&second, &ends, NOW + 2 * TLSG_COOKIE_PERIOD_S, later, &start), TLSG_COOKIE_ASK);
	assert_memory_not_equal(cookie_in(reply), cookie_in(later), 16);
	/* nor is one of the future, should the clock have been set back */
	assert_int_equal(check(&second, &ends, NOW - TLSG_COOKIE_PERIOD_S, later, &start), TLSG_COOKIE_ASK);
}

/* A cookie that one process has made is good in another. */
static void test_processes_share_the_key(void **state)
{
	unsigned char reply[TLSG_COOKIE_REPLY_BYTES];
	gnutls_dtls_prestate_st start;
	struct hello h;
	int status;
	pid_t pid;

	(void)state;
	hello_make(&h, NULL, 0);
	assert_int_equal(check(&h, &ends, NOW, reply, &start), TLSG_COOKIE_ASK);
	hello_make(&h, cookie_in(reply), 1);
	pid = fork();
	assert_true(pid >= 0);
	if(pid == 0)
		_exit(check(&h, &ends, NOW, reply, &start) == TLSG_COOKIE_GOOD ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_not_a_hello(void **state)
{
	unsigned char reply[TLSG_COOKIE_REPLY_BYTES];
	gnutls_dtls_prestate_st start;
	struct hello good, h;
	static const struct
	{
		size_t at;
		unsigned char value;
	} all[] = {
			{0, 23},	 /* not a handshake record */
			{1, 3},		 /* TLS */
			{4, 1},		 /* of another epoch */
			{12, 255},	 /* longer than the datagram */
			{12, 20},	 /* shorter than its fragment */
			{13, 2},	 /* not a ClientHello */
			{13 + 4, 1}, /* a number that no first message has */
			{13 + 8, 1}, /* not the first fragment */
			{13 + 11, 200},
			{25 + 34, 33}, /* a session id that is too long */
			{25 + 34, 32}, /* the cookie is behind the end */
			{25 + 35, 32},
	};
	size_t i;

	(void)state;
	hello_make(&good, NULL, 0);
	for(i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		hello_make(&h, NULL, 0);
		h.bytes[all[i].at] = all[i].value;
		assert_int_equal(check(&h, &ends, NOW, reply, &start), TLSG_COOKIE_NOT_HELLO);
	}
	for(i = 0; i < HELLO_BYTES_MIN; i++) {
		hello_make(&h, NULL, 0);
		h.buf.wr = i;
		assert_int_equal(check(&h, &ends, NOW, reply, &start), TLSG_COOKIE_NOT_HELLO);
	}
}

/* The first fragment of a hello is enough, if it has the cookie; a datagram that is shorter than the reply is not. */
static void test_fragment(void **state)
{
	unsigned char reply[TLSG_COOKIE_REPLY_BYTES];
	gnutls_dtls_prestate_st start;
	struct hello h;

	(void)state;
	hello_make(&h, NULL, 0);
	h.bytes[13 + 3] = 200; /* the message is longer */
	assert_int_equal(check(&h, &ends, NOW, reply, &start), TLSG_COOKIE_ASK);
	h.bytes[13 + 11] = 10; /* its first fragment is a few bytes */
	h.bytes[12] = 22;
	h.buf.wr = 13 + 22;
	assert_int_equal(check(&h, &ends, NOW, reply, &start), TLSG_COOKIE_NOT_HELLO);
}

/* First hellos of many addresses: nothing is allocated for them, and less is sent than received. */
static void test_flood(void **state)
{
	unsigned char reply[TLSG_COOKIE_REPLY_BYTES];
	gnutls_dtls_prestate_st start;
	struct tlsg_cookie_ends from = ends;
	size_t blocks = tlsg_stub_shm_blocks(), in = 0, out = 0, i;
	size_t heap;
	struct hello h;

	(void)state;
	hello_make(&h, NULL, 0);
	assert_int_equal(check(&h, &ends, NOW, reply, &start), TLSG_COOKIE_ASK);
	heap = mallinfo2().uordblks;
	tlsg_stub_shm_fail_after(0); /* nothing is asked for: it would not be given */
	for(i = 0; i < SOURCES; i++) {
		memcpy(from.peer.bytes, &(uint32_t){(uint32_t)(i * 2654435761U)}, 4);
		from.peer_port = (uint16_t)(1024 + i % 60000);
		memcpy(h.bytes + 27, &i, sizeof(i)); /* the client's random */
		in += tlsg_buf_filled(&h.buf);
		assert_int_equal(check(&h, &from, NOW + (time_t)(i / 1000), reply, &start), TLSG_COOKIE_ASK);
		out += sizeof(reply);
	}
	tlsg_stub_shm_fail_after(-1);
	print_message("%d sources: %zu bytes received, %zu sent, %zu blocks of shared memory and %zu bytes of heap more\n",
			SOURCES, in, out, tlsg_stub_shm_blocks() - blocks, mallinfo2().uordblks - heap);
	assert_true(out <= in);
	assert_int_equal(tlsg_stub_shm_blocks(), blocks);
	assert_int_equal(mallinfo2().uordblks, heap);
}

/* A client of this module and a server that is made when its cookie was good. */
static void test_handshake(void **state)
{
	static const unsigned mtus[] = {0, TLSG_DATAGRAM_MTU_MIN};
	size_t i;

	(void)state;
	for(i = 0; i < 2; i++) {
		struct tlsg_conn_pair_setup u = {.datagram = true, .client_verifies = 1, .mtu = mtus[i]};
		struct tlsg_conn_pair *x = tlsg_conn_pair_new(&u, "localhost");
		unsigned char reply[TLSG_COOKIE_REPLY_BYTES];
		gnutls_dtls_prestate_st start;
		struct tlsg_buf hello;

		(void)tlsg_conn_pair_send(x, TLSG_CLIENT, "", 0);
		assert_int_equal(tlsg_cookie_check(&x->wire[TLSG_SERVER], &ends, NOW, reply, &start), TLSG_COOKIE_ASK);
		x->wire[TLSG_SERVER].rd = x->wire[TLSG_SERVER].wr = x->sizes[TLSG_SERVER].count = 0;
		(void)tlsg_buf_put(&x->wire[TLSG_CLIENT], reply, sizeof(reply));
		x->sizes[TLSG_CLIENT] = (struct tlsg_datagrams){.size = {sizeof(reply)}, .count = 1};
		assert_int_equal(tlsg_conn_pair_deliver(x, TLSG_CLIENT), sizeof(reply));
		hello = x->wire[TLSG_SERVER];
		hello.wr = x->sizes[TLSG_SERVER].size[0];
		assert_int_equal(tlsg_cookie_check(&hello, &ends, NOW, reply, &start), TLSG_COOKIE_GOOD);
		tlsg_conn_pair_restart(x, &u, &start);
		tlsg_conn_pair_run(x);
		tlsg_conn_pair_assert_established(x);
		tlsg_conn_pair_free(x);
	}
}

static int group_setup(void **state)
{
	return tlsg_conn_pair_usual(state) == 0 && tlsg_cookie_global_init() == TLSG_OK ? 0 : -1;
}

static int group_teardown(void **state)
{
	(void)state;
	tlsg_cookie_global_deinit();
	return tlsg_conn_pair_stop();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_cookie),
			cmocka_unit_test(test_rotation),
			cmocka_unit_test(test_processes_share_the_key),
			cmocka_unit_test(test_not_a_hello),
			cmocka_unit_test(test_fragment),
			cmocka_unit_test(test_flood),
			cmocka_unit_test(test_handshake),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
