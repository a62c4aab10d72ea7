/*
 * tls_gnutls - what the files of a connection share among themselves
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: the connection's arena (shm).  Lock: the TCP connection's write_lock.
 */
#ifndef TLSG_TRANSPORT_CONN_PRIV_H
#define TLSG_TRANSPORT_CONN_PRIV_H

#include "base/arena.h"
#include "profiles/creds.h"
#include "transport/conn.h"
#include "transport/queue.h"
#include "transport/stats.h"

/* What a step may allocate at most, measured on GnuTLS 3.7 and 3.8 with a margin (tests/transport/test_headroom.c). */
#define TLSG_HEADROOM_INIT (24 * 1024)
#define TLSG_HEADROOM_HANDSHAKE (160 * 1024)
#define TLSG_HEADROOM_RECORD (80 * 1024)

#define TLSG_TAIL_BYTES 7 /* a record that is one alert */

/* Records without data in a row, one more for each second. Servers send a handful of tickets, and GnuTLS takes eight key updates in a
 * second. */
#define TLSG_IDLE_RECORDS_MAX 64

/** Why nothing more is fed into a session. */
enum tlsg_conn_stop
{
	TLSG_STOP_NONE,
	TLSG_STOP_MEMORY, /**< the arena holds more than the phase of the connection allows */
	TLSG_STOP_IDLE	  /**< too many records without data */
};

/** What the verification inside a handshake found, until the peer record takes it over. */
struct tlsg_conn_verdict
{
	enum tlsg_verify_code code;
	int alert;				/**< to send, -1 none */
	unsigned built_len;		/**< certificates in built */
	struct tlsg_der *built; /**< [arena] */
};

struct tlsg_conn
{
	struct tlsg_session_ref ref; /**< first: gnutls_session_get_ptr() gives it to the certificate callback */
	struct tlsg_arena *arena;
	gnutls_session_t session;	/**< [arena] */
	struct tlsg_set *set;		/**< one reference */
	gnutls_priority_t priority; /**< of the snapshot; the session counts a reference on it */
	struct tlsg_peer *peer;		/**< [arena] NULL until the handshake is done; release store */
	struct tlsg_io *io;			/**< of the running step, this process's; NULL outside */
	str sni;					/**< [arena] received or sent; zero-terminated */
	str expected;				/**< [arena] client: who the server should be, {NULL,0} unknown */
	struct tlsg_conn_verdict verdict;
	struct tlsg_queue queue;
	unsigned char *kept; /**< [arena] received bytes not used yet */
	unsigned kept_len;
	unsigned kept_rd; /**< bytes of kept that are used */
	struct tlsg_addr local;
	uint16_t local_port;
	uint8_t state;		/**< enum tlsg_conn_state */
	uint8_t role;		/**< enum tlsg_role */
	bool established;	/**< first handshake is done */
	bool renegotiating; /**< a later handshake runs */
	bool hold_queue;
	bool tcp_eof;
	bool hello_seen;					 /**< profile chosen by SNI */
	bool entered;						 /**< re-entry guard */
	bool close_sent;					 /**< close_notify is out */
	unsigned char tail[TLSG_TAIL_BYTES]; /**< the last bytes that GnuTLS took during the first handshake */
	bool peer_closed; /**< close_notify came: nothing more is read, replies can still be written (RFC 8446 section 6.1) */
	uint8_t idle;	  /**< records since the last data, one less for each second */
	uint8_t stop;	  /**< enum tlsg_conn_stop */
	uint8_t frame_head;	   /**< bytes of the head of the record that is being fed */
	uint8_t frame_high;	   /**< higher byte of its length */
	bool stuck;			   /**< the session wanted more and did not take it, once */
	bool partial;		   /**< kept is the beginning of a record: nothing can be done with it yet */
	uint16_t frame_left;   /**< bytes of it that are missing */
	ticks_t idle_since;	   /**< when idle was last made less */
	uint32_t settled;	   /**< bytes in use when the handshake was done */
	uint32_t base;		   /**< bytes in use when the next message of a handshake began to come; 0: not yet */
	uint32_t unused;	   /**< bytes fed since the last complete message, or the last data */
	uint32_t failed;	   /**< 1: its handshake is counted as failed; atomic */
	struct tlsg_slot slot; /**< among the unfinished handshakes */
	int cred_process;	   /**< process whose credentials the session holds, -1 none */
	ticks_t stall_at;	   /**< when what has begun after the handshake must be complete, 0 nothing has begun; atomic */
	ticks_t stall_ticks;   /**< time for that, 0 no limit */
	uint32_t watched;	   /**< 1: the owner will look at stall_at; atomic */
	ticks_t deadline;	   /**< for the first handshake, 0 none */
	time_t created;
};

/**
 * Begins a step: takes the scope, reserves memory, binds this process's credentials during a handshake.
 * @param headroom  bytes that the step may allocate.
 * @param previous  [out] scope to restore.
 * @return TLSG_OK; TLSG_E_RESOURCE: nothing was entered; TLSG_E_INTERNAL: wrong state or re-entry.
 */
enum tlsg_ret tlsg_conn_enter(struct tlsg_conn *c, struct tlsg_io *io, size_t headroom, struct tlsg_arena **previous,
		struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Ends a step.
 * @param ret  what the step found.
 * @return ret; TLSG_E_RESOURCE when the step was given private memory: the connection has failed.
 */
enum tlsg_ret tlsg_conn_leave(
		struct tlsg_conn *c, struct tlsg_arena *previous, enum tlsg_ret ret, struct tlsg_err *err);

/** Binds this process's credentials of the connection's profile. @return TLSG_OK, TLSG_E_RESOURCE. */
enum tlsg_ret tlsg_conn_bind(struct tlsg_conn *c, struct tlsg_err *err) TLSG_MUST_CHECK;

/** Makes and configures the session for the profile in c->ref.prof. In a scope. @return TLSG_OK, TLSG_E_*. */
enum tlsg_ret tlsg_conn_session_init(struct tlsg_conn *c, struct tlsg_err *err) TLSG_MUST_CHECK;

/** Applies what a profile decides about a session: priority, certificate request, tickets. In a scope. @return TLSG_OK, TLSG_E_*. */
enum tlsg_ret tlsg_conn_apply_profile(struct tlsg_conn *c, struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * One step of the handshake, entered. On success the state is established and the peer record published.
 * @return TLSG_OK: done; TLSG_AGAIN; TLSG_FULL; TLSG_E_*: failed, an alert may be in out.
 */
enum tlsg_ret tlsg_conn_handshake(struct tlsg_conn *c, struct tlsg_err *err) TLSG_MUST_CHECK;

/** Counts a fatal alert that came, and says so. @param alert  GNUTLS_A_*, or a number without a name. @return TLSG_E_PEER. */
enum tlsg_ret tlsg_conn_alerted(int alert, struct tlsg_err *err);

/** Marks the connection failed and appends the alert for a GnuTLS error, if there is one. Entered. */
void tlsg_conn_alert_for(struct tlsg_conn *c, int gnutls_code);

/** Counts a warning alert that came during a handshake. Entered. @return TLSG_OK; TLSG_E_PEER: too many; an alert is in out. */
enum tlsg_ret tlsg_conn_idle_record(struct tlsg_conn *c, struct tlsg_err *err) TLSG_MUST_CHECK;

/** @return bytes that the connection's arena has in use, without received bytes that were not looked at yet (tlsg_conn_keep()). */
size_t tlsg_conn_bound_held(const struct tlsg_conn *c);

/** @return bytes that it may have in use now; SIZE_MAX: GnuTLS is at work on a message. */
size_t tlsg_conn_bound_max(const struct tlsg_conn *c);

/** Notes that a message of a handshake is complete: what the session holds may change for other reasons now. */
void tlsg_conn_bound_message(struct tlsg_conn *c);

/** Notes that data came: records before it are no longer counted. */
void tlsg_conn_bound_data(struct tlsg_conn *c);

/** Notes what an established connection holds by itself: what a peer adds later is counted from there. */
void tlsg_conn_bound_settle(struct tlsg_conn *c);

/**
 * Whether more may be fed into the session: asked before each piece of input, answered between records. Entered.
 * @param n  bytes of the record that comes next, or of the message that it begins; of a record that was begun: anything.
 * @return false: the step is to end, tlsg_conn_bound_check() says why.
 */
bool tlsg_conn_bound_allows(struct tlsg_conn *c, size_t n);

/** @return bytes that are missing of the part of a record, head or payload, that is being fed; 0: between records. */
size_t tlsg_conn_bound_missing(const struct tlsg_conn *c);

/** Follows the boundaries of records in what is fed, and counts records. @param bytes  what GnuTLS gets. @param n  bytes of it. */
void tlsg_conn_bound_fed(struct tlsg_conn *c, const unsigned char *bytes, size_t n);

/**
 * End of a step that reads: whether the peer has made the connection hold too much, or sends records that bring nothing. Entered.
 * @param ret  what the step found.
 * @return ret; TLSG_E_PEER: the connection is to end, counted, an alert is in out.
 */
enum tlsg_ret tlsg_conn_bound_check(struct tlsg_conn *c, enum tlsg_ret ret, struct tlsg_err *err) TLSG_MUST_CHECK;

/** End of a step that reads: notes whether a record or message has begun that is not complete, and since when. */
void tlsg_conn_bound_stall(struct tlsg_conn *c);

/** Ends a connection for records that bring nothing. Entered. @return TLSG_E_PEER, counted, an alert is in out. */
enum tlsg_ret tlsg_conn_bound_idle(struct tlsg_conn *c, struct tlsg_err *err);

/** Builds and publishes the peer record. Entered. @return TLSG_OK, TLSG_E_RESOURCE. */
enum tlsg_ret tlsg_peer_publish(struct tlsg_conn *c, struct tlsg_err *err) TLSG_MUST_CHECK;

/** The suite that was negotiated. Entered. @return static row; NULL for a suite that the table does not have. */
const struct tlsg_suite *tlsg_conn_suite(const struct tlsg_conn *c);

/**
 * Verifies what the peer sent, as the profile wants, and keeps the verdict. Entered.
 * @return 0: goes on; GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR: refused, c->verdict.alert says with which alert.
 */
int tlsg_conn_verify(struct tlsg_conn *c);

/**
 * Looks at the size of the peer's key before it is used. Entered.
 * @return 0: goes on; GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR: refused, as tlsg_conn_verify().
 */
int tlsg_conn_check_leaf(struct tlsg_conn *c) TLSG_MUST_CHECK;

/**
 * What GNUTLS_E_AGAIN means. Entered.
 * @param before  tlsg_carrier_input_left() before the call that gave it.
 * @return TLSG_OK: call again; TLSG_AGAIN: the rest of a record is missing, or no more is fed; TLSG_E_INTERNAL: it takes nothing of what
 *         there is.
 */
enum tlsg_ret tlsg_conn_again(struct tlsg_conn *c, size_t before, struct tlsg_err *err) TLSG_MUST_CHECK;

/** @return bytes received that the session has not taken. In a step. */
size_t tlsg_carrier_input_left(const struct tlsg_conn *c);

/** Whether a complete record, or what never becomes one, waits to be taken. In a step. */
bool tlsg_carrier_has_record(const struct tlsg_conn *c);

/** Installs push and pull functions of the stream carrier. */
void tlsg_carrier_stream_init(struct tlsg_conn *c);

#endif
