/*
 * tls_gnutls - counts how many of something each address of a peer has, up to a limit
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: shm, one block made before the forks.  Lock: its own.
 *
 * An IPv4 address counts as one, and so does a /64 of IPv6, as a host may have all of it. Unfinished handshakes
 * (slots.h) and DTLS associations (assoc.h) are counted so.
 */
#ifndef TLSG_TRANSPORT_ADDR_COUNT_H
#define TLSG_TRANSPORT_ADDR_COUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "profiles/addr.h"

struct tlsg_addr_counts;

/**
 * Makes a table. Attendant, before the forks.
 * @param limit      of each address, at least 1.
 * @param addresses  entries, at least 1.
 * @return [shm] tlsg_addr_count_free(); NULL: out of shared memory, or the generator of GnuTLS fails.
 */
struct tlsg_addr_counts *tlsg_addr_count_new(unsigned limit, unsigned addresses);

/** Frees it. Attendant, at shutdown. NULL allowed. */
void tlsg_addr_count_free(struct tlsg_addr_counts *c);

/** Releases its lock, which a process may have ended with. Attendant, when all others have ended. NULL allowed. */
void tlsg_addr_count_unlock(struct tlsg_addr_counts *c);

/**
 * Counts one more for an address.
 * @param c      NULL: nothing is counted.
 * @param peer   len 0: nothing is counted.
 * @param entry  [out] for tlsg_addr_count_give(); 0: nothing was counted.
 * @return false: the address has as many as the limit allows, or the table is full.
 */
bool tlsg_addr_count_take(struct tlsg_addr_counts *c, const struct tlsg_addr *peer, uint32_t *entry);

/** Counts one less. @param entry  0: nothing happens. */
void tlsg_addr_count_give(struct tlsg_addr_counts *c, uint32_t entry);

#endif
