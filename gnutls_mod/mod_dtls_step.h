/*
 * tls_gnutls - a step of a DTLS association: its connections, its buffers, the datagrams that it sends
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that receives or sends SIP, and the timer process of DTLS.
 * Memory: static buffers of this process; connections in shm.
 * Lock: that of the association, from tlsg_dtls_step_begin() to tlsg_dtls_step_end().
 *
 * When a step is run is decided by mod_dtls_in.h, mod_dtls_out.h and mod_dtls_timer.h.
 */
#ifndef TLSG_GNUTLS_MOD_MOD_DTLS_STEP_H
#define TLSG_GNUTLS_MOD_MOD_DTLS_STEP_H

#include <stdbool.h>

#include "core/ip_addr.h"

#include "gnutls_mod/mod_log.h"
#include "transport/assoc.h"
#include "transport/conn.h"

/** Whether a step has begun. */
enum tlsg_dtls_begun
{
	TLSG_STEP_BEGUN,
	TLSG_STEP_OVER, /**< the association has ended */
	TLSG_STEP_BUSY	/**< another process keeps its lock: it waits for a token or a key process */
};

/** One step. Only one exists at a time in a process. */
struct tlsg_dtls_step
{
	struct tlsg_assoc *a;
	struct receive_info rcv; /**< the two ends, for log lines */
	struct tlsg_log_ends ends;
	struct tlsg_buf out;
	struct tlsg_datagrams sent;
	struct tlsg_conn_limits limits;
	struct tlsg_io io;
	struct tlsg_err err;
	bool is_over; /**< the association is to be removed */
};

/** Fills a key. @return false: the address is neither IPv4 nor IPv6, or the port is 0. */
bool tlsg_dtls_step_key(struct tlsg_assoc_key *key, int socket, const struct ip_addr *ip, unsigned short port);

/** Fills in the ends of an association: src is the peer, dst this host. */
void tlsg_dtls_step_ends(const struct tlsg_assoc *a, struct receive_info *ends);

/**
 * Begins a step: takes the association's lock, and waits no longer than tlsg_assoc_lock(): each datagram that the peer
 * sends, and each message to it, would keep one more process waiting.
 * @param a  the caller's reference, which passes to the step; it is given back unless TLSG_STEP_BEGUN.
 * @return TLSG_STEP_BEGUN; TLSG_STEP_OVER, TLSG_STEP_BUSY (counted): there is nothing to end.
 */
enum tlsg_dtls_begun tlsg_dtls_step_begin(struct tlsg_dtls_step *s, struct tlsg_assoc *a);

/** As tlsg_dtls_step_begin(), without waiting, and without counting. @return whether it has begun. */
bool tlsg_dtls_step_try(struct tlsg_dtls_step *s, struct tlsg_assoc *a);

/** Sends a close_notify and lets the association end with the step. */
void tlsg_dtls_step_close(struct tlsg_dtls_step *s);

/** Ends a step: releases the lock, writes the key log, removes the association if it is over. */
void tlsg_dtls_step_end(struct tlsg_dtls_step *s);

/**
 * Makes a connection for the association of a step; limits are checked and a failure is logged.
 * @param start  server: of tlsg_cookie_check(); NULL: a client.
 * @return NULL: refused or failed.
 */
struct tlsg_conn *tlsg_dtls_step_make(struct tlsg_dtls_step *s, const gnutls_dtls_prestate_st *start);

/** Sends the datagrams of the last call of a connection, and empties the buffers. */
void tlsg_dtls_step_send(struct tlsg_dtls_step *s);

/**
 * Says that a handshake is done, when it is, and whether the timer has to visit the association.
 * @param was_established  of `conn`, before.
 */
void tlsg_dtls_step_note(struct tlsg_dtls_step *s, const struct tlsg_conn *conn, bool was_established);

/** Logs the failure in err. @param is_reading  for the words of the line. */
void tlsg_dtls_step_failed(struct tlsg_dtls_step *s, const struct tlsg_conn *conn, bool is_reading);

/** Sends one datagram from a socket of dtls_listen; a failure is not an error, as datagrams may be lost. */
void tlsg_dtls_step_sendto(const struct tlsg_assoc_key *key, const void *data, size_t size);

#endif
