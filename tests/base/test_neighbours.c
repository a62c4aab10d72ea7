/*
 * tls_gnutls - tests of others in the process that replace what the module has set in GnuTLS and GMP
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: a process of its own for each test.  Memory: heap, shared region of the stub.  Lock: those that are tested.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <gmp.h>
#include <gnutls/gnutls.h>

#include "base/arena_pool.h"
#include "base/arena_private.h"
#include "base/host.h"
#include "base/mutex.h"
#include "base/scope.h"

#define HOLDS(condition)     \
	do {                     \
		if(!(condition))     \
			return __LINE__; \
	} while(0)

/** Runs a test in a process of its own. @param test  gives 0, or the line that failed. */
static void run(int (*test)(void))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if(pid == 0) {
		int line = tlsg_arena_pool_global_init() == TLSG_OK && tlsg_scope_install() == TLSG_OK ? test() : __LINE__;

		if(line != 0)
			(void)dprintf(STDERR_FILENO, "failed: line %d\n", line);
		_exit(line != 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* ---- a neighbour ---- */

static unsigned calls;
static void *(*gmp_malloc_was)(size_t);
static void *(*gmp_realloc_was)(void *, size_t, size_t);
static void (*gmp_free_was)(void *, size_t);

static void *gmp_malloc_theirs(size_t bytes)
{
	calls++;
	return gmp_malloc_was != NULL ? gmp_malloc_was(bytes) : malloc(bytes);
}

static void *gmp_realloc_theirs(void *p, size_t old_bytes, size_t bytes)
{
	calls++;
	return gmp_realloc_was != NULL ? gmp_realloc_was(p, old_bytes, bytes) : realloc(p, bytes);
}

static void gmp_free_theirs(void *p, size_t bytes)
{
	calls++;
	if(gmp_free_was != NULL)
		gmp_free_was(p, bytes);
	else
		free(p);
}

static void *malloc_theirs(size_t bytes)
{
	calls++;
	return malloc(bytes);
}

static void free_theirs(void *p)
{
	calls++;
	free(p);
}

/** No pthread_mutex_t, and only those of its own. */
struct lock_theirs
{
	uint64_t magic;
	int held;
};

#define MAGIC UINT64_C(0x7465697273212121)

static int init_theirs(void **mutex)
{
	struct lock_theirs *l = calloc(1, sizeof(*l));

	calls++;
	l->magic = MAGIC;
	*mutex = l;
	return 0;
}

static struct lock_theirs *theirs(void **mutex)
{
	struct lock_theirs *l = *mutex;

	calls++;
	if(l->magic != MAGIC)
		abort();
	return l;
}

static int deinit_theirs(void **mutex)
{
	free(theirs(mutex));
	return 0;
}

static int lock_theirs(void **mutex)
{
	theirs(mutex)->held++;
	return 0;
}

static int unlock_theirs(void **mutex)
{
	theirs(mutex)->held--;
	return 0;
}

/** A session made and freed, in the current scope. */
static int session_works(void)
{
	gnutls_session_t session;
	int rc = gnutls_init(&session, GNUTLS_CLIENT | GNUTLS_NONBLOCK);

	if(rc < 0)
		return rc;
	rc = gnutls_set_default_priority(session);
	gnutls_deinit(session);
	return rc;
}

/* ---- tests ---- */

/** GMP: in the arena in a scope, theirs outside. @param chained  theirs call those that were there before. */
static int gmp(bool chained)
{
	void *(*now)(size_t);
	struct tlsg_arena *a = tlsg_arena_new(0), *previous;
	mpz_t in, out;

	HOLDS(a != NULL);
	if(chained)
		mp_get_memory_functions(&gmp_malloc_was, &gmp_realloc_was, &gmp_free_was);
	mp_set_memory_functions(gmp_malloc_theirs, gmp_realloc_theirs, gmp_free_theirs);
	previous = tlsg_scope_enter(a);
	mp_get_memory_functions(&now, NULL, NULL);
	HOLDS(now != gmp_malloc_theirs);
	calls = 0;
	mpz_init2(in, 4096);
	HOLDS(tlsg_arena_owns(in->_mp_d) && calls == 0);
	tlsg_scope_leave(previous);
	HOLDS(strstr(tlsg_stub_log_text(), "GMP's memory functions were replaced by") != NULL);
	mpz_init2(out, 4096);
	HOLDS(!tlsg_arena_owns(out->_mp_d) && calls == 1);
	mpz_realloc2(out, 8192);
	HOLDS(calls == 2);
	mpz_clear(out);
	HOLDS(calls == 3);
	mpz_clear(in); /* by its address */
	HOLDS(calls == 3);
	tlsg_arena_drop(a);
	return 0;
}

static int gmp_own(void)
{
	return gmp(false);
}

static int gmp_chained(void)
{
	return gmp(true);
}

static int gnutls_memory(void)
{
	struct tlsg_arena *a = tlsg_arena_new(0), *previous;
	void *p;

	HOLDS(a != NULL);
	gnutls_malloc = malloc_theirs;
	gnutls_free = free_theirs;
	previous = tlsg_scope_enter(a);
	p = gnutls_malloc(100);
	HOLDS(tlsg_arena_owns(p) && calls == 0);
	tlsg_scope_leave(previous);
	gnutls_free(p);
	HOLDS(calls == 0);
	p = gnutls_malloc(100);
	HOLDS(!tlsg_arena_owns(p) && calls == 1);
	gnutls_free(p);
	HOLDS(calls == 2);
	HOLDS(strstr(tlsg_stub_log_text(), "GnuTLS's memory functions were replaced by") != NULL);
	tlsg_arena_drop(a);
	return 0;
}

/** Sessions made in a scope, outside by us, outside by them: each mutex goes to whose it is. */
static int mutexes(void)
{
	struct tlsg_arena *a = tlsg_arena_new(0), *previous;
	gnutls_session_t early, late;
	unsigned made;

	HOLDS(a != NULL);
	previous = tlsg_scope_enter(a);
	HOLDS(gnutls_init(&early, GNUTLS_SERVER) >= 0);
	tlsg_scope_leave(previous);
	gnutls_global_set_mutex(init_theirs, deinit_theirs, lock_theirs, unlock_theirs);
	HOLDS(session_works() >= 0 && calls > 0); /* in use before the module sees them */
	made = tlsg_mutex_made();
	calls = 0;
	previous = tlsg_scope_enter(a);
	HOLDS(gnutls_init(&late, GNUTLS_SERVER) >= 0);
	HOLDS(tlsg_mutex_made() > made && calls == 0);
	gnutls_deinit(early);
	gnutls_deinit(late);
	HOLDS(calls == 0);
	tlsg_scope_leave(previous);
	HOLDS(session_works() >= 0 && calls > 0); /* outside they are theirs as before */
	HOLDS(strstr(tlsg_stub_log_text(), "GnuTLS's mutex functions were replaced by") != NULL);
	tlsg_arena_drop(a);
	return 0;
}

/** Each change is said once; without one nothing is said. */
static int said_once(void)
{
	struct tlsg_arena *a = tlsg_arena_new(0), *previous;
	size_t length;
	int i;

	HOLDS(a != NULL);
	tlsg_scope_check();
	HOLDS(strstr(tlsg_stub_log_text(), "replaced") == NULL);
	gnutls_free = free_theirs;
	gnutls_global_set_mutex(init_theirs, deinit_theirs, lock_theirs, unlock_theirs);
	tlsg_scope_check();
	length = strlen(tlsg_stub_log_text());
	HOLDS(length > 0);
	for(i = 0; i < 10; i++) {
		previous = tlsg_scope_enter(a);
		tlsg_scope_leave(previous);
	}
	HOLDS(strlen(tlsg_stub_log_text()) == length);
	tlsg_arena_drop(a);
	return 0;
}

static bool over;

static void *churn(void *arg)
{
	while(!__atomic_load_n(&over, __ATOMIC_RELAXED))
		tlsg_arena_private_free(tlsg_arena_private_new(arg, 64));
	return NULL;
}

/** A process that forks while another thread holds the lock of private blocks: the child can take it. */
static int fork_beside_private_blocks(void)
{
	struct tlsg_arena *a = tlsg_arena_new(0);
	time_t start = time(NULL);
	pthread_t thread;
	int i;

	HOLDS(a != NULL);
	HOLDS(pthread_create(&thread, NULL, churn, a) == 0);
	for(i = 0; i < 2000 && time(NULL) - start < 10; i++) { /* valgrind needs longer for each */
		int status;
		pid_t pid = fork();

		HOLDS(pid >= 0);
		if(pid == 0) {
			alarm(20); /* a child that waits for ever ends by a signal */
			tlsg_arena_private_free(tlsg_arena_private_new(a, 64));
			_exit(0);
		}
		HOLDS(waitpid(pid, &status, 0) == pid && status == 0);
	}
	__atomic_store_n(&over, true, __ATOMIC_RELAXED);
	HOLDS(pthread_join(thread, NULL) == 0);
	return 0;
}

#define TEST(name)                        \
	static void test_##name(void **state) \
	{                                     \
		(void)state;                      \
		run(name);                        \
	}

TEST(gmp_own)
TEST(gmp_chained)
TEST(gnutls_memory)
TEST(mutexes)
TEST(said_once)

static void test_fork_beside_private_blocks(void **state)
{
	(void)state;
#ifdef __SANITIZE_ADDRESS__
	(void)fork_beside_private_blocks;
	print_message("SKIPPED: malloc of AddressSanitizer takes a lock that the child finds held\n");
	skip();
#else
	run(fork_beside_private_blocks);
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_gmp_own),
			cmocka_unit_test(test_gmp_chained),
			cmocka_unit_test(test_gnutls_memory),
			cmocka_unit_test(test_mutexes),
			cmocka_unit_test(test_said_once),
			cmocka_unit_test(test_fork_beside_private_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
