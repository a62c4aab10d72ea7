/*
 * tls_gnutls - tests of the stand-in host that the other unit tests rely on
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: one process and its children.  Memory: the stand-in's region.  Lock: none.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/host.h"

static void test_alloc_counts_and_aligns_badly(void **state)
{
	size_t before = tlsg_stub_shm_in_use();
	char *a = shm_malloc(100);
	char *b = shm_mallocxz(300000);

	(void)state;
	assert_non_null(a);
	assert_non_null(b);
	assert_int_equal((uintptr_t)a % 16, 8);
	assert_int_equal((uintptr_t)b % 16, 8);
	assert_int_equal((unsigned char)a[99], 0xA5);
	assert_int_equal(b[299999], 0);
	assert_true(tlsg_host_in_shm(a));
	assert_false(tlsg_host_in_shm(&before));
	assert_false(tlsg_host_in_shm(NULL));
	assert_int_equal(tlsg_stub_shm_in_use() - before, 300100);
	a = shm_realloc(a, 5000);
	assert_int_equal((unsigned char)a[99], 0xA5);
	shm_free(a);
	shm_free(b);
	assert_int_equal(tlsg_stub_shm_in_use(), before);
}

static void test_freed_block_is_used_again(void **state)
{
	void *a = shm_malloc(1000);
	void *b;

	(void)state;
	shm_free(a);
	b = shm_malloc(1000);
	assert_ptr_equal(a, b);
	shm_free(b);
}

static void test_limit_and_failing(void **state)
{
	void *a;

	(void)state;
	tlsg_stub_shm_limit_set(tlsg_stub_shm_in_use() + 1000);
	assert_null(shm_malloc(1001));
	a = shm_malloc(1000);
	assert_non_null(a);
	assert_int_equal(shm_available(), 0);
	assert_null(shm_malloc(1));
	shm_free(a);
	tlsg_stub_shm_limit_set(0);

	tlsg_stub_shm_fail_after(1);
	a = shm_malloc(1);
	assert_non_null(a);
	assert_null(shm_malloc(1));
	assert_null(shm_malloc(1));
	tlsg_stub_shm_fail_after(-1);
	shm_free(a);
}

/* Runs f in a child that is expected to die. @return the signal, 0 when it did not die. */
static int signal_of(void (*f)(void))
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if(pid == 0) {
		signal(SIGABRT, SIG_DFL);
		if(freopen("/dev/null", "w", stderr) == NULL)
			_exit(2);
		f();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void free_twice(void)
{
	void *p = shm_malloc(10);

	shm_free(p);
	shm_free(p);
}

static void write_beyond(void)
{
	char *volatile p = shm_malloc(10);

	p[10] = 1;
	shm_free(p);
}

static void free_correctly(void)
{
	shm_free(shm_malloc(10));
}

static void test_misuse_is_caught(void **state)
{
	(void)state;
	assert_int_equal(signal_of(free_correctly), 0);
	assert_int_equal(signal_of(free_twice), SIGABRT);
	assert_int_equal(signal_of(write_beyond), SIGABRT);
}

static void test_processes_share_memory_lock_and_clock(void **state)
{
	enum
	{
		CHILDREN = 4,
		ROUNDS = 2000
	};
	struct
	{
		gen_lock_t lock;
		int sum;
	} *shared = shm_mallocxz(sizeof(*shared));
	int i, j, status;

	(void)state;
	assert_non_null(lock_init(&shared->lock));
	for(i = 0; i < CHILDREN; i++)
		if(fork() == 0) {
			tlsg_stub_process_set(i + 1, CHILDREN + 1);
			for(j = 0; j < ROUNDS; j++) {
				lock_get(&shared->lock);
				shared->sum++;
				lock_release(&shared->lock);
				shm_free(shm_malloc(32));
			}
			tlsg_stub_ticks_set(S_TO_TICKS(7));
			_exit(tlsg_host_process() == i + 1 ? 0 : 1);
		}
	for(i = 0; i < CHILDREN; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_int_equal(shared->sum, CHILDREN * ROUNDS);
	assert_int_equal(get_ticks(), 7);
	assert_int_equal(get_ticks_raw(), 7 * 16);
	assert_int_equal(get_max_procs(), CHILDREN + 1);
	assert_int_equal(lock_try(&shared->lock), 0);
	assert_int_equal(lock_try(&shared->lock), -1);
	lock_release(&shared->lock);
	shm_free(shared);
}

static void test_log_is_captured(void **state)
{
	(void)state;
	tlsg_stub_log_clear();
	LM_ERR("number %d\n", 42);
	LM_DBG("detail\n");
	LM_GEN1(L_INFO, "by level\n");
	assert_int_equal(tlsg_stub_log_count(L_ERR), 1);
	assert_int_equal(tlsg_stub_log_count(L_INFO), 1);
	assert_int_equal(tlsg_stub_log_count(L_WARN), 0);
	assert_non_null(strstr(tlsg_stub_log_text(), "-1:test_log_is_captured: number 42\n"));
	tlsg_stub_log_clear();
	assert_string_equal(tlsg_stub_log_text(), "");
	assert_int_equal(tlsg_stub_log_count(L_ERR), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_alloc_counts_and_aligns_badly),
			cmocka_unit_test(test_freed_block_is_used_again),
			cmocka_unit_test(test_limit_and_failing),
			cmocka_unit_test(test_misuse_is_caught),
			cmocka_unit_test(test_processes_share_memory_lock_and_clock),
			cmocka_unit_test(test_log_is_captured),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
