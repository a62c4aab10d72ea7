/*
 * tls_gnutls - everything that is known about one connection, for the conn files only
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: the connection's arena (shm).  Lock: the TCP connection's write_lock.
 *
 * There are no functions here. Owners of a connection include conn.h, to which struct tlsg_conn is opaque.
 */
#ifndef TLSG_TRANSPORT_CONN_STATE_H
#define TLSG_TRANSPORT_CONN_STATE_H

#include "base/arena.h"
#include "profiles/creds.h"
#include "profiles/set.h"
#include "profiles/verify/verify.h"
#include "transport/conn_types.h"
#include "transport/queue.h"
#include "transport/slots.h"

#define TLSG_RECORD_HEAD 5				  /* type, version and length of a record: RFC 8446 section 5.1 */
#define TLSG_BLOCK_BYTES_MAX (512 * 1024) /* longest block of a session over datagrams: carrier_datagram.h */
#define TLSG_TAIL_BYTES 7				  /* a record that contains one alert */

struct tlsg_carrier_datagram;
struct tlsg_conn_resume; /* transport/conn_resume.c */
struct tlsg_peer;

/** Why no more input is given to a session. */
enum tlsg_conn_stop
{
	TLSG_STOP_NONE,
	TLSG_STOP_MEMORY, /**< the arena holds more than the phase of the connection allows */
	TLSG_STOP_IDLE,	  /**< too many records without data */
	TLSG_STOP_CHANGE  /**< a ChangeCipherSpec that is not the single byte 1 */
};

/** What came of the tickets that a client offers. */
enum tlsg_conn_ticket
{
	TLSG_TICKET_NONE,	 /**< not offered, or tickets are off */
	TLSG_TICKET_UNKNOWN, /**< made with no key of the profile */
	TLSG_TICKET_KNOWN	 /**< made with a key of the profile: GnuTLS decides */
};

/** Result of the verification during a handshake, until the peer record takes it over. */
struct tlsg_conn_verdict
{
	enum tlsg_verify_code code;
	int alert;				/**< to send, -1 none */
	unsigned built_len;		/**< certificates in built */
	struct tlsg_der *built; /**< [arena] */
};

struct tlsg_conn
{
	struct tlsg_session_ref ref; /**< first: gnutls_session_get_ptr() returns it to the certificate callback */
	struct tlsg_arena *arena;
	gnutls_session_t session;				/**< [arena] */
	struct tlsg_set *set;					/**< one reference */
	gnutls_priority_t priority;				/**< of the snapshot; the session counts a reference on it */
	struct tlsg_peer *peer;					/**< [arena] NULL until the handshake is done; release store */
	struct tlsg_io *io;						/**< of the running step, memory of this process; NULL outside a step */
	struct tlsg_carrier_datagram *datagram; /**< [arena] of an association over datagrams; NULL: a stream */
	str sni;								/**< [arena] received or sent; zero-terminated */
	str expected;							/**< [arena] client: name that the server must have, {NULL,0} unknown */
	struct tlsg_conn_verdict verdict;
	struct tlsg_conn_resume *resume; /**< [arena] client: NULL: its sessions are not resumed */
	struct tlsg_queue queue;
	unsigned char *kept; /**< [arena] received bytes that the session has not taken yet */
	unsigned kept_len;
	unsigned kept_rd; /**< bytes of kept that are taken */
	struct tlsg_addr local;
	uint16_t local_port;
	uint8_t state;		/**< enum tlsg_conn_state */
	uint8_t role;		/**< enum tlsg_role */
	uint8_t ticket;		/**< server: enum tlsg_conn_ticket */
	int8_t resume_own;	/**< client: number of the certificate that the offered session began with, -1 none */
	bool established;	/**< the first handshake is done */
	bool renegotiating; /**< a later handshake is in progress */
	bool in_handshake;	/**< gnutls_handshake() is running */
	bool data_next;		/**< in a renegotiation: data is to be read before the handshake goes on */
	bool hold_queue;
	bool tcp_eof;
	bool hello_seen;					 /**< the ClientHello was read, or sent */
	bool entered;						 /**< a step is running */
	bool close_sent;					 /**< close_notify was sent */
	unsigned char tail[TLSG_TAIL_BYTES]; /**< the last bytes that GnuTLS took during the first handshake */
	bool peer_closed;	   /**< close_notify was received: replies can still be written (RFC 8446 section 6.1) */
	uint8_t idle;		   /**< records since the last data, one less for each second */
	uint8_t stop;		   /**< enum tlsg_conn_stop */
	uint8_t frame_head;	   /**< bytes taken of the header of the current record */
	uint8_t frame_high;	   /**< high byte of its length */
	bool stuck;			   /**< the last call of GnuTLS asked for more input although it took none */
	bool partial;		   /**< kept is the beginning of a record: more must be received first */
	uint16_t frame_left;   /**< bytes missing of the payload of the current record */
	ticks_t idle_since;	   /**< when idle was last reduced */
	uint32_t settled;	   /**< bytes in use when the handshake was done */
	uint32_t base;		   /**< bytes in use when the next handshake message began to arrive; 0: not yet */
	uint32_t unused;	   /**< bytes given to the session since the last complete message, or the last data */
	uint32_t failed;	   /**< 1: its handshake is counted as failed; atomic */
	struct tlsg_slot slot; /**< among the unfinished handshakes */
	int cred_process;	   /**< process whose credentials the session holds, -1 none */
	ticks_t stall_at;	   /**< when what began after the handshake must be complete, 0 nothing began; atomic */
	ticks_t stall_ticks;   /**< time for that, 0 no limit */
	uint32_t watched;	   /**< 1: the owner will check stall_at; atomic */
	ticks_t deadline;	   /**< of the first handshake, 0 none */
	time_t created;
};

#endif
