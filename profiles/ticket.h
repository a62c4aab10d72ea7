/*
 * tls_gnutls - keys that encrypt session tickets, the same in every process
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that steps a server handshake.  Memory: one master in shm, others in snapshots.
 * Lock: its own, for copies and a rotation.
 *
 * Every profile has a key of its own, derived from a master and the profile's ticket context, so that a ticket issued
 * under other certificates, CAs or verification settings is never accepted. Without ticket_key_file the master is made
 * at start, and every twelve hours replaced by a one-way function of itself: one that leaks later decrypts no older
 * ticket. With it, the masters are those of the files, and the profile has a key for each: the first encrypts.
 *
 * What was derived from the master is stored beside it and wiped when it is replaced, and the names of keys are stored
 * in the snapshot: both would cost each handshake 15,000 to 60,000 instructions.
 *
 * GnuTLS takes one key for a session. So the one that a ticket was made with must be known before GnuTLS reads the
 * ClientHello: tlsg_ticket_match(). A wrong guess costs a full handshake and nothing else.
 *
 * Not here: reading the files (ticket_file.h).
 */
#ifndef TLSG_PROFILES_TICKET_H
#define TLSG_PROFILES_TICKET_H

#include <time.h>

#include "profiles/prof.h"
#include "profiles/verify/der.h"

/** Generates the master. Before the forks. @return TLSG_OK, TLSG_E_RESOURCE (memory or randomness). */
enum tlsg_ret tlsg_ticket_global_init(void) TLSG_MUST_CHECK;

/** Wipes and frees the master. Attendant, at shutdown. Idempotent. */
void tlsg_ticket_global_deinit(void);

/**
 * A ticket key of a profile.
 * @param p       server profile of a published snapshot.
 * @param number  0: the one that encrypts; others from tlsg_ticket_match() with the same snapshot.
 * @param datagram  for DTLS, which has keys of its own: sessions of TLS are not resumed with it, and vice versa.
 * @param now     wall clock.
 * @param key     [out] wiped by the caller after use.
 * @return TLSG_OK; TLSG_E_INTERNAL: not initialised, or the derivation failed: issue no tickets.
 * Source: doc/architecture.md#resumption; gnutls_hmac_fast() with SHA-512.
 */
enum tlsg_ret tlsg_ticket_key(const struct tlsg_prof *p, unsigned number, bool datagram, time_t now,
		unsigned char key[TLSG_TICKET_KEY_SIZE]) TLSG_MUST_CHECK;

/**
 * Finds the key of the first ticket that was made with a key of the profile, by the name of the key in it. The ticket
 * may be damaged or expired all the same.
 * @param datagram  as with tlsg_ticket_key().
 * @param tickets  as the client offers them, in its order; borrowed.
 * @param n        how many.
 * @param now      wall clock.
 * @return number of the key; -1: none of the tickets was made with a key of this profile.
 * Source: RFC 5077 section 4, for the name at the start of a ticket; GnuTLS 3.6.9 to 3.8.13 derive it with the key of a
 * period from the time and the session's key (SHA3-512). tests/profiles/test_ticket.c compares it with real tickets.
 */
int tlsg_ticket_match(const struct tlsg_prof *p, bool datagram, const struct tlsg_der *tickets, unsigned n, time_t now);

/**
 * Computes the ticket context of a completed and loaded profile: a hash over everything that decides which peers may
 * resume; and derives its keys from those of ticket_key_file.
 * @param p  [in,out] ticket_context is set; for a server with ticket_key_file ticket_keys too.
 * @return TLSG_OK, TLSG_E_RESOURCE, TLSG_E_INTERNAL.
 */
enum tlsg_ret tlsg_ticket_context(struct tlsg_prof *p) TLSG_MUST_CHECK;

#endif
