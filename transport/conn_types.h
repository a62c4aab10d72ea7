/*
 * tls_gnutls - types that a connection and its owner share: states, buffers of a step, limits
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: none.  Lock: none.
 *
 * The functions of the owner are in conn.h, the fields of a connection in conn_state.h.
 */
#ifndef TLSG_TRANSPORT_CONN_TYPES_H
#define TLSG_TRANSPORT_CONN_TYPES_H

#include "base/buf.h"
#include "transport/queue.h"

enum tlsg_conn_state
{
	TLSG_CONN_HANDSHAKING, /**< first handshake, or a renegotiation */
	TLSG_CONN_ESTABLISHED,
	TLSG_CONN_CLOSING, /**< close_notify was sent or a renegotiation refused: records are neither read nor written */
	TLSG_CONN_FAILED   /**< the session is not used any more */
};

/** Limits and switches that the owner reads from its runtime configuration before a step. */
struct tlsg_conn_limits
{
	struct tlsg_queue_limits queue; /**< clear text that waits for the handshake */
	int record_max_bytes;			/**< largest payload of a sent record, 512 to 16384; <= 0: 16384 */
	bool renegotiation;				/**< the peer may renegotiate (TLS 1.2 and older) */
};

/** Longest text of a record that may be received; what is sent is a little shorter. */
#define TLSG_DATAGRAM_TEXT_MAX 16384

/** Bytes that `out` should have room for: a flight of the handshake, or a record. */
#define TLSG_DATAGRAM_OUT_BYTES (64 * 1024)

/** Limits and default of the size of datagrams in a handshake, without the headers of IP and UDP. */
#define TLSG_DATAGRAM_MTU_MIN 256
#define TLSG_DATAGRAM_MTU_MAX 16384
#define TLSG_DATAGRAM_MTU_DEFAULT 1200

/** Time to wait for an answer before a flight is sent again, doubled each time: RFC 6347 section 4.2.4.1. */
#define TLSG_DATAGRAM_RETRANSMIT_MS 1000

/** Datagrams that one step may send: GnuTLS sends at most 31 records in a flight, and may send a flight twice. */
#define TLSG_DATAGRAMS_MAX 64

/** The boundaries of datagrams to send, which are one after the other in the buffer `out` of a step. */
struct tlsg_datagrams
{
	uint16_t size[TLSG_DATAGRAMS_MAX]; /**< bytes of each, in the order in which they must be sent */
	unsigned count;
};

/** Buffers of one step, all in the memory of this process. */
struct tlsg_io
{
	struct tlsg_buf *in;		 /**< received records, or one datagram; drained; NULL: nothing received */
	struct tlsg_buf *out;		 /**< records to send, appended; not NULL */
	struct tlsg_datagrams *sent; /**< an association's: not NULL, appended; otherwise not used */
	const struct tlsg_conn_limits *limits;
};

#endif
