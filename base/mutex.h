/*
 * tls_gnutls - the mutexes that GnuTLS makes: for all processes inside a scope, as without this module outside
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: the arena of the scope, otherwise the heap.  Lock: the mutexes themselves.
 *
 * Installation and check are for base/scope.c.
 */
#ifndef TLSG_BASE_MUTEX_H
#define TLSG_BASE_MUTEX_H

#include "base/arena.h"

/**
 * Sets GnuTLS's mutex functions, and finds the variables in which it keeps them: it offers no way to ask for them.
 * Once, in a single thread.
 * @param current  gives the arena of the current scope, NULL outside any.
 * Source: gnutls_global_set_mutex().
 */
void tlsg_mutex_install(struct tlsg_arena *(*current)(void));

/**
 * Looks whether another library has replaced the functions, and sets them again. Mutexes made outside of scopes go to
 * the other functions from then on. One line at WARNING each time. Does nothing where the variables were not found.
 */
void tlsg_mutex_check(void);

/**
 * How many mutexes were made inside scopes in this process. A session has some, so the number grows with gnutls_init();
 * if it does not, others have replaced the functions where tlsg_mutex_check() cannot see it, and no other process may
 * use the session.
 */
unsigned tlsg_mutex_made(void);

#endif
