/*
 * tls_gnutls - tests of the scope: where GnuTLS and GMP allocate, and that nobody else notices
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: one process, its threads and children.  Memory: the stand-in's region.  Lock: none.
 *
 * GnuTLS is told not to initialise itself when it is loaded: tlsg_scope_install() must do it, after main() has set the
 * path of the library's configuration.
 */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <gmp.h>
#include <gnutls/crypto.h>

#include "base/arena.h"
#include "base/arena_pool.h"
#include "base/host.h"
#include "base/object.h"
#include "base/scope.h"
#include "tests/lib/arena_stats.h"
#include "tests/lib/certs.h"
#include "tests/lib/tls_pair.h"

#define CONFIG_ENV "GNUTLS_SYSTEM_PRIORITY_FILE"
#define HOME_BYTES 13000
#define PROCESSES 4

extern gnutls_alloc_function gnutls_secure_malloc __attribute__((weak));

GNUTLS_SKIP_GLOBAL_INIT

static const struct tlsg_cert_row rows[] = {
		{.name = "ca", .flags = TLSG_CERT_CA, .usage = GNUTLS_KEY_KEY_CERT_SIGN},
		{.name = "ec", .issuer = "ca", .cn = "localhost"},
};

static struct tlsg_certs certs;
static char config_path[256];

static time_t fixed_time(time_t *t)
{
	if(t != NULL)
		*t = TLSG_CERTS_NOW;
	return TLSG_CERTS_NOW;
}

static int group_setup(void **state)
{
	(void)state;
	tlsg_stub_process_set(1, PROCESSES);
	assert_int_equal(tlsg_scope_install(), TLSG_OK);
	gnutls_global_set_time_function(fixed_time);
	tlsg_certs_make(&certs, rows, sizeof(rows) / sizeof(rows[0]));
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	tlsg_certs_free(&certs);
	return 0;
}

/** @return the arena of the current scope; NULL: no scope. */
static struct tlsg_arena *scope_current(void)
{
	struct tlsg_arena *a = tlsg_scope_enter(NULL);

	tlsg_scope_leave(a);
	return a;
}

static int setup(void **state)
{
	(void)state;
	assert_null(scope_current());
	assert_int_equal(tlsg_arena_pool_global_init(), TLSG_OK);
	assert_int_equal(tlsg_arena_pool_init(PROCESSES), TLSG_OK);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	assert_null(scope_current());
	tlsg_stub_shm_fail_after(-1);
	tlsg_stub_shm_limit_set(0);
	assert_int_equal(tlsg_arena_pool_held(NULL), 0);
	tlsg_arena_pool_global_deinit();
	assert_int_equal(tlsg_stub_shm_blocks(), 0);
	return 0;
}

static size_t in_use(const struct tlsg_arena *a)
{
	struct tlsg_arena_stats s;

	tlsg_arena_stats_get(a, &s);
	return s.in_use;
}

static bool is_zero(const unsigned char *p, size_t bytes)
{
	size_t i;

	for(i = 0; i < bytes; i++)
		if(p[i] != 0)
			return false;
	return true;
}

/* ---- the exported functions ---- */

static void test_install_twice(void **state)
{
	gnutls_alloc_function routed = gnutls_malloc;

	(void)state;
	assert_int_equal(tlsg_scope_install(), TLSG_OK);
	assert_ptr_equal(routed, gnutls_malloc);
	gnutls_free(gnutls_malloc(10)); /* not a loop of functions that call themselves */
}

static void test_without_scope_nothing_changes(void **state)
{
	size_t calls = tlsg_stub_shm_calls();
	unsigned char *p = gnutls_malloc(100), *q = gnutls_calloc(10, 10), *r;
	char *s = gnutls_strdup("text");
	mpz_t z;

	(void)state;
	assert_false(tlsg_arena_owns(p));
	assert_false(tlsg_arena_owns(q));
	assert_false(tlsg_arena_owns(s));
	assert_true(is_zero(q, 100));
	assert_string_equal(s, "text");
	assert_null(gnutls_strdup(NULL));
	memset(p, 7, 100);
	r = gnutls_realloc(p, 10000);
	assert_false(tlsg_arena_owns(r));
	assert_int_equal(r[99], 7);
	mpz_init_set_ui(z, 1);
	mpz_mul_2exp(z, z, 10000);
	assert_false(tlsg_arena_owns(z->_mp_d));
	mpz_clear(z);
	gnutls_free(r);
	gnutls_free(q);
	gnutls_free(s);
	r = gnutls_realloc(NULL, 20);
	assert_false(tlsg_arena_owns(r));
	gnutls_free(r);
	assert_int_equal(tlsg_stub_shm_calls(), calls);
}

static void test_inside_a_scope_all_goes_to_the_arena(void **state)
{
	struct tlsg_arena *a = tlsg_arena_new(HOME_BYTES);
	struct tlsg_arena *previous = tlsg_scope_enter(a);
	unsigned char *p = gnutls_malloc(100), *q = gnutls_calloc(10, 10), *r = gnutls_realloc(NULL, 33);
	char *s = gnutls_strdup("text");
	size_t sum = 100 + 100 + 33 + 5;

	(void)state;
	assert_null(previous);
	assert_ptr_equal(scope_current(), a);
	if(&gnutls_secure_malloc != NULL) {
		gnutls_free(gnutls_secure_malloc(10));
		r = gnutls_realloc(r, 0);
		assert_null(r);
		r = gnutls_secure_malloc(33);
	}
	assert_int_equal(in_use(a), sum);
	assert_true(tlsg_arena_owns(p) && tlsg_arena_owns(q) && tlsg_arena_owns(r) && tlsg_arena_owns(s));
	assert_true(is_zero(q, 100));
	assert_string_equal(s, "text");
	assert_null(gnutls_strdup(NULL));
	memset(p, 7, 100);
	p = gnutls_realloc(p, 10000);
	assert_int_equal(p[99], 7);
	assert_int_equal(in_use(a), sum + 9900);
	gnutls_free(p);
	gnutls_free(q);
	gnutls_free(r);
	gnutls_free(s);
	assert_int_equal(in_use(a), 0);
	tlsg_scope_leave(previous);
	tlsg_arena_drop(a);
}

/** calloc() gives zeroes also where a block was used before, and refuses a product that does not fit. */
static void test_calloc_clears_and_multiplies(void **state)
{
	struct tlsg_arena *a = tlsg_arena_new(HOME_BYTES);
	struct tlsg_arena *previous = tlsg_scope_enter(a);
	unsigned char *p;
	int i;

	(void)state;
	for(i = 0; i < 20; i++) {
		p = gnutls_malloc(16741);
		memset(p, 0xff, 16741);
		gnutls_free(p);
		p = gnutls_calloc(i + 1, 800);
		assert_true(is_zero(p, (size_t)(i + 1) * 800));
		memset(p, 0xff, (size_t)(i + 1) * 800);
		gnutls_free(p);
	}
	assert_null(gnutls_calloc(SIZE_MAX / 2, 3));
	assert_null(gnutls_calloc((size_t)1 << 33, (size_t)1 << 33));
	assert_int_equal(in_use(a), 0);
	assert_false(tlsg_arena_is_poisoned(a));
	tlsg_scope_leave(previous);
	tlsg_arena_drop(a);
}

/**
 * What libgnutls calls when it calls a function of libc, as its slot says. @return NULL when it imports no such
 * function.
 */
static tlsg_import_function libgnutls_calls(const char *name)
{
	tlsg_import_function f = NULL;
	struct tlsg_import import;

	assert_int_equal(tlsg_object_import((const void *)(uintptr_t)gnutls_handshake, name, &import, NULL), TLSG_OK);
	if(import.count > 0)
		memcpy(&f, import.slot[0].at, sizeof(f));
	return f;
}

/** libgnutls's own free() and realloc(): blocks of an arena in any scope, blocks of the heap as well. */
static void test_libgnutls_frees_by_address(void **state)
{
	void (*its_free)(void *) = (void (*)(void *))libgnutls_calls("free");
	void *(*its_realloc)(void *, size_t) = (void *(*)(void *, size_t))libgnutls_calls("realloc");
	struct tlsg_arena *a = tlsg_arena_new(HOME_BYTES), *previous;
	unsigned char *p, *heap;
	const char *why;

	(void)state;
	if(!tlsg_scope_frees_by_address(&why))
		fail_msg("%s", why);
	assert_non_null(its_free);
	previous = tlsg_scope_enter(a);
	p = gnutls_malloc(100);
	heap = malloc(100);
	its_free(NULL);
	its_free(gnutls_malloc(33));
	assert_int_equal(in_use(a), 100);
	if(its_realloc != NULL) {
		memset(p, 7, 100);
		memset(heap, 9, 100);
		p = its_realloc(p, 5000);
		heap = its_realloc(heap, 5000);
		assert_true(tlsg_arena_owns(p) && p[99] == 7);
		assert_true(!tlsg_arena_owns(heap) && heap[99] == 9);
		/* What it allocates so comes from the heap: others of its kind may free it. */
		its_free(its_realloc(NULL, 10));
		assert_int_equal(in_use(a), 5000);
	}
	its_free(heap);
	tlsg_scope_leave(previous);
	its_free(p);
	assert_int_equal(in_use(a), 0);
	/* A block that was handed out when there was no shared memory. */
	previous = tlsg_scope_enter(a);
	tlsg_stub_shm_fail_after(0);
	p = gnutls_malloc(20000);
	tlsg_stub_shm_fail_after(-1);
	assert_true(tlsg_arena_is_poisoned(a));
	its_free(p);
	tlsg_scope_leave(previous);
	assert_int_equal(in_use(a), 0);
	tlsg_arena_drop(a);
}

/** Another library may change the slots later: then it is said that free() does not decide by address. */
static void test_slot_changed_by_others(void **state)
{
	struct tlsg_import import;
	const char *why;

	(void)state;
	assert_int_equal(tlsg_object_import((const void *)(uintptr_t)gnutls_handshake, "free", &import, NULL), TLSG_OK);
	assert_int_equal(tlsg_import_set(&import, (tlsg_import_function)free, NULL), TLSG_OK);
	assert_false(tlsg_scope_frees_by_address(&why));
	assert_string_equal(why, "its slots were changed by others");
	assert_false(tlsg_scope_frees_by_address(NULL));
	assert_int_equal(tlsg_import_restore(&import, NULL), TLSG_OK);
	assert_true(tlsg_scope_frees_by_address(NULL));
}

static void test_nested_scopes(void **state)
{
	struct tlsg_arena *a = tlsg_arena_new(HOME_BYTES), *b = tlsg_arena_new(HOME_BYTES);
	struct tlsg_arena *first, *second, *third;
	void *in_a, *in_b, *nowhere, *again;

	(void)state;
	first = tlsg_scope_enter(a);
	in_a = gnutls_malloc(1);
	second = tlsg_scope_enter(b);
	in_b = gnutls_malloc(10);
	third = tlsg_scope_enter(NULL);
	nowhere = gnutls_malloc(100);
	assert_null(scope_current());
	tlsg_scope_leave(third);
	assert_ptr_equal(scope_current(), b);
	again = gnutls_malloc(1000);
	tlsg_scope_leave(second);
	assert_ptr_equal(scope_current(), a);
	assert_int_equal(in_use(a), 1);
	assert_int_equal(in_use(b), 1010);
	assert_false(tlsg_arena_owns(nowhere));
	/* Everything is freed in the wrong scope. */
	gnutls_free(nowhere);
	gnutls_free(in_b);
	tlsg_scope_leave(first);
	gnutls_free(again);
	gnutls_free(in_a);
	assert_int_equal(in_use(a) + in_use(b), 0);
	assert_null(scope_current());
	tlsg_arena_drop(a);
	tlsg_arena_drop(b);
}

static void test_blocks_stay_where_they_came_from(void **state)
{
	struct tlsg_arena *a = tlsg_arena_new(HOME_BYTES), *b = tlsg_arena_new(HOME_BYTES);
	unsigned char *heap = gnutls_malloc(50), *of_a;
	struct tlsg_arena *previous = tlsg_scope_enter(a);

	(void)state;
	heap = gnutls_realloc(heap, 5000);
	assert_false(tlsg_arena_owns(heap));
	of_a = gnutls_malloc(50);
	tlsg_scope_leave(previous);
	of_a = gnutls_realloc(of_a, 5000);
	assert_true(tlsg_arena_owns(of_a));
	previous = tlsg_scope_enter(b);
	of_a = gnutls_realloc(of_a, 50000);
	assert_int_equal(in_use(a), 50000);
	assert_int_equal(in_use(b), 0);
	gnutls_free(heap);
	tlsg_scope_leave(previous);
	gnutls_free(of_a);
	assert_int_equal(in_use(a), 0);
	tlsg_arena_drop(a);
	tlsg_arena_drop(b);
}

static void test_numbers_of_gmp(void **state)
{
	struct tlsg_arena *a = tlsg_arena_new(HOME_BYTES);
	struct tlsg_arena *previous;
	mpz_t outside, inside, product;

	(void)state;
	mpz_init_set_str(outside, "123456789012345678901234567890", 10);
	previous = tlsg_scope_enter(a);
	mpz_init_set_str(inside, "987654321098765432109876543210", 10);
	mpz_mul_2exp(outside, outside, 5000); /* grows, stays on the heap */
	assert_false(tlsg_arena_owns(outside->_mp_d));
	assert_true(tlsg_arena_owns(inside->_mp_d));
	tlsg_scope_leave(previous);
	mpz_mul_2exp(inside, inside, 5000); /* grows, stays in the arena */
	assert_true(tlsg_arena_owns(inside->_mp_d));
	mpz_init(product);
	mpz_mul(product, inside, outside);
	assert_false(tlsg_arena_owns(product->_mp_d));
	mpz_tdiv_q_2exp(product, product, 10000);
	assert_int_equal(mpz_cmp_ui(product, 0) > 0, 1);
	previous = tlsg_scope_enter(a);
	mpz_clear(outside);
	tlsg_scope_leave(previous);
	mpz_clear(product);
	mpz_clear(inside);
	assert_int_equal(in_use(a), 0);
	tlsg_arena_drop(a);
}

/* ---- whole sessions ---- */

/** A server and a client in memory; each side may have an arena. */
struct pair
{
	struct tlsg_arena *arena[2];
	gnutls_session_t session[2]; /**< server, client */
	gnutls_certificate_credentials_t cred[2];
	gnutls_priority_t priority;
	struct tlsg_test_pipe pipe[2];
	struct tlsg_test_end end[2];
};

static void pair_new(struct pair *p, const char *priority)
{
	const struct tlsg_cert *c = tlsg_certs_get(&certs, "ec");
	gnutls_x509_crt_t crt = c->crt;
	int i;

	assert_int_equal(gnutls_priority_init(&p->priority, priority, NULL), 0);
	for(i = 0; i < 2; i++) {
		struct tlsg_arena *previous;

		tlsg_test_pipe_init(&p->pipe[i]);
		p->end[i] = (struct tlsg_test_end){.in = &p->pipe[i], .out = &p->pipe[1 - i]};
		assert_int_equal(gnutls_certificate_allocate_credentials(&p->cred[i]), 0);
		assert_int_equal(gnutls_certificate_set_x509_key(p->cred[i], &crt, 1, c->key), 0);
		previous = tlsg_scope_enter(p->arena[i]);
		assert_int_equal(gnutls_init(&p->session[i], (i == 0 ? GNUTLS_SERVER : GNUTLS_CLIENT) | GNUTLS_NONBLOCK), 0);
		assert_int_equal(gnutls_priority_set(p->session[i], p->priority), 0);
		assert_int_equal(gnutls_credentials_set(p->session[i], GNUTLS_CRD_CERTIFICATE, p->cred[i]), 0);
		tlsg_test_end_attach(&p->end[i], p->session[i]);
		tlsg_scope_leave(previous);
	}
}

static int pair_step(struct pair *p, int side)
{
	struct tlsg_arena *previous = tlsg_scope_enter(p->arena[side]);
	int err = gnutls_handshake(p->session[side]);

	tlsg_scope_leave(previous);
	return err;
}

/** @return 0 when both sides are done, or the code of a fatal error. */
static int pair_handshake(struct pair *p)
{
	int err[2] = {GNUTLS_E_AGAIN, GNUTLS_E_AGAIN};
	int i, rounds;

	for(rounds = 0; rounds < 20 && (err[0] != 0 || err[1] != 0); rounds++)
		for(i = 1; i >= 0; i--) {
			if(err[i] != 0)
				err[i] = pair_step(p, i);
			if(err[i] < 0 && gnutls_error_is_fatal(err[i]) != 0)
				return err[i];
		}
	return err[0] != 0 ? err[0] : err[1];
}

static void pair_talk(struct pair *p, int from)
{
	char text[3000], got[3000];
	struct tlsg_arena *previous = tlsg_scope_enter(p->arena[from]);

	memset(text, 'a' + from, sizeof(text));
	assert_int_equal(gnutls_record_send(p->session[from], text, sizeof(text)), sizeof(text));
	tlsg_scope_leave(previous);
	previous = tlsg_scope_enter(p->arena[1 - from]);
	assert_int_equal(gnutls_record_recv(p->session[1 - from], got, sizeof(got)), sizeof(got));
	tlsg_scope_leave(previous);
	assert_memory_equal(text, got, sizeof(got));
}

static void pair_deinit(struct pair *p, int side)
{
	struct tlsg_arena *previous = tlsg_scope_enter(p->arena[side]);

	gnutls_deinit(p->session[side]);
	tlsg_scope_leave(previous);
	gnutls_certificate_free_credentials(p->cred[side]);
	if(side == 1)
		gnutls_priority_deinit(p->priority);
}

/** When a session is gone, nothing of GnuTLS is left in its arena: no object of the library itself was made there. */
static void session_life(const char *priority)
{
	struct pair *p = calloc(1, sizeof(*p));
	int i;

	for(i = 0; i < 2; i++)
		p->arena[i] = tlsg_arena_new(HOME_BYTES);
	pair_new(p, priority);
	assert_int_equal(pair_handshake(p), 0);
	pair_talk(p, 1);
	pair_talk(p, 0);
	for(i = 0; i < 2; i++) {
		assert_true(in_use(p->arena[i]) > 7000);
		pair_deinit(p, i);
		assert_int_equal(in_use(p->arena[i]), 0);
		assert_false(tlsg_arena_is_poisoned(p->arena[i]));
		tlsg_arena_drop(p->arena[i]);
	}
	free(p);
}

static void test_sessions_leave_nothing_behind(void **state)
{
	static const char *const priorities[] = {
			"NORMAL",
			"NORMAL:-VERS-ALL:+VERS-TLS1.2",
			"NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+DHE-RSA:+ECDHE-ECDSA",
			"NORMAL:-CIPHER-ALL:+CHACHA20-POLY1305",
			"NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-CBC:+AES-256-CCM",
			"NORMAL:-GROUP-ALL:+GROUP-X25519",
			"NORMAL:-GROUP-ALL:+GROUP-SECP384R1",
			"NORMAL:-GROUP-ALL:+GROUP-FFDHE2048",
	};
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(priorities) / sizeof(priorities[0]); i++)
		session_life(priorities[i]);
}

/** The first thing a new process does is a handshake in an arena. */
static void test_first_handshake_of_a_process(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	if(pid == 0) {
		tlsg_stub_process_set(2, PROCESSES);
		session_life("NORMAL");
		_exit(tlsg_arena_pool_held(NULL) == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void *thread_first_handshake(void *unused)
{
	(void)unused;
	session_life("NORMAL");
	return NULL;
}

/** A thread's random generator is made on its first use: not in the arena, or it would go with it. */
static void test_first_handshake_of_a_thread(void **state)
{
	struct tlsg_arena *a;
	struct tlsg_arena *previous;
	unsigned char bytes[32] = {0};
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, thread_first_handshake, NULL), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	a = tlsg_arena_new(HOME_BYTES);
	previous = tlsg_scope_enter(a);
	assert_int_equal(gnutls_rnd(GNUTLS_RND_KEY, bytes, sizeof(bytes)), 0);
	tlsg_scope_leave(previous);
	assert_false(is_zero(bytes, sizeof(bytes)));
	assert_int_equal(in_use(a), 0);
	tlsg_arena_drop(a);
}

/** Only one side has an arena: a session on the heap works as ever, and its memory is found again without a scope. */
static void test_heap_and_arena_side_by_side(void **state)
{
	struct pair *p = calloc(1, sizeof(*p));
	struct tlsg_arena *other = tlsg_arena_new(HOME_BYTES), *previous;

	(void)state;
	p->arena[0] = tlsg_arena_new(HOME_BYTES);
	pair_new(p, "NORMAL");
	assert_false(tlsg_arena_owns(p->session[1]));
	assert_int_equal(pair_handshake(p), 0);
	pair_talk(p, 1);
	/* Freed inside the scope of somebody else: mutexes and all go back to where they came from. */
	previous = tlsg_scope_enter(other);
	gnutls_deinit(p->session[1]);
	gnutls_deinit(p->session[0]);
	tlsg_scope_leave(previous);
	assert_int_equal(in_use(p->arena[0]), 0);
	assert_int_equal(in_use(other), 0);
	gnutls_certificate_free_credentials(p->cred[0]);
	gnutls_certificate_free_credentials(p->cred[1]);
	gnutls_priority_deinit(p->priority);
	tlsg_arena_drop(p->arena[0]);
	tlsg_arena_drop(other);
	free(p);
}

/* ---- somebody else in the same process ---- */

static bool stop_foreign;
static unsigned foreign_handshakes;

/** A library that knows nothing of scopes. @return what it did not like. */
static void *foreign_user(void *unused)
{
	struct pair *p = calloc(1, sizeof(*p));
	void *bad = NULL;
	char *text;

	(void)unused;
	while(!__atomic_load_n(&stop_foreign, __ATOMIC_RELAXED)) {
		pair_new(p, "NORMAL");
		text = gnutls_strdup("foreign");
		if(pair_handshake(p) != 0 || tlsg_host_in_shm(p->session[0]) || tlsg_host_in_shm(p->session[1]))
			bad = "session";
		if(tlsg_host_in_shm(text) || scope_current() != NULL)
			bad = "text";
		gnutls_free(text);
		pair_deinit(p, 0);
		pair_deinit(p, 1);
		__atomic_fetch_add(&foreign_handshakes, 1, __ATOMIC_RELAXED);
	}
	free(p);
	return bad;
}

static void test_foreign_threads_notice_nothing(void **state)
{
	struct tlsg_arena *a, *previous;
	pthread_t thread[2];
	void *bad;
	int i;

	(void)state;
	__atomic_store_n(&stop_foreign, false, __ATOMIC_RELAXED);
	for(i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, foreign_user, NULL), 0);
	for(i = 0; i < 10 || (__atomic_load_n(&foreign_handshakes, __ATOMIC_RELAXED) < 4 && i < 100000); i++) {
		session_life("NORMAL");
		/* Private blocks exist as well: then every free of the others asks whether it is one of them. */
		a = tlsg_arena_new(HOME_BYTES);
		previous = tlsg_scope_enter(a);
		tlsg_stub_shm_fail_after(0);
		assert_non_null(gnutls_malloc(20000));
		tlsg_stub_shm_fail_after(-1);
		session_life("NORMAL");
		tlsg_scope_leave(previous);
		tlsg_arena_drop(a);
	}
	__atomic_store_n(&stop_foreign, true, __ATOMIC_RELAXED);
	for(i = 0; i < 2; i++) {
		assert_int_equal(pthread_join(thread[i], &bad), 0);
		assert_null(bad);
	}
	assert_true(foreign_handshakes >= 4);
}

/* ---- no memory ---- */

/** Without shared memory from some allocation on, the handshake goes on in private memory; all is cleaned up. */
static void test_exhaustion_at_every_point(void **state)
{
	struct pair *p = calloc(1, sizeof(*p));
	struct tlsg_arena_stats s;
	unsigned poisoned = 0, after;

	(void)state;
	for(after = 0; after < 12; after++) {
		/* A process without a pool, so that every chunk is asked for. */
		tlsg_stub_process_set(PROCESSES, PROCESSES);
		p->arena[0] = tlsg_arena_new(HOME_BYTES);
		p->arena[1] = NULL;
		tlsg_stub_shm_fail_after((long)after);
		pair_new(p, "NORMAL");
		assert_int_equal(pair_handshake(p), 0);
		pair_talk(p, 1);
		pair_talk(p, 0);
		tlsg_stub_shm_fail_after(-1);
		tlsg_arena_stats_get(p->arena[0], &s);
		if(tlsg_arena_is_poisoned(p->arena[0]))
			poisoned++;
		else
			assert_int_equal(s.overflow, 0);
		pair_deinit(p, 1);
		gnutls_certificate_free_credentials(p->cred[0]);
		if(after % 2 != 0) {
			struct tlsg_arena *previous = tlsg_scope_enter(p->arena[0]);

			gnutls_deinit(p->session[0]);
			tlsg_scope_leave(previous);
			assert_int_equal(in_use(p->arena[0]), 0);
		}
		/* Otherwise the arena goes without a word to GnuTLS, the private blocks with it; so does its reference. */
		if(after % 2 == 0)
			gnutls_priority_deinit(p->priority);
		tlsg_arena_drop(p->arena[0]);
	}
	tlsg_stub_process_set(1, PROCESSES);
	assert_true(poisoned >= 2);
	assert_true(poisoned < 12);
	free(p);
}

/* ---- what the library reads again by itself ---- */

static void config_write(const char *text, time_t when)
{
	struct timespec times[2] = {{.tv_sec = when}, {.tv_sec = when}};
	int fd = open(config_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(futimens(fd, times), 0);
	assert_int_equal(close(fd), 0);
}

/** @return blocks that a compiled priority string leaves in a new arena, in bytes. */
static size_t priority_bytes(struct tlsg_arena *a)
{
	struct tlsg_arena *previous = tlsg_scope_enter(a);
	gnutls_priority_t priority;

	assert_int_equal(gnutls_priority_init(&priority, "@OURS", NULL), 0);
	tlsg_scope_leave(previous);
	return in_use(a);
}

static void test_refresh_keeps_the_library_out_of_arenas(void **state)
{
	struct tlsg_arena *a = tlsg_arena_new(HOME_BYTES), *b = tlsg_arena_new(HOME_BYTES), *c = tlsg_arena_new(HOME_BYTES);
	struct tlsg_arena *previous;
	size_t bytes;

	(void)state;
	config_write("[priorities]\nOURS = NORMAL\n", 1000);
	tlsg_scope_refresh();
	bytes = priority_bytes(a);
	config_write("[priorities]\nOURS = NORMAL:-VERS-TLS1.0\nMORE = NORMAL\n", 2000);
	tlsg_scope_refresh();
	assert_int_equal(priority_bytes(b), bytes);
	/* Why it is needed: the library's own strings would be in the arena. */
	config_write("[priorities]\nOURS = NORMAL:-VERS-TLS1.0\nMORE = NORMAL\nTHIRD = NORMAL\n", 3000);
	assert_true(priority_bytes(c) > bytes);
	/* Out of c again, from inside a scope too. */
	config_write("[priorities]\nOURS = NORMAL\n", 4000);
	previous = tlsg_scope_enter(b);
	tlsg_scope_refresh();
	assert_ptr_equal(scope_current(), b);
	tlsg_scope_leave(previous);
	assert_int_equal(in_use(b), bytes);
	/* 3.8 forgets its old strings without freeing them: they stay, and nothing refers to them. */
	if(gnutls_check_version("3.8.0") == NULL)
		assert_int_equal(in_use(c), bytes);
	tlsg_arena_drop(a);
	tlsg_arena_drop(b);
	tlsg_arena_drop(c);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
			TEST(test_install_twice),
			TEST(test_without_scope_nothing_changes),
			TEST(test_inside_a_scope_all_goes_to_the_arena),
			TEST(test_calloc_clears_and_multiplies),
			TEST(test_libgnutls_frees_by_address),
			TEST(test_slot_changed_by_others),
			TEST(test_nested_scopes),
			TEST(test_blocks_stay_where_they_came_from),
			TEST(test_numbers_of_gmp),
			TEST(test_sessions_leave_nothing_behind),
			TEST(test_first_handshake_of_a_process),
			TEST(test_first_handshake_of_a_thread),
			TEST(test_heap_and_arena_side_by_side),
			TEST(test_foreign_threads_notice_nothing),
			TEST(test_exhaustion_at_every_point),
			TEST(test_refresh_keeps_the_library_out_of_arenas),
	};
	const char *folder = getenv("TMPDIR");
	int failed;

	(void)snprintf(
			config_path, sizeof(config_path), "%s/gnutls-config-%ld", folder != NULL ? folder : "/tmp", (long)getpid());
	if(setenv(CONFIG_ENV, config_path, 1) != 0)
		return 1;
	config_write("[priorities]\nOURS = NORMAL\n", 500);
	failed = cmocka_run_group_tests(tests, group_setup, group_teardown);
	(void)unlink(config_path);
	return failed;
}
