/*
 * tls_gnutls - the mutexes that GnuTLS makes: for all processes inside a scope, as without this module outside
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: the arena of the scope, otherwise the heap.  Lock: the mutexes themselves.
 *
 * Which mutexes are shared is told by their address.
 */
#include "base/mutex.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/gnutls.h>

#include "base/object.h"

typedef int (*mutex_function)(void **mutex);

static struct
{
	tlsg_import_function *at[4];			   /**< GnuTLS's variables; NULL: not found */
	struct tlsg_arena *(*current)(void);	   /**< the arena of the scope */
	mutex_function init, deinit, lock, unlock; /**< of others; NULL: pthread_mutex_t on the heap */
	unsigned made;							   /**< in scopes */
} mutexes;

static int mutex_shared_init(struct tlsg_arena *a, void **mutex)
{
	pthread_mutex_t *m = tlsg_arena_malloc(a, sizeof(*m));
	pthread_mutexattr_t attr;
	int err;

	if(m == NULL)
		return GNUTLS_E_MEMORY_ERROR;
	err = pthread_mutexattr_init(&attr);
	if(err == 0) {
		err = pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
		if(err == 0)
			err = pthread_mutex_init(m, &attr);
		pthread_mutexattr_destroy(&attr);
	}
	if(err != 0) {
		tlsg_arena_free(m);
		return GNUTLS_E_LOCKING_ERROR;
	}
	mutexes.made++;
	*mutex = m;
	return 0;
}

static int mutex_init(void **mutex)
{
	struct tlsg_arena *a = mutexes.current();
	pthread_mutex_t *m;

	if(a != NULL)
		return mutex_shared_init(a, mutex);
	if(mutexes.init != NULL)
		return mutexes.init(mutex);
	m = malloc(sizeof(*m));
	if(m == NULL)
		return GNUTLS_E_MEMORY_ERROR;
	if(pthread_mutex_init(m, NULL) != 0) {
		free(m);
		return GNUTLS_E_LOCKING_ERROR;
	}
	*mutex = m;
	return 0;
}

static int mutex_deinit(void **mutex)
{
	bool is_shared = tlsg_arena_owns(*mutex);

	if(!is_shared && mutexes.deinit != NULL)
		return mutexes.deinit(mutex);
	if(pthread_mutex_destroy(*mutex) != 0)
		return GNUTLS_E_LOCKING_ERROR;
	if(is_shared)
		tlsg_arena_free(*mutex);
	else
		free(*mutex);
	*mutex = NULL;
	return 0;
}

static int mutex_lock(void **mutex)
{
	if(mutexes.lock != NULL && !tlsg_arena_owns(*mutex))
		return mutexes.lock(mutex);
	return pthread_mutex_lock(*mutex) == 0 ? 0 : GNUTLS_E_LOCKING_ERROR;
}

static int mutex_unlock(void **mutex)
{
	if(mutexes.unlock != NULL && !tlsg_arena_owns(*mutex))
		return mutexes.unlock(mutex);
	return pthread_mutex_unlock(*mutex) == 0 ? 0 : GNUTLS_E_LOCKING_ERROR;
}

static const mutex_function own_mutexes[4] = {mutex_init, mutex_deinit, mutex_lock, mutex_unlock};

void tlsg_mutex_install(struct tlsg_arena *(*current)(void))
{
	const void *inside = (const void *)(uintptr_t)gnutls_handshake;
	size_t i;

	mutexes.current = current;
	gnutls_global_set_mutex(mutex_init, mutex_deinit, mutex_lock, mutex_unlock);
	for(i = 0; i < 4; i++)
		mutexes.at[i] = tlsg_object_locate(inside, (tlsg_import_function)own_mutexes[i]);
	for(i = 0; i < 4; i++)
		if(mutexes.at[i] == NULL) {
			memset(mutexes.at, 0, sizeof(mutexes.at));
			break;
		}
}

static bool mutexes_hold(void)
{
	size_t i;

	for(i = 0; i < 4; i++)
		if(mutexes.at[i] != NULL && *mutexes.at[i] != (tlsg_import_function)own_mutexes[i])
			return false;
	return true;
}

void tlsg_mutex_check(void)
{
	if(mutexes_hold())
		return;
	mutexes.init = (mutex_function)*mutexes.at[0];
	mutexes.deinit = (mutex_function)*mutexes.at[1];
	mutexes.lock = (mutex_function)*mutexes.at[2];
	mutexes.unlock = (mutex_function)*mutexes.at[3];
	gnutls_global_set_mutex(mutex_init, mutex_deinit, mutex_lock, mutex_unlock);
	tlsg_object_say_replaced("GnuTLS's mutex functions", (tlsg_import_function)mutexes.lock);
}

unsigned tlsg_mutex_made(void)
{
	return mutexes.made;
}
