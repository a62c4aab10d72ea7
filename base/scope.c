/*
 * tls_gnutls - routes what GnuTLS and GMP allocate into the current arena
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process; the scope is thread-local.  Memory: shm inside a scope, otherwise what was there before.
 * Lock: none.
 */
#include "base/scope.h"

#include <stdlib.h>
#include <string.h>

#include <gmp.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include "base/mutex.h"
#include "base/object.h"

/* Exported by the library since 3.0, but in no header: used by its own code for what it calls sensitive, if at all. */
extern gnutls_alloc_function gnutls_secure_malloc __attribute__((weak));

static __thread struct tlsg_arena *scope __attribute__((tls_model("initial-exec")));
static __thread bool primed __attribute__((tls_model("initial-exec")));

/** A set of functions: what the library was built with, or what another one in this process has set. */
struct functions
{
	gnutls_alloc_function malloc;
	gnutls_alloc_function secure_malloc;
	gnutls_calloc_function calloc;
	gnutls_realloc_function realloc;
	gnutls_free_function free;
	char *(*strdup)(const char *);
	void *(*gmp_malloc)(size_t);
	void *(*gmp_realloc)(void *, size_t, size_t);
	void (*gmp_free)(void *, size_t);
};

/* ---- what was there before ---- */

static bool installed;
static struct functions first;	/**< when the module was loaded, in a single thread */
static struct functions before; /**< the same, or what others have set since */
static __thread bool passing __attribute__((tls_model("initial-exec")));

/** @return the functions to be called outside of a scope. Those that others have set may call ours. */
static const struct functions *pass_begin(void)
{
	if(passing)
		return &first;
	passing = true;
	return &before;
}

static void pass_end(const struct functions *f)
{
	if(f == &before)
		passing = false;
}

static void *before_malloc(size_t bytes)
{
	const struct functions *f = pass_begin();
	void *p = f->malloc(bytes);

	pass_end(f);
	return p;
}

static void *before_secure_malloc(size_t bytes)
{
	const struct functions *f = pass_begin();
	void *p = f->secure_malloc(bytes);

	pass_end(f);
	return p;
}

static void *before_calloc(size_t count, size_t size)
{
	const struct functions *f = pass_begin();
	void *p = f->calloc(count, size);

	pass_end(f);
	return p;
}

static void *before_realloc(void *p, size_t bytes)
{
	const struct functions *f = pass_begin();
	void *q = f->realloc(p, bytes);

	pass_end(f);
	return q;
}

static void before_free(void *p)
{
	const struct functions *f = pass_begin();

	f->free(p);
	pass_end(f);
}

static void *before_gmp_malloc(size_t bytes)
{
	const struct functions *f = pass_begin();
	void *p = f->gmp_malloc(bytes);

	pass_end(f);
	return p;
}

static void *before_gmp_realloc(void *p, size_t old_bytes, size_t bytes)
{
	const struct functions *f = pass_begin();
	void *q = f->gmp_realloc(p, old_bytes, bytes);

	pass_end(f);
	return q;
}

static void before_gmp_free(void *p, size_t bytes)
{
	const struct functions *f = pass_begin();

	f->gmp_free(p, bytes);
	pass_end(f);
}

/* ---- memory of GnuTLS ---- */

static void *route_malloc(size_t bytes)
{
	struct tlsg_arena *a = scope;

	return a != NULL ? tlsg_arena_malloc(a, bytes) : before_malloc(bytes);
}

static void *route_secure_malloc(size_t bytes)
{
	struct tlsg_arena *a = scope;

	return a != NULL ? tlsg_arena_malloc(a, bytes) : before_secure_malloc(bytes);
}

static void *route_calloc(size_t count, size_t size)
{
	struct tlsg_arena *a = scope;
	size_t bytes;
	void *p;

	if(a == NULL)
		return before_calloc(count, size);
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
		before_free(p);
}

/** As libc: no block, no size. A block stays where it came from, whatever the scope. */
static void *route_realloc(void *p, size_t bytes)
{
	if(p == NULL)
		return scope != NULL ? tlsg_arena_malloc(scope, bytes) : before_realloc(p, bytes);
	if(!tlsg_arena_owns(p))
		return before_realloc(p, bytes);
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
	if(tlsg_object_import(inside, "free", &imports.free, err) != TLSG_OK
			|| tlsg_object_import(inside, "realloc", &imports.realloc, err) != TLSG_OK)
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

	return p != NULL ? p : before_gmp_malloc(bytes);
}

static void *route_gmp_realloc(void *p, size_t old_bytes, size_t bytes)
{
	void *q;

	if(!tlsg_arena_owns(p))
		return before_gmp_realloc(p, old_bytes, bytes);
	q = tlsg_arena_realloc(p, bytes);
	if(q != NULL)
		return q;
	q = before_gmp_malloc(bytes);
	memcpy(q, p, old_bytes < bytes ? old_bytes : bytes);
	tlsg_arena_free(p);
	return q;
}

static void route_gmp_free(void *p, size_t bytes)
{
	if(tlsg_arena_owns(p))
		tlsg_arena_free(p);
	else
		before_gmp_free(p, bytes);
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

static void functions_get(struct functions *f)
{
	memset(f, 0, sizeof(*f));
	f->malloc = gnutls_malloc;
	f->calloc = gnutls_calloc;
	f->realloc = gnutls_realloc;
	f->free = gnutls_free;
	f->strdup = gnutls_strdup;
	f->secure_malloc = &gnutls_secure_malloc != NULL ? gnutls_secure_malloc : NULL;
	mp_get_memory_functions(&f->gmp_malloc, &f->gmp_realloc, &f->gmp_free);
}

static const struct functions own = {
		.malloc = route_malloc,
		.secure_malloc = route_secure_malloc,
		.calloc = route_calloc,
		.realloc = route_realloc,
		.free = route_free,
		.strdup = route_strdup,
		.gmp_malloc = route_gmp_malloc,
		.gmp_realloc = route_gmp_realloc,
		.gmp_free = route_gmp_free,
};

static void routes_set(void)
{
	gnutls_malloc = own.malloc;
	gnutls_calloc = own.calloc;
	gnutls_realloc = own.realloc;
	gnutls_free = own.free;
	gnutls_strdup = own.strdup;
	if(&gnutls_secure_malloc != NULL)
		gnutls_secure_malloc = own.secure_malloc;
	mp_set_memory_functions(own.gmp_malloc, own.gmp_realloc, own.gmp_free);
}

/* ---- what others in the process have set since ---- */

/** Takes a function of others as the one that was there before. @return whether it is one. */
#define ADOPT(now, member) ((now).member != own.member && (before.member = (now).member, true))

static void gnutls_adopt(const struct functions *now)
{
	tlsg_import_function by = NULL;

	if(ADOPT(*now, malloc))
		by = (tlsg_import_function)now->malloc;
	if(ADOPT(*now, calloc))
		by = (tlsg_import_function)now->calloc;
	if(ADOPT(*now, realloc))
		by = (tlsg_import_function)now->realloc;
	if(ADOPT(*now, free))
		by = (tlsg_import_function)now->free;
	if(ADOPT(*now, strdup))
		by = (tlsg_import_function)now->strdup;
	if(now->secure_malloc != NULL && ADOPT(*now, secure_malloc))
		by = (tlsg_import_function)now->secure_malloc;
	if(by != NULL)
		tlsg_object_say_replaced("GnuTLS's memory functions", by);
}

static void gmp_adopt(const struct functions *now)
{
	tlsg_import_function by = NULL;

	if(ADOPT(*now, gmp_malloc))
		by = (tlsg_import_function)now->gmp_malloc;
	if(ADOPT(*now, gmp_realloc))
		by = (tlsg_import_function)now->gmp_realloc;
	if(ADOPT(*now, gmp_free))
		by = (tlsg_import_function)now->gmp_free;
	if(by != NULL)
		tlsg_object_say_replaced("GMP's memory functions", by);
}

void tlsg_scope_check(void)
{
	struct functions now;

	if(!installed)
		return;
	functions_get(&now);
	if(now.secure_malloc == NULL)
		now.secure_malloc = own.secure_malloc;
	if(memcmp(&now, &own, sizeof(now)) != 0) {
		gnutls_adopt(&now);
		gmp_adopt(&now);
		routes_set();
	}
	tlsg_mutex_check();
}

static struct tlsg_arena *current(void)
{
	return scope;
}

enum tlsg_ret tlsg_scope_install(void)
{
	if(installed)
		return TLSG_OK;
	/* First, because the library looks at GMP's functions when it is initialised, and leaves foreign ones alone. */
	if(gnutls_global_init() < 0)
		return TLSG_E_INTERNAL;
	tlsg_scope_refresh();
	if(!thread_prime())
		return TLSG_E_INTERNAL;
	/* From here on nothing fails: what is set stays. */
	functions_get(&first);
	before = first;
	imports_set();
	routes_set();
	tlsg_mutex_install(current);
	installed = true;
	return TLSG_OK;
}

struct tlsg_arena *tlsg_scope_enter(struct tlsg_arena *a)
{
	struct tlsg_arena *previous = scope;

	if(!primed && a != NULL) {
		scope = NULL;
		(void)thread_prime();
	}
	if(a != NULL)
		tlsg_scope_check();
	scope = a;
	return previous;
}

void tlsg_scope_leave(struct tlsg_arena *previous)
{
	scope = previous;
}
