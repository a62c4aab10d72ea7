/*
 * tls_gnutls - prints what an arena costs and holds: handshakes and messages with a server in an arena, and on the heap
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: one process.  Memory: the stand-in's region.  Lock: none.
 *
 * Usage: arena_trace [HANDSHAKES [PRIORITY [HOME_BYTES]]]
 * Only steps of the server are timed; both kinds take turns. No judgement is made: figures to read, not a test.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <gnutls/x509.h>

#include "base/arena.h"
#include "base/host.h"
#include "base/scope.h"
#include "tests/lib/certs.h"
#include "tests/lib/tls_pair.h"

#define OWNER_BYTES 600
#define HEADROOM_BYTES ((size_t)112 * 1024)
#define MESSAGES 20
#define MESSAGE_BYTES 500

enum side
{
	SERVER,
	CLIENT
};

enum kind
{
	PLAIN,
	ARENA,
	KINDS
};

/** Sums over all rounds of one kind; times of the quickest round, because other programs only ever add to a time. */
struct figures
{
	double handshake_ns;
	double message_ns;
	double round_ns; /**< of the handshake that is running */
	size_t shm_calls;
	size_t shm_message_calls;
	size_t half_open_held;
	size_t idle_held;
	unsigned idle_chunks;
	size_t peak;
	size_t in_use;
};

struct world
{
	gnutls_certificate_credentials_t cred[2];
	gnutls_priority_t priority;
	gnutls_datum_t ticket_key;
	struct tlsg_test_pipe pipes[2];
	struct tlsg_test_end ends[2];
	size_t home_bytes;
};

static struct world world;

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void must(int err, const char *what)
{
	if(err >= 0)
		return;
	fprintf(stderr, "%s: %s\n", what, gnutls_strerror(err));
	exit(1);
}

static const struct tlsg_cert_row rows[] = {
		{.name = "ca", .flags = TLSG_CERT_CA, .usage = GNUTLS_KEY_KEY_CERT_SIGN},
		{.name = "ec", .issuer = "ca", .cn = "localhost"},
		{.name = "rsa", .issuer = "ca", .cn = "localhost", .key = TLSG_KEY_RSA2048},
};

static void server_key_add(struct world *w, struct tlsg_certs *certs, const char *name)
{
	const struct tlsg_cert *c = tlsg_certs_get(certs, name);
	gnutls_x509_crt_t crt = c->crt;

	must(gnutls_certificate_set_x509_key(w->cred[SERVER], &crt, 1, c->key), name);
}

static void world_make(struct world *w, const char *priority)
{
	static struct tlsg_certs certs;

	tlsg_certs_make(&certs, rows, sizeof(rows) / sizeof(rows[0]));
	must(gnutls_certificate_allocate_credentials(&w->cred[SERVER]), "credentials");
	must(gnutls_certificate_allocate_credentials(&w->cred[CLIENT]), "credentials");
	server_key_add(w, &certs, "ec");
	server_key_add(w, &certs, "rsa");
	must(gnutls_priority_init(&w->priority, priority, NULL), priority);
	must(gnutls_session_ticket_key_generate(&w->ticket_key), "ticket key");
	w->ends[SERVER] = (struct tlsg_test_end){.in = &w->pipes[0], .out = &w->pipes[1]};
	w->ends[CLIENT] = (struct tlsg_test_end){.in = &w->pipes[1], .out = &w->pipes[0]};
	tlsg_certs_free(&certs);
}

static gnutls_session_t session_make(struct world *w, enum side side)
{
	gnutls_session_t s;

	must(gnutls_init(&s, (side == SERVER ? GNUTLS_SERVER : GNUTLS_CLIENT) | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL),
			"session");
	must(gnutls_priority_set(s, w->priority), "priority");
	must(gnutls_credentials_set(s, GNUTLS_CRD_CERTIFICATE, w->cred[side]), "credentials");
	if(side == SERVER)
		must(gnutls_session_ticket_enable_server(s, &w->ticket_key), "tickets");
	tlsg_test_end_attach(&w->ends[side], s);
	return s;
}

/** Steps the client until it has nothing more to do. @return whether its handshake is done. */
static bool client_step(gnutls_session_t s)
{
	int err = gnutls_handshake(s);

	if(err < 0 && gnutls_error_is_fatal(err))
		must(err, "client");
	return err == 0;
}

static void server_enter(struct tlsg_arena *a, struct tlsg_arena **previous)
{
	if(a == NULL)
		return;
	if(tlsg_arena_reserve(a, HEADROOM_BYTES) != TLSG_OK)
		must(GNUTLS_E_MEMORY_ERROR, "reserve");
	*previous = tlsg_scope_enter(a);
}

static void server_leave(struct tlsg_arena *a, struct tlsg_arena *previous, bool settle)
{
	if(a == NULL)
		return;
	tlsg_scope_leave(previous);
	if(settle)
		tlsg_arena_settle(a);
	else
		tlsg_arena_trim(a);
}

static bool server_step(struct tlsg_arena *a, gnutls_session_t s, bool done_before)
{
	struct tlsg_arena *previous = NULL;
	int err;

	if(done_before)
		return true;
	server_enter(a, &previous);
	err = gnutls_handshake(s);
	if(err < 0 && gnutls_error_is_fatal(err))
		must(err, "server");
	server_leave(a, previous, err == 0);
	return err == 0;
}

/** One request and one answer of the same size. */
static double message(struct tlsg_arena *a, gnutls_session_t server, gnutls_session_t client)
{
	struct tlsg_arena *previous = NULL;
	char text[MESSAGE_BYTES * 2] = {0};
	double start, spent;
	int n;

	must((int)gnutls_record_send(client, text, MESSAGE_BYTES), "client sends");
	start = now_ns();
	server_enter(a, &previous);
	while((n = (int)gnutls_record_recv(server, text, sizeof(text))) > 0)
		must((int)gnutls_record_send(server, text, (size_t)n), "server sends");
	server_leave(a, previous, false);
	spent = now_ns() - start;
	while((n = (int)gnutls_record_recv(client, text, sizeof(text))) > 0)
		;
	if(n != GNUTLS_E_AGAIN)
		must(n, "client reads");
	return spent;
}

static void handshake(struct world *w, struct tlsg_arena **a, gnutls_session_t s[2], struct figures *f)
{
	struct tlsg_arena *previous = NULL;
	struct tlsg_arena_stats stats;
	bool done[2] = {false, false};
	double start = now_ns();

	if(a != NULL) {
		*a = tlsg_arena_new(w->home_bytes);
		if(*a == NULL || tlsg_arena_keep(*a, OWNER_BYTES) == NULL)
			must(GNUTLS_E_MEMORY_ERROR, "arena");
		server_enter(*a, &previous);
	}
	s[SERVER] = session_make(w, SERVER);
	if(a != NULL)
		server_leave(*a, previous, false);
	f->round_ns += now_ns() - start;
	s[CLIENT] = session_make(w, CLIENT);
	while(!done[SERVER] || !done[CLIENT]) {
		if(!done[CLIENT])
			done[CLIENT] = client_step(s[CLIENT]);
		start = now_ns();
		done[SERVER] = server_step(a != NULL ? *a : NULL, s[SERVER], done[SERVER]);
		f->round_ns += now_ns() - start;
		if(a != NULL && !done[SERVER]) {
			tlsg_arena_stats_get(*a, &stats);
			f->half_open_held = stats.held;
		}
	}
}

/** @param a  0 nothing known yet. */
static double least(double a, double b)
{
	return a == 0 || b < a ? b : a;
}

static void round_run(struct world *w, enum kind kind, struct figures *f)
{
	struct tlsg_arena *a = NULL;
	struct tlsg_arena_stats stats;
	gnutls_session_t s[2];
	size_t calls = tlsg_stub_shm_calls();
	double start, messages_ns = 0;
	int i;

	f->round_ns = 0;
	tlsg_test_pipe_init(&w->pipes[0]);
	tlsg_test_pipe_init(&w->pipes[1]);
	handshake(w, kind == ARENA ? &a : NULL, s, f);
	f->shm_calls += tlsg_stub_shm_calls() - calls;
	calls = tlsg_stub_shm_calls();
	for(i = 0; i < MESSAGES; i++)
		messages_ns += message(a, s[SERVER], s[CLIENT]);
	f->shm_message_calls += tlsg_stub_shm_calls() - calls;
	if(a != NULL) {
		tlsg_arena_stats_get(a, &stats);
		f->idle_held = stats.held;
		f->idle_chunks = stats.chunks;
		f->peak = stats.peak;
		f->in_use = stats.in_use;
	}
	gnutls_deinit(s[CLIENT]);
	start = now_ns();
	if(a != NULL)
		tlsg_arena_drop(a);
	else
		gnutls_deinit(s[SERVER]);
	f->round_ns += now_ns() - start;
	f->handshake_ns = least(f->handshake_ns, f->round_ns);
	f->message_ns = least(f->message_ns, messages_ns / MESSAGES);
}

int main(int argc, char **argv)
{
	long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 200;
	const char *priority = argc > 2 ? argv[2] : "NORMAL";
	struct figures warm_up = {.handshake_ns = 0}, f[KINDS] = {{.handshake_ns = 0}, {.handshake_ns = 0}};
	size_t spare;
	long i;

	world.home_bytes = argc > 3 ? strtoul(argv[3], NULL, 10) : 13000;
	tlsg_stub_process_set(1, 2);
	if(tlsg_arena_global_init() != TLSG_OK || tlsg_arena_pools_init(2) != TLSG_OK || tlsg_scope_install() != TLSG_OK)
		return 1;
	world_make(&world, priority);
	for(i = 0; i < 5; i++) {
		round_run(&world, ARENA, &warm_up);
		printf("arena %ld: half open %zu, idle %zu bytes in %u chunks\n", i + 1, warm_up.half_open_held,
				warm_up.idle_held, warm_up.idle_chunks);
		round_run(&world, PLAIN, &warm_up);
	}
	for(i = 0; i < rounds; i++) {
		round_run(&world, PLAIN, &f[PLAIN]);
		round_run(&world, ARENA, &f[ARENA]);
	}
	printf("GnuTLS %s, %s, %ld handshakes of each kind, %d messages of %d bytes each\n", gnutls_check_version(NULL),
			priority, rounds, MESSAGES, MESSAGE_BYTES);
	printf("server handshake: heap %.0f ns, arena %.0f ns, ratio %.3f\n", f[PLAIN].handshake_ns, f[ARENA].handshake_ns,
			f[ARENA].handshake_ns / f[PLAIN].handshake_ns);
	printf("server message and answer: heap %.0f ns, arena %.0f ns, ratio %.3f\n", f[PLAIN].message_ns,
			f[ARENA].message_ns, f[ARENA].message_ns / f[PLAIN].message_ns);
	printf("shm_malloc calls: %.2f per handshake, %.2f per message\n", (double)f[ARENA].shm_calls / (double)rounds,
			(double)f[ARENA].shm_message_calls / (double)(rounds * MESSAGES));
	printf("bytes: half open %zu; idle %zu held in %u chunks, %zu in use; peak %zu\n", f[ARENA].half_open_held,
			f[ARENA].idle_held, f[ARENA].idle_chunks, f[ARENA].in_use, f[ARENA].peak);
	(void)tlsg_arena_total_held(&spare);
	printf("spare in the pool: %zu\n", spare);
	tlsg_arena_global_deinit();
	printf("blocks left in shared memory: %zu\n", tlsg_stub_shm_blocks());
	return 0;
}
