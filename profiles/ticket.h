/*
 * tls_gnutls - keys that encrypt session tickets, the same in every process
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that steps a server handshake.  Memory: one master in shm.  Lock: its own, for a copy or a
 * rotation.
 *
 * Every profile has a key of its own, derived from the master and the profile's ticket context, so that a ticket issued
 * under other certificates, CAs or verification settings is never accepted. Every twelve hours the master is replaced
 * by a one-way function of itself: one that leaks later decrypts no older ticket.
 */
#ifndef TLSG_PROFILES_TICKET_H
#define TLSG_PROFILES_TICKET_H

#include <time.h>

#include "profiles/prof.h"

/** Bytes of a ticket key, as gnutls_session_ticket_key_generate() makes them. */
#define TLSG_TICKET_KEY_SIZE 64

/** Generates the master. Before the forks. @return TLSG_OK, TLSG_E_RESOURCE (memory or randomness). */
enum tlsg_ret tlsg_ticket_global_init(void) TLSG_MUST_CHECK;

/** Wipes and frees the master. Attendant, at shutdown. Idempotent. */
void tlsg_ticket_global_deinit(void);

/**
 * Derives the ticket key of a profile.
 * @param p    profile of a published snapshot.
 * @param now  wall clock.
 * @param key  [out] wiped by the caller after use.
 * @return TLSG_OK; TLSG_E_INTERNAL: not initialised, or the derivation failed: issue no tickets.
 * Source: doc/architecture.md#resumption; gnutls_hmac_fast() with SHA-512.
 */
enum tlsg_ret tlsg_ticket_key(
		const struct tlsg_prof *p, time_t now, unsigned char key[TLSG_TICKET_KEY_SIZE]) TLSG_MUST_CHECK;

/**
 * Computes the ticket context of a completed and loaded profile: a hash over everything that decides which peers may
 * resume.
 * @param p  [in,out] ticket_context is set.
 * @return TLSG_OK, TLSG_E_INTERNAL.
 */
enum tlsg_ret tlsg_ticket_context(struct tlsg_prof *p) TLSG_MUST_CHECK;

#endif
