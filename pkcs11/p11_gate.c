/*
 * tls_gnutls - logins to one token with one PIN: one process at a time, and never again with a PIN that was wrong
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: set up by the builder of a snapshot or the token process; any process that logs in.
 * Memory: shared by those processes; the caller's.  Lock: the gate itself.
 */
#include "pkcs11/p11_gate.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define GATE_SECONDS 10

enum tlsg_ret tlsg_p11_gate_init(struct tlsg_p11_gate *gate)
{
	pthread_mutexattr_t attr;
	int rc = pthread_mutexattr_init(&attr);

	if(rc != 0)
		return TLSG_E_RESOURCE;
	rc = pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	if(rc == 0)
		rc = pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	if(rc == 0)
		rc = pthread_mutex_init(&gate->lock, &attr);
	pthread_mutexattr_destroy(&attr);
	gate->refused = 0;
	gate->passed = 0;
	gate->since = 0;
	gate->sessions = 0;
	return rc == 0 ? TLSG_OK : TLSG_E_RESOURCE;
}

bool tlsg_p11_gate_is_shared(const char *token_a, const struct tlsg_p11_secret *pin_a, const char *token_b,
		const struct tlsg_p11_secret *pin_b)
{
	return strcmp(token_a, token_b) == 0 && pin_a->is_set == pin_b->is_set && strcmp(pin_a->value, pin_b->value) == 0;
}

/* If a process died with the lock, nothing is inconsistent: what it protects is one word, written at once. */
bool tlsg_p11_gate_enter(struct tlsg_p11_gate *gate)
{
	struct timespec until;
	int rc;

	if(gate == NULL)
		return true;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += GATE_SECONDS;
	rc = pthread_mutex_timedlock(&gate->lock, &until);
	if(rc == EOWNERDEAD)
		rc = pthread_mutex_consistent(&gate->lock);
	return rc == 0;
}

void tlsg_p11_gate_leave(struct tlsg_p11_gate *gate)
{
	if(gate != NULL)
		(void)pthread_mutex_unlock(&gate->lock);
}

void tlsg_p11_gate_refuse(struct tlsg_p11_gate *gate)
{
	if(gate != NULL)
		__atomic_store_n(&gate->refused, 1, __ATOMIC_RELAXED);
}

bool tlsg_p11_gate_is_refused(const struct tlsg_p11_gate *gate)
{
	return gate != NULL && __atomic_load_n(&gate->refused, __ATOMIC_RELAXED) != 0;
}
