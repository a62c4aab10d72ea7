/*
 * tls_gnutls - carries records over a stream: drains received bytes, appends bytes to send
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process, inside a step.  Memory: buffers of the step (this process).
 * Lock: write_lock, held by the step's caller.
 */
#ifndef TLSG_TRANSPORT_CARRIER_STREAM_H
#define TLSG_TRANSPORT_CARRIER_STREAM_H

#include <stdbool.h>
#include <stddef.h>

struct tlsg_conn;

/** Installs the push and pull functions in a new session. */
void tlsg_carrier_stream_init(struct tlsg_conn *c);

/** @return received bytes that the session has not taken: kept ones and those of the step. */
size_t tlsg_carrier_stream_left(const struct tlsg_conn *c);

/** Whether a complete record, or input that is not a record at all, is ready for the session. */
bool tlsg_carrier_stream_has_record(const struct tlsg_conn *c);

/**
 * Whether the next record is application data that GnuTLS must not read in gnutls_handshake(): a renegotiation is in
 * progress, and GnuTLS would begin its handshake anew after it.
 */
bool tlsg_carrier_stream_has_data(const struct tlsg_conn *c);

#endif
