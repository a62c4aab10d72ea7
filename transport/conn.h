/*
 * tls_gnutls - one TLS connection: life cycle, handshake, records
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process; a connection moves between processes at any time.
 * Memory: one arena (shm) per connection.  Lock: the caller holds the TCP connection's write_lock for every function that
 * takes a non-const connection, tlsg_conn_free() excepted.
 *
 * Bytes come in and go out through struct tlsg_io; no socket is known here. A step never blocks, never runs script code, never
 * takes another lock than the one that counts references on the snapshot.
 */
#ifndef TLSG_TRANSPORT_CONN_H
#define TLSG_TRANSPORT_CONN_H

#include "base/buf.h"
#include "base/err.h"
#include "profiles/match.h"
#include "profiles/set.h"
#include "transport/peer.h"
#include "transport/slots.h"
#include "transport/stats.h"

enum tlsg_conn_state
{
	TLSG_CONN_HANDSHAKING, /**< first handshake, or a renegotiation */
	TLSG_CONN_ESTABLISHED,
	TLSG_CONN_CLOSING, /**< we sent close_notify, or refused a renegotiation: nothing more is encrypted or decrypted */
	TLSG_CONN_FAILED   /**< entered no more */
};

/** Limits and switches that the owner reads from its runtime configuration before a step. */
struct tlsg_conn_limits
{
	unsigned con_queue_max_bytes; /**< clear text that one connection may queue */
	unsigned queue_max_bytes;	  /**< clear text that all connections may queue */
	unsigned queue_block_bytes;	  /**< allocation unit of the queue */
	int record_max_bytes;		  /**< largest payload of a sent record, 512 to 16384; <= 0: 16384 */
	bool renegotiation;			  /**< peer may renegotiate (TLS 1.2 and older) */
};

/** Buffers of one step, all of this process. */
struct tlsg_io
{
	struct tlsg_buf *in;  /**< received records, drained; NULL: nothing received */
	struct tlsg_buf *out; /**< records to send, appended; not NULL */
	const struct tlsg_conn_limits *limits;
};

/** What a new connection is made from. Strings are copied. */
struct tlsg_conn_params
{
	struct tlsg_set *set;		   /**< a reference is taken over by the connection, on failure too */
	struct tlsg_slot slot;		   /**< taken over by the connection, on failure too; all zero none */
	struct tlsg_match_query query; /**< role, local address, expected name, id */
	str sni;					   /**< client: name to send, {NULL,0} none */
	int deadline_s; /**< seconds until the first handshake must be done, and for a record or message that begins later; 0: no limit */
};

/** Figures for tls.list, spec 10.2. */
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
 * @param p    see there.
 * @param err  [out] first cause.
 * @return the connection (tlsg_conn_free); NULL: out of shared memory, or the profile cannot be used.
 */
struct tlsg_conn *tlsg_conn_new(const struct tlsg_conn_params *p, struct tlsg_err *err);

/**
 * Frees a connection without entering GnuTLS: clear text, arena, reference on the snapshot. Any process, last reference, lock
 * not needed (it may not exist any more). NULL allowed.
 */
void tlsg_conn_free(struct tlsg_conn *c);

/**
 * Received bytes in, clear text out. Drives the handshake first; when it ends, what was queued by tlsg_conn_write() is sent.
 * @param io     in is drained as far as possible; what must be sent is appended to out.
 * @param clear  [out] clear text is appended up to its room.
 * @param err    [out] first cause.
 * @return TLSG_AGAIN: all of in is used, more is needed. TLSG_FULL: clear or out have no room left, call again after emptying them
 *         (what is left of in stays there: tlsg_conn_keep()). TLSG_EOF: the peer ended the session properly; clear text before it has
 *         been delivered. TLSG_E_*: the connection is dead; send out, it may hold an alert.
 */
enum tlsg_ret tlsg_conn_read(
		struct tlsg_conn *c, struct tlsg_io *io, struct tlsg_buf *clear, struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Clear text in, records out. Before the handshake is done the text is queued.
 * @param data  clear text.
 * @param size  bytes of it, may be 0.
 * @param used  [out] bytes encrypted or queued.
 * @return TLSG_OK: all used and encrypted. TLSG_AGAIN: all used, some of it queued until the peer answers. TLSG_FULL: out has no room for the
 *         rest. TLSG_EOF: we have closed the session, nothing was used. TLSG_E_RESOURCE: queue limits; TLSG_E_*: dead.
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

/** Whether received bytes or decrypted text wait inside, so that tlsg_conn_read() makes progress without new bytes. */
bool tlsg_conn_has_pending(const struct tlsg_conn *c);

/** @return the state. */
enum tlsg_conn_state tlsg_conn_state(const struct tlsg_conn *c);

/** Whether the first handshake is done. Any process, no lock. */
bool tlsg_conn_is_established(const struct tlsg_conn *c);

/** Whether the first handshake is not done and its deadline is over. No lock. */
bool tlsg_conn_is_late(const struct tlsg_conn *c);

/** Whether something that began after the handshake (record, message, renegotiation) is not complete and its time is over. No lock. */
bool tlsg_conn_is_stalled(const struct tlsg_conn *c);

/**
 * Whether the owner is to call tlsg_conn_watch_due() when handshake_timeout has passed, because something has begun after the handshake
 * that is not complete. Says so once, until then.
 */
bool tlsg_conn_watch_begin(struct tlsg_conn *c);

/** What tlsg_conn_watch_due() found. */
enum tlsg_conn_due
{
	TLSG_DUE_FINE,	 /**< nothing is incomplete */
	TLSG_DUE_AGAIN,	 /**< something is, for a shorter time: call once more when handshake_timeout has passed again */
	TLSG_DUE_STALLED /**< its time is over: end the connection */
};

/** Looks after the time that tlsg_conn_watch_begin() asked for. Any process, no lock. @return what is to be done. */
enum tlsg_conn_due tlsg_conn_watch_due(struct tlsg_conn *c);

/** Whether clear text waits in the queue. */
bool tlsg_conn_has_queued(const struct tlsg_conn *c);

/** Drops the queued clear text. */
void tlsg_conn_drop_queued(struct tlsg_conn *c);

/** While set, tlsg_conn_read() leaves the queue alone after the handshake, so that the owner can run script code first. */
void tlsg_conn_hold_queue(struct tlsg_conn *c, bool hold);

/** Remembers that TCP has delivered its end: to be reported when everything before it has been read. */
void tlsg_conn_set_tcp_eof(struct tlsg_conn *c);

/** @return whether tlsg_conn_set_tcp_eof() was called. */
bool tlsg_conn_tcp_eof(const struct tlsg_conn *c);

/** Fills the figures. Racy without the lock: figures only, pointers stay valid with the connection. */
void tlsg_conn_status_get(const struct tlsg_conn *c, struct tlsg_conn_status *s);

/** Name for log lines: SNI, or "unknown". Valid as long as the connection. */
const char *tlsg_conn_sni(const struct tlsg_conn *c);

/**
 * Counts the handshake of a connection as failed, once however often it is called. Any process, no lock.
 * @param c    the connection.
 * @param why  first cause; an established connection counts nothing.
 */
void tlsg_conn_count_failure(struct tlsg_conn *c, enum tlsg_stats_failure why);

/** @return role of this host. */
enum tlsg_role tlsg_conn_role(const struct tlsg_conn *c);

#endif
