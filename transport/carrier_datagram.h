/*
 * tls_gnutls - carries records over datagrams: one record of a received datagram at a time, datagrams to send
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process, inside a step.  Memory: the connection's arena (shm), buffers of the step (this process).
 * Lock: the association's lock, held by the step's caller.
 *
 * What is received is checked before GnuTLS gets it: dgram_record.h says which records it may have. The length that an
 * encrypted Finished announces cannot be checked: for that the arena refuses blocks longer than TLSG_BLOCK_BYTES_MAX.
 */
#ifndef TLSG_TRANSPORT_CARRIER_DATAGRAM_H
#define TLSG_TRANSPORT_CARRIER_DATAGRAM_H

#include <stdbool.h>
#include <stddef.h>

#include <gnutls/dtls.h>

#include "base/err.h"
#include "base/host.h"
#include "transport/dgram_record.h"

struct tlsg_conn;

/** What an association over datagrams has beside its session. */
struct tlsg_carrier_datagram
{
	struct tlsg_dgram_messages messages; /**< of the peer's handshake */
	gnutls_dtls_prestate_st start;		 /**< server: what the exchange of the cookie leaves */
	bool has_start;
	uint32_t dropped;  /**< records that GnuTLS did not get */
	uint16_t mtu;	   /**< of the handshake */
	uint16_t text_max; /**< longest message, 0 before the handshake is done */
	uint16_t flight;   /**< records of the flight that is being made */
	bool overflow;	   /**< a datagram did not fit in the output of this step */
	ticks_t timer_at;  /**< when tlsg_conn_datagram_timer() is due, 0 never; read without the lock: atomic */
};

/**
 * Installs the push and pull functions in a new session, with c->datagram set, and sets its timeouts and MTU.
 */
void tlsg_carrier_datagram_init(struct tlsg_conn *c);

/** @return bytes of the datagram that are not used yet. */
size_t tlsg_carrier_datagram_left(const struct tlsg_conn *c);

/** Whether a record is ready for the session. Records before it that it must not get are dropped. */
bool tlsg_carrier_datagram_has_record(struct tlsg_conn *c);

/**
 * Counts the records of a flight. For every message of the handshake.
 * @param incoming  it was received: what is sent next is a new flight.
 * @param size      bytes of the message, without its header.
 */
void tlsg_carrier_datagram_message(struct tlsg_conn *c, bool incoming, size_t size);

/** Whether the flight has more records than GnuTLS sends, for which it reports an internal error. */
bool tlsg_carrier_datagram_is_too_long(const struct tlsg_conn *c);

/**
 * End of a step, in its scope: sets the timer; a flight that did not fit in the output ends the association.
 * @param ret  result of the step so far.
 * @return ret; TLSG_E_RESOURCE.
 */
enum tlsg_ret tlsg_carrier_datagram_leave(struct tlsg_conn *c, enum tlsg_ret ret, struct tlsg_err *err);

#endif
