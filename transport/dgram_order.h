/*
 * tls_gnutls - the order of the datagrams of a handshake, which several processes receive
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: the caller's, shared.  Lock: none, atomic.
 *
 * The datagrams of one flight arrive together, each process takes one, and the last may overtake the first. GnuTLS
 * drops records of the next epoch that come before the ChangeCipherSpec; a client that has got the session ticket by
 * then never asks for them again, and otherwise the flight is repeated after a second. So a process waits for those
 * that have taken the datagrams before its own.
 */
#ifndef TLSG_TRANSPORT_DGRAM_ORDER_H
#define TLSG_TRANSPORT_DGRAM_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What is known of the peer's records. All zero at the beginning. */
struct tlsg_dgram_order
{
	uint64_t next; /**< atomic: the record that is expected, its epoch in the upper 16 bits */
	uint32_t vain; /**< atomic: waits for a datagram that did not come */
};

/**
 * Whether a datagram comes when its turn is: no record before its first one is missing.
 * @param data  a datagram. @param size  bytes of it.
 * @return true also for what is not a record, and when too many waits were in vain: a peer decides what it leaves out.
 */
bool tlsg_dgram_order_is_turn(const struct tlsg_dgram_order *o, const unsigned char *data, size_t size);

/** Notes that a process has waited in vain. */
void tlsg_dgram_order_vain(struct tlsg_dgram_order *o);

/**
 * Notes that a datagram was processed.
 * @param begins  its first record begins a handshake anew: what came before does not count.
 * Source: RFC 6347 section 4.1: after a ChangeCipherSpec the epoch is one higher and numbers begin at 0.
 */
void tlsg_dgram_order_note(struct tlsg_dgram_order *o, const unsigned char *data, size_t size, bool begins);

#endif
