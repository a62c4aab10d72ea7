/*
 * tls_gnutls - one TLS connection: life cycle, handshake, records
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process; a connection moves between processes at any time.
 * Memory: one arena (shm) per connection.  Lock: the caller holds the TCP connection's write_lock for every function
 * that takes a non-const connection, tlsg_conn_free() excepted.
 *
 * Bytes come in and go out through struct tlsg_io; sockets are unknown here. A step never blocks, runs no script code
 * and takes no lock but the one that counts references on the snapshot.
 */
#ifndef TLSG_TRANSPORT_CONN_H
#define TLSG_TRANSPORT_CONN_H

#include <gnutls/dtls.h>

#include "base/buf.h"
#include "base/err.h"
#include "profiles/match.h"
#include "profiles/set.h"
#include "transport/conn_failure.h"
#include "transport/conn_stall.h"
#include "transport/conn_types.h"
#include "transport/peer.h"
#include "transport/slots.h"
#include "transport/stats.h"

/** What a new connection is made from. Strings are copied. */
struct tlsg_conn_params
{
	struct tlsg_set *set;		   /**< one reference, passed to the connection, also on failure */
	struct tlsg_slot slot;		   /**< passed to the connection, also on failure; all zero none */
	struct tlsg_match_query query; /**< role, local address, expected name, id */
	str sni;					   /**< client: name to send, {NULL,0} none */
	struct tlsg_addr remote;	   /**< client: address of the server; len 0 unknown: sessions are not resumed */
	uint16_t remote_port;
	int deadline_s; /**< handshake_timeout: for the first handshake, and for what begins later; 0: no limit */
	bool datagram;	/**< DTLS over datagrams: conn_datagram.h */
	unsigned mtu;	/**< of datagrams in the handshake, without IP and UDP headers; 0: the default */
	const gnutls_dtls_prestate_st *start; /**< server: of tlsg_cookie_check(), copied; NULL: no cookie was asked for */
};

/** Figures for the command tls.list. */
struct tlsg_conn_status
{
	const char *state;	   /**< static: "none/init", "tls_accept", "tls_connect", "established", "unknown/error" */
	unsigned ct_wq_size;   /**< bytes of clear text queued */
	unsigned enc_rd_buf;   /**< received bytes kept undecrypted */
	unsigned flags;		   /**< 1 write wants read, 2 handshake done, 4 renegotiation */
	const char *profile;   /**< id of the profile, valid as long as the connection */
	const char *server_id; /**< of the profile, NULL none; valid as long as the connection */
	const char *sni;	   /**< NULL none; valid as long as the connection */
	time_t created;
};

/**
 * Makes a connection and its GnuTLS session.
 * @param p    what it is made from.
 * @param err  [out] first cause.
 * @return the connection (tlsg_conn_free); NULL: out of shared memory, or the profile cannot be used.
 */
struct tlsg_conn *tlsg_conn_new(const struct tlsg_conn_params *p, struct tlsg_err *err);

/**
 * Frees a connection without entering its session: clear text, arena, reference on the snapshot. Any process, which
 * must have the last reference; no lock, as it may not exist any more. NULL allowed.
 */
void tlsg_conn_free(struct tlsg_conn *c);

/**
 * Received bytes in, clear text out. Runs the handshake first; when it ends, what was queued by tlsg_conn_write() is
 * sent.
 * @param io     in is drained as far as possible; what must be sent is appended to out.
 * @param clear  [out] clear text is appended up to its room.
 * @param err    [out] first cause.
 * @return TLSG_AGAIN: all of in is used, more is needed. TLSG_FULL: clear or out have no room left, call again after
 *         emptying them (what is left of in stays there: tlsg_conn_keep()). TLSG_EOF: the peer ended the session
 *         properly; clear text before it has been delivered. TLSG_E_*: the connection has failed; send out, it may
 *         contain an alert.
 */
enum tlsg_ret tlsg_conn_read(
		struct tlsg_conn *c, struct tlsg_io *io, struct tlsg_buf *clear, struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Clear text in, records out. Before the handshake is done the text is queued.
 * @param data  clear text.
 * @param size  bytes of it, may be 0.
 * @param used  [out] bytes encrypted or queued.
 * @return TLSG_OK: all used and encrypted. TLSG_AGAIN: all used, some of it queued until the handshake is done.
 *         TLSG_FULL: out has no room for the rest. TLSG_EOF: this host has closed the session, nothing was used.
 *         TLSG_E_RESOURCE: a limit of the queue or of memory; TLSG_E_*: the connection has failed.
 */
enum tlsg_ret tlsg_conn_write(struct tlsg_conn *c, struct tlsg_io *io, const char *data, size_t size, size_t *used,
		struct tlsg_err *err) TLSG_MUST_CHECK;

/** Appends a close_notify to out for an established session; otherwise does nothing. Nothing can be sent afterwards. */
void tlsg_conn_close_notify(struct tlsg_conn *c, struct tlsg_io *io);

/**
 * Keeps received bytes that could not be used yet, in the connection's arena.
 * @param in  what is left is copied and drained.
 * @return TLSG_OK; TLSG_E_RESOURCE.
 */
enum tlsg_ret tlsg_conn_keep(struct tlsg_conn *c, struct tlsg_buf *in, struct tlsg_err *err) TLSG_MUST_CHECK;

/** Whether received bytes or decrypted text are kept, so that tlsg_conn_read() makes progress without new bytes. */
bool tlsg_conn_has_pending(const struct tlsg_conn *c);

/** @return the state. */
enum tlsg_conn_state tlsg_conn_state(const struct tlsg_conn *c);

/** Whether the first handshake is done. Any process, no lock. */
bool tlsg_conn_is_established(const struct tlsg_conn *c);

/** Whether the first handshake is not done and its deadline is over. No lock. */
bool tlsg_conn_is_late(const struct tlsg_conn *c);

/** Drops the queued clear text. */
void tlsg_conn_drop_queued(struct tlsg_conn *c);

/**
 * While set, tlsg_conn_read() leaves the queue alone after the handshake, so that the owner can run script code first.
 */
void tlsg_conn_hold_queue(struct tlsg_conn *c, bool hold);

/** Notes the end of the TCP stream, to be reported when everything before it has been read. */
void tlsg_conn_set_tcp_eof(struct tlsg_conn *c);

/** @return whether the peer's close_notify was received. */
bool tlsg_conn_peer_closed(const struct tlsg_conn *c);

/** @return whether tlsg_conn_set_tcp_eof() was called. */
bool tlsg_conn_tcp_eof(const struct tlsg_conn *c);

/** Fills the figures. Without the lock they may not fit together; pointers stay valid as long as the connection. */
void tlsg_conn_status_get(const struct tlsg_conn *c, struct tlsg_conn_status *s);

/** @return the name for log lines: SNI, or "unknown"; valid as long as the connection. */
const char *tlsg_conn_sni(const struct tlsg_conn *c);

/** @return role of this host. */
enum tlsg_role tlsg_conn_role(const struct tlsg_conn *c);

#endif
