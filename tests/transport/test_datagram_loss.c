/*
 * tls_gnutls - tests of associations over a link that loses, repeats, delays, reorders, cuts and changes datagrams
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: unit tests.  Memory: the stand-in's shared region.  Lock: none.
 *
 * Time is simulated: the clock of GnuTLS, that of the core, and the arrival of datagrams.
 * Environment: TLSG_TEST_RUNS  seeded runs, default 1000; TLSG_TEST_SEED  of the first run, default 1.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/lib/conn_pair.h"
#include "transport/conn_bound.h"
#include "transport/conn_datagram.h"

#define DEADLINE_MS 30000 /* of tlsg_conn_pair_new() */
#define END_MS 120000
#define AGAIN_MS 500 /* a message is sent again, as SIP does over UDP */
#define FLIGHT_MAX 512
#define HELD_MAX (200 * 1024)

/* ---- time ---- */

static int64_t now_ms; /* simulated, since the start of the run */
static int64_t runs_ms;

/* GnuTLS measures retransmissions with it: the process's own definition is used before that of the C library. */
int clock_gettime(clockid_t id, struct timespec *t)
{
	static struct timespec start;
	int64_t ms = runs_ms + now_ms;

	if(start.tv_sec == 0 && syscall(SYS_clock_gettime, id, &start) != 0)
		return -1;
	*t = start;
	t->tv_sec += (time_t)(ms / 1000);
	t->tv_nsec += (long)(ms % 1000) * 1000000;
	if(t->tv_nsec >= 1000000000) {
		t->tv_nsec -= 1000000000;
		t->tv_sec++;
	}
	return 0;
}

static void time_set(int64_t ms)
{
	now_ms = ms;
	tlsg_stub_ticks_set((ticks_t)((runs_ms + now_ms) * TIMER_TICKS_HZ / 1000 + 1));
}

/* ---- the link ---- */

/** What happens to datagrams, in percent each, and by how much they are late. */
struct link
{
	unsigned lost;
	unsigned twice;
	unsigned cut;
	unsigned changed;
	unsigned late_ms;
};

/** One datagram on its way. */
struct flight
{
	int64_t at;
	int to;
	size_t size;
	unsigned char bytes[2048];
};

/** Both ends and what is between them. */
struct run
{
	struct tlsg_conn_pair *pair;
	struct link link;
	struct flight flights[FLIGHT_MAX];
	unsigned count;
	bool got[2]; /* the message of the other side */
	enum tlsg_ret worst[2];
	int64_t said[2];
	unsigned sent;
	unsigned lost;
};

static uint64_t random_state;

static unsigned next_random(unsigned below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)(random_state >> 11) % below;
}

static bool happens(unsigned percent)
{
	return next_random(100) < percent;
}

static void fly(struct run *r, int to, const unsigned char *bytes, size_t size)
{
	struct flight *f = &r->flights[r->count];

	assert_true(size <= sizeof(f->bytes));
	if(r->count == FLIGHT_MAX)
		return;
	f->at = now_ms + 1 + (r->link.late_ms > 0 ? next_random(r->link.late_ms) : 0);
	f->to = to;
	f->size = size;
	memcpy(f->bytes, bytes, size);
	if(happens(r->link.cut))
		f->size = next_random((unsigned)size);
	if(f->size > 0 && happens(r->link.changed))
		f->bytes[next_random((unsigned)f->size)] ^= (unsigned char)(1 + next_random(255));
	r->count++;
}

/* Puts what an end has sent on the link. */
static void launch(struct run *r, int to)
{
	struct tlsg_buf *wire = &r->pair->wire[to];
	struct tlsg_datagrams *sent = &r->pair->sizes[to];
	unsigned i;

	for(i = 0; i < sent->count; i++) {
		r->sent++;
		if(happens(r->link.lost))
			r->lost++;
		else
			fly(r, to, wire->data + wire->rd, sent->size[i]);
		if(happens(r->link.twice))
			fly(r, to, wire->data + wire->rd, sent->size[i]);
		wire->rd += sent->size[i];
	}
	assert_int_equal(wire->rd, wire->wr);
	wire->rd = wire->wr = 0;
	sent->count = 0;
}

static void note(struct run *r, int role, enum tlsg_ret ret)
{
	if(ret < 0)
		r->worst[role] = ret;
	assert_true(tlsg_conn_bound_held(r->pair->conn[role]) < HELD_MAX);
	launch(r, !role);
}

static bool has_failed(const struct run *r, int role)
{
	return tlsg_conn_state(r->pair->conn[role]) == TLSG_CONN_FAILED;
}

static const char *message_of(int role)
{
	return role == TLSG_SERVER ? "SIP/2.0 200 OK\r\n\r\n" : "OPTIONS sip:localhost SIP/2.0\r\n\r\n";
}

static void land(struct run *r, struct flight f)
{
	struct tlsg_conn_pair *x = r->pair;
	struct tlsg_buf in;
	struct tlsg_io io = {.in = &in, .out = &x->wire[!f.to], .sent = &x->sizes[!f.to], .limits = &x->limits};
	enum tlsg_ret ret;

	if(has_failed(r, f.to) || f.size == 0)
		return;
	tlsg_buf_init_filled(&in, f.bytes, f.size);
	do {
		struct tlsg_buf *clear = &x->clear[f.to];

		clear->rd = clear->wr = 0;
		ret = tlsg_conn_read(x->conn[f.to], &io, clear, &x->err[f.to]);
		if(ret == TLSG_OK) {
			assert_int_equal(clear->wr, strlen(message_of(!f.to)));
			assert_memory_equal(clear->data, message_of(!f.to), clear->wr);
			r->got[f.to] = true;
		}
	} while(ret == TLSG_OK);
	assert_int_not_equal(ret, TLSG_FULL);
	assert_int_equal(tlsg_buf_filled(&in), 0);
	note(r, f.to, ret);
}

/* The first datagram that arrives until a time. @return false: none does. */
static bool take(struct run *r, int64_t until, struct flight *f)
{
	unsigned first = 0, i;

	for(i = 1; i < r->count; i++)
		if(r->flights[i].at < r->flights[first].at)
			first = i;
	if(r->count == 0 || r->flights[first].at > until)
		return false;
	*f = r->flights[first];
	memmove(&r->flights[first], &r->flights[first + 1], (--r->count - first) * sizeof(*f));
	return true;
}

/* The message is sent until the other side has it. */
static void say(struct run *r, int role)
{
	if(r->got[!role] || has_failed(r, role) || now_ms < r->said[role])
		return;
	if(role == TLSG_SERVER && !tlsg_conn_is_established(r->pair->conn[role]))
		return;
	if(role == TLSG_CLIENT && r->said[role] > 0 && !tlsg_conn_is_established(r->pair->conn[role]))
		return;
	r->said[role] = now_ms + AGAIN_MS;
	note(r, role, tlsg_conn_pair_send(r->pair, role, message_of(role), strlen(message_of(role))));
}

static void timers(struct run *r)
{
	struct tlsg_conn_pair *x = r->pair;
	int role;

	for(role = 0; role < 2; role++) {
		struct tlsg_io io = {.out = &x->wire[!role], .sent = &x->sizes[!role], .limits = &x->limits};

		if(!has_failed(r, role) && tlsg_conn_datagram_timeout_ms(x->conn[role]) == 0)
			note(r, role, tlsg_conn_datagram_timer(x->conn[role], &io, &x->err[role]));
		say(r, role);
	}
}

static bool is_over(const struct run *r)
{
	return (has_failed(r, 0) && has_failed(r, 1)) || (r->got[0] && r->got[1]);
}

/* An end that has failed or does not exist any more: the other one ends by its deadline. */
static void run(struct run *r, const struct tlsg_conn_pair_setup *u, const struct link *l)
{
	struct flight f;

	*r = (struct run){.pair = tlsg_conn_pair_more(u, "localhost"), .link = *l};
	for(time_set(0); !is_over(r) && now_ms < END_MS; time_set(now_ms + 50)) {
		timers(r);
		while(take(r, now_ms + 50, &f)) {
			if(f.at > now_ms)
				time_set(f.at);
			land(r, f);
		}
	}
	runs_ms += now_ms;
	now_ms = 0;
}

/* ---- tests ---- */

static unsigned env_number(const char *name, unsigned otherwise)
{
	const char *text = getenv(name);

	return text != NULL && strtoul(text, NULL, 10) > 0 ? (unsigned)strtoul(text, NULL, 10) : otherwise;
}

static void test_seeded_runs(void **state)
{
	static const struct tlsg_conn_pair_setup setups[] = {
			{.datagram = true},
			{.datagram = true, .client = "client", .server_requires = 1, .client_verifies = 1},
			{.datagram = true, .mtu = TLSG_DATAGRAM_MTU_MIN},
			{.datagram = true, .client = "client", .server_verifies = 1, .mtu = 400},
	};
	static const struct link links[] = {
			{0},
			{.lost = 10},
			{.lost = 25, .late_ms = 40},
			{.twice = 50, .late_ms = 300},
			{.lost = 10, .twice = 10, .late_ms = 3000},
			{.lost = 5, .cut = 10, .late_ms = 20},
			{.changed = 10},
			{.lost = 10, .twice = 10, .cut = 5, .changed = 5, .late_ms = 500},
	};
	unsigned runs = env_number("TLSG_TEST_RUNS", 1000), seed = env_number("TLSG_TEST_SEED", 1), i;
	unsigned up[8] = {0}, all[8] = {0}, datagrams = 0, lost = 0;
	static struct run r;

	(void)state;
	for(i = 0; i < runs; i++) {
		unsigned k = i % 8, n = i / 8 % 4;
		int role;

		random_state = (uint64_t)(seed + i) * 0x9E3779B97F4A7C15ULL + 1;
		if(i % 8 == 0) {
			time_set(0);
			tlsg_set_publish(tlsg_conn_pair_set(&setups[n]));
		}
		run(&r, &setups[n], &links[k]);
		for(role = 0; role < 2; role++) {
			bool done = tlsg_conn_is_established(r.pair->conn[role]);

			if(r.worst[role] != TLSG_OK && r.worst[role] != TLSG_E_PEER)
				fail_msg("seed %u, link %u: %s", seed + i, k, r.pair->err[role].text);
			if(!done && !has_failed(&r, role))
				fail_msg("seed %u, link %u, role %d: neither established nor failed", seed + i, k, role);
			if(!done && r.pair->err[role].text[0] == '\0')
				fail_msg("seed %u, link %u, role %d: failed without a cause", seed + i, k, role);
		}
		all[k]++;
		up[k] += r.got[0] && r.got[1];
		datagrams += r.sent;
		lost += r.lost;
		tlsg_conn_pair_free(r.pair);
	}
	for(i = 0; i < 8; i++)
		print_message("link %u (lost %u%%, twice %u%%, cut %u%%, changed %u%%, late %u ms): %u of %u\n", i,
				links[i].lost, links[i].twice, links[i].cut, links[i].changed, links[i].late_ms, up[i], all[i]);
	print_message("%u datagrams, %u lost\n", datagrams, lost);
	assert_int_equal(up[0], all[0]); /* nothing is lost */
	assert_int_equal(up[3], all[3]); /* repeated and out of order */
	/* What is lost is sent again, as often as the deadline allows: five times. */
	for(i = 1; i < 6; i++)
		assert_true(up[i] * 100 >= all[i] * (links[i].lost > 10 ? 60U : 85U));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_seeded_runs),
	};

	return cmocka_run_group_tests(tests, tlsg_conn_pair_usual, tlsg_conn_pair_teardown);
}
