/*
 * tls_gnutls - preloaded: another user of GnuTLS and GMP, which sets functions of its own after the module has
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: a Kamailio of the end-to-end tests.  Memory: the heap.  Lock: its own, which are no pthread_mutex_t.
 *
 * Environment: NEIGHBOUR is `start` (it does so in mod_init, when GnuTLS is asked for its version), `later` (each
 * process does so when it gets SIGRTMIN + 5), or `blind` (what the module sets does not arrive). It aborts when it gets
 * a mutex that is not its own.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <gmp.h>
#include <gnutls/gnutls.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAGIC UINT64_C(0x7465697273212121)

typedef void set_mutex(mutex_init_func, mutex_deinit_func, mutex_lock_func, mutex_unlock_func);
typedef const char *check_version(const char *);

struct lock
{
	uint64_t magic;
	int held;
};

static int lock_init(void **mutex)
{
	struct lock *l = calloc(1, sizeof(*l));

	if(l == NULL)
		return GNUTLS_E_MEMORY_ERROR;
	l->magic = MAGIC;
	*mutex = l;
	return 0;
}

static struct lock *lock_of(void **mutex)
{
	struct lock *l = *mutex;

	if(l->magic != MAGIC)
		abort();
	return l;
}

static int lock_deinit(void **mutex)
{
	free(lock_of(mutex));
	return 0;
}

static int lock_get(void **mutex)
{
	lock_of(mutex)->held++;
	return 0;
}

static int lock_release(void **mutex)
{
	lock_of(mutex)->held--;
	return 0;
}

static void *number_malloc(size_t bytes)
{
	return malloc(bytes);
}

static void *number_realloc(void *p, size_t old_bytes, size_t bytes)
{
	(void)old_bytes;
	return realloc(p, bytes);
}

static void number_free(void *p, size_t bytes)
{
	(void)bytes;
	free(p);
}

static int is_mode(const char *mode)
{
	const char *value = getenv("NEIGHBOUR");

	return value != NULL && strcmp(value, mode) == 0;
}

static void *real(const char *name)
{
	void *function = dlsym(RTLD_NEXT, name);

	if(function == NULL)
		abort();
	return function;
}

static void replace(void)
{
	static const char line[] = "neighbour: replaced\n";

	((set_mutex *)real("gnutls_global_set_mutex"))(lock_init, lock_deinit, lock_get, lock_release);
	mp_set_memory_functions(number_malloc, number_realloc, number_free);
	if(write(STDERR_FILENO, line, sizeof(line) - 1) < 0)
		abort();
}

void gnutls_global_set_mutex(
		mutex_init_func init, mutex_deinit_func deinit, mutex_lock_func lock, mutex_unlock_func unlock)
{
	if(!is_mode("blind"))
		((set_mutex *)real("gnutls_global_set_mutex"))(init, deinit, lock, unlock);
}

const char *gnutls_check_version(const char *wanted)
{
	static int done;

	if(!done && is_mode("start")) {
		done = 1;
		replace();
	}
	return ((check_version *)real("gnutls_check_version"))(wanted);
}

static void replace_now(int number)
{
	(void)number;
	replace();
}

__attribute__((constructor)) static void begin(void)
{
	if(is_mode("later"))
		(void)signal(SIGRTMIN + 5, replace_now);
}
