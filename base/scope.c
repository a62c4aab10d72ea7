/*
 * tls_gnutls - routes what GnuTLS and GMP allocate into the current arena
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process; the scope is thread-local.  Memory: shm inside a scope, otherwise what was there before.
 * Lock: none.
 */
#include "base/scope.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <gmp.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include "base/import.h"

/* Exported by the library since 3.0, but in no header: used by its own code for what it calls sensitive, if at all. */
extern gnutls_alloc_function gnutls_secure_malloc __attribute__((weak));

static __thread struct tlsg_arena *scope __attribute__((tls_model("initial-exec")));
static __thread bool primed __attribute__((tls_model("initial-exec")));

/** The functions that were set before; recorded once, before Kamailio has forked or started a thread. */
static struct
{
	bool installed;
	gnutls_alloc_function malloc;
	gnutls_alloc_function secure_malloc;
	gnutls_calloc_function calloc;
	gnutls_realloc_function realloc;
	gnutls_free_function free;
	void *(*gmp_malloc)(size_t);
	void *(*gmp_realloc)(void *, size_t, size_t);
	void (*gmp_free)(void *, size_t);
} before;

/* ---- memory of GnuTLS ---- */

static void *route_malloc(size_t bytes)
{
	struct tlsg_arena *a = scope;

	return a != NULL ? tlsg_arena_malloc(a, bytes) : before.malloc(bytes);
}

static void *route_secure_malloc(size_t bytes)
{
	struct tlsg_arena *a = scope;

	return a != NULL ? tlsg_arena_malloc(a, bytes) : before.secure_malloc(bytes);
}

static void *route_calloc(size_t count, size_t size)
{
	struct tlsg_arena *a = scope;
	size_t bytes;
	void *p;

	if(a == NULL)
		return before.calloc(count, size);
	if(__builtin_mul_overflow(count, size, &bytes))
		return NULL;
	p = tlsg_arena_malloc(a, bytes);
	if(p != NULL)
		memset(p, 0, bytes);
	return p;
}

static void route_free(void *p)
{
	if(p == NULL)
		return;
	if(tlsg_arena_owns(p))
		tlsg_arena_free(p);
	else
		before.free(p);
}

/** As libc: no block, no size. A block stays where it came from, whatever the scope. */
static void *route_realloc(void *p, size_t bytes)
{
	if(p == NULL)
		return scope != NULL ? tlsg_arena_malloc(scope, bytes) : before.realloc(p, bytes);
	if(!tlsg_arena_owns(p))
		return before.realloc(p, bytes);
	if(bytes == 0) {
		tlsg_arena_free(p);
		return NULL;
	}
	return tlsg_arena_realloc(p, bytes);
}

static char *route_strdup(const char *s)
{
	size_t bytes;
	char *copy;

	if(s == NULL)
		return NULL;
	bytes = strlen(s) + 1;
	copy = route_malloc(bytes);
	if(copy != NULL)
		memcpy(copy, s, bytes);
	return copy;
}

/*
 * ---- what libgnutls frees with free() though gnutls_malloc() gave it ----
 *
 * Some places in GnuTLS do, and a peer reaches one of them (doc/architecture.md lists all). Its own calls of free()
 * and realloc() are therefore pointed at functions that decide by address too. Its malloc(), calloc() and strdup()
 * stay what they are.
 */

static struct
{
	struct tlsg_import free, realloc;
	bool set;
	struct tlsg_err err; /**< why not */
} imports;

static bool probe_called;

static void imported_free(void *p)
{
	if(tlsg_arena_owns(p))
		tlsg_arena_free(p);
	else
		free(p);
}

/** Without a block it is malloc(), and that is the heap here, in a scope too. */
static void *imported_realloc(void *p, size_t bytes)
{
	return p != NULL && tlsg_arena_owns(p) ? route_realloc(p, bytes) : realloc(p, bytes);
}

static void probe_free(void *p)
{
	probe_called = true;
	free(p);
}

/**
 * Whether libgnutls calls free() through its slots: a dynamic linker may have replaced the indirect calls by direct
 * ones. Text that is not ASCII comes from libunistring's malloc(), and so is freed with free() in each version.
 */
static bool probe_free_slot(struct tlsg_import *import, struct tlsg_err *err)
{
	static const unsigned char text[] = "p\xc3\xa4ss";
	gnutls_datum_t out = {NULL, 0};

	probe_called = false;
	if(tlsg_import_set(import, (tlsg_import_function)probe_free, err) != TLSG_OK)
		return false;
	if(gnutls_utf8_password_normalize(text, sizeof(text) - 1, &out, 0) >= 0)
		gnutls_free(out.data);
	if(tlsg_import_restore(import, err) != TLSG_OK)
		return false;
	if(!probe_called)
		(void)tlsg_err_set(err, TLSG_E_INTERNAL, "its calls do not go through the slot");
	return probe_called;
}

static void imports_set(void)
{
	const void *inside = (const void *)(uintptr_t)gnutls_handshake;
	struct tlsg_err *err = &imports.err;

	imports.set = false;
	tlsg_err_clear(err);
	if(tlsg_import_find_in(inside, "free", &imports.free, err) != TLSG_OK
			|| tlsg_import_find_in(inside, "realloc", &imports.realloc, err) != TLSG_OK)
		return;
	if(imports.free.count == 0) {
		(void)tlsg_err_set(err, TLSG_E_INTERNAL, "it does not import free()");
		return;
	}
	if(!probe_free_slot(&imports.free, err)
			|| tlsg_import_set(&imports.realloc, (tlsg_import_function)imported_realloc, err) != TLSG_OK)
		return;
	if(tlsg_import_set(&imports.free, (tlsg_import_function)imported_free, err) != TLSG_OK) {
		(void)tlsg_import_restore(&imports.realloc, NULL);
		return;
	}
	imports.set = true;
}

bool tlsg_scope_frees_by_address(const char **why)
{
	bool held = imports.set && tlsg_import_holds(&imports.free, (tlsg_import_function)imported_free)
				&& (imports.realloc.count == 0
						|| tlsg_import_holds(&imports.realloc, (tlsg_import_function)imported_realloc));

	if(why != NULL)
		*why = imports.err.class != TLSG_CLASS_NONE ? imports.err.text : "its slots were changed by others";
	return held;
}

/* ---- memory of GMP, whose functions must never return NULL: the previous ones end the process instead ---- */

static void *route_gmp_malloc(size_t bytes)
{
	struct tlsg_arena *a = scope;
	void *p = a != NULL ? tlsg_arena_malloc(a, bytes) : NULL;

	return p != NULL ? p : before.gmp_malloc(bytes);
}

static void *route_gmp_realloc(void *p, size_t old_bytes, size_t bytes)
{
	void *q;

	if(!tlsg_arena_owns(p))
		return before.gmp_realloc(p, old_bytes, bytes);
	q = tlsg_arena_realloc(p, bytes);
	if(q != NULL)
		return q;
	q = before.gmp_malloc(bytes);
	memcpy(q, p, old_bytes < bytes ? old_bytes : bytes);
	tlsg_arena_free(p);
	return q;
}

static void route_gmp_free(void *p, size_t bytes)
{
	if(tlsg_arena_owns(p))
		tlsg_arena_free(p);
	else
		before.gmp_free(p, bytes);
}

/* ---- mutexes of GnuTLS: inside a scope for all processes, otherwise as the library makes them itself ---- */

static int mutex_setup(pthread_mutex_t *m, bool shared)
{
	pthread_mutexattr_t attr;
	int err;

	if(!shared)
		return pthread_mutex_init(m, NULL);
	err = pthread_mutexattr_init(&attr);
	if(err != 0)
		return err;
	err = pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	if(err == 0)
		err = pthread_mutex_init(m, &attr);
	pthread_mutexattr_destroy(&attr);
	return err;
}

static void mutex_release(void *m)
{
	if(tlsg_arena_owns(m))
		tlsg_arena_free(m);
	else
		free(m);
}

static int mutex_init(void **mutex)
{
	struct tlsg_arena *a = scope;
	pthread_mutex_t *m = a != NULL ? tlsg_arena_malloc(a, sizeof(*m)) : malloc(sizeof(*m));

	if(m == NULL)
		return GNUTLS_E_MEMORY_ERROR;
	if(mutex_setup(m, a != NULL) != 0) {
		mutex_release(m);
		return GNUTLS_E_LOCKING_ERROR;
	}
	*mutex = m;
	return 0;
}

static int mutex_deinit(void **mutex)
{
	if(pthread_mutex_destroy(*mutex) != 0)
		return GNUTLS_E_LOCKING_ERROR;
	mutex_release(*mutex);
	*mutex = NULL;
	return 0;
}

static int mutex_lock(void **mutex)
{
	return pthread_mutex_lock(*mutex) == 0 ? 0 : GNUTLS_E_LOCKING_ERROR;
}

static int mutex_unlock(void **mutex)
{
	return pthread_mutex_unlock(*mutex) == 0 ? 0 : GNUTLS_E_LOCKING_ERROR;
}

/*
 * ---- what must exist before a scope is taken ----
 *
 * Objects that GnuTLS makes once and keeps would be freed with the arena if they were made in a scope. What it
 * allocates with its own functions and keeps, in 3.7.9 and 3.8:
 * - ASN.1 trees, registered ciphers, hello extensions, FIPS state: gnutls_global_init(), from tlsg_scope_install()
 * - the random generator of a thread, or its place in a list (random.c): first gnutls_rnd(), from tlsg_scope_enter()
 * - the system-wide configuration (priority.c): gnutls_priority_init() with "@", whenever the file has changed;
 *   tlsg_scope_refresh()
 * - PKCS#11 providers and tokens (pkcs11.c): callers use keys, tokens and trust lists without a scope
 * - what a program registers (gnutls_ext_register(), gnutls_supplemental_register(), gnutls_crypto_register_*()): not
 *   used
 * The key log, TPM and compression libraries and locales are opened on first use too, but with the heap of libc.
 */

/** The random generator of a thread is made on first use and lives as long as the process. */
static bool thread_prime(void)
{
	unsigned char byte;

	if(!primed && gnutls_rnd(GNUTLS_RND_NONCE, &byte, 1) == 0 && gnutls_rnd(GNUTLS_RND_KEY, &byte, 1) == 0)
		primed = true;
	return primed;
}

const char *tlsg_scope_gnutls_version(void)
{
	return gnutls_check_version(NULL);
}

void tlsg_scope_refresh(void)
{
	struct tlsg_arena *previous = scope;
	gnutls_priority_t priority;

	scope = NULL;
	/* Only names of the configuration ("@") make the library look at it; whether this one exists does not matter. */
	if(gnutls_priority_init(&priority, "@SYSTEM", NULL) == 0)
		gnutls_priority_deinit(priority);
	scope = previous;
}

static void routes_set(void)
{
	before.malloc = gnutls_malloc;
	before.calloc = gnutls_calloc;
	before.realloc = gnutls_realloc;
	before.free = gnutls_free;
	mp_get_memory_functions(&before.gmp_malloc, &before.gmp_realloc, &before.gmp_free);
	if(&gnutls_secure_malloc != NULL) {
		before.secure_malloc = gnutls_secure_malloc;
		gnutls_secure_malloc = route_secure_malloc;
	}
	gnutls_malloc = route_malloc;
	gnutls_calloc = route_calloc;
	gnutls_realloc = route_realloc;
	gnutls_free = route_free;
	gnutls_strdup = route_strdup;
	mp_set_memory_functions(route_gmp_malloc, route_gmp_realloc, route_gmp_free);
	gnutls_global_set_mutex(mutex_init, mutex_deinit, mutex_lock, mutex_unlock);
}

enum tlsg_ret tlsg_scope_install(void)
{
	if(before.installed)
		return TLSG_OK;
	/* First, because the library looks at GMP's functions when it is initialised, and leaves foreign ones alone. */
	if(gnutls_global_init() < 0)
		return TLSG_E_INTERNAL;
	tlsg_scope_refresh();
	if(!thread_prime())
		return TLSG_E_INTERNAL;
	/* From here on nothing fails: what is set stays. */
	imports_set();
	routes_set();
	before.installed = true;
	return TLSG_OK;
}

struct tlsg_arena *tlsg_scope_enter(struct tlsg_arena *a)
{
	struct tlsg_arena *previous = scope;

	if(!primed && a != NULL) {
		scope = NULL;
		(void)thread_prime();
	}
	scope = a;
	return previous;
}

void tlsg_scope_leave(struct tlsg_arena *previous)
{
	scope = previous;
}

struct tlsg_arena *tlsg_scope_current(void)
{
	return scope;
}
