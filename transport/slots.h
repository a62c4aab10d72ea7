/*
 * tls_gnutls - how many handshakes of accepted connections may be unfinished, in all and from one address
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: shm, one block made before the forks.
 * Lock: none for the sums (atomics); that of addr_count.h for addresses.
 *
 * A slot is taken before anything is allocated for a connection, and given back when its handshake is done or the
 * connection is freed, by the process that has the connection to itself then. Without tlsg_slots_init() there are no
 * limits, as in unit tests.
 */
#ifndef TLSG_TRANSPORT_SLOTS_H
#define TLSG_TRANSPORT_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "profiles/prof.h"

/** Limits on unfinished handshakes, all of them together and those of one address; 0: no limit. */
struct tlsg_slots_limits
{
	unsigned handshakes;  /**< unfinished handshakes */
	size_t bytes;		  /**< shared memory that their sessions hold together */
	unsigned per_address; /**< unfinished handshakes from one IPv4 address or one /64 of IPv6 */
	unsigned addresses;	  /**< entries of the table of addresses; used with per_address, at least 1 then */
};

/** The slot of one connection. All zero: none is taken. */
struct tlsg_slot
{
	bool taken;
	uint32_t entry; /**< of tlsg_addr_count_take(); 0 none */
	uint32_t bytes; /**< shared memory counted for it */
};

/** Whether a slot was taken, and why not. */
enum tlsg_slots_result
{
	TLSG_SLOT_TAKEN,
	TLSG_SLOT_HANDSHAKES, /**< too many unfinished handshakes, or they hold too much memory */
	TLSG_SLOT_ADDRESS	  /**< too many from this address, or the table of addresses is full */
};

/**
 * Makes the table. Attendant, before the forks; a second call does nothing.
 * @return TLSG_OK; TLSG_E_RESOURCE out of shared memory.
 */
enum tlsg_ret tlsg_slots_init(const struct tlsg_slots_limits *limits) TLSG_MUST_CHECK;

/** Releases its lock, which a process may have ended with. Attendant, at shutdown, when all others have ended. */
void tlsg_slots_unlock(void);

/** Frees it. Attendant, at shutdown, after the last connection is freed. Idempotent. */
void tlsg_slots_deinit(void);

/**
 * Takes a slot. Refusals are counted (limit_handshakes, limit_handshakes_per_address).
 * @param peer  address of the peer; len 0: only the sums are checked.
 * @param slot  [out] to be given back with tlsg_slots_give(); nothing is taken when the result is not TLSG_SLOT_TAKEN.
 */
enum tlsg_slots_result tlsg_slots_take(const struct tlsg_addr *peer, struct tlsg_slot *slot) TLSG_MUST_CHECK;

/** Notes what the connection holds now. Nothing happens when no slot is taken. @param bytes  of shared memory. */
void tlsg_slots_note(struct tlsg_slot *slot, size_t bytes);

/** Gives the slot back. Nothing happens when none is taken. */
void tlsg_slots_give(struct tlsg_slot *slot);

/** @return handshakes that are unfinished. @param bytes [out] what their sessions hold; NULL allowed. */
unsigned tlsg_slots_used(uint64_t *bytes);

#endif
