/*
 * tls_gnutls - gives arbitrary datagrams to the cookie exchange and to associations over datagrams
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: a fuzzing process.  Memory: the stand-in's region, heap.  Lock: none.
 *
 * The first byte chooses the side that is attacked (bit 0), and how far its handshake is (bits 1 and 2: datagrams that
 * were exchanged before; 3: all). Then come actions: one byte for its kind, two for the length, and bytes. Kinds:
 *   0  the bytes are a datagram, which also goes through the cookie exchange
 *   1  the bytes are the body of a handshake record that is not encrypted, whose header is put in front
 *   2  the next good datagram, with changes of three bytes: offset, and what is added to the byte there
 *   3  the next good datagram, as it is; the time passes until the next timer first when the bytes are not empty
 * A side that is attacked holds a bounded amount of memory, uses up each datagram, and gives one of the results that
 * are documented.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "tests/lib/conn_pair.h"
#include "transport/conn_bound.h"
#include "transport/conn_datagram.h"
#include "transport/cookie.h"
#include "transport/dgram_record.h"

#define CHECK(what)           \
	do {                      \
		if(!(what))           \
			__builtin_trap(); \
	} while(0)

#define HELD_MAX ((size_t)300 * 1024)
#define DATAGRAM_MAX 16384
#define NOW 1800000000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct tlsg_conn_pair_setup setup = {
		.datagram = true, .mtu = 400, .client = "client", .server_requires = 1, .client_verifies = 1, .cache = true};

static void start(void)
{
	static bool started;

	if(started)
		return;
	started = true;
	tlsg_stub_log_level_set(L_CRIT);
	CHECK(tlsg_conn_pair_usual(NULL) == 0 && tlsg_cookie_global_init() == TLSG_OK);
	tlsg_set_publish(tlsg_conn_pair_set(&setup));
}

static void ask_cookie(const unsigned char *bytes, size_t size)
{
	struct tlsg_cookie_ends ends = {.peer.len = 4, .local.len = 4, .peer_port = 1};
	unsigned char reply[TLSG_COOKIE_REPLY_BYTES];
	unsigned char *copy = malloc(size); /* of exactly that size, so that a read beyond the end is found */
	gnutls_dtls_prestate_st prestate;
	struct tlsg_buf in;

	CHECK(copy != NULL || size == 0);
	if(size > 0)
		memcpy(copy, bytes, size);
	tlsg_buf_init_filled(&in, copy, size);
	switch(tlsg_cookie_check(&in, &ends, NOW, reply, &prestate)) {
		case TLSG_COOKIE_ASK:
			CHECK(size >= sizeof(reply) && reply[0] == TLSG_DGRAM_HANDSHAKE);
			break;
		case TLSG_COOKIE_GOOD:
			CHECK(false); /* nobody has been given one */
			break;
		default:
			break;
	}
	CHECK(in.rd == 0 && in.wr == size);
	free(copy);
}

static void give(struct tlsg_conn_pair *x, int role, const unsigned char *bytes, size_t size)
{
	unsigned char *copy = malloc(size);
	struct tlsg_buf in;
	struct tlsg_io io = {.in = &in, .out = &x->wire[!role], .sent = &x->sizes[!role], .limits = &x->limits};
	enum tlsg_ret ret;

	CHECK(copy != NULL || size == 0);
	if(size > 0)
		memcpy(copy, bytes, size);
	tlsg_buf_init_filled(&in, copy, size);
	x->wire[!role].rd = x->wire[!role].wr = x->sizes[!role].count = 0; /* what is sent to the attacker */
	do {
		x->clear[role].rd = x->clear[role].wr = 0;
		ret = tlsg_conn_read(x->conn[role], &io, &x->clear[role], &x->err[role]);
	} while(ret == TLSG_OK);
	CHECK(ret == TLSG_AGAIN || ret == TLSG_EOF || ret == TLSG_E_PEER || ret == TLSG_E_INTERNAL);
	CHECK(ret != TLSG_E_INTERNAL || x->last[role] < 0); /* only of one that has failed before */
	CHECK(tlsg_buf_filled(&in) == 0);
	CHECK(tlsg_conn_bound_held(x->conn[role]) < HELD_MAX);
	x->last[role] = ret < 0 ? ret : x->last[role];
	free(copy);
}

/* Takes the next good datagram. @return its size; 0: there is none. */
static size_t good(struct tlsg_conn_pair *x, int role, unsigned char *to)
{
	struct tlsg_datagrams *d = &x->sizes[role];
	size_t size = d->count > 0 ? d->size[0] : 0;

	if(size == 0)
		return 0;
	memmove(d->size, d->size + 1, --d->count * sizeof(d->size[0]));
	return tlsg_buf_take(&x->wire[role], to, size);
}

static void clear_record(struct tlsg_conn_pair *x, int role, const uint8_t *data, size_t size, unsigned number)
{
	static unsigned char record[TLSG_DGRAM_HEAD + DATAGRAM_MAX];

	memset(record, 0, TLSG_DGRAM_HEAD);
	record[0] = TLSG_DGRAM_HANDSHAKE;
	record[1] = 0xfe;
	record[2] = 0xfd;
	record[9] = (unsigned char)(1 + (number >> 8));
	record[10] = (unsigned char)number;
	record[11] = (unsigned char)(size >> 8);
	record[12] = (unsigned char)size;
	memcpy(record + TLSG_DGRAM_HEAD, data, size);
	give(x, role, record, TLSG_DGRAM_HEAD + size);
}

static void changed(struct tlsg_conn_pair *x, int role, const uint8_t *data, size_t size)
{
	static unsigned char bytes[65536];
	size_t n = good(x, role, bytes);

	for(; size >= 3 && n > 0; data += 3, size -= 3)
		bytes[((size_t)data[0] << 8 | data[1]) % n] += data[2];
	give(x, role, bytes, n);
}

static void pass_time(struct tlsg_conn_pair *x, int role)
{
	struct tlsg_io io = {.out = &x->wire[!role], .sent = &x->sizes[!role], .limits = &x->limits};
	int ms = tlsg_conn_datagram_timeout_ms(x->conn[role]);
	enum tlsg_ret ret;

	if(ms < 0)
		return;
	tlsg_stub_ticks_set(get_ticks_raw() + MS_TO_TICKS((ticks_t)ms) + 1);
	x->wire[!role].rd = x->wire[!role].wr = x->sizes[!role].count = 0;
	ret = tlsg_conn_datagram_timer(x->conn[role], &io, &x->err[role]);
	CHECK(ret == TLSG_AGAIN || ret == TLSG_E_PEER);
	x->last[role] = ret < 0 ? ret : x->last[role];
}

static void act(struct tlsg_conn_pair *x, int role, unsigned kind, const uint8_t *data, size_t size, unsigned number)
{
	switch(kind & 3) {
		case 0:
			ask_cookie(data, size);
			give(x, role, data, size);
			break;
		case 1:
			if(size > 0)
				clear_record(x, role, data, size, number);
			break;
		case 3:
			if(size > 0)
				pass_time(x, role);
			size = 0; /* fallthrough */
		default:
			changed(x, role, data, size);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tlsg_conn_pair *x;
	unsigned i, before, number = 0;
	int role;

	start();
	if(size == 0)
		return 0;
	role = data[0] & 1 ? TLSG_SERVER : TLSG_CLIENT;
	before = data[0] >> 1 & 3;
	x = tlsg_conn_pair_more(&setup, "localhost");
	(void)tlsg_conn_pair_send(x, TLSG_CLIENT, "text", 4);
	for(i = 0; i < before; i++)
		(void)tlsg_conn_pair_deliver(x, i % 2 == 0 ? TLSG_SERVER : TLSG_CLIENT);
	if(before == 3)
		tlsg_conn_pair_run(x);
	for(data++, size--; size >= 3;) {
		unsigned kind = data[0];
		size_t n = (size_t)data[1] << 8 | data[2];

		data += 3;
		size -= 3;
		n = n < size ? n : size;
		n = n < DATAGRAM_MAX ? n : DATAGRAM_MAX;
		act(x, role, kind, data, n, number++);
		data += n;
		size -= n;
	}
	tlsg_conn_pair_free(x);
	return 0;
}
