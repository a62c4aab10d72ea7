/*
 * tls_gnutls - the alert user_canceled of TLS 1.3, which is ignored
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process, inside a step.  Memory: the connection's arena (shm) until the call returns.
 * Lock: write_lock, held by the step's caller.
 *
 * GnuTLS takes every alert of TLS 1.3 but close_notify for a fatal one and ends the session. RFC 8446 section 6.1 says
 * that user_canceled is followed by close_notify, and section 6.2 does not list it among the errors. The record is
 * recognised before GnuTLS gets it, and is counted in the session's sequence number. In older versions GnuTLS reports
 * the alert as a warning, as it does before the keys of TLS 1.3 are there.
 */
#ifndef TLSG_TRANSPORT_CONN_CANCEL_H
#define TLSG_TRANSPORT_CONN_CANCEL_H

#include <stdbool.h>
#include <stddef.h>

struct tlsg_conn;

#define TLSG_CANCEL_RECORD_MAX 24 /* header, two bytes of the alert, its type, the tag */

/**
 * Whether a record of this length can be an encrypted alert without padding.
 * @param first  first byte of the record.
 * @param size   bytes of the record, with its header.
 */
bool tlsg_conn_cancel_fits(const struct tlsg_conn *c, unsigned char first, size_t size);

/**
 * Recognises user_canceled, of either level, and counts its record as received.
 * @param record  the whole record, encrypted.
 * @param size    tlsg_conn_cancel_fits().
 * @return true: GnuTLS must not get the record; false: it is something else, nothing has changed.
 * Source: RFC 8446 sections 5.2, 5.3 and 6.1; GnuTLS manual, gnutls_record_set_state().
 */
bool tlsg_conn_cancel_skip(struct tlsg_conn *c, const unsigned char *record, size_t size);

#endif
