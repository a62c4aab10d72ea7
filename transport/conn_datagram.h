/*
 * tls_gnutls - a connection over datagrams: what DTLS has and TLS has not
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process; an association moves between processes at any time.
 * Memory: the connection's arena (shm).  Lock: the owner's lock of the association, where conn.h says write_lock.
 *
 * An association is a struct tlsg_conn whose parameters say `datagram`. The functions of conn.h work on it, with these
 * differences:
 * - tlsg_conn_read(): in is one datagram, which is always used up; clear must have room for TLSG_DATAGRAM_TEXT_MAX
 *   bytes. TLSG_OK: one record of text is in clear, which is one message; call again with the same buffers (clear
 *   emptied), as more records may be in the datagram. TLSG_FULL: clear or out have no room, call again when they have.
 *   TLSG_AGAIN: nothing more. Records that are malformed, replayed, of another epoch or cannot be decrypted are dropped
 *   and counted: tlsg_conn_datagram_dropped().
 * - tlsg_conn_write(): the data are one message and go out as one record, in one datagram. Before the handshake is done
 *   the message is queued. Too long for one datagram, by GnuTLS a little less than
 *   16,384 bytes: TLSG_E_RESOURCE, the association goes on.
 * - out and sent must be empty at the beginning of a call; tlsg_conn_keep() and tlsg_conn_set_tcp_eof() are not for
 *   datagrams. There is no renegotiation.
 *
 * Associations by address are not kept here; what comes before one is in cookie.h.
 */
#ifndef TLSG_TRANSPORT_CONN_DATAGRAM_H
#define TLSG_TRANSPORT_CONN_DATAGRAM_H

#include "transport/conn.h"

/**
 * How long the owner may wait before it calls tlsg_conn_datagram_timer(). No lock.
 * @return milliseconds, 0: now; -1: there is nothing to wait for.
 */
int tlsg_conn_datagram_timeout_ms(const struct tlsg_conn *c);

/**
 * The time is over, or may be: sends the last flight of the handshake again if it is due, ends a late handshake.
 * @param io  in is NULL; datagrams are appended to out and sent.
 * @return TLSG_AGAIN: goes on, ask tlsg_conn_datagram_timeout_ms() again; TLSG_E_*: as tlsg_conn_read().
 */
enum tlsg_ret tlsg_conn_datagram_timer(struct tlsg_conn *c, struct tlsg_io *io, struct tlsg_err *err) TLSG_MUST_CHECK;

/** @return records of the association that were dropped: malformed, replayed, refused, or not to be decrypted. */
uint32_t tlsg_conn_datagram_dropped(const struct tlsg_conn *c);

#endif
