/*
 * tls_gnutls - logins to one token with one PIN: one process at a time, and never again with a PIN that was wrong
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: set up by the builder of a snapshot or the token process; any process that logs in.
 * Memory: shared by those processes; the caller's.  Lock: the gate itself.
 */
#ifndef TLSG_PKCS11_P11_GATE_H
#define TLSG_PKCS11_P11_GATE_H

#include <pthread.h>
#include <stdint.h>

#include "pkcs11/p11_pin.h"

/**
 * What all processes share about a PIN of a token. A wrong PIN is tried once, by one process, not by each: tokens lock
 * themselves after a few failures.
 */
struct tlsg_p11_gate
{
	pthread_mutex_t lock;	/**< process-shared, robust; held while one process starts the module and logs in */
	uint32_t refused;		/**< atomic: the token rejected the PIN, no process tries it any more */
	uint64_t passed;		/**< tlsg_p11_pin_set_accepted(); under the lock */
	uint32_t since;			/**< number of the snapshot since which the token has this PIN; the owner's */
	unsigned long sessions; /**< tlsg_p11_find_sessions(); the owner's */
};

/** Sets up a gate in shared memory. @return TLSG_OK, TLSG_E_RESOURCE. */
enum tlsg_ret tlsg_p11_gate_init(struct tlsg_p11_gate *gate) TLSG_MUST_CHECK;

/** Whether two keys share a gate: they are on the same token and have the same PIN. @param token  URI of the token. */
bool tlsg_p11_gate_is_shared(const char *token_a, const struct tlsg_p11_secret *pin_a, const char *token_b,
		const struct tlsg_p11_secret *pin_b);

/**
 * Takes the lock. Waits up to 10 s.
 * @param gate  NULL: no gate is needed.
 * @return false: another process still holds it.
 */
bool tlsg_p11_gate_enter(struct tlsg_p11_gate *gate);

/** Gives the lock back. @param gate  NULL allowed. */
void tlsg_p11_gate_leave(struct tlsg_p11_gate *gate);

/** The token rejected the PIN. The caller is in the gate. @param gate  NULL allowed. */
void tlsg_p11_gate_refuse(struct tlsg_p11_gate *gate);

/** @return whether the token rejected the PIN. @param gate  NULL: never. */
bool tlsg_p11_gate_is_refused(const struct tlsg_p11_gate *gate);

#endif
