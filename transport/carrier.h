/*
 * tls_gnutls - what carries the records of a session: a stream, or datagrams
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process, inside a step.  Memory: none.  Lock: write_lock, held by the step's caller.
 */
#ifndef TLSG_TRANSPORT_CARRIER_H
#define TLSG_TRANSPORT_CARRIER_H

#include "transport/carrier_datagram.h"
#include "transport/carrier_stream.h"
#include "transport/conn_state.h"

/** Installs the push and pull functions in a new session. */
static inline void tlsg_carrier_init(struct tlsg_conn *c)
{
	if(c->datagram != NULL)
		tlsg_carrier_datagram_init(c);
	else
		tlsg_carrier_stream_init(c);
}

/** @return received bytes that the session has not taken. */
static inline size_t tlsg_carrier_left(const struct tlsg_conn *c)
{
	return c->datagram != NULL ? tlsg_carrier_datagram_left(c) : tlsg_carrier_stream_left(c);
}

/** Whether a complete record, or of a stream input that is not a record at all, is ready for the session. */
static inline bool tlsg_carrier_has_record(struct tlsg_conn *c)
{
	return c->datagram != NULL ? tlsg_carrier_datagram_has_record(c) : tlsg_carrier_stream_has_record(c);
}

/**
 * Whether the next record is application data that GnuTLS must not read in gnutls_handshake(): a renegotiation is in
 * progress, which is never so over datagrams.
 */
static inline bool tlsg_carrier_has_data(const struct tlsg_conn *c)
{
	return c->datagram == NULL && tlsg_carrier_stream_has_data(c);
}

#endif
