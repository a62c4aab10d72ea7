/*
 * tls_gnutls - routes what GnuTLS and GMP allocate into the current arena
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process; the scope is thread-local.  Memory: shm inside a scope, otherwise what was there before.
 * Lock: none.
 *
 * The exported variables gnutls_malloc, gnutls_calloc, gnutls_realloc, gnutls_free, gnutls_strdup,
 * gnutls_secure_malloc, GMP's memory functions and GnuTLS's mutex functions are replaced once. Without a scope they
 * do exactly what was there before; free and realloc decide by address, never by scope. libgnutls's own calls of
 * libc's free() and realloc() do so too, where that can be arranged (tlsg_scope_frees_by_address()). Mutexes:
 * base/mutex.h.
 */
#ifndef TLSG_BASE_SCOPE_H
#define TLSG_BASE_SCOPE_H

#include "base/arena.h"
#include "base/err.h"

/**
 * Installs the functions, once per program, in mod_register (single process, single thread). Keeps what was there
 * before.
 * @return TLSG_OK (also when already installed); TLSG_E_INTERNAL when GnuTLS cannot be initialised.
 * Source: gnutls.h (exported allocation variables), gnutls_global_set_mutex(), GMP manual "Custom Allocation".
 */
enum tlsg_ret tlsg_scope_install(void) TLSG_MUST_CHECK;

/**
 * Whether libgnutls's own calls of free() and realloc() decide by address. If not, GnuTLS must not get at the one place
 * that a peer can reach and that frees memory of gnutls_malloc() with free(): session tickets are neither offered nor
 * accepted.
 * @param why  [out] a few words on the reason when false; static, NULL allowed.
 * @return true as long as the slots hold what tlsg_scope_install() has set; false when it could not, or others
 *         changed them.
 */
bool tlsg_scope_frees_by_address(const char **why);

/**
 * Looks whether another library of this process has replaced what tlsg_scope_install() has set, and sets it again.
 * What the other has set is called outside of scopes from then on, as if this module were not there. One line at
 * WARNING each time. tlsg_scope_enter() does the same; to be called by itself where a process begins. Nothing happens
 * before installation.
 */
void tlsg_scope_check(void);

/**
 * Has GnuTLS read again, privately, what it re-reads by itself when it has changed: the system-wide configuration,
 * which gnutls_priority_init() looks at. To be called without a scope right before gnutls_priority_init() inside one,
 * or the library's own strings could end up in the arena.
 */
void tlsg_scope_refresh(void);

/**
 * Takes a scope: from now on this thread allocates in the arena.
 * @param a  arena, NULL means "no scope" (used around work on private objects: keys, trust lists).
 * @return the previous scope, to be given to tlsg_scope_leave().
 */
struct tlsg_arena *tlsg_scope_enter(struct tlsg_arena *a);

/** Restores the previous scope. @param previous  what tlsg_scope_enter() returned. */
void tlsg_scope_leave(struct tlsg_arena *previous);

#endif
