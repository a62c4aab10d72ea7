/*
 * tls_gnutls - records: clear text in and out, renegotiation, the end of what the peer sends
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process, inside a step.  Memory: the connection's arena (shm).
 * Lock: write_lock, held by the step's caller.
 */
#ifndef TLSG_TRANSPORT_CONN_REC_H
#define TLSG_TRANSPORT_CONN_REC_H

#include "base/buf.h"
#include "base/err.h"

struct tlsg_conn;

/**
 * Reads all records of the input, the handshake first; sends what is queued when that ends.
 * @param clear  [out] clear text is appended up to its room.
 * @param err    [out] first cause.
 * @return as tlsg_conn_read().
 */
enum tlsg_ret tlsg_conn_rec_read(struct tlsg_conn *c, struct tlsg_buf *clear, struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Encrypts as much as the output has room for.
 * @param data  clear text.
 * @param size  bytes of it, may be 0.
 * @param used  [out] bytes encrypted.
 * @return TLSG_OK: all; TLSG_FULL: the output has no room for the rest; TLSG_E_*.
 */
enum tlsg_ret tlsg_conn_rec_send(
		struct tlsg_conn *c, const char *data, size_t size, size_t *used, struct tlsg_err *err) TLSG_MUST_CHECK;

#endif
