/*
 * tls_gnutls - limits on what a peer can make a connection hold and read that brings no data
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process, inside a step.  Memory: the connection's arena (shm).
 * Lock: write_lock, held by the step's caller.
 *
 * The deadline of what begins and does not go on is in conn_stall.h, the number of unfinished handshakes in slots.h.
 */
#ifndef TLSG_TRANSPORT_CONN_BOUND_H
#define TLSG_TRANSPORT_CONN_BOUND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct tlsg_conn;

/**
 * @return bytes that the connection's arena has in use, without received bytes that the session has not taken
 *         (tlsg_conn_keep()).
 */
size_t tlsg_conn_bound_held(const struct tlsg_conn *c);

/** @return bytes that the handshake messages of the peer may have which are begun and not complete. */
size_t tlsg_conn_bound_message_max(const struct tlsg_conn *c);

/** Notes that a handshake message is complete: from here on the session may hold more or less for other reasons. */
void tlsg_conn_bound_message(struct tlsg_conn *c);

/** Notes that data was received: records before it are no longer counted. */
void tlsg_conn_bound_data(struct tlsg_conn *c);

/** Notes what an established connection holds by itself: what a peer adds later is counted from there. */
void tlsg_conn_bound_settle(struct tlsg_conn *c);

/**
 * Whether more input may be given to the session. Called before each piece, decided between records. Of datagrams, a
 * record that may not is dropped, as anybody can have sent it; records without data are not counted.
 * @param n  bytes of the record that comes next, or of the message that it begins; ignored in the middle of a record.
 * @return false: the step must end, tlsg_conn_bound_check() sets the cause.
 */
bool tlsg_conn_bound_allows(struct tlsg_conn *c, size_t n);

/**
 * @return bytes missing of the part of a record, header or payload, that the session is reading; 0: between records.
 */
size_t tlsg_conn_bound_missing(const struct tlsg_conn *c);

/**
 * Follows the boundaries of records in the input and counts records.
 * @param bytes  given to GnuTLS.
 * @param n  number of them.
 */
void tlsg_conn_bound_fed(struct tlsg_conn *c, const unsigned char *bytes, size_t n);

/**
 * Counts a record that GnuTLS does not get, in a handshake too; no message is begun by it.
 * @param record  whole, with its header. @param n  bytes of it.
 */
void tlsg_conn_bound_skipped(struct tlsg_conn *c, const unsigned char *record, size_t n);

/**
 * Counts a warning alert that was received during a handshake.
 * @return TLSG_OK; TLSG_E_PEER: too many, an alert is in the output.
 */
enum tlsg_ret tlsg_conn_bound_warning(struct tlsg_conn *c, struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * End of a step that reads: whether the peer has made the connection hold too much, or sends too many records without
 * data.
 * @param ret  result of the step so far.
 * @return ret; TLSG_E_PEER: the connection must end; it is counted, an alert is in the output.
 */
enum tlsg_ret tlsg_conn_bound_check(struct tlsg_conn *c, enum tlsg_ret ret, struct tlsg_err *err) TLSG_MUST_CHECK;

#endif
